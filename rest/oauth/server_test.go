package oauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"golang.org/x/oauth2/clientcredentials"

	"kycd/ent/database/databasetest"
	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/auth/authtest"
	"kycd/kyc/blob"
	"kycd/kyc/seal"
	"kycd/rest"
	"kycd/rest/oauth"
)

// house is the whole API over real rules, whose clock the test can set forward.
type house struct {
	*kyc.Service
	*httptest.Server
	t testing.TB

	mu    sync.Mutex
	ahead time.Duration
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
}

func (h *house) Enqueue(context.Context, []kyc.Work) {}

// well is a probe of a server that is well.
type well struct{}

func (well) Live(context.Context) error           { return nil }
func (well) Ready(context.Context) rest.Readiness { return rest.Readiness{Ready: true} }
func (well) Health(context.Context) rest.Health   { return rest.Health{Status: rest.HealthOK} }

func open(t testing.TB, external func(issuer string) *auth.ExternalConfig) *house {
	t.Helper()
	h := &house{t: t}
	mux := http.NewServeMux()
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	dir := t.TempDir()
	master, err := seal.OpenMaster(t.Context(), "", dir)
	must(t, err)
	blobs, err := blob.Open(t.Context(), "", dir)
	must(t, err)
	config := kyc.DefaultConfig()
	config.Issuer = h.URL
	if external != nil {
		config.External = external(h.URL)
	}
	h.Service, err = kyc.New(t.Context(), kyc.Deps{
		DB: databasetest.Open(t, "", dir), Master: master, Blobs: blobs, Notifier: h, Now: h.now,
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Config: config,
	})
	must(t, err)
	mux.Handle("/", rest.New(rest.Options{Service: h.Service, Probe: well{}, PublicURL: h.URL, Now: h.now}))
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// post sends a request and reads a JSON answer.
func (h *house) post(path, bearer, clientID, contentType, body string) (*http.Response, map[string]any) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.URL+path, strings.NewReader(body))
	must(h.t, err)
	r.Header.Set("Content-Type", contentType)
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	if clientID != "" {
		r.Header.Set("X-Client-Id", clientID)
	}
	resp, err := h.Client().Do(r)
	must(h.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(h.t, err)
	var answer map[string]any
	must(h.t, json.NewDecoder(bytes.NewReader(b)).Decode(&answer))
	return resp, answer
}

func (h *house) call(path, bearer, clientID string, body map[string]any) (*http.Response, map[string]any) {
	h.t.Helper()
	b, err := json.Marshal(body)
	must(h.t, err)
	return h.post(path, bearer, clientID, "application/json", string(b))
}

// exchange gets a device's token for a token.
func (h *house) exchange(clientID, subject, session string) (*http.Response, map[string]any) {
	h.t.Helper()
	return h.post("/oauth2/token", "", "", "application/x-www-form-urlencoded", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "client_id": {clientID}, "subject_token": {subject},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "scope": {"sdk"}, "session_id": {session},
	}.Encode())
}

func (h *house) client(name string, update kyc.ClientUpdate) kyc.Credentials {
	h.t.Helper()
	c, err := h.CreateClient(h.t.Context(), name, update)
	must(h.t, err)
	return c
}

// device checks what a device can do with its token, and what it cannot.
func (h *house) device(token, clientID, session, other string) {
	h.t.Helper()
	for _, c := range []struct {
		path, session string
		status        int
	}{
		{"/v2/idv/sdk/session/read", session, http.StatusOK},
		{"/v2/idv/sdk/session/read", other, http.StatusNotFound},
		{"/v2/idv/session/read", session, http.StatusForbidden},
		{"/v2/idv/session/list", session, http.StatusForbidden},
		{"/v2/ida/session/read", session, http.StatusForbidden},
		{"/v2/webhook/list", session, http.StatusForbidden},
	} {
		body := map[string]any{"session_id": c.session}
		if !strings.HasSuffix(c.path, "/read") {
			body = map[string]any{"take": 1, "skip": 0}
		}
		if resp, answer := h.call(c.path, token, clientID, body); resp.StatusCode != c.status {
			h.t.Errorf("%s: %d %v, want %d", c.path, resp.StatusCode, answer, c.status)
		}
	}
}

