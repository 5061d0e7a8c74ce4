package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// published is one operation of the published specification.
type published struct {
	OperationID string `json:"operation_id"`
	Method      string
	Path        string
	Auth        *string
	Headers     []struct{ Name string }
	ContentType *string `json:"content_type"`
	Fields      []struct {
		Name     string
		Required bool
		Type     string
		Enum     []string
	}
	RequestSample  map[string]any `json:"request_sample"`
	ResponseSample map[string]any `json:"response_sample"`
}

// publishedContract reads the published specification, which lies beside the project.
func publishedContract(t *testing.T) []published {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "shared", "spec", "contract.json"))
	if os.IsNotExist(err) {
		if os.Getenv("CI") == "true" {
			t.Fatal("needs testdata: the published contract.json")
		}
		t.Skip("needs testdata: the published contract.json")
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []published
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// served are the operations of the published specification that are here, by how many there are.
const served = 28

// TestPublishedContract holds the API against the published specification: the same operations at the same
// places, the same fields, enumerations and headers; samples are taken, and answered with all keys.
func TestPublishedContract(t *testing.T) {
	a := newTestAPI(t, plainService(), wellProbe())
	found := 0
	for _, want := range publishedContract(t) {
		op := a.contract.operations[route{want.Method, want.Path}]
		if op == nil {
			continue
		}
		found++
		t.Run(want.OperationID, func(t *testing.T) {
			at := route{want.Method, want.Path}
			if op.id != want.OperationID {
				t.Errorf("operation id %s", op.id)
			}
			if (want.Auth != nil) != (len(op.scopes) > 0) {
				t.Errorf("scopes %v, published auth %v", op.scopes, want.Auth)
			}
			if op.clientID != slices.ContainsFunc(want.Headers, func(h struct{ Name string }) bool { return h.Name == "X-Client-Id" }) {
				t.Errorf("X-Client-Id needed: %v", op.clientID)
			}
			if want.ContentType != nil {
				schema := op.schema(*want.ContentType)
				if schema == nil {
					t.Fatalf("does not take %s", *want.ContentType)
				}
				for _, field := range want.Fields {
					property := schema.Properties[field.Name]
					if property == nil {
						t.Errorf("has no field %s", field.Name)
						continue
					}
					if got := slices.Contains(schema.Required, field.Name); got != field.Required {
						t.Errorf("%s required: %v", field.Name, got)
					}
					if got := enumOf(property.Value); !slices.Equal(got, field.Enum) {
						t.Errorf("%s has values %v, want %v", field.Name, got, field.Enum)
					}
					if field.Required {
						missing := a.do(a.sample(t, at, op, field.Name))
						if missing.Code != http.StatusBadRequest || !hasPointer(problemOf(t, missing).Errors, "/"+field.Name) {
							t.Errorf("without %s: %d %s", field.Name, missing.Code, missing.Body)
						}
					}
				}
				if len(schema.Properties) != len(want.Fields) {
					t.Errorf("has %d fields, want %d", len(schema.Properties), len(want.Fields))
				}
			}
			r := a.sample(t, at, op)
			if want.RequestSample != nil {
				for _, name := range []string{"start_date", "end_date"} { // the sample's word "string" is no date
					if _, ok := want.RequestSample[name]; ok {
						want.RequestSample[name] = "2024-05-06T07:08:09Z"
					}
				}
				r = requestOf(t, at, *want.ContentType, want.RequestSample)
			}
			w := a.do(r)
			if w.Code != http.StatusOK {
				t.Fatalf("the sample request: %d %s", w.Code, w.Body)
			}
			if want.ResponseSample == nil {
				return
			}
			var got map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			sameKeys(t, "", want.ResponseSample, got)
		})
	}
	if found != served {
		t.Errorf("%d operations of the published contract are served, want %d", found, served)
	}
}

// sameKeys wants every key of a sample in an answer, with a value of the sample's type, or null.
func sameKeys(t *testing.T, at string, want, got map[string]any) {
	t.Helper()
	for name, sample := range want {
		value, ok := got[name]
		if !ok {
			t.Errorf("the answer has no %s/%s", at, name)
			continue
		}
		if value == nil {
			continue
		}
		switch sample := sample.(type) {
		case map[string]any:
			if object, ok := value.(map[string]any); !ok {
				t.Errorf("%s/%s is %T", at, name, value)
			} else {
				sameKeys(t, at+"/"+name, sample, object)
			}
		case []any:
			if _, ok := value.([]any); !ok {
				t.Errorf("%s/%s is %T", at, name, value)
			}
		case string:
			if _, ok := value.(string); !ok {
				t.Errorf("%s/%s is %T", at, name, value)
			}
		case bool:
			if _, ok := value.(bool); !ok {
				t.Errorf("%s/%s is %T", at, name, value)
			}
		case float64:
			if _, ok := value.(float64); !ok {
				t.Errorf("%s/%s is %T", at, name, value)
			}
		}
	}
}

func enumOf(s *openapi3.Schema) []string {
	var names []string
	for _, v := range s.Enum {
		names = append(names, v.(string))
	}
	return names
}

// sampleValue is a value that a schema takes.
func sampleValue(name string, s *openapi3.Schema) any {
	switch {
	case name == "start_date", name == "end_date":
		return "2024-05-06"
	case name == "grant_type":
		return "client_credentials"
	case name == "latitude" || name == "longitude":
		return 1.5
	case len(s.OneOf) > 0:
		return "id-1"
	case len(s.Enum) > 0:
		return s.Enum[len(s.Enum)-1]
	case s.Type.Is("object"):
		return map[string]any{"key": "value"}
	case s.Type.Is("array"):
		return []any{"cGljdHVyZQ=="}
	case s.Type.Is("boolean"):
		return true
	case s.Type.Is("integer"), s.Type.Is("number"):
		return 1
	}
	return "some-text"
}

// TestOperations goes through every operation of openapi.yaml, so that one that is added is held to the
// same: its sample is taken, its answer has the form that the contract says, and bad input is refused.
func TestOperations(t *testing.T) {
	for _, service := range []struct {
		name string
		fake *fake
	}{{"full", fullService()}, {"plain", plainService()}} {
		a := newTestAPI(t, service.fake, wellProbe())
		for at, op := range a.contract.operations {
			t.Run(service.name+"/"+op.id, func(t *testing.T) {
				r := a.sample(t, at, op)
				w := a.do(r)
				if w.Code != http.StatusOK {
					t.Fatalf("a good request: %d %s", w.Code, w.Body)
				}
				checkAnswer(t, op, r, w)

				for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
					if a.contract.operations[route{method, at.path}] != nil {
						continue
					}
					w := a.do(request(method, at.path, mediaJSON, "{}"))
					if w.Code != http.StatusMethodNotAllowed || problemOf(t, w).Code != "method_not_allowed" || !strings.Contains(w.Header().Get("Allow"), at.method) {
						t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
					}
				}
				if op.body == nil {
					return
				}
				mediaType := mediaTypes(op.body)[0]
				for _, wrong := range []string{"text/plain", "application/xml", "", "application/jsonp", ";;"} {
					w := a.do(request(at.method, at.path, wrong, "{}"))
					if w.Code != http.StatusUnsupportedMediaType {
						t.Errorf("content type %q: %d %s", wrong, w.Code, w.Body)
					}
					checkAnswer(t, op, r, w)
				}
				if op.body.Required {
					w := a.do(request(at.method, at.path, mediaType, ""))
					if w.Code != http.StatusBadRequest {
						t.Errorf("without a body: %d", w.Code)
					}
				}
				for name, property := range op.schema(mediaType).Properties {
					for _, bad := range badValues(property.Value) {
						if mediaType == mediaForm || mediaType == mediaMultipart {
							continue // text is all there is
						}
						value := map[string]any{}
						for name, property := range op.schema(mediaType).Properties {
							value[name] = sampleValue(name, property.Value)
						}
						value[name] = bad
						w := a.do(requestOf(t, at, mediaType, value))
						if w.Code != http.StatusBadRequest || !hasPointer(problemOf(t, w).Errors, pointerTo(name, bad)) {
							t.Errorf("%s = %v: %d %s", name, bad, w.Code, w.Body)
						}
					}
				}
				if mediaType == mediaJSON {
					for _, bad := range []string{"{", `{"session_id":"x"} x`, "nonsense", `{"session_id":1e999}`, "\xff", "[]", "null", `"x"`} {
						w := a.do(request(at.method, at.path, mediaType, bad))
						if w.Code != http.StatusBadRequest || problemOf(t, w).Code != "invalid_request" {
							t.Errorf("body %q: %d %s", bad, w.Code, w.Body)
						}
					}
				}
			})
		}
	}
}

