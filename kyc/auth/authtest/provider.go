// Package authtest gives tests an OpenID provider of their own.
package authtest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Provider is an OpenID provider on a loopback port: its discovery document, its keys, and the tokens that it signs.
type Provider struct {
	*httptest.Server
	t testing.TB

	mu              sync.Mutex
	keys            []jose.JSONWebKey // private; the first one signs
	down            bool
	discovery, jwks int // how often the documents were asked for
}

// NewProvider starts a provider with the key "key-1". It ends with the test.
func NewProvider(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{t: t}
	p.keys = []jose.JSONWebKey{p.NewKey("key-1")}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.serve(&p.discovery, func() any {
		return map[string]any{
			"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
		}
	}))
	mux.HandleFunc("GET /keys", p.serve(&p.jwks, func() any {
		var set jose.JSONWebKeySet
		for _, key := range p.keys {
			set.Keys = append(set.Keys, key.Public())
		}
		return set
	}))
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *Provider) serve(count *int, document func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		*count++
		if p.down {
			http.Error(w, `{"error":"down"}`, http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(document()); err != nil {
			p.t.Error(err)
		}
	}
}

// NewKey makes an RSA key that the provider does not publish.
func (p *Provider) NewKey(id string) jose.JSONWebKey {
	p.t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.t.Fatal(err)
	}
	return jose.JSONWebKey{Key: private, KeyID: id, Algorithm: string(jose.RS256), Use: "sig"}
}

// Key is the key that signs.
func (p *Provider) Key() jose.JSONWebKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[0]
}

// Publish replaces the keys; the first one signs.
func (p *Provider) Publish(keys ...jose.JSONWebKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = keys
}

// SetDown makes the provider answer with errors, or as usual again.
func (p *Provider) SetDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Asked says how often the discovery document and the keys were asked for.
func (p *Provider) Asked() (discovery, jwks int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.discovery, p.jwks
}

// Sign makes a token of any claims and header type.
func (p *Provider) Sign(key jose.JSONWebKey, kind string, claims map[string]any) string {
	p.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType(jose.ContentType(kind)))
	if err != nil {
		p.t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		p.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}
