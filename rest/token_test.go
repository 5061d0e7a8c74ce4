package rest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
)

func TestToken(t *testing.T) {
	type asked struct {
		id, secret, session string
		scopes              []string
	}
	basic := func(id, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret)) }
	}
	for _, c := range []struct {
		name   string
		header func(*http.Request)
		query  string
		body   string
		err    error
		status int
		code   string // of the error
		asked  *asked
	}{
		{name: "basic", header: basic("c 1:ü", "s+e/c%"), body: "grant_type=client_credentials&scope=idv+webhook", status: 200,
			asked: &asked{id: "c 1:ü", secret: "s+e/c%", scopes: []string{"idv", "webhook"}}},
		{name: "body", body: "grant_type=client_credentials&client_id=c1&client_secret=s%26", status: 200, asked: &asked{id: "c1", secret: "s&"}},
		{name: "basic and the same id", header: basic("c1", "s"), body: "grant_type=client_credentials&client_id=c1", status: 200, asked: &asked{id: "c1", secret: "s"}},
		{name: "sdk", header: basic("c1", "s"), body: "grant_type=client_credentials&scope=sdk&session_id=x", status: 200,
			asked: &asked{id: "c1", secret: "s", session: "x", scopes: []string{"sdk"}}},
		{name: "nobody", body: "grant_type=client_credentials", status: 401, code: "invalid_client"},
		{name: "id alone", body: "grant_type=client_credentials&client_id=c1", status: 401, code: "invalid_client"},
		{name: "secret in the query", query: "?client_id=c1&client_secret=s", body: "grant_type=client_credentials", status: 401, code: "invalid_client"},
		{name: "grant type in the query", header: basic("c1", "s"), query: "?grant_type=client_credentials", body: "scope=idv", status: 400, code: "invalid_request"},
		{name: "bearer", header: func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, body: "grant_type=client_credentials", status: 401, code: "invalid_client"},
		{name: "bad basic", header: func(r *http.Request) { r.Header.Set("Authorization", "Basic ???") }, body: "grant_type=client_credentials", status: 401, code: "invalid_client"},
		{name: "bad escape", header: func(r *http.Request) { r.SetBasicAuth("%zz", "s") }, body: "grant_type=client_credentials", status: 401, code: "invalid_client"},
		{name: "two ways", header: basic("c1", "s"), body: "grant_type=client_credentials&client_id=c1&client_secret=s", status: 400, code: "invalid_request"},
		{name: "two clients", header: basic("c1", "s"), body: "grant_type=client_credentials&client_id=c2", status: 400, code: "invalid_request"},
		{name: "no grant type", header: basic("c1", "s"), body: "scope=idv", status: 400, code: "invalid_request"},
		{name: "other grant type", header: basic("c1", "s"), body: "grant_type=password", status: 400, code: "unsupported_grant_type"},
		{name: "repeated", header: basic("c1", "s"), body: "grant_type=client_credentials&grant_type=client_credentials", status: 400, code: "invalid_request"},
		{name: "no form", header: basic("c1", "s"), body: "grant_type=%zz", status: 400, code: "invalid_request"},
		{name: "wrong secret", header: basic("c1", "s"), body: "grant_type=client_credentials", err: kyc.Errorf(kyc.CodeUnauthorized, "no"), status: 401, code: "invalid_client"},
		{name: "wrong scope", header: basic("c1", "s"), body: "grant_type=client_credentials", err: kyc.Errorf(kyc.CodeForbidden, `no "scope" \ é`), status: 400, code: "invalid_scope"},
		{name: "no such session", header: basic("c1", "s"), body: "grant_type=client_credentials", err: kyc.Errorf(kyc.CodeNotFound, "no such session"), status: 400, code: "invalid_request"},
		{name: "throttled", header: basic("c1", "s"), body: "grant_type=client_credentials", err: &kyc.Error{Code: kyc.CodeTooManyRequests, Message: "slow", RetryAfter: 7 * time.Second}, status: 429, code: "temporarily_unavailable"},
		{name: "down", header: basic("c1", "s"), body: "grant_type=client_credentials", err: kyc.Errorf(kyc.CodeUnavailable, "down"), status: 503, code: "temporarily_unavailable"},
		{name: "broken", header: basic("c1", "s"), body: "grant_type=client_credentials", err: kyc.Internal(http.ErrBodyNotAllowed), status: 500, code: "server_error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got *asked
			a := newTestAPI(t, &fake{issueToken: func(id, secret string, scopes []string, session string) (kyc.Token, error) {
				got = &asked{id, secret, session, scopes}
				return kyc.Token{AccessToken: "a.b.c", ExpiresIn: 90 * time.Minute, Scopes: []string{"idv", "webhook"}}, c.err
			}}, wellProbe())
			r := request(http.MethodPost, "/oauth2/token"+c.query, mediaForm+"; charset=UTF-8", c.body)
			r.Header.Del("Authorization")
			if c.header != nil {
				c.header(r)
			}
			w := a.do(r)
			if w.Code != c.status {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Pragma") != "no-cache" {
				t.Errorf("may be cached: %v", w.Header())
			}
			_, op := a.operation(t, "oauthToken")
			checkAnswer(t, op, r, w)
			var body map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			if c.status == 200 {
				if body["access_token"] != "a.b.c" || body["token_type"] != "Bearer" || body["expires_in"] != 5400.0 || body["scope"] != "idv webhook" {
					t.Errorf("body %v", body)
				}
				if got == nil || got.id != c.asked.id || got.secret != c.asked.secret || got.session != c.asked.session || !slices.Equal(got.scopes, c.asked.scopes) {
					t.Errorf("asked for %+v, want %+v", got, c.asked)
				}
				return
			}
			if body["error"] != c.code || body["error_description"] == "" {
				t.Errorf("body %v", body)
			}
			if strings.ContainsAny(body["error_description"].(string), "\"\\é") {
				t.Errorf("characters that RFC 6749 forbids: %v", body)
			}
			if (c.status == 401) != strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("WWW-Authenticate %q", w.Header().Get("WWW-Authenticate"))
			}
			if (c.status == 429) != (w.Header().Get("Retry-After") == "7") {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestOauthMetadata(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	var body map[string]any
	w := a.do(request(http.MethodGet, "/.well-known/oauth-authorization-server", "", ""))
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if body["issuer"] != "https://kyc.example" || body["token_endpoint"] != "https://kyc.example/oauth2/token" || body["jwks_uri"] != "https://kyc.example/.well-known/jwks.json" {
		t.Errorf("body %v", body)
	}
	for _, path := range []string{"/oauth2/token", "/.well-known/jwks.json", "/docs"} {
		if w := a.do(request(http.MethodGet, path, "", "")); w.Code == http.StatusNotFound {
			t.Errorf("%s is named, and not there", path)
		}
	}
}