// TestFromBegin is what an integrator does, by libraries where there are some: discovery, a token, a session, a
// device's token; then the key is rotated, and in the end the client revoked.
func TestFromBegin(t *testing.T) {
	h := open(t, nil)
	c := h.client("Borduria Bank", kyc.ClientUpdate{})
	provider, err := oidc.NewProvider(t.Context(), h.URL)
	must(t, err)
	verifier := provider.Verifier(&oidc.Config{ClientID: h.URL, Now: h.now})
	config := clientcredentials.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, TokenURL: provider.Endpoint().TokenURL}
	first, err := config.Token(t.Context())
	must(t, err)
	_, err = verifier.Verify(t.Context(), first.AccessToken)
	must(t, err)

	resp, session := h.call("/v2/idv/session/create", first.AccessToken, "", map[string]any{"metadata": map[string]any{}})
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("create: %d %v", resp.StatusCode, session)
	}
	id, _ := session["session_id"].(string)
	resp, other := h.call("/v2/idv/session/create", first.AccessToken, "", map[string]any{"metadata": map[string]any{}})
	otherID, _ := other["session_id"].(string)
	if resp.StatusCode != http.StatusOK || id == "" || otherID == "" {
		t.Fatalf("create: %d %v", resp.StatusCode, other)
	}
	device := config
	device.Scopes, device.EndpointParams = []string{"sdk"}, url.Values{"session_id": {id}}
	sdk, err := device.Token(t.Context())
	must(t, err)
	h.device(sdk.AccessToken, c.ClientID, id, otherID)
	if resp, answer := h.exchange(c.ClientID, first.AccessToken, id); resp.StatusCode != http.StatusOK || answer["expires_in"] != 900.0 ||
		answer["issued_token_type"] != "urn:ietf:params:oauth:token-type:access_token" {
		t.Errorf("exchange: %d %v", resp.StatusCode, answer)
	} else {
		h.device(answer["access_token"].(string), c.ClientID, id, otherID)
	}
	for name, token := range map[string]string{"a device's": sdk.AccessToken, "nobody's": "x.y.z"} {
		if resp, answer := h.exchange(c.ClientID, token, id); resp.StatusCode != http.StatusBadRequest || answer["error"] != "invalid_request" {
			t.Errorf("exchange of %s token: %d %v", name, resp.StatusCode, answer)
		}
	}

	// Whoever verifies our tokens by our key set goes on to, and the old token stays good.
	_, err = h.RotateSigningKey(t.Context())
	must(t, err)
	second, err := config.Token(t.Context())
	must(t, err)
	for _, token := range []string{first.AccessToken, second.AccessToken} {
		if _, err := verifier.Verify(t.Context(), token); err != nil {
			t.Error(err)
		}
		if resp, answer := h.call("/v2/idv/session/read", token, "", map[string]any{"session_id": id}); resp.StatusCode != http.StatusOK {
			t.Errorf("after the rotation: %d %v", resp.StatusCode, answer)
		}
	}

	must(t, h.RevokeClient(t.Context(), c.ClientID))
	h.pass(5 * time.Second)
	for name, token := range map[string]string{"backend": second.AccessToken, "device": sdk.AccessToken} {
		resp, answer := h.call("/v2/idv/sdk/session/read", token, c.ClientID, map[string]any{"session_id": id})
		if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(resp.Header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("%s after the revocation: %d %v", name, resp.StatusCode, answer)
		}
	}
	if _, err := config.Token(t.Context()); err == nil {
		t.Error("a revoked client gets a token")
	}
}

