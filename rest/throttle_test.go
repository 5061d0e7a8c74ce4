package rest

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// guardedAPI is the API with limits and a clock of its own.
type guardedAPI struct {
	*testAPI
	now time.Time
}

func newGuardedAPI(t testing.TB, service Service, change func(*Options)) *guardedAPI {
	t.Helper()
	c, err := testContract()
	if err != nil {
		t.Fatal(err)
	}
	g := &guardedAPI{testAPI: &testAPI{log: &bytes.Buffer{}, contract: c}, now: testTime}
	o := Options{
		Service: service, Probe: wellProbe(), Log: slog.New(slog.NewJSONHandler(g.log, nil)),
		Now: func() time.Time { return g.now }, NewRequestID: func() string { return "request-0001" },
	}
	if change != nil {
		change(&o)
	}
	g.Handler = New(o)
	return g
}

// from sends a request from an address with a token. Without a token there is no Authorization header.
func (g *guardedAPI) from(addr, token string, r *http.Request) *httptest.ResponseRecorder {
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(addr), 4711).String()
	r.Header.Del("Authorization")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return g.do(r)
}

// readSession is a request of a backend, pollSession one of a device.
func readSession() *http.Request { return jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`) }
func pollSession() *http.Request {
	return jsonRequest("/v2/idv/sdk/session/read", `{"session_id":"x"}`)
}
func tokenRequest() *http.Request {
	return request(http.MethodPost, "/oauth2/token", mediaForm, "grant_type=client_credentials&client_id=a&client_secret=b")
}

// tokenHolders reads tokens of the form client/session; any other is not valid.
func tokenHolders(bearer string) (auth.Principal, error) {
	client, session, ok := strings.Cut(bearer, "/")
	if !ok {
		return auth.Principal{}, kyc.Errorf(kyc.CodeUnauthorized, "the access token is not valid")
	}
	p := everyScope()
	p.ClientID, p.SessionID = client, session
	if session != "" {
		p.Scopes = []auth.Scope{auth.ScopeSDK}
	}
	return p, nil
}

// passed is how many of n requests are let through before the first 429, which is looked at.
func passed(t *testing.T, n int, send func() *httptest.ResponseRecorder) (through int, refused *httptest.ResponseRecorder) {
	t.Helper()
	for range n {
		w := send()
		if w.Code != http.StatusTooManyRequests {
			through++
			continue
		}
		if refused == nil {
			refused = w
		}
	}
	return through, refused
}

func TestRateLimits(t *testing.T) {
	const here = "203.0.113.9"
	service := plainService()
	service.authenticate = tokenHolders
	g := newGuardedAPI(t, service, func(o *Options) { o.Limits = Limits{Client: 10, Session: 2, Address: 4} }) // bursts of 20, 8 and 12; 10 failures
	for _, c := range []struct {
		name   string
		token  string
		make   func() *http.Request
		want   int // let through of 100 at once
		wait   string
		policy string
	}{
		{"a backend", testClient + "/", readSession, 20, "1", `"client";q=20;w=2`},
		{"a device", testClient + "/s1", pollSession, 8, "1", `"session";q=8;w=4`},
		{"the token endpoint", "", tokenRequest, 12, "1", `"address";q=12;w=3`},
		{"no token", "", readSession, 10, "1", `"failures";q=10;w=10`},
		{"a bad token", "bad", readSession, 10, "1", `"failures";q=10;w=10`},
		{"the keys", "", func() *http.Request { return request("GET", "/.well-known/jwks.json", "", "") }, 12, "1", `"address";q=12;w=3`},
		{"the documentation", "", func() *http.Request { return request("GET", "/openapi.json", "", "") }, 12, "1", `"address";q=12;w=3`},
		{"nothing there", "", func() *http.Request { return request("GET", "/nothing", "", "") }, 12, "1", `"address";q=12;w=3`},
		{"a wrong method", "", func() *http.Request { return request("GET", "/v2/idv/session/read", "", "") }, 12, "1", `"address";q=12;w=3`},
	} {
		t.Run(c.name, func(t *testing.T) {
			g.now = g.now.Add(time.Hour) // after which everybody has a full bucket
			through, refused := passed(t, 100, func() *httptest.ResponseRecorder { return g.from(here, c.token, c.make()) })
			if through != c.want {
				t.Fatalf("%d got through, want %d", through, c.want)
			}
			if got := refused.Header().Get("Retry-After"); got != c.wait {
				t.Errorf("Retry-After: got %q, want %q", got, c.wait)
			}
			if got := refused.Header().Get("RateLimit-Policy"); got != c.policy {
				t.Errorf("RateLimit-Policy: got %q, want %q", got, c.policy)
			}
			if got := refused.Header().Get("RateLimit"); !strings.Contains(got, ";r=0;t=") {
				t.Errorf("RateLimit: got %q, want none left", got)
			}
			if strings.Contains(refused.Body.String(), `"error"`) { // RFC 6749
				if !strings.Contains(refused.Body.String(), `"temporarily_unavailable"`) {
					t.Errorf("body %s", refused.Body)
				}
			} else if p := problemOf(t, refused); p.Code != "too_many_requests" {
				t.Errorf("code %s", p.Code)
			}
			g.now = g.now.Add(time.Second)
			if through, _ := passed(t, 1, func() *httptest.ResponseRecorder { return g.from(here, c.token, c.make()) }); through != 1 {
				t.Error("a second later nothing is let through")
			}
		})
	}
}

// TestLimitsAreEachCallersOwn: who is refused does not make others be refused.
func TestLimitsAreEachCallersOwn(t *testing.T) {
	service := plainService()
	service.authenticate = tokenHolders
	g := newGuardedAPI(t, service, func(o *Options) { o.Limits = Limits{Client: 10, Session: 2, Address: 4} })
	empty := func(name, addr, token string, make func() *http.Request) {
		t.Helper()
		if through, refused := passed(t, 50, func() *httptest.ResponseRecorder { return g.from(addr, token, make()) }); through == 0 || refused == nil {
			t.Fatalf("%s: %d got through, want some and not all", name, through)
		}
	}
	free := func(name, addr, token string, make func() *http.Request) {
		t.Helper()
		if w := g.from(addr, token, make()); w.Code == http.StatusTooManyRequests {
			t.Errorf("%s is refused: %s", name, w.Body)
		}
	}
	const a, b, c6, d6 = "203.0.113.9", "203.0.113.10", "2001:db8:0:1::1", "2001:db8:0:1:ffff::9"
	device := func(client string) func() *http.Request {
		return func() *http.Request {
			r := pollSession()
			r.Header.Set("X-Client-Id", client)
			return r
		}
	}
	empty("a device", a, testClient+"/s1", pollSession)
	free("another device of the client", a, testClient+"/s2", pollSession)
	free("its backend", a, testClient+"/", readSession)
	empty("the backend", a, testClient+"/", readSession)
	free("another client", a, "client-2/", readSession)
	free("another client's device", a, "client-2/s1x", device("client-2"))
	empty("the token endpoint", a, "", tokenRequest)
	free("the token endpoint from elsewhere", b, "", tokenRequest)
	free("another client with a token", a, "client-2/", readSession)
	empty("failures", b, "bad", readSession)
	free("failures from elsewhere", c6, "bad", readSession)
	empty("an IPv6 network's failures", c6, "bad", readSession)
	if w := g.from(d6, "bad", readSession()); w.Code != http.StatusTooManyRequests {
		t.Errorf("another address of the same IPv6 network: got %d, want 429", w.Code)
	}
	free("another IPv6 network", "2001:db8:0:2::1", "bad", readSession)
	free("documentation after failures", b, "", func() *http.Request { return request("GET", "/openapi.json", "", "") })
}

// TestADeviceDoesNotUseUpItsClient: what is refused to a device is not charged to the client.
func TestADeviceDoesNotUseUpItsClient(t *testing.T) {
	service := plainService()
	service.authenticate = tokenHolders
	g := newGuardedAPI(t, service, func(o *Options) { o.Limits = Limits{Client: 10, Session: 2, Address: 4} })
	passed(t, 1000, func() *httptest.ResponseRecorder { return g.from("203.0.113.9", testClient+"/s1", pollSession()) })
	through, _ := passed(t, 100, func() *httptest.ResponseRecorder { return g.from("203.0.113.9", testClient+"/", readSession()) })
	if through != 20-8 {
		t.Errorf("%d of the backend got through, want 12: the burst without what the device was given", through)
	}
}

// TestKnownTokensPassAfterFailures: a broken device must not lock out the others behind its address.
func TestKnownTokensPassAfterFailures(t *testing.T) {
	checks := 0
	service := plainService()
	service.authenticate = func(bearer string) (auth.Principal, error) {
		checks++
		return tokenHolders(bearer)
	}
	g := newGuardedAPI(t, service, func(o *Options) { o.Limits = Limits{Address: 4} })
	const here = "203.0.113.9"
	if w := g.from(here, testClient+"/", readSession()); w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	checks = 0
	passed(t, 500, func() *httptest.ResponseRecorder { return g.from(here, "bad", readSession()) })
	if checks != 10 {
		t.Errorf("%d bad tokens were checked, want 10", checks)
	}
	if w := g.from(here, testClient+"/", readSession()); w.Code != 200 {
		t.Errorf("a token that was good before: status %d", w.Code)
	}
	if w := g.from(here, "client-2/", readSession()); w.Code != 429 {
		t.Errorf("a token never seen: status %d, want 429", w.Code)
	}
	if w := g.from(here, "", tokenRequest()); w.Code != 429 {
		t.Errorf("a client's secret: status %d, want 429", w.Code)
	}
	g.now = g.now.Add(time.Second)
	if w := g.from(here, "client-2/", readSession()); w.Code != 200 {
		t.Errorf("a second later: status %d", w.Code)
	}
	if w := g.from("198.51.100.1", "client-3/", readSession()); w.Code != 200 {
		t.Errorf("from elsewhere: status %d", w.Code)
	}
}

// TestWrongSecretsCount: tries of secrets at the token endpoint are failures too.
func TestWrongSecretsCount(t *testing.T) {
	service := plainService()
	service.authenticate = tokenHolders
	service.issueToken = func(string, string, []string, string) (kyc.Token, error) {
		return kyc.Token{}, kyc.Errorf(kyc.CodeUnauthorized, "the client is unknown or the secret is wrong")
	}
	g := newGuardedAPI(t, service, func(o *Options) { o.Limits = Limits{Address: 4} })
	through, _ := passed(t, 100, func() *httptest.ResponseRecorder { return g.from("203.0.113.9", "", tokenRequest()) })
	if through != 10 {
		t.Errorf("%d secrets were tried, want 10", through)
	}
}

func TestProbesAreNeverLimited(t *testing.T) {
	g := newGuardedAPI(t, plainService(), func(o *Options) { o.Limits = Limits{Client: 1, Session: 1, Address: 1} })
	for _, path := range []string{"/live", "/ready", "/health", "/healthz", "/metrics", "/ping"} {
		through, _ := passed(t, 300, func() *httptest.ResponseRecorder { return g.from("203.0.113.9", "", request("GET", path, "", "")) })
		if through != 300 {
			t.Errorf("%s: %d of 300 got through", path, through)
		}
	}
}

func TestZeroLimitsNobody(t *testing.T) {
	service := plainService()
	service.authenticate = tokenHolders
	g := newGuardedAPI(t, service, nil)
	for name, send := range map[string]func() *httptest.ResponseRecorder{
		"backend":  func() *httptest.ResponseRecorder { return g.from("203.0.113.9", testClient+"/", readSession()) },
		"device":   func() *httptest.ResponseRecorder { return g.from("203.0.113.9", testClient+"/s", pollSession()) },
		"failures": func() *httptest.ResponseRecorder { return g.from("203.0.113.9", "bad", readSession()) },
		"tokens":   func() *httptest.ResponseRecorder { return g.from("203.0.113.9", "", tokenRequest()) },
	} {
		if through, _ := passed(t, 500, send); through != 500 {
			t.Errorf("%s: %d of 500 got through", name, through)
		}
		if w := send(); w.Header().Get("RateLimit") != "" {
			t.Errorf("%s: RateLimit %q without a limit", name, w.Header().Get("RateLimit"))
		}
	}
}

// TestAClientsOwnLimit: what the operator set for a client holds instead of the installation's, at once.
func TestAClientsOwnLimit(t *testing.T) {
	var own float64
	var broken error
	service := plainService()
	service.authenticate = tokenHolders
	service.clientSettings = func(clientID string) (kyc.ClientSettings, error) {
		if clientID != testClient {
			return kyc.ClientSettings{}, nil
		}
		return kyc.ClientSettings{RequestsPerSecond: own}, broken
	}
	for _, c := range []struct {
		name              string
		installation, own float64
		err               error
		want              int
	}{
		{"none", 10, 0, nil, 20},
		{"lower", 10, 0.4, nil, 1},
		{"higher", 10, 40, nil, 80},
		{"where there is no other", 0, 5, nil, 10},
		{"unknown at the moment", 10, 40, errors.New("the database is away"), 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			own, broken = c.own, c.err
			g := newGuardedAPI(t, service, func(o *Options) { o.Limits = Limits{Client: c.installation} })
			through, _ := passed(t, 200, func() *httptest.ResponseRecorder { return g.from("203.0.113.9", testClient+"/", readSession()) })
			if through != c.want {
				t.Errorf("%d got through, want %d", through, c.want)
			}
		})
	}
	own, broken = 1, nil
	g := newGuardedAPI(t, service, func(o *Options) { o.Limits = Limits{Client: 10} })
	passed(t, 10, func() *httptest.ResponseRecorder { return g.from("203.0.113.9", testClient+"/", readSession()) })
	own = 100
	g.from("203.0.113.9", testClient+"/", readSession())
	g.now = g.now.Add(time.Second)
	through, _ := passed(t, 300, func() *httptest.ResponseRecorder { return g.from("203.0.113.9", testClient+"/", readSession()) })
	if through < 100 {
		t.Errorf("%d got through in a second after the limit was raised to 100", through)
	}
}

// TestWhatIsLeftIsShown: callers see their limit before they run into it.
func TestWhatIsLeftIsShown(t *testing.T) {
	service := plainService()
	service.authenticate = tokenHolders
	g := newGuardedAPI(t, service, func(o *Options) { o.Limits = Limits{Client: 10, Session: 2, Address: 4} })
	for i := range 3 {
		w := g.from("203.0.113.9", testClient+"/", readSession())
		if got, want := w.Header().Get("RateLimit"), fmt.Sprintf(`"client";r=%d;t=1`, 19-i); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	w := g.from("203.0.113.9", testClient+"/s1", pollSession())
	if got, want := w.Header().Get("RateLimit"), `"session";r=7;t=1`; got != want {
		t.Errorf("a device: got %s, want %s", got, want)
	}
}

// TestTrustedProxies: the address that limits and pictures go by is the caller's, not the proxy's, and only a
// trusted proxy may say which.
func TestTrustedProxies(t *testing.T) {
	var place kyc.Place
	service := plainService()
	service.authenticate = tokenHolders
	service.generateLiveness = func(_ auth.Principal, _ kyc.SessionKind, _ string, p kyc.Place) (string, error) {
		place = p
		return "", nil
	}
	g := newGuardedAPI(t, service, func(o *Options) {
		o.Limits = Limits{Address: 4}
		o.Trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	via := func(proxy, caller, token string, r *http.Request) *httptest.ResponseRecorder {
		r.Header.Set("X-Forwarded-For", caller)
		r.Header.Set("X-Forwarded-Proto", "https")
		return g.from(proxy, token, r)
	}
	locate := func() *http.Request {
		return jsonRequest("/v2/idv/sdk/liveness/generate", `{"session_id":"x","latitude":1,"longitude":2}`)
	}
	if w := via("10.1.1.1", "198.51.100.7", testClient+"/s", locate()); w.Code != 200 || place.IP != "198.51.100.7" {
		t.Errorf("behind a proxy: status %d, address %q", w.Code, place.IP)
	}
	if w := via("203.0.113.9", "198.51.100.7", testClient+"/s", locate()); w.Code != 200 || place.IP != "203.0.113.9" {
		t.Errorf("a made-up proxy: status %d, address %q", w.Code, place.IP)
	}
	through, _ := passed(t, 100, func() *httptest.ResponseRecorder { return via("10.1.1.1", "198.51.100.7", "bad", readSession()) })
	if through != 10 {
		t.Errorf("%d got through, want 10", through)
	}
	if w := via("10.1.1.1", "198.51.100.8", "bad", readSession()); w.Code != 401 {
		t.Errorf("another caller behind the same proxy: status %d, want 401", w.Code)
	}
	made := 0
	through, _ = passed(t, 100, func() *httptest.ResponseRecorder {
		made++
		return via("203.0.113.9", fmt.Sprintf("198.51.100.%d", made), "bad", readSession())
	})
	if through != 10 {
		t.Errorf("%d of a caller that makes up addresses got through, want 10", through)
	}
	hsts := func(w *httptest.ResponseRecorder) bool { return w.Header().Get("Strict-Transport-Security") != "" }
	ping := func() *http.Request { return request("GET", "/ping", "", "") }
	if !hsts(via("10.1.1.1", "198.51.100.7", "", ping())) || hsts(via("203.0.113.9", "198.51.100.7", "", ping())) || hsts(g.from("10.1.1.1", "", ping())) {
		t.Error("Strict-Transport-Security must be sent to callers of a proxy that speaks TLS, and to no other")
	}
	for proxy, want := range map[string]string{"10.1.1.1": "https://example.com/oauth2/token", "203.0.113.9": "http://example.com/oauth2/token"} {
		w := via(proxy, "198.51.100.7", "", request("GET", "/.well-known/oauth-authorization-server", "", ""))
		if !strings.Contains(w.Body.String(), `"`+want+`"`) {
			t.Errorf("metadata by way of %s: got %s, want %s", proxy, w.Body, want)
		}
	}
}
