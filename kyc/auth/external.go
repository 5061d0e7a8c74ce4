package auth

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	// maxExternalBytes leaves room for what other issuers put into a token.
	maxExternalBytes = 16 << 10
	// externalMemory bounds how long a token goes on being accepted after its issuer withdrew the key.
	externalMemory = 5 * time.Minute
	// askEvery is the shortest time between two requests for one of the issuer's documents. Anybody can send a token
	// that names a new key, so without it strangers could make this server press upon the issuer.
	askEvery = 5 * time.Second
	// askAgain is after how long Refresh looks at the issuer's documents anew, which is how withdrawn keys are noticed.
	askAgain = 15 * time.Minute
	// keepWithout is how long the keys hold while the issuer cannot be asked.
	keepWithout = 24 * time.Hour
	// askTimeout bounds one request for a document.
	askTimeout = 3 * time.Second
	// maxDocumentBytes bounds one document.
	maxDocumentBytes = 1 << 20
)

// ExternalConfig names another issuer of access tokens, found by OpenID Connect discovery.
type ExternalConfig struct {
	Issuer      string // URL, just as the tokens' iss has it
	Audience    string // what its tokens for this API have in aud
	ClientClaim string // where the client stands; empty: client_id, or azp in a token without
	ScopeClaim  string // where the scopes stand, as text or as a list; empty: scope, or scp in a token without
	AlsoBuiltin bool   // clients get tokens here as well
}

// Validate fails with ErrInvalidIssuer.
func (c ExternalConfig) Validate() error {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil, u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return fmt.Errorf("%w: the issuer must be a URL without user, query and fragment", ErrInvalidIssuer)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return fmt.Errorf("%w: the issuer's URL must begin with https", ErrInvalidIssuer)
	case c.Audience == "":
		return fmt.Errorf("%w: an external issuer needs an audience, or its tokens for others would be accepted", ErrInvalidIssuer)
	}
	return nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// External verifies the tokens of another issuer. It asks for the issuer's documents when it first needs them, and
// again when a token names a key that it does not know. It is safe for concurrent use.
type External struct {
	config ExternalConfig
	now    func() time.Time
	client *http.Client

	mu      sync.Mutex // one discovery at a time
	asked   time.Time  // when the documents were discovered
	current *oidc.Provider
	keys    []oidc.KeySet // the current ones, then those of the discovery before
}

// NewExternal makes a verifier for the issuer. Nothing is asked of it yet. It fails with ErrInvalidIssuer.
func NewExternal(config ExternalConfig, now func() time.Time) (*External, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	transport := &counter{next: http.DefaultTransport, now: now, last: make(map[string]answer)}
	return &External{config: config, now: now, client: &http.Client{Transport: transport, Timeout: askTimeout}}, nil
}

// Refresh looks at the issuer's documents again if it is time. What it finds out of date is replaced; if the issuer
// does not answer, what there is goes on to hold, and the error is ErrIssuerUnavailable.
func (e *External) Refresh(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current != nil && e.now().Sub(e.asked) < askAgain {
		return nil
	}
	return e.discover(ctx)
}

// discover asks for the discovery document. The keys are asked for when the first token needs them.
func (e *External) discover(ctx context.Context) error {
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), e.client) // others wait for the answer too
	provider, err := oidc.NewProvider(ctx, e.config.Issuer)
	if err != nil {
		if mismatch, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
			return fmt.Errorf("%w: %w", ErrIssuerUnavailable, mismatch)
		}
		return fmt.Errorf("%w: its discovery document cannot be had", ErrIssuerUnavailable)
	}
	var where struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&where); err != nil || where.Keys == "" {
		return fmt.Errorf("%w: its discovery document names no keys", ErrIssuerUnavailable)
	}
	e.keys = append([]oidc.KeySet{oidc.NewRemoteKeySet(ctx, where.Keys)}, e.keys[:min(1, len(e.keys))]...)
	e.current, e.asked = provider, e.now()
	return nil
}

// trusted are the issuer's keys, discovered now if they were not before or too long ago.
func (e *External) trusted(ctx context.Context) ([]oidc.KeySet, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.now().Sub(e.asked) >= keepWithout {
		if err := e.discover(ctx); err != nil {
			return nil, err
		}
	}
	return e.keys, nil
}

// claims tells whether a token says that the external issuer made it. That is not verified.
func (e *External) claims(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var content struct {
		Issuer string `json:"iss"`
	}
	return json.Unmarshal(payload, &content) == nil && content.Issuer == e.config.Issuer
}

// externalAlgorithms are what an external token may be signed with: no secret shared with the issuer, and not "none".
func externalAlgorithms() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}
}

// verify checks a token of the issuer. It fails as Verifier.Verify does.
func (e *External) verify(ctx context.Context, token string) (Principal, error) {
	if !accessToken(token) {
		return Principal{}, ErrInvalidToken
	}
	keys, err := e.trusted(ctx)
	if err != nil {
		return Principal{}, err
	}
	try := &attempt{keys: keys}
	verifier := oidc.NewVerifier(e.config.Issuer, try, &oidc.Config{
		ClientID: e.config.Audience, SupportedSigningAlgs: externalAlgorithms(), Now: e.now,
	})
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		switch {
		case ctx.Err() != nil:
			return Principal{}, ctx.Err()
		case errors.Is(try.err, ErrIssuerUnavailable):
			return Principal{}, try.err
		}
		if expired, ok := errors.AsType[*oidc.TokenExpiredError](err); ok && !expired.Expiry.IsZero() {
			return Principal{}, ErrExpiredToken
		}
		return Principal{}, ErrInvalidToken
	}
	return e.principal(verified)
}

