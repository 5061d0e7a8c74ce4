package rest

import (
	"context"
	"hash/maphash"
	"net/http"
	"net/netip"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"kycd/kyc"
	"kycd/rest/limit"
)

// Limits are how many requests a second are let through; 0 does not limit. Each server counts for itself, so
// behind a balancer with n servers a caller gets up to n times as much.
type Limits struct {
	Client  float64 // of one client, unless the operator set another limit for it
	Session float64 // of one session's device, beside the client's
	Address float64 // of one address, without a token: the token endpoint above all
}

// DefaultLimits is what holds where an operator says nothing.
//
//   - A client that verifies ten people a second makes some hundred requests a second, and no single client should
//     have a small machine for itself.
//   - A device sends a dozen requests for one verification, and looks at the session once a second or so.
//   - A backend needs one token an hour, but thousands of phones may share an operator's address.
func DefaultLimits() Limits { return Limits{Client: 100, Session: 10, Address: 20} }

// How many seconds' worth of requests may come at once after a silence.
const (
	clientBurst  = 2 // a queue that a backend works off
	sessionBurst = 4 // an app that starts
	addressBurst = 3 // a page of documentation with all its parts
	failureBurst = 10
)

// failureShare is how many of the requests of an address may fail to authenticate. A token that has run out is an
// everyday thing, also for many devices behind one address; who tries tokens in a row learns nothing, but costs a
// check of a signature each time.
const failureShare = 0.25

// How many callers are remembered. A bucket takes some 350 bytes, so all of them together never more than 40 MB.
const (
	maxClients   = 4 << 10
	maxSessions  = 32 << 10
	maxAddresses = 32 << 10
	maxTokens    = 32 << 10
)

// throttles hold the buckets of everybody who calls.
type throttles struct {
	client, session, address, failure limit.Rate
	clients                           *limit.Buckets[string]
	sessions                          *limit.Buckets[string]
	addresses, failures               *limit.Buckets[netip.Prefix]
	tokens                            *tokenMemory
}

func newThrottles(l Limits) throttles {
	return throttles{
		client: limit.Per(l.Client, clientBurst), session: limit.Per(l.Session, sessionBurst),
		address: limit.Per(l.Address, addressBurst), failure: limit.Per(l.Address*failureShare, failureBurst),
		clients: limit.New[string]("client", maxClients), sessions: limit.New[string]("session", maxSessions),
		addresses: limit.New[netip.Prefix]("address", maxAddresses), failures: limit.New[netip.Prefix]("failures", maxAddresses),
		tokens: newTokenMemory(maxTokens),
	}
}

// admit bounds what strangers can do: requests that need no token, and requests whose token turns out to be worth
// nothing. Who failed too often is not even checked any more, except with a token that was good before: so one
// broken device does not lock out the others behind its address. Probes are always let through.
func (s *server) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		if x.operation.isProbe() {
			next.ServeHTTP(w, r)
			return
		}
		from, now := limit.Network(x.peer.Addr), s.now()
		if x.operation == nil || len(x.operation.scopes) == 0 {
			if state := s.throttles.addresses.Take(from, s.throttles.address, now); !state.OK {
				refuseThrottled(s, w, r, s.throttles.addresses, state)
				return
			}
		}
		if x.operation.isAuthenticated() {
			if state := s.throttles.failures.Look(from, s.throttles.failure, now); !state.OK {
				if token, ok := bearerToken(r.Header); !ok || !s.throttles.tokens.knows(token) {
					refuseThrottled(s, w, r, s.throttles.failures, state)
					return
				}
			}
		}
		next.ServeHTTP(w, r)
		if x.status == http.StatusUnauthorized {
			s.throttles.failures.Take(from, s.throttles.failure, now)
		}
	})
}

// isProbe tells the operations with which a monitor or a balancer looks whether the server is well. None is ever
// refused: a busy server must not look like a dead one.
func (op *operation) isProbe() bool {
	if op == nil {
		return false
	}
	switch op.route.Path {
	case "/live", "/ready", "/health", "/healthz", "/metrics", "/ping":
		return true
	}
	return false
}

// isAuthenticated tells the operations that look at a token or a client's secret.
func (op *operation) isAuthenticated() bool {
	return op != nil && (len(op.scopes) > 0 || op.oauthErrors)
}

// throttle bounds how often somebody calls whose token is good: the device of a session, and the client.
func (s *server) throttle(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := exchangeOf(r.Context()).principal
		if p.ClientID == "" { // of an operation that needs no token
			next.ServeHTTP(w, r)
			return
		}
		now := s.now()
		if token, ok := bearerToken(r.Header); ok {
			s.throttles.tokens.add(token)
		}
		// The device first: what is refused to it is not charged to its client.
		if p.SessionID != "" {
			state := s.throttles.sessions.Take(p.SessionID, s.throttles.session, now)
			if !state.OK {
				refuseThrottled(s, w, r, s.throttles.sessions, state)
				return
			}
			showLimit(w.Header(), s.throttles.sessions, state)
		}
		state := s.throttles.clients.Take(p.ClientID, s.clientRate(r.Context(), p.ClientID), now)
		if !state.OK {
			refuseThrottled(s, w, r, s.throttles.clients, state)
			return
		}
		if p.SessionID == "" { // a device has no use for what its client has left
			showLimit(w.Header(), s.throttles.clients, state)
		}
		next.ServeHTTP(w, r)
	})
}

// clientRate is the limit of one client: its own, or else the installation's. Settings that cannot be read at the
// moment are no reason to refuse anybody.
func (s *server) clientRate(ctx context.Context, clientID string) limit.Rate {
	settings, err := s.service.ClientSettings(ctx, clientID)
	if err != nil || !(settings.RequestsPerSecond > 0) {
		return s.throttles.client
	}
	return limit.Per(settings.RequestsPerSecond, clientBurst)
}

// refuseThrottled answers 429 with the time to wait.
func refuseThrottled[K comparable](s *server, w http.ResponseWriter, r *http.Request, buckets *limit.Buckets[K], state limit.State) {
	showLimit(w.Header(), buckets, state)
	err := refuse(kyc.CodeTooManyRequests, "too many requests; Retry-After says when the next one may come")
	err.RetryAfter = state.Wait
	s.fail(w, r, err)
}

// showLimit tells callers how much they have left, so that they can slow down before they are refused.
func showLimit[K comparable](h http.Header, buckets *limit.Buckets[K], state limit.State) {
	if state.Policy() == "" {
		return
	}
	h["Ratelimit-Policy"] = []string{state.Policy()}
	h["Ratelimit"] = []string{buckets.Field(state)}
}

// tokenMemory knows tokens that were good, by a keyed hash of 64 bits. A stranger who hits one by chance gets no
// further than to the check of its signature.
type tokenMemory struct {
	seed maphash.Seed

	mu     sync.Mutex
	hashes *simplelru.LRU[uint64, struct{}]
}

func newTokenMemory(capacity int) *tokenMemory {
	hashes, err := simplelru.NewLRU[uint64, struct{}](capacity, nil)
	if err != nil { // only a capacity below 1
		panic(err)
	}
	return &tokenMemory{seed: maphash.MakeSeed(), hashes: hashes}
}

func (m *tokenMemory) add(token string) {
	hash := maphash.String(m.seed, token)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hashes.Add(hash, struct{}{})
}

func (m *tokenMemory) knows(token string) bool {
	hash := maphash.String(m.seed, token)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hashes.Contains(hash)
}
