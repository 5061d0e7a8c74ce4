package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"kycd/jobs/task"
	"kycd/jobs/worker"
	"kycd/kyc"
)

// Handler does the server's own kinds of work. Each call must bear being made twice for one row. An error
// means that the row is not finished; when it is tried again is the database's matter.
type Handler interface {
	DecideSession(ctx context.Context, outboxID string) error
	EraseSession(ctx context.Context, outboxID string) error
	DeliverWebhook(ctx context.Context, outboxID string) error
}

// RunnerConfig says how much runs at the same time.
type RunnerConfig struct {
	Decisions  int           // at the same time
	Deliveries int           // at the same time; most of a delivery is waiting
	StopWithin time.Duration // how long Stop waits for what runs
}

// DefaultRunnerConfig is what fits a small machine.
func DefaultRunnerConfig() RunnerConfig {
	return RunnerConfig{Decisions: 4, Deliveries: 32, StopWithin: 8 * time.Second}
}

// Runner takes the server's own kinds of work from the queue.
type Runner struct{ servers []*worker.Server }

// StartRunner begins to take work.
func StartRunner(q *Queue, h Handler, c RunnerConfig, log *slog.Logger) (*Runner, error) {
	name := "kycd-" + rand.Text()
	r := &Runner{}
	for _, config := range []worker.Config{
		{
			Queue: task.QueueSession, Concurrency: c.Decisions,
			Handlers: map[task.Kind]worker.Handler{
				task.SessionDecide: logged(log, task.SessionDecide, h.DecideSession),
				task.SessionErase:  logged(log, task.SessionErase, h.EraseSession),
			},
		},
		{
			Queue: task.QueueWebhook, Concurrency: c.Deliveries,
			Handlers: map[task.Kind]worker.Handler{task.WebhookDeliver: logged(log, task.WebhookDeliver, h.DeliverWebhook)},
		},
	} {
		config.Redis, config.Name, config.StopWithin, config.Log = q.redis, name, c.StopWithin, log
		server, err := worker.Start(config)
		if err != nil {
			r.Stop()
			return nil, err
		}
		r.servers = append(r.servers, server)
	}
	return r, nil
}

// Stop takes nothing new and waits for what runs, at most for StopWithin.
func (r *Runner) Stop() {
	var wg sync.WaitGroup
	for _, server := range r.servers {
		wg.Go(server.Stop)
	}
	wg.Wait()
}

// logged makes a worker's handler of one that can fail. The log gets ids and codes; a cause may quote
// personal data, so it stays out.
func logged(log *slog.Logger, kind task.Kind, run func(context.Context, string) error) worker.Handler {
	return func(ctx context.Context, outboxID string) {
		began := time.Now()
		err := run(kyc.WithRequestID(ctx, task.RequestID(ctx)), outboxID)
		log := task.Log(ctx, log).With("kind", string(kind), "outbox_id", outboxID)
		switch {
		case err == nil:
			log.Debug("work done", "took", time.Since(began).Round(time.Millisecond))
		case !Settled(err):
			log.Warn("work failed", "code", string(kyc.AsError(err).Code))
		}
	}
}

// Settled reports whether an error says that there is nothing to do any more: the row is finished, or gone.
func Settled(err error) bool {
	var e *kyc.Error
	return errors.As(err, &e) && (e.Code == kyc.CodeConflict || e.Code.Kind() == kyc.KindNotFound)
}
