package worker

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"kycd/jobs/task"
)

// hold marks a task as being in this worker's hands for as long as the run lasts, at most for the kind's
// budget. asynq has a lease of its own, but it outlives a killed worker by up to a minute.
type hold struct {
	redis  redis.UniversalClient
	worker string
}

// markTimeout bounds one write of a mark; a mark that was not written only makes a second run possible.
const markTimeout = time.Second

// start sets the mark and renews it until the returned function is called, which takes it away.
func (h hold) start(outboxID, taskID string, budget time.Duration) (release func()) {
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(task.HoldEvery)
		defer tick.Stop()
		for {
			h.mark(ctx, outboxID, taskID)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
		ctx, cancel := context.WithTimeout(context.Background(), markTimeout)
		defer cancel()
		h.redis.Del(ctx, task.HoldKey(taskID), task.PlaceKey(outboxID)) // else they run out by themselves
	}
}

func (h hold) mark(ctx context.Context, outboxID, taskID string) {
	ctx, cancel := context.WithTimeout(ctx, markTimeout)
	defer cancel()
	_, _ = h.redis.Pipelined(ctx, func(p redis.Pipeliner) error { // the next one may succeed
		p.Set(ctx, task.HoldKey(taskID), h.worker, task.HoldFor)
		p.Set(ctx, task.PlaceKey(outboxID), taskID, task.PlaceFor)
		return nil
	})
}
