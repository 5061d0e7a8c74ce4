package worker

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"kycd/jobs/task"
)

// lookEvery is how often an empty queue is looked at although the bell is silent. It bounds the delay when
// a ring is lost with its connection.
const lookEvery = time.Second

// door is the Redis client that an asynq server is given. asynq asks for the next task again and again, as
// often as it is told to; the door lets a question through when there may be an answer: at once after
// a task was found, after a ring of the bell, or when lookEvery is over. So an idle worker asks once
// a second, and yet takes new work within a millisecond or two.
//
// One asynq server has one goroutine that asks, and one queue: pause and heard are that goroutine's alone.
type door struct {
	redis.UniversalClient
	queue task.Queue
	bell  *bell

	pause bool   // the last question found nothing
	heard uint64 // rings before that question
}

// EvalSha is how asynq runs its scripts.
func (d *door) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	return d.ask(ctx, keys, func() *redis.Cmd { return d.UniversalClient.EvalSha(ctx, sha, keys, args...) })
}

// Eval is how asynq runs a script that Redis does not know yet.
func (d *door) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return d.ask(ctx, keys, func() *redis.Cmd { return d.UniversalClient.Eval(ctx, script, keys, args...) })
}

func (d *door) ask(ctx context.Context, keys []string, run func() *redis.Cmd) *redis.Cmd {
	if !d.isDequeue(keys) {
		return run()
	}
	if d.pause {
		d.bell.wait(d.heard, lookEvery)
	}
	if d.bell.isClosed() { // shutting down: nothing new is begun
		nothing := redis.NewCmd(ctx)
		nothing.SetErr(redis.Nil)
		return nothing
	}
	d.heard = d.bell.heard()
	cmd := run()
	err := cmd.Err()
	switch {
	case err == nil, redis.HasErrorPrefix(err, "NOSCRIPT"): // asynq sends the script itself next
		d.pause = false
	case errors.Is(err, redis.Nil): // nothing there
		d.pause = true
	default: // Redis is away; asynq itself would ask again without any pause
		d.pause = true
	}
	return cmd
}

// isDequeue knows asynq's dequeue script by its keys: pending, paused, active, lease of the queue.
func (d *door) isDequeue(keys []string) bool {
	return len(keys) == 4 && keys[0] == task.PendingKey(d.queue) && keys[1] == task.PausedKey(d.queue)
}