// accessToken tells by a token's header whether it can be one: some issuers type theirs as plain JWTs, but what is
// typed as something else, such as a logout token, is something else.
func accessToken(token string) bool {
	signed, err := jose.ParseSignedCompact(token, joseAlgorithms())
	if err != nil {
		return false
	}
	return slices.Contains([]string{"", "jwt", tokenType}, typeOf(signed.Signatures[0].Protected))
}

func joseAlgorithms() []jose.SignatureAlgorithm {
	var algorithms []jose.SignatureAlgorithm
	for _, name := range externalAlgorithms() {
		algorithms = append(algorithms, jose.SignatureAlgorithm(name))
	}
	return algorithms
}

// attempt is the key set of one verification. It keeps the error, of which the library makes a text.
type attempt struct {
	keys []oidc.KeySet
	err  error
}

// VerifySignature implements oidc.KeySet. While the issuer does not answer, the keys of the discovery before hold.
func (a *attempt) VerifySignature(ctx context.Context, token string) (payload []byte, err error) {
	for i, keys := range a.keys {
		payload, err = keys.VerifySignature(ctx, token)
		if errors.Is(err, errNothingNewer) { // somebody fetched just now what this look missed
			payload, err = keys.VerifySignature(ctx, token)
		}
		if err == nil {
			return payload, nil
		}
		if i == 0 {
			a.err = err
		}
		if !errors.Is(err, ErrIssuerUnavailable) {
			break
		}
	}
	return nil, a.err
}

// principal reads the claims of a token whose signature, issuer, audience and expiry are good.
func (e *External) principal(token *oidc.IDToken) (Principal, error) {
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return Principal{}, ErrInvalidToken
	}
	latest := e.now().Add(skew)
	if token.IssuedAt.After(latest) || !notBefore(claims["nbf"], latest) {
		return Principal{}, ErrInvalidToken
	}
	client := firstClaim(claims, e.config.ClientClaim, "client_id", "azp")
	name, _ := client.(string)
	if name == "" {
		return Principal{}, ErrInvalidToken
	}
	id, _ := claims["jti"].(string)
	return Principal{
		ClientID: name, Scopes: knownScopes(firstClaim(claims, e.config.ScopeClaim, "scope", "scp")),
		TokenID: id, Expires: token.Expiry.UTC(), External: true,
	}, nil
}

// notBefore tells whether a token's nbf, if it has one, has come.
func notBefore(claim any, latest time.Time) bool {
	if claim == nil {
		return true
	}
	seconds, ok := claim.(float64)
	return ok && seconds <= float64(latest.Unix())
}

// firstClaim is the claim of that name or, where no name is set, the first of the usual ones that the token has.
func firstClaim(claims map[string]any, name string, usual ...string) any {
	if name != "" {
		return claims[name]
	}
	for _, name := range usual {
		if claim, found := claims[name]; found {
			return claim
		}
	}
	return nil
}

// knownScopes are those of a claim that exist here: another issuer has scopes for other servers too. sdk is not among
// them, since only our own tokens are bound to a session.
func knownScopes(claim any) []Scope {
	var names []string
	switch list := claim.(type) {
	case string:
		names = strings.Fields(list)
	case []any:
		for _, entry := range list {
			name, _ := entry.(string)
			names = append(names, name)
		}
	}
	var scopes []Scope
	for _, scope := range Scopes() {
		if scope != ScopeSDK && slices.Contains(names, string(scope)) {
			scopes = append(scopes, scope)
		}
	}
	slices.Sort(scopes)
	return scopes
}

// counter is the way to the issuer. It turns everything but a JSON document into ErrIssuerUnavailable, and asks for
// one document only so often: a failure is told again, and after an answer nothing newer is to be had.
type counter struct {
	next http.RoundTripper
	now  func() time.Time

	mu   sync.Mutex
	last map[string]answer // by URL
}

type answer struct {
	at  time.Time
	err error
}

// errNothingNewer: the document was fetched a moment ago.
const errNothingNewer Code = "nothing_newer"

// RoundTrip implements http.RoundTripper.
func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	address := r.URL.String()
	c.mu.Lock()
	last, asked := c.last[address]
	c.mu.Unlock()
	if asked && c.now().Sub(last.at) < askEvery {
		if last.err != nil {
			return nil, last.err
		}
		return nil, errNothingNewer
	}
	resp, err := c.fetch(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last[address] = answer{at: c.now(), err: err}
	return resp, err
}

func (c *counter) fetch(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIssuerUnavailable, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocumentBytes))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrIssuerUnavailable, err)
	case resp.StatusCode != http.StatusOK: // a redirect is not followed either
		return nil, fmt.Errorf("%w: status %d", ErrIssuerUnavailable, resp.StatusCode)
	case !json.Valid(body): // also when it was cut off
		return nil, fmt.Errorf("%w: its answer is not a JSON document", ErrIssuerUnavailable)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
