// Package jobs carries work from the database to whoever does it and looks after it until it is done.
//
// The database is the truth: a row of the outbox says what must be done. The queue (asynq on Redis) only
// carries the row's id, may lose it, and may deliver it twice. The Queue sends, the Runner does the server's
// own kinds, and the Sweeper sends again what came to nothing.
package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"kycd/jobs/task"
	"kycd/kyc"
)

// enqueueTimeout bounds the sending of one batch after a commit; the sweeper sends what it cut off.
const enqueueTimeout = 2 * time.Second

// Queue puts work on the queue.
type Queue struct {
	url      string
	embedded *miniredis.Miniredis // nil with a Redis of its own
	redis    *redis.Client
	asynq    *asynq.Client
	log      *slog.Logger

	mu     sync.Mutex
	buried map[string]time.Time // workers known to be dead, and when that was learnt
}

// Open connects to Redis. An empty URL starts a Redis-compatible server inside this process, on a free
// loopback port with a random password; what lies on it is lost with the process.
func Open(ctx context.Context, redisURL string, log *slog.Logger) (*Queue, error) {
	q := &Queue{url: redisURL, log: log, buried: map[string]time.Time{}}
	if redisURL == "" {
		if err := q.embed(); err != nil {
			return nil, fmt.Errorf("in-process queue: %w", err)
		}
	}
	options, err := redis.ParseURL(q.url)
	if err != nil {
		q.stopEmbedded()
		return nil, errors.New("the queue's URL is not a redis:// or rediss:// URL") // the cause quotes it, password and all
	}
	options.ContextTimeoutEnabled = true
	q.redis = redis.NewClient(options)
	q.asynq = asynq.NewClientFromRedisClient(q.redis)
	if err := q.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("queue: %w", err), q.Close())
	}
	return q, nil
}

func (q *Queue) embed() error {
	password := rand.Text()
	server := miniredis.NewMiniRedis()
	server.RequireAuth(password)
	server.ClockTTL(true) // else nothing would ever run out
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return err
	}
	q.embedded = server
	q.url = (&url.URL{Scheme: "redis", User: url.UserPassword("", password), Host: server.Addr(), Path: "/0"}).String()
	return nil
}

func (q *Queue) stopEmbedded() {
	if q.embedded != nil {
		q.embedded.Close()
	}
}

// RedisURL is what another process needs to take part. It holds the password.
func (q *Queue) RedisURL() string { return q.url }

// Embedded reports whether the queue lives in this process.
func (q *Queue) Embedded() bool { return q.embedded != nil }

// Ping asks whether Redis answers.
func (q *Queue) Ping(ctx context.Context) error { return q.redis.Ping(ctx).Err() }

// Close ends the connections and the in-process server, if there is one. Stop Runner and Sweeper first.
func (q *Queue) Close() error {
	err := q.redis.Close()
	q.stopEmbedded()
	return err
}

// Enqueue sends work after its transaction was committed. It is a kyc.Notifier: a failure is logged and
// left to the sweeper.
func (q *Queue) Enqueue(ctx context.Context, work []kyc.Work) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout) // the caller's request may be over
	defer cancel()
	if err := q.send(ctx, work); err != nil {
		q.log.Warn("work was not put on the queue; the sweeper will", "rows", len(work), "error", err)
	}
}

// send puts work on the queue and rings the bells. What already lies there under the same number counts as
// sent. It tries every row and joins the errors.
func (q *Queue) send(ctx context.Context, work []kyc.Work) error {
	if len(work) == 0 {
		return nil
	}
	_, err := q.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, w := range work {
			p.Set(ctx, task.PlaceKey(w.ID), task.ID(w.ID, w.Sent), task.PlaceFor)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	bells := map[task.Queue]bool{}
	for _, w := range work {
		t, err := task.New(task.Kind(w.Kind), task.Payload{OutboxID: w.ID, RequestID: w.RequestID}, w.Sent)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		_, err = q.asynq.EnqueueContext(ctx, t)
		if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) && !errors.Is(err, asynq.ErrDuplicateTask) {
			errs = append(errs, err)
			continue
		}
		queue, _ := task.Kind(w.Kind).Queue()
		bells[queue] = true
	}
	for queue := range bells {
		if err := q.redis.Publish(ctx, task.BellChannel(queue), "").Err(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// live reports whether the task that was sent last for a row still waits on the queue or is in the hands of
// a worker that lives.
func (q *Queue) live(ctx context.Context, w kyc.Work) (bool, error) {
	queue, ok := task.Kind(w.Kind).Queue()
	if !ok {
		return false, nil // send refuses it by name, and the rows beside it are served
	}
	taskID, err := q.redis.Get(ctx, task.PlaceKey(w.ID)).Result()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var holder, state *redis.StringCmd
	_, err = q.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		holder = p.Get(ctx, task.HoldKey(taskID))
		state = p.HGet(ctx, task.RecordKey(queue, taskID), task.StateField)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return false, err
	}
	if holder.Err() == nil && !q.isBuried(holder.Val()) {
		return true, nil
	}
	return state.Err() == nil && state.Val() == task.StatePending, nil
}

// Bury tells the queue that a worker process is known to be dead: its marks count no more.
func (q *Queue) Bury(worker string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for name, at := range q.buried {
		if time.Since(at) > task.HoldFor { // its marks have run out
			delete(q.buried, name)
		}
	}
	q.buried[worker] = time.Now()
}

func (q *Queue) isBuried(worker string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, dead := q.buried[worker]
	return dead
}
