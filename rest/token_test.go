package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"kycd/kyc"
	"kycd/kyc/auth"
)

func (f *fake) ClientCredentials() bool { return true }

func (f *fake) AuthenticateClient(_ context.Context, clientID, _ string) (auth.Principal, error) {
	return auth.Principal{UserID: "user-1", ClientID: clientID, Scopes: auth.Scopes()}, nil
}

func (f *fake) GrantToken(ctx context.Context, holder auth.Principal, scopes []string, sessionID string) (kyc.Token, error) {
	return f.IssueToken(ctx, holder.ClientID, "", scopes, sessionID)
}

// desk is a fake that gives tokens, and remembers who asked for which.
type desk struct {
	*fake
	external bool  // an external issuer gives the clients' tokens
	client   error // of AuthenticateClient
	token    error // of Authenticate, also within a token exchange
	grant    error // of GrantToken

	subject auth.Principal // who a subject_token speaks for
	asked   *askedToken
}

// askedToken is what reached the rules.
type askedToken struct {
	id, secret string // of client credentials
	subject    string // of token exchange
	holder     string // client whom the token is for
	scopes     []string
	session    string
}

func (d *desk) ClientCredentials() bool { return !d.external }

func (d *desk) AuthenticateClient(_ context.Context, id, secret string) (auth.Principal, error) {
	d.asked = &askedToken{id: id, secret: secret}
	return auth.Principal{UserID: "u", ClientID: id, Scopes: []auth.Scope{auth.ScopeIDV}}, d.client
}

func (d *desk) Authenticate(_ context.Context, bearer string) (auth.Principal, error) {
	if d.asked == nil {
		d.asked = &askedToken{}
	}
	d.asked.subject = bearer
	return d.subject, d.token
}

func (d *desk) GrantToken(_ context.Context, holder auth.Principal, scopes []string, session string) (kyc.Token, error) {
	d.asked.holder, d.asked.scopes, d.asked.session = holder.ClientID, scopes, session
	return kyc.Token{AccessToken: "a.b.c", ExpiresIn: 90 * time.Minute, Scopes: []string{"idv", "webhook"}}, d.grant
}

// exchangeForm is a token exchange of the client c1, with changes; an empty value takes a parameter away.
func exchangeForm(changes ...string) string {
	form := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {"x.y.z"}, "client_id": {"c1"},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "scope": {"sdk"}, "session_id": {"s1"},
	}
	for i := 0; i < len(changes); i += 2 {
		if form.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			form.Del(changes[i])
		}
	}
	return form.Encode()
}

