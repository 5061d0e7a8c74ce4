package rest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kycd/kyc/auth"
)

func httptestRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// sink is an answer that nobody reads.
type sink struct{ header http.Header }

func (s sink) Header() http.Header         { return s.header }
func (s sink) Write(b []byte) (int, error) { return len(b), nil }
func (s sink) WriteHeader(int)             {}

// BenchmarkMiddleware is one request through everything, with a service that does nothing: what the API
// costs before the rules begin. GET has no body and no token; POST has both.
func BenchmarkMiddleware(b *testing.B) {
	principal := everyScope()
	api := New(Options{Service: &fake{authenticate: func(string) (auth.Principal, error) { return principal, nil }}, Probe: wellProbe()})
	for name, make := range map[string]func() *http.Request{
		"get": func() *http.Request { return request(http.MethodGet, "/ping", "", "") },
		"sdk": func() *http.Request {
			return jsonRequest("/v2/idv/sdk/consent/add", `{"session_id":"018f4c1e-0000-7000-8000-000000000001","consented":true}`)
		},
	} {
		b.Run(name, func(b *testing.B) {
			r := make()
			body, _ := io.ReadAll(r.Body)
			w := sink{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				r.Body = io.NopCloser(strings.NewReader(string(body)))
				clear(w.header)
				api.ServeHTTP(w, r)
			}
		})
	}
}
