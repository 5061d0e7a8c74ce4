package auth

import (
	"container/list"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// maxTokenBytes is several times what a token of ours needs.
	maxTokenBytes = 4 << 10
	// skew is by how much another server's clock may be ahead when it issues. Expiry has no such margin.
	skew = 30 * time.Second
)

// Principal is who a verified token speaks for.
type Principal struct {
	UserID   string
	ClientID string
	Scopes   []Scope
	// SessionID is the only session that an sdk token opens; empty for other tokens.
	SessionID string
	TokenID   string
	Expires   time.Time
	// External says that another issuer made the token. The verifier then leaves UserID empty, and ClientID is what
	// that issuer calls the client.
	External bool
}

// HasScope tells whether the token opens scope.
func (p Principal) HasScope(scope Scope) bool { return slices.Contains(p.Scopes, scope) }

// KeySource finds the public key of a kid. Issuer is one.
type KeySource interface {
	PublicKey(id string) (crypto.PublicKey, bool)
}

// Verifier verifies access tokens. It remembers the ones it verified last, by their digest, because a client sends
// the same token hundreds of times; a remembered token is still refused when it expires or when its key is withdrawn.
// It is safe for concurrent use.
type Verifier struct {
	issuer, audience string
	keys             KeySource
	external         *External // nil: no other issuer is trusted
	now              func() time.Time
	capacity         int

	mu      sync.Mutex
	entries map[[sha256.Size]byte]*list.Element // values are *verified
	order   *list.List                          // most recently used first
}

type verified struct {
	digest    [sha256.Size]byte
	principal Principal
	keyID     string    // of our own key; empty for an external token
	until     time.Time // how long it is remembered
}

// NewVerifier makes a verifier of the tokens that the issuer made for the audience. now is the clock, capacity the
// number of tokens it remembers, 0 for none.
func NewVerifier(issuer, audience string, keys KeySource, now func() time.Time, capacity int) *Verifier {
	return &Verifier{
		issuer: issuer, audience: audience, keys: keys, now: now, capacity: capacity,
		entries: make(map[[sha256.Size]byte]*list.Element), order: list.New(),
	}
}

// Trust makes the verifier take the tokens of another issuer too. It is called before the first Verify.
func (v *Verifier) Trust(external *External) { v.external = external }

// Verify checks a token as RFC 9068 §4 asks and says who it speaks for. It fails with ErrExpiredToken for a token
// that was good once, with ErrIssuerUnavailable if only an issuer that does not answer could tell, and with
// ErrInvalidToken for any other; the reason is not told, since only a forger could use it.
func (v *Verifier) Verify(ctx context.Context, token string) (Principal, error) {
	if err := ctx.Err(); err != nil {
		return Principal{}, err
	}
	if len(token) > v.longest() {
		return Principal{}, ErrInvalidToken
	}
	digest := sha256.Sum256([]byte(token))
	entry := v.recall(digest)
	if entry == nil {
		principal, keyID, err := v.verify(ctx, token)
		if err != nil {
			return Principal{}, err
		}
		now := v.now()
		if !now.Before(principal.Expires) {
			return Principal{}, ErrExpiredToken
		}
		entry = &verified{digest: digest, principal: principal, keyID: keyID, until: principal.Expires}
		if latest := now.Add(externalMemory); principal.External && latest.Before(entry.until) {
			entry.until = latest
		}
		v.remember(entry)
	}
	principal := entry.principal
	principal.Scopes = slices.Clone(principal.Scopes) // the remembered one must not change through a caller
	return principal, nil
}

// longest is how many bytes a token may have.
func (v *Verifier) longest() int {
	if v.external != nil {
		return maxExternalBytes
	}
	return maxTokenBytes
}

// verify does everything but the comparison of our own tokens with their expiry. keyID is that of our own key.
func (v *Verifier) verify(ctx context.Context, token string) (principal Principal, keyID string, err error) {
	if !canonical(token) {
		return Principal{}, "", ErrInvalidToken
	}
	if v.external != nil && v.external.claims(token) {
		principal, err = v.external.verify(ctx, token)
		return principal, "", err
	}
	return v.verifyOwn(token)
}

