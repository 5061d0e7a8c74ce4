package rest

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/rest/peer"
)

// What the middleware may cost a request.
const (
	goalCost   = 30 * time.Microsecond
	goalAllocs = 60
)

// tokenService checks tokens as *kyc.Service does, and does nothing else.
type tokenService struct {
	*fake
	verifier *auth.Verifier
}

func (s tokenService) Authenticate(ctx context.Context, bearer string) (auth.Principal, error) {
	p, err := s.verifier.Verify(ctx, bearer)
	if err != nil {
		return auth.Principal{}, kyc.Errorf(kyc.CodeUnauthorized, "the access token is not valid")
	}
	return p, nil
}

// BenchmarkGuards is the cost of everything that stands between the router and a handler, except reading and checking
// the body: name of the request, proxies, headers, log, metrics, CORS, limits, token, scope, tenant, deadline,
// idempotency. It compares a handler of chi alone with the same one behind all guards, and fails if a goal is missed:
//
//	go test -run '^$' -bench Guards ./rest
func BenchmarkGuards(b *testing.B) {
	const here = "https://kyc.example"
	key, err := auth.NewSigningKey()
	if err != nil {
		b.Fatal(err)
	}
	issuer, err := auth.NewIssuer(here, here, []*auth.SigningKey{key}, time.Now, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	bearer := func(grant auth.Grant) string {
		grant.UserID, grant.ClientID, grant.Life = "018f4c1e-0000-7000-8000-000000000002", testClient, time.Hour
		token, _, err := issuer.Issue(grant)
		if err != nil {
			b.Fatal(err)
		}
		return "Bearer " + token
	}
	contract, err := testContract()
	if err != nil {
		b.Fatal(err)
	}
	proxies, err := peer.Trust([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	if err != nil {
		b.Fatal(err)
	}
	service := shopService()
	service.clientSettings = func(string) (kyc.ClientSettings, error) { return kyc.ClientSettings{RequestsPerSecond: 1e9}, nil }
	s := &server{
		service: tokenService{service, auth.NewVerifier(here, here, issuer, time.Now, 1000)},
		log:     slog.New(slog.NewJSONHandler(io.Discard, nil)), now: time.Now, newRequestID: rand.Text, //nolint:sloglint // writing the line is part of the cost
		contract: contract, titles: titles(), durations: newDurations(prometheus.NewRegistry()), bodies: newBudget(maxBodiesInFlight),
		throttles: newThrottles(Limits{Client: 1e9, Session: 1e9, Address: 1e9}), proxies: proxies, secure: newSecureHeaders(),
	}
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{mediaJSON}
		io.WriteString(w, "{}\n")
	})
	bare, guarded := chi.NewRouter(), chi.NewRouter()
	for at, op := range contract.operations {
		bare.Method(at.method, at.path, answer)
		withoutBody := *op
		withoutBody.body = nil
		guarded.With(s.guards(&withoutBody)...).Method(at.method, at.path, answer)
	}
	backend := bearer(auth.Grant{Scopes: []auth.Scope{auth.ScopeIDV}})
	device := bearer(auth.Grant{Scopes: []auth.Scope{auth.ScopeSDK}, SessionID: "018f4c1e-0000-7000-8000-000000000001"})
	for _, c := range []struct {
		name, path, token, origin, proxied string
	}{
		{"backend", "/v2/idv/session/read", backend, "", ""},
		{"device", "/v2/idv/sdk/session/read", device, "", ""},
		{"browser behind a proxy", "/v2/idv/sdk/session/read", device, shop, "198.51.100.7"},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, http.NoBody)
		r.RemoteAddr = "10.0.0.1:4711"
		r.Header.Set("Authorization", c.token)
		r.Header.Set("Content-Type", mediaJSON)
		r.Header.Set("X-Client-Id", testClient)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.proxied != "" {
			r.Header.Set("X-Forwarded-For", c.proxied)
			r.Header.Set("X-Forwarded-Proto", "https")
		}
		var bareCost time.Duration
		var bareAllocs float64
		b.Run(c.name+"/bare", func(b *testing.B) { bareCost, bareAllocs = serveMany(b, bare, r) })
		b.Run(c.name+"/guarded", func(b *testing.B) {
			cost, allocs := serveMany(b, s.observe(guarded), r)
			if bareCost == 0 { // which was not asked for
				return
			}
			cost, allocs = cost-bareCost, allocs-bareAllocs
			b.ReportMetric(float64(cost), "added-ns/op")
			b.ReportMetric(allocs, "added-allocs/op")
			if cost > goalCost || allocs > goalAllocs {
				b.Errorf("the middleware costs %v and %v allocations, and may cost %v and %d", cost, allocs, goalCost, goalAllocs)
			}
		})
	}
}

// serveMany sends one request again and again, and gives what one takes.
func serveMany(b *testing.B, h http.Handler, r *http.Request) (cost time.Duration, allocs float64) {
	first := httptest.NewRecorder()
	h.ServeHTTP(first, r)
	if first.Code != http.StatusOK {
		b.Fatalf("status %d: %s", first.Code, first.Body)
	}
	w := sink{http.Header{}}
	send := func() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
	allocs = testing.AllocsPerRun(200, send)
	b.ReportAllocs()
	for b.Loop() {
		send()
	}
	return b.Elapsed() / time.Duration(b.N), allocs
}
