package worker

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"kycd/jobs/internal/redistest"
	"kycd/jobs/task"
)

const database = 7 // of the real Redis

func enqueue(t testing.TB, client redis.UniversalClient, kind task.Kind, id string, sent int) {
	t.Helper()
	made, err := task.New(kind, task.Payload{OutboxID: id}, sent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := asynq.NewClientFromRedisClient(client).Enqueue(made); err != nil {
		t.Fatal(err)
	}
	queue, _ := kind.Queue()
	if err := client.Publish(context.Background(), task.BellChannel(queue), "").Err(); err != nil {
		t.Fatal(err)
	}
}

func config(client redis.UniversalClient, handle Handler) Config {
	return Config{
		Redis: client, Queue: task.QueueVision, Concurrency: 2, Name: "w1", StopWithin: 5 * time.Second,
		Handlers: map[task.Kind]Handler{task.VisionAnalyze: handle}, Log: slog.New(slog.DiscardHandler),
	}
}

func begin(t testing.TB, c Config) *Server {
	t.Helper()
	s, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

func TestNewWorkIsTakenAtOnce(t *testing.T) {
	redistest.Each(t, database, func(t *testing.T, url string) {
		client := redistest.Client(t, url)
		taken := make(chan time.Time, 1)
		begin(t, config(client, func(context.Context, string) { taken <- time.Now() }))
		time.Sleep(300 * time.Millisecond) // idle

		var waits []time.Duration
		for i := range 30 {
			time.Sleep(20 * time.Millisecond)
			sent := time.Now()
			enqueue(t, client, task.VisionAnalyze, fmt.Sprint("row", i), 1)
			select {
			case at := <-taken:
				waits = append(waits, at.Sub(sent))
			case <-time.After(5 * time.Second):
				t.Fatal("never taken")
			}
		}
		slices.Sort(waits)
		t.Logf("p50 %v, worst %v", waits[15], waits[29])
		if waits[24] > 100*time.Millisecond { // asynq alone: 750 ms on average
			t.Errorf("hand-over took %v", waits[24])
		}
	})
}

// A ring may be lost with its connection; the work is taken all the same.
func TestWorkIsTakenWithoutARing(t *testing.T) {
	redistest.Each(t, database, func(t *testing.T, url string) {
		client := redistest.Client(t, url)
		taken := make(chan struct{})
		begin(t, config(client, func(context.Context, string) { close(taken) }))
		time.Sleep(100 * time.Millisecond)
		made, err := task.New(task.VisionAnalyze, task.Payload{OutboxID: "quiet"}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := asynq.NewClientFromRedisClient(client).Enqueue(made); err != nil {
			t.Fatal(err)
		}
		select {
		case <-taken:
		case <-time.After(3 * lookEvery):
			t.Fatal("work without a ring was never taken")
		}
	})
}

// An idle worker must not ask Redis all the time.
func TestIdleWorkerIsQuiet(t *testing.T) {
	client := redistest.Client(t, redistest.Embedded(t))
	var asked atomic.Int64
	client.AddHook(countHook{&asked})
	begin(t, config(client, func(context.Context, string) {}))
	time.Sleep(500 * time.Millisecond)
	asked.Store(0)
	time.Sleep(3 * time.Second)
	if n := asked.Load(); n < 1 || n > 8 {
		t.Errorf("%d questions in three idle seconds", n)
	}
}

type countHook struct{ asked *atomic.Int64 }

func (h countHook) DialHook(next redis.DialHook) redis.DialHook { return next }
func (h countHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := cmd.Args(); len(args) > 3 && strings.HasPrefix(cmd.Name(), "eval") && args[3] == task.PendingKey(task.QueueVision) {
			h.asked.Add(1)
		}
		return next(ctx, cmd)
	}
}
func (h countHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestConcurrencyIsKept(t *testing.T) {
	client := redistest.Client(t, redistest.Embedded(t))
	var now, most, done atomic.Int64
	begin(t, config(client, func(context.Context, string) {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(20 * time.Millisecond)
		now.Add(-1)
		done.Add(1)
	}))
	for i := range 20 {
		enqueue(t, client, task.VisionAnalyze, fmt.Sprint("row", i), 1)
	}
	eventually(t, 10*time.Second, "all done", func() bool { return done.Load() == 20 })
	if most.Load() != 2 {
		t.Errorf("%d at the same time, want 2", most.Load())
	}
}

// asynq's own mux would give "session:decide" to a handler of "session", and this one must not.
func TestAKindIsMatchedWhole(t *testing.T) {
	var got []string
	record := func(name string) Handler {
		return func(_ context.Context, id string) { got = append(got, name+" "+id) }
	}
	m := newMux(Config{
		Redis: redistest.Client(t, redistest.Embedded(t)), Log: slog.New(slog.DiscardHandler),
		Handlers: map[task.Kind]Handler{
			task.VisionAnalyze: record("vision:analyze"), task.SessionDecide: record("session:decide"),
			task.WebhookDeliver: record("webhook:deliver"), "session": record("session"), "webhook:del": record("webhook:del"),
		},
	})
	body := []byte(`{"outbox_id":"a"}`)
	for _, name := range []string{
		"vision:analyze", "session:decide", "webhook:deliver", // each to its own
		"vision:analyze2", "session:decided", "webhook:deliver:x", "vision", "vision:", "webhook:", "session:", "", // none
	} {
		if err := m.ProcessTask(context.Background(), asynq.NewTask(name, body)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	want := []string{"vision:analyze a", "session:decide a", "webhook:deliver a"}
	if !slices.Equal(got, want) {
		t.Errorf("handled %v, want %v", got, want)
	}
}

func TestAPanicEndsNothing(t *testing.T) {
	client := redistest.Client(t, redistest.Embedded(t))
	var log safeBuffer
	done := make(chan struct{})
	c := config(client, func(_ context.Context, id string) {
		if id == "bad" {
			panic("SECRET-NAME of a person")
		}
		close(done)
	})
	c.Concurrency = 1
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	begin(t, c)
	enqueue(t, client, task.VisionAnalyze, "bad", 1)
	enqueue(t, client, task.VisionAnalyze, "good", 1)
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("the worker stopped working")
	}
	if text := log.String(); !strings.Contains(text, "outbox_id=bad") || strings.Contains(text, "SECRET-NAME") {
		t.Errorf("log: %s", text)
	}
	// Nothing stays: neither in the archive nor as a lock on the task's id.
	eventually(t, 5*time.Second, "nothing left on the queue", func() bool {
		return len(client.Keys(context.Background(), "asynq:{vision}:t:*").Val()) == 0 &&
			client.ZCard(context.Background(), "asynq:{vision}:archived").Val() == 0
	})
}

func TestStopWaitsForWhatRuns(t *testing.T) {
	redistest.Each(t, database, func(t *testing.T, url string) {
		client := redistest.Client(t, url)
		began, finished := make(chan struct{}), make(chan struct{})
		s, err := Start(config(client, func(context.Context, string) {
			close(began)
			time.Sleep(300 * time.Millisecond)
			close(finished)
		}))
		if err != nil {
			t.Fatal(err)
		}
		enqueue(t, client, task.VisionAnalyze, "row", 1)
		<-began
		s.Stop()
		select {
		case <-finished:
		default:
			t.Error("Stop returned before the run ended")
		}
		if left := client.Keys(context.Background(), "kycd:*").Val(); len(left) != 0 {
			t.Errorf("marks left behind: %v", left)
		}
	})
}

func TestAnIdleWorkerStopsAtOnceAndLeavesNothing(t *testing.T) {
	redistest.Each(t, database, func(t *testing.T, url string) {
		client := redistest.Client(t, url)
		client.Ping(context.Background())
		before := runtime.NumGoroutine()
		s, err := Start(config(client, func(context.Context, string) {}))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond) // waiting at the bell by now
		began := time.Now()
		s.Stop()
		if took := time.Since(began); took > 500*time.Millisecond {
			t.Errorf("stopping took %v", took)
		}
		// Connections of miniredis live in this process too, each with a goroutine, and end with the client.
		_ = client.Close()
		eventually(t, 3*time.Second, "goroutines are gone", func() bool { return runtime.NumGoroutine() <= before })
	})
}

func TestAHeldTaskIsMarkedWhileItRuns(t *testing.T) {
	redistest.Each(t, database, func(t *testing.T, url string) {
		ctx := context.Background()
		client := redistest.Client(t, url)
		release := make(chan struct{})
		begin(t, config(client, func(context.Context, string) { <-release }))
		enqueue(t, client, task.VisionAnalyze, "row", 4)
		eventually(t, 3*time.Second, "marked", func() bool { return client.Get(ctx, task.HoldKey("row:4")).Val() == "w1" })
		if place := client.Get(ctx, task.PlaceKey("row")).Val(); place != "row:4" {
			t.Errorf("place: %q", place)
		}
		if ttl := client.PTTL(ctx, task.HoldKey("row:4")).Val(); ttl <= 0 || ttl > task.HoldFor {
			t.Errorf("the mark lives %v", ttl)
		}
		// The mark is renewed, and comes again even when Redis lost everything.
		client.FlushDB(ctx)
		eventually(t, 3*time.Second, "marked again", func() bool { return client.Get(ctx, task.HoldKey("row:4")).Val() == "w1" })
		close(release)
		eventually(t, 3*time.Second, "unmarked", func() bool { return client.Exists(ctx, task.HoldKey("row:4")).Val() == 0 })
	})
}

func TestStartRefusesAWrongQueue(t *testing.T) {
	client := redistest.Client(t, redistest.Embedded(t))
	c := config(client, func(context.Context, string) {})
	c.Queue = task.QueueSession
	if _, err := Start(c); err == nil {
		t.Error("a handler of another queue was taken")
	}
	c = config(client, func(context.Context, string) {})
	c.Concurrency = 0
	if _, err := Start(c); err == nil {
		t.Error("a worker that can run nothing was started")
	}
}

type safeBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
