package webhook

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	secretPrefix = "whsec_"
	secretBytes  = 32
	// Standard Webhooks 1.0.0, "Signature scheme": a secret has 24 to 64 bytes.
	minSecretBytes, maxSecretBytes = 24, 64
)

// Tolerance is by how much a message's time may differ from the receiver's, unless the receiver decides otherwise.
const Tolerance = 5 * time.Minute

// NewSecret makes a signing secret, "whsec_" and the base64 of 32 bytes from random.
func NewSecret(random io.Reader) (string, error) {
	var raw [secretBytes]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("webhook: no randomness for a secret: %w", err)
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(raw[:]), nil
}

// Sign gives the value of the webhook-signature header: one v1 signature (HMAC-SHA-256) for every secret, so that
// receivers verify before, during and after a change of secrets. id is the event's id, the same on every attempt;
// at is the time of this attempt.
func Sign(id string, at time.Time, body []byte, secrets ...string) (string, error) {
	if !validID(id) {
		return "", fmt.Errorf("%w: the id is empty or holds other signs than letters, digits, _ and -", ErrInvalidEvent)
	}
	if len(secrets) == 0 {
		return "", fmt.Errorf("%w: there is none", ErrInvalidSecret)
	}
	signatures := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		signer, err := newSigner(secret)
		if err != nil {
			return "", err
		}
		signature, err := signer.Sign(id, at, body)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrInvalidSecret, err)
		}
		signatures = append(signatures, signature)
	}
	return strings.Join(signatures, " "), nil
}

// Verify checks a received message as Standard Webhooks asks: the three headers are there, the time is within
// tolerance of now, and one of the signatures is by one of the secrets. Only then may body be parsed.
func Verify(header http.Header, body []byte, now time.Time, tolerance time.Duration, secrets ...string) error {
	seconds, err := strconv.ParseInt(header.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if err != nil || seconds < 0 || seconds > maxUnixSeconds {
		return fmt.Errorf("%w: the time is missing or malformed", ErrBadSignature)
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return ErrStale
	}
	if len(secrets) == 0 {
		return fmt.Errorf("%w: there is no secret to verify with", ErrInvalidSecret)
	}
	for _, secret := range secrets {
		signer, err := newSigner(secret)
		if err != nil {
			return err
		}
		// The library's own check of the time reads the system clock; ours has been done.
		if signer.VerifyIgnoringTimestamp(body, header) == nil {
			return nil
		}
	}
	return ErrBadSignature
}

// maxUnixSeconds is the end of the year 9999, the last that RFC 3339 can write.
const maxUnixSeconds = 253402300799

func newSigner(secret string) (*standardwebhooks.Webhook, error) {
	encoded, found := strings.CutPrefix(secret, secretPrefix)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(raw) < minSecretBytes || len(raw) > maxSecretBytes {
		return nil, ErrInvalidSecret // without the cause, which may quote the secret
	}
	return standardwebhooks.NewWebhookRaw(raw)
}

// validID keeps the dot out, which parts id, time and body in the signed text, and all that a header must not hold.
func validID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	})
}
