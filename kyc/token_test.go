package kyc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"kycd/ent/database/databasetest"
	"kycd/ent/systemkey"
	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/auth/authtest"
	"kycd/kyc/blob"
	"kycd/kyc/seal"
)

// beside opens another service on the same data and clock, as a second process would.
func (h *house) beside(url string, change func(*kyc.Config)) *kyc.Service {
	h.t.Helper()
	ctx := context.Background()
	db := databasetest.Open(h.t, url, h.data)
	master, err := seal.OpenMaster(ctx, "", h.data)
	must(h.t, err)
	blobs, err := blob.Open(ctx, "", h.data)
	must(h.t, err)
	config := kyc.DefaultConfig()
	if change != nil {
		change(&config)
	}
	service, err := kyc.New(ctx, kyc.Deps{
		DB: db, Master: master, Blobs: blobs, Notifier: h, Now: h.now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Config: config,
	})
	must(h.t, err)
	return service
}

// published are the ids of the keys that a service shows.
func published(t *testing.T, s *kyc.Service) []string {
	t.Helper()
	document, err := s.JWKS(context.Background())
	must(t, err)
	var set jose.JSONWebKeySet
	must(t, json.Unmarshal(document, &set))
	var ids []string
	for _, key := range set.Keys {
		if !key.IsPublic() {
			t.Fatal("a private key is published")
		}
		ids = append(ids, key.KeyID)
	}
	return ids
}

// signedBy is the kid of a token.
func signedBy(t *testing.T, token string) string {
	t.Helper()
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	must(t, err)
	return signed.Signatures[0].Header.KeyID
}

func TestSigningKeyRotation(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url, dir string) {
		ctx, h := context.Background(), open(t, url, dir)
		other, idle := h.beside(url, nil), h.beside(url, nil)
		c, err := h.CreateClient(ctx, "Borduria Bank")
		must(t, err)
		p := auth.Principal{UserID: c.UserID, ClientID: c.ClientID}
		session := h.fresh(p)
		token := func(s *kyc.Service) string {
			t.Helper()
			got, err := s.IssueToken(ctx, c.ClientID, c.ClientSecret, nil, "")
			must(t, err)
			return got.AccessToken
		}
		old := token(h.Service)
		first := published(t, h.Service)
		if len(first) != 1 || signedBy(t, old) != first[0] || !slices.Equal(published(t, other), first) {
			t.Fatalf("keys %v and %v, token by %s", first, published(t, other), signedBy(t, old))
		}

		made, err := h.RotateSigningKey(ctx)
		must(t, err)
		young := token(h.Service)
		if signedBy(t, young) != made.ID || made.ID == first[0] || made.RetiredAt != nil {
			t.Errorf("the new key is %+v, the token by %s", made, signedBy(t, young))
		}
		if want := []string{made.ID, first[0]}; !slices.Equal(published(t, h.Service), want) {
			t.Errorf("published %v, want %v", published(t, h.Service), want)
		}
		// The other process has not heard of it: it signs with the old key, and takes the new one's token at once.
		h.pass(2 * time.Second)
		late := token(other)
		if signedBy(t, late) != first[0] {
			t.Errorf("the other process signs with %s already", signedBy(t, late))
		}
		for name, s := range map[string]*kyc.Service{"this process": h.Service, "the other": other} {
			for which, bearer := range map[string]string{"old": old, "young": young, "late": late} {
				if _, err := s.Authenticate(ctx, bearer); err != nil {
					t.Errorf("%s token in %s: %v", which, name, err)
				}
			}
		}
		if want := []string{made.ID, first[0]}; !slices.Equal(published(t, other), want) {
			t.Errorf("the other publishes %v, want %v", published(t, other), want)
		}
		if got := signedBy(t, token(other)); got != made.ID {
			t.Errorf("the other still signs with %s", got)
		}
		// One that had nothing to do since signs with the new key a minute later at the latest.
		h.pass(time.Minute)
		if got := signedBy(t, token(idle)); got != made.ID {
			t.Errorf("an idle process still signs with %s", got)
		}
		// A challenge is signed with the new key too.
		must(t, h.AddConsent(ctx, p, session, true))
		challenge, err := h.GenerateLiveness(ctx, p, kyc.IDV, session, kyc.Place{})
		must(t, err)
		if got := signedBy(t, challenge); got != made.ID {
			t.Errorf("a challenge is signed by %s", got)
		}

		// The old key stays until what it signed has ended, then it is gone, from the table too.
		h.pass(kyc.DefaultConfig().TokenLifetime)
		must(t, h.RefreshKeys(ctx))
		if len(published(t, h.Service)) != 2 {
			t.Errorf("published %v after the life of a token", published(t, h.Service))
		}
		_, err = h.Authenticate(ctx, old)
		want(t, err, kyc.CodeUnauthorized)
		h.pass(5 * time.Minute)
		must(t, h.RefreshKeys(ctx))
		must(t, other.RefreshKeys(ctx))
		for _, s := range []*kyc.Service{h.Service, other} {
			if got := published(t, s); !slices.Equal(got, []string{made.ID}) {
				t.Errorf("published %v in the end, want %s", got, made.ID)
			}
		}
		if n := h.db.Ent.SystemKey.Query().Where(systemkey.Purpose("token_signing")).CountX(ctx); n != 1 {
			t.Errorf("%d keys in the table", n)
		}
		if _, err := h.beside(url, nil).Authenticate(ctx, token(h.Service)); err != nil {
			t.Errorf("a third process: %v", err)
		}
	})
}

