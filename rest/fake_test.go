package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/scoring"
)

// fake is a Service of func fields; a nil field answers a zero value.
type fake struct {
	issueToken             func(clientID, secret string, scopes []string, sessionID string) (kyc.Token, error)
	authenticate           func(bearer string) (auth.Principal, error)
	jwks                   func() ([]byte, error)
	clientSettings         func(clientID string) (kyc.ClientSettings, error)
	allowedOrigin          func(clientID, origin string) bool
	createSession          func(p auth.Principal, in kyc.SessionInput) (string, error)
	createAuthentication   func(p auth.Principal, identityID string, in kyc.SessionInput) (string, error)
	readSession            func(p auth.Principal, kind kyc.SessionKind, id string) (kyc.Session, error)
	listSessions           func(p auth.Principal, kind kyc.SessionKind, q kyc.SessionQuery) (kyc.SessionPage, error)
	readLocation           func(p auth.Principal, kind kyc.SessionKind, id, captureType string) (kyc.Location, error)
	readTests              func(p auth.Principal, id string) (kyc.TestResults, error)
	anonymizeSession       func(p auth.Principal, id string) error
	deleteSession          func(p auth.Principal, kind kyc.SessionKind, id string) error
	readDocument           func(p auth.Principal, id string) (kyc.Document, error)
	listDocuments          func(p auth.Principal, id string, take, skip int) (kyc.DocumentPage, error)
	downloadDocument       func(p auth.Principal, id, fileType string) (kyc.Image, error)
	downloadSelfie         func(p auth.Principal, id string) (kyc.Image, error)
	updateSDKMetadata      func(p auth.Principal, kind kyc.SessionKind, id string, metadata map[string]any) error
	generateLiveness       func(p auth.Principal, kind kyc.SessionKind, id string, place kyc.Place) (string, error)
	processLiveness        func(p auth.Principal, kind kyc.SessionKind, id string, place kyc.Place, in kyc.LivenessInput) (kyc.LivenessAnswer, error)
	readSDKSession         func(p auth.Principal, kind kyc.SessionKind, id string) (kyc.Session, error)
	addConsent             func(p auth.Principal, id string, consented bool) error
	updateDocumentType     func(p auth.Principal, id, documentType string) error
	addDocument            func(p auth.Principal, id, side string, place kyc.Place, image []byte) error
	finalize               func(p auth.Principal, id string, settings map[string]any) (kyc.Outcome, error)
	finalizeAuthentication func(p auth.Principal, id string) (kyc.Outcome, error)
	listIdentities         func(p auth.Principal, q kyc.IdentityQuery) (kyc.IdentityPage, error)
	readIdentities         func(p auth.Principal, ids []string, metadata map[string]any) ([]kyc.Identity, error)
	identityVerified       func(p auth.Principal, id string) (bool, error)
	readIdentityDocument   func(p auth.Principal, id, documentType string) (kyc.Document, error)
	readIdentityImage      func(p auth.Principal, id, fileType string) (kyc.Image, error)
	anonymizeIdentity      func(p auth.Principal, id string) error
	requirements           func(p auth.Principal, q kyc.RequirementQuery) ([]kyc.Requirement, error)
	updateRequirements     func(p auth.Principal, r kyc.Requirement) error
	weights                func(p auth.Principal, clientID, userID string) (kyc.WeightsVersion, error)
	weightsByID            func(p auth.Principal, id string) (kyc.WeightsVersion, error)
	updateWeights          func(p auth.Principal, clientID, userID string, w scoring.Weights) (kyc.WeightsVersion, error)
	createWebhook          func(p auth.Principal, clientID, name, url string) (kyc.Webhook, error)
	listWebhooks           func(p auth.Principal, q kyc.WebhookQuery) (kyc.WebhookPage, error)
	deleteWebhook          func(p auth.Principal, id string) error
	sessionVersion         func(p auth.Principal, id string) (int, error)
	versions               atomic.Int64 // without sessionVersion: something happens between any two questions
	recall                 func(claim *kyc.Claim) ([]byte, error)
	remember               func(claim *kyc.Claim, answer []byte) ([]byte, error)
}

