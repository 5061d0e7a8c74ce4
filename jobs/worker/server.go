// Package worker takes tasks from one queue and runs them. It is asynq with the parts replaced that are
// wrong for us: new work is taken at once instead of after a second's polling, a worker's death shows after
// four seconds instead of a minute, and a failed run is not asynq's business.
package worker

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"kycd/jobs/task"
)

// Handler does the work of one outbox row. It returns nothing: whether the work is done is written in the
// database, and what is not done there comes again. It must bear being called twice for one row. The context
// ends with the kind's budget or with the server, and names the request that made the work (task.RequestID).
type Handler func(ctx context.Context, outboxID string)

// Config is what a Server needs.
type Config struct {
	Redis       redis.UniversalClient // shared; the server does not close it
	Queue       task.Queue
	Handlers    map[task.Kind]Handler // for every kind of the queue
	Concurrency int                   // runs at the same time, 1 or more
	Name        string                // of this worker process, unique among all
	StopWithin  time.Duration         // how long Stop waits for runs that are under way
	Log         *slog.Logger
}

// Server takes the tasks of one queue until it is stopped.
type Server struct {
	asynq        *asynq.Server
	bell         *bell
	subscription *redis.PubSub
	listening    chan struct{}
	cancel       context.CancelFunc
}

// Start begins to take tasks. Redis need not be reachable yet.
func Start(c Config) (*Server, error) {
	if c.Concurrency < 1 {
		return nil, fmt.Errorf("worker %s: concurrency %d", c.Queue, c.Concurrency)
	}
	for kind := range c.Handlers {
		if queue, ok := kind.Queue(); !ok || queue != c.Queue {
			return nil, fmt.Errorf("worker %s: kind %q does not lie there", c.Queue, kind)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{bell: newBell(), listening: make(chan struct{}), cancel: cancel}
	s.subscription = c.Redis.Subscribe(ctx, task.BellChannel(c.Queue))
	go func() {
		defer close(s.listening)
		s.bell.listen(s.subscription)
	}()
	s.asynq = asynq.NewServerFromRedisClient(
		&door{UniversalClient: c.Redis, queue: c.Queue, bell: s.bell},
		asynq.Config{
			Concurrency:       c.Concurrency,
			Queues:            map[string]int{string(c.Queue): 1},
			BaseContext:       func() context.Context { return ctx },
			TaskCheckInterval: time.Millisecond, // the door decides when Redis is asked
			ShutdownTimeout:   c.StopWithin,
			// Nothing is ever scheduled, retried or kept, so these two have nothing to do.
			DelayedTaskCheckInterval: time.Minute,
			JanitorInterval:          time.Hour,
			Logger:                   asynqLog{c.Log},
			LogLevel:                 asynq.WarnLevel,
		})
	if err := s.asynq.Start(newMux(c)); err != nil {
		s.bell.close()
		_ = s.subscription.Close()
		<-s.listening
		cancel()
		return nil, fmt.Errorf("worker %s: %w", c.Queue, err)
	}
	return s, nil
}

// Stop takes nothing new and waits for the runs under way, at most for StopWithin. What is not finished
// then lies on the queue again.
func (s *Server) Stop() {
	s.bell.close()
	s.asynq.Shutdown()
	s.cancel()
	_ = s.subscription.Close() // it has nothing to lose
	<-s.listening
}

// mux finds the handler of a task by its whole name.
type mux struct {
	handlers map[task.Kind]Handler
	hold     hold
	log      *slog.Logger
}

func newMux(c Config) *mux {
	return &mux{handlers: c.Handlers, hold: hold{redis: c.Redis, worker: c.Name}, log: c.Log}
}

// ProcessTask runs one task. It never fails to asynq: a task that it cannot run is dropped, and the database
// still knows the work.
func (m *mux) ProcessTask(ctx context.Context, t *asynq.Task) error {
	kind := task.Kind(t.Type())
	handle, ok := m.handlers[kind]
	if !ok {
		m.log.Error("task of an unknown kind dropped", "kind", string(kind))
		return nil
	}
	payload, err := task.Decode(t.Payload())
	if err != nil {
		m.log.Error("malformed task dropped", "kind", string(kind))
		return nil
	}
	taskID, _ := asynq.GetTaskID(ctx)
	release := m.hold.start(payload.OutboxID, taskID, kind.Budget())
	defer release()
	ctx, cancel := context.WithTimeout(task.WithRequestID(ctx, payload.RequestID), kind.Budget())
	defer cancel()
	m.run(ctx, handle, kind, payload.OutboxID)
	return nil
}

// run keeps a panic from ending the process. The panic's value is not logged: it may hold anything.
func (m *mux) run(ctx context.Context, handle Handler, kind task.Kind, outboxID string) {
	defer func() {
		if v := recover(); v != nil {
			task.Log(ctx, m.log).Error("panic in a task", "kind", string(kind), "outbox_id", outboxID,
				"type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		}
	}()
	handle(ctx, outboxID)
}
