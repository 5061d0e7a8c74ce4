package kycd

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"testing"
	"time"

	"kycd/clients/go/api"
)

func TestError(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   Error
	}{
		"problem details": {
			answerJSON(400, `{"title":"T","detail":"D","code":"invalid","request_id":"r","errors":[{"pointer":"/metadata","code":"type","message":"must be an object"}]}`),
			Error{Status: 400, Code: "invalid", Title: "T", Detail: "D", RequestID: "r", Fields: []FieldError{{"/metadata", "type", "must be an object"}}},
		},
		"a wait": {
			problem(429, "too_many_requests", "Retry-After", "3600"),
			Error{Status: 429, Code: "too_many_requests", Title: "title of too_many_requests", Detail: "detail of too_many_requests", RequestID: "request-1", RetryAfter: time.Hour},
		},
		"a proxy's page": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Request-Id", "r-9")
				http.Error(w, "<h1>no</h1>", 404)
			},
			Error{Status: 404, Code: CodeUnexpectedAnswer, Title: "Not Found", RequestID: "r-9"},
		},
		"a login page": {
			func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<h1>who are you?</h1>") },
			Error{Status: 200, Code: CodeUnexpectedAnswer, Title: "OK"},
		},
		"a redirect": {
			func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", 307) },
			Error{Status: 307, Code: CodeUnexpectedAnswer, Title: "Temporary Redirect"},
		},
	} {
		s := serve(t, test.answer)
		_, err := create(t.Context(), newClock().client(t, Config{BaseURL: s.URL}))
		got, ok := errors.AsType[*Error](err)
		if !ok || !reflect.DeepEqual(*got, test.want) {
			t.Errorf("%s: %+v, want %+v", name, err, test.want)
		}
		if n := len(s.seen()); n != 1 {
			t.Errorf("%s: %d tries", name, n)
		}
	}
	if got := (&Error{Status: 404, Code: "not_found", Title: "T"}).Error(); got != "kycd: 404 not_found: T" {
		t.Error(got)
	}
}

