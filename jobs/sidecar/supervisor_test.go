package sidecar

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test binary plays the sidecar, and for one test the server, when it is told to by this variable.
const envRole = "KYCD_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(envRole) {
	case "":
		os.Exit(m.Run())
	case "crash":
		fmt.Println("about to crash")
		os.Exit(3)
	case "obedient":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("obedient runs")
		<-stop
		fmt.Fprintln(os.Stderr, "obedient ends")
		os.Exit(0)
	case "deaf":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		fmt.Println("deaf runs")
		time.Sleep(time.Minute)
	case "parent": // a server that is killed
		c := config("obedient", slog.New(slog.NewTextHandler(os.Stderr, nil)), nil)
		s := Start(c)
		for s.State().PID == 0 {
			time.Sleep(time.Millisecond)
		}
		fmt.Println(s.State().PID)
		time.Sleep(time.Minute)
	}
}

func config(role string, log *slog.Logger, onExit func(string)) Config {
	return Config{
		Path: os.Args[0], Env: []string{envRole + "=" + role}, Log: log, OnExit: onExit,
		Timing: Timing{FirstPause: 20 * time.Millisecond, LastPause: 80 * time.Millisecond, Healthy: 10 * time.Second,
			Ready: 20 * time.Second, Grace: 5 * time.Second},
	}
}

func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// alive reports whether a process exists and is not a zombie.
func alive(pid int) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(status), ") ")
	return !strings.HasPrefix(after, "Z") && !strings.HasPrefix(after, "X")
}

func TestACrashingChildIsStartedAgainWithPauses(t *testing.T) {
	var mu sync.Mutex
	var names []string
	var ends []time.Time
	var log safeBuffer
	s := Start(config("crash", slog.New(slog.NewTextHandler(&log, nil)), func(worker string) {
		mu.Lock()
		defer mu.Unlock()
		names, ends = append(names, worker), append(ends, time.Now())
	}))
	eventually(t, 20*time.Second, "five crashes", func() bool { mu.Lock(); defer mu.Unlock(); return len(ends) >= 5 })
	if s.State().Restarts < 4 {
		t.Errorf("%d restarts after five ends", s.State().Restarts)
	}
	s.Stop()
	if state := s.State(); state.State != Stopped || state.PID != 0 {
		t.Errorf("state %+v", state)
	}
	for i, least := range []time.Duration{20, 40, 80, 80} { // ms
		if gap := ends[i+1].Sub(ends[i]); gap < least*time.Millisecond {
			t.Errorf("pause %d was %v, want %d ms at least", i, gap, least)
		}
	}
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) || names[0] == "" {
		t.Errorf("names of the children: %v", names)
	}
	if !strings.Contains(log.String(), `line="about to crash"`) || !strings.Contains(log.String(), "exit status 3") {
		t.Errorf("log: %s", log.String())
	}
}

func TestAKilledChildIsReplaced(t *testing.T) {
	exits := make(chan string, 8)
	s := Start(config("obedient", slog.New(slog.DiscardHandler), func(worker string) { exits <- worker }))
	defer s.Stop()
	first := running(t, s)
	if s.Report("somebody else", 1, nil, nil) {
		t.Error("the report of another worker was taken")
	}
	s.mu.Lock()
	name := s.worker
	s.mu.Unlock()
	if !s.Report(name, 2, map[string]string{"faces": "yunet"}, []string{"liveness"}) {
		t.Fatal("the child's report was refused")
	}
	state := s.State()
	if state.State != Ready || state.PID != first || state.Slots != 2 || state.Models["faces"] != "yunet" || !slices.Equal(state.Degraded, []string{"liveness"}) {
		t.Errorf("state %+v", state)
	}
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case exited := <-exits:
		if exited != name {
			t.Errorf("%s ended, want %s", exited, name)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("nobody was told")
	}
	eventually(t, 5*time.Second, "a new child", func() bool { pid := s.State().PID; return pid != 0 && pid != first })
	if state := s.State(); state.State != Starting || state.Restarts != 1 || state.Models != nil {
		t.Errorf("state %+v", state)
	}
	if s.Report(name, 1, nil, nil) {
		t.Error("a late report of the dead child was taken")
	}
}

func running(t *testing.T, s *Supervisor) int {
	t.Helper()
	eventually(t, 10*time.Second, "a child", func() bool { return s.State().PID != 0 })
	return s.State().PID
}

func TestStopEndsTheChild(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("that obeys", func(t *testing.T) {
		var log safeBuffer
		s := Start(config("obedient", slog.New(slog.NewTextHandler(&log, nil)), nil))
		pid := running(t, s)
		eventually(t, 10*time.Second, "it runs", func() bool { return strings.Contains(log.String(), "obedient runs") })
		s.Stop()
		if alive(pid) || !strings.Contains(log.String(), "obedient ends") {
			t.Errorf("alive %v, log %s", alive(pid), log.String())
		}
	})
	t.Run("that does not", func(t *testing.T) {
		var log safeBuffer
		c := config("deaf", slog.New(slog.NewTextHandler(&log, nil)), nil)
		c.Timing.Grace = 200 * time.Millisecond
		s := Start(c)
		pid := running(t, s)
		eventually(t, 10*time.Second, "it runs", func() bool { return strings.Contains(log.String(), "deaf runs") })
		began := time.Now()
		s.Stop()
		if took := time.Since(began); alive(pid) || took < 200*time.Millisecond || took > 4*time.Second {
			t.Errorf("alive %v after %v", alive(pid), took)
		}
	})
	t.Run("that is not there", func(t *testing.T) {
		c := config("", slog.New(slog.DiscardHandler), nil)
		c.Path = "/nonexistent/kycd-vision"
		s := Start(c)
		eventually(t, 5*time.Second, "it is tried again", func() bool { return s.State().Restarts >= 2 })
		s.Stop()
	})
	eventually(t, 3*time.Second, "goroutines are gone", func() bool { return runtime.NumGoroutine() <= before })
}

func TestAChildThatIsNeverReadyIsReplaced(t *testing.T) {
	c := config("deaf", slog.New(slog.DiscardHandler), nil)
	c.Timing.Ready, c.Timing.Grace = 150*time.Millisecond, 100*time.Millisecond
	s := Start(c)
	defer s.Stop()
	first := running(t, s)
	eventually(t, 5*time.Second, "it is replaced", func() bool { pid := s.State().PID; return pid != 0 && pid != first })
	if alive(first) {
		t.Error("the first one lives")
	}
}

// kill -9 of the server leaves no sidecar behind.
func TestTheChildEndsWithAKilledServer(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the kernel does this on Linux only; elsewhere the sidecar looks at its parent")
	}
	parent := exec.CommandContext(context.Background(), os.Args[0])
	parent.Env = []string{envRole + "=parent"}
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || !alive(child) {
		t.Fatalf("child %q: %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	eventually(t, 5*time.Second, "the child is gone", func() bool { return !alive(child) })
}

func TestLines(t *testing.T) {
	var log bytes.Buffer
	l := &lines{log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "line" {
			return a
		}
		return slog.Attr{}
	}}))}
	long := strings.Repeat("x", maxLine+500)
	for _, part := range []string{"one\ntw", "o\n\n\r\n", long + "\n", long, "rest\nlast"} {
		if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	l.flush()
	want := "line=one\nline=two\nline=" + long[:maxLine] + "\nline=" + long[:maxLine] + "\nline=last\n"
	if log.String() != want {
		t.Errorf("got %q", log.String())
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}
func (b *safeBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }
