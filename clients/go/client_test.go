package kycd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kycd/clients/go/api"
)

// sent is a request that arrived.
type sent struct {
	method, path string
	header       http.Header
	body         []byte
}

// script is a server that answers in order, the last answer for ever.
type script struct {
	*httptest.Server
	mu       sync.Mutex
	requests []sent
	answers  []http.HandlerFunc
}

func serve(t *testing.T, answers ...http.HandlerFunc) *script {
	t.Helper()
	s := &script{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.requests = append(s.requests, sent{r.Method, r.URL.Path, r.Header, body})
		answer := s.answers[0]
		if len(s.answers) > 1 {
			s.answers = s.answers[1:]
		}
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *script) seen() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sent(nil), s.requests...)
}

func answerJSON(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		contentType := "application/json"
		if status >= 400 {
			contentType = "application/problem+json"
		}
		w.Header().Set("Content-Type", contentType)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func problem(status int, code string, header ...string) http.HandlerFunc {
	return answerJSON(status, fmt.Sprintf(`{"type":"/docs#%[1]s","title":"title of %[1]s","status":%[2]d,"detail":"detail of %[1]s","code":%[1]q,"request_id":"request-1"}`, code, status), header...)
}

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// clock is a world whose time passes only while somebody sleeps, and where chance is always one half.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	slept  []time.Duration
	keys   int
	onWait func()
}

func newClock() *clock { return &clock{now: time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) world() world {
	return world{
		now: func() time.Time {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.now
		},
		random: func() float64 { return 0.5 },
		sleep: func(ctx context.Context, d time.Duration) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.onWait != nil {
				c.onWait()
			}
			c.now = c.now.Add(d)
			c.slept = append(c.slept, d)
			return ctx.Err()
		},
		newKey: func() string {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.keys++
			return fmt.Sprintf("key-%d", c.keys)
		},
	}
}

// token gives the same token for ever.
func token(context.Context, string) (string, error) { return "token", nil }