func (f *fake) IssueToken(_ context.Context, clientID, secret string, scopes []string, sessionID string) (kyc.Token, error) {
	if f.issueToken == nil {
		return kyc.Token{}, nil
	}
	return f.issueToken(clientID, secret, scopes, sessionID)
}

func (f *fake) Authenticate(_ context.Context, bearer string) (auth.Principal, error) {
	if f.authenticate == nil {
		return everyScope(), nil
	}
	return f.authenticate(bearer)
}

func (f *fake) JWKS(context.Context) ([]byte, error) {
	if f.jwks == nil {
		return []byte(`{"keys":[]}`), nil
	}
	return f.jwks()
}

func (f *fake) CreateSession(_ context.Context, p auth.Principal, in kyc.SessionInput) (string, error) {
	if f.createSession == nil {
		return "", nil
	}
	return f.createSession(p, in)
}

func (f *fake) CreateAuthentication(_ context.Context, p auth.Principal, identityID string, in kyc.SessionInput) (string, error) {
	if f.createAuthentication == nil {
		return "", nil
	}
	return f.createAuthentication(p, identityID, in)
}

func (f *fake) ReadSession(_ context.Context, p auth.Principal, kind kyc.SessionKind, id string) (kyc.Session, error) {
	if f.readSession == nil {
		return kyc.Session{}, nil
	}
	return f.readSession(p, kind, id)
}

func (f *fake) ListSessions(_ context.Context, p auth.Principal, kind kyc.SessionKind, q kyc.SessionQuery) (kyc.SessionPage, error) {
	if f.listSessions == nil {
		return kyc.SessionPage{}, nil
	}
	return f.listSessions(p, kind, q)
}

func (f *fake) ReadLocation(_ context.Context, p auth.Principal, kind kyc.SessionKind, id, captureType string) (kyc.Location, error) {
	if f.readLocation == nil {
		return kyc.Location{}, nil
	}
	return f.readLocation(p, kind, id, captureType)
}

func (f *fake) ReadTests(_ context.Context, p auth.Principal, id string) (kyc.TestResults, error) {
	if f.readTests == nil {
		return kyc.TestResults{}, nil
	}
	return f.readTests(p, id)
}

func (f *fake) AnonymizeSession(_ context.Context, p auth.Principal, id string) error {
	if f.anonymizeSession == nil {
		return nil
	}
	return f.anonymizeSession(p, id)
}

func (f *fake) DeleteSession(_ context.Context, p auth.Principal, kind kyc.SessionKind, id string) error {
	if f.deleteSession == nil {
		return nil
	}
	return f.deleteSession(p, kind, id)
}

func (f *fake) ReadDocument(_ context.Context, p auth.Principal, id string) (kyc.Document, error) {
	if f.readDocument == nil {
		return kyc.Document{}, nil
	}
	return f.readDocument(p, id)
}

func (f *fake) ListDocuments(_ context.Context, p auth.Principal, id string, take, skip int) (kyc.DocumentPage, error) {
	if f.listDocuments == nil {
		return kyc.DocumentPage{}, nil
	}
	return f.listDocuments(p, id, take, skip)
}

func (f *fake) DownloadDocument(_ context.Context, p auth.Principal, id, fileType string) (kyc.Image, error) {
	if f.downloadDocument == nil {
		return kyc.Image{ContentType: "image/jpeg"}, nil
	}
	return f.downloadDocument(p, id, fileType)
}

func (f *fake) DownloadSelfie(_ context.Context, p auth.Principal, id string) (kyc.Image, error) {
	if f.downloadSelfie == nil {
		return kyc.Image{ContentType: "image/jpeg"}, nil
	}
	return f.downloadSelfie(p, id)
}

func (f *fake) UpdateSDKMetadata(_ context.Context, p auth.Principal, kind kyc.SessionKind, id string, metadata map[string]any) error {
	if f.updateSDKMetadata == nil {
		return nil
	}
	return f.updateSDKMetadata(p, kind, id, metadata)
}

func (f *fake) GenerateLiveness(_ context.Context, p auth.Principal, kind kyc.SessionKind, id string, place kyc.Place) (string, error) {
	if f.generateLiveness == nil {
		return "", nil
	}
	return f.generateLiveness(p, kind, id, place)
}

