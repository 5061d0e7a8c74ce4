package live_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/kyctest/house"
	"kycd/rest"
)

// server is the API as it is reached over HTTP. It limits nobody.
type server struct {
	*house.House
	url    string
	hooks  string // where webhooks are taken
	client *http.Client
	close  func()
}

// serve begins to serve; it ends with the test.
func serve(t testing.TB, o house.Options) *server {
	t.Helper()
	s := &server{House: house.Open(t, o)}
	web := httptest.NewServer(rest.New(rest.Options{Service: s.Service, Probe: well{}, Version: "1.0.0", Environment: "production", Now: o.Now}))
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	s.url, s.hooks, s.client = web.URL, hooks.URL, &http.Client{Transport: transport}
	s.close = func() {
		web.Close()
		transport.CloseIdleConnections()
		s.Wait()
		hooks.Close()
	}
	t.Cleanup(s.close)
	return s
}

// well is an installation in which everything works.
type well struct{}

func (well) Live(context.Context) error { return nil }

func (well) Ready(context.Context) rest.Readiness {
	return rest.Readiness{Ready: true, Checks: map[string]string{"database": rest.HealthOK}}
}

func (well) Health(context.Context) rest.Health {
	return rest.Health{
		Status: rest.HealthOK, Database: rest.HealthOK, Cache: rest.HealthOK, Storage: rest.HealthOK,
		ExternalServices: map[string]string{"vision": rest.HealthOK},
	}
}

// tenant is one client of one organisation.
type tenant struct {
	credentials kyc.Credentials
	caller      auth.Principal
	token       string // of all scopes but sdk
}

// tenant makes a client of the organisation of that name.
func (s *server) tenant(t testing.TB, name string) tenant {
	t.Helper()
	made, caller := s.Client(name)
	return tenant{made, caller, s.grant(t, made, "", "")}
}

// grant asks the token endpoint for a token.
func (s *server) grant(t testing.TB, c kyc.Credentials, scope, sessionID string) string {
	t.Helper()
	a := s.askForToken(t, c, scope, sessionID)
	token, _ := a.object(t)["access_token"].(string)
	if a.status != http.StatusOK || token == "" {
		t.Fatalf("no token: %s", a)
	}
	return token
}

func (s *server) askForToken(t testing.TB, c kyc.Credentials, scope, sessionID string) answer {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {c.ClientSecret}}
	if scope != "" {
		form.Set("scope", scope)
	}
	if sessionID != "" {
		form.Set("session_id", sessionID)
	}
	return s.send(t, http.MethodPost, "/oauth2/token", http.Header{"Content-Type": {mediaForm}}, []byte(form.Encode()))
}

// question is a request for an operation.
type question struct {
	op     *operation
	token  string // empty: none
	path   map[string]string
	query  url.Values
	header http.Header
	body   map[string]any // of a form, bytes are a file; nil: no body
}

// with is the question with another value in one place of the request.
func (q question) with(p place, value any) question {
	switch p.in {
	case inPath:
		q.path = maps.Clone(q.path)
		if q.path == nil {
			q.path = map[string]string{}
		}
		q.path[p.name] = value.(string)
	case inQuery:
		q.query = maps.Clone(q.query)
		if q.query == nil {
			q.query = url.Values{}
		}
		q.query.Set(p.name, value.(string))
	default:
		q.body = maps.Clone(q.body)
		if q.body == nil {
			q.body = map[string]any{}
		}
		q.body[p.name] = value
	}
	return q
}

// as is the question of a tenant.
func (q question) as(of tenant) question {
	q.token = of.token
	return q.from(of.caller.ClientID)
}

// from says which client asks, where the operation wants to know.
func (q question) from(clientID string) question {
	if q.op.takesClientID() {
		q.header = maps.Clone(q.header)
		if q.header == nil {
			q.header = http.Header{}
		}
		q.header.Set("X-Client-Id", clientID)
	}
	return q
}

// ask puts a question.
func (s *server) ask(t testing.TB, q question) answer {
	t.Helper()
	path := q.op.path
	for name, value := range q.path {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	if len(q.query) > 0 {
		path += "?" + q.query.Encode()
	}
	header := q.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if q.token != "" {
		header.Set("Authorization", "Bearer "+q.token)
	}
	var body []byte
	if q.body != nil {
		contentType := ""
		contentType, body = encode(t, q.op.media, q.body)
		header.Set("Content-Type", contentType)
	}
	return s.send(t, q.op.method, path, header, body)
}

// encode writes a body in a media type.
func encode(t testing.TB, media string, body map[string]any) (contentType string, data []byte) {
	t.Helper()
	switch media {
	case mediaForm:
		form := url.Values{}
		for name, value := range body {
			form.Set(name, fmt.Sprint(value))
		}
		return mediaForm, []byte(form.Encode())
	case mediaMultipart:
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, name := range slices.Sorted(maps.Keys(body)) {
			content, isFile := body[name].([]byte)
			create := w.CreateFormField
			if isFile {
				create = func(name string) (io.Writer, error) { return w.CreateFormFile(name, "picture.jpg") }
			} else {
				content = fmt.Append(nil, body[name])
			}
			part, err := create(name)
			must(t, err)
			part.Write(content) // into memory
		}
		w.Close()
		return w.FormDataContentType(), b.Bytes()
	}
	data, err := json.Marshal(body)
	must(t, err)
	return mediaJSON, data
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes a request.
func (s *server) send(t testing.TB, method, path string, header http.Header, body []byte) answer {
	t.Helper()
	r, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, data}
}

// String is for messages of failed tests.
func (a answer) String() string {
	if a.isPicture() {
		return fmt.Sprintf("%d %d bytes of %s", a.status, len(a.body), a.header.Get("Content-Type"))
	}
	return fmt.Sprintf("%d %.500s", a.status, bytes.TrimSpace(a.body))
}

// object is the answer as a JSON object.
func (a answer) object(t testing.TB) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(a.body, &object); err != nil {
		t.Fatalf("no JSON object: %s", a)
	}
	return object
}

// isPicture tells the answers that are one.
func (a answer) isPicture() bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "image/") && len(a.body) > 0
}

// code is the reason of a refusal; empty if the answer is none.
func (a answer) code() string {
	var problem struct{ Code string }
	if a.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(a.body, &problem) != nil {
		return ""
	}
	return problem.Code
}

// pointsAt tells whether a refusal names a field.
func (a answer) pointsAt(pointer string) bool {
	var problem struct{ Errors []struct{ Pointer string } }
	if json.Unmarshal(a.body, &problem) != nil {
		return false
	}
	for _, e := range problem.Errors {
		if e.Pointer == pointer {
			return true
		}
	}
	return false
}

// Where in a request an id can stand.
const (
	inBody  = "body"
	inPath  = "path"
	inQuery = "query"
)

// place is one field of a request.
type place struct{ in, name string }

// String names it for people.
func (p place) String() string { return p.in + " " + p.name }