func (v *Verifier) verifyOwn(token string) (Principal, string, error) {
	if len(token) > maxTokenBytes {
		return Principal{}, "", ErrInvalidToken
	}
	// The one algorithm that we sign with; so neither "none" nor a public key taken for an HMAC secret can pass.
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return Principal{}, "", ErrInvalidToken
	}
	header := signed.Signatures[0].Protected
	if typeOf(header) != tokenType {
		return Principal{}, "", ErrInvalidToken
	}
	key, found := v.keys.PublicKey(header.KeyID)
	if !found {
		return Principal{}, "", fmt.Errorf("%w: %w", ErrInvalidToken, ErrUnknownKey)
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return Principal{}, "", ErrInvalidToken
	}
	var content claims
	if err := json.Unmarshal(payload, &content); err != nil {
		return Principal{}, "", ErrInvalidToken
	}
	principal, valid := v.principal(content)
	if !valid {
		return Principal{}, "", ErrInvalidToken
	}
	return principal, header.KeyID, nil
}

// typeOf is the header's typ as RFC 7515 §4.1.9 compares it.
func typeOf(header jose.Header) string {
	kind, _ := header.ExtraHeaders[jose.HeaderType].(string)
	return strings.TrimPrefix(strings.ToLower(kind), "application/")
}

// canonical tells whether the token is written in the one way in which base64url writes its bytes, without line
// breaks or stray bits in a part's last character: one token must not have several spellings.
func canonical(token string) bool {
	if strings.ContainsAny(token, "\r\n") { // which the decoder skips
		return false
	}
	encoding := base64.RawURLEncoding.Strict()
	for part := range strings.SplitSeq(token, ".") {
		if _, err := encoding.DecodeString(part); err != nil {
			return false
		}
	}
	return true
}

// principal checks the claims; every one is required.
func (v *Verifier) principal(content claims) (Principal, bool) {
	latest := v.now().Add(skew)
	switch {
	case content.Issuer != v.issuer, !content.Audience.Contains(v.audience),
		content.Expiry == nil, content.IssuedAt == nil, content.IssuedAt.Time().After(latest),
		content.NotBefore != nil && content.NotBefore.Time().After(latest),
		content.ID == "", content.UserID == "", content.ClientID == "", content.Subject != content.ClientID:
		return Principal{}, false
	}
	scopes, err := ParseScopes(content.Scope)
	if err != nil || len(scopes) == 0 || checkBinding(scopes, content.SessionID) != nil {
		return Principal{}, false
	}
	return Principal{
		UserID: content.UserID, ClientID: content.ClientID, Scopes: scopes, SessionID: content.SessionID,
		TokenID: content.ID, Expires: content.Expiry.Time().UTC(),
	}, true
}

// recall gives a remembered token that has not expired and whose key, if it is ours, still stands.
func (v *Verifier) recall(digest [sha256.Size]byte) *verified {
	v.mu.Lock()
	defer v.mu.Unlock()
	element := v.entries[digest]
	if element == nil {
		return nil
	}
	entry := element.Value.(*verified)
	stands := entry.principal.External
	if !stands {
		_, stands = v.keys.PublicKey(entry.keyID)
	}
	if !stands || !v.now().Before(entry.until) {
		delete(v.entries, digest)
		v.order.Remove(element)
		return nil
	}
	v.order.MoveToFront(element)
	return entry
}

func (v *Verifier) remember(entry *verified) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, found := v.entries[entry.digest]; found || v.capacity <= 0 {
		return
	}
	v.entries[entry.digest] = v.order.PushFront(entry)
	for v.order.Len() > v.capacity {
		oldest := v.order.Back()
		delete(v.entries, oldest.Value.(*verified).digest)
		v.order.Remove(oldest)
	}
}
