package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Goals of a server as a whole.
const (
	decisionGoal = time.Second     // p95
	startGoal    = 3 * time.Second // the slowest
)

// measureDecision: verifications one after the other, from the last upload to the decision.
func measureDecision(ctx context.Context, o speedOptions) ([]finding, error) {
	cmd := exec.CommandContext(ctx, o.server, "demo", "--json", "--models", o.models, "--runs", fmt.Sprint(o.runs))
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	failed := cmd.Run()
	var report struct {
		Latency *struct {
			Runs int     `json:"runs"`
			P50  float64 `json:"p50_ms"`
			P95  float64 `json:"p95_ms"`
		} `json:"latency"`
	}
	// Which verification must come out how is the demo's own matter; here only the latency counts.
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		return nil, fmt.Errorf("kycd demo: %w: %s", errors.Join(failed, err), lastLine(said.String()))
	}
	if report.Latency == nil || report.Latency.Runs < o.runs {
		return nil, errors.New("kycd demo did not verify the person, see make demo")
	}
	p50, p95 := fromMillis(report.Latency.P50), fromMillis(report.Latency.P95)
	return []finding{{
		What: fmt.Sprintf("last upload → decision, one verification at a time; p50 / p95 of %d", report.Latency.Runs),
		Ours: millis(p50) + " / " + millis(p95), Goal: "p95 ≤ 1 s", Met: p95 <= decisionGoal,
	}}, nil
}

func fromMillis(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// measureStart: from starting the process to the first 200 of /ready. The first start of a data folder, which
// makes the database and the key, is the baseline.
func measureStart(ctx context.Context, o speedOptions) ([]finding, error) {
	folder, err := os.MkdirTemp(o.folder, "kycd-eval")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	models, err := filepath.Abs(o.models)
	if err != nil {
		return nil, err
	}
	first, err := startOnce(ctx, o.server, folder, models)
	if err != nil {
		return nil, err
	}
	var warm []time.Duration
	for range o.starts {
		took, err := startOnce(ctx, o.server, folder, models)
		if err != nil {
			return nil, err
		}
		warm = append(warm, took)
	}
	median, slowest := quantile(warm, 0.5), slices.Max(warm)
	return []finding{{
		What:     fmt.Sprintf("warm start of kycd serve → ready; median / slowest of %d (the first start of a data folder)", o.starts),
		Baseline: millis(first), Ours: millis(median) + " / " + millis(slowest), Ratio: times(first.Seconds() / slowest.Seconds()),
		Goal: "≤ 3 s", Met: slowest <= startGoal,
	}}, nil
}

// How long is waited for a server before it counts as broken.
const (
	startWithin = 2 * time.Minute
	stopWithin  = 30 * time.Second
)

// startOnce starts the server, waits until it is ready, and ends it.
func startOnce(ctx context.Context, program, data, models string) (took time.Duration, err error) {
	addr, err := freeAddress()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(program, "serve", "--addr", addr, "--data", data, "--models", models, "--log-level", "warn")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is passed on by ctx
	var said bytes.Buffer
	cmd.Stderr = &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // a server that was told to stop says nothing new by its exit status
	}()
	took, err = awaitReady(ctx, "http://"+addr+"/ready", began, ended)
	if err != nil {
		err = fmt.Errorf("%w: %s", err, lastLine(said.String()))
	}
	if signalErr := cmd.Process.Signal(os.Interrupt); errors.Is(signalErr, os.ErrProcessDone) {
		return took, err
	}
	select {
	case <-ended:
	case <-time.After(stopWithin):
		_ = cmd.Process.Kill()
		err = errors.Join(err, errors.New("the server does not stop"))
	}
	return took, err
}

func awaitReady(ctx context.Context, url string, began time.Time, ended <-chan struct{}) (time.Duration, error) {
	client := http.Client{Timeout: time.Second}
	for time.Since(began) < startWithin {
		if answer, err := client.Get(url); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return time.Since(began), nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-ended:
			return 0, errors.New("the server ended instead of getting ready")
		case <-time.After(5 * time.Millisecond):
		}
	}
	return 0, errors.New("the server does not get ready")
}

// freeAddress is a port of the loopback interface that nobody uses. It is not one of those that the system gives to callers: who calls a
// port before anybody listens there may be given that very port, and then occupies it by calling itself.
func freeAddress() (string, error) {
	var last error
	for range 100 {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.IntN(12_000))))
		if err == nil {
			return listener.Addr().String(), listener.Close()
		}
		last = err
	}
	return "", last
}

// quantile is the value below or at which a share q of all lies.
func quantile(all []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
}
