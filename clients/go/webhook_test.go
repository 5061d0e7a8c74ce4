package kycd

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	hookBody   = `{"type":"idv.session.complete","timestamp":"2030-01-01T12:00:00Z","data":{"session_id":"s","client_id":"c","status_e":"complete","verified":true}}`
)

func signedBy(t *testing.T, secret, id string, at time.Time, body string) string {
	t.Helper()
	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signer.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func TestVerifyWebhook(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	secretOf := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, n)) }
	other := secretOf(32)
	stamp := func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
	good := func(at time.Time) map[string]string {
		return map[string]string{"webhook-id": "msg_1", "webhook-timestamp": stamp(at), "webhook-signature": signedBy(t, hookSecret, "msg_1", at, hookBody)}
	}
	with := func(name, value string) map[string]string {
		headers := good(now)
		headers[name] = value
		return headers
	}
	both := signedBy(t, other, "msg_1", now, hookBody) + " " + signedBy(t, hookSecret, "msg_1", now, hookBody)
	for name, test := range map[string]struct {
		headers map[string]string
		body    string
		secrets []string
		want    error
	}{
		"good":                            {good(now), hookBody, []string{hookSecret}, nil},
		"five minutes old":                {good(now.Add(-Tolerance)), hookBody, []string{hookSecret}, nil},
		"five minutes early":              {good(now.Add(Tolerance)), hookBody, []string{hookSecret}, nil},
		"the receiver knows both secrets": {good(now), hookBody, []string{other, hookSecret}, nil},
		"the sender signs with both":      {with("webhook-signature", both), hookBody, []string{hookSecret}, nil},
		"and the receiver knows the new":  {with("webhook-signature", both), hookBody, []string{other}, nil},
		"another body":                    {good(now), strings.Replace(hookBody, "true", "false", 1), []string{hookSecret}, ErrSignature},
		"another id":                      {with("webhook-id", "msg_2"), hookBody, []string{hookSecret}, ErrSignature},
		"another time":                    {with("webhook-timestamp", stamp(now.Add(time.Second))), hookBody, []string{hookSecret}, ErrSignature},
		"another secret":                  {good(now), hookBody, []string{other}, ErrSignature},
		"another version":                 {with("webhook-signature", "v1a,AAAA"), hookBody, []string{hookSecret}, ErrSignature},
		"too old":                         {good(now.Add(-Tolerance - time.Second)), hookBody, []string{hookSecret}, ErrStale},
		"too early":                       {good(now.Add(Tolerance + time.Second)), hookBody, []string{hookSecret}, ErrStale},
		"no time":                         {with("webhook-timestamp", ""), hookBody, []string{hookSecret}, ErrHeaders},
		"a time of words":                 {with("webhook-timestamp", "now"), hookBody, []string{hookSecret}, ErrHeaders},
		"a time with a sign":              {with("webhook-timestamp", "+"+stamp(now)), hookBody, []string{hookSecret}, ErrHeaders},
		"no id":                           {with("webhook-id", ""), hookBody, []string{hookSecret}, ErrHeaders},
		"no signature":                    {with("webhook-signature", ""), hookBody, []string{hookSecret}, ErrHeaders},
		"no secret":                       {good(now), hookBody, nil, ErrSecret},
		"a secret without its prefix":     {good(now), hookBody, []string{hookSecret[6:]}, ErrSecret},
		"a short secret":                  {good(now), hookBody, []string{secretOf(23)}, ErrSecret},
		"a long secret":                   {good(now), hookBody, []string{secretOf(65)}, ErrSecret},
		"one good secret and one bad":     {good(now), hookBody, []string{hookSecret, "whsec_"}, ErrSecret},
		"no event":                        {with("webhook-signature", signedBy(t, hookSecret, "msg_1", now, "[]")), "[]", []string{hookSecret}, ErrEvent},
		"an event without type":           {with("webhook-signature", signedBy(t, hookSecret, "msg_1", now, "{}")), "{}", []string{hookSecret}, ErrEvent},
	} {
		header := http.Header{}
		for key, value := range test.headers {
			header.Set(key, value)
		}
		event, err := VerifyWebhook(header, []byte(test.body), now, Tolerance, test.secrets...)
		if !errors.Is(err, test.want) || test.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if err == nil && (event.ID != "msg_1" || event.Type != "idv.session.complete" || event.Data.SessionID != "s" || !*event.Data.Verified ||
			event.Data.Status != "complete" || !event.Timestamp.Equal(now)) {
			t.Errorf("%s: %+v", name, event)
		}
		if _, typed := errors.AsType[WebhookError](err); err != nil && !typed {
			t.Errorf("%s: %T", name, err)
		}
	}
}

// The vector that the TypeScript client's test has too.
func TestVerifyWebhookVector(t *testing.T) {
	header := http.Header{}
	header.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	header.Set("webhook-timestamp", "1614265330")
	header.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	// The signature is good; the body is no event of ours.
	if _, err := VerifyWebhook(header, []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0), Tolerance, hookSecret); !errors.Is(err, ErrEvent) {
		t.Error(err)
	}
}
