package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"kycd/jobs/task"
	"kycd/kyc"
)

// Source is the outbox as the sweeper sees it.
type Source interface {
	// DueWork takes up to limit unfinished rows whose time has come. In the same transaction it counts them
	// as sent once more and makes them due again after a while, so that several sweepers never take one row.
	// Work.Sent is the number after counting.
	DueWork(ctx context.Context, limit int) ([]kyc.Work, error)
	// Postpone sets when unfinished rows are due again.
	Postpone(ctx context.Context, ids []string, until time.Time) error
	// Redrive makes unfinished work of a kind due at once, except what waits for its next try on purpose.
	// An empty kind means all of them.
	Redrive(ctx context.Context, kind string) error
	// ExpireSessions ends the sessions that ran out of time and says how many.
	ExpireSessions(ctx context.Context) (int, error)
	// Housekeep removes what is kept no longer, and renews what grows old.
	Housekeep(ctx context.Context) error
}

// SweeperConfig says how often the sweeper looks.
type SweeperConfig struct {
	Every       time.Duration    // between two looks for due work
	ExpireEvery time.Duration    // between two looks for sessions that ran out of time
	LookAgain   time.Duration    // until a row that is still in good hands is looked at again
	Batch       int              // rows at once
	Now         func() time.Time // the clock
}

// DefaultSweeperConfig is what holds where nothing else is said.
func DefaultSweeperConfig() SweeperConfig {
	return SweeperConfig{
		Every: 500 * time.Millisecond, ExpireEvery: 10 * time.Second, LookAgain: 2 * time.Second,
		Batch: 100, Now: time.Now,
	}
}

// Sweeper sends what is due: what was never sent because of a crash, what the queue lost, what a dead worker
// had, and what waits for its next try. Any number of servers may each run one.
type Sweeper struct {
	queue  *Queue
	source Source
	config SweeperConfig
	log    *slog.Logger

	kick   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

// StartSweeper makes everything due that was under way when the servers stopped, and then looks every so often.
func StartSweeper(q *Queue, source Source, c SweeperConfig, log *slog.Logger) *Sweeper {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sweeper{queue: q, source: source, config: c, log: log,
		kick: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	var running sync.WaitGroup
	running.Go(func() { s.run(ctx) })
	running.Go(func() { s.tidy(ctx) })
	go func() {
		defer close(s.done)
		running.Wait()
	}()
	return s
}

// Stop ends the sweeper and waits for the look that is under way.
func (s *Sweeper) Stop() {
	s.cancel()
	<-s.done
}

// WorkerDied makes the work of a kind due at once, after a worker's process is known to have ended. What
// other workers have in their hands is left to them.
func (s *Sweeper) WorkerDied(ctx context.Context, kind task.Kind, worker string) {
	s.queue.Bury(worker)
	s.redrive(ctx, string(kind))
	s.Kick()
}

// Kick lets the sweeper look now.
func (s *Sweeper) Kick() {
	select {
	case s.kick <- struct{}{}:
	default: // it will
	}
}

func (s *Sweeper) run(ctx context.Context) {
	s.redrive(ctx, "")
	look := time.NewTicker(s.config.Every)
	defer look.Stop()
	for {
		s.report(ctx, "sweep", s.sweep(ctx))
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		case <-s.kick:
		}
	}
}

// tidy ends what ran out of time and keeps house, at once and then every so often: what a crash left is not kept longer
// than it must. It is apart from the sweep, because whoever is asked there may be slow to answer.
func (s *Sweeper) tidy(ctx context.Context) {
	every := time.NewTicker(s.config.ExpireEvery)
	defer every.Stop()
	for {
		n, err := s.source.ExpireSessions(ctx)
		s.report(ctx, "expiry of sessions", err)
		if n > 0 {
			s.log.Info("sessions expired", "sessions", n)
		}
		s.report(ctx, "housekeeping", s.source.Housekeep(ctx))
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (s *Sweeper) redrive(ctx context.Context, kind string) {
	s.report(ctx, "redrive", s.source.Redrive(ctx, kind))
}

// sweep sends all that is due and not in good hands. On an error the rows that were taken come again by
// themselves when their lease ends.
func (s *Sweeper) sweep(ctx context.Context) error {
	for {
		due, err := s.source.DueWork(ctx, s.config.Batch)
		if err != nil || len(due) == 0 {
			return err
		}
		var lost []kyc.Work
		var kept []string
		for _, w := range due {
			live, err := s.queue.live(ctx, w)
			if err != nil {
				return err
			}
			if live {
				kept = append(kept, w.ID)
			} else {
				lost = append(lost, w)
			}
		}
		err = s.queue.send(ctx, lost)
		if len(kept) > 0 {
			err = errors.Join(err, s.source.Postpone(ctx, kept, s.config.Now().Add(s.config.LookAgain)))
		}
		if err != nil || len(due) < s.config.Batch {
			return err
		}
	}
}

// report logs a failure of the sweeper itself; it goes on with the next look.
func (s *Sweeper) report(ctx context.Context, what string, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	var known *kyc.Error
	if errors.As(err, &known) {
		s.log.Error(what+" failed", "code", string(known.Code))
		return
	}
	s.log.Error(what+" failed", "error", err) // of the queue: it holds no data
}
