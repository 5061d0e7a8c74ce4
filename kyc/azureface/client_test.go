package azureface

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kycd/kyc/azureface/simulator"
)

// What passes by itself within the time is not noticed; what does not is an error that says when to come again.
func TestRetries(t *testing.T) {
	second := time.Second
	for name, tt := range map[string]struct {
		fault simulator.Fault
		want  Code // empty: it succeeds
		after time.Duration
		slept []time.Duration
	}{
		"throttled twice":        {simulator.Fault{Kind: simulator.Throttle, Calls: 2, RetryAfter: 1}, "", 0, []time.Duration{second, second}},
		"no word of when":        {simulator.Fault{Kind: simulator.Throttle, Calls: 3}, "", 0, []time.Duration{second / 2, second, 2 * second}},
		"unavailable once":       {simulator.Fault{Kind: simulator.Answer, Status: 503, RetryAfter: 4}, "", 0, []time.Duration{4 * second}},
		"throttled for ever":     {simulator.Fault{Kind: simulator.Throttle, Calls: 4, RetryAfter: 1}, ErrThrottled, second, []time.Duration{second, second, 2 * second}},
		"longer than a call":     {simulator.Fault{Kind: simulator.Throttle, Calls: 1, RetryAfter: 60}, ErrThrottled, time.Minute, nil},
		"longer than an hour":    {simulator.Fault{Kind: simulator.Answer, Status: 503, RetryAfter: 90000}, ErrUnavailable, time.Hour, nil},
		"time is up in between":  {simulator.Fault{Kind: simulator.Throttle, Calls: 3, RetryAfter: 8}, ErrThrottled, 8 * second, []time.Duration{8 * second}},
		"broken":                 {simulator.Fault{Kind: simulator.Answer, Status: 500}, ErrUnavailable, 0, nil},
		"a gateway":              {simulator.Fault{Kind: simulator.Answer, Status: 502, RetryAfter: 3}, ErrUnavailable, 3 * second, nil},
		"not approved":           {simulator.Fault{Kind: simulator.Answer, Status: 403, Code: "UnsupportedFeature"}, ErrForbidden, 0, nil},
		"too large":              {simulator.Fault{Kind: simulator.Answer, Status: 413}, ErrBadRequest, 0, nil},
		"it took too long there": {simulator.Fault{Kind: simulator.Answer, Status: 408}, ErrTimeout, 0, nil},
		"gone":                   {simulator.Fault{Kind: simulator.Answer, Status: 410}, ErrNotFound, 0, nil},
		"hung up":                {simulator.Fault{Kind: simulator.Drop}, ErrUnreachable, 0, nil},
		"hung up in the middle":  {simulator.Fault{Kind: simulator.Cut}, ErrUnreachable, 0, nil},
		"a login page":           {simulator.Fault{Kind: simulator.Garbage}, ErrMalformedAnswer, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if err := h.sim.Fault(tt.fault); err != nil {
				t.Fatal(err)
			}
			session, err := h.Create(t.Context(), passive(picture()))
			if !slices.Equal(h.clock.slept, tt.slept) {
				t.Errorf("slept %v, want %v", h.clock.slept, tt.slept)
			}
			if tt.want == "" {
				if err != nil || session.AuthToken == "" {
					t.Errorf("%v, %v", session, err)
				}
				return
			}
			failed := asError(t, err)
			if failed.Code != tt.want || failed.RetryAfter != tt.after || session != (Session{}) {
				t.Errorf("%+v", failed)
			}
			if tt.fault.Status != 0 && failed.Status != tt.fault.Status || tt.fault.Code != "" && failed.Reason != tt.fault.Code {
				t.Errorf("%+v of %+v", failed, tt.fault)
			}
		})
	}
}

