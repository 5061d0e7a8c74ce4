package rest

import (
	"context"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"
	"github.com/rs/cors"

	"kycd/kyc/auth"
)

// Origins knows the web origins from which the SDK of a client may call. An empty client id stands for any client:
// a browser asks for permission before it says for whom.
type Origins interface {
	AllowedOrigin(ctx context.Context, clientID, origin string) bool
}

// preflightAge is for how long a browser may remember a permission, in seconds.
const preflightAge = 600

// forDevices tells whether an operation is one that a device calls. Only these can be called from web pages of
// other origins: a backend needs no such thing, and its secret belongs into no page.
func (op *operation) forDevices() bool {
	return op.clientID || slices.Contains(op.scopes, auth.ScopeSDK)
}

// newCORS makes the answer to browsers that ask for other origins, for a path with these methods. Cookies and the
// like are never allowed: whoever calls has a token.
func newCORS(origins Origins, methods ...string) *cors.Cors {
	return cors.New(cors.Options{
		AllowOriginVaryRequestFunc: func(r *http.Request, origin string) (bool, []string) {
			if origin == "" {
				return false, nil
			}
			if r.Method == http.MethodOptions { // which cannot say for whom it asks
				return origins.AllowedOrigin(r.Context(), "", origin), nil
			}
			return origins.AllowedOrigin(r.Context(), r.Header.Get("X-Client-Id"), origin), []string{"X-Client-Id"}
		},
		AllowedMethods: methods,
		AllowedHeaders: []string{"Authorization", "Content-Type", "X-Client-Id", "Idempotency-Key", "X-Request-Id"},
		ExposedHeaders: []string{"X-Request-Id", "Retry-After", "Idempotency-Replayed", "RateLimit", "RateLimit-Policy"},
		MaxAge:         preflightAge,
	})
}

// share lets the page that called read the answer, an error too, if its origin is one of the client's.
func (s *server) share(op *operation) func(http.Handler) http.Handler {
	policy := newCORS(s.service, op.route.Method)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			policy.HandlerFunc(w, r)
			next.ServeHTTP(w, r)
		})
	}
}

// sharePaths answers browsers that ask whether they may call the operations of devices.
func (s *server) sharePaths(router chi.Router) {
	methods := map[string][]string{}
	for at, op := range s.contract.operations {
		if op.forDevices() {
			methods[at.path] = append(methods[at.path], at.method)
		}
	}
	for path, taken := range methods {
		slices.Sort(taken)
		policy := newCORS(s.service, taken...)
		router.Options(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Access-Control-Request-Method") == "" { // nobody's browser
				s.refuseMethod(w, r, append([]string{http.MethodOptions}, taken...))
				return
			}
			policy.HandlerFunc(w, r)
		})
	}
}
