// Package sidecar keeps the vision sidecar running as a child of the server. A hostile image may end the
// sidecar's process; then it is started again, after a pause that grows while it keeps dying.
package sidecar

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Config says what to run.
type Config struct {
	Path string   // the program
	Args []string // without the program's name
	Env  []string // KEY=value; the whole environment of the child, but for KYCD_WORKER and KYCD_PARENT
	Log  *slog.Logger

	// OnExit is called after each end of the child with the name it had; what it had in its hands is free.
	// It may be nil.
	OnExit func(worker string)

	Timing Timing
}

// Timing holds the pauses and patiences.
type Timing struct {
	FirstPause time.Duration // before the first restart; doubles with each
	LastPause  time.Duration // the longest pause
	Healthy    time.Duration // a child that lived this long starts the pauses anew
	Ready      time.Duration // a child that is not ready after this is ended
	Grace      time.Duration // between SIGTERM and SIGKILL
}

// DefaultTiming is what holds where nothing else is said.
func DefaultTiming() Timing {
	return Timing{
		FirstPause: 100 * time.Millisecond, LastPause: 5 * time.Second, Healthy: 30 * time.Second,
		Ready: 2 * time.Minute, Grace: 10 * time.Second,
	}
}

// The environment variables by which a child learns who it is.
const (
	EnvWorker = "KYCD_WORKER" // the name it marks its tasks with
	EnvParent = "KYCD_PARENT" // the process id of the server; the child ends when that is its parent no more
)

// Phase is what a supervisor is doing.
type Phase string

// The phases.
const (
	Starting Phase = "starting" // the child runs and has not said that it is ready
	Ready    Phase = "ready"
	Backoff  Phase = "backoff" // the child ended; there is a pause before the next
	Stopped  Phase = "stopped"
)

// State is what /health shows.
type State struct {
	State    Phase             `json:"state"`
	PID      int               `json:"pid,omitempty"`
	Restarts int               `json:"restarts"`
	Slots    int               `json:"slots,omitempty"`
	Models   map[string]string `json:"models"`
	Degraded []string          `json:"degraded"`
}

// Supervisor runs one child after another until it is stopped.
type Supervisor struct {
	config Config
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	state  State
	worker string        // the name of the child that runs
	ready  chan struct{} // closed when that child is ready
}

// Start starts the first child. That the program is missing shows as a child that keeps ending.
func Start(c Config) *Supervisor {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Supervisor{config: c, cancel: cancel, done: make(chan struct{}), state: State{State: Starting}}
	go func() {
		defer close(s.done)
		// Linux ends a child with the thread that started it, so the thread must not go before the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		s.run(ctx)
	}()
	return s
}

// Stop ends the child: it is asked to finish what it does, and killed if that takes longer than the grace.
func (s *Supervisor) Stop() {
	s.cancel()
	<-s.done
}

// State is a copy of the present state.
func (s *Supervisor) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.state
	state.Models, state.Degraded = maps.Clone(state.Models), slices.Clone(state.Degraded)
	return state
}

// Report takes what a child says of itself when it is ready. It reports false when the name is not that of
// the child that runs: another worker, or an earlier child.
func (s *Supervisor) Report(worker string, slots int, models map[string]string, degraded []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if worker == "" || worker != s.worker {
		return false
	}
	if s.state.State == Starting {
		close(s.ready)
		s.state.State = Ready
	}
	s.state.Slots, s.state.Models, s.state.Degraded = slots, maps.Clone(models), slices.Clone(degraded)
	return true
}

func (s *Supervisor) run(ctx context.Context) {
	pause := s.config.Timing.FirstPause
	for ctx.Err() == nil {
		began := time.Now()
		worker, err := s.child(ctx)
		if s.config.OnExit != nil {
			s.config.OnExit(worker)
		}
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) >= s.config.Timing.Healthy {
			pause = s.config.Timing.FirstPause
		}
		s.config.Log.Warn("the vision sidecar ended; it will be started again", "worker", worker, "reason", reason(err), "pause", pause)
		s.enter(Backoff)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, s.config.Timing.LastPause)
		s.mu.Lock()
		s.state.Restarts++
		s.mu.Unlock()
	}
	s.enter(Stopped)
}

// enter takes a phase in which no child runs.
func (s *Supervisor) enter(p Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worker, s.ready = "", nil
	s.state.State, s.state.PID, s.state.Slots, s.state.Models, s.state.Degraded = p, 0, 0, nil, nil
}

// child runs one child to its end.
func (s *Supervisor) child(ctx context.Context) (worker string, err error) {
	worker = "vision-" + rand.Text()
	ready := make(chan struct{})
	s.enter(Starting)
	s.mu.Lock()
	s.worker, s.ready = worker, ready // before it runs: it may be quick to say hello
	s.mu.Unlock()
	p, err := start(s.config, worker)
	if err != nil {
		return worker, err
	}
	s.mu.Lock()
	s.state.PID = p.pid()
	s.mu.Unlock()
	s.config.Log.Info("the vision sidecar was started", "worker", worker, "pid", p.pid())

	late := time.NewTimer(s.config.Timing.Ready)
	defer late.Stop()
	for {
		select {
		case <-p.ended:
			return worker, p.err
		case <-ready:
			ready = nil
			late.Stop()
			s.config.Log.Info("the vision sidecar is ready", "worker", worker)
		case <-late.C:
			p.kill()
			<-p.ended
			return worker, errNotReady
		case <-ctx.Done():
			p.terminate(s.config.Timing.Grace)
			return worker, nil
		}
	}
}

var errNotReady = errors.New("it was not ready in time")

func reason(err error) string {
	if err == nil {
		return "it ended by itself"
	}
	return err.Error() // exit status or signal, or why it could not be started
}