// TestSigningKeyAge: a key grows old, and of several servers one replaces it.
func TestSigningKeyAge(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url, dir string) {
		ctx, h := context.Background(), open(t, url, dir)
		servers := []*kyc.Service{h.Service}
		for range 3 {
			servers = append(servers, h.beside(url, nil))
		}
		before := published(t, h.Service)
		h.pass(89 * 24 * time.Hour)
		must(t, h.RefreshKeys(ctx))
		if got := published(t, h.Service); !slices.Equal(got, before) {
			t.Fatalf("replaced too early: %v", got)
		}
		h.pass(24 * time.Hour)
		var wg sync.WaitGroup
		for _, s := range servers {
			wg.Go(func() {
				if err := s.RefreshKeys(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		keys, err := h.SigningKeys(ctx)
		must(t, err)
		if len(keys) != 2 || keys[0].RetiredAt != nil || keys[1].RetiredAt == nil || keys[1].ID != before[0] || keys[1].EndsAt.Sub(*keys[1].RetiredAt) != time.Hour+5*time.Minute {
			t.Errorf("keys %+v, want one new and the one before", keys)
		}
		for i, s := range servers {
			must(t, s.RefreshKeys(ctx))
			if got := published(t, s); len(got) != 2 || got[0] != keys[0].ID {
				t.Errorf("server %d publishes %v", i, got)
			}
		}
	})
}

// TestUnknownKeys: tokens that name keys nobody has are refused, and do not make a server ask each time.
func TestUnknownKeys(t *testing.T) {
	ctx, h := context.Background(), open(t, "", t.TempDir())
	for i := range 20 {
		signer, err := jose.NewSigner(
			jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: []byte(strings.Repeat("k", 32)), KeyID: fmt.Sprint(i)}},
			(&jose.SignerOptions{}).WithType("at+jwt"))
		must(t, err)
		signed, err := signer.Sign([]byte(`{}`))
		must(t, err)
		token, err := signed.CompactSerialize()
		must(t, err)
		_, err = h.Authenticate(ctx, token)
		want(t, err, kyc.CodeUnauthorized)
	}
	strange, err := auth.NewSigningKey()
	must(t, err)
	issuer, err := auth.NewIssuer("http://127.0.0.1:8080", "http://127.0.0.1:8080", []*auth.SigningKey{strange}, h.now, strings.NewReader(strings.Repeat("r", 1000)))
	must(t, err)
	token, _, err := issuer.Issue(auth.Grant{UserID: "u", ClientID: "c", Scopes: []auth.Scope{auth.ScopeIDV}, Life: time.Hour})
	must(t, err)
	h.pass(time.Minute)
	for range 3 {
		_, err = h.Authenticate(ctx, token)
		want(t, err, kyc.CodeUnauthorized)
	}
	// Without the database nobody can tell whether such a key is a new one.
	must(t, h.db.Close())
	h.pass(time.Minute)
	_, err = h.Authenticate(ctx, token)
	want(t, err, kyc.CodeUnavailable)
}

