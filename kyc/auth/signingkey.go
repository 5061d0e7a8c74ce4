package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// SigningKey is a private key that signs tokens: ECDSA on P-256, ES256. It prints as its id.
type SigningKey struct{ jwk jose.JSONWebKey }

// NewSigningKey makes a signing key; its id is the thumbprint of its public part (RFC 7638). Randomness comes from
// the operating system, as package ecdsa demands.
func NewSigningKey() (*SigningKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("auth: no signing key: %w", err)
	}
	return newSigningKey(private)
}

func newSigningKey(private *ecdsa.PrivateKey) (*SigningKey, error) {
	jwk := jose.JSONWebKey{Key: private, Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("%w: it has no thumbprint", ErrInvalidKey)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return &SigningKey{jwk: jwk}, nil
}

// ParseSigningKey reads what PrivateJWK gave.
func ParseSigningKey(private []byte) (*SigningKey, error) {
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(private, &jwk); err != nil {
		return nil, fmt.Errorf("%w: it is not a JSON Web Key", ErrInvalidKey) // the cause may quote the key
	}
	key, ok := jwk.Key.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: it is not a private P-256 key", ErrInvalidKey)
	}
	return newSigningKey(key)
}

// PrivateJWK gives the private key as a JSON Web Key, to be sealed before it is stored.
func (k *SigningKey) PrivateJWK() ([]byte, error) { return json.Marshal(k.jwk) }

// ID is the key's id, the kid of the tokens that it signs.
func (k *SigningKey) ID() string { return k.jwk.KeyID }

// String keeps the private key out of logs.
func (k *SigningKey) String() string { return "signing key " + k.ID() }

// MarshalJSON keeps the private key out of everything that is turned into JSON; see PrivateJWK.
func (k *SigningKey) MarshalJSON() ([]byte, error) { return json.Marshal(k.jwk.Public()) }