// pointerTo is where the error of a bad value is: in an array, at its first entry.
func pointerTo(name string, bad any) string {
	if items, ok := bad.([]any); ok && name == "images" && len(items) == 1 {
		return "/images/0"
	}
	return "/" + name
}

// badValues are some that a schema does not take.
func badValues(s *openapi3.Schema) []any {
	bad := []any{[]any{map[string]any{}}}
	if !s.Nullable {
		bad = append(bad, nil)
	}
	switch {
	case len(s.OneOf) > 0:
		return append(bad, 7)
	case len(s.Enum) > 0:
		return append(bad, "no-such-value", 7, "")
	case s.Type.Is("object"):
		return append(bad, "text")
	case s.Type.Is("array"):
		return append(bad, "text", []any{"", "", "", "", "", ""})
	case s.Type.Is("boolean"):
		return append(bad, "true", 1)
	case s.Type.Is("integer"):
		return append(bad, -1, 0.5, "1", 1e12)
	case s.Type.Is("number"):
		return append(bad, "1", 181, -181)
	}
	if s.MinLength > 0 {
		bad = append(bad, "")
	}
	if s.Pattern != "" {
		bad = append(bad, "yesterday", "")
	}
	return append(bad, 7, true, map[string]any{})
}

// checkAnswer holds an answer against the contract.
func checkAnswer(t *testing.T, op *operation, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	if strings.HasPrefix(w.Header().Get("Content-Type"), "image/") {
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: &op.route},
		Status:                 w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		t.Errorf("status %d, an answer outside the contract: %v", w.Code, err)
	}
}

