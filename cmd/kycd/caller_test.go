package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
)

// caller speaks REST as one client of the service, or as a device that was given a token by it.
type caller struct {
	url      string
	clientID string
	token    string
	http     *http.Client
}

// answer is what came back. An error means that nothing did.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error
}

// problem is the body of an error (RFC 9457).
type problem struct {
	Code      string `json:"code"`
	RequestID string `json:"request_id"`
	Errors    []struct {
		Pointer string `json:"pointer"`
		Code    string `json:"code"`
	} `json:"errors"`
}

func (a answer) problem() problem {
	var p problem
	_ = json.Unmarshal(a.body, &p) // what is no problem has no code
	return p
}

// String is for messages of failed tests.
func (a answer) String() string {
	if a.err != nil {
		return a.err.Error()
	}
	return fmt.Sprintf("%d %.500s", a.status, a.body)
}

// done reports a 200.
func (a answer) done() bool { return a.err == nil && a.status == http.StatusOK }

// passing reports that the server was away or not able: the same request may succeed later.
func (a answer) passing() bool {
	return a.err != nil || a.status >= 500 || a.status == http.StatusTooManyRequests
}

func (c caller) send(request *http.Request, err error) answer {
	if err != nil {
		return answer{err: err}
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	request.Header.Set("X-Client-Id", c.clientID)
	response, err := c.http.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: body, err: err}
}

func (c caller) post(path string, body any) answer {
	encoded, err := json.Marshal(body)
	if err != nil {
		return answer{err: err}
	}
	request, err := http.NewRequest(http.MethodPost, c.url+path, bytes.NewReader(encoded))
	if err == nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return c.send(request, err)
}

// upload sends a picture of one side of the document. A nil picture sends no part of that name.
func (c caller) upload(side, session string, picture []byte, name string) answer {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for field, value := range map[string]string{"session_id": session, "latitude": "46.2", "longitude": "6.15"} {
		_ = w.WriteField(field, value) // into memory
	}
	if picture != nil {
		if part, err := w.CreateFormFile("image", name); err == nil {
			_, _ = part.Write(picture)
		}
	}
	_ = w.Close()
	request, err := http.NewRequest(http.MethodPost, c.url+"/v2/idv/sdk/document/"+side+"/add", &form)
	if err == nil {
		request.Header.Set("Content-Type", w.FormDataContentType())
	}
	return c.send(request, err)
}

// newCaller makes one that has no token yet.
func newCaller(url, clientID string) caller {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return caller{url: url, clientID: clientID, http: &http.Client{Transport: transport, Timeout: 60 * time.Second}}
}

// with is the same caller with the token of an answer of the token endpoint.
func (c caller) with(a answer) (caller, error) {
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if !a.done() || json.Unmarshal(a.body, &token) != nil || token.AccessToken == "" {
		return c, fmt.Errorf("no token: %s", a)
	}
	c.token = token.AccessToken
	return c, nil
}

// grant asks for a token: for all that the client may do, or for one session's device.
func (c caller) grant(secret, session string) answer {
	form := url.Values{"grant_type": {"client_credentials"}}
	if session != "" {
		form.Set("scope", "sdk")
		form.Set("session_id", session)
	}
	request, err := http.NewRequest(http.MethodPost, c.url+"/oauth2/token", strings.NewReader(form.Encode()))
	if err == nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(url.QueryEscape(c.clientID), url.QueryEscape(secret))
	}
	c.token = "" // Basic is the only authorisation of this request
	return c.send(request, err)
}