// TestQuery: what stands in the URL is no part of a token request, whoever has parsed it before.
func TestQuery(t *testing.T) {
	h := open(t, nil)
	c := h.client("Borduria Bank", kyc.ClientUpdate{})
	query := url.Values{"client_id": {c.ClientID}, "client_secret": {c.ClientSecret}, "grant_type": {"client_credentials"}}.Encode()
	for body, want := range map[string]string{"grant_type=client_credentials": "invalid_client", query: ""} {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token?"+query, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		must(t, r.ParseForm())
		_, err := oauth.New(h.Service).Token(r, h.URL)
		if refusal, ok := errors.AsType[*oauth.Refusal](err); want == "" && err != nil || want != "" && (!ok || refusal.Name != want) {
			t.Errorf("%q: %v, want %q", body, err, want)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token?scope=webhook", strings.NewReader(query+"&scope=idv"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	must(t, r.ParseForm())
	answer, err := oauth.New(h.Service).Token(r, h.URL)
	must(t, err)
	if !strings.Contains(string(answer.Body), `"scope":"idv"`) {
		t.Errorf("answer %s", answer.Body)
	}
}

// TestExternal: a backend that has its tokens from elsewhere, and no secret here.
func TestExternal(t *testing.T) {
	issuer := authtest.NewProvider(t)
	h := open(t, func(string) *auth.ExternalConfig { return &auth.ExternalConfig{Issuer: issuer.URL, Audience: "kyc"} })
	name := "bank-backend"
	c := h.client("Borduria Bank", kyc.ClientUpdate{ExternalID: &name})
	bearer := func(scope string) string {
		return issuer.Sign(issuer.Key(), "at+jwt", map[string]any{
			"iss": issuer.URL, "aud": "kyc", "sub": "1", "client_id": name, "scope": scope, "jti": uuid.NewString(),
			"iat": h.now().Unix(), "exp": h.now().Add(time.Hour).Unix(),
		})
	}
	token := bearer("idv openid")
	resp, session := h.call("/v2/idv/session/create", token, "", map[string]any{"metadata": map[string]any{}})
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("create: %d %v", resp.StatusCode, session)
	}
	id, _ := session["session_id"].(string)
	if resp, answer := h.call("/v2/idv/session/create", bearer("openid"), "", map[string]any{"metadata": map[string]any{}}); resp.StatusCode != http.StatusForbidden {
		t.Errorf("without our scope: %d %v", resp.StatusCode, answer)
	}
	resp, answer := h.exchange(c.ClientID, token, id)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("exchange: %d %v", resp.StatusCode, answer)
	}
	h.device(answer["access_token"].(string), c.ClientID, id, uuid.NewString())
	if resp, answer := h.exchange(c.ClientID, bearer("webhook"), id); resp.StatusCode != http.StatusBadRequest || answer["error"] != "invalid_scope" {
		t.Errorf("exchange of a token for something else: %d %v", resp.StatusCode, answer)
	}
	resp, answer = h.post("/oauth2/token", "", "", "application/x-www-form-urlencoded", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {c.ClientSecret},
	}.Encode())
	if resp.StatusCode != http.StatusBadRequest || answer["error"] != "unauthorized_client" {
		t.Errorf("client credentials: %d %v", resp.StatusCode, answer)
	}

	// Down: what is remembered holds, what is new can neither pass nor be refused.
	issuer.SetDown(true)
	unknown := issuer.Sign(issuer.NewKey("key-2"), "at+jwt", map[string]any{
		"iss": issuer.URL, "aud": "kyc", "client_id": name, "scope": "idv", "iat": h.now().Unix(), "exp": h.now().Add(time.Hour).Unix(),
	})
	h.pass(10 * time.Second)
	for range 2 {
		resp, answer = h.call("/v2/idv/session/read", unknown, "", map[string]any{"session_id": id})
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || answer["code"] != "unavailable" {
			t.Errorf("a new key while the issuer is down: %d %v %v", resp.StatusCode, resp.Header, answer)
		}
		resp, answer = h.exchange(c.ClientID, unknown, id)
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || answer["error"] != "temporarily_unavailable" {
			t.Errorf("exchange while the issuer is down: %d %v %v", resp.StatusCode, resp.Header, answer)
		}
	}
	if resp, answer := h.call("/v2/idv/session/read", token, "", map[string]any{"session_id": id}); resp.StatusCode != http.StatusOK {
		t.Errorf("a known token: %d %v", resp.StatusCode, answer)
	}
}