// TestEveryBusinessOperationNeedsAScope fails when an operation under /v2 is added without one.
func TestEveryBusinessOperationNeedsAScope(t *testing.T) {
	c, err := loadContract(contractYAML)
	if err != nil {
		t.Fatal(err)
	}
	for at, op := range c.operations {
		if strings.HasPrefix(at.path, "/v2/") && len(op.scopes) == 0 {
			t.Errorf("%s needs no token", op.id)
		}
		for _, scope := range op.scopes {
			if !slices.Contains(auth.Scopes(), scope) {
				t.Errorf("%s: no token can have scope %q", op.id, scope)
			}
		}
	}
}

// plainService answers the least that a Service can.
func plainService() *fake {
	return &fake{
		createSession: func(auth.Principal, kyc.SessionInput) (string, error) { return "session-1", nil },
		listSessions: func(auth.Principal, kyc.SessionQuery) (kyc.SessionPage, error) {
			return kyc.SessionPage{Sessions: []kyc.Session{{}}}, nil
		},
		listDocuments: func(auth.Principal, string, int, int) (kyc.DocumentPage, error) {
			return kyc.DocumentPage{Documents: []kyc.Document{{}}}, nil
		},
		listWebhooks: func(auth.Principal, kyc.WebhookQuery) (kyc.WebhookPage, error) {
			return kyc.WebhookPage{Webhooks: []kyc.Webhook{{}}}, nil
		},
	}
}

