package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kycd/jobs/internal/redistest"
	"kycd/jobs/task"
	"kycd/kyc"
)

// A crash between commit and sending leaves rows that no queue knows.
func TestWhatWasNeverSentIsDone(t *testing.T) {
	eachQueue(t, database, func(t *testing.T, q *Queue) {
		rows := newOutbox(time.Hour) // not even due: the sweeper's start makes it so
		rows.add(task.SessionDecide, 250)
		startRunner(t, q, rows)
		startSweeper(t, q, rows)
		eventually(t, 10*time.Second, "all are done", func() bool { done, _, _ := rows.count(); return done == 250 })
		if _, calls, most := rows.count(); calls != 250 || most != 1 {
			t.Errorf("%d calls, up to %d effects", calls, most)
		}
	})
}

func TestWhatIsInGoodHandsIsNotSentAgain(t *testing.T) {
	t.Parallel()
	eachQueue(t, databaseHands, func(t *testing.T, q *Queue) {
		ctx := context.Background()
		rows := newOutbox(100 * time.Millisecond) // much shorter than the run
		rows.run = func(context.Context, string, int) error { time.Sleep(1500 * time.Millisecond); return nil }
		startSweeper(t, q, rows)
		startRunner(t, q, rows)
		q.Enqueue(ctx, rows.add(task.SessionDecide, 8)) // four run, four wait
		q.Enqueue(ctx, rows.add(task.VisionAnalyze, 2)) // nobody takes these
		eventually(t, 10*time.Second, "all are done", func() bool { done, _, _ := rows.count(); return done == 8 })
		if _, calls, _ := rows.count(); calls != 8 {
			t.Errorf("%d calls for 8 rows", calls)
		}
		if n := q.redis.LLen(ctx, task.PendingKey(task.QueueVision)).Val(); n != 2 {
			t.Errorf("%d tasks wait for two rows", n)
		}
	})
}

// Whatever happens to the queue, every row is done, and has one effect.
func TestAFlushedQueueConverges(t *testing.T) {
	eachQueue(t, database, func(t *testing.T, q *Queue) {
		ctx := context.Background()
		rows := newOutbox(300 * time.Millisecond)
		rows.run = func(context.Context, string, int) error { time.Sleep(5 * time.Millisecond); return nil }
		startRunner(t, q, rows)
		startSweeper(t, q, rows)
		for range 4 {
			q.Enqueue(ctx, rows.add(task.SessionDecide, 50))
			q.Enqueue(ctx, rows.add(task.WebhookDeliver, 50))
			time.Sleep(20 * time.Millisecond)
			if err := q.redis.FlushDB(ctx).Err(); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, 15*time.Second, "all are done", func() bool { done, _, _ := rows.count(); return done == 400 })
		if _, calls, most := rows.count(); most != 1 {
			t.Errorf("%d calls, up to %d effects", calls, most)
		}
	})
}

func TestAFailedRunComesAgain(t *testing.T) {
	q := openQueue(t, "")
	rows := newOutbox(100 * time.Millisecond)
	rows.run = func(_ context.Context, id string, call int) error {
		switch {
		case id == "row-0" && call < 3:
			return kyc.Internal(errors.New("the database is away"))
		case id == "row-1" && call < 3:
			panic("a bug")
		}
		return nil
	}
	startRunner(t, q, rows)
	startSweeper(t, q, rows)
	q.Enqueue(context.Background(), rows.add(task.SessionDecide, 2))
	eventually(t, 10*time.Second, "both are done", func() bool { done, _, _ := rows.count(); return done == 2 })
	if rows.row("row-0").calls != 3 || rows.row("row-1").calls != 3 {
		t.Errorf("%d and %d calls", rows.row("row-0").calls, rows.row("row-1").calls)
	}
}

// asynq v0.26 cannot repeat an acknowledgement that failed, and with its defaults runs the finished task
// again a minute and a half later. Here it must not; and should a task come twice by another way, the second
// run has no effect.
func TestALostAcknowledgementHasNoEffect(t *testing.T) {
	t.Parallel()
	eachQueue(t, databaseAck, func(t *testing.T, direct *Queue) {
		ctx := context.Background()
		proxy := redistest.NewProxy(t, direct.RedisURL())
		rows := newOutbox(time.Hour)
		rows.run = func(_ context.Context, _ string, call int) error {
			if call == 1 {
				proxy.Cut() // after the effect's transaction, before the acknowledgement
			}
			return nil
		}
		behind := openQueue(t, proxy.URL())
		runner := startRunner(t, behind, rows)
		direct.Enqueue(ctx, rows.add(task.SessionDecide, 1))
		eventually(t, 5*time.Second, "it is done", func() bool { done, _, _ := rows.count(); return done == 1 })
		time.Sleep(2500 * time.Millisecond) // longer than the client's own retries
		proxy.Heal()
		runner.Stop()

		active := direct.redis.LRange(ctx, "asynq:{session}:active", 0, -1).Val()
		if len(active) != 1 {
			t.Fatalf("active: %v: the acknowledgement was not lost, so this tests nothing", active)
		}
		// Let the minute and a half pass, and give the task to asynq's recovery, which looks when a server starts.
		direct.redis.ZAdd(ctx, "asynq:{session}:lease", redis.Z{Score: float64(time.Now().Add(-5 * time.Minute).Unix()), Member: active[0]})
		startRunner(t, behind, rows)
		eventually(t, 5*time.Second, "asynq gave it up", func() bool {
			return direct.redis.LLen(ctx, "asynq:{session}:active").Val() == 0
		})
		time.Sleep(time.Second)
		if _, calls, effects := rows.count(); calls != 1 || effects != 1 {
			t.Errorf("%d calls and %d effects", calls, effects)
		}
		// And a real second delivery.
		w := rows.row("row-0").Work
		w.Sent++
		direct.Enqueue(ctx, []kyc.Work{w})
		eventually(t, 5*time.Second, "it ran again", func() bool { _, calls, _ := rows.count(); return calls == 2 })
		if _, _, effects := rows.count(); effects != 1 {
			t.Errorf("%d effects", effects)
		}
	})
}

func TestTheSweeperEndsSessionsAndItself(t *testing.T) {
	q := openQueue(t, "")
	before := runtime.NumGoroutine()
	rows := newOutbox(time.Hour)
	s := startSweeper(t, q, rows)
	eventually(t, 5*time.Second, "sessions were looked at", func() bool {
		rows.mu.Lock()
		defer rows.mu.Unlock()
		return rows.expired >= 2
	})
	began := time.Now()
	s.Stop()
	s.Stop()
	if took := time.Since(began); took > time.Second {
		t.Errorf("stopping took %v", took)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

func TestAFailingSourceIsSurvived(t *testing.T) {
	q := openQueue(t, "")
	rows := &failing{outbox: newOutbox(50 * time.Millisecond), failures: 3}
	rows.add(task.SessionDecide, 5)
	startRunner(t, q, rows)
	startSweeper(t, q, rows)
	eventually(t, 5*time.Second, "all are done", func() bool { done, _, _ := rows.count(); return done == 5 })
}

// failing is a database that is away for the first looks. Only the sweeper calls it.
type failing struct {
	*outbox
	failures int
}

func (f *failing) DueWork(ctx context.Context, limit int) ([]kyc.Work, error) {
	if f.failures > 0 {
		f.failures--
		return nil, fmt.Errorf("away")
	}
	return f.outbox.DueWork(ctx, limit)
}
