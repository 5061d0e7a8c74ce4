package rest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// TestScopes tries every operation with every single scope, and with none.
func TestScopes(t *testing.T) {
	var has []auth.Scope
	service := plainService()
	service.authenticate = func(string) (auth.Principal, error) {
		p := everyScope()
		p.Scopes = has
		return p, nil
	}
	a := newTestAPI(t, service, wellProbe())
	for at, op := range a.contract.operations {
		for _, scope := range append(auth.Scopes(), "") {
			has = []auth.Scope{scope}
			w := a.do(a.sample(t, at, op))
			allowed := len(op.scopes) == 0 || slices.Contains(op.scopes, scope)
			if allowed && w.Code != http.StatusOK {
				t.Errorf("%s with scope %q: %d %s", op.id, scope, w.Code, w.Body)
			}
			if !allowed {
				if w.Code != http.StatusForbidden || problemOf(t, w).Code != "forbidden" {
					t.Errorf("%s with scope %q: %d", op.id, scope, w.Code)
				}
				if got := w.Header().Get("WWW-Authenticate"); !strings.Contains(got, `error="insufficient_scope"`) || !strings.Contains(got, string(op.scopes[0])) {
					t.Errorf("%s: WWW-Authenticate %q", op.id, got)
				}
			}
		}
	}
}

// TestScopeTable is the table of openapi.yaml, said once more.
func TestScopeTable(t *testing.T) {
	c, err := loadContract(contractYAML)
	if err != nil {
		t.Fatal(err)
	}
	for at, op := range c.operations {
		var want []auth.Scope
		switch {
		case strings.HasPrefix(at.path, "/v2/idv/sdk/"):
			want = []auth.Scope{auth.ScopeSDK, auth.ScopeIDV}
		case strings.HasPrefix(at.path, "/v2/idv/requirements"), strings.HasPrefix(at.path, "/v2/idv/weights"):
			want = []auth.Scope{auth.ScopeConfig}
		case strings.HasPrefix(at.path, "/v2/idv/"):
			want = []auth.Scope{auth.ScopeIDV}
		case strings.HasPrefix(at.path, "/v2/ida/sdk/"):
			want = []auth.Scope{auth.ScopeSDK, auth.ScopeIDA}
		case strings.HasPrefix(at.path, "/v2/ida/"):
			want = []auth.Scope{auth.ScopeIDA}
		case at.path == "/v2/identity/sdk/status/read":
			want = []auth.Scope{auth.ScopeSDK, auth.ScopeIdentity, auth.ScopeIDA}
		case strings.HasPrefix(at.path, "/v2/identity/"):
			want = []auth.Scope{auth.ScopeIdentity}
		case strings.HasPrefix(at.path, "/v2/webhook/"):
			want = []auth.Scope{auth.ScopeWebhook}
		case strings.HasPrefix(at.path, "/v2/"):
			t.Errorf("%s has no entry in this test", op.id)
		}
		if !slices.Equal(op.scopes, want) {
			t.Errorf("%s: scopes %v, want %v", op.id, op.scopes, want)
		}
		if op.clientID != (strings.Contains(at.path, "/sdk/") && !strings.HasPrefix(at.path, "/v2/identity/")) {
			t.Errorf("%s: X-Client-Id %v", op.id, op.clientID)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	for _, c := range []struct {
		name      string
		header    []string
		err       error
		status    int
		challenge string
		seen      string
	}{
		{name: "good", header: []string{"Bearer abc"}, status: 200, seen: "abc"},
		{name: "any case", header: []string{"bEARER abc"}, status: 200, seen: "abc"},
		{name: "no header", status: 401, challenge: `Bearer realm="kycd"`},
		{name: "empty", header: []string{""}, status: 401, challenge: `Bearer realm="kycd"`},
		{name: "no token", header: []string{"Bearer "}, status: 401, challenge: `Bearer realm="kycd"`},
		{name: "other scheme", header: []string{"Basic YTpi"}, status: 401, challenge: `Bearer realm="kycd"`},
		{name: "two headers", header: []string{"Bearer abc", "Bearer abc"}, status: 401, challenge: `Bearer realm="kycd"`},
		{name: "refused", header: []string{"Bearer abc"}, err: kyc.Errorf(kyc.CodeUnauthorized, "expired"), status: 401, challenge: `Bearer realm="kycd", error="invalid_token"`, seen: "abc"},
		{name: "down", header: []string{"Bearer abc"}, err: kyc.Errorf(kyc.CodeUnavailable, "the keys are out of reach"), status: 503, seen: "abc"},
		{name: "broken", header: []string{"Bearer abc"}, err: errors.New("canary"), status: 500, seen: "abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := ""
			a := newTestAPI(t, &fake{authenticate: func(bearer string) (auth.Principal, error) {
				seen = bearer
				return everyScope(), c.err
			}}, wellProbe())
			r := jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`)
			r.Header["Authorization"] = c.header
			w := a.do(r)
			if w.Code != c.status || seen != c.seen || w.Header().Get("WWW-Authenticate") != c.challenge {
				t.Errorf("status %d, token %q, challenge %q", w.Code, seen, w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

// TestPrincipalReachesTheRules checks that the one who calls, and nobody else, is passed on.
func TestPrincipalReachesTheRules(t *testing.T) {
	want := auth.Principal{UserID: "u", ClientID: testClient, SessionID: "s", TokenID: "t", Scopes: auth.Scopes()}
	var got auth.Principal
	a := newTestAPI(t, &fake{
		authenticate: func(string) (auth.Principal, error) { return want, nil },
		addConsent:   func(p auth.Principal, _ string, _ bool) error { got = p; return nil },
	}, wellProbe())
	a.do(jsonRequest("/v2/idv/sdk/consent/add", `{"session_id":"x","consented":true}`))
	if got.UserID != want.UserID || got.ClientID != want.ClientID || got.SessionID != want.SessionID || got.TokenID != want.TokenID {
		t.Errorf("got %+v", got)
	}
}

func TestClientID(t *testing.T) {
	for _, c := range []struct {
		name    string
		header  []string
		status  int
		pointer string
	}{
		{"same", []string{testClient}, 200, ""},
		{"missing", nil, 400, "/header/X-Client-Id"},
		{"empty", []string{""}, 400, "/header/X-Client-Id"},
		{"other", []string{"client-2"}, 403, ""},
		{"twice", []string{testClient, "client-2"}, 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			called := false
			a := newTestAPI(t, &fake{addConsent: func(auth.Principal, string, bool) error { called = true; return nil }}, wellProbe())
			r := jsonRequest("/v2/idv/sdk/consent/add", `{"session_id":"x","consented":true}`)
			r.Header["X-Client-Id"] = c.header
			w := a.do(r)
			if w.Code != c.status || called != (c.status == 200) {
				t.Fatalf("status %d, called %v: %s", w.Code, called, w.Body)
			}
			if c.pointer != "" && !hasPointer(problemOf(t, w).Errors, c.pointer) {
				t.Errorf("errors: %s", w.Body)
			}
		})
	}
}