func (c *clock) client(t *testing.T, config Config) *Client {
	t.Helper()
	config.ClientID = "client-1"
	if config.ClientSecret == "" && config.Token == nil {
		config.Token = token
	}
	client, err := newClient(config, c.world())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func create(ctx context.Context, c *Client, editors ...api.RequestEditorFn) (api.SessionCreated, error) {
	return Answer(c.IdvSessionCreateWithResponse(ctx, api.IdvSessionCreate{}, editors...))
}

func TestNew(t *testing.T) {
	good := Config{BaseURL: "https://kyc.example.com/base/", ClientID: "c", ClientSecret: "s"}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"no address":     func(c *Config) { c.BaseURL = "" },
		"no scheme":      func(c *Config) { c.BaseURL = "kyc.example.com" },
		"another scheme": func(c *Config) { c.BaseURL = "ftp://kyc.example.com" },
		"a user":         func(c *Config) { c.BaseURL = "https://a:b@kyc.example.com" },
		"a query":        func(c *Config) { c.BaseURL = "https://kyc.example.com?a=b" },
		"no secret":      func(c *Config) { c.ClientSecret = "" },
		"both":           func(c *Config) { c.Token = token },
	} {
		config := good
		change(&config)
		if _, err := New(config); err == nil || strings.Contains(err.Error(), "a:b") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who calls is said where it must be said, and nowhere else.
func TestHeaders(t *testing.T) {
	s := serve(t, answerJSON(200, `{"token":"x"}`))
	client := newClock().client(t, Config{BaseURL: s.URL})
	device, err := client.SDK("device-token")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, test := range map[string]struct {
		call                    func() error
		authorization, clientID string
		key                     bool
		accept                  string
	}{
		"a utility": {func() error { _, err := client.PingWithResponse(ctx); return err }, "", "", false, "application/json"},
		"a backend": {func() error { _, err := create(ctx, client); return err }, "Bearer token", "", true, "application/json"},
		"a device": {func() error {
			_, err := device.IdvSdkConsentAddWithResponse(ctx, api.ConsentAdd{SessionId: "s", Consented: true})
			return err
		}, "Bearer device-token", "client-1", true, "application/json"},
		"a GET": {func() error { _, err := client.IdvWeightsGetWithResponse(ctx, nil); return err }, "Bearer token", "", false, "application/json"},
		"a download": {func() error {
			_, err := client.IdvDocumentDownloadWithResponse(ctx, api.IdvDocumentDownload{SessionId: "s", StorageFileTypeE: api.StorageFileTypeESelfie})
			return err
		}, "Bearer token", "", true, "image/*"},
	} {
		if err := test.call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		requests := s.seen()
		h := requests[len(requests)-1].header
		if h.Get("Authorization") != test.authorization || h.Get("X-Client-Id") != test.clientID ||
			(h.Get("Idempotency-Key") != "") != test.key || h.Get("Accept") != test.accept {
			t.Errorf("%s: %v", name, h)
		}
	}
}

func TestAnswer(t *testing.T) {
	s := serve(t, answerJSON(200, `{"session_id":"s1"}`))
	got, err := create(t.Context(), newClock().client(t, Config{BaseURL: s.URL}))
	if err != nil || got.SessionId != "s1" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDownload(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		w.Write([]byte{137, 80, 78, 71})
	})
	client := newClock().client(t, Config{BaseURL: s.URL})
	got, err := client.IdaDocumentDownloadWithResponse(t.Context(), api.SessionRef{SessionId: "s"})
	if err != nil || string(got.Body) != "\x89PNG" || got.ContentType() != "image/png" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestState(t *testing.T) {
	bad := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(503)
		io.WriteString(w, `{"status":"error"}`)
	}
	s := serve(t, bad, problem(503, "unavailable"))
	client := newClock().client(t, Config{BaseURL: s.URL, Retries: -1})
	got, err := client.SimpleHealthWithResponse(t.Context())
	if err != nil || got.JSON503 == nil || got.JSON503.Status != api.HealthEError || len(s.seen()) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := client.SimpleHealthWithResponse(t.Context()); code(err) != "unavailable" {
		t.Error(err)
	}
}

// code is the code of an *Error.
func code(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestPictures(t *testing.T) {
	s := serve(t, hangUp, answerJSON(200, `{"hints":["glare"],"attempts":2}`))
	client := newClock().client(t, Config{BaseURL: s.URL})
	picture := DocumentPicture{SessionID: "s", Latitude: 46.2, Longitude: -0.0000001, Image: []byte(strings.Repeat("\xff\xd8", 100_000))}
	if taken, err := client.AddFront(t.Context(), picture); err != nil || len(taken.Hints) != 1 || taken.Hints[0] != "glare" || taken.Attempts != 2 {
		t.Fatal(taken, err)
	}
	if _, err := client.AddBack(t.Context(), picture); err != nil {
		t.Fatal(err)
	}
	requests := s.seen()
	if len(requests) != 3 || requests[0].path != "/v2/idv/sdk/document/front/add" || requests[2].path != "/v2/idv/sdk/document/back/add" {
		t.Fatalf("%d requests", len(requests))
	}
	first, again := requests[0], requests[1]
	if string(first.body) != string(again.body) || first.header.Get("Content-Type") != again.header.Get("Content-Type") ||
		first.header.Get("Idempotency-Key") != again.header.Get("Idempotency-Key") {
		t.Error("the second try differs from the first")
	}
	request, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(string(first.body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = first.header
	if err := request.ParseMultipartForm(1 << 20); err != nil {
		t.Fatal(err)
	}
	form := request.MultipartForm
	if fmt.Sprint(form.Value) != "map[latitude:[46.2] longitude:[-0.0000001] session_id:[s]]" {
		t.Error(form.Value)
	}
	file, err := form.File["image"][0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(file); err != nil || string(got) != string(picture.Image) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestFrames(t *testing.T) {
	got, err := json.Marshal(api.LivenessProcess{SessionId: "s", Images: Frames([]byte{1, 2, 3, 255}, nil)})
	if want := `{"images":["AQID/w==",""],"latitude":0,"longitude":0,"session_id":"s"}`; err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}
