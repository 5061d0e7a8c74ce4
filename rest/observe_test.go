package rest

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// idService notes under which request the rules are called.
type idService struct {
	*fake
	got *string
}

func (s idService) ReadSession(ctx context.Context, _ auth.Principal, _ kyc.SessionKind, id string) (kyc.Session, error) {
	*s.got = kyc.RequestID(ctx)
	return kyc.Session{ID: id}, nil
}

// TestRequestIDReachesTheRules: one id is in the answer, in the log, and in the context that work is made under.
func TestRequestIDReachesTheRules(t *testing.T) {
	var got string
	a := newTestAPI(t, idService{plainService(), &got}, wellProbe())
	for given, want := range map[string]string{
		"":                          "request-0001",
		"caller-4711.x_y":           "caller-4711.x_y",
		"short":                     "request-0001",
		"with spaces and <tags>":    "request-0001",
		"newline\nlevel=ERROR":      "request-0001",
		strings.Repeat("x", 128):    strings.Repeat("x", 128),
		strings.Repeat("x", 129):    "request-0001",
		"018f4c1e-0000-7000-8000-1": "018f4c1e-0000-7000-8000-1",
	} {
		got = ""
		a.log.Reset()
		r := readSession()
		if given != "" {
			r.Header.Set("X-Request-Id", given)
		}
		w := a.do(r)
		if got != want || w.Header().Get("X-Request-Id") != want || !strings.Contains(a.log.String(), `"request_id":"`+want+`"`) {
			t.Errorf("%q: rules %q, answer %q, log %s, want %q", given, got, w.Header().Get("X-Request-Id"), a.log, want)
		}
	}
}

// TestEveryAnswerIsSecured: every answer has them, also one that is an error.
func TestEveryAnswerIsSecured(t *testing.T) {
	a := newTestAPI(t, plainService(), wellProbe())
	for name, r := range map[string]*http.Request{
		"good": readSession(), "probe": request("GET", "/live", "", ""), "nothing": request("GET", "/nothing", "", ""),
		"method": request("DELETE", "/live", "", ""), "refused": jsonRequest("/v2/idv/session/read", "{"),
	} {
		for _, secure := range []bool{false, true} {
			if secure {
				r.TLS = &tls.ConnectionState{}
			}
			w := a.do(r)
			for header, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
				"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'; sandbox",
				"Cross-Origin-Resource-Policy": "same-origin",
			} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s: %s: got %q, want %q", name, header, got, want)
				}
			}
			if got := w.Header().Get("Strict-Transport-Security") != ""; got != secure {
				t.Errorf("%s: Strict-Transport-Security: got %v, want %v", name, got, secure)
			}
		}
	}
}
