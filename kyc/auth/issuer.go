package auth

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// tokenType is the typ of access tokens (RFC 9068 §2.1); it keeps other JWTs of the same keys from being taken for one.
const tokenType = "at+jwt"

// tokenIDBytes is the length of a jti before base64.
const tokenIDBytes = 16

// Grant is what a token says about its bearer.
type Grant struct {
	UserID   string
	ClientID string
	Scopes   []Scope
	// SessionID binds the token to one session; it goes with the scope sdk and with no other.
	SessionID string
	// Life is how long the token is valid; tokens count in whole seconds.
	Life time.Duration
}

// claims are a token's content, RFC 9068 §2.2 and two of our own.
type claims struct {
	jwt.Claims
	ClientID  string `json:"client_id"`
	Scope     string `json:"scope"`
	UserID    string `json:"user_id"`
	SessionID string `json:"session_id,omitempty"`
}

// Issuer signs access tokens. It is safe for concurrent use.
type Issuer struct {
	name     string
	audience string
	now      func() time.Time
	random   io.Reader
	ring     atomic.Pointer[ring]
}

// ring is a set of keys, never changed after it was made.
type ring struct {
	signer  jose.Signer
	signing jose.JSONWebKey // what signer signs with
	public  map[string]crypto.PublicKey
	jwks    []byte
}

// NewIssuer makes an issuer. name is its URL (the claim iss), audience the API's URL (aud); now is the clock, random
// the source of token ids. The first key signs; the others still verify.
func NewIssuer(name, audience string, keys []*SigningKey, now func() time.Time, random io.Reader) (*Issuer, error) {
	if name == "" || audience == "" {
		return nil, fmt.Errorf("%w: an issuer needs a name and an audience", ErrInvalidGrant)
	}
	issuer := &Issuer{name: name, audience: audience, now: now, random: random}
	if err := issuer.SetKeys(keys); err != nil {
		return nil, err
	}
	return issuer, nil
}

// SetKeys replaces the keys. The newest stands in front; an old one stays until its last token has expired. A key
// that is left out is refused at once.
func (i *Issuer) SetKeys(keys []*SigningKey) error {
	if len(keys) == 0 {
		return fmt.Errorf("%w: there is none", ErrInvalidKey)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: keys[0].jwk},
		(&jose.SignerOptions{}).WithType(tokenType),
	)
	if err != nil {
		return fmt.Errorf("%w: it cannot sign", ErrInvalidKey)
	}
	next := &ring{signer: signer, signing: keys[0].jwk, public: make(map[string]crypto.PublicKey, len(keys))}
	var set jose.JSONWebKeySet
	for _, key := range keys {
		public := key.jwk.Public()
		if _, found := next.public[key.ID()]; found {
			return fmt.Errorf("%w: one is there twice", ErrInvalidKey)
		}
		next.public[key.ID()] = public.Key
		set.Keys = append(set.Keys, public)
	}
	if next.jwks, err = json.Marshal(set); err != nil {
		return fmt.Errorf("%w: it has no JSON form", ErrInvalidKey)
	}
	i.ring.Store(next)
	return nil
}

// JWKS is the document for /.well-known/jwks.json: the public keys.
func (i *Issuer) JWKS() []byte { return slices.Clone(i.ring.Load().jwks) }

// PublicKey implements KeySource.
func (i *Issuer) PublicKey(id string) (crypto.PublicKey, bool) {
	key, found := i.ring.Load().public[id]
	return key, found
}

// Issue signs an access token and says when it expires. It fails with ErrInvalidGrant or ErrInvalidScope.
func (i *Issuer) Issue(grant Grant) (token string, expires time.Time, err error) {
	if grant.UserID == "" || grant.ClientID == "" || grant.Life < time.Second {
		return "", time.Time{}, fmt.Errorf("%w: a token needs a user, a client and a life of a second or more", ErrInvalidGrant)
	}
	scopes, err := ParseScopes(JoinScopes(grant.Scopes))
	if err != nil {
		return "", time.Time{}, err
	}
	if len(scopes) == 0 {
		return "", time.Time{}, fmt.Errorf("%w: there is none", ErrInvalidScope)
	}
	if err := checkBinding(scopes, grant.SessionID); err != nil {
		return "", time.Time{}, err
	}
	var id [tokenIDBytes]byte
	if _, err := io.ReadFull(i.random, id[:]); err != nil {
		return "", time.Time{}, fmt.Errorf("auth: no randomness for a token id: %w", err)
	}
	issued := i.now().Truncate(time.Second)
	expires = issued.Add(grant.Life.Truncate(time.Second)).UTC()
	token, err = jwt.Signed(i.ring.Load().signer).Claims(claims{
		Claims: jwt.Claims{
			Issuer: i.name, Subject: grant.ClientID, Audience: jwt.Audience{i.audience},
			IssuedAt: jwt.NewNumericDate(issued), Expiry: jwt.NewNumericDate(expires),
			ID: base64.RawURLEncoding.EncodeToString(id[:]),
		},
		ClientID: grant.ClientID, Scope: JoinScopes(scopes), UserID: grant.UserID, SessionID: grant.SessionID,
	}).Serialize()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("%w: signing failed", ErrInvalidKey)
	}
	return token, expires, nil
}
