package rest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/auth"
)

const shop, evil = "https://shop.example", "https://evil.example"

// shopService has one client, whose SDK may call from shop.
func shopService() *fake {
	service := plainService()
	service.allowedOrigin = func(clientID, origin string) bool {
		return origin == shop && (clientID == testClient || clientID == "")
	}
	return service
}

// corsHeaders are the names of the answer's headers that only CORS has.
func corsHeaders(w *httptest.ResponseRecorder) []string {
	var names []string
	for name := range w.Header() {
		if strings.HasPrefix(name, "Access-Control-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func preflight(path, origin, method, headers string) *http.Request {
	r := httptest.NewRequest(http.MethodOptions, path, nil)
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", method)
	if headers != "" {
		r.Header.Set("Access-Control-Request-Headers", headers)
	}
	return r
}

// deviceOperations is the list of what a browser may call, said once more.
func deviceOperations(at route) bool {
	return strings.HasPrefix(at.path, "/v2/idv/sdk/") || strings.HasPrefix(at.path, "/v2/ida/sdk/") || at.path == "/v2/identity/sdk/status/read"
}

// TestCORSOfEveryOperation: the operations of devices answer browsers of the client's origins, the others never.
func TestCORSOfEveryOperation(t *testing.T) {
	a := newTestAPI(t, shopService(), wellProbe())
	devices := 0
	for at, op := range a.contract.operations {
		ask := a.do(preflight(at.path, shop, at.method, "authorization,content-type,idempotency-key,x-client-id,x-request-id"))
		r := a.sample(t, at, op)
		r.Header.Set("Origin", shop)
		answer := a.do(r)
		if !deviceOperations(at) {
			if got := append(corsHeaders(ask), corsHeaders(answer)...); len(got) > 0 {
				t.Errorf("%s: headers %v, want none of CORS", op.id, got)
			}
			if ask.Code/100 == 2 {
				t.Errorf("%s: a preflight got status %d", op.id, ask.Code)
			}
			continue
		}
		devices++
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": shop, "Access-Control-Allow-Methods": at.method, "Access-Control-Max-Age": "600",
			"Access-Control-Allow-Headers": "authorization,content-type,idempotency-key,x-client-id,x-request-id",
			"Vary":                         "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
		} {
			if got := ask.Header().Get(name); ask.Code != http.StatusNoContent || got != want {
				t.Errorf("%s: status %d, %s: got %q, want %q", op.id, ask.Code, name, got, want)
			}
		}
		if got := answer.Header().Get("Access-Control-Allow-Origin"); got != shop || answer.Code != 200 {
			t.Errorf("%s: status %d, Access-Control-Allow-Origin %q", op.id, answer.Code, got)
		}
		if got, want := answer.Header().Get("Access-Control-Expose-Headers"), "X-Request-Id, Retry-After, Idempotency-Replayed, Ratelimit, Ratelimit-Policy"; got != want {
			t.Errorf("%s: Access-Control-Expose-Headers: got %q, want %q", op.id, got, want)
		}
		if got, want := strings.Join(answer.Header().Values("Vary"), ", "), "Origin, X-Client-Id"; got != want {
			t.Errorf("%s: Vary: got %q, want %q", op.id, got, want)
		}
	}
	if devices < 14 {
		t.Errorf("%d operations for devices, want 14 or more", devices)
	}
	for _, path := range []string{"/docs", "/openapi.json", "/nothing"} {
		r := request(http.MethodGet, path, "", "")
		r.Header.Set("Origin", shop)
		if got := append(corsHeaders(a.do(r)), corsHeaders(a.do(preflight(path, shop, http.MethodGet, "")))...); len(got) > 0 {
			t.Errorf("%s: headers %v, want none of CORS", path, got)
		}
	}
}

func TestPreflight(t *testing.T) {
	const path = "/v2/idv/sdk/session/read"
	a := newTestAPI(t, shopService(), wellProbe())
	for _, c := range []struct {
		name    string
		r       *http.Request
		status  int
		allowed bool
	}{
		{"good", preflight(path, shop, http.MethodPost, "content-type"), 204, true},
		{"without headers", preflight(path, shop, http.MethodPost, ""), 204, true},
		{"another origin", preflight(path, evil, http.MethodPost, ""), 204, false},
		{"an origin that begins alike", preflight(path, shop+".evil.example", http.MethodPost, ""), 204, false},
		{"another scheme", preflight(path, "http://shop.example", http.MethodPost, ""), 204, false},
		{"no origin of its own", preflight(path, "null", http.MethodPost, ""), 204, false},
		{"another method", preflight(path, shop, http.MethodDelete, ""), 204, false},
		{"another header", preflight(path, shop, http.MethodPost, "x-anything"), 204, false},
		{"another path", preflight("/v2/idv/session/read", shop, http.MethodPost, ""), 405, false},
		{"nobody's browser", httptest.NewRequest(http.MethodOptions, path, nil), 405, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := a.do(c.r)
			if w.Code != c.status || (w.Header().Get("Access-Control-Allow-Origin") == shop) != c.allowed {
				t.Errorf("status %d, want %d; headers %v", w.Code, c.status, w.Header())
			}
			if !c.allowed && len(corsHeaders(w)) > 0 {
				t.Errorf("headers %v, want none of CORS", corsHeaders(w))
			}
			if w.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Error("credentials are allowed")
			}
			if c.status == 405 && w.Header().Get("Allow") == "" {
				t.Error("there is no Allow")
			}
			if c.status == 204 && w.Body.Len() > 0 {
				t.Errorf("body %s", w.Body)
			}
		})
	}
}

