package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// timeLimits is how long each kind of operation may take, said once more.
func TestTimeLimits(t *testing.T) {
	c, err := loadContract(contractYAML)
	if err != nil {
		t.Fatal(err)
	}
	for at, op := range c.operations {
		want := 30 * time.Second
		switch {
		case strings.HasSuffix(at.path, "/finalize"):
			want = 130 * time.Second
		case op.carriesImages():
			want = 120 * time.Second
		}
		if got, err := op.timeLimit(); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", op.id, got, err, want)
		}
	}
	for _, bad := range []any{0.0, -1.0, 1e9, "30", nil, true} {
		op := &operation{}
		op.route.Operation = c.operations[route{"GET", "/ping"}].route.Operation
		spec := *op.route.Operation
		spec.Extensions = map[string]any{"x-timeout-seconds": bad}
		op.route.Operation = &spec
		if got, err := op.timeLimit(); err == nil {
			t.Errorf("%v: got %v, want an error", bad, got)
		}
	}
}

// slowService reads a session until its context ends, and gives what the context ends with.
type slowService struct {
	*fake
	began chan struct{}
	ends  func(context.Context) error
}

func (s slowService) ReadSession(ctx context.Context, _ auth.Principal, _ kyc.SessionKind, _ string) (kyc.Session, error) {
	if s.began != nil {
		s.began <- struct{}{}
	}
	<-ctx.Done()
	return kyc.Session{}, s.ends(ctx)
}

// TestARequestThatTakesTooLong: whatever the rules make of the end of their time, the caller is told to come again.
func TestARequestThatTakesTooLong(t *testing.T) {
	for name, ends := range map[string]func(context.Context) error{
		"the context's error":  func(ctx context.Context) error { return ctx.Err() },
		"wrapped":              func(ctx context.Context) error { return kyc.Internal(fmt.Errorf("query: %w", ctx.Err())) },
		"something of its own": func(context.Context) error { return errors.New("interrupted (9)") },
	} {
		t.Run(name, func(t *testing.T) {
			a := newTestAPI(t, slowService{fake: plainService(), ends: ends}, wellProbe())
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			w := a.do(readSession().WithContext(ctx))
			if p := problemOf(t, w); w.Code != 503 || p.Code != "unavailable" || w.Header().Get("Retry-After") == "" {
				t.Errorf("status %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
			}
		})
		t.Run(name+", caller gone", func(t *testing.T) {
			a := newTestAPI(t, slowService{fake: plainService(), ends: ends}, wellProbe())
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(20*time.Millisecond, cancel)
			if w := a.do(readSession().WithContext(ctx)); w.Body.Len() > 0 || !strings.Contains(a.log.String(), `"status":499`) {
				t.Errorf("body %s, log %s", w.Body, a.log)
			}
		})
	}
}

// TestBoundEndsTheContext: what runs under a limit has its deadline.
func TestBoundEndsTheContext(t *testing.T) {
	s := &server{}
	var ended error
	h := s.bound(20 * time.Millisecond)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		ended = r.Context().Err()
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if !errors.Is(ended, context.DeadlineExceeded) {
		t.Errorf("got %v", ended)
	}
}

// slowConn is a connection that notes its deadlines and whose reads are given.
type slowConn struct {
	http.ResponseWriter
	deadlines []time.Time
}

func (c *slowConn) SetReadDeadline(at time.Time) error {
	c.deadlines = append(c.deadlines, at)
	return nil
}

// TestPace: the deadline moves with what has arrived, and never beyond the request's end.
func TestPace(t *testing.T) {
	began := time.Now()
	ends := began.Add(20 * time.Second)
	conn := &slowConn{ResponseWriter: httptest.NewRecorder()}
	body := &pacedBody{ReadCloser: io.NopCloser(bytes.NewReader(make([]byte, 20*paceBytes))), conn: http.NewResponseController(conn), ends: ends}
	if len(conn.deadlines) != 0 {
		t.Error("a deadline stood before the first read")
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{body}, make([]byte, 4<<10)); err != nil {
		t.Fatal(err)
	}
	got := conn.deadlines
	if len(got) != 21 {
		t.Fatalf("%d deadlines, want 21: one at the beginning and one for each piece", len(got))
	}
	for i, at := range got {
		want := patience + time.Duration(i+1)*time.Second
		if i+1 >= 10 {
			if !at.Equal(ends) {
				t.Errorf("deadline %d is %v after the start, want the request's end", i, at.Sub(began))
			}
			continue
		}
		if late := at.Sub(began) - want; late < 0 || late > 5*time.Second {
			t.Errorf("deadline %d is %v after the start, want %v", i, at.Sub(began), want)
		}
	}
}

// dial opens a connection to a server and sends what it is given.
func dial(t *testing.T, server *httptest.Server, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestSlowBodies: bodies that do not arrive are answered with 408, and do not hold the connection.
func TestSlowBodies(t *testing.T) {
	contentType, upload := form(t, map[string]string{"session_id": "s", "latitude": "1", "longitude": "1"}, []byte("picture"))
	for _, c := range []struct{ name, path, contentType, begin string }{
		{"JSON", "/v2/idv/session/read", mediaJSON, `{"session_id":`},
		{"form", "/oauth2/token", mediaForm, "grant_type="},
		{"upload", "/v2/idv/sdk/document/front/add", contentType, upload[:len(upload)-20]},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newTestAPI(t, &fake{}, wellProbe())
			// The server's own limit stands for the pace, which takes ten seconds.
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Body = &hasty{ReadCloser: r.Body, conn: http.NewResponseController(w)}
				a.ServeHTTP(w, r)
			}))
			server.Start()
			defer server.Close()
			conn := dial(t, server, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nX-Client-Id: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				c.path, testClient, c.contentType, len(c.begin)+100, c.begin))
			_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			answer, err := io.ReadAll(conn) // to the end of the connection
			if err != nil {
				t.Fatalf("%v after %s", err, answer)
			}
			want := `"code":"request_timeout"`
			if c.name == "form" {
				want = `"error":"invalid_request"`
			}
			if !bytes.HasPrefix(answer, []byte("HTTP/1.1 408 ")) || !bytes.Contains(answer, []byte(want)) {
				t.Errorf("got %s", answer)
			}
		})
	}
}

