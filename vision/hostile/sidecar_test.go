package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"kycd/jobs/desk"
	"kycd/jobs/task"
	"kycd/vision"
	"kycd/vision/visiontest"
)

// sidecarPath gives the sidecar's program: in KYCD_BIN, or in bin of the repository.
func sidecarPath(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("KYCD_BIN")
	if dir == "" {
		dir = filepath.Join("..", "..", "bin")
	}
	path, err := filepath.Abs(filepath.Join(dir, "kycd-vision"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("needs programs: " + path)
		}
		t.Skip("needs programs: " + path + " (make build, or KYCD_BIN)")
	}
	return path
}

// counter is the server's side of the desk: it hands out mutations by number and takes what was measured.
type counter struct {
	whole    [][]byte
	results  tally
	finished chan struct{}

	mutex sync.Mutex
	seen  map[int]bool
}

// quiet is how long there may be no result before work is sent again.
const quiet = 30 * time.Second

var errNoSuchWork = errors.New("no such work")

func (c *counter) BeginAnalysis(_ context.Context, outboxID string) (vision.Ask, []byte, error) {
	number, err := strconv.Atoi(strings.TrimPrefix(outboxID, "m"))
	if err != nil {
		return vision.Ask{}, nil, errNoSuchWork
	}
	b, ask := mutation(c.whole, number)
	return ask, b, nil
}

func (c *counter) FinishAnalysis(_ context.Context, outboxID string, a vision.Analysis) error {
	number, err := strconv.Atoi(strings.TrimPrefix(outboxID, "m"))
	if err != nil {
		return errNoSuchWork
	}
	c.mutex.Lock()
	again := c.seen[number]
	c.seen[number] = true
	c.mutex.Unlock()
	if !again {
		c.results.take(number, a)
		c.finished <- struct{}{}
	}
	return nil
}

// The same damaged JPEGs through the sidecar as it is built: queue, desk and all. One process must live through all of
// them, answer each, and need no more memory at the end.
func TestMutationsThroughTheSidecar(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	program := sidecarPath(t)
	models := visiontest.Models(t, "dlib_face_recognition_resnet_model_v1.dat")
	n := mutations(t)
	c := &counter{whole: wholePictures(t), results: tally{outcomes: map[string]int{}}, finished: make(chan struct{}, n), seen: map[int]bool{}}

	const token = "the token of this test"
	ready := make(chan struct{})
	hello := sync.OnceFunc(func() { close(ready) })
	log := slog.New(slog.DiscardHandler)
	server, err := desk.Open(desk.Config{
		Token: token, Analyst: c, Settled: func(err error) bool { return errors.Is(err, errNoSuchWork) },
		OnHello: func(desk.Hello) { hello() }, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close(context.Background())
	store := miniredis.RunT(t)
	queue := redis.NewClient(&redis.Options{Addr: store.Addr()})
	defer queue.Close()

	said := &record{}
	child := exec.Command(program, "work")
	child.Env = append(os.Environ(), "KYCD_REDIS=redis://"+store.Addr(), "KYCD_DESK_URL="+server.URL(), "KYCD_DESK_TOKEN="+token,
		"KYCD_MODELS="+models, "KYCD_SLOTS=2", "KYCD_PARENT="+strconv.Itoa(os.Getpid()))
	child.Stdout, child.Stderr = said, said
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	stop := sync.OnceFunc(func() {
		_ = child.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		<-ended
	})
	defer stop()
	dead := func(err error) {
		ended <- err // for stop
		t.Fatalf("the sidecar ended after %d pictures: %v\n%s", c.results.count(), err, tail(said.String()))
	}
	select {
	case <-ready:
	case err := <-ended:
		dead(err)
	case <-time.After(hangs):
		t.Fatal("the sidecar does not say hello")
	}

	sender := asynq.NewClientFromRedisClient(queue)
	began := time.Now()
	send := func(number, sent int) {
		work, err := task.New(task.VisionAnalyze, task.Payload{OutboxID: fmt.Sprintf("m%d", number)}, sent)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sender.Enqueue(work); err != nil {
			t.Fatal(err)
		}
	}
	ring := func() {
		if err := queue.Publish(context.Background(), task.BellChannel(task.QueueVision), "").Err(); err != nil {
			t.Fatal(err)
		}
	}
	try := func(from, to int) {
		for number := from; number < to; number++ {
			send(number, 1)
		}
		ring()
		sent := 1
		for number := from; number < to; {
			select {
			case <-c.finished:
				number++
				progress(n, number, began)
			case err := <-ended:
				dead(err)
			case <-time.After(quiet):
				// On a busy machine a picture may have come too late; the server's sweeper sends such work again.
				missing := c.missing(to)
				if sent++; sent > 3 {
					t.Fatalf("no result three times; those without: %v\n%s", missing, tail(said.String()))
				}
				for _, number := range missing {
					send(number, sent)
				}
				ring()
			}
		}
	}
	try(0, n/5)
	early := resident(t, child.Process.Pid)
	try(n/5, n)
	late := resident(t, child.Process.Pid)
	t.Logf("%d mutations in %v", n, time.Since(began).Round(time.Millisecond))
	c.results.report(t)
	checkFlat(t, n, early, late)
	stop()
	if strings.Contains(said.String(), "panic") || strings.Contains(said.String(), "hangs") {
		t.Errorf("the sidecar says:\n%s", tail(said.String()))
	}
}

// missing lists the first numbers below to that have no result.
func (c *counter) missing(to int) (numbers []int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for number := range to {
		if !c.seen[number] && len(numbers) < 20 {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// record keeps what a program says. It is read while it is written.
type record struct {
	mutex sync.Mutex
	said  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.said.Write(p)
}

func (r *record) String() string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.said.String()
}

// tail is the end of what a program said.
func tail(s string) string { return s[max(0, len(s)-2000):] }
