package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"kycd/kyc/auth/authtest"
)

const apiAudience = "https://kyc.example/api"

// provider is an OpenID provider that makes tokens by the desk's clock.
type provider struct{ *authtest.Provider }

func newProvider(t testing.TB) provider {
	t.Helper()
	return provider{authtest.NewProvider(t)}
}

// content is a good token's.
func (p provider) content(d *desk, changes map[string]any) map[string]any {
	content := map[string]any{
		"iss": p.URL, "aud": []string{"account", apiAudience}, "sub": "service-account", "client_id": "backend", "jti": "id-1",
		"scope": "openid idv webhook", "iat": d.clock.Unix(), "exp": d.clock.Add(time.Hour).Unix(),
	}
	maps.Copy(content, changes)
	maps.DeleteFunc(content, func(_ string, value any) bool { return value == nil })
	return content
}

func (p provider) token(d *desk, changes map[string]any) string {
	return p.Sign(p.Key(), "JWT", p.content(d, changes))
}

// trust makes a desk whose verifier trusts the provider too.
func trust(t testing.TB, p provider, change func(*ExternalConfig)) *desk {
	t.Helper()
	d := newDesk(t, 8)
	config := ExternalConfig{Issuer: p.URL, Audience: apiAudience}
	if change != nil {
		change(&config)
	}
	now := func() time.Time { return d.clock }
	external, err := NewExternal(config, now)
	if err != nil {
		t.Fatal(err)
	}
	d.Trust(external)
	return d
}

