package jobs

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kycd/jobs/desk"
	"kycd/jobs/sidecar"
	"kycd/jobs/task"
	"kycd/jobs/worker"
	"kycd/vision"
)

const (
	envWorker = "KYCD_TEST_VISION" // makes the test binary play a vision worker
	deskToken = "a-token-of-the-tests"
)

func TestMain(m *testing.M) {
	if os.Getenv(envWorker) == "" {
		os.Exit(m.Run())
	}
	if err := playWorker(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// firstHangs never comes back from an image that is begun for the first time.
type firstHangs struct{}

func (firstHangs) Analyze(ctx context.Context, image []byte, _ vision.Ask) vision.Analysis {
	if bytes.Equal(image, []byte("image, start 1")) {
		<-ctx.Done()
	}
	return vision.Analysis{Width: 1, Height: 1}
}

// playWorker is what kycd-vision does, without a C library.
func playWorker() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	options, err := redis.ParseURL(os.Getenv("KYCD_REDIS"))
	if err != nil {
		return err
	}
	client, err := desk.NewClient(os.Getenv("KYCD_DESK_URL"), deskToken, 5*time.Second)
	if err != nil {
		return err
	}
	clerk := desk.NewWorker(client, firstHangs{}, log)
	name := os.Getenv(sidecar.EnvWorker)
	server, err := worker.Start(worker.Config{
		Redis: redis.NewClient(options), Queue: task.QueueVision, Concurrency: 4, Name: name, StopWithin: time.Second,
		Handlers: map[task.Kind]worker.Handler{task.VisionAnalyze: clerk.Do}, Log: log,
	})
	if err != nil {
		return err
	}
	if err := client.Hello(ctx, desk.Hello{Worker: name, PID: os.Getpid(), Slots: 4}); err != nil {
		return err
	}
	<-ctx.Done()
	server.Stop()
	return nil
}

func openDesk(t *testing.T, rows *outbox, onHello func(desk.Hello)) string {
	t.Helper()
	d, err := desk.Open(desk.Config{Token: deskToken, Analyst: rows, Settled: Settled, OnHello: onHello, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = d.Close(ctx)
	})
	return d.URL()
}

func workerEnv(q *Queue, deskURL string) []string {
	return []string{envWorker + "=1", "KYCD_REDIS=" + q.RedisURL(), "KYCD_DESK_URL=" + deskURL}
}

// A sidecar that is killed in the middle of an image is replaced, and the image is measured after all.
func TestAKilledSidecarsWorkIsTakenUpAtOnce(t *testing.T) {
	q := openQueue(t, "")
	rows := newOutbox(time.Hour) // nothing comes due by itself
	sweeper := startSweeper(t, q, rows)
	hellos := make(chan desk.Hello, 8)
	url := openDesk(t, rows, func(h desk.Hello) { hellos <- h })
	child := sidecar.Start(sidecar.Config{
		Path: os.Args[0], Env: workerEnv(q, url), Log: quiet(), Timing: sidecar.DefaultTiming(),
		OnExit: func(worker string) { sweeper.WorkerDied(context.Background(), task.VisionAnalyze, worker) },
	})
	t.Cleanup(child.Stop)
	hello := <-hellos
	if !child.Report(hello.Worker, hello.Slots, hello.Models, hello.Degraded) || child.State().State != sidecar.Ready || child.State().PID != hello.PID {
		t.Errorf("%+v said hello to %+v", hello, child.State())
	}
	q.Enqueue(context.Background(), rows.add(task.VisionAnalyze, 4))
	eventually(t, 5*time.Second, "all four are begun", func() bool { _, calls, _ := rows.count(); return calls == 4 })

	killed := time.Now()
	if err := syscall.Kill(hello.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "all four are done", func() bool { done, _, _ := rows.count(); return done == 4 })
	t.Logf("done %v after the kill", time.Since(killed).Round(time.Millisecond))
	if _, calls, most := rows.count(); calls != 8 || most != 1 {
		t.Errorf("%d starts and up to %d effects, want 8 and 1", calls, most)
	}
}

// A worker on another machine dies without anybody being told, and asynq's own lease is lost as well, with
// which asynq never finds the task again.
func TestALostWorkersWorkIsTakenUpWithinTenSeconds(t *testing.T) {
	t.Parallel()
	q := openQueue(t, "")
	rows := newOutbox(8 * time.Second)
	url := openDesk(t, rows, nil)
	sweeper := StartSweeper(q, rows, DefaultSweeperConfig(), quiet())
	t.Cleanup(sweeper.Stop)
	remote := func(name string) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(workerEnv(q, url), sidecar.EnvWorker+"="+name)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd
	}
	first := remote("first")
	time.Sleep(200 * time.Millisecond) // the sweeper's first look is over: nothing of what follows is due before its lease
	q.Enqueue(context.Background(), rows.add(task.VisionAnalyze, 2))
	eventually(t, 10*time.Second, "both are begun", func() bool { _, calls, _ := rows.count(); return calls == 2 })
	remote("second")
	killed := time.Now()
	_ = first.Process.Kill()
	q.redis.Del(context.Background(), "asynq:{vision}:lease")
	eventually(t, 10*time.Second, "both are done", func() bool { done, _, _ := rows.count(); return done == 2 })
	t.Logf("done %v after the kill", time.Since(killed).Round(time.Millisecond))
}

// Nothing runs on when everything was stopped.
func TestEverythingStops(t *testing.T) {
	before := runtime.NumGoroutine()
	q, err := Open(context.Background(), "", quiet())
	if err != nil {
		t.Fatal(err)
	}
	rows := newOutbox(time.Minute)
	runner, err := StartRunner(q, rows, DefaultRunnerConfig(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	sweeper := StartSweeper(q, rows, DefaultSweeperConfig(), quiet())
	q.Enqueue(context.Background(), rows.add(task.SessionDecide, 10))
	eventually(t, 5*time.Second, "all are done", func() bool { done, _, _ := rows.count(); return done == 10 })
	began := time.Now()
	runner.Stop()
	sweeper.Stop()
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("stopping took %v", took)
	}
	defer func() {
		if t.Failed() {
			stacks := make([]byte, 1<<16)
			t.Log(strings.TrimSpace(string(stacks[:runtime.Stack(stacks, true)])))
		}
	}()
	eventually(t, 3*time.Second, "goroutines are gone", func() bool { return runtime.NumGoroutine() <= before })
}