// fullService answers with every field set.
func fullService() *fake {
	yes, score, identity, local := true, 0.75, "identity-1", testTime.In(time.FixedZone("", 3600))
	session := kyc.Session{
		ID: "session-1", UserID: "user-1", ClientID: testClient, WeightsID: "weights-1", IdentityID: &identity,
		Status: "complete", DocumentType: "driver_license", LivenessMode: "passive_active", LivenessProvider: "azure",
		CreatedAt: local, ExpiresAt: local, CompletedAt: &local,
		Person:    kyc.Person{FirstName: "Ada", MiddleName: "B", LastName: "Nowhere", SuffixName: "II", Gender: "female", BirthDate: "1990-01-02"},
		Consented: &yes, ConsentedAt: &local, DocumentFrontGivenAt: &local, DocumentBackGivenAt: &local,
		LivenessDetected: &yes, LivenessDetectedAt: &local, SelfieGivenAt: &local,
		DMVStatus: "match", DMVDetectedAt: &local, OFACStatus: "clear", OFACDetectedAt: &local,
		Verified: &yes, VerifiedAt: &local, OnSanctionList: &yes, Score: &score, Reasons: []string{"face_mismatch"},
		Metadata: map[string]any{"order": "7"}, SDKMetadata: map[string]any{"os": "x"}, Settings: map[string]any{"locale": "en"},
		WebhookURL: "https://hooks.example/", History: []kyc.HistoryEntry{{At: local, Actor: "client", Event: "created", From: "a", To: "b", Detail: map[string]string{"k": "v"}}},
	}
	document := kyc.Document{SessionID: "session-1", ID: "document-1", Type: "passport", DataSource: "mrz", Merged: true, CreatedAt: local,
		Fields: map[string]string{"document_number": "X123", "gender": "female", "class": "C", "restrictions": "B"}}
	webhook := kyc.Webhook{ID: "webhook-1", ClientID: testClient, Name: "hook", URL: "https://hooks.example/", CreatedAt: local, DisabledAt: &local, Secret: "whsec_AAAA"}
	return &fake{
		issueToken: func(string, string, []string, string) (kyc.Token, error) {
			return kyc.Token{AccessToken: "a.b.c", ExpiresIn: time.Hour, Scopes: []string{"idv", "webhook"}}, nil
		},
		jwks:          func() ([]byte, error) { return []byte(`{"keys":[{"kty":"OKP","kid":"1"}]}`), nil },
		createSession: func(auth.Principal, kyc.SessionInput) (string, error) { return "session-1", nil },
		readSession:   func(auth.Principal, string) (kyc.Session, error) { return session, nil },
		listSessions: func(auth.Principal, kyc.SessionQuery) (kyc.SessionPage, error) {
			return kyc.SessionPage{Sessions: []kyc.Session{session}, Counts: map[string]int{"total": 1, "complete": 1}}, nil
		},
		readTests: func(auth.Principal, string) (kyc.TestResults, error) {
			return kyc.TestResults{
				Texts: map[string]string{"doc_front_suspicious_words": "pass"}, Bools: map[string]*bool{"name_crosscheck": &yes},
				Pieces:  []kyc.DecisionPiece{{Name: "face", State: "measured", Value: &score, Tolerance: &score, Weight: 1, Contribution: 0.75, Gate: true, Required: true, Reason: "face_mismatch", Evidence: map[string]any{"distance": 0.4}}},
				Reasons: []string{"face_mismatch"}, Score: &score, Verdict: "refused",
			}, nil
		},
		readDocument: func(auth.Principal, string) (kyc.Document, error) { return document, nil },
		listDocuments: func(auth.Principal, string, int, int) (kyc.DocumentPage, error) {
			return kyc.DocumentPage{Documents: []kyc.Document{document}, Counts: map[string]int{"total": 1}}, nil
		},
		downloadDocument: func(auth.Principal, string, string) (kyc.Image, error) {
			return kyc.Image{ContentType: "image/png", Bytes: []byte("png")}, nil
		},
		generateLiveness: func(auth.Principal, string, kyc.Place) (string, error) { return "token", nil },
		processLiveness:  func(auth.Principal, string, kyc.Place, [][]byte) (string, error) { return "token", nil },
		readSDKSession:   func(auth.Principal, string) (kyc.Session, error) { return session, nil },
		finalize: func(auth.Principal, string, map[string]any) (kyc.Outcome, error) {
			return kyc.Outcome{Verified: true, OnSanctionList: &yes, Status: "complete", Reasons: []string{"ok"}, Score: &score}, nil
		},
		createWebhook: func(auth.Principal, string, string, string) (kyc.Webhook, error) { return webhook, nil },
		listWebhooks: func(auth.Principal, kyc.WebhookQuery) (kyc.WebhookPage, error) {
			return kyc.WebhookPage{Webhooks: []kyc.Webhook{webhook}, Statistics: map[string]int{"total": 2}, PerWebhook: map[string]map[string]int{"webhook-1": {"total": 2}}}, nil
		},
	}
}