// What may pass is tried again, with the same key and body.
func TestRetry(t *testing.T) {
	cutOff := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"session_id"`)
		hangUp(w, r)
	}
	for name, failure := range map[string]http.HandlerFunc{
		"hung up":               hangUp,
		"cut off":               cutOff,
		"429":                   problem(429, "too_many_requests"),
		"502":                   answerJSON(502, ""),
		"503":                   problem(503, "unavailable"),
		"504":                   answerJSON(504, ""),
		"the first try at work": problem(409, codeInProgress),
	} {
		s, c := serve(t, failure, answerJSON(200, `{"session_id":"s"}`)), newClock()
		if got, err := create(t.Context(), c.client(t, Config{BaseURL: s.URL})); err != nil || got.SessionId != "s" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		requests := s.seen()
		if len(requests) != 2 || string(requests[0].body) != string(requests[1].body) ||
			requests[0].header.Get("Idempotency-Key") != "key-1" || requests[1].header.Get("Idempotency-Key") != "key-1" {
			t.Errorf("%s: %+v", name, requests)
		}
	}
}

func TestNoRetry(t *testing.T) {
	for _, test := range []struct {
		status int
		code   string
	}{
		{400, "invalid"}, {401, "unauthorized"}, {403, "forbidden"}, {404, "not_found"}, {408, "x"}, {409, "consent_required"}, {413, "x"}, {415, "x"},
		{422, "idempotency_key_reused"}, {425, "x"}, {500, "internal"}, {501, "x"},
	} {
		s, c := serve(t, problem(test.status, test.code)), newClock()
		client, err := c.client(t, Config{BaseURL: s.URL}).SDK("token")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := create(t.Context(), client); code(err) != test.code {
			t.Errorf("%d: %v", test.status, err)
		}
		if len(s.seen()) != 1 || len(c.slept) != 0 {
			t.Errorf("%d: %d tries", test.status, len(s.seen()))
		}
	}
}

func TestPauses(t *testing.T) {
	const ms = time.Millisecond
	at := newClock().now
	for name, test := range map[string]struct {
		answer  http.HandlerFunc
		retries int
		want    []time.Duration
	}{
		"half of 500, 1000, 2000 ms": {hangUp, 0, []time.Duration{250 * ms, 500 * ms, 1000 * ms}},
		"up to the longest":          {hangUp, 7, []time.Duration{250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 4000 * ms, 4000 * ms}},
		"none":                       {hangUp, -1, nil},
		"as asked, in seconds":       {problem(429, "x", "Retry-After", "3"), 2, []time.Duration{3250 * ms, 3500 * ms}},
		"as asked, by date":          {problem(503, "x", "Retry-After", at.Add(10*time.Second).Format(http.TimeFormat)), 1, []time.Duration{10250 * ms}},
		"too long":                   {problem(503, "x", "Retry-After", "61"), 0, nil},
		"not understood":             {problem(503, "x", "Retry-After", "soon"), 1, []time.Duration{250 * ms}},
		"negative":                   {problem(503, "x", "Retry-After", "-5"), 1, []time.Duration{250 * ms}},
	} {
		s, c := serve(t, test.answer), newClock()
		if _, err := create(t.Context(), c.client(t, Config{BaseURL: s.URL, Retries: test.retries})); err == nil {
			t.Errorf("%s: no error", name)
		}
		if !reflect.DeepEqual(c.slept, test.want) || len(s.seen()) != len(test.want)+1 {
			t.Errorf("%s: %v after %d tries, want %v", name, c.slept, len(s.seen()), test.want)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	s := serve(t, answerJSON(200, `{}`))
	client := newClock().client(t, Config{BaseURL: s.URL})
	for range 2 {
		if _, err := create(t.Context(), client); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := create(t.Context(), client, IdempotencyKey("order-7")); err != nil {
		t.Fatal(err)
	}
	if _, err := client.IdvWeightsUpdateWithResponse(t.Context(), api.IdvWeightsUpdateJSONRequestBody{}); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, request := range s.seen() {
		keys = append(keys, request.header.Get("Idempotency-Key"))
	}
	if want := []string{"key-1", "key-2", "order-7", ""}; !reflect.DeepEqual(keys, want) {
		t.Errorf("%q", keys)
	}
}

func TestTimeout(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	dripping := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "{")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for name, answer := range map[string]http.HandlerFunc{"silent": silent, "dripping": dripping} {
		s := serve(t, answer, answerJSON(200, `{"session_id":"s"}`))
		if _, err := create(t.Context(), newClock().client(t, Config{BaseURL: s.URL, Timeout: 100 * time.Millisecond})); err != nil {
			t.Errorf("%s: the second try: %v", name, err)
		}
		s = serve(t, answer)
		_, err := create(t.Context(), newClock().client(t, Config{BaseURL: s.URL, Timeout: 20 * time.Millisecond, Retries: 1}))
		if !errors.Is(err, context.DeadlineExceeded) || len(s.seen()) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for path, want := range map[string]time.Duration{
		"/v2/idv/session/read": plainTimeout, "/v2/idv/sdk/document/front/add": pictureTimeout, "/v2/idv/document/download": pictureTimeout,
		"/v2/identity/image/read": pictureTimeout, "/base/v2/ida/sdk/liveness/process": pictureTimeout, "/v2/ida/sdk/finalize": decisionTimeout,
	} {
		if got := timeoutOf(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// The context ends a call before, between and during its tries.
func TestContext(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	s := serve(t, hangUp)
	if _, err := create(ended, newClock().client(t, Config{BaseURL: s.URL})); !errors.Is(err, context.Canceled) || len(s.seen()) != 0 {
		t.Errorf("before: %v", err)
	}
	ctx, end := context.WithCancel(t.Context())
	c := newClock()
	c.onWait = end
	if _, err := create(ctx, c.client(t, Config{BaseURL: s.URL})); !errors.Is(err, context.Canceled) || len(s.seen()) != 1 {
		t.Errorf("between: %v", err)
	}
	ctx, end = context.WithCancel(t.Context())
	s = serve(t, func(_ http.ResponseWriter, r *http.Request) { end(); <-r.Context().Done() })
	if _, err := create(ctx, newClock().client(t, Config{BaseURL: s.URL})); !errors.Is(err, context.Canceled) || len(s.seen()) != 1 {
		t.Errorf("during: %v", err)
	}
}

func TestNobodyThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	_, err = create(t.Context(), newClock().client(t, Config{BaseURL: "http://" + listener.Addr().String()}))
	if _, refused := errors.AsType[*Error](err); err == nil || refused {
		t.Error(err)
	}
}

func TestSleep(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	if err := sleep(ctx, time.Millisecond); err != nil {
		t.Error(err)
	}
	end()
	if err := sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