func TestExternalClaims(t *testing.T) {
	p := newProvider(t)
	d := trust(t, p, nil)
	for name, test := range map[string]struct {
		typ     string
		changes map[string]any
		want    error
		scopes  []Scope
		client  string
	}{
		"as issued":                {changes: nil, scopes: []Scope{ScopeIDV, ScopeWebhook}},
		"typed as access token":    {typ: "at+jwt", scopes: []Scope{ScopeIDV, ScopeWebhook}},
		"list of scopes":           {changes: map[string]any{"scope": nil, "scp": []string{"ida", "email"}}, scopes: []Scope{ScopeIDA}},
		"scopes as a list":         {changes: map[string]any{"scope": []any{"ida", 7}}, scopes: []Scope{ScopeIDA}},
		"no scopes":                {changes: map[string]any{"scope": nil}},
		"scopes of others":         {changes: map[string]any{"scope": "openid profile"}},
		"sdk is ours alone":        {changes: map[string]any{"scope": "sdk idv"}, scopes: []Scope{ScopeIDV}},
		"authorized party":         {changes: map[string]any{"client_id": nil, "azp": "backend-2"}, scopes: []Scope{ScopeIDV, ScopeWebhook}, client: "backend-2"},
		"one audience":             {changes: map[string]any{"aud": apiAudience}, scopes: []Scope{ScopeIDV, ScopeWebhook}},
		"clock a little ahead":     {changes: map[string]any{"iat": d.clock.Add(skew).Unix(), "nbf": d.clock.Add(skew).Unix()}, scopes: []Scope{ScopeIDV, ScopeWebhook}},
		"session of a forger":      {changes: map[string]any{"session_id": "session-1"}, scopes: []Scope{ScopeIDV, ScopeWebhook}},
		"wrong audience":           {changes: map[string]any{"aud": "https://other.example"}, want: ErrInvalidToken},
		"audience is ours by name": {changes: map[string]any{"aud": testAudience}, want: ErrInvalidToken},
		"no audience":              {changes: map[string]any{"aud": nil}, want: ErrInvalidToken},
		"wrong issuer":             {changes: map[string]any{"iss": "https://evil.example"}, want: ErrInvalidToken},
		"issuer with slash":        {changes: map[string]any{"iss": p.URL + "/"}, want: ErrInvalidToken},
		"our own issuer":           {changes: map[string]any{"iss": testIssuer, "aud": testAudience, "user_id": "user-1"}, want: ErrInvalidToken},
		"no issuer":                {changes: map[string]any{"iss": nil}, want: ErrInvalidToken},
		"expired now":              {changes: map[string]any{"exp": d.clock.Unix()}, want: ErrExpiredToken},
		"expired":                  {changes: map[string]any{"exp": d.clock.Add(-time.Second).Unix()}, want: ErrExpiredToken},
		"no expiry":                {changes: map[string]any{"exp": nil}, want: ErrInvalidToken},
		"not yet":                  {changes: map[string]any{"nbf": d.clock.Add(skew + time.Second).Unix()}, want: ErrInvalidToken},
		"not before some text":     {changes: map[string]any{"nbf": "tomorrow"}, want: ErrInvalidToken},
		"issued in the future":     {changes: map[string]any{"iat": d.clock.Add(skew + time.Second).Unix()}, want: ErrInvalidToken},
		"no client":                {changes: map[string]any{"client_id": nil}, want: ErrInvalidToken},
		"client is a number":       {changes: map[string]any{"client_id": 7}, want: ErrInvalidToken},
		"a logout token":           {typ: "logout+jwt", want: ErrInvalidToken},
	} {
		t.Run(name, func(t *testing.T) {
			typ := test.typ
			if typ == "" {
				typ = "JWT"
			}
			token := p.Sign(p.Key(), typ, p.content(d, test.changes))
			got, err := d.Verify(t.Context(), token)
			if !errors.Is(err, test.want) || errors.Is(err, ErrIssuerUnavailable) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
			want := Principal{}
			if test.want == nil {
				want = Principal{ClientID: "backend", Scopes: test.scopes, TokenID: "id-1", Expires: d.clock.Add(time.Hour), External: true}
				if test.client != "" {
					want.ClientID = test.client
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestExternalClaimNames(t *testing.T) {
	p := newProvider(t)
	d := trust(t, p, func(c *ExternalConfig) { c.ClientClaim, c.ScopeClaim = "appid", "roles" })
	got, err := d.Verify(t.Context(), p.token(d, map[string]any{"appid": "app", "roles": []string{"config"}}))
	if err != nil || got.ClientID != "app" || !reflect.DeepEqual(got.Scopes, []Scope{ScopeConfig}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := d.Verify(t.Context(), p.token(d, nil)); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("without the claim that was set: %+v, %v", got, err)
	}
}

func TestExternalForged(t *testing.T) {
	p := newProvider(t)
	d := trust(t, p, nil)
	if _, err := d.Verify(t.Context(), p.token(d, nil)); err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(p.content(d, nil))
	if err != nil {
		t.Fatal(err)
	}
	signing := p.Key()
	public := signing.Public()
	der, err := x509.MarshalPKIXPublicKey(public.Key)
	if err != nil {
		t.Fatal(err)
	}
	confused := func(secret []byte) string {
		unsigned := strings.TrimSuffix(encode(`{"alg":"HS256","kid":"key-1","typ":"JWT"}`, string(payload), nil), ".")
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(unsigned))
		return unsigned + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	stranger, ours := p.NewKey("key-1"), d.key.jwk
	ours.KeyID = "key-1"
	unnamed := p.NewKey("")
	weak, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := p.token(d, nil)
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"alg none":              encode(`{"alg":"none","kid":"key-1","typ":"JWT"}`, string(payload), nil),
		"alg none, signature":   encode(`{"alg":"none","kid":"key-1","typ":"JWT"}`, string(payload), []byte(parts[2])),
		"HMAC with DER":         confused(der),
		"HMAC with PEM":         confused(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"HMAC with nothing":     confused(nil),
		"stranger, same kid":    p.Sign(stranger, "JWT", p.content(d, nil)),
		"stranger, no kid":      p.Sign(unnamed, "JWT", p.content(d, nil)),
		"our own key":           sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: ours}, "at+jwt", p.content(d, nil)),
		"another kind of key":   sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: weak, KeyID: "key-1"}}, "JWT", p.content(d, nil)),
		"theirs, in our name":   p.Sign(p.Key(), "at+jwt", d.content(nil)),
		"other content":         parts[0] + "." + base64.RawURLEncoding.EncodeToString(append(payload, ' ')) + "." + parts[2],
		"no signature":          parts[0] + "." + parts[1] + ".",
		"padded":                good + "=",
		"line break":            good + "\n",
		"too long":              good + strings.Repeat("A", maxExternalBytes),
		"our own, but too long": d.sign(t, "at+jwt", d.content(map[string]any{"pad": strings.Repeat("A", maxTokenBytes)})),
	} {
		if got, err := d.Verify(t.Context(), token); !errors.Is(err, ErrInvalidToken) || !reflect.DeepEqual(got, Principal{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	// Our own tokens stay good beside.
	if got, err := d.Verify(t.Context(), d.token(t, backend())); err != nil || got.External {
		t.Errorf("our own token: %+v, %v", got, err)
	}
}

func TestExternalRotation(t *testing.T) {
	p := newProvider(t)
	d := trust(t, p, nil)
	old := p.token(d, nil)
	if _, err := d.Verify(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if discovery, jwks := p.Asked(); discovery != 1 || jwks != 1 {
		t.Fatalf("asked %d and %d times", discovery, jwks)
	}
	// A new key is fetched when its first token comes, and again only after a while, whoever asks.
	d.clock = d.clock.Add(askEvery)
	p.Publish(p.NewKey("key-2"), p.Key())
	if _, err := d.Verify(t.Context(), p.token(d, nil)); err != nil {
		t.Errorf("token of a new key: %v", err)
	}
	unknown := p.NewKey("key-3")
	for i := range 50 {
		token := p.Sign(unknown, "JWT", p.content(d, map[string]any{"jti": fmt.Sprint(i)}))
		if _, err := d.Verify(t.Context(), token); !errors.Is(err, ErrInvalidToken) {
			t.Fatalf("token of an unknown key: %v", err)
		}
	}
	if _, jwks := p.Asked(); jwks != 2 {
		t.Errorf("the keys were asked for %d times, want 2", jwks)
	}
	// A key that is withdrawn is noticed at the next look, and by a remembered token soon after.
	p.Publish(p.Key())
	d.clock = d.clock.Add(askAgain)
	if err := d.external.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Verify(t.Context(), old); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("token of a withdrawn key: %v", err)
	}
	if _, err := d.Verify(t.Context(), p.token(d, nil)); err != nil {
		t.Errorf("token of the key that stays: %v", err)
	}
}

func TestExternalRemembered(t *testing.T) {
	p := newProvider(t)
	d := trust(t, p, nil)
	token := p.token(d, nil)
	for range 3 {
		if _, err := d.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	p.Close() // it is not asked again as long as the token is remembered
	d.clock = d.clock.Add(externalMemory - time.Second)
	first, err := d.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	first.Scopes[0] = ScopeDashboard
	if second, err := d.Verify(t.Context(), token); err != nil || second.HasScope(ScopeDashboard) {
		t.Errorf("a caller changed the remembered principal: %+v, %v", second, err)
	}
	if d.order.Len() != 1 {
		t.Errorf("%d tokens remembered", d.order.Len())
	}
	d.clock = d.clock.Add(time.Hour)
	if _, err := d.Verify(t.Context(), token); !errors.Is(err, ErrExpiredToken) {
		t.Errorf("after the expiry: %v", err)
	}
}

func TestExternalDown(t *testing.T) {
	p := newProvider(t)
	p.SetDown(true)
	d := trust(t, p, nil)
	token := p.token(d, nil)
	for range 10 {
		if _, err := d.Verify(t.Context(), token); !errors.Is(err, ErrIssuerUnavailable) {
			t.Fatalf("never discovered: %v", err)
		}
	}
	if discovery, _ := p.Asked(); discovery != 1 {
		t.Errorf("asked %d times at once, want 1", discovery)
	}
	if err := d.external.Refresh(t.Context()); !errors.Is(err, ErrIssuerUnavailable) {
		t.Errorf("refresh: %v", err)
	}
	if _, err := d.Verify(t.Context(), d.token(t, backend())); err != nil {
		t.Errorf("our own token meanwhile: %v", err)
	}
	// It comes back, and is asked again after a while.
	p.SetDown(false)
	d.clock = d.clock.Add(askEvery)
	if _, err := d.Verify(t.Context(), token); err != nil {
		t.Fatalf("when it is back: %v", err)
	}
	// It goes down again: keys that are known still hold, of others nobody can tell.
	p.SetDown(true)
	d.clock = d.clock.Add(askAgain)
	if err := d.external.Refresh(t.Context()); !errors.Is(err, ErrIssuerUnavailable) {
		t.Errorf("refresh: %v", err)
	}
	if _, err := d.Verify(t.Context(), p.token(d, map[string]any{"jti": "id-2"})); err != nil {
		t.Errorf("token of a known key: %v", err)
	}
	unknown := p.Sign(p.NewKey("key-2"), "JWT", p.content(d, nil))
	for range 3 {
		if _, err := d.Verify(t.Context(), unknown); !errors.Is(err, ErrIssuerUnavailable) {
			t.Errorf("token of an unknown key: %v", err)
		}
	}
	// The discovery succeeds and the keys cannot be had: those of before hold.
	p.SetDown(false)
	d.clock = d.clock.Add(askAgain)
	if err := d.external.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.SetDown(true)
	d.clock = d.clock.Add(askEvery)
	if _, err := d.Verify(t.Context(), p.token(d, map[string]any{"jti": "id-3"})); err != nil {
		t.Errorf("token of a key from before: %v", err)
	}
	// Not for ever.
	d.clock = d.clock.Add(keepWithout)
	if _, err := d.Verify(t.Context(), p.token(d, map[string]any{"jti": "id-4"})); !errors.Is(err, ErrIssuerUnavailable) {
		t.Errorf("a day later: %v", err)
	}
}

// TestExternalAnswers: whatever the issuer's address answers instead of its documents, nothing is accepted.
func TestExternalAnswers(t *testing.T) {
	for name, handler := range map[string]func(p provider) http.HandlerFunc{
		"a page": func(provider) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Sign in</html>") }
		},
		"a page for keys": func(provider) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/keys" {
					fmt.Fprint(w, "<html>Sign in</html>")
					return
				}
				discoveryWithout("")(w, r)
			}
		},
		"a redirect": func(provider) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/.well-known/") {
					http.Redirect(w, r, "/elsewhere", http.StatusFound)
					return
				}
				discoveryWithout("")(w, r)
			}
		},
		"too much": func(provider) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"issuer":"http://%s","jwks_uri":"http://%s/keys","x":"%s"}`, r.Host, r.Host, strings.Repeat("x", maxDocumentBytes))
			}
		},
		"another issuer": func(provider) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, `{"issuer":"https://evil.example","jwks_uri":"https://evil.example/keys"}`)
			}
		},
		"no keys":  func(provider) http.HandlerFunc { return discoveryWithout("jwks_uri") },
		"not keys": func(provider) http.HandlerFunc { return discoveryWithout("") },
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t)
			front := httptest.NewServer(handler(p))
			defer front.Close()
			d := trust(t, p, func(c *ExternalConfig) { c.Issuer = front.URL })
			token := p.token(d, map[string]any{"iss": front.URL})
			if got, err := d.Verify(t.Context(), token); err == nil || !reflect.DeepEqual(got, Principal{}) {
				t.Errorf("accepted: %+v, %v", got, err)
			} else if name != "not keys" && !errors.Is(err, ErrIssuerUnavailable) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// discoveryWithout answers a discovery document without one entry, and the same for keys.
func discoveryWithout(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		document := map[string]any{"issuer": "http://" + r.Host, "jwks_uri": "http://" + r.Host + "/keys"}
		delete(document, name)
		json.NewEncoder(w).Encode(document) //nolint:errcheck // the test sees what is missing
	}
}

func TestExternalConcurrent(t *testing.T) {
	p := newProvider(t)
	d := trust(t, p, nil)
	tokens := make([]string, 8)
	for i := range tokens {
		tokens[i] = p.token(d, map[string]any{"jti": fmt.Sprint(i)})
	}
	var callers sync.WaitGroup
	for _, token := range tokens {
		callers.Go(func() {
			for range 20 {
				if _, err := d.Verify(t.Context(), token); err != nil {
					t.Error(err)
				}
				if err := d.external.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	if discovery, jwks := p.Asked(); discovery != 1 || jwks != 1 {
		t.Errorf("asked %d and %d times, want once each", discovery, jwks)
	}
}

func TestExternalConfig(t *testing.T) {
	for _, test := range []struct {
		issuer, audience string
		good             bool
	}{
		{"https://login.example", "api", true},
		{"https://login.example/realms/kyc", "api", true},
		{"https://login.example/", "api", true},
		{"http://127.0.0.1:8081/realms/kyc", "api", true},
		{"http://localhost:8081", "api", true},
		{"http://[::1]:8081", "api", true},
		{"https://login.example", "", false},
		{"http://login.example", "api", false},
		{"http://127.0.0.1.example", "api", false},
		{"https://user@login.example", "api", false},
		{"https://login.example?tenant=1", "api", false},
		{"https://login.example#x", "api", false},
		{"login.example", "api", false},
		{"file:///etc/issuer", "api", false},
		{"", "api", false},
		{"https://%zz", "api", false},
	} {
		_, err := NewExternal(ExternalConfig{Issuer: test.issuer, Audience: test.audience}, time.Now)
		if (err == nil) != test.good || err != nil && !errors.Is(err, ErrInvalidIssuer) {
			t.Errorf("%q for %q: %v", test.issuer, test.audience, err)
		}
	}
}

func BenchmarkExternalRemembered(b *testing.B) {
	p := newProvider(b)
	d := trust(b, p, nil)
	token := p.token(d, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
