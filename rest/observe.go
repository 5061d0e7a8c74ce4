package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kycd/kyc"
)

// observe is the outermost layer: it names the request, logs and counts its end, and turns a panic into
// an answer. Neither query strings nor bodies nor personal data are logged.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.now()
		x := &exchange{ResponseWriter: w, requestID: s.nameRequest(r), peer: s.proxies.Of(r)}
		x.request = r.WithContext(kyc.WithRequestID(context.WithValue(r.Context(), exchangeKey{}, x), x.requestID))
		s.secure.put(w.Header(), x.peer.HTTPS)
		w.Header()["X-Request-Id"] = []string{x.requestID}
		defer func() {
			if cause := recover(); cause != nil {
				if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(cause)
				}
				s.log.LogAttrs(r.Context(), slog.LevelError, "panic",
					slog.String("request_id", x.requestID), slog.String("operation", x.operationID()), slog.String("stack", string(debug.Stack())))
				s.fail(x, x.request, kyc.Internal(fmt.Errorf("panic: %T", cause)))
			}
			s.finish(x, s.now().Sub(start))
		}()
		if len(r.RequestURI) > maxURL {
			s.fail(x, x.request, refuse(codeURITooLong, "the URL may have at most "+strconv.Itoa(maxURL)+" bytes"))
			return
		}
		next.ServeHTTP(x, x.request)
	})
}

// finish writes the one log line and the one measurement of a request.
func (s *server) finish(x *exchange, took time.Duration) {
	if x.status == 0 {
		x.status = http.StatusOK // a handler that wrote nothing
	}
	s.durations.With(x.operationID(), x.status).Observe(took.Seconds())
	s.log.LogAttrs(x.request.Context(), slog.LevelInfo, "request",
		slog.String("method", x.method()), slog.String("route", x.routePattern()), slog.Int("status", x.status),
		slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("request_id", x.requestID),
		slog.String("client_id", x.principal.ClientID))
}

// identify notes which operation of the contract a request is for.
func (s *server) identify(op *operation) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			exchangeOf(r.Context()).operation = op
			next.ServeHTTP(w, r)
		})
	}
}

// nameRequest takes over the caller's X-Request-Id if it is harmless, and makes one otherwise.
func (s *server) nameRequest(r *http.Request) string {
	if given := r.Header.Get("X-Request-Id"); harmlessID(given) {
		return given
	}
	return s.newRequestID()
}

func harmlessID(id string) bool {
	if len(id) < 8 || len(id) > 128 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// secureHeaders forbid what an API's answers are never meant for. A page (/docs) sets its own policy. The values are
// made once and shared by all answers; whoever wants another one sets it, and changes none in place.
type secureHeaders struct{ nosniff, noStore, policy, noReferrer, sameOrigin, transport []string }

func newSecureHeaders() secureHeaders {
	return secureHeaders{
		nosniff:    []string{"nosniff"},
		noStore:    []string{"no-store"},
		policy:     []string{"default-src 'none'; frame-ancestors 'none'; sandbox"},
		noReferrer: []string{"no-referrer"},
		sameOrigin: []string{"same-origin"}, // no page elsewhere may embed an answer; to read one it needs CORS
		transport:  []string{"max-age=31536000"},
	}
}

func (s *secureHeaders) put(h http.Header, https bool) {
	h["X-Content-Type-Options"] = s.nosniff
	h["Cache-Control"] = s.noStore
	h["Content-Security-Policy"] = s.policy
	h["Referrer-Policy"] = s.noReferrer
	h["Cross-Origin-Resource-Policy"] = s.sameOrigin
	if https {
		h["Strict-Transport-Security"] = s.transport
	}
}

func (x *exchange) operationID() string {
	if x.operation == nil {
		return "none"
	}
	return x.operation.id
}

// routePattern is the path with names in place of ids.
func (x *exchange) routePattern() string {
	if x.operation == nil {
		return "none"
	}
	return x.operation.route.Path
}

// method is one that HTTP knows: a log line is no place for what a stranger made up.
func (x *exchange) method() string {
	switch x.request.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return x.request.Method
	}
	return "other"
}

// durations is the histogram of how long requests took.
type durations struct{ vec *prometheus.HistogramVec }

// newDurations makes the histogram, or finds the one that is registered already.
func newDurations(registry prometheus.Registerer) durations {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "kycd_http_request_duration_seconds",
		Help:    "Time from a request's first byte to the end of its answer, by operation of the contract and status.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"operation", "status"})
	if err := registry.Register(vec); err != nil {
		if already, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
			if registered, ok := already.ExistingCollector.(*prometheus.HistogramVec); ok {
				vec = registered
			}
		}
	}
	return durations{vec}
}

// With gives the histogram of one operation and status.
func (d durations) With(operation string, status int) prometheus.Observer {
	return d.vec.WithLabelValues(operation, strconv.Itoa(status))
}