func (f *fake) ProcessLiveness(_ context.Context, p auth.Principal, kind kyc.SessionKind, id string, place kyc.Place, in kyc.LivenessInput) (kyc.LivenessAnswer, error) {
	if f.processLiveness == nil {
		return kyc.LivenessAnswer{}, nil
	}
	return f.processLiveness(p, kind, id, place, in)
}

func (f *fake) ReadSDKSession(_ context.Context, p auth.Principal, kind kyc.SessionKind, id string) (kyc.Session, error) {
	if f.readSDKSession == nil {
		return kyc.Session{}, nil
	}
	return f.readSDKSession(p, kind, id)
}

func (f *fake) AddConsent(_ context.Context, p auth.Principal, id string, consented bool) error {
	if f.addConsent == nil {
		return nil
	}
	return f.addConsent(p, id, consented)
}

func (f *fake) UpdateDocumentType(_ context.Context, p auth.Principal, id, documentType string) error {
	if f.updateDocumentType == nil {
		return nil
	}
	return f.updateDocumentType(p, id, documentType)
}

func (f *fake) AddDocument(_ context.Context, p auth.Principal, id, side string, place kyc.Place, image []byte) (kyc.DocumentAnswer, error) {
	answer := kyc.DocumentAnswer{Hints: []string{}, Attempts: 1}
	if f.addDocument == nil {
		return answer, nil
	}
	return answer, f.addDocument(p, id, side, place, image)
}

func (f *fake) Finalize(_ context.Context, p auth.Principal, id string, settings map[string]any) (kyc.Outcome, error) {
	if f.finalize == nil {
		return kyc.Outcome{}, nil
	}
	return f.finalize(p, id, settings)
}

func (f *fake) FinalizeAuthentication(_ context.Context, p auth.Principal, id string) (kyc.Outcome, error) {
	if f.finalizeAuthentication == nil {
		return kyc.Outcome{}, nil
	}
	return f.finalizeAuthentication(p, id)
}

func (f *fake) ListIdentities(_ context.Context, p auth.Principal, q kyc.IdentityQuery) (kyc.IdentityPage, error) {
	if f.listIdentities == nil {
		return kyc.IdentityPage{}, nil
	}
	return f.listIdentities(p, q)
}

func (f *fake) ReadIdentities(_ context.Context, p auth.Principal, ids []string, metadata map[string]any) ([]kyc.Identity, error) {
	if f.readIdentities == nil {
		return nil, nil
	}
	return f.readIdentities(p, ids, metadata)
}

func (f *fake) IdentityVerified(_ context.Context, p auth.Principal, id string) (bool, error) {
	if f.identityVerified == nil {
		return false, nil
	}
	return f.identityVerified(p, id)
}

func (f *fake) ReadIdentityDocument(_ context.Context, p auth.Principal, id, documentType string) (kyc.Document, error) {
	if f.readIdentityDocument == nil {
		return kyc.Document{}, nil
	}
	return f.readIdentityDocument(p, id, documentType)
}

func (f *fake) ReadIdentityImage(_ context.Context, p auth.Principal, id, fileType string) (kyc.Image, error) {
	if f.readIdentityImage == nil {
		return kyc.Image{ContentType: "image/jpeg"}, nil
	}
	return f.readIdentityImage(p, id, fileType)
}

func (f *fake) AnonymizeIdentity(_ context.Context, p auth.Principal, id string) error {
	if f.anonymizeIdentity == nil {
		return nil
	}
	return f.anonymizeIdentity(p, id)
}

func (f *fake) Requirements(_ context.Context, p auth.Principal, q kyc.RequirementQuery) ([]kyc.Requirement, error) {
	if f.requirements == nil {
		return nil, nil
	}
	return f.requirements(p, q)
}

func (f *fake) UpdateRequirements(_ context.Context, p auth.Principal, r kyc.Requirement) error {
	if f.updateRequirements == nil {
		return nil
	}
	return f.updateRequirements(p, r)
}

