package kyc

import (
	"fmt"
	"strings"
)

// Status is where a session stands: status_e without "unknown", which is never stored.
type Status string

// The states.
const (
	InProgress          Status = "in_progress"          // created, not yet decided
	Complete            Status = "complete"             // decided
	TemporarilyComplete Status = "temporarily_complete" // everything was given, the decision waits
	TemporarilyBlocked  Status = "temporarily_blocked"  // too many failed attempts
	Expired             Status = "expired"              // not finalized in time
)

// Event is something that may move a session.
type Event string

// The events.
const (
	EventDecide  Event = "decide"  // a decision was made
	EventDefer   Event = "defer"   // finalized, but a measurement or a person is awaited
	EventBlock   Event = "block"   // too many attempts failed
	EventUnblock Event = "unblock" // the cool-down is over
	EventExpire  Event = "expire"  // its time ran out
	EventErase   Event = "erase"   // the person was taken out of it
)

// transition is one row of the table.
type transition struct {
	from Status
	on   Event
	to   Status
}

// transitions is the whole state machine. What is not in it does not happen.
func transitions() []transition {
	return []transition{
		{InProgress, EventDecide, Complete},
		{InProgress, EventDefer, TemporarilyComplete},
		{InProgress, EventBlock, TemporarilyBlocked},
		{InProgress, EventExpire, Expired},
		{TemporarilyComplete, EventDecide, Complete},
		{TemporarilyBlocked, EventUnblock, InProgress},
		{TemporarilyBlocked, EventExpire, Expired},
		{InProgress, EventErase, Expired},
		{TemporarilyComplete, EventErase, Expired},
		{TemporarilyBlocked, EventErase, Expired},
	}
}

// Statuses lists the states, in the order of a session's life.
func Statuses() []Status {
	return []Status{InProgress, TemporarilyBlocked, TemporarilyComplete, Complete, Expired}
}

// Events lists the events.
func Events() []Event {
	return []Event{EventDecide, EventDefer, EventBlock, EventUnblock, EventExpire, EventErase}
}

// Next says where an event leads, and whether it may happen at all.
func Next(from Status, on Event) (Status, bool) {
	for _, t := range transitions() {
		if t.from == from && t.on == on {
			return t.to, true
		}
	}
	return "", false
}

// StateDiagram prints the table as a Mermaid state diagram, for docs/sessions.md.
func StateDiagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> in_progress\n")
	for _, t := range transitions() {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", t.from, t.to, t.on)
	}
	b.WriteString("    complete --> [*]\n    expired --> [*]\n")
	return b.String()
}