func TestToken(t *testing.T) {
	basic := func(id, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret)) }
	}
	header := func(values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header["Authorization"] = values }
	}
	const credentials = "grant_type=client_credentials"
	for _, c := range []struct {
		name   string
		header func(*http.Request)
		query  string
		body   string
		desk   desk
		status int
		code   string // of the error
		asked  *askedToken
	}{
		{name: "basic", header: basic("c 1:ü", "s+e/c%"), body: credentials + "&scope=idv+webhook", status: 200,
			asked: &askedToken{id: "c 1:ü", secret: "s+e/c%", holder: "c 1:ü", scopes: []string{"idv", "webhook"}}},
		{name: "body", body: credentials + "&client_id=c1&client_secret=s%26", status: 200, asked: &askedToken{id: "c1", secret: "s&", holder: "c1"}},
		{name: "basic and the same id", header: basic("c1", "s"), body: credentials + "&client_id=c1", status: 200, asked: &askedToken{id: "c1", secret: "s", holder: "c1"}},
		{name: "blanks between scopes", header: basic("c1", "s"), body: credentials + "&scope=+idv++webhook+", status: 200,
			asked: &askedToken{id: "c1", secret: "s", holder: "c1", scopes: []string{"idv", "webhook"}}},
		{name: "sdk", header: basic("c1", "s"), body: credentials + "&scope=sdk&session_id=x", status: 200,
			asked: &askedToken{id: "c1", secret: "s", holder: "c1", session: "x", scopes: []string{"sdk"}}},
		{name: "unknown parameter", header: basic("c1", "s"), body: credentials + "&foo=bar", status: 200, asked: &askedToken{id: "c1", secret: "s", holder: "c1"}},
		{name: "nobody", body: credentials, status: 401, code: "invalid_client"},
		{name: "id alone", body: credentials + "&client_id=c1", status: 401, code: "invalid_client"},
		{name: "secret alone", body: credentials + "&client_secret=s", status: 401, code: "invalid_client"},
		{name: "empty secret", header: basic("c1", ""), body: credentials, status: 401, code: "invalid_client"},
		{name: "empty id", header: basic("", "s"), body: credentials, status: 401, code: "invalid_client"},
		{name: "secret in the query", query: "?client_id=c1&client_secret=s", body: credentials, status: 401, code: "invalid_client"},
		{name: "grant type in the query", header: basic("c1", "s"), query: "?" + credentials, body: "scope=idv", status: 400, code: "invalid_request"},
		{name: "scope in the query", header: basic("c1", "s"), query: "?scope=config", body: credentials, status: 200, asked: &askedToken{id: "c1", secret: "s", holder: "c1"}},
		{name: "bearer", header: header("Bearer x"), body: credentials, status: 401, code: "invalid_client"},
		{name: "bearer and the body", header: header("Bearer x"), body: credentials + "&client_id=c1&client_secret=s", status: 401, code: "invalid_client"},
		{name: "bad basic", header: header("Basic ???"), body: credentials, status: 401, code: "invalid_client"},
		{name: "two headers", header: header("Basic YTpi", "Basic YTpi"), body: credentials, status: 400, code: "invalid_request"},
		{name: "bad escape in the id", header: func(r *http.Request) { r.SetBasicAuth("%zz", "s") }, body: credentials, status: 401, code: "invalid_client"},
		{name: "bad escape in the secret", header: func(r *http.Request) { r.SetBasicAuth("c1", "%zz") }, body: credentials, status: 401, code: "invalid_client"},
		{name: "two ways", header: basic("c1", "s"), body: credentials + "&client_id=c1&client_secret=s", status: 400, code: "invalid_request"},
		{name: "two secrets", header: basic("c1", "s"), body: credentials + "&client_secret=s", status: 400, code: "invalid_request"},
		{name: "two clients", header: basic("c1", "s"), body: credentials + "&client_id=c2", status: 400, code: "invalid_request"},
		{name: "an assertion", body: credentials + "&client_id=c1&client_assertion=a.b.c&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer", status: 401, code: "invalid_client"},
		{name: "an assertion beside", header: basic("c1", "s"), body: credentials + "&client_assertion=a.b.c&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer", status: 400, code: "invalid_request"},
		{name: "no grant type", header: basic("c1", "s"), body: "scope=idv", status: 400, code: "invalid_request"},
		{name: "empty grant type", header: basic("c1", "s"), body: "grant_type=", status: 400, code: "unsupported_grant_type"},
		{name: "other grant type", header: basic("c1", "s"), body: "grant_type=password", status: 400, code: "unsupported_grant_type"},
		{name: "refresh", header: basic("c1", "s"), body: "grant_type=refresh_token&refresh_token=x", status: 400, code: "unsupported_grant_type"},
		{name: "code", header: basic("c1", "s"), body: "grant_type=authorization_code&code=x", status: 400, code: "unsupported_grant_type"},
		{name: "repeated", header: basic("c1", "s"), body: credentials + "&" + credentials, status: 400, code: "invalid_request"},
		{name: "repeated scope", header: basic("c1", "s"), body: credentials + "&scope=idv&scope=ida", status: 400, code: "invalid_request"},
		{name: "no form", header: basic("c1", "s"), body: "grant_type=%zz", status: 400, code: "invalid_request"},
		{name: "wrong secret", header: basic("c1", "s"), body: credentials, desk: desk{client: kyc.Errorf(kyc.CodeUnauthorized, "no")}, status: 401, code: "invalid_client"},
		{name: "wrong secret in the body", body: credentials + "&client_id=c1&client_secret=s", desk: desk{client: kyc.Errorf(kyc.CodeUnauthorized, "no")}, status: 401, code: "invalid_client"},
		{name: "wrong scope", header: basic("c1", "s"), body: credentials, desk: desk{grant: kyc.Errorf(kyc.CodeForbidden, `no "scope" \ é`)}, status: 400, code: "invalid_scope"},
		{name: "no such session", header: basic("c1", "s"), body: credentials, desk: desk{grant: kyc.Errorf(kyc.CodeNotFound, "no such session")}, status: 400, code: "invalid_request"},
		{name: "throttled", header: basic("c1", "s"), body: credentials, desk: desk{client: &kyc.Error{Code: kyc.CodeTooManyRequests, Message: "slow", RetryAfter: 7 * time.Second}}, status: 429, code: "temporarily_unavailable"},
		{name: "down", header: basic("c1", "s"), body: credentials, desk: desk{client: kyc.Errorf(kyc.CodeUnavailable, "down")}, status: 503, code: "temporarily_unavailable"},
		{name: "broken", header: basic("c1", "s"), body: credentials, desk: desk{grant: kyc.Internal(http.ErrBodyNotAllowed)}, status: 500, code: "server_error"},
		{name: "an external issuer", header: basic("c1", "s"), body: credentials, desk: desk{external: true}, status: 400, code: "unauthorized_client"},
		{name: "an external issuer, wrong secret", header: basic("c1", "s"), body: credentials, desk: desk{external: true, client: kyc.Errorf(kyc.CodeUnauthorized, "no")}, status: 401, code: "invalid_client"},

		{name: "exchange", body: exchangeForm(), status: 200, asked: &askedToken{subject: "x.y.z", holder: "c1", scopes: []string{"sdk"}, session: "s1"}},
		{name: "exchange with a secret", header: basic("c1", "s"), body: exchangeForm("client_id", ""), status: 200,
			asked: &askedToken{id: "c1", secret: "s", subject: "x.y.z", holder: "c1", scopes: []string{"sdk"}, session: "s1"}},
		{name: "exchange at an external issuer's", body: exchangeForm(), desk: desk{external: true}, status: 200, asked: &askedToken{subject: "x.y.z", holder: "c1", scopes: []string{"sdk"}, session: "s1"}},
		{name: "exchange of a JWT", body: exchangeForm("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"), status: 200,
			asked: &askedToken{subject: "x.y.z", holder: "c1", scopes: []string{"sdk"}, session: "s1"}},
		{name: "exchange for an access token", body: exchangeForm("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"), status: 200,
			asked: &askedToken{subject: "x.y.z", holder: "c1", scopes: []string{"sdk"}, session: "s1"}},
		{name: "exchange for this service", body: exchangeForm("audience", "https://kyc.example", "resource", "https://kyc.example"), status: 200,
			asked: &askedToken{subject: "x.y.z", holder: "c1", scopes: []string{"sdk"}, session: "s1"}},
		{name: "exchange for another audience", body: exchangeForm("audience", "https://other.example"), status: 400, code: "invalid_target"},
		{name: "exchange for another resource", body: exchangeForm("resource", "https://other.example"), status: 400, code: "invalid_target"},
		{name: "exchange for nobody", body: exchangeForm("client_id", ""), status: 401, code: "invalid_client"},
		{name: "exchange with an assertion", body: exchangeForm("client_assertion", "a.b.c", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), status: 401, code: "invalid_client"},
		{name: "exchange for another client", body: exchangeForm("client_id", "c2"), status: 400, code: "invalid_request"},
		{name: "exchange with a wrong secret", header: basic("c1", "s"), body: exchangeForm(), desk: desk{client: kyc.Errorf(kyc.CodeUnauthorized, "no")}, status: 401, code: "invalid_client"},
		{name: "exchange without a token", body: exchangeForm("subject_token", ""), status: 400, code: "invalid_request"},
		{name: "exchange of no type", body: exchangeForm("subject_token_type", ""), status: 400, code: "invalid_request"},
		{name: "exchange of a strange type", body: exchangeForm("subject_token_type", "urn:ietf:params:oauth:token-type:saml2"), status: 400, code: "invalid_request"},
		{name: "exchange of an ID token", body: exchangeForm("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"), status: 400, code: "invalid_request"},
		{name: "exchange for a refresh token", body: exchangeForm("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"), status: 400, code: "invalid_request"},
		{name: "exchange with an actor", body: exchangeForm("actor_token", "x", "actor_token_type", "urn:ietf:params:oauth:token-type:access_token"), status: 400, code: "invalid_request"},
		{name: "exchange of a bad token", body: exchangeForm(), desk: desk{token: kyc.Errorf(kyc.CodeUnauthorized, "no")}, status: 400, code: "invalid_request"},
		{name: "exchange of a device's token", body: exchangeForm(), desk: desk{subject: auth.Principal{ClientID: "c1", SessionID: "s1"}}, status: 400, code: "invalid_request"},
		{name: "exchange for a wrong scope", body: exchangeForm("scope", "idv"), desk: desk{grant: kyc.Errorf(kyc.CodeForbidden, "no")}, status: 400, code: "invalid_scope"},
		{name: "exchange while the issuer is down", body: exchangeForm(), desk: desk{token: &kyc.Error{Code: kyc.CodeUnavailable, Message: "down", RetryAfter: 7 * time.Second}}, status: 503, code: "temporarily_unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := c.desk
			d.fake = &fake{}
			if d.subject.ClientID == "" {
				d.subject = auth.Principal{ClientID: "c1", TokenID: "t1", Scopes: []auth.Scope{auth.ScopeIDV}}
			}
			a := newTestAPI(t, &d, wellProbe())
			r := request(http.MethodPost, "/oauth2/token"+c.query, mediaForm+"; charset=UTF-8", c.body)
			r.Header.Del("Authorization")
			if c.header != nil {
				c.header(r)
			}
			w := a.do(r)
			if w.Code != c.status {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Pragma") != "no-cache" || w.Header().Get("Content-Type") != mediaJSON {
				t.Errorf("header %v", w.Header())
			}
			_, op := a.operation(t, "oauthToken")
			checkAnswer(t, op, r, w)
			var body map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			if c.status == 200 {
				want := map[string]any{"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 5400.0, "scope": "idv webhook"}
				if c.asked.subject != "" {
					want["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
				}
				if !reflect.DeepEqual(body, want) {
					t.Errorf("body %v, want %v", body, want)
				}
				if len(d.asked.scopes) == 0 {
					d.asked.scopes = nil
				}
				if !reflect.DeepEqual(d.asked, c.asked) {
					t.Errorf("asked for %+v, want %+v", d.asked, c.asked)
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
			if got := w.Header().Get("Retry-After"); (c.status == 429 || c.status == 503) != (got != "") || c.status == 429 && got != "7" {
				t.Errorf("Retry-After %q", got)
			}
		})
	}
}

// TestTokenMethod: the library would take a token request by any method.
func TestTokenMethod(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		r := request(method, "/oauth2/token?grant_type=client_credentials&client_id=c1&client_secret=s", "", "")
		if w := a.do(r); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodPost {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	r := request(http.MethodPost, "/oauth2/token", mediaJSON, `{"grant_type":"client_credentials"}`)
	if w := a.do(r); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("JSON: %d", w.Code)
	}
	r = request(http.MethodPost, "/oauth2/token", mediaForm, "grant_type=client_credentials&pad="+strings.Repeat("x", defaultMaxBody))
	if w := a.do(r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a large form: %d", w.Code)
	}
}

func TestOauthMetadata(t *testing.T) {
	for _, external := range []bool{false, true} {
		a := newTestAPI(t, &desk{fake: &fake{}, external: external}, wellProbe())
		grants := []any{"client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"}
		if external {
			grants = grants[1:]
		}
		for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
			var body map[string]any
			w := a.do(request(http.MethodGet, path, "", ""))
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK || w.Header().Get("Content-Type") != mediaJSON {
				t.Fatalf("%s: %d, %v, %v", path, w.Code, w.Header(), err)
			}
			for name, want := range map[string]any{
				"issuer": "https://kyc.example", "token_endpoint": "https://kyc.example/oauth2/token", "jwks_uri": "https://kyc.example/.well-known/jwks.json",
				"service_documentation": "https://kyc.example/docs", "grant_types_supported": grants, "response_types_supported": []any{},
				"scopes_supported":                      []any{"idv", "ida", "identity", "webhook", "config", "dashboard", "sdk"},
				"token_endpoint_auth_methods_supported": []any{"client_secret_basic", "client_secret_post", "none"},
			} {
				if !reflect.DeepEqual(body[name], want) {
					t.Errorf("%s: %s is %v, want %v", path, name, body[name], want)
				}
			}
		}
		for _, path := range []string{"/oauth2/token", "/.well-known/jwks.json", "/docs"} {
			if w := a.do(request(http.MethodGet, path, "", "")); w.Code == http.StatusNotFound {
				t.Errorf("%s is named, and not there", path)
			}
		}
	}
}

func TestJWKS(t *testing.T) {
	a := newTestAPI(t, &fake{jwks: func() ([]byte, error) { return []byte(`{"keys":[{"kid":"1"}]}`), nil }}, wellProbe())
	w := a.do(request(http.MethodGet, "/.well-known/jwks.json", "", ""))
	if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != `{"keys":[{"kid":"1"}]}` || w.Header().Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	a = newTestAPI(t, &fake{jwks: func() ([]byte, error) { return nil, kyc.Internal(http.ErrAbortHandler) }}, wellProbe())
	w = a.do(request(http.MethodGet, "/.well-known/jwks.json", "", ""))
	if w.Code != http.StatusInternalServerError || problemOf(t, w).Code != "internal" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

// issuer is a fake with real keys: its tokens are signed, and its key set verifies them.
type issuer struct {
	*fake
	*auth.Issuer
}

func (i issuer) JWKS(context.Context) ([]byte, error) { return i.Issuer.JWKS(), nil }

func (i issuer) GrantToken(_ context.Context, holder auth.Principal, scopes []string, session string) (kyc.Token, error) {
	var granted []auth.Scope
	for _, scope := range scopes {
		granted = append(granted, auth.Scope(scope))
	}
	token, _, err := i.Issue(auth.Grant{UserID: holder.UserID, ClientID: holder.ClientID, Scopes: granted, SessionID: session, Life: time.Hour})
	return kyc.Token{AccessToken: token, ExpiresIn: time.Hour, Scopes: scopes}, err
}

// TestLibraries lets well-known client libraries get a token and verify it, with nothing but the server's address.
func TestLibraries(t *testing.T) {
	signing, err := auth.NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	issues, err := auth.NewIssuer(server.URL, server.URL, []*auth.SigningKey{signing}, time.Now, strings.NewReader(strings.Repeat("random", 100)))
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/", New(Options{Service: issuer{&fake{}, issues}, Probe: wellProbe(), PublicURL: server.URL}))

	provider, err := oidc.NewProvider(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		config := clientcredentials.Config{
			ClientID: "client:1", ClientSecret: "s+e/c%", TokenURL: provider.Endpoint().TokenURL, Scopes: []string{"idv", "webhook"}, AuthStyle: style,
		}
		token, err := config.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if token.Type() != "Bearer" || time.Until(token.Expiry) < 50*time.Minute || token.Extra("scope") != "idv webhook" {
			t.Errorf("token %s until %v for %v", token.Type(), token.Expiry, token.Extra("scope"))
		}
		verified, err := provider.Verifier(&oidc.Config{ClientID: server.URL}).Verify(t.Context(), token.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		var claims struct {
			ClientID string `json:"client_id"`
			Scope    string `json:"scope"`
		}
		if err := verified.Claims(&claims); err != nil || claims.ClientID != "client:1" || !slices.Equal(strings.Fields(claims.Scope), []string{"idv", "webhook"}) {
			t.Errorf("claims %+v, %v", claims, err)
		}
	}
}