// TestClientScopes: a client gets no more than what an operator named, by its secret or for a token.
func TestClientScopes(t *testing.T) {
	ctx, h := context.Background(), open(t, "", t.TempDir())
	scopes := func(names ...string) kyc.ClientUpdate { return kyc.ClientUpdate{Scopes: &names} }
	for _, tc := range []struct {
		name        string
		named       []string // by the operator
		asked       []string
		device      bool // for a session
		code        kyc.Code
		want        string
		wantSession bool
	}{
		{name: "all, none asked", want: "config dashboard ida identity idv webhook"},
		{name: "all, some asked", asked: []string{"webhook", "idv"}, want: "idv webhook"},
		{name: "all, device", asked: []string{"sdk"}, device: true, want: "sdk", wantSession: true},
		{name: "some, none asked", named: []string{"webhook", "idv", "webhook"}, want: "idv webhook"},
		{name: "some, one asked", named: []string{"webhook", "idv"}, asked: []string{"idv"}, want: "idv"},
		{name: "some, another asked", named: []string{"webhook"}, asked: []string{"idv"}, code: kyc.CodeForbidden},
		{name: "some, another asked too", named: []string{"webhook", "idv"}, asked: []string{"idv", "config"}, code: kyc.CodeForbidden},
		{name: "idv, device", named: []string{"idv"}, asked: []string{"sdk"}, device: true, want: "sdk", wantSession: true},
		{name: "ida, device of an IDV session", named: []string{"ida"}, asked: []string{"sdk"}, device: true, code: kyc.CodeForbidden},
		{name: "webhook, device", named: []string{"webhook"}, asked: []string{"sdk"}, device: true, code: kyc.CodeForbidden},
		{name: "sdk, device", named: []string{"sdk"}, asked: []string{"sdk"}, device: true, want: "sdk", wantSession: true},
		{name: "sdk, none asked", named: []string{"sdk"}, code: kyc.CodeForbidden},
		{name: "sdk without a session", named: []string{"sdk"}, asked: []string{"sdk"}, code: kyc.CodeNotFound},
		{name: "a session without sdk", device: true, code: kyc.CodeForbidden},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := h.CreateClient(ctx, tc.name, scopes(tc.named...))
			must(t, err)
			session := ""
			if tc.device {
				session = h.fresh(auth.Principal{UserID: c.UserID, ClientID: c.ClientID})
			}
			token, err := h.IssueToken(ctx, c.ClientID, c.ClientSecret, tc.asked, session)
			if tc.code != "" {
				want(t, err, tc.code)
				return
			}
			must(t, err)
			p, err := h.Authenticate(ctx, token.AccessToken)
			must(t, err)
			if got := auth.JoinScopes(p.Scopes); got != tc.want || (p.SessionID != "") != tc.wantSession || p.SessionID != session {
				t.Errorf("scopes %q of session %q, want %q", got, p.SessionID, tc.want)
			}
		})
	}
}