// TestErrorsAreReadable: a page that may call may also read why it was refused; another may not.
func TestErrorsAreReadable(t *testing.T) {
	service := shopService()
	service.authenticate = tokenHolders
	broken := shopService()
	broken.authenticate = tokenHolders
	broken.readSDKSession = func(auth.Principal, kyc.SessionKind, string) (kyc.Session, error) {
		return kyc.Session{}, errors.New("broken")
	}
	panics := shopService()
	panics.authenticate = tokenHolders
	panics.readSDKSession = func(auth.Principal, kyc.SessionKind, string) (kyc.Session, error) { panic("broken") }
	large := func() *http.Request {
		return jsonRequest("/v2/idv/sdk/session/read", `{"session_id":"`+strings.Repeat("x", 1<<20)+`"}`)
	}
	client := func(id string) func() *http.Request {
		return func() *http.Request {
			r := pollSession()
			r.Header.Del("X-Client-Id")
			if id != "" {
				r.Header.Set("X-Client-Id", id)
			}
			return r
		}
	}
	apis := map[*fake]*guardedAPI{}
	for _, s := range []*fake{service, broken, panics} {
		apis[s] = newGuardedAPI(t, s, func(o *Options) { o.Limits = Limits{Session: 2, Address: 4} })
	}
	for _, c := range []struct {
		name     string
		service  *fake
		token    string
		make     func() *http.Request
		requests int
		status   int
		readable bool
	}{
		{"good", service, testClient + "/s", pollSession, 1, 200, true},
		{"no token", service, "", pollSession, 1, 401, true},
		{"bad token", service, "bad", pollSession, 1, 401, true},
		{"too many failures", service, "bad", pollSession, 11, 429, true},
		{"too many requests", service, testClient + "/s", pollSession, 9, 429, true},
		{"too large", service, testClient + "/s", large, 1, 413, true},
		{"wrong media type", service, testClient + "/s", func() *http.Request {
			return request(http.MethodPost, "/v2/idv/sdk/session/read", "text/plain", "x")
		}, 1, 415, true},
		{"malformed", service, testClient + "/s", func() *http.Request { return jsonRequest("/v2/idv/sdk/session/read", "{") }, 1, 400, true},
		{"broken", broken, testClient + "/s", pollSession, 1, 500, true},
		{"panic", panics, testClient + "/s", pollSession, 1, 500, true},
		{"no client", service, testClient + "/s", client(""), 1, 400, true},
		{"a client with other origins", service, testClient + "/s", client("client-2"), 1, 403, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for origin, readable := range map[string]bool{shop: c.readable, evil: false} {
				g := apis[c.service]
				g.now = g.now.Add(time.Hour) // after which everybody has a full bucket
				var w *httptest.ResponseRecorder
				for range c.requests {
					r := c.make()
					r.Header.Set("Origin", origin)
					w = g.from("203.0.113.9", c.token, r)
				}
				if w.Code != c.status {
					t.Fatalf("status %d, want %d: %s", w.Code, c.status, w.Body)
				}
				if got := w.Header().Get("Access-Control-Allow-Origin"); (got == origin) != readable || !readable && got != "" {
					t.Errorf("origin %s: Access-Control-Allow-Origin %q, readable should be %v", origin, got, readable)
				}
				if !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Origin") {
					t.Errorf("Vary %v", w.Header().Values("Vary"))
				}
			}
		})
	}
}
