// Package auth knows who calls: client secrets, and signed access tokens (RFC 9068) that it issues and verifies.
package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
)

// secretPrefix lets a scanner for leaked secrets recognise ours.
const secretPrefix = "kycs_"

const secretBytes = 32

// NewClientSecret makes a client secret from 32 bytes of random, and the hash to store in its place.
func NewClientSecret(random io.Reader) (secret string, hash []byte, err error) {
	var raw [secretBytes]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", nil, fmt.Errorf("auth: no randomness for a secret: %w", err)
	}
	secret = secretPrefix + base64.RawURLEncoding.EncodeToString(raw[:])
	return secret, HashSecret(secret), nil
}

// HashSecret is SHA-256. A secret of 256 random bits cannot be guessed from it, so a slow password hash would cost
// every token request much and gain nothing.
func HashSecret(secret string) []byte {
	digest := sha256.Sum256([]byte(secret))
	return digest[:]
}

// CheckSecret tells whether presented has one of the stored hashes (several while a secret is being replaced). Its
// time depends on the number of hashes alone.
func CheckSecret(presented string, hashes ...[]byte) bool {
	digest := HashSecret(presented)
	match := 0
	for _, hash := range hashes {
		match |= subtle.ConstantTimeCompare(digest, hash)
	}
	return match == 1
}
