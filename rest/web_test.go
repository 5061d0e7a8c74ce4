package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// serve starts the API over a service on a port of its own.
func serve(t *testing.T, service Service) (web *Web, url string, log *bytes.Buffer) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := newTestAPI(t, service, wellProbe())
	return Serve(listener, a, slog.New(slog.DiscardHandler)), "http://" + listener.Addr().String(), a.log
}

// answered is the answer to a request that was sent in the background.
type answered struct {
	status int
	body   string
	header http.Header
	err    error
}

func sendSessionRead(url string) <-chan answered {
	done := make(chan answered, 1)
	go func() {
		r := jsonRequest(url+"/v2/idv/session/read", `{"session_id":"x"}`)
		r.RequestURI = ""
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Do(r)
		if err != nil {
			done <- answered{err: err}
			return
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		done <- answered{answer.StatusCode, string(body), answer.Header, err}
	}()
	return done
}

// TestStopLetsRequestsFinish: what is under way when the server stops is answered.
func TestStopLetsRequestsFinish(t *testing.T) {
	began := make(chan struct{}, 1)
	release := make(chan struct{})
	service := slowService{fake: plainService(), began: began, ends: func(context.Context) error { return nil }}
	web, url, _ := serve(t, releasedService{service, release})
	answer := sendSessionRead(url)
	<-began
	stopped := make(chan error, 1)
	go func() { stopped <- web.Stop(Stopping{Finish: 10 * time.Second}) }()
	for { // until nothing new is taken
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			break
		}
		conn.Close()
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped (%v) with a request under way", err)
	default:
	}
	close(release)
	if got := <-answer; got.err != nil || got.status != http.StatusOK {
		t.Errorf("got %+v", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// releasedService begins like another one, and ends when it is told to.
type releasedService struct {
	slowService
	release chan struct{}
}

func (s releasedService) ReadSession(ctx context.Context, _ auth.Principal, _ kyc.SessionKind, id string) (kyc.Session, error) {
	s.began <- struct{}{}
	select {
	case <-s.release:
		return kyc.Session{ID: id}, nil
	case <-ctx.Done():
		return kyc.Session{}, ctx.Err()
	}
}

// TestStopEndsLongRequests: what would take longer than a stop may is told to end, and its caller to come again.
func TestStopEndsLongRequests(t *testing.T) {
	began := make(chan struct{}, 1)
	service := slowService{fake: plainService(), began: began, ends: func(ctx context.Context) error { return kyc.Internal(ctx.Err()) }}
	web, url, log := serve(t, service)
	answer := sendSessionRead(url)
	<-began
	start := time.Now()
	if err := web.Stop(Stopping{Finish: 100 * time.Millisecond}); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took < 100*time.Millisecond || took > cutWithin {
		t.Errorf("stopping took %v", took)
	}
	got := <-answer
	if got.err != nil || got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, `"code":"unavailable"`) {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(log.String(), `"level":"ERROR"`) {
		t.Errorf("log %s", log)
	}
}

// TestStopGivesUpOnDeafRequests: not even a request that hears nothing keeps the server from stopping.
func TestStopGivesUpOnDeafRequests(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	began, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	web := Serve(listener, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(began); <-release }), slog.New(slog.DiscardHandler))
	go http.Get("http://" + listener.Addr().String())
	<-began
	start := time.Now()
	if err := web.Stop(Stopping{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took < cutWithin || took > 2*cutWithin {
		t.Errorf("stopping took %v, want %v", took, cutWithin)
	}
}

// TestStopDrains: for a while a stopping server answers as before, its probes say that it is about to go, and then it
// takes nothing more.
func TestStopDrains(t *testing.T) {
	var stopping atomic.Bool
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	api := New(Options{Service: plainService(), Probe: stoppingProbe{wellProbe(), &stopping}})
	web := Serve(listener, api, slog.New(slog.DiscardHandler))
	url := "http://" + listener.Addr().String()
	ready := func() int {
		answer, err := http.Get(url + "/ready")
		if err != nil {
			return 0
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	if got := ready(); got != http.StatusOK {
		t.Fatalf("/ready: %d before the stop", got)
	}
	stopping.Store(true)
	stopped := make(chan error, 1)
	go func() { stopped <- web.Stop(Stopping{Drain: 300 * time.Millisecond, Finish: time.Second}) }()
	if got := ready(); got != http.StatusServiceUnavailable {
		t.Errorf("/ready: %d while stopping, want 503", got)
	}
	if got := <-sendSessionRead(url); got.status != http.StatusOK {
		t.Errorf("a request while stopping: %+v", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if got := ready(); got != 0 {
		t.Errorf("/ready: %d after the stop, want no answer", got)
	}
}

// stoppingProbe is a probe of a server that may be stopping.
type stoppingProbe struct {
	probe
	stopping *atomic.Bool
}

func (p stoppingProbe) Ready(ctx context.Context) Readiness {
	ready := p.probe.Ready(ctx)
	ready.Ready = !p.stopping.Load()
	return ready
}

// TestServeFails: the loss of the listener is told.
func TestServeFails(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := Serve(listener, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	listener.Close()
	select {
	case err := <-web.Failed():
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(5 * time.Second):
		t.Error("nobody was told")
	}
}
