package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kycd/kyc/webhook"
)

// receiver is somebody's endpoint for webhooks.
type receiver struct {
	url string

	mu     sync.Mutex
	events []event
	secret string
	bad    []string // why messages were refused
}

// event is one message whose signature was verified.
type event struct {
	ID   string
	Type string `json:"type"`
	Data struct {
		SessionID string `json:"session_id"`
		Status    string `json:"status_e"`
		Verified  *bool  `json:"verified"`
	} `json:"data"`
	Body string
}

// newReceiver listens. Until trust is called it refuses everything, and the sender tries again.
func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(server.Close)
	r.url = server.URL + "/hook"
	return r
}

// trust says what secret signs the messages.
func (r *receiver) trust(secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = secret
}

func (r *receiver) take(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(io.LimitReader(request.Body, 1<<20))
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || r.secret == "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if err := webhook.Verify(request.Header, body, time.Now(), webhook.Tolerance, r.secret); err != nil {
		r.bad = append(r.bad, err.Error())
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	e := event{ID: request.Header.Get(standardwebhooks.HeaderWebhookID), Body: string(body)}
	if err := json.Unmarshal(body, &e); err != nil {
		r.bad = append(r.bad, err.Error())
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.events = append(r.events, e)
	w.WriteHeader(http.StatusNoContent)
}

// of gives the messages about a session, and fails the test if a message came that could not be trusted.
func (r *receiver) of(t testing.TB, session string) []event {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.bad) > 0 {
		t.Fatalf("%d messages were refused: %s", len(r.bad), r.bad[0])
	}
	var found []event
	for _, e := range r.events {
		if e.Data.SessionID == session {
			found = append(found, e)
		}
	}
	return found
}

// register makes the receiver known to the server.
func (r *receiver) register(t testing.TB, backend caller) (id string) {
	t.Helper()
	var made struct{ ID, Secret string }
	backend.post("/v2/webhook/create", object{"name": "decisions", "url": r.url}).must(t, "webhook create", &made)
	r.trust(made.Secret)
	return made.ID
}
