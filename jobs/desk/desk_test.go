package desk

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kycd/vision"
)

const token = "a-token-of-the-tests"

var errSettled = errors.New("settled")

// fakeAnalyst has one piece of work, "row".
type fakeAnalyst struct {
	mu       sync.Mutex
	begun    []string
	finished map[string]vision.Analysis
	err      error
}

func (f *fakeAnalyst) BeginAnalysis(_ context.Context, id string) (vision.Ask, []byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = append(f.begun, id)
	if f.err != nil {
		return vision.Ask{}, nil, f.err
	}
	if id != "row" {
		return vision.Ask{}, nil, errSettled
	}
	return vision.Ask{Faces: true, MRZ: true}, []byte("\xff\xd8image\x00bytes"), nil
}

func (f *fakeAnalyst) FinishAnalysis(_ context.Context, id string, a vision.Analysis) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	if id != "row" {
		return errSettled
	}
	f.finished[id] = a
	return nil
}

func open(t *testing.T, addr string, analyst Analyst, onHello func(Hello), log *slog.Logger) *Server {
	t.Helper()
	s, err := Open(Config{
		Addr: addr, Token: token, Analyst: analyst, OnHello: onHello, Log: log,
		Settled: func(err error) bool { return errors.Is(err, errSettled) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func client(t *testing.T, url, token string, patience time.Duration) *Client {
	t.Helper()
	c, err := NewClient(url, token, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestWorkGoesOutAndComesBack(t *testing.T) {
	ctx := context.Background()
	analyst := &fakeAnalyst{finished: map[string]vision.Analysis{}}
	var greeted []Hello
	s := open(t, "", analyst, func(h Hello) { greeted = append(greeted, h) }, quiet())
	c := client(t, s.URL(), token, 5*time.Second)

	hello := Hello{Worker: "w", PID: 7, Slots: 2, Models: map[string]string{"faces": "yunet-1"}, Degraded: []string{"liveness"}}
	if err := c.Hello(ctx, hello); err != nil {
		t.Fatal(err)
	}
	if len(greeted) != 1 || !reflect.DeepEqual(greeted[0], hello) {
		t.Errorf("greeted by %+v", greeted)
	}
	ask, image, err := c.Begin(ctx, "row")
	if err != nil || ask != (vision.Ask{Faces: true, MRZ: true}) || string(image) != "\xff\xd8image\x00bytes" {
		t.Errorf("began with %+v, %q, %v", ask, image, err)
	}
	measured := vision.Analysis{Width: 3, Height: 4, Hints: []vision.Hint{vision.HintBlurred},
		Faces: []vision.Face{{Encoding: []float32{0.25, -1}}}}
	if err := c.Finish(ctx, "row", measured); err != nil {
		t.Fatal(err)
	}
	if got := analyst.finished["row"]; !reflect.DeepEqual(got, measured) {
		t.Errorf("handed in %+v", got)
	}
	// What is finished or unknown is nothing to do.
	if _, _, err := c.Begin(ctx, "other"); !errors.Is(err, ErrNothingToDo) {
		t.Errorf("begin: %v", err)
	}
	if err := c.Finish(ctx, "other", measured); !errors.Is(err, ErrNothingToDo) {
		t.Errorf("finish: %v", err)
	}
	if _, _, err := c.Begin(ctx, "../row"); !errors.Is(err, ErrNothingToDo) {
		t.Errorf("a bad id: %v", err)
	}
}

func TestNothingWithoutTheToken(t *testing.T) {
	analyst := &fakeAnalyst{finished: map[string]vision.Analysis{}}
	s := open(t, "", analyst, nil, quiet())
	routes := []string{"/desk/hello", "/desk/row/begin", "/desk/row/finish", "/desk/", "/", "/nothing"}
	headers := map[string]string{
		"none": "", "wrong": "Bearer not-the-token-of-tests", "prefix": "Bearer a-token-of-the-test", "longer": "Bearer " + token + "x",
		"other scheme": "Basic " + token, "bare": token, "empty": "Bearer ",
	}
	for name, header := range headers {
		for _, route := range routes {
			r := httptest.NewRequest(http.MethodPost, route, strings.NewReader("{}"))
			if header != "" {
				r.Header.Set("Authorization", header)
			}
			w := httptest.NewRecorder()
			s.handler().ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized {
				t.Errorf("%s token on %s: status %d", name, route, w.Code)
			}
		}
	}
	if len(analyst.begun) != 0 || len(analyst.finished) != 0 {
		t.Error("the analyst was asked")
	}
	if _, _, err := client(t, s.URL(), "not-the-token-of-tests", 5*time.Second).Begin(context.Background(), "row"); !errors.Is(err, ErrRefused) {
		t.Errorf("the client says %v", err)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	analyst := &fakeAnalyst{finished: map[string]vision.Analysis{}}
	s := open(t, "", analyst, nil, quiet())
	big := `{"text":"` + strings.Repeat("a", maxAnalysis) + `"}`
	cases := []struct {
		name, method, route, body string
		status                    int
	}{
		{"not JSON", "POST", "/desk/row/finish", "{", 400},
		{"no body", "POST", "/desk/row/finish", "", 400},
		{"another type", "POST", "/desk/row/finish", "[]", 400},
		{"too long", "POST", "/desk/row/finish", big, 413},
		{"hello too long", "POST", "/desk/hello", big, 413},
		{"hello not JSON", "POST", "/desk/hello", "x", 400},
		{"GET", "GET", "/desk/row/begin", "", 405},
		{"an impossible id", "POST", "/desk/a%3Ab/begin", "", 404},
		{"an unknown route", "POST", "/desk/row/undo", "", 404},
	}
	for _, c := range cases {
		r := httptest.NewRequest(c.method, c.route, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		s.handler().ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: status %d, want %d", c.name, w.Code, c.status)
		}
	}
	if len(analyst.begun) != 0 || len(analyst.finished) != 0 {
		t.Error("the analyst was asked")
	}
}

// A cause may quote what it was about: it reaches neither the worker nor the log.
func TestACauseStaysInside(t *testing.T) {
	var log bytes.Buffer
	s := open(t, "", &fakeAnalyst{err: errors.New("SECRET-NAME not found")}, nil, slog.New(slog.NewTextHandler(&log, nil)))
	for _, route := range []string{"/desk/row/begin", "/desk/row/finish"} {
		r := httptest.NewRequest(http.MethodPost, route, strings.NewReader("{}"))
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		s.handler().ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "SECRET") {
			t.Errorf("%s: %d %s", route, w.Code, w.Body)
		}
	}
	if strings.Contains(log.String(), "SECRET") || !strings.Contains(log.String(), "outbox_id=row") {
		t.Errorf("log: %s", log.String())
	}
}

// The server may restart while a worker has an image in hand.
func TestTheClientWaitsForARestart(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	analyst := &fakeAnalyst{finished: map[string]vision.Analysis{}}
	opened := make(chan *Server, 1)
	time.AfterFunc(300*time.Millisecond, func() { opened <- open(t, addr, analyst, nil, quiet()) })
	if err := client(t, "http://"+addr, token, 10*time.Second).Finish(context.Background(), "row", vision.Analysis{Width: 9}); err != nil {
		t.Fatal(err)
	}
	<-opened
	if analyst.finished["row"].Width != 9 {
		t.Error("the result was lost")
	}
}

func TestTheClientsPatienceEnds(t *testing.T) {
	var tries atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(s.Close)
	began := time.Now()
	err := client(t, s.URL, token, 400*time.Millisecond).Hello(context.Background(), Hello{})
	if took := time.Since(began); !errors.Is(err, ErrUnavailable) || took < 300*time.Millisecond || took > 3*time.Second || tries.Load() < 3 {
		t.Errorf("%v after %v and %d tries", err, took, tries.Load())
	}
}

// Neither the token nor an image follows a redirect.
func TestTheClientIsNotLedElsewhere(t *testing.T) {
	var asked atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Store(true) }))
	t.Cleanup(elsewhere.Close)
	s := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(s.Close)
	err := client(t, s.URL, token, time.Second).Finish(context.Background(), "row", vision.Analysis{})
	if !errors.Is(err, ErrRefused) || asked.Load() {
		t.Errorf("%v, elsewhere asked: %v", err, asked.Load())
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := Open(Config{Token: "short", Log: quiet()}); err == nil {
		t.Error("a short token was taken")
	}
	for _, url := range []string{"", "127.0.0.1:80", "ftp://host/", "http://", "redis://h"} {
		if _, err := NewClient(url, token, time.Second); err == nil {
			t.Errorf("the URL %q was taken", url)
		}
	}
	if _, err := NewClient("http://127.0.0.1:1", "short", time.Second); err == nil {
		t.Error("a short token was taken")
	}
}
