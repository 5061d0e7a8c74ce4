package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"kycd/jobs/internal/redistest"
	"kycd/jobs/task"
	"kycd/kyc"
	"kycd/vision"
)

// The databases of the real Redis: the slow tests run at the same time, each with its own.
const (
	database      = 6
	databaseHands = 8
	databaseAck   = 9
)

// outbox stands for the database: rows that are finished by compare-and-set, so that only the first finish of
// a row has an effect.
type outbox struct {
	lease time.Duration
	run   func(ctx context.Context, id string, call int) error // before the finish; may be nil

	mu      sync.Mutex
	rows    map[string]*row
	expired int
}

type row struct {
	kyc.Work
	next           time.Time
	done           bool
	calls, effects int
	waits          bool // for its next try, on purpose
}

func newOutbox(lease time.Duration) *outbox { return &outbox{lease: lease, rows: map[string]*row{}} }

// add writes n rows as a committed transaction would, and gives what is to be sent.
func (o *outbox) add(kind task.Kind, n int) []kyc.Work {
	o.mu.Lock()
	defer o.mu.Unlock()
	var work []kyc.Work
	for range n {
		w := kyc.Work{ID: fmt.Sprintf("row-%d", len(o.rows)), Kind: string(kind), Sent: 1}
		o.rows[w.ID] = &row{Work: w, next: time.Now().Add(o.lease)}
		work = append(work, w)
	}
	return work
}

func (o *outbox) DueWork(_ context.Context, limit int) ([]kyc.Work, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var due []kyc.Work
	for _, r := range o.rows {
		if len(due) < limit && !r.done && !r.next.After(time.Now()) {
			r.Sent++
			r.next, r.waits = time.Now().Add(o.lease), false
			due = append(due, r.Work)
		}
	}
	return due, nil
}

func (o *outbox) Postpone(_ context.Context, ids []string, until time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		o.rows[id].next = until
	}
	return nil
}

func (o *outbox) Redrive(_ context.Context, kind string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows {
		if !r.done && !r.waits && (kind == "" || kind == r.Kind) {
			r.next = time.Now()
		}
	}
	return nil
}

func (o *outbox) ExpireSessions(context.Context) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expired++
	return 1, nil
}

func (o *outbox) Housekeep(context.Context) error { return nil }

func (o *outbox) DecideSession(ctx context.Context, id string) error  { return o.do(ctx, id) }
func (o *outbox) EraseSession(ctx context.Context, id string) error   { return o.do(ctx, id) }
func (o *outbox) DeliverWebhook(ctx context.Context, id string) error { return o.do(ctx, id) }

func (o *outbox) do(ctx context.Context, id string) error {
	o.mu.Lock()
	r := o.rows[id]
	if r == nil {
		o.mu.Unlock()
		return kyc.Errorf(kyc.CodeNotFound, "no such work")
	}
	r.calls++
	call := r.calls
	o.mu.Unlock()
	if o.run != nil {
		if err := o.run(ctx, id, call); err != nil {
			return err
		}
	}
	o.finish(id)
	return nil
}

func (o *outbox) finish(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.rows[id]; !r.done {
		r.done = true
		r.effects++
	}
}

func (o *outbox) BeginAnalysis(_ context.Context, id string) (vision.Ask, []byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.rows[id]
	if r == nil || r.done {
		return vision.Ask{}, nil, kyc.Errorf(kyc.CodeConflict, "done")
	}
	r.calls++
	return vision.Ask{Faces: true}, fmt.Appendf(nil, "image, start %d", r.calls), nil
}

func (o *outbox) FinishAnalysis(_ context.Context, id string, _ vision.Analysis) error {
	o.finish(id)
	return nil
}

// count says how many rows are done, how many calls were made, and whether any row had more than one effect.
func (o *outbox) count() (done, calls, most int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows {
		if r.done {
			done++
		}
		calls += r.calls
		most = max(most, r.effects)
	}
	return done, calls, most
}

func (o *outbox) row(id string) row {
	o.mu.Lock()
	defer o.mu.Unlock()
	return *o.rows[id]
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// eachQueue runs a test on the queue inside the process and on a real Redis.
func eachQueue(t *testing.T, database int, test func(t *testing.T, q *Queue)) {
	t.Run("embedded", func(t *testing.T) { test(t, openQueue(t, "")) })
	t.Run("redis", func(t *testing.T) { test(t, openQueue(t, redistest.Real(t, database))) })
}

func openQueue(t testing.TB, url string) *Queue {
	t.Helper()
	q, err := Open(context.Background(), url, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q
}

func startRunner(t testing.TB, q *Queue, h Handler) *Runner {
	t.Helper()
	r, err := StartRunner(q, h, RunnerConfig{Decisions: 4, Deliveries: 4, StopWithin: 5 * time.Second}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r
}

func startSweeper(t testing.TB, q *Queue, source Source) *Sweeper {
	t.Helper()
	c := DefaultSweeperConfig()
	c.Every, c.LookAgain, c.ExpireEvery = 50*time.Millisecond, 200*time.Millisecond, 100*time.Millisecond
	s := StartSweeper(q, source, c, quiet())
	t.Cleanup(s.Stop)
	return s
}

func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}