func (f *fake) Weights(_ context.Context, p auth.Principal, clientID, userID string) (kyc.WeightsVersion, error) {
	if f.weights == nil {
		return kyc.WeightsVersion{}, nil
	}
	return f.weights(p, clientID, userID)
}

func (f *fake) WeightsByID(_ context.Context, p auth.Principal, id string) (kyc.WeightsVersion, error) {
	if f.weightsByID == nil {
		return kyc.WeightsVersion{}, nil
	}
	return f.weightsByID(p, id)
}

func (f *fake) UpdateWeights(_ context.Context, p auth.Principal, clientID, userID string, w scoring.Weights) (kyc.WeightsVersion, error) {
	if f.updateWeights == nil {
		return kyc.WeightsVersion{}, nil
	}
	return f.updateWeights(p, clientID, userID, w)
}

func (f *fake) CreateWebhook(_ context.Context, p auth.Principal, clientID, name, url string) (kyc.Webhook, error) {
	if f.createWebhook == nil {
		return kyc.Webhook{}, nil
	}
	return f.createWebhook(p, clientID, name, url)
}

func (f *fake) ListWebhooks(_ context.Context, p auth.Principal, q kyc.WebhookQuery) (kyc.WebhookPage, error) {
	if f.listWebhooks == nil {
		return kyc.WebhookPage{}, nil
	}
	return f.listWebhooks(p, q)
}

func (f *fake) DeleteWebhook(_ context.Context, p auth.Principal, id string) error {
	if f.deleteWebhook == nil {
		return nil
	}
	return f.deleteWebhook(p, id)
}

func (f *fake) ClientSettings(_ context.Context, clientID string) (kyc.ClientSettings, error) {
	if f.clientSettings == nil {
		return kyc.ClientSettings{}, nil
	}
	return f.clientSettings(clientID)
}

func (f *fake) AllowedOrigin(_ context.Context, clientID, origin string) bool {
	return f.allowedOrigin != nil && f.allowedOrigin(clientID, origin)
}

// failing is a fake whose every method that a handler calls ends in what end makes: an error, or a panic.
func failing(end func() error) *fake {
	return &fake{
		issueToken:           func(string, string, []string, string) (kyc.Token, error) { return kyc.Token{}, end() },
		jwks:                 func() ([]byte, error) { return nil, end() },
		createSession:        func(auth.Principal, kyc.SessionInput) (string, error) { return "", end() },
		createAuthentication: func(auth.Principal, string, kyc.SessionInput) (string, error) { return "", end() },
		readSession:          func(auth.Principal, kyc.SessionKind, string) (kyc.Session, error) { return kyc.Session{}, end() },
		listSessions: func(auth.Principal, kyc.SessionKind, kyc.SessionQuery) (kyc.SessionPage, error) {
			return kyc.SessionPage{}, end()
		},
		readLocation: func(auth.Principal, kyc.SessionKind, string, string) (kyc.Location, error) {
			return kyc.Location{}, end()
		},
		readTests:         func(auth.Principal, string) (kyc.TestResults, error) { return kyc.TestResults{}, end() },
		anonymizeSession:  func(auth.Principal, string) error { return end() },
		deleteSession:     func(auth.Principal, kyc.SessionKind, string) error { return end() },
		readDocument:      func(auth.Principal, string) (kyc.Document, error) { return kyc.Document{}, end() },
		listDocuments:     func(auth.Principal, string, int, int) (kyc.DocumentPage, error) { return kyc.DocumentPage{}, end() },
		downloadDocument:  func(auth.Principal, string, string) (kyc.Image, error) { return kyc.Image{}, end() },
		downloadSelfie:    func(auth.Principal, string) (kyc.Image, error) { return kyc.Image{}, end() },
		updateSDKMetadata: func(auth.Principal, kyc.SessionKind, string, map[string]any) error { return end() },
		generateLiveness:  func(auth.Principal, kyc.SessionKind, string, kyc.Place) (string, error) { return "", end() },
		processLiveness: func(auth.Principal, kyc.SessionKind, string, kyc.Place, kyc.LivenessInput) (kyc.LivenessAnswer, error) {
			return kyc.LivenessAnswer{}, end()
		},
		readSDKSession:         func(auth.Principal, kyc.SessionKind, string) (kyc.Session, error) { return kyc.Session{}, end() },
		addConsent:             func(auth.Principal, string, bool) error { return end() },
		updateDocumentType:     func(auth.Principal, string, string) error { return end() },
		addDocument:            func(auth.Principal, string, string, kyc.Place, []byte) error { return end() },
		finalize:               func(auth.Principal, string, map[string]any) (kyc.Outcome, error) { return kyc.Outcome{}, end() },
		finalizeAuthentication: func(auth.Principal, string) (kyc.Outcome, error) { return kyc.Outcome{}, end() },
		listIdentities:         func(auth.Principal, kyc.IdentityQuery) (kyc.IdentityPage, error) { return kyc.IdentityPage{}, end() },
		readIdentities:         func(auth.Principal, []string, map[string]any) ([]kyc.Identity, error) { return nil, end() },
		identityVerified:       func(auth.Principal, string) (bool, error) { return false, end() },
		readIdentityDocument:   func(auth.Principal, string, string) (kyc.Document, error) { return kyc.Document{}, end() },
		readIdentityImage:      func(auth.Principal, string, string) (kyc.Image, error) { return kyc.Image{}, end() },
		anonymizeIdentity:      func(auth.Principal, string) error { return end() },
		requirements:           func(auth.Principal, kyc.RequirementQuery) ([]kyc.Requirement, error) { return nil, end() },
		updateRequirements:     func(auth.Principal, kyc.Requirement) error { return end() },
		weights:                func(auth.Principal, string, string) (kyc.WeightsVersion, error) { return kyc.WeightsVersion{}, end() },
		weightsByID:            func(auth.Principal, string) (kyc.WeightsVersion, error) { return kyc.WeightsVersion{}, end() },
		updateWeights: func(auth.Principal, string, string, scoring.Weights) (kyc.WeightsVersion, error) {
			return kyc.WeightsVersion{}, end()
		},
		createWebhook: func(auth.Principal, string, string, string) (kyc.Webhook, error) { return kyc.Webhook{}, end() },
		listWebhooks:  func(auth.Principal, kyc.WebhookQuery) (kyc.WebhookPage, error) { return kyc.WebhookPage{}, end() },
		deleteWebhook: func(auth.Principal, string) error { return end() },
	}
}

