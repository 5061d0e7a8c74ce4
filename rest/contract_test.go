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
	"kycd/kyc/scoring"
)

// published is one operation of the published specification.
type published struct {
	OperationID    string `json:"operation_id"`
	Method         string
	Path           string
	PathParams     []publishedField `json:"path_params"`
	Auth           *string
	Headers, Query []publishedField
	ContentType    *string `json:"content_type"`
	Fields         []publishedField
	RequestSample  map[string]any `json:"request_sample"`
	ResponseSample map[string]any `json:"response_sample"`
}

type publishedField struct {
	Name     string
	Required bool
	Type     string
	Enum     []string
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

// TestPublishedContract holds the API against the published specification: the same operations at the same
// places, the same fields, enumerations and headers; samples are taken, and answered with all keys.
func TestPublishedContract(t *testing.T) {
	a := newTestAPI(t, plainService(), wellProbe())
	for _, want := range publishedContract(t) {
		t.Run(want.OperationID, func(t *testing.T) {
			at := route{want.Method, want.Path}
			op := a.contract.operations[at]
			if op == nil {
				t.Fatalf("there is no %s %s", want.Method, want.Path)
			}
			if op.id != want.OperationID {
				t.Errorf("operation id %s", op.id)
			}
			if (want.Auth != nil) != (len(op.scopes) > 0) {
				t.Errorf("scopes %v, published auth %v", op.scopes, want.Auth)
			}
			sameParameters(t, op, openapi3.ParameterInHeader, want.Headers)
			sameParameters(t, op, openapi3.ParameterInQuery, want.Query)
			sameParameters(t, op, openapi3.ParameterInPath, want.PathParams)
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
					sameType(t, field, property.Value)
					if field.Required {
						missing := a.do(a.sample(t, at, op, field.Name))
						if missing.Code != http.StatusBadRequest || !hasPointer(problemOf(t, missing).Errors, "/"+field.Name) {
							t.Errorf("without %s: %d %s", field.Name, missing.Code, missing.Body)
						}
					}
				}
				for name := range schema.Properties {
					published := slices.ContainsFunc(want.Fields, func(f publishedField) bool { return f.Name == name })
					if !published && (!slices.Contains(additions(op.id), name) || slices.Contains(schema.Required, name)) {
						t.Errorf("has the field %s, which is not published", name)
					}
				}
			}
			r := a.sample(t, at, op)
			if want.RequestSample != nil {
				for name, value := range map[string]string{ // for which the sample's word "string" is no value
					"start_date": "2024-05-06T07:08:09Z", "end_date": "2024-05-06T07:08:09Z", "data_source_e": "unknown",
				} {
					if want.RequestSample[name] == "string" {
						want.RequestSample[name] = value
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
}

// sameParameters wants the published parameters of one place, and no others that are required.
func sameParameters(t *testing.T, op *operation, in string, want []publishedField) {
	t.Helper()
	for _, field := range want {
		parameter := op.route.Operation.Parameters.GetByInAndName(in, field.Name)
		if parameter == nil || parameter.Required != field.Required {
			t.Errorf("%s parameter %s: %+v", in, field.Name, parameter)
			continue
		}
		sameType(t, field, parameter.Schema.Value)
	}
	for _, parameter := range op.parameters {
		if parameter.In == in && parameter.Required && !slices.ContainsFunc(want, func(f publishedField) bool { return f.Name == parameter.Name }) {
			t.Errorf("%s parameter %s is required", in, parameter.Name)
		}
	}
}

// sameType wants the published type and values of a field.
func sameType(t *testing.T, want publishedField, got *openapi3.Schema) {
	t.Helper()
	kind := ""
	switch {
	case len(got.OneOf) == 2 && got.OneOf[0].Value.Type.Is("string") && got.OneOf[1].Value.Items.Value.Type.Is("string"):
		kind = "string or Array of strings"
	case got.Type.Is("array") && got.Items.Value.Type.Is("string"):
		kind = "Array of strings"
	case got.Type.Is("integer"):
		kind = "number"
	case got.Type.Is("string") && got.Nullable:
		kind = "string or null"
	case got.Type.Is("string") && got.Format == "binary":
		kind = "string <binary>"
	case got.Type.Is("string") && (want.Name == "latitude" || want.Name == "longitude") && got.MinLength == 1:
		kind = "string non-empty"
	case got.Type.Is("string") && got.Pattern != "" && want.Type == "string <date-time>":
		kind = want.Type // whole days are taken too
	case got.Type != nil:
		kind = got.Type.Slice()[0]
	}
	if kind != want.Type {
		t.Errorf("%s is %s, want %s", want.Name, kind, want.Type)
	}
	if want.Name == "data_source_e" { // published as any text, elsewhere with these values
		want.Enum = []string{"unknown", "ocr_front", "ocr_back", "pdf417", "mrz"}
	}
	if got := enumOf(got); !slices.Equal(got, want.Enum) {
		t.Errorf("%s has values %v, want %v", want.Name, got, want.Enum)
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

// additions are the fields that an operation takes beyond the published ones; none of them is required.
func additions(operation string) []string {
	if operation == "idvSdkLivenessProcess" || operation == "idaSdkLivenessProcess" {
		return []string{"token", "frames", "digest"}
	}
	return nil
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
	case s.Type.Is("object") && len(s.Properties) > 0:
		return map[string]any{}
	case s.Type.Is("object"):
		return map[string]any{"key": "value"}
	case s.Type.Is("array") && s.Items.Value.Type.Is("object"):
		return []any{sampleValue(name, s.Items.Value)}
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
					w := a.do(request(method, at.filled(), mediaJSON, "{}"))
					if w.Code != http.StatusMethodNotAllowed || problemOf(t, w).Code != "method_not_allowed" || !strings.Contains(w.Header().Get("Allow"), at.method) {
						t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
					}
				}
				for _, parameter := range op.parameters {
					if parameter.In != openapi3.ParameterInQuery {
						continue
					}
					good := "some-text"
					if len(parameter.Schema.Value.Enum) > 0 {
						good = parameter.Schema.Value.Enum[0].(string)
						w := a.do(request(at.method, at.filled()+"?"+parameter.Name+"=no-such-value", "", ""))
						if w.Code != http.StatusBadRequest || !hasPointer(problemOf(t, w).Errors, "/query/"+parameter.Name) {
							t.Errorf("%s: %d %s", parameter.Name, w.Code, w.Body)
						}
					}
					if w := a.do(request(at.method, at.filled()+"?"+parameter.Name+"="+good, "", "")); w.Code != http.StatusOK {
						t.Errorf("%s: %d %s", parameter.Name, w.Code, w.Body)
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
	if items, ok := bad.([]any); ok && (name == "images" || name == "frames" || name == "identity_ids") && len(items) == 1 {
		return "/" + name + "/0"
	}
	return "/" + name
}

// badValues are some that a schema does not take.
func badValues(s *openapi3.Schema) []any {
	bad := []any{[]any{map[string]any{}}}
	if s.Type.Is("array") && s.Items.Value.Type.Is("object") {
		bad = []any{[]any{"text"}}
	}
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
		return append(bad, "text", make([]any, *s.MaxItems+1))
	case s.Type.Is("boolean"):
		return append(bad, "true", 1)
	case s.Type.Is("integer"):
		return append(bad, -1, 0.5, "1", 1e12)
	case s.Type.Is("number") && s.Max != nil:
		return append(bad, "1", *s.Max+1, *s.Min-1)
	case s.Type.Is("number"):
		return append(bad, "1", true)
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

// TestExamples: an operation shows by example what it takes and what it answers, and takes what it shows. Loading
// the contract holds every example against its schema.
func TestExamples(t *testing.T) {
	a := newTestAPI(t, fullService(), wellProbe())
	for at, op := range a.contract.operations {
		t.Run(op.id, func(t *testing.T) {
			if op.body != nil {
				mediaType := mediaTypes(op.body)[0]
				example, ok := op.body.Content[mediaType].Example.(map[string]any)
				if !ok {
					t.Fatal("no example of a request")
				}
				if mediaType == mediaJSON && len(example) == 0 {
					t.Error("the example of a request is empty")
				}
				if w := a.do(requestOf(t, at, mediaType, example)); w.Code != http.StatusOK {
					t.Errorf("the example: %d %s", w.Code, w.Body)
				}
			}
			content := op.route.Operation.Responses.Status(http.StatusOK).Value.Content[mediaJSON]
			if content == nil || content.Example == nil {
				t.Fatal("no example of an answer")
			}
			if strings.HasPrefix(at.path, "/v2/") {
				everyKeyIsRequired(t, "", content.Schema.Value)
			}
		})
	}
}

// everyKeyIsRequired: an answer has all its keys, with null where there is nothing. So have its examples, which are
// held against the schema.
func everyKeyIsRequired(t *testing.T, at string, s *openapi3.Schema) {
	t.Helper()
	for name, property := range s.Properties {
		if !slices.Contains(s.Required, name) {
			t.Errorf("%s/%s may be missing", at, name)
		}
		everyKeyIsRequired(t, at+"/"+name, property.Value)
	}
	for _, part := range s.AllOf {
		everyKeyIsRequired(t, at, part.Value)
	}
	if s.Items != nil {
		everyKeyIsRequired(t, at+"/0", s.Items.Value)
	}
}

// TestIdempotencyKeys: every business operation that is a POST takes a key, and only such ones do.
func TestIdempotencyKeys(t *testing.T) {
	a := newTestAPI(t, fullService(), wellProbe())
	for at, op := range a.contract.operations {
		takes := op.route.Operation.Parameters.GetByInAndName(openapi3.ParameterInHeader, "Idempotency-Key") != nil
		if want := at.method == http.MethodPost && strings.HasPrefix(at.path, "/v2/"); takes != want {
			t.Errorf("%s takes Idempotency-Key: %v", op.id, takes)
		}
		if takes && op.route.Operation.Responses.Status(http.StatusOK).Value.Headers["Idempotency-Replayed"] == nil {
			t.Errorf("%s does not say that it answers Idempotency-Replayed", op.id)
		}
	}
	for key, want := range map[string]int{
		"k": 200, strings.Repeat("k", 255): 200, "0e7c1f5a-3f0d-4c39-9a53-6b1e2f8d4c70": 200, "!~": 200,
		"": 400, strings.Repeat("k", 256): 400, "two words": 400, "é": 400, "tab\t": 400,
	} {
		r := jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`)
		r.Header["Idempotency-Key"] = []string{key}
		w := a.do(r)
		if w.Code != want || want != 200 && !hasPointer(problemOf(t, w).Errors, "/header/Idempotency-Key") {
			t.Errorf("%q: %d %s", key, w.Code, w.Body)
		}
	}
	r := jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`)
	r.Header["Idempotency-Key"] = []string{"one", "two"}
	if w := a.do(r); w.Code != 400 || !hasPointer(problemOf(t, w).Errors, "/header/Idempotency-Key") {
		t.Errorf("two keys: %d %s", w.Code, w.Body)
	}
}

// TestUnstorableText: what PostgreSQL could not store is named before it gets there.
func TestUnstorableText(t *testing.T) {
	a := newTestAPI(t, fullService(), wellProbe())
	contentType, body := form(t, map[string]string{"session_id": "s\xff", "latitude": "1", "longitude": "1"}, []byte("x"))
	for name, c := range map[string]struct {
		r  *http.Request
		at string
	}{
		"id":         {jsonRequest("/v2/idv/session/read", `{"session_id":"a\u0000b"}`), "/session_id"},
		"deep":       {jsonRequest("/v2/idv/session/create", `{"metadata":{"a/b":[1,{"c":"\u0000"}]}}`), "/metadata/a~1b/1/c"},
		"name":       {jsonRequest("/v2/idv/session/create", `{"metadata":{"a\u0000":1}}`), "/metadata"},
		"query":      {request(http.MethodGet, "/v2/idv/weights?client_id=%00", "", ""), "/query/client_id"},
		"query utf8": {request(http.MethodGet, "/v2/idv/weights?client_id=%ff", "", ""), "/query/client_id"},
		"path":       {request(http.MethodGet, "/v2/idv/weights/a%00b", "", ""), "/path/id"},
		"upload":     {request(http.MethodPost, "/v2/idv/sdk/document/front/add", contentType, body), "/session_id"},
	} {
		w := a.do(c.r)
		if w.Code != http.StatusBadRequest || !hasPointer(problemOf(t, w).Errors, c.at) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := a.do(jsonRequest("/v2/idv/session/create", `{"metadata":{"a":"\\u0000","b":"\ufffd"}}`)); w.Code != 200 {
		t.Errorf("text that only looks like it: %d %s", w.Code, w.Body)
	}
}

// plainService answers the least that a Service can.
func plainService() *fake {
	return &fake{
		createSession:        func(auth.Principal, kyc.SessionInput) (string, error) { return "session-1", nil },
		createAuthentication: func(auth.Principal, string, kyc.SessionInput) (string, error) { return "session-2", nil },
		listSessions: func(auth.Principal, kyc.SessionKind, kyc.SessionQuery) (kyc.SessionPage, error) {
			return kyc.SessionPage{Sessions: []kyc.Session{{}}}, nil
		},
		listDocuments: func(auth.Principal, string, int, int) (kyc.DocumentPage, error) {
			return kyc.DocumentPage{Documents: []kyc.Document{{}}}, nil
		},
		listIdentities: func(auth.Principal, kyc.IdentityQuery) (kyc.IdentityPage, error) {
			return kyc.IdentityPage{Identities: []kyc.Identity{{}}}, nil
		},
		requirements: func(auth.Principal, kyc.RequirementQuery) ([]kyc.Requirement, error) {
			return []kyc.Requirement{{}}, nil
		},
		listWebhooks: func(auth.Principal, kyc.WebhookQuery) (kyc.WebhookPage, error) {
			return kyc.WebhookPage{Webhooks: []kyc.Webhook{{}}}, nil
		},
	}
}

// fullService answers with every field set.
func fullService() *fake {
	yes, score, degrees, id, local := true, 0.75, -13.25, "id-1", testTime.In(time.FixedZone("", 3600))
	person := kyc.Person{FirstName: "Ada", MiddleName: "B", LastName: "Nowhere", SuffixName: "II", Gender: "female", BirthDate: "1990-01-02"}
	session := kyc.Session{
		ID: "session-1", UserID: "user-1", ClientID: testClient, WeightsID: "weights-1", Kind: kyc.IDV, IdentityID: &id,
		Status: "complete", DocumentType: "driver_license", LivenessMode: "passive_active", LivenessProvider: "azure",
		CreatedAt: local, ExpiresAt: local, CompletedAt: &local, Person: person,
		Consented: &yes, ConsentedAt: &local, DocumentFrontGivenAt: &local, DocumentBackGivenAt: &local,
		LivenessDetected: &yes, LivenessDetectedAt: &local, SelfieGivenAt: &local,
		DMVStatus: "match", DMVDetectedAt: &local, OFACStatus: "clear", OFACDetectedAt: &local,
		Verified: &yes, VerifiedAt: &local, Authenticated: &yes, AnonymizedAt: &local, OnSanctionList: &yes, Score: &score, Reasons: []string{"face_mismatch"},
		Metadata: map[string]any{"order": "7"}, SDKMetadata: map[string]any{"os": "x"}, Settings: map[string]any{"locale": "en"},
		WebhookURL: "https://hooks.example/",
		History:    []kyc.HistoryEntry{{At: local, Actor: "client", Event: "created", From: "a", To: "b", Detail: map[string]string{"k": "v"}}},
	}
	identity := kyc.Identity{
		ID: "identity-1", UserID: "user-1", ClientID: testClient, CreatedAt: local, VerifiedAt: &local, AnonymizedAt: &local, Person: person,
		Street: "1 Nowhere Lane", City: "Nowhere", State: "ZZ", PostalCode: "00000", DocumentFrontGivenAt: &local, LivenessDetected: &yes,
		LivenessDetectedAt: &local, OFACStatus: "possible_match", OFACDetectedAt: &local, DMVStatus: "mismatch", DMVDetectedAt: &local,
		Score: &score, Metadata: map[string]any{"order": "7"},
	}
	location := kyc.Location{
		IPAddress: "192.0.2.7", IPLatitude: &degrees, IPLongitude: &degrees, IPCountry: "a", IPRegion: "b", IPCity: "c", Device: "+52.5-013.25/",
		DeviceLatitude: &degrees, DeviceLongitude: &degrees, DeviceCountryName: "d", DeviceCountryCode: "e", DeviceAdminArea: "f",
		DeviceSubAdminArea: "g", DeviceLocality: "h",
	}
	document := kyc.Document{SessionID: "session-1", ID: "document-1", Type: "passport", DataSource: "mrz", Merged: true, CreatedAt: local,
		Fields: map[string]string{"document_number": "X123", "gender": "female", "class": "C", "restrictions": "B"}}
	requirement := kyc.Requirement{UserID: &id, ClientID: &id, Type: "passport", DataSource: "mrz", Fields: map[string]bool{"birth_date": true}, UpdatedAt: &local}
	weights := kyc.WeightsVersion{ID: "weights-1", UserID: &id, ClientID: &id, CreatedAt: local, Weights: scoring.Defaults()}
	webhook := kyc.Webhook{ID: "webhook-1", ClientID: testClient, Name: "hook", URL: "https://hooks.example/", CreatedAt: local, DisabledAt: &local, Secret: "whsec_AAAA"}
	picture := kyc.Image{ContentType: "image/png", Bytes: []byte("png")}
	outcome := kyc.Outcome{Verified: true, OnSanctionList: &yes, Status: "complete", Reasons: []string{"ok"}, Score: &score}
	return &fake{
		issueToken: func(string, string, []string, string) (kyc.Token, error) {
			return kyc.Token{AccessToken: "a.b.c", ExpiresIn: time.Hour, Scopes: []string{"idv", "webhook"}}, nil
		},
		jwks:                 func() ([]byte, error) { return []byte(`{"keys":[{"kty":"OKP","kid":"1"}]}`), nil },
		createSession:        func(auth.Principal, kyc.SessionInput) (string, error) { return "session-1", nil },
		createAuthentication: func(auth.Principal, string, kyc.SessionInput) (string, error) { return "session-2", nil },
		readSession:          func(auth.Principal, kyc.SessionKind, string) (kyc.Session, error) { return session, nil },
		listSessions: func(auth.Principal, kyc.SessionKind, kyc.SessionQuery) (kyc.SessionPage, error) {
			return kyc.SessionPage{Sessions: []kyc.Session{session}, Counts: map[string]int{"total": 1, "complete": 1}}, nil
		},
		readLocation: func(auth.Principal, kyc.SessionKind, string, string) (kyc.Location, error) { return location, nil },
		readTests: func(auth.Principal, string) (kyc.TestResults, error) {
			return kyc.TestResults{
				Texts: map[string]string{"doc_front_suspicious_words": "pass"}, Bools: map[string]*bool{"name_crosscheck": &yes},
				Pieces: []kyc.DecisionPiece{{Name: "face", State: "measured", Value: &score, Tolerance: &score, Weight: 1, Contribution: 0.75,
					Gate: true, Required: true, Reason: "face_mismatch", Evidence: map[string]any{"distance": 0.4}}},
				Reasons: []string{"face_mismatch"}, Score: &score, Verdict: "refused",
			}, nil
		},
		readDocument: func(auth.Principal, string) (kyc.Document, error) { return document, nil },
		listDocuments: func(auth.Principal, string, int, int) (kyc.DocumentPage, error) {
			return kyc.DocumentPage{Documents: []kyc.Document{document}, Counts: map[string]int{"total": 1}}, nil
		},
		downloadDocument: func(auth.Principal, string, string) (kyc.Image, error) { return picture, nil },
		downloadSelfie:   func(auth.Principal, string) (kyc.Image, error) { return picture, nil },
		generateLiveness: func(auth.Principal, kyc.SessionKind, string, kyc.Place) (string, error) { return "token", nil },
		processLiveness: func(auth.Principal, kyc.SessionKind, string, kyc.Place, kyc.LivenessInput) (kyc.LivenessAnswer, error) {
			return kyc.LivenessAnswer{Token: "token", Hints: []kyc.FrameHint{{Image: 0, Code: "blurred"}}}, nil
		},
		readSDKSession:         func(auth.Principal, kyc.SessionKind, string) (kyc.Session, error) { return session, nil },
		finalize:               func(auth.Principal, string, map[string]any) (kyc.Outcome, error) { return outcome, nil },
		finalizeAuthentication: func(auth.Principal, string) (kyc.Outcome, error) { return outcome, nil },
		listIdentities: func(auth.Principal, kyc.IdentityQuery) (kyc.IdentityPage, error) {
			return kyc.IdentityPage{Identities: []kyc.Identity{identity}, Counts: map[string]int{"total": 1, "verified": 1}}, nil
		},
		readIdentities: func(auth.Principal, []string, map[string]any) ([]kyc.Identity, error) {
			return []kyc.Identity{identity}, nil
		},
		identityVerified:     func(auth.Principal, string) (bool, error) { return true, nil },
		readIdentityDocument: func(auth.Principal, string, string) (kyc.Document, error) { return document, nil },
		readIdentityImage:    func(auth.Principal, string, string) (kyc.Image, error) { return picture, nil },
		requirements: func(auth.Principal, kyc.RequirementQuery) ([]kyc.Requirement, error) {
			return []kyc.Requirement{requirement}, nil
		},
		weights:       func(auth.Principal, string, string) (kyc.WeightsVersion, error) { return weights, nil },
		weightsByID:   func(auth.Principal, string) (kyc.WeightsVersion, error) { return weights, nil },
		updateWeights: func(auth.Principal, string, string, scoring.Weights) (kyc.WeightsVersion, error) { return weights, nil },
		createWebhook: func(auth.Principal, string, string, string) (kyc.Webhook, error) { return webhook, nil },
		listWebhooks: func(auth.Principal, kyc.WebhookQuery) (kyc.WebhookPage, error) {
			counts := map[string]int{"total": 2}
			return kyc.WebhookPage{Webhooks: []kyc.Webhook{webhook}, Statistics: counts, PerWebhook: map[string]map[string]int{"webhook-1": counts}}, nil
		},
	}
}
