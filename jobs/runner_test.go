package jobs

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kycd/jobs/task"
	"kycd/kyc"
)

func TestEachKindReachesItsMethod(t *testing.T) {
	eachQueue(t, database, func(t *testing.T, q *Queue) {
		var h recorder
		startRunner(t, q, &h)
		q.Enqueue(context.Background(), []kyc.Work{
			{ID: "s", Kind: string(task.SessionDecide), Sent: 1},
			{ID: "w", Kind: string(task.WebhookDeliver), Sent: 1},
			{ID: "e", Kind: string(task.SessionErase), Sent: 1},
			{ID: "v", Kind: string(task.VisionAnalyze), Sent: 1}, // the sidecar's
		})
		eventually(t, 5*time.Second, "all three are done", func() bool { return len(h.got()) == 3 })
		time.Sleep(100 * time.Millisecond)
		got := h.got()
		slices.Sort(got)
		if !slices.Equal(got, []string{"decide s", "deliver w", "erase e"}) {
			t.Errorf("got %v", got)
		}
	})
}

type recorder struct {
	mu    sync.Mutex
	calls []string
}

func (r *recorder) add(call string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
	return nil
}
func (r *recorder) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.calls...)
}
func (r *recorder) EraseSession(_ context.Context, id string) error   { return r.add("erase " + id) }
func (r *recorder) DecideSession(_ context.Context, id string) error  { return r.add("decide " + id) }
func (r *recorder) DeliverWebhook(_ context.Context, id string) error { return r.add("deliver " + id) }

// A hanging endpoint must not hold a decision back.
func TestHangingDeliveriesLeaveDecisionsAlone(t *testing.T) {
	q := openQueue(t, "")
	release := make(chan struct{})
	rows := newOutbox(time.Minute)
	rows.run = func(_ context.Context, id string, _ int) error {
		if rows.row(id).Kind == string(task.WebhookDeliver) {
			<-release
		}
		return nil
	}
	startRunner(t, q, rows)
	defer close(release)
	q.Enqueue(context.Background(), rows.add(task.WebhookDeliver, 20))
	time.Sleep(100 * time.Millisecond)
	q.Enqueue(context.Background(), rows.add(task.SessionDecide, 3))
	eventually(t, 2*time.Second, "the decisions are done", func() bool { done, _, _ := rows.count(); return done == 3 })
}

func TestTheLogOfAFailureHoldsIDsAndCodesOnly(t *testing.T) {
	var log safeBuffer
	run := func(err error) {
		logged(textLog(&log), task.SessionDecide, func(context.Context, string) error { return err })(context.Background(), "row")
	}
	run(nil)
	run(kyc.Errorf(kyc.CodeConflict, "done before"))
	run(kyc.Errorf(kyc.CodeNotFound, "gone"))
	if log.String() != "" {
		t.Errorf("what is settled was logged: %s", log.String())
	}
	run(kyc.Internal(errors.New("SECRET-NAME")))
	run(errors.New("SECRET-NAME"))
	if text := log.String(); strings.Contains(text, "SECRET") || strings.Count(text, "outbox_id=row code=internal") != 2 {
		t.Errorf("log: %s", text)
	}
}

func TestSettled(t *testing.T) {
	for code, want := range map[kyc.Code]bool{
		kyc.CodeConflict: true, kyc.CodeNotFound: true, kyc.CodeErased: true,
		kyc.CodeInternal: false, kyc.CodeUnavailable: false, kyc.CodeInvalid: false,
	} {
		if got := Settled(kyc.Errorf(code, "x")); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
	if Settled(nil) || Settled(errors.New("conflict")) {
		t.Error("an unknown error is settled")
	}
}

func textLog(b *safeBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