const testClient = "client-1"

func everyScope() auth.Principal {
	return auth.Principal{UserID: "user-1", ClientID: testClient, Scopes: auth.Scopes(), TokenID: "token-1"}
}

// probe is a Probe that answers what it holds.
type probe struct {
	live   error
	ready  Readiness
	health Health
}

func (p probe) Live(context.Context) error      { return p.live }
func (p probe) Ready(context.Context) Readiness { return p.ready }
func (p probe) Health(context.Context) Health   { return p.health }

func wellProbe() probe {
	return probe{
		ready:  Readiness{Ready: true, Checks: map[string]string{"database": HealthOK}},
		health: Health{Status: HealthOK, Database: HealthOK, Cache: HealthOK, Storage: HealthOK},
	}
}

var testTime = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// testContract is read once; nothing changes it.
var testContract = sync.OnceValues(func() (*contract, error) { return loadContract(contractYAML) })

// testAPI is the whole API over a fake, with the log in a buffer.
type testAPI struct {
	http.Handler
	log      *bytes.Buffer
	contract *contract
	registry *prometheus.Registry
}

func newTestAPI(t testing.TB, service Service, p Probe) *testAPI {
	t.Helper()
	c, err := testContract()
	if err != nil {
		t.Fatal(err)
	}
	a := &testAPI{log: &bytes.Buffer{}, contract: c, registry: prometheus.NewRegistry()}
	a.Handler = New(Options{
		Service: service, Probe: p, Log: slog.New(slog.NewJSONHandler(a.log, nil)), Registry: a.registry,
		Version: "1.2.3", Environment: "test", PublicURL: "https://kyc.example/", Now: func() time.Time { return testTime },
		NewRequestID: func() string { return "request-0001" },
	})
	return a
}

// operation finds one by its id.
func (a *testAPI) operation(t testing.TB, id string) (route, *operation) {
	t.Helper()
	for at, op := range a.contract.operations {
		if op.id == id {
			return at, op
		}
	}
	t.Fatalf("the contract has no operation %s", id)
	return route{}, nil
}