// backend is a client of a running server with its token.
func (r *running) backend(t testing.TB, made kyc.Credentials) caller {
	t.Helper()
	c := newCaller(r.url(), made.ClientID)
	t.Cleanup(c.http.CloseIdleConnections)
	c, err := c.with(c.grant(made.ClientSecret, ""))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// device is what a backend's phone is: a token for one session.
func (c caller) device(t testing.TB, made kyc.Credentials, session string) caller {
	t.Helper()
	d, err := c.with(c.grant(made.ClientSecret, session))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// must ends the test unless the answer is 200, and reads it into out, if that is not nil.
func (a answer) must(t testing.TB, what string, out any) {
	t.Helper()
	if !a.done() {
		t.Fatalf("%s: %s", what, a)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// object is a JSON object.
type object = map[string]any

// newSession creates a session.
func (c caller) newSession(t testing.TB, input object) string {
	t.Helper()
	var made struct {
		SessionID string `json:"session_id"`
	}
	c.post("/v2/idv/session/create", input).must(t, "session create", &made)
	return made.SessionID
}

// outcome is the answer to finalize.
type outcome struct {
	Verified bool     `json:"verified"`
	Status   string   `json:"status_e"`
	Reasons  []string `json:"reasons"`
	Score    *float64 `json:"score"`
}

// papers are the pictures that a person hands in.
type papers struct {
	kind                string // document_type_e
	front, back, selfie []byte
}

// consent, kindOf, liveness and finalize are the calls that a device makes beside the uploads.
func (c caller) consent(session string, given bool) answer {
	return c.post("/v2/idv/sdk/consent/add", object{"session_id": session, "consented": given})
}

func (c caller) kindOf(session, kind string) answer {
	return c.post("/v2/idv/sdk/document/type/update", object{"session_id": session, "document_type_e": kind})
}

func (c caller) generate(session string) answer {
	return c.post("/v2/idv/sdk/liveness/generate", object{"session_id": session, "latitude": 46.2, "longitude": 6.15})
}

func (c caller) process(session string, frames ...[]byte) answer {
	images := make([]string, 0, len(frames))
	for _, frame := range frames {
		images = append(images, base64.StdEncoding.EncodeToString(frame))
	}
	return c.post("/v2/idv/sdk/liveness/process", object{"session_id": session, "latitude": 46.2, "longitude": 6.15, "images": images})
}

func (c caller) finalize(session string) answer {
	return c.post("/v2/idv/sdk/finalize", object{"session_id": session})
}

// give makes every call of a device up to, and without, finalize.
func (c caller) give(t testing.TB, session string, p papers) {
	t.Helper()
	c.consent(session, true).must(t, "consent", nil)
	c.kindOf(session, p.kind).must(t, "document type", nil)
	c.upload("front", session, p.front, "front.jpg").must(t, "front", nil)
	if p.back != nil {
		c.upload("back", session, p.back, "back.jpg").must(t, "back", nil)
	}
	c.generate(session).must(t, "liveness generate", nil)
	c.process(session, p.selfie).must(t, "liveness process", nil)
}

// decided finalizes, and waits for the decision where finalize gives none yet. A decision that a person must
// make has reasons.
func (c caller) decided(t testing.TB, backend caller, session string, within time.Duration) outcome {
	t.Helper()
	var out outcome
	c.finalize(session).must(t, "finalize", &out)
	waiting := func() bool {
		return out.Status != "complete" && (len(out.Reasons) == 0 || out.Reasons[0] == "analysis_pending")
	}
	for end := time.Now().Add(within); waiting(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not decided within %v: %s %v", within, out.Status, out.Reasons)
		}
		var read struct {
			outcome
			Verified *bool `json:"verified"`
		}
		backend.post("/v2/idv/session/read", object{"session_id": session}).must(t, "session read", &read)
		out = read.outcome
		out.Verified = read.Verified != nil && *read.Verified
	}
	return out
}

// refused checks that an answer is a problem with this status and code.
func (a answer) refused(t testing.TB, what string, status int, code string) {
	t.Helper()
	p := a.problem()
	if a.err != nil || a.status != status || p.Code != code {
		t.Errorf("%s: %s, want %d %s", what, a, status, code)
		return
	}
	if p.RequestID == "" || !strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") {
		t.Errorf("%s: no problem+json with a request id: %s", what, a)
	}
}
