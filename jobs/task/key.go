package task

import "time"

// What is written in Redis beside asynq's own keys. None of it is needed for the truth; each key runs out
// by itself.

// How long marks live.
const (
	// HoldFor is how long a worker's mark on its task outlives the worker: what a killed worker had is free
	// for another one after this.
	HoldFor = 4 * time.Second
	// HoldEvery is how often a living worker renews its mark.
	HoldEvery = time.Second
	// PlaceFor is how long a task is believed to lie on the queue. Should it be there no more although
	// nobody took it, it is sent again after this.
	PlaceFor = 5 * time.Minute
)

// BellChannel is where a sender says that something new lies on a queue.
func BellChannel(q Queue) string { return "kycd:bell:" + string(q) }

// PlaceKey holds the id of the task that was sent last for an outbox row.
func PlaceKey(outboxID string) string { return "kycd:task:" + outboxID }

// HoldKey holds the name of the worker that has the task in its hands.
func HoldKey(taskID string) string { return "kycd:hold:" + taskID }

// The keys of asynq v0.26 that are looked at from outside. A test compares them with what asynq writes.

// PendingKey is the list of tasks that nobody has taken.
func PendingKey(q Queue) string { return "asynq:{" + string(q) + "}:pending" }

// PausedKey exists while a queue is paused.
func PausedKey(q Queue) string { return "asynq:{" + string(q) + "}:paused" }

// RecordKey is the hash of one task.
func RecordKey(q Queue, taskID string) string { return "asynq:{" + string(q) + "}:t:" + taskID }

// StateField is the field of a task's hash that names its state; StatePending is its value for a task that
// nobody has taken.
const (
	StateField   = "state"
	StatePending = "pending"
)