func TestTokenExchange(t *testing.T) {
	ctx, h := context.Background(), open(t, "", t.TempDir())
	c, err := h.CreateClient(ctx, "Borduria Bank")
	must(t, err)
	p := auth.Principal{UserID: c.UserID, ClientID: c.ClientID}
	session, theirs := h.fresh(p), h.fresh(h.client("Syldavia Bank"))
	holder := func(scopes []string, session string) auth.Principal {
		t.Helper()
		token, err := h.IssueToken(ctx, c.ClientID, c.ClientSecret, scopes, session)
		must(t, err)
		p, err := h.Authenticate(ctx, token.AccessToken)
		must(t, err)
		return p
	}
	for _, tc := range []struct {
		name    string
		holder  auth.Principal
		asked   []string
		session string
		code    kyc.Code
	}{
		{"a backend's", holder([]string{"idv"}, ""), []string{"sdk"}, session, ""},
		{"somebody else's session", holder([]string{"idv"}, ""), []string{"sdk"}, theirs, kyc.CodeNotFound},
		{"no session", holder([]string{"idv"}, ""), []string{"sdk"}, "", kyc.CodeNotFound},
		{"a token for something else", holder([]string{"webhook"}, ""), []string{"sdk"}, session, kyc.CodeForbidden},
		{"for more of the same", holder([]string{"idv"}, ""), []string{"idv"}, "", kyc.CodeForbidden},
		{"for all", holder([]string{"idv"}, ""), nil, "", kyc.CodeForbidden},
		{"for more in the session", holder([]string{"idv"}, ""), []string{"sdk", "idv"}, session, kyc.CodeForbidden},
		{"a device's", holder([]string{"sdk"}, session), []string{"sdk"}, session, kyc.CodeForbidden},
	} {
		token, err := h.GrantToken(ctx, tc.holder, tc.asked, tc.session)
		if e := kyc.AsError(err); (tc.code == "") != (err == nil) || (e != nil && e.Code != tc.code) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.code)
		}
		if err != nil {
			continue
		}
		got, err := h.Authenticate(ctx, token.AccessToken)
		must(t, err)
		if got.SessionID != session || auth.JoinScopes(got.Scopes) != "sdk" || token.ExpiresIn != 15*time.Minute {
			t.Errorf("%s: %+v for %v", tc.name, got, token.ExpiresIn)
		}
	}
}

// claims are those of a good token of the external issuer.
func (h *house) claims(p *authtest.Provider, client, scope string) map[string]any {
	now := h.now()
	return map[string]any{
		"iss": p.URL, "aud": "kyc-api", "sub": "service", "client_id": client, "scope": scope,
		"iat": now.Unix(), "exp": now.Add(2 * time.Hour).Unix(), "jti": uuid.NewString(),
	}
}