// hasty is a body whose connection has a tenth of a second for each read, whatever is set before.
type hasty struct {
	io.ReadCloser
	conn *http.ResponseController
}

func (h *hasty) Read(p []byte) (int, error) {
	_ = h.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	return h.ReadCloser.Read(p)
}

// TestALongAnswerOutlivesTheReadTimeout: the server's limit for reading must not end a request whose body is there.
func TestALongAnswerOutlivesTheReadTimeout(t *testing.T) {
	service := plainService()
	a := newTestAPI(t, waitingService{service, 600 * time.Millisecond}, wellProbe())
	server := httptest.NewUnstartedServer(a)
	server.Config.ReadTimeout = 200 * time.Millisecond
	server.Start()
	defer server.Close()
	r := jsonRequest(server.URL+"/v2/idv/session/read", `{"session_id":"x"}`)
	r.RequestURI = ""
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(answer.Body)
		t.Errorf("status %d: %s", answer.StatusCode, body)
	}
}

// waitingService takes its time, unless it is told to end.
type waitingService struct {
	*fake
	wait time.Duration
}

func (s waitingService) ReadSession(ctx context.Context, _ auth.Principal, _ kyc.SessionKind, id string) (kyc.Session, error) {
	select {
	case <-ctx.Done():
		return kyc.Session{}, ctx.Err()
	case <-time.After(s.wait):
		return kyc.Session{ID: id}, nil
	}
}

func TestLongURL(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	for _, c := range []struct {
		target string
		status int
	}{
		{"/ping?" + strings.Repeat("a", maxURL-6), 200},
		{"/ping?" + strings.Repeat("a", maxURL-5), 414},
		{"/" + strings.Repeat("a/", maxURL), 414},
	} {
		w := a.do(httptest.NewRequest(http.MethodGet, c.target, nil))
		if w.Code != c.status {
			t.Errorf("%d bytes: status %d, want %d", len(c.target), w.Code, c.status)
		}
		if c.status == 414 && problemOf(t, w).Code != "uri_too_long" {
			t.Errorf("body %s", w.Body)
		}
		if w.Header().Get("X-Request-Id") == "" {
			t.Error("there is no X-Request-Id")
		}
	}
}

// TestNestedBodiesAreCheap: a body of brackets alone is refused before anything follows it down.
func TestNestedBodiesAreCheap(t *testing.T) {
	a := newTestAPI(t, &fake{createSession: func(auth.Principal, kyc.SessionInput) (string, error) {
		t.Error("the rules were called")
		return "", nil
	}}, wellProbe())
	for name, body := range map[string]string{
		"array":    strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000),
		"metadata": `{"metadata":` + strings.Repeat(`{"a":`, 9_000) + "1" + strings.Repeat("}", 9_000) + "}",
		"open":     strings.Repeat("[", 60_000),
		"twice":    `{"metadata":{"a":1},"metadata":{"a":2}}`,
		"trailing": `{"metadata":{}} {}`,
	} {
		began := time.Now()
		w := a.do(jsonRequest("/v2/idv/session/create", body))
		if p := problemOf(t, w); w.Code != 400 || p.Code != "invalid_request" {
			t.Errorf("%s: status %d: %s", name, w.Code, w.Body)
		}
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("%s: took %v", name, took)
		}
	}
	// 100,000 brackets fit where images are taken.
	w := a.do(jsonRequest("/v2/idv/sdk/liveness/process", strings.Repeat("[", 100_000)))
	if p := problemOf(t, w); w.Code != 400 || p.Code != "invalid_request" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	var metadata map[string]any
	kept := newTestAPI(t, &fake{createSession: func(_ auth.Principal, in kyc.SessionInput) (string, error) {
		metadata = in.Metadata
		return "id", nil
	}}, wellProbe())
	fit := strings.Repeat(`{"a":`, maxDepth-2) + "1" + strings.Repeat("}", maxDepth-2)
	if w := kept.do(jsonRequest("/v2/idv/session/create", `{"metadata":{"a":`+fit+`}}`)); w.Code != 200 {
		t.Fatalf("the deepest that is taken: status %d: %s", w.Code, w.Body)
	}
	if got, err := json.Marshal(metadata["a"]); err != nil || string(got) != fit {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestHeaderBombs: headers beyond the limit never reach the API.
func TestHeaderBombs(t *testing.T) {
	reached := 0
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := Serve(listener, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }), slog.New(slog.DiscardHandler))
	defer web.Stop(Stopping{Finish: time.Second})
	for _, c := range []struct {
		size, status int
	}{{maxHeaders / 2, 200}, {maxHeaders + 8<<10, 431}} {
		r, err := http.NewRequest(http.MethodGet, "http://"+listener.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Long", strings.Repeat("x", c.size))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != c.status {
			t.Errorf("%d bytes: status %d, want %d", c.size, answer.StatusCode, c.status)
		}
	}
	if reached != 1 {
		t.Errorf("the API was reached %d times, want 1", reached)
	}
}
