package kycd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// issuer answers tokens token-1, token-2 … at the token endpoint and the rest by answer.
func issuer(expires int, answer http.HandlerFunc) http.HandlerFunc {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth2/token" {
			answerJSON(200, fmt.Sprintf(`{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, n.Add(1), expires))(w, r)
			return
		}
		answer(w, r)
	}
}

// paths and bearers are what was asked, and by which token.
func (s *script) paths() (paths, bearers []string) {
	for _, r := range s.seen() {
		paths, bearers = append(paths, r.path), append(bearers, r.header.Get("Authorization"))
	}
	return paths, bearers
}

func TestTokenOnce(t *testing.T) {
	s := serve(t, issuer(3600, answerJSON(200, `{}`)))
	client, err := newClient(Config{BaseURL: s.URL, ClientID: "a:b c", ClientSecret: "ü&%", Scopes: []string{"idv", "webhook"}}, newClock().world())
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := create(t.Context(), client); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	requests := s.seen()
	if len(requests) != 21 || requests[0].path != "/oauth2/token" {
		t.Fatalf("%d requests", len(requests))
	}
	first := http.Request{Header: requests[0].header}
	if id, secret, _ := first.BasicAuth(); id != "a%3Ab+c" || secret != "%C3%BC%26%25" {
		t.Errorf("%q %q", id, secret)
	}
	if got := string(requests[0].body); got != "grant_type=client_credentials&scope=idv+webhook" || requests[0].header.Get("Idempotency-Key") != "" {
		t.Errorf("%s %v", got, requests[0].header)
	}
	for _, r := range requests[1:] {
		if got := r.header.Get("Authorization"); got != "Bearer token-1" {
			t.Error(got)
		}
	}
}

func TestTokenRenewed(t *testing.T) {
	for _, test := range []struct {
		expires          int
		stillGood, ended time.Duration
	}{{3600, 3569 * time.Second, 3570 * time.Second}, {100, 89 * time.Second, 90 * time.Second}} {
		s, c := serve(t, issuer(test.expires, answerJSON(200, `{}`))), newClock()
		client := c.client(t, Config{BaseURL: s.URL, ClientSecret: "secret"})
		start := c.now
		for _, at := range []time.Duration{0, test.stillGood, test.ended} {
			c.now = start.Add(at)
			if _, err := create(t.Context(), client); err != nil {
				t.Fatal(err)
			}
		}
		paths, bearers := s.paths()
		call := "/v2/idv/session/create"
		if !reflect.DeepEqual(paths, []string{"/oauth2/token", call, call, "/oauth2/token", call}) || bearers[2] != "Bearer token-1" || bearers[4] != "Bearer token-2" {
			t.Errorf("%d s: %v %v", test.expires, paths, bearers)
		}
	}
}

// A token that is refused is renewed once; a second refusal is final.
func TestTokenRefused(t *testing.T) {
	s := serve(t, issuer(3600, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			problem(401, "unauthorized")(w, r)
			return
		}
		answerJSON(200, `{}`)(w, r)
	}))
	c := newClock()
	if _, err := create(t.Context(), c.client(t, Config{BaseURL: s.URL, ClientSecret: "secret"})); err != nil || len(c.slept) != 0 {
		t.Errorf("%v, slept %v", err, c.slept)
	}
	if got := s.seen(); got[1].header.Get("Idempotency-Key") != got[3].header.Get("Idempotency-Key") {
		t.Error("another key")
	}
	s = serve(t, issuer(3600, problem(401, "unauthorized")))
	if _, err := create(t.Context(), newClock().client(t, Config{BaseURL: s.URL, ClientSecret: "secret"})); code(err) != "unauthorized" {
		t.Error(err)
	}
	if paths, _ := s.paths(); len(paths) != 4 {
		t.Error(paths)
	}
}

func TestTokenEndpointRefuses(t *testing.T) {
	s := serve(t, answerJSON(401, `{"error":"invalid_client","error_description":"no such client"}`), issuer(3600, answerJSON(200, `{}`)))
	client := newClock().client(t, Config{BaseURL: s.URL, ClientSecret: "canary-secret"})
	_, err := create(t.Context(), client)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != "invalid_client" || e.Detail != "no such client" || strings.Contains(fmt.Sprintf("%+v", err), "canary") {
		t.Errorf("%+v", err)
	}
	if _, err := create(t.Context(), client); err != nil {
		t.Errorf("the next call: %v", err)
	}
	s = serve(t, answerJSON(200, `{"token_type":"Bearer"}`))
	if _, err := create(t.Context(), newClock().client(t, Config{BaseURL: s.URL, ClientSecret: "secret"})); code(err) != CodeUnexpectedAnswer {
		t.Error(err)
	}
}

// Whoever cannot wait for a token does not wait for one that others wait for.
func TestTokenContext(t *testing.T) {
	asked, give := make(chan struct{}), make(chan struct{})
	cache := newCachedTokens(time.Now, func(context.Context) (grant, error) {
		close(asked)
		<-give
		return grant{token: "t", expires: time.Now().Add(time.Hour)}, nil
	})
	patient := make(chan string, 1)
	go func() {
		got, _ := cache.token(context.Background(), "")
		patient <- got
	}()
	<-asked
	ctx, end := context.WithCancel(t.Context())
	end()
	if _, err := cache.token(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(give)
	if got := <-patient; got != "t" {
		t.Error(got)
	}
}

func TestSDKToken(t *testing.T) {
	s, c := serve(t, issuer(900, answerJSON(200, `{}`))), newClock()
	got, err := c.client(t, Config{BaseURL: s.URL, ClientSecret: "secret"}).SDKToken(t.Context(), "session-1")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if want := `{"clientId":"client-1","sessionId":"session-1","token":"token-1","expiresAt":"2030-01-01T12:15:00Z"}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	if body := string(s.seen()[0].body); body != "grant_type=client_credentials&scope=sdk&session_id=session-1" {
		t.Error(body)
	}
}

// Tokens of another issuer are taken as they are, and exchanged for SDK tokens.
func TestExternalTokens(t *testing.T) {
	s := serve(t, issuer(900, answerJSON(200, `{}`)))
	var refusals []string
	client := newClock().client(t, Config{BaseURL: s.URL, Token: func(_ context.Context, refused string) (string, error) {
		refusals = append(refusals, refused)
		return fmt.Sprintf("external-%d", len(refusals)), nil
	}})
	if _, err := create(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if _, err := client.SDKToken(t.Context(), "session-1"); err != nil {
		t.Fatal(err)
	}
	requests := s.seen()
	form, err := url.ParseQuery(string(requests[1].body))
	want := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {"external-2"},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "scope": {"sdk"}, "session_id": {"session-1"}, "client_id": {"client-1"},
	}
	if err != nil || !reflect.DeepEqual(form, want) || requests[1].header.Get("Authorization") != "" || requests[0].header.Get("Authorization") != "Bearer external-1" {
		t.Errorf("%v, %v", form, err)
	}
	s = serve(t, problem(401, "unauthorized"), answerJSON(200, `{}`))
	refusals = nil
	client = newClock().client(t, Config{BaseURL: s.URL, Token: client.config.Token})
	if _, err := create(t.Context(), client); err != nil || !reflect.DeepEqual(refusals, []string{"", "external-1"}) {
		t.Errorf("%v, %q", err, refusals)
	}
	broken := errors.New("the issuer is down")
	client = newClock().client(t, Config{BaseURL: s.URL, Token: func(context.Context, string) (string, error) { return "", broken }})
	if _, err := create(t.Context(), client); !errors.Is(err, broken) {
		t.Error(err)
	}
}