func TestExternalIssuer(t *testing.T) {
	ctx, h := context.Background(), open(t, "", t.TempDir())
	provider := authtest.NewProvider(t)
	config := &auth.ExternalConfig{Issuer: provider.URL, Audience: "kyc-api"}
	service := h.beside("", func(c *kyc.Config) { c.External = config })
	both := h.beside("", func(c *kyc.Config) {
		too := *config
		too.AlsoBuiltin = true
		c.External = &too
	})
	named, scopes := "bank-backend", []string{"idv", "ida", "webhook"}
	c, err := h.CreateClient(ctx, "Borduria Bank", kyc.ClientUpdate{ExternalID: &named, Scopes: &scopes})
	must(t, err)
	plain, err := h.CreateClient(ctx, "Syldavia Bank")
	must(t, err)
	session := h.fresh(auth.Principal{UserID: c.UserID, ClientID: c.ClientID})
	token := func(claims map[string]any) string { return provider.Sign(provider.Key(), "JWT", claims) }

	for name, tc := range map[string]struct {
		client, scope string
		changes       map[string]any
		code          kyc.Code
		want          string // scopes
		id            string
	}{
		"by external id":      {client: named, scope: "idv webhook", want: "idv webhook", id: c.ClientID},
		"by our id":           {client: plain.ClientID, scope: "idv", want: "idv", id: plain.ClientID},
		"scopes of the token": {client: named, scope: "idv openid", want: "idv", id: c.ClientID},
		"of the client":       {client: named, scope: "idv config identity", want: "idv", id: c.ClientID},
		"no scope":            {client: named, scope: "", want: "", id: c.ClientID},
		"unknown client":      {client: "stranger", scope: "idv", code: kyc.CodeUnauthorized},
		"wrong audience":      {client: named, scope: "idv", changes: map[string]any{"aud": "other"}, code: kyc.CodeUnauthorized},
		"expired":             {client: named, scope: "idv", changes: map[string]any{"exp": h.now().Add(-time.Second).Unix()}, code: kyc.CodeUnauthorized},
		"a user of its own":   {client: named, scope: "idv", changes: map[string]any{"user_id": plain.UserID}, want: "idv", id: c.ClientID},
	} {
		claims := h.claims(provider, tc.client, tc.scope)
		for claim, value := range tc.changes {
			claims[claim] = value
		}
		p, err := service.Authenticate(ctx, token(claims))
		if tc.code != "" {
			if e := kyc.AsError(err); e == nil || e.Code != tc.code || !reflect.DeepEqual(p, auth.Principal{}) {
				t.Errorf("%s: %v, want %s", name, err, tc.code)
			}
			continue
		}
		if err != nil || p.ClientID != tc.id || p.UserID == "" || auth.JoinScopes(p.Scopes) != tc.want || p.SessionID != "" {
			t.Errorf("%s: %+v, %v; want client %s with %q", name, p, err, tc.id, tc.want)
		}
	}

	// A service without the issuer takes none of its tokens.
	_, err = h.Authenticate(ctx, token(h.claims(provider, named, "idv")))
	want(t, err, kyc.CodeUnauthorized)

	// The secret gives no token any more, except where it is to give one beside.
	_, err = service.IssueToken(ctx, c.ClientID, c.ClientSecret, nil, "")
	want(t, err, kyc.CodeForbidden)
	_, err = service.IssueToken(ctx, c.ClientID, c.ClientSecret, []string{"sdk"}, session)
	want(t, err, kyc.CodeForbidden)
	if service.ClientCredentials() || !both.ClientCredentials() || !h.ClientCredentials() {
		t.Error("where a secret gives a token is not told right")
	}
	own, err := both.IssueToken(ctx, c.ClientID, c.ClientSecret, nil, "")
	must(t, err)

	// Tokens for devices come from an exchange, and are ours.
	for name, bearer := range map[string]string{"external": token(h.claims(provider, named, "idv")), "own": own.AccessToken} {
		holder, err := service.Authenticate(ctx, bearer)
		must(t, err)
		device, err := service.GrantToken(ctx, holder, []string{"sdk"}, session)
		must(t, err)
		p, err := service.Authenticate(ctx, device.AccessToken)
		if err != nil || p.SessionID != session || p.External || p.ClientID != c.ClientID {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	holder, err := service.Authenticate(ctx, token(h.claims(provider, named, "webhook")))
	must(t, err)
	_, err = service.GrantToken(ctx, holder, []string{"sdk"}, session)
	want(t, err, kyc.CodeForbidden)

	// A client that is revoked here is revoked, whatever its issuer says.
	bearer := token(h.claims(provider, named, "idv"))
	_, err = service.Authenticate(ctx, bearer)
	must(t, err)
	must(t, h.RevokeClient(ctx, c.ClientID))
	h.pass(5 * time.Second)
	_, err = service.Authenticate(ctx, bearer)
	want(t, err, kyc.CodeUnauthorized)
	_, err = service.Authenticate(ctx, token(h.claims(provider, named, "idv")))
	want(t, err, kyc.CodeUnauthorized)
}

func TestExternalIssuerDown(t *testing.T) {
	ctx, h := context.Background(), open(t, "", t.TempDir())
	provider := authtest.NewProvider(t)
	provider.SetDown(true)
	service := h.beside("", func(c *kyc.Config) { c.External = &auth.ExternalConfig{Issuer: provider.URL, Audience: "kyc-api"} })
	c, err := h.CreateClient(ctx, "Borduria Bank")
	must(t, err)
	bearer := provider.Sign(provider.Key(), "JWT", h.claims(provider, c.ClientID, "idv"))
	_, err = service.Authenticate(ctx, bearer)
	want(t, err, kyc.CodeUnavailable)
	if e := kyc.AsError(err); e.RetryAfter <= 0 || strings.Contains(e.Error(), "127.0.0.1") {
		t.Errorf("%v, again after %v", e, e.RetryAfter)
	}
	want(t, service.RefreshKeys(ctx), kyc.CodeUnavailable)
	provider.SetDown(false)
	h.pass(10 * time.Second)
	must(t, service.RefreshKeys(ctx))
	p, err := service.Authenticate(ctx, bearer)
	if err != nil || p.ClientID != c.ClientID {
		t.Errorf("when it is back: %+v, %v", p, err)
	}
}

func TestExternalIssuerRefused(t *testing.T) {
	ctx, h := context.Background(), open(t, "", t.TempDir())
	master, err := seal.OpenMaster(ctx, "", h.data)
	must(t, err)
	blobs, err := blob.Open(ctx, "", h.data)
	must(t, err)
	for _, issuer := range []string{"http://login.example", kyc.DefaultConfig().Issuer} {
		config := kyc.DefaultConfig()
		config.External = &auth.ExternalConfig{Issuer: issuer, Audience: "kyc-api"}
		_, err = kyc.New(ctx, kyc.Deps{DB: h.db, Master: master, Blobs: blobs, Notifier: h, Now: h.now, NewID: uuid.NewString, Config: config})
		if !errors.Is(err, auth.ErrInvalidIssuer) {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

// TestDeviceOfAuthentication: the scope that leads a session gives the token for its device.
func TestDeviceOfAuthentication(t *testing.T) {
	ctx, h := context.Background(), open(t, "", t.TempDir())
	all := []string{}
	c, err := h.CreateClient(ctx, "Borduria Bank", kyc.ClientUpdate{Scopes: &all})
	must(t, err)
	p := auth.Principal{UserID: c.UserID, ClientID: c.ClientID}
	_, identity := h.verified(p, kyc.SessionInput{})
	session, err := h.CreateAuthentication(ctx, p, identity, kyc.SessionInput{})
	must(t, err)
	for scope, code := range map[string]kyc.Code{"ida": "", "idv": kyc.CodeForbidden, "identity": kyc.CodeForbidden} {
		named := []string{scope}
		_, err := h.UpdateClient(ctx, c.ClientID, kyc.ClientUpdate{Scopes: &named})
		must(t, err)
		token, err := h.IssueToken(ctx, c.ClientID, c.ClientSecret, []string{"sdk"}, session)
		if code != "" {
			want(t, err, code)
			continue
		}
		must(t, err)
		device, err := h.Authenticate(ctx, token.AccessToken)
		must(t, err)
		if _, err := h.ReadSDKSession(ctx, device, kyc.IDA, session); err != nil {
			t.Errorf("the device cannot read its session: %v", err)
		}
	}
}

// BenchmarkAuthenticate is a token that was seen before, with the look whether its client still stands. The goal is
// at most 3 µs.
func BenchmarkAuthenticate(b *testing.B) {
	ctx := context.Background()
	dir := b.TempDir()
	db := databasetest.Open(b, "", dir)
	master, err := seal.OpenMaster(ctx, "", dir)
	if err != nil {
		b.Fatal(err)
	}
	blobs, err := blob.Open(ctx, "", dir)
	if err != nil {
		b.Fatal(err)
	}
	s, err := kyc.New(ctx, kyc.Deps{
		DB: db, Master: master, Blobs: blobs, Notifier: nobody{}, Now: time.Now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Config: kyc.DefaultConfig(),
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 100 {
		if _, err := s.CreateClient(ctx, fmt.Sprint("client ", i)); err != nil {
			b.Fatal(err)
		}
	}
	c, err := s.CreateClient(ctx, "Borduria Bank")
	if err != nil {
		b.Fatal(err)
	}
	token, err := s.IssueToken(ctx, c.ClientID, c.ClientSecret, nil, "")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Authenticate(ctx, token.AccessToken); err != nil {
			b.Fatal(err)
		}
	}
}

// nobody takes no work.
type nobody struct{}

func (nobody) Enqueue(context.Context, []kyc.Work) {}
