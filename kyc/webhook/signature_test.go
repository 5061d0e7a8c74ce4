package webhook

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func newSecret(t testing.TB) string {
	t.Helper()
	secret, err := NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func headers(id string, at time.Time, signature string) http.Header {
	header := http.Header{}
	header.Set("webhook-id", id)
	header.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
	header.Set("webhook-signature", signature)
	return header
}

// The vector is the one in the reference libraries' own tests.
func TestSignVector(t *testing.T) {
	signature, err := Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || signature != want {
		t.Errorf("signature %q, %v; want %q", signature, err, want)
	}
}

// What we sign, the official library verifies; what it signs, we verify.
func TestSignParity(t *testing.T) {
	now := time.Now()
	body := []byte(`{"type":"idv.session.complete","timestamp":"2030-01-01T00:00:00Z","data":{"id":"1"}}`)
	current, former := newSecret(t), newSecret(t)
	signature, err := Sign("msg_1", now, body, current, former)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{current, former} {
		library, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := library.Verify(body, headers("msg_1", now, signature)); err != nil {
			t.Errorf("the library refuses: %v", err)
		}
		theirs, err := library.Sign("msg_1", now, body)
		if err != nil {
			t.Fatal(err)
		}
		if err := Verify(headers("msg_1", now, theirs), body, now, Tolerance, current, former); err != nil {
			t.Errorf("we refuse the library's: %v", err)
		}
	}
}

func TestVerifyRefused(t *testing.T) {
	at := time.Unix(1893456000, 0)
	body, secret := []byte(`{"data":{}}`), newSecret(t)
	signature, err := Sign("msg_1", at, body, secret)
	if err != nil {
		t.Fatal(err)
	}
	without := func(name string) http.Header {
		header := headers("msg_1", at, signature)
		header.Del(name)
		return header
	}
	with := func(name, value string) http.Header {
		header := headers("msg_1", at, signature)
		header.Set(name, value)
		return header
	}
	tests := []struct {
		name   string
		header http.Header
		body   []byte
		now    time.Time
		secret string
		want   error
	}{
		{"as sent", headers("msg_1", at, signature), body, at, secret, nil},
		{"at the end of tolerance", headers("msg_1", at, signature), body, at.Add(Tolerance), secret, nil},
		{"among others", with("webhook-signature", "v1a,xyz v2,abc "+signature+" v1,AAAA"), body, at, secret, nil},
		{"too late", headers("msg_1", at, signature), body, at.Add(Tolerance + time.Second), secret, ErrStale},
		{"too early", headers("msg_1", at, signature), body, at.Add(-Tolerance - time.Second), secret, ErrStale},
		{"other body", headers("msg_1", at, signature), []byte(`{"data":{} }`), at, secret, ErrBadSignature},
		{"other id", headers("msg_2", at, signature), body, at, secret, ErrBadSignature},
		{"other time", headers("msg_1", at.Add(time.Second), signature), body, at, secret, ErrBadSignature},
		{"other secret", headers("msg_1", at, signature), body, at, newSecret(t), ErrBadSignature},
		{"other version", with("webhook-signature", strings.Replace(signature, "v1,", "v2,", 1)), body, at, secret, ErrBadSignature},
		{"cut signature", with("webhook-signature", signature[:20]), body, at, secret, ErrBadSignature},
		{"empty signature", with("webhook-signature", "v1,"), body, at, secret, ErrBadSignature},
		{"no id", without("webhook-id"), body, at, secret, ErrBadSignature},
		{"no time", without("webhook-timestamp"), body, at, secret, ErrBadSignature},
		{"no signature", without("webhook-signature"), body, at, secret, ErrBadSignature},
		{"time is no number", with("webhook-timestamp", "noon"), body, at, secret, ErrBadSignature},
		{"time is huge", with("webhook-timestamp", fmt.Sprint(math.MaxInt64)), body, at, secret, ErrBadSignature},
		{"time is negative", with("webhook-timestamp", "-1"), body, at, secret, ErrBadSignature},
		{"malformed secret", headers("msg_1", at, signature), body, at, "whsec_short", ErrInvalidSecret},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := Verify(test.header, test.body, test.now, Tolerance, test.secret); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
	if err := Verify(headers("msg_1", at, signature), body, at, Tolerance); !errors.Is(err, ErrInvalidSecret) {
		t.Errorf("without secrets: %v", err)
	}
}

func TestSecrets(t *testing.T) {
	secret := newSecret(t)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(raw) != 32 || secret == newSecret(t) {
		t.Errorf("secret of %d bytes, %v", len(raw), err)
	}
	if _, err := NewSecret(iotest.ErrReader(errors.New("empty"))); err == nil {
		t.Error("a secret without randomness")
	}
	of := func(size int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, size)) }
	for _, test := range []struct {
		id, secret string
		want       error
	}{
		{"msg_1", of(24), nil},
		{"msg_1", of(64), nil},
		{"0190f6a0-0000-7000-8000-000000000001", of(32), nil},
		{"msg_1", of(23), ErrInvalidSecret},
		{"msg_1", of(65), ErrInvalidSecret},
		{"msg_1", strings.TrimPrefix(of(32), "whsec_"), ErrInvalidSecret},
		{"msg_1", "whsec_$$$", ErrInvalidSecret},
		{"msg_1", "", ErrInvalidSecret},
		{"", of(32), ErrInvalidEvent},
		{"msg.1", of(32), ErrInvalidEvent},
		{"msg\r\nx: y", of(32), ErrInvalidEvent},
		{strings.Repeat("a", 129), of(32), ErrInvalidEvent},
	} {
		_, err := Sign(test.id, time.Unix(1, 0), nil, test.secret)
		if !errors.Is(err, test.want) {
			t.Errorf("sign %q with %q: %v, want %v", test.id, test.secret, err, test.want)
		}
		if err != nil && len(test.secret) > 10 && strings.Contains(err.Error(), test.secret[6:]) {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
	if _, err := Sign("msg_1", time.Unix(1, 0), nil); !errors.Is(err, ErrInvalidSecret) {
		t.Errorf("sign without secrets: %v", err)
	}
}

func TestEvent(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 6e6, time.FixedZone("east", 3600))
	data := map[string]any{"session_id": "1", "status": "complete"}
	body, err := Event{Type: "idv.session.complete", Timestamp: at, Data: data}.Encode()
	if want := `{"type":"idv.session.complete","timestamp":"2030-01-02T02:04:05.006Z","data":{"session_id":"1","status":"complete"}}`; err != nil || string(body) != want {
		t.Errorf("body %s, %v", body, err)
	}
	var parsed map[string]any
	if err := json.Unmarshal(body, &parsed); err != nil || len(parsed) != 3 {
		t.Errorf("body has %d members, %v", len(parsed), err)
	}
	for name, event := range map[string]Event{
		"no type":          {Timestamp: at, Data: data},
		"type with slash":  {Type: "idv/session", Timestamp: at, Data: data},
		"type with gap":    {Type: "idv..complete", Timestamp: at, Data: data},
		"type with end":    {Type: "idv.", Timestamp: at, Data: data},
		"no time":          {Type: "idv", Data: data},
		"time out of form": {Type: "idv", Timestamp: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), Data: data},
		"no data":          {Type: "idv", Timestamp: at},
		"data is a list":   {Type: "idv", Timestamp: at, Data: []int{1}},
		"data is NaN":      {Type: "idv", Timestamp: at, Data: map[string]float64{"score": math.NaN()}},
		"too long":         {Type: "idv", Timestamp: at, Data: map[string]string{"x": strings.Repeat("x", maxBodyBytes)}},
	} {
		if body, err := event.Encode(); !errors.Is(err, ErrInvalidEvent) {
			t.Errorf("%s: %s, %v", name, body, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	secret := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	at := time.Unix(1893456000, 0)
	signature, err := Sign("msg_1", at, []byte("{}"), secret)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("msg_1", "1893456000", signature, []byte("{}"))
	f.Add("msg_1", "1893456000", "v1,", []byte("{}"))
	f.Add("", "-9223372036854775808", "v1", []byte{})
	f.Fuzz(func(t *testing.T, id, seconds, given string, body []byte) {
		header := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {seconds}, "Webhook-Signature": {given}}
		err := Verify(header, body, at, Tolerance, secret)
		if err == nil && (id != "msg_1" || !bytes.Equal(body, []byte("{}")) || !strings.Contains(given, signature)) {
			t.Errorf("accepted id %q, time %q, signature %q, body %q", id, seconds, given, body)
		}
	})
}
