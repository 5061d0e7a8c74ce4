package rest

import (
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// FuzzIdempotencyKey: keys of 1 to 255 visible ASCII characters are taken, and no others.
func FuzzIdempotencyKey(f *testing.F) {
	a := newTestAPI(f, plainService(), wellProbe())
	_, op := a.operation(f, "idvSessionCreate")
	at := slices.IndexFunc(op.parameters, func(p *openapi3.Parameter) bool { return p.Name == headerIdempotencyKey })
	for _, seed := range []string{"", "k", "0e7c1f5a-3f0d-4c39-9a53-6b1e2f8d4c70", strings.Repeat("k", 255), strings.Repeat("k", 256), "a b", "\t", "ü", "~!",
		"\x7f", "\x00", "k\n", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header[headerIdempotencyKey] = []string{key}
		good := len(key) >= 1 && len(key) <= 255 && !strings.ContainsFunc(key, func(c rune) bool { return c < '!' || c > '~' })
		bad := headerErrors(r, op.parameters[at])
		if good != (len(bad) == 0) {
			t.Fatalf("%q: %v", key, bad)
		}
		for _, f := range bad {
			if f.Pointer != "/header/Idempotency-Key" || f.Code == "" || len(key) > 1 && strings.Contains(f.Message, key) {
				t.Fatalf("%q: %+v", key, f)
			}
		}
	})
}

// FuzzBearer: a token is what stands behind the scheme, and nothing else is one.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"", "Bearer", "Bearer ", "Bearer x", "bearer  x ", "BEARER x y", "Basic x", "Bearer\tx", "Bearerx", " Bearer x",
		"Bearer \u00a0", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, ok := bearerToken(http.Header{"Authorization": {header}})
		if ok != (len(header) > 7 && strings.EqualFold(header[:7], "bearer ") && strings.TrimSpace(header[7:]) != "") {
			t.Fatalf("%q: %v %q", header, ok, token)
		}
		if ok && (token == "" || token != strings.TrimSpace(token) || !strings.Contains(header, token)) {
			t.Fatalf("%q: %q", header, token)
		}
		if _, ok := bearerToken(http.Header{"Authorization": {header, header}}); ok {
			t.Fatal("two headers are one token")
		}
	})
}

// FuzzAccept: whatever a caller likes, it gets something that there is, and what it likes alone if there is that.
func FuzzAccept(f *testing.F) {
	for _, seed := range []string{
		"", "*/*", "application/json", "image/*;q=0.5, application/json;q=0.4", "text/plain;q=0", "APPLICATION/JSON ; Q=1.000", "application/json;q=NaN",
		"application/json;q=1e0",
		";;;", ",", "application/json;q=-0", "application/json;q=0.5;q=1", "*/json", "image/jpeg;q=2", "a/b;q=\"1\"", "application/json;charset=utf-8;q=0.1",
	} {
		f.Add(seed)
	}
	offered := []string{"image/jpeg", mediaJSON, "text/plain"}
	f.Fuzz(func(t *testing.T, accept string) {
		if got := prefers(accept, offered...); !slices.Contains(offered, got) {
			t.Fatalf("%q: %q", accept, got)
		}
		for _, offer := range offered {
			if q := quality(accept, offer); math.IsNaN(q) || q < 0 || q > 1 {
				t.Fatalf("%q: %s has the weight %v", accept, offer, q)
			}
			if got := prefers(offer, offered...); got != offer {
				t.Fatalf("%s alone: %s", offer, got)
			}
			if got := prefers("nothing/here, "+offer+";q=0.001", offered...); got != offer {
				t.Fatalf("%s almost alone: %s", offer, got)
			}
		}
	})
}

// FuzzRequestID: an id that is taken over can be written into a log and a header as it is.
func FuzzRequestID(f *testing.F) {
	for _, seed := range []string{"", "12345678", "1234567", strings.Repeat("x", 128), strings.Repeat("x", 129), "a b c d e",
		"01994a7e-3c51-7b0e-9d42-1f6a5c8e2b01", "x\nlevel=ERROR", "\u202e\u202e\u202e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		good := len(id) >= 8 && len(id) <= 128 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
		if harmlessID(id) != good {
			t.Fatalf("%q: %v", id, !good)
		}
	})
}
