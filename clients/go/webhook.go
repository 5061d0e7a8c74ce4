package kycd

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kycd/clients/go/api"
)

// Tolerance is by how much a message's time may usually differ from now.
const Tolerance = 5 * time.Minute

// WebhookError says why a message must not be believed. Answer it with 400 and do nothing else.
type WebhookError string

// Why a message is refused.
const (
	ErrHeaders   WebhookError = "kycd: a header of the webhook is missing or malformed"
	ErrStale     WebhookError = "kycd: the webhook is from another time"
	ErrSignature WebhookError = "kycd: no signature of the webhook is by one of the secrets"
	ErrSecret    WebhookError = "kycd: a webhook secret is whsec_ and 24 to 64 bytes in base64"
	ErrEvent     WebhookError = "kycd: the webhook's body is no event"
)

func (e WebhookError) Error() string { return string(e) }

// Event says what happened to a session. Read the rest by the session's id: the message holds nothing of a person.
type Event struct {
	// ID is the same when the message is delivered again: do nothing for one that was seen.
	ID string `json:"-"`
	// Type is such as idv.session.complete. There may be more in time: let what is not known pass.
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      EventData `json:"data"`
}

// EventData names the session, and how it stands.
type EventData struct {
	SessionID string      `json:"session_id"`
	ClientID  string      `json:"client_id"`
	Status    api.StatusE `json:"status_e"`
	// IdentityID is the person's lasting id, where there is one.
	IdentityID string `json:"identity_id"`
	// Verified is of an IDV session that is decided, Authenticated of an IDA session.
	Verified      *bool `json:"verified"`
	Authenticated *bool `json:"authenticated"`
}

// VerifyWebhook checks a message as Standard Webhooks 1.0.0 asks, and gives its event: the three headers are there, the
// time is within tolerance of now, and one of the signatures is by one of the secrets, several while one takes the
// other's place. Body is as it came. The error is a WebhookError.
func VerifyWebhook(header http.Header, body []byte, now time.Time, tolerance time.Duration, secrets ...string) (Event, error) {
	seconds, err := strconv.ParseUint(header.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 40)
	if err != nil || header.Get(standardwebhooks.HeaderWebhookID) == "" || header.Get(standardwebhooks.HeaderWebhookSignature) == "" {
		return Event{}, ErrHeaders
	}
	if now.Sub(time.Unix(int64(seconds), 0)).Abs() > tolerance {
		return Event{}, ErrStale
	}
	if len(secrets) == 0 {
		return Event{}, ErrSecret
	}
	signed := false
	for _, secret := range secrets {
		verifier, err := newVerifier(secret)
		if err != nil {
			return Event{}, err
		}
		// The library's own check of the time reads the system clock; ours has been done.
		signed = verifier.VerifyIgnoringTimestamp(body, header) == nil || signed
	}
	if !signed {
		return Event{}, ErrSignature
	}
	event := Event{ID: header.Get(standardwebhooks.HeaderWebhookID)}
	if json.Unmarshal(body, &event) != nil || event.Type == "" || event.Timestamp.IsZero() {
		return Event{}, ErrEvent
	}
	return event, nil
}

func newVerifier(secret string) (*standardwebhooks.Webhook, error) {
	encoded, found := strings.CutPrefix(secret, "whsec_")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(raw) < 24 || len(raw) > 64 {
		return nil, ErrSecret // without the cause, which may quote the secret
	}
	return standardwebhooks.NewWebhookRaw(raw)
}
