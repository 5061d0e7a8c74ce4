package auth

import (
	"container/list"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
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
	now              func() time.Time
	capacity         int

	mu      sync.Mutex
	entries map[[sha256.Size]byte]*list.Element // values are *verified
	order   *list.List                          // most recently used first
}

type verified struct {
	digest    [sha256.Size]byte
	principal Principal
	keyID     string
}

// NewVerifier makes a verifier of the tokens that the issuer made for the audience. now is the clock, capacity the
// number of tokens it remembers, 0 for none.
func NewVerifier(issuer, audience string, keys KeySource, now func() time.Time, capacity int) *Verifier {
	return &Verifier{
		issuer: issuer, audience: audience, keys: keys, now: now, capacity: capacity,
		entries: make(map[[sha256.Size]byte]*list.Element), order: list.New(),
	}
}

// Verify checks a token as RFC 9068 §4 asks and says who it speaks for. It fails with ErrExpiredToken for a token
// that was good once, with ErrInvalidToken for any other; the reason is not told, since only a forger could use it.
func (v *Verifier) Verify(ctx context.Context, token string) (Principal, error) {
	if err := ctx.Err(); err != nil {
		return Principal{}, err
	}
	if len(token) > maxTokenBytes {
		return Principal{}, ErrInvalidToken
	}
	digest := sha256.Sum256([]byte(token))
	entry := v.recall(digest)
	if entry == nil {
		principal, keyID, err := v.verify(token)
		if err != nil {
			return Principal{}, err
		}
		if !v.now().Before(principal.Expires) {
			return Principal{}, ErrExpiredToken
		}
		entry = &verified{digest: digest, principal: principal, keyID: keyID}
		v.remember(entry)
	}
	principal := entry.principal
	principal.Scopes = slices.Clone(principal.Scopes) // the remembered one must not change through a caller
	return principal, nil
}

// verify does everything but the comparison with the expiry.
func (v *Verifier) verify(token string) (Principal, string, error) {
	if !canonical(token) {
		return Principal{}, "", ErrInvalidToken
	}
	// The one algorithm that we sign with; so neither "none" nor a public key taken for an HMAC secret can pass.
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return Principal{}, "", ErrInvalidToken
	}
	header := signed.Signatures[0].Protected
	kind, _ := header.ExtraHeaders[jose.HeaderType].(string)
	kind = strings.TrimPrefix(strings.ToLower(kind), "application/")
	key, found := v.keys.PublicKey(header.KeyID)
	if kind != tokenType || !found {
		return Principal{}, "", ErrInvalidToken
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

// recall gives a remembered token that has not expired and whose key still stands.
func (v *Verifier) recall(digest [sha256.Size]byte) *verified {
	v.mu.Lock()
	defer v.mu.Unlock()
	element := v.entries[digest]
	if element == nil {
		return nil
	}
	entry := element.Value.(*verified)
	_, stands := v.keys.PublicKey(entry.keyID)
	if !stands || !v.now().Before(entry.principal.Expires) {
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
