package jobs

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kycd/jobs/internal/redistest"
	"kycd/jobs/task"
	"kycd/kyc"
)

func TestTheEmbeddedQueueIsForThisMachineAlone(t *testing.T) {
	ctx := context.Background()
	q := openQueue(t, "")
	u, err := url.Parse(q.RedisURL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	if !q.Embedded() || u.Hostname() != "127.0.0.1" || len(password) < 20 {
		t.Errorf("listens at %s with a password of %d characters", u.Host, len(password))
	}
	other := openQueue(t, "")
	if other.RedisURL() == q.RedisURL() {
		t.Error("two queues are one")
	}
	for name, user := range map[string]*url.Userinfo{"no": nil, "a wrong": url.UserPassword("", "guess")} {
		u.User = user
		if err := redistest.Client(t, u.String()).Set(ctx, "a", "b", 0).Err(); err == nil {
			t.Errorf("%s password was let in", name)
		}
	}
	// What is marked for a time must go when the time is over.
	client := redistest.Client(t, q.RedisURL())
	client.Set(ctx, "brief", "x", 50*time.Millisecond)
	eventually(t, 3*time.Second, "the key ran out", func() bool { return client.Exists(ctx, "brief").Val() == 0 })
}

func TestABadURLIsNotRepeated(t *testing.T) {
	for _, bad := range []string{"redis://:SECRET@host:port:port/0", "http://:SECRET@host/", "redis://:SECRET@127.0.0.1:1/0"} {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		_, err := Open(ctx, bad, quiet())
		cancel()
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSendingTwiceIsSendingOnce(t *testing.T) {
	eachQueue(t, database, func(t *testing.T, q *Queue) {
		ctx := context.Background()
		work := newOutbox(time.Minute).add(task.SessionDecide, 3)
		for range 3 {
			if err := q.send(ctx, work); err != nil {
				t.Fatal(err)
			}
		}
		if n := q.redis.LLen(ctx, task.PendingKey(task.QueueSession)).Val(); n != 3 {
			t.Errorf("%d tasks on the queue, want 3", n)
		}
	})
}

func TestABadRowDoesNotHoldUpTheOthers(t *testing.T) {
	q := openQueue(t, "")
	rows := newOutbox(100 * time.Millisecond)
	rows.add("vision", 1) // no kind of ours
	rows.add(task.SessionDecide, 5)
	startRunner(t, q, rows)
	startSweeper(t, q, rows)
	eventually(t, 5*time.Second, "the five are done", func() bool { done, _, _ := rows.count(); return done == 5 })
}

func TestLive(t *testing.T) {
	eachQueue(t, database, func(t *testing.T, q *Queue) {
		ctx := context.Background()
		w := kyc.Work{ID: "row", Kind: string(task.VisionAnalyze), Sent: 1}
		expect := func(when string, want bool) {
			t.Helper()
			if got, err := q.live(ctx, w); err != nil || got != want {
				t.Errorf("%s: live %v, %v", when, got, err)
			}
		}
		expect("never sent", false)
		if err := q.send(ctx, []kyc.Work{w}); err != nil {
			t.Fatal(err)
		}
		w.Sent = 7 // the number counts on while nothing is sent; the place is found all the same
		expect("waiting", true)

		record := task.RecordKey(task.QueueVision, "row:1")
		q.redis.HSet(ctx, record, task.StateField, "active")
		expect("taken, no mark", false)
		q.redis.Set(ctx, task.HoldKey("row:1"), "w1", task.HoldFor)
		expect("held", true)
		q.redis.Del(ctx, record)
		expect("held, and asynq forgot it", true)
		q.Bury("w2")
		expect("held, and somebody else died", true)
		q.Bury("w1")
		expect("held by a dead worker", false)
		q.redis.FlushDB(ctx)
		expect("after a flush", false)
	})
}

func TestAQueueThatIsAwayIsOnlyLogged(t *testing.T) {
	q := openQueue(t, "")
	q.redis.Close()
	q.redis = redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	var log safeBuffer
	q.log = textLog(&log)
	q.Enqueue(context.Background(), newOutbox(time.Minute).add(task.SessionDecide, 2))
	if !strings.Contains(log.String(), "rows=2") {
		t.Errorf("log: %s", log.String())
	}
}