// do sends a request and gives the answer.
func (a *testAPI) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

func request(method, path, contentType, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.Header.Set("Authorization", "Bearer token")
	r.Header.Set("X-Client-Id", testClient)
	return r
}

func jsonRequest(path, body string) *http.Request {
	return request(http.MethodPost, path, mediaJSON, body)
}

// form is a multipart body.
func form(t testing.TB, fields map[string]string, image []byte) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, text := range fields {
		if err := w.WriteField(name, text); err != nil {
			t.Fatal(err)
		}
	}
	if image != nil {
		part, err := w.CreateFormFile("image", "photo.jpg")
		if err != nil {
			t.Fatal(err)
		}
		part.Write(image)
	}
	w.Close()
	return w.FormDataContentType(), b.String()
}

// filled is a path with something in the place of its parameters.
func (at route) filled() string { return strings.NewReplacer("{id}", "some-id").Replace(at.path) }

// sample is a good request for an operation, made from its schema, without the fields named in without.
func (a *testAPI) sample(t testing.TB, at route, op *operation, without ...string) *http.Request {
	t.Helper()
	if op.body == nil {
		return request(at.method, at.filled(), "", "")
	}
	value := map[string]any{}
	mediaType := mediaTypes(op.body)[0]
	for name, property := range op.schema(mediaType).Properties {
		value[name] = sampleValue(name, property.Value)
	}
	for _, name := range without {
		delete(value, name)
	}
	return requestOf(t, at, mediaType, value)
}

// requestOf encodes a value in a media type.
func requestOf(t testing.TB, at route, mediaType string, value map[string]any) *http.Request {
	t.Helper()
	switch mediaType {
	case mediaMultipart:
		fields, image := map[string]string{}, []byte(nil)
		for name, v := range value {
			if name == "image" {
				image = []byte("picture")
			} else {
				fields[name] = fmt.Sprint(v)
			}
		}
		contentType, body := form(t, fields, image)
		return request(at.method, at.filled(), contentType, body)
	case mediaForm:
		var pairs []string
		for name, v := range value {
			pairs = append(pairs, name+"="+fmt.Sprint(v))
		}
		r := request(at.method, at.filled(), mediaForm, strings.Join(pairs, "&"))
		r.Header.Del("Authorization")
		return r
	}
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return request(at.method, at.filled(), mediaType, string(data))
}

// problemOf reads an error answer.
func problemOf(t testing.TB, w *httptest.ResponseRecorder) (p struct {
	Type, Title, Detail, Code string
	Status                    int
	RequestID                 string `json:"request_id"`
	Errors                    []kyc.FieldError
}) {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("status %d, content type %q, want a problem; body: %s", w.Code, got, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	if p.Status != w.Code || p.Code == "" || p.Title == "" || p.Detail == "" || p.RequestID == "" || p.Type != "/docs#"+p.Code {
		t.Errorf("an incomplete problem: %s", w.Body)
	}
	return p
}

// hasPointer tells whether an answer names a field.
func hasPointer(fields []kyc.FieldError, pointer string) bool {
	for _, f := range fields {
		if f.Pointer == pointer && f.Code != "" && f.Message != "" {
			return true
		}
	}
	return false
}

// endless is a body without end that counts what was read of it.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	e.n += int64(len(p))
	return len(p), nil
}

var _ io.Reader = (*endless)(nil)

func (f *fake) Recall(ctx context.Context, p auth.Principal, claim *kyc.Claim) ([]byte, error) {
	if f.recall == nil {
		return nil, nil
	}
	return f.recall(claim)
}

func (f *fake) Remember(ctx context.Context, p auth.Principal, claim *kyc.Claim, answer []byte) ([]byte, error) {
	if f.remember == nil {
		return answer, nil
	}
	return f.remember(claim, answer)
}

func (f *fake) SessionVersion(_ context.Context, p auth.Principal, id string) (int, error) {
	if f.sessionVersion == nil {
		return int(f.versions.Add(1)), nil
	}
	return f.sessionVersion(p, id)
}
