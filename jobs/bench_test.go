package jobs

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"kycd/jobs/internal/redistest"
	"kycd/jobs/task"
)

// What a hand-over must reach, in both queues. The ratio is taken at p50 and at p95, and the worse one counts.
const (
	goalP95   = 10 * time.Millisecond
	goalRatio = 50
)

// BenchmarkHandOver measures the time from handing work to an idle queue until its handler runs: asynq as it
// comes, and as it is used here, in turn on the same server. It also measures what waiting costs. It runs once,
// however many iterations are asked for, and fails if a goal is missed:
//
//	go test -run '^$' -bench HandOver -benchtime 1x ./jobs
func BenchmarkHandOver(b *testing.B) {
	b.Run("embedded", func(b *testing.B) { benchmarkHandOver(b, openQueue(b, "")) })
	if os.Getenv("KYCD_TEST_REDIS") != "" {
		b.Run("redis", func(b *testing.B) { benchmarkHandOver(b, openQueue(b, redistest.Real(b, database))) })
	}
}

func benchmarkHandOver(b *testing.B, q *Queue) {
	const rounds = 5
	var plain, ours []time.Duration
	var idle time.Duration
	for range rounds {
		plain = append(plain, handOverPlain(b, q, 4)...)
		waits, cpu := handOverOurs(b, q, 40)
		ours = append(ours, waits...)
		idle = max(idle, cpu)
	}
	p50, p95 := quantile(ours, 0.5), quantile(ours, 0.95)
	plain50, plain95 := quantile(plain, 0.5), quantile(plain, 0.95)
	ratio := min(plain50.Seconds()/p50.Seconds(), plain95.Seconds()/p95.Seconds())
	fmt.Printf("hand-over, idle (%s): asynq defaults p50 %v p95 %v | kycd p50 %v p95 %v | ratio %.0f (goal %d) | p95 goal %v | idle CPU %.2f %%\n",
		b.Name(), round(plain50), round(plain95), round(p50), round(p95), ratio, goalRatio, goalP95, 100*idle.Seconds()/idleFor.Seconds())
	b.ReportMetric(float64(p95.Microseconds())/1000, "p95-ms")
	b.ReportMetric(ratio, "ratio")
	if p95 > goalP95 || ratio < goalRatio {
		b.Errorf("a goal was missed")
	}
}

// handOverPlain is asynq with its defaults.
func handOverPlain(b *testing.B, q *Queue, n int) []time.Duration {
	taken := make(chan time.Time, 1)
	server := asynq.NewServerFromRedisClient(q.redis, asynq.Config{Concurrency: 4, LogLevel: asynq.FatalLevel})
	err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { taken <- time.Now(); return nil }))
	if err != nil {
		b.Fatal(err)
	}
	defer server.Shutdown()
	return handOver(n, taken, func() {
		if _, err := q.asynq.Enqueue(asynq.NewTask("bench:plain", nil)); err != nil {
			b.Fatal(err)
		}
	})
}

// idleFor is how long the cost of waiting is measured.
const idleFor = 2 * time.Second

func handOverOurs(b *testing.B, q *Queue, n int) (waits []time.Duration, idle time.Duration) {
	taken := make(chan time.Time, 1)
	rows := newOutbox(time.Hour)
	rows.run = func(context.Context, string, int) error { taken <- time.Now(); return nil }
	runner := startRunner(b, q, rows)
	defer runner.Stop()
	// A number of its own for every round: what was sent once is not sent again.
	sent := int(time.Now().UnixNano() % 1_000_000_000)
	waits = handOver(n, taken, func() {
		work := rows.add(task.SessionDecide, 1)
		work[0].Sent = sent
		q.Enqueue(context.Background(), work)
	})
	before := cpuTime(b)
	time.Sleep(idleFor)
	return waits, cpuTime(b) - before
}

// handOver hands work over n times, each after a pause of another length, so that no poll is met on purpose.
func handOver(n int, taken <-chan time.Time, send func()) []time.Duration {
	time.Sleep(200 * time.Millisecond)
	var waits []time.Duration
	for i := range n {
		time.Sleep(time.Duration(20+(i*37)%50) * time.Millisecond)
		began := time.Now()
		send()
		waits = append(waits, (<-taken).Sub(began))
	}
	return waits
}

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func quantile(waits []time.Duration, q float64) time.Duration {
	slices.Sort(waits)
	return waits[int(q*float64(len(waits)-1))]
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