// misbehave answers requests with raw bytes and holds the connection open until the test ends.
func misbehave(t *testing.T, answer func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { connection.Close() })
			go func() {
				for reader := bufio.NewReader(connection); ; {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					io.Copy(io.Discard, request.Body)
					answer(connection)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// Whatever the other side does, a call ends in time, and with a code.
func TestMisbehaving(t *testing.T) {
	write := func(text string) func(net.Conn) {
		return func(connection net.Conn) { io.WriteString(connection, text) }
	}
	endless := func(prefix, piece string) func(net.Conn) {
		return func(connection net.Conn) {
			io.WriteString(connection, prefix)
			for {
				if _, err := io.WriteString(connection, piece); err != nil {
					return
				}
			}
		}
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, tt := range map[string]struct {
		address string
		want    Code
	}{
		"nobody there":          {"http://" + closed.Addr().String(), ErrUnreachable},
		"silence":               {misbehave(t, write("")), ErrTimeout},
		"half a status line":    {misbehave(t, write("HTTP/1.1 20")), ErrTimeout},
		"half a body":           {misbehave(t, write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")), ErrTimeout},
		"half a refusal":        {misbehave(t, write("HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{")), ErrForbidden},
		"not HTTP":              {misbehave(t, write("SSH-2.0-OpenSSH_9.2\r\n\r\n")), ErrUnreachable},
		"a body without end":    {misbehave(t, endless("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat(" ", 4096))), ErrMalformedAnswer},
		"a header without end":  {misbehave(t, endless("HTTP/1.1 200 OK\r\nA: ", strings.Repeat("a", 4096))), ErrUnreachable},
		"a refusal without end": {misbehave(t, endless("HTTP/1.1 500 No\r\n\r\n", strings.Repeat(" ", 4096))), ErrUnavailable},
		"no content":            {misbehave(t, write("HTTP/1.1 204 No Content\r\n\r\n")), ErrMalformedAnswer},
		"only null":             {misbehave(t, write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull")), ErrMalformedAnswer},
		"two documents":         {misbehave(t, write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{}{}")), ErrMalformedAnswer},
		"a status of its own":   {misbehave(t, write("HTTP/1.1 299 Hm\r\nContent-Length: 2\r\n\r\n{}")), ErrMalformedAnswer},
		"a status beyond":       {misbehave(t, write("HTTP/1.1 999 Hm\r\nContent-Length: 2\r\n\r\n{}")), ErrMalformedAnswer},
		"encrypted all at once": {func() string {
			server := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(server.Close)
			return "https" + strings.TrimPrefix(server.URL, "http")
		}(), ErrUnreachable},
		"a certificate of its own": {func() string {
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
			server.Config.ErrorLog = quiet()
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.URL
		}(), ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := time.Minute // on a busy machine much takes long
			if strings.HasPrefix(name, "half") || name == "silence" {
				timeout = 1500 * time.Millisecond
			}
			client := newClient(t, Config{Endpoint: tt.address, Key: testKey, Timeout: timeout})
			_, err := client.Create(t.Context(), passive(picture()))
			if failed := asError(t, err); failed.Code != tt.want {
				t.Errorf("create: %v", err)
			}
			_, err = client.Result(t.Context(), "b12e033e", true)
			if failed := asError(t, err); failed.Code != tt.want {
				t.Errorf("result: %v", err)
			}
		})
	}
}

// A redirect would take the key elsewhere.
func TestRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	client := newClient(t, Config{Endpoint: server.URL, Key: testKey, HTTP: &http.Client{}})
	if _, err := client.Create(t.Context(), passive(nil)); !errors.Is(err, ErrMalformedAnswer) || asError(t, err).Status != 307 {
		t.Errorf("%v", err)
	}
}

// Slow answers are waited for as long as the call may take, and the caller can end it at any time.
func TestDeadlines(t *testing.T) {
	h := newHouse(t)
	sim, err := simulator.New(simulator.Config{Key: testKey, Seed: []byte("seed"), Now: time.Now, Sleep: Sleep})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	client := newClient(t, Config{Endpoint: server.URL, Key: testKey, Timeout: 150 * time.Millisecond})
	for range 2 {
		if err := sim.Fault(simulator.Fault{Kind: simulator.Slow, DelayMS: 60_000}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = client.Create(t.Context(), passive(nil))
	if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || !asError(t, err).Transient() {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := client.Create(ctx, passive(nil)); !errors.Is(err, ErrCanceled) || !errors.Is(err, context.Canceled) || asError(t, err).Transient() {
		t.Errorf("%v", err)
	}
	if _, err := client.Create(t.Context(), passive(nil)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	start := time.Now()
	server.Close() // it waits for what is still answered
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the simulator answered for %v although nobody listened", took)
	}

	// While it waits to try again, too.
	if err := h.sim.Fault(simulator.Fault{Kind: simulator.Throttle, RetryAfter: 1}); err != nil {
		t.Fatal(err)
	}
	h.sleep = func(context.Context, time.Duration) error { return context.Canceled }
	if _, err := h.Create(t.Context(), passive(nil)); !errors.Is(err, ErrCanceled) {
		t.Errorf("%v", err)
	}
}

// Cookies would tie one session to another.
func TestCookies(t *testing.T) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls++; len(r.Cookies()) != 0 {
			t.Errorf("call %d has %v", calls, r.Cookies())
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	given := &http.Client{Jar: jar}
	client := newClient(t, Config{Endpoint: server.URL, Key: testKey, HTTP: given})
	for range 2 {
		if err := client.Delete(t.Context(), "b12e033e", false); err != nil {
			t.Error(err)
		}
	}
	if calls != 2 || given.Jar == nil || given.CheckRedirect != nil {
		t.Errorf("%d calls; the client that was given is %+v", calls, given)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-1": 0, "soon": 0, "1.5": 0,
		"99999": time.Hour, "99999999999999999999": 0,
		"Tue, 01 Jan 2030 12:00:30 GMT": 30 * time.Second, "Tue, 01 Jan 2030 11:00:00 GMT": 0, "Wed, 02 Jan 2030 12:00:00 GMT": time.Hour,
	} {
		if got := parseRetryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestConfig(t *testing.T) {
	source := tokens(func(context.Context) (string, error) { return "", nil })
	for name, tt := range map[string]struct {
		config Config
		base   string // empty: refused
	}{
		"as the portal shows it":  {Config{Endpoint: "https://acme.cognitiveservices.azure.com/", Key: "k"}, "https://acme.cognitiveservices.azure.com/face/v1.2"},
		"without the slash":       {Config{Endpoint: "https://acme.cognitiveservices.azure.com", TokenSource: source}, "https://acme.cognitiveservices.azure.com/face/v1.2"},
		"behind a gateway":        {Config{Endpoint: "https://gateway.example/azure/", Key: "k", APIVersion: "v1.3-preview.1"}, "https://gateway.example/azure/face/v1.3-preview.1"},
		"the simulator":           {Config{Endpoint: "http://127.0.0.1:5001", Key: "k"}, "http://127.0.0.1:5001/face/v1.2"},
		"the simulator, IPv6":     {Config{Endpoint: "http://[::1]:5001", Key: "k"}, "http://[::1]:5001/face/v1.2"},
		"the simulator, by name":  {Config{Endpoint: "http://localhost:5001", Key: "k"}, "http://localhost:5001/face/v1.2"},
		"http to elsewhere":       {Config{Endpoint: "http://acme.cognitiveservices.azure.com", Key: "k"}, ""},
		"http to a lookalike":     {Config{Endpoint: "http://localhost.example", Key: "k"}, ""},
		"no scheme":               {Config{Endpoint: "acme.cognitiveservices.azure.com", Key: "k"}, ""},
		"another scheme":          {Config{Endpoint: "ftp://127.0.0.1", Key: "k"}, ""},
		"no host":                 {Config{Endpoint: "https:///face", Key: "k"}, ""},
		"a user":                  {Config{Endpoint: "https://user:secret@acme.example", Key: "k"}, ""},
		"a query":                 {Config{Endpoint: "https://acme.example/?a=b", Key: "k"}, ""},
		"an empty query":          {Config{Endpoint: "https://acme.example/?", Key: "k"}, ""},
		"a fragment":              {Config{Endpoint: "https://acme.example/#x", Key: "k"}, ""},
		"a way up":                {Config{Endpoint: "https://acme.example/a/../b", Key: "k"}, ""},
		"nothing":                 {Config{}, ""},
		"no credential":           {Config{Endpoint: "https://acme.example"}, ""},
		"two credentials":         {Config{Endpoint: "https://acme.example", Key: "k", TokenSource: source}, ""},
		"a key with a line break": {Config{Endpoint: "https://acme.example", Key: "k\r\nx: y"}, ""},
		"an endless key":          {Config{Endpoint: "https://acme.example", Key: strings.Repeat("k", 1<<20)}, ""},
		"a version with a path":   {Config{Endpoint: "https://acme.example", Key: "k", APIVersion: "v1.2/../v1.0"}, ""},
		"no time":                 {Config{Endpoint: "https://acme.example", Key: "k", Timeout: -1}, ""},
	} {
		client, err := New(tt.config)
		if tt.base == "" {
			if !errors.Is(err, ErrInvalidConfig) || client != nil || !errors.Is(tt.config.Validate(), ErrInvalidConfig) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || client.base != tt.base || client.timeout != DefaultTimeout || tt.config.Validate() != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReason(t *testing.T) {
	client := newClient(t, Config{Endpoint: "https://acme.example", Key: testKey})
	for _, tt := range []struct{ header, body, want string }{
		{"InvalidRequest", "", "InvalidRequest"},
		{"", `{"error":{"code":"PermissionDenied","message":"m"}}`, "PermissionDenied"},
		{"429", `{"error":{"code":"PermissionDenied"}}`, "429"},
		{"", "", ""},
		{"", "<html>", ""},
		{"", `{"error":"text"}`, ""},
		{"with spaces", "", ""},
		{strings.Repeat("a", 49), "", ""},
		{testKey, "", ""},
		{"x" + testKey + "x", "", ""},
		{"", fmt.Sprintf(`{"error":{"code":%q}}`, testKey), ""},
	} {
		header := http.Header{}
		if tt.header != "" {
			header.Set("x-ms-error-code", tt.header)
		}
		if got := client.reason(header, []byte(tt.body)); got != tt.want {
			t.Errorf("%q, %q: %q", tt.header, tt.body, got)
		}
	}
}
