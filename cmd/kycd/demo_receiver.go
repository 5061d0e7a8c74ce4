package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"kycd/kyc/webhook"
)

// demoReceiver is the backend's webhook endpoint: it accepts what is signed with its secret and nothing else.
type demoReceiver struct {
	path, url string
	server    *http.Server
	id        string // of the endpoint at the server

	mu       sync.Mutex
	secret   string
	events   map[string][]demoEvent // by session, in the order of arrival
	seen     map[string]bool        // event ids: an event may come twice
	rejected error                  // why the last delivery was not believed
	changed  chan struct{}          // closed when one of these changes
}

// demoEvent is a webhook whose signature was right.
type demoEvent struct {
	ID       string    `json:"id"`
	Type     string    `json:"type"`
	Status   string    `json:"status_e"`
	Verified *bool     `json:"verified"`
	At       time.Time `json:"received_at"`
}

// mostEventBytes is more than Standard Webhooks advises a sender to send.
const mostEventBytes = 64 << 10

func openDemoReceiver() (*demoReceiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &demoReceiver{
		path: "/" + rand.Text(), events: map[string][]demoEvent{}, seen: map[string]bool{}, changed: make(chan struct{}),
	}
	r.url = "http://" + listener.Addr().String() + r.path
	r.server = &http.Server{Handler: r, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }() // it ends with close
	return r, nil
}

func (r *demoReceiver) close() { _ = r.server.Close() }

// register makes the receiver known to the server, which answers the secret.
func (r *demoReceiver) register(ctx context.Context, api *demoAPI) error {
	backend, err := api.backend(ctx)
	if err != nil {
		return err
	}
	var answer struct {
		ID     string `json:"id"`
		Secret string `json:"secret"`
	}
	err = backend.post(ctx, "/v2/webhook/create", map[string]string{"name": "kycd demo", "url": r.url}, &answer)
	if err != nil {
		return err
	}
	if answer.ID == "" || answer.Secret == "" {
		return errors.New("/v2/webhook/create answered no id or no secret")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.id, r.secret = answer.ID, answer.Secret
	return nil
}

// unregister tidies up, also when the demo was ended early.
func (r *demoReceiver) unregister(api *demoAPI) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	backend, err := api.backend(ctx)
	if err != nil {
		return err
	}
	return backend.post(ctx, "/v2/webhook/delete", map[string]string{"id": r.id}, nil)
}

func (r *demoReceiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodPost || request.URL.Path != r.path {
		http.NotFound(w, request)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, mostEventBytes))
	if err == nil {
		err = r.take(request.Header, body, time.Now())
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// take believes a delivery only if its signature is right.
func (r *demoReceiver) take(header http.Header, body []byte, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() {
		close(r.changed)
		r.changed = make(chan struct{})
	}()
	if err := webhook.Verify(header, body, now, webhook.Tolerance, r.secret); err != nil {
		r.rejected = err
		return err
	}
	var event struct {
		Type string `json:"type"`
		Data struct {
			SessionID string `json:"session_id"`
			Status    string `json:"status_e"`
			Verified  *bool  `json:"verified"`
			Same      *bool  `json:"authenticated"` // the decision of an authentication
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		r.rejected = err
		return err
	}
	if event.Data.Verified == nil {
		event.Data.Verified = event.Data.Same
	}
	id := header.Get("webhook-id")
	if r.seen[id] {
		return nil
	}
	r.seen[id] = true
	r.events[event.Data.SessionID] = append(r.events[event.Data.SessionID], demoEvent{
		ID: id, Type: event.Type, Status: event.Data.Status, Verified: event.Data.Verified, At: now,
	})
	return nil
}

// wait gives the first event of a session with one of the states.
func (r *demoReceiver) wait(ctx context.Context, sessionID string, states ...string) (demoEvent, error) {
	for {
		r.mu.Lock()
		events, rejected, changed := r.events[sessionID], r.rejected, r.changed
		r.mu.Unlock()
		if rejected != nil {
			return demoEvent{}, fmt.Errorf("a delivery was not believed: %w", rejected)
		}
		for _, event := range events {
			for _, state := range states {
				if event.Status == state {
					return event, nil
				}
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return demoEvent{}, fmt.Errorf("no webhook came: %w", ctx.Err())
		}
	}
}
