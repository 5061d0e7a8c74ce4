// Package rest is the REST API: it decodes what openapi.yaml describes, calls the rules, and encodes their
// answers. No rule lives here. Types and routes are generated from openapi.yaml (rest/generated), and
// requests are validated against the same file.
package rest

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kycd/kyc"
	api "kycd/rest/generated"
	"kycd/rest/oauth"
	"kycd/rest/peer"
)

// Options is what the REST API is made from. Service and Probe are needed.
type Options struct {
	Service      Service
	Probe        Probe
	Log          *slog.Logger         // nil: nothing is logged
	Registry     *prometheus.Registry // of the whole process, shown at /metrics; nil: one of its own
	Version      string               // of the service
	Environment  string               // production, development …
	PublicURL    string               // how callers reach the service, and the issuer of its tokens; empty: as each request names it
	Limits       Limits               // the zero Limits limit nobody
	Trusted      []netip.Prefix       // where proxies stand whose word on the caller's address counts
	Now          func() time.Time     // nil: the system's clock
	NewRequestID func() string        // nil: 130 random bits
}

// server holds what the handlers use. Its methods with the names of operations are the handlers.
type server struct {
	service      Service
	probe        Probe
	log          *slog.Logger
	version      string
	environment  string
	publicURL    string
	now          func() time.Time
	newRequestID func() string
	started      time.Time
	contract     *contract
	titles       map[kyc.Code]string
	durations    durations
	prometheus   http.Handler
	bodies       budget
	oauth        *oauth.Server
	kept         *keptAnswers
	throttles    throttles
	proxies      *peer.Proxies
	secure       secureHeaders
}

// New makes the handler of the whole REST API. It panics if its own contract is not well-formed, or a trusted network
// is none.
func New(o Options) http.Handler {
	contract, err := loadContract(contractYAML)
	if err != nil {
		panic(err)
	}
	proxies, err := peer.Trust(o.Trusted)
	if err != nil {
		panic(err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewRequestID == nil {
		o.NewRequestID = rand.Text
	}
	s := &server{
		service: o.Service, probe: o.Probe, log: o.Log,
		version: o.Version, environment: o.Environment, publicURL: strings.TrimRight(o.PublicURL, "/"),
		now: o.Now, newRequestID: o.NewRequestID, started: o.Now(),
		contract: contract, titles: titles(), bodies: newBudget(maxBodiesInFlight), oauth: oauth.New(o.Service), kept: newKeptAnswers(),
		durations: newDurations(o.Registry),
		throttles: newThrottles(o.Limits), proxies: proxies, secure: newSecureHeaders(),
		prometheus: promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{EnableOpenMetrics: true}),
	}
	router := chi.NewRouter()
	router.Use(middleware.GetHead)
	router.NotFound(s.admit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, refuse(kyc.CodeNotFound, "there is nothing at this path"))
	})).ServeHTTP)
	router.MethodNotAllowed(s.admit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.refuseMethod(w, r, allowed(router, r.URL.Path))
	})).ServeHTTP)
	documentation, err := s.newReference()
	if err != nil {
		panic(err) // contract and page are parts of the program
	}
	documentation.Mount(router.With(s.admit))

	router.With(s.admit).Get(oauth.DiscoveryPath, s.openIDConfiguration)

	// The defaults of the generated code would show err.Error() to the caller.
	malformed := func(w http.ResponseWriter, r *http.Request, err error) {
		s.fail(w, r, refuse(kyc.CodeInvalid, "the request does not have the form that the contract asks for"))
	}
	handlers := api.NewStrictHandlerWithOptions(s, nil, api.StrictHTTPServerOptions{
		RequestErrorHandlerFunc:  malformed,
		ResponseErrorHandlerFunc: s.fail,
	})
	api.HandlerWithOptions(handlers, api.ChiServerOptions{
		BaseRouter:       routes{Router: router, contract: contract, guards: s.guards},
		ErrorHandlerFunc: malformed,
	})
	s.sharePaths(router)
	return s.observe(router)
}

// guards is what a request passes on its way to the handler of an operation. It panics if the contract is not
// well-formed.
func (s *server) guards(op *operation) chi.Middlewares {
	within, err := op.timeLimit()
	if err != nil {
		panic(fmt.Errorf("openapi.yaml: %s: %w", op.id, err))
	}
	guards := chi.Middlewares{s.identify(op)}
	if op.forDevices() {
		guards = append(guards, s.share(op))
	}
	return append(guards, s.admit, s.authenticate, s.throttle, s.bound(within), s.validate, s.repeat)
}

// refuseMethod says which methods a path takes.
func (s *server) refuseMethod(w http.ResponseWriter, r *http.Request, methods []string) {
	w.Header().Set("Allow", strings.Join(methods, ", "))
	s.fail(w, r, refuse(codeMethodNotAllowed, "this path does not take this method"))
}

// allowed are the methods that a path takes.
func allowed(router chi.Routes, path string) []string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		found := method
		if method == http.MethodHead {
			found = http.MethodGet
		}
		if router.Match(chi.NewRouteContext(), found, path) {
			methods = append(methods, method)
		}
	}
	return methods
}

// pathParams are the values of the names in a path.
func pathParams(r *http.Request) map[string]string {
	params := chi.RouteContext(r.Context()).URLParams
	values := make(map[string]string, len(params.Keys))
	for i, key := range params.Keys {
		values[key] = params.Values[i]
	}
	return values
}
