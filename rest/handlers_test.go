package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/auth"
)

func TestSessionQuery(t *testing.T) {
	at := func(s string) *time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return &v
	}
	for _, c := range []struct {
		name, body string
		want       kyc.SessionQuery
	}{
		{"no body", ``, kyc.SessionQuery{Take: 20}},
		{"nothing", `{}`, kyc.SessionQuery{Take: 20}},
		{"zero", `{"take":0,"skip":0}`, kyc.SessionQuery{Take: 20}},
		{"page", `{"take":7,"skip":14}`, kyc.SessionQuery{Take: 7, Skip: 14}},
		{"cap", `{"take":100000}`, kyc.SessionQuery{Take: 200}},
		{"one", `{"identity_id":"a","client_id":"b","user_id":"c"}`, kyc.SessionQuery{Take: 20, IdentityIDs: []string{"a"}, ClientIDs: []string{"b"}, UserIDs: []string{"c"}}},
		{"many", `{"identity_id":["a","b"],"client_id":[]}`, kyc.SessionQuery{Take: 20, IdentityIDs: []string{"a", "b"}}},
		{"empty text does not narrow", `{"identity_id":"","search_term":""}`, kyc.SessionQuery{Take: 20}},
		{"words", `{"search_term":"Nowhere","status":"expired"}`, kyc.SessionQuery{Take: 20, SearchTerm: "Nowhere", Status: "expired"}},
		{"times", `{"start_date":"2024-01-02T03:04:05+02:00","end_date":null}`, kyc.SessionQuery{Take: 20, Start: at("2024-01-02T01:04:05Z")}},
		{"whole days", `{"start_date":"2024-01-02","end_date":"2024-01-02"}`, kyc.SessionQuery{Take: 20, Start: at("2024-01-02T00:00:00Z"), End: at("2024-01-02T23:59:59.999999Z")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got kyc.SessionQuery
			a := newTestAPI(t, &fake{listSessions: func(_ auth.Principal, _ kyc.SessionKind, q kyc.SessionQuery) (kyc.SessionPage, error) {
				got = q
				return kyc.SessionPage{}, nil
			}}, wellProbe())
			if w := a.do(jsonRequest("/v2/idv/session/list", c.body)); w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			same := func(a, b *time.Time) bool { return a == nil && b == nil || a != nil && b != nil && a.Equal(*b) }
			if got.Take != c.want.Take || got.Skip != c.want.Skip || got.SearchTerm != c.want.SearchTerm || got.Status != c.want.Status ||
				!slices.Equal(got.IdentityIDs, c.want.IdentityIDs) || !slices.Equal(got.ClientIDs, c.want.ClientIDs) || !slices.Equal(got.UserIDs, c.want.UserIDs) ||
				!same(got.Start, c.want.Start) || !same(got.End, c.want.End) {
				t.Errorf("got %+v", got)
			}
		})
	}
	a := newTestAPI(t, &fake{}, wellProbe())
	for _, bad := range []string{`{"start_date":"2024-13-02"}`, `{"start_date":"2024-01-02T99:00:00Z"}`, `{"start_date":"2024-01-02 10:00"}`} {
		w := a.do(jsonRequest("/v2/idv/session/list", bad))
		if w.Code != 400 || !hasPointer(problemOf(t, w).Errors, "/start_date") {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
}

func TestSessionCreate(t *testing.T) {
	var got kyc.SessionInput
	a := newTestAPI(t, &fake{createSession: func(_ auth.Principal, in kyc.SessionInput) (string, error) {
		got = in
		return "session-9", nil
	}}, wellProbe())
	w := a.do(jsonRequest("/v2/idv/session/create", ``))
	if w.Code != 200 || got.LivenessMode != "passive" || !strings.Contains(w.Body.String(), `"session_id":"session-9"`) {
		t.Errorf("%d %s, %+v", w.Code, w.Body, got)
	}
	a.do(jsonRequest("/v2/idv/session/create", `{"metadata":{"order":{"n":7}},"liveness_mode":"passive_active","webhook_url":"https://x","settings":{"locale":"en"}}`))
	if got.LivenessMode != "passive_active" || got.WebhookURL != "https://x" || got.Settings["locale"] != "en" || got.Metadata["order"].(map[string]any)["n"] != 7.0 {
		t.Errorf("%+v", got)
	}
}

// TestNullsWhereThereIsNothing reads a session that has just begun.
func TestNullsWhereThereIsNothing(t *testing.T) {
	a := newTestAPI(t, plainService(), wellProbe())
	var got map[string]any
	w := a.do(jsonRequest("/v2/idv/session/read", `{"session_id":"x"}`))
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"completed_at", "first_name", "birth_date", "consented", "consented_at", "document_front_given_at", "liveness_detected", "verified", "score", "identity_id", "webhook_url", "on_sanction_list"} {
		if v, ok := got[name]; !ok || v != nil {
			t.Errorf("%s is %v, there: %v", name, v, ok)
		}
	}
	for name, want := range map[string]any{"status_e": "unknown", "gender_e": "unknown", "document_front_given": false, "selfie_given": false} {
		if got[name] != want {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	var tests map[string]any
	w = a.do(jsonRequest("/v2/idv/session/test/read", `{"session_id":"x"}`))
	if err := json.Unmarshal(w.Body.Bytes(), &tests); err != nil {
		t.Fatal(err)
	}
	if tests["doc_front_image_manipulation"] != "not_run" || tests["dmv_city_match"] != nil || tests["decision"] != nil {
		t.Errorf("tests %v", tests)
	}
	var outcome map[string]any
	w = a.do(jsonRequest("/v2/idv/sdk/finalize", `{"session_id":"x"}`))
	if err := json.Unmarshal(w.Body.Bytes(), &outcome); err != nil {
		t.Fatal(err)
	}
	if outcome["verified"] != false || outcome["on_sanction_list"] != nil {
		t.Errorf("outcome %v", outcome)
	}
}

// TestTestResultsByName sets each result alone and wants it in its own field.
func TestTestResultsByName(t *testing.T) {
	var results kyc.TestResults
	a := newTestAPI(t, &fake{readTests: func(auth.Principal, string) (kyc.TestResults, error) { return results, nil }}, wellProbe())
	_, op := a.operation(t, "idvSessionTestRead")
	schema := op.route.Operation.Responses.Status(200).Value.Content[mediaJSON].Schema.Value
	yes := true
	for name, property := range schema.Properties {
		if name == "decision" {
			continue
		}
		boolean := property.Value.Type.Is("boolean")
		results = kyc.TestResults{Texts: map[string]string{name: "review"}, Bools: map[string]*bool{name: &yes}}
		var got map[string]any
		if err := json.Unmarshal(a.do(jsonRequest("/v2/idv/session/test/read", `{"session_id":"x"}`)).Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		for other, value := range got {
			if set := value == "review" || value == true; set != (other == name) {
				t.Errorf("with %s set, %s is %v (boolean: %v)", name, other, value, boolean)
			}
		}
	}
}

// TestDocumentFieldsByName does the same for a document, in the answers of both operations that read one.
func TestDocumentFieldsByName(t *testing.T) {
	var document kyc.Document
	a := newTestAPI(t, &fake{
		readDocument:         func(auth.Principal, string) (kyc.Document, error) { return document, nil },
		readIdentityDocument: func(auth.Principal, string, string) (kyc.Document, error) { return document, nil },
	}, wellProbe())
	names := []string{"document_number", "ref_number", "issued_at", "expires_at", "issuing_country", "issuing_state", "first_name", "middle_name", "last_name", "name_suffix",
		"street", "city", "state", "postal_code", "birth_date", "gender", "height", "weight", "eye_color", "hair_color", "class", "restrictions"}
	for _, c := range []struct {
		path, body string
		names      map[string]string // what the rules call it → what the answer calls it, where that differs; empty: it is not told
	}{
		{"/v2/idv/document/read", `{"session_id":"x"}`, map[string]string{"gender": "gender_e"}},
		{"/v2/identity/document/read", `{"identity_id":"x","document_type_e":"passport"}`, map[string]string{"gender": "gender_e", "issued_at": "issue_date",
			"expires_at": "expiration_date", "name_suffix": "suffix_name", "class": "", "restrictions": ""}},
	} {
		for _, name := range names {
			document = kyc.Document{Fields: map[string]string{name: "value"}}
			want, renamed := c.names[name]
			if !renamed {
				want = name
			}
			var got map[string]any
			if err := json.Unmarshal(a.do(jsonRequest(c.path, c.body)).Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if _, ok := got[want]; !ok && want != "" {
				t.Errorf("%s has no %s", c.path, want)
			}
			for other, value := range got {
				if (value == "value") != (other == want) {
					t.Errorf("%s with %s set: %s is %v", c.path, name, other, value)
				}
			}
		}
	}
}

// TestPictures asks each operation that gives a picture for it in all ways.
func TestPictures(t *testing.T) {
	bytesOf := []byte("\x89PNG")
	give := func(id, fileType string) (kyc.Image, error) {
		if id != "x" || fileType != "passport_front" && fileType != "selfie" {
			t.Errorf("asked for %s of %s", fileType, id)
		}
		return kyc.Image{ContentType: "image/png", Bytes: bytesOf}, nil
	}
	a := newTestAPI(t, &fake{
		downloadDocument:  func(_ auth.Principal, id, fileType string) (kyc.Image, error) { return give(id, fileType) },
		downloadSelfie:    func(_ auth.Principal, id string) (kyc.Image, error) { return give(id, "selfie") },
		readIdentityImage: func(_ auth.Principal, id, fileType string) (kyc.Image, error) { return give(id, fileType) },
	}, wellProbe())
	for _, c := range []struct{ path, body, name string }{
		{"/v2/idv/document/download", `{"session_id":"x","storage_file_type_e":"passport_front"}`, "passport_front.png"},
		{"/v2/ida/document/download", `{"session_id":"x"}`, "selfie.png"},
		{"/v2/identity/image/read", `{"identity_id":"x","storage_file_type_e":"passport_front"}`, "passport_front.png"},
	} {
		for accept, want := range map[string]string{
			"":                                   "image/png",
			"*/*":                                "image/png",
			"application/json":                   "application/json",
			"application/json, text/plain, */*":  "image/png", // what HTTP libraries send when nobody asked for JSON
			"image/*;q=0.5, application/json":    "application/json",
			"image/png":                          "image/png",
			"application/json;q=0.1, image/webp": "application/json",
			"text/html":                          "image/png",
			"application/json;q=0, */*;q=0.1":    "image/png",
		} {
			r := jsonRequest(c.path, c.body)
			r.Header.Set("Accept", accept)
			w := a.do(r)
			if w.Code != 200 || w.Header().Get("Content-Type") != want || w.Header().Get("Vary") != "Accept" || w.Header().Get("Content-Length") == "" {
				t.Errorf("%s, Accept %q: %d %v", c.path, accept, w.Code, w.Header())
				continue
			}
			if want == "image/png" {
				if !bytes.Equal(w.Body.Bytes(), bytesOf) || w.Header().Get("Content-Disposition") != `attachment; filename="`+c.name+`"` {
					t.Errorf("%s: %v %q", c.path, w.Header(), w.Body)
				}
				continue
			}
			var got struct {
				ContentType string `json:"content_type"`
				Image       []byte
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.ContentType != "image/png" || !bytes.Equal(got.Image, bytesOf) {
				t.Errorf("%s: %v %s", c.path, err, w.Body)
			}
		}
	}
}

// TestKinds: the operations of verifications and of authentications ask the rules for their own kind.
func TestKinds(t *testing.T) {
	var asked []kyc.SessionKind
	note := func(kind kyc.SessionKind) { asked = append(asked, kind) }
	service := plainService()
	service.readSession = func(_ auth.Principal, k kyc.SessionKind, _ string) (kyc.Session, error) {
		note(k)
		return kyc.Session{}, nil
	}
	service.listSessions = func(_ auth.Principal, k kyc.SessionKind, _ kyc.SessionQuery) (kyc.SessionPage, error) {
		note(k)
		return kyc.SessionPage{}, nil
	}
	service.readLocation = func(_ auth.Principal, k kyc.SessionKind, _, _ string) (kyc.Location, error) {
		note(k)
		return kyc.Location{}, nil
	}
	service.deleteSession = func(_ auth.Principal, k kyc.SessionKind, _ string) error { note(k); return nil }
	service.updateSDKMetadata = func(_ auth.Principal, k kyc.SessionKind, _ string, _ map[string]any) error { note(k); return nil }
	service.generateLiveness = func(_ auth.Principal, k kyc.SessionKind, _ string, _ kyc.Place) (string, error) {
		note(k)
		return "", nil
	}
	service.processLiveness = func(_ auth.Principal, k kyc.SessionKind, _ string, _ kyc.Place, _ kyc.LivenessInput) (kyc.LivenessAnswer, error) {
		note(k)
		return kyc.LivenessAnswer{}, nil
	}
	service.readSDKSession = func(_ auth.Principal, k kyc.SessionKind, _ string) (kyc.Session, error) {
		note(k)
		return kyc.Session{}, nil
	}
	a := newTestAPI(t, service, wellProbe())
	counts := map[kyc.SessionKind]int{}
	for at, op := range a.contract.operations {
		asked = nil
		if w := a.do(a.sample(t, at, op)); w.Code != 200 {
			t.Fatalf("%s: %d %s", op.id, w.Code, w.Body)
		}
		for _, kind := range asked {
			counts[kind]++
			if !strings.HasPrefix(at.path, "/v2/"+string(kind)+"/") {
				t.Errorf("%s asks for %s", op.id, kind)
			}
		}
	}
	if counts[kyc.IDV] != 8 || counts[kyc.IDA] != 8 {
		t.Errorf("kinds were asked for %v times", counts)
	}
}

func TestAuthentications(t *testing.T) {
	var identity string
	var input kyc.SessionInput
	var query kyc.SessionQuery
	a := newTestAPI(t, &fake{
		createAuthentication: func(_ auth.Principal, identityID string, in kyc.SessionInput) (string, error) {
			identity, input = identityID, in
			return "session-9", nil
		},
		listSessions: func(_ auth.Principal, _ kyc.SessionKind, q kyc.SessionQuery) (kyc.SessionPage, error) {
			query = q
			return kyc.SessionPage{Sessions: []kyc.Session{{ID: "session-9"}}, Counts: map[string]int{"total": 41, "complete": 40}}, nil
		},
		finalizeAuthentication: func(auth.Principal, string) (kyc.Outcome, error) {
			return kyc.Outcome{Status: "temporarily_complete", Reasons: []string{"analysis_pending"}}, nil
		},
	}, wellProbe())
	w := a.do(jsonRequest("/v2/ida/session/create", `{"identity_id":"identity-7","webhook_url":"https://x","metadata":{"k":"v"},"settings":{"locale":"en"}}`))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"session_id":"session-9"`) || identity != "identity-7" || input.LivenessMode != "passive" ||
		input.WebhookURL != "https://x" || input.Metadata["k"] != "v" || input.Settings["locale"] != "en" {
		t.Errorf("%d %s, identity %q, %+v", w.Code, w.Body, identity, input)
	}
	yes, no := true, false
	for body, want := range map[string]*bool{
		`{}`:                 nil,
		`{"verified":false}`: &no,
		`{"verified":true,"identity_id":["a","b"],"take":300,"skip":2,"search_term":"n","status":"expired"}`: &yes,
	} {
		if w := a.do(jsonRequest("/v2/ida/session/list", body)); w.Code != 200 || !strings.Contains(w.Body.String(), `"meta_counts":{"complete":40,"total":41}`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if (query.Verified == nil) != (want == nil) || want != nil && *query.Verified != *want {
			t.Errorf("%s: verified %v", body, query.Verified)
		}
		if want == &yes && (query.Take != 200 || query.Skip != 2 || query.SearchTerm != "n" || query.Status != "expired" ||
			!slices.Equal(query.IdentityIDs, []string{"a", "b"})) {
			t.Errorf("query %+v", query)
		}
	}
	w = a.do(jsonRequest("/v2/ida/sdk/finalize", `{"session_id":"x"}`))
	if got := strings.TrimSpace(w.Body.String()); got != `{"authenticated":false,"reasons":["analysis_pending"],"status_e":"temporarily_complete"}` {
		t.Errorf("finalize: %s", got)
	}
}

func TestIdentityQuery(t *testing.T) {
	var got kyc.IdentityQuery
	a := newTestAPI(t, &fake{listIdentities: func(_ auth.Principal, q kyc.IdentityQuery) (kyc.IdentityPage, error) {
		got = q
		return kyc.IdentityPage{Counts: map[string]int{"total": 0}}, nil
	}}, wellProbe())
	w := a.do(jsonRequest("/v2/identity/list", `{"client_id":"c","user_id":["u","v"],"search_term":"n","take":7,"skip":14,`+
		`"start_date":"2024-01-02T03:04:05+02:00","end_date":"2024-01-02T23:59:59Z","metadata":{"k":"v"}}`))
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"identities":[],"meta_counts":{"total":0}}` {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got.Take != 7 || got.Skip != 14 || got.SearchTerm != "n" || !slices.Equal(got.ClientIDs, []string{"c"}) || !slices.Equal(got.UserIDs, []string{"u", "v"}) ||
		got.Metadata["k"] != "v" || !got.Start.Equal(time.Date(2024, 1, 2, 1, 4, 5, 0, time.UTC)) || !got.End.Equal(time.Date(2024, 1, 2, 23, 59, 59, 0, time.UTC)) {
		t.Errorf("got %+v", got)
	}
	if w := a.do(jsonRequest("/v2/identity/list", `{"start_date":null}`)); w.Code != 400 || !hasPointer(problemOf(t, w).Errors, "/start_date") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestIdentitiesRead: ids come from both fields, and one identity alone is answered at the top level too.
func TestIdentitiesRead(t *testing.T) {
	var ids []string
	var metadata map[string]any
	var found []kyc.Identity
	a := newTestAPI(t, &fake{readIdentities: func(_ auth.Principal, i []string, m map[string]any) ([]kyc.Identity, error) {
		ids, metadata = i, m
		return found, nil
	}}, wellProbe())
	for _, c := range []struct {
		body  string
		ids   []string
		found []kyc.Identity
		top   any // identity_id at the top level
	}{
		{``, nil, nil, nil},
		{`{"identity_id":"a"}`, []string{"a"}, []kyc.Identity{{ID: "a"}}, "a"},
		{`{"identity_id":["a","b"]}`, []string{"a", "b"}, []kyc.Identity{{ID: "a"}, {ID: "b"}}, nil},
		{`{"identity_id":"a","identity_ids":["b"]}`, []string{"a", "b"}, []kyc.Identity{{ID: "a"}, {ID: "b"}}, nil},
		{`{"identity_ids":["b"],"metadata":{"k":"v"}}`, []string{"b"}, []kyc.Identity{{ID: "b"}}, "b"},
	} {
		found, metadata = c.found, nil
		w := a.do(jsonRequest("/v2/identity/read", c.body))
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %s", c.body, w.Code, w.Body)
		}
		if !slices.Equal(ids, c.ids) || (metadata["k"] == "v") != strings.Contains(c.body, "metadata") {
			t.Errorf("%s: asked for %v, %v", c.body, ids, metadata)
		}
		list, ok := got["identities"].([]any)
		if !ok || len(list) != len(c.found) || got["identity_id"] != c.top {
			t.Errorf("%s: %s", c.body, w.Body)
		}
		for name, value := range got {
			if c.top == nil && name != "identities" && value != nil {
				t.Errorf("%s: %s is %v", c.body, name, value)
			}
			if c.top != nil && name != "identities" && !reflect.DeepEqual(value, list[0].(map[string]any)[name]) {
				t.Errorf("%s: %s is %v at the top, %v in the list", c.body, name, value, list[0].(map[string]any)[name])
			}
		}
	}
	ids = nil
	for body, at := range map[string]string{
		`{"identity_id":""}`: "/identity_id", `{"identity_id":["a",""]}`: "/identity_id", `{"identity_ids":[""]}`: "/identity_ids/0",
	} {
		if w := a.do(jsonRequest("/v2/identity/read", body)); w.Code != 400 || !hasPointer(problemOf(t, w).Errors, at) || ids != nil {
			t.Errorf("%s: %d %s, asked for %v", body, w.Code, w.Body, ids)
		}
	}
}

func TestWebhooks(t *testing.T) {
	a := newTestAPI(t, fullService(), wellProbe())
	w := a.do(jsonRequest("/v2/webhook/create", `{"name":"hook","url":"https://hooks.example/"}`))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"secret":"whsec_AAAA"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = a.do(jsonRequest("/v2/webhook/list", `{}`))
	if strings.Contains(w.Body.String(), "whsec_") {
		t.Error("the list shows a secret")
	}
	var got struct {
		Webhooks   []struct{ Statistics map[string]int }
		Statistics map[string]int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Statistics["total"] != 2 || len(got.Webhooks) != 1 || got.Webhooks[0].Statistics["total"] != 2 {
		t.Errorf("%v %s", err, w.Body)
	}
}

func TestHealthWords(t *testing.T) {
	sick := probe{
		live:  errors.New("canary"),
		ready: Readiness{Checks: map[string]string{"database": HealthError}},
		health: Health{Status: HealthError, Database: HealthError, Cache: HealthOK, Storage: HealthOK, ExternalServices: map[string]string{"vision": HealthDegraded},
			Details: HealthDetails{ExternalServices: map[string]any{"vision": map[string]any{"restarts": 3}}}, Degraded: []string{"face_detection"}, Error: "the database does not answer"},
	}
	weak := wellProbe()
	weak.health.Status, weak.health.Degraded = HealthDegraded, []string{"liveness"}
	for _, c := range []struct {
		name   string
		probe  probe
		status map[string]int
		word   string
	}{
		{"well", wellProbe(), map[string]int{"/live": 200, "/ready": 200, "/healthz": 200, "/health": 200}, HealthOK},
		{"weak", weak, map[string]int{"/live": 200, "/ready": 200, "/healthz": 200, "/health": 200}, HealthDegraded},
		{"sick", sick, map[string]int{"/live": 503, "/ready": 503, "/healthz": 503, "/health": 503}, HealthError},
	} {
		a := newTestAPI(t, &fake{}, c.probe)
		for path, want := range c.status {
			r := request(http.MethodGet, path, "", "")
			w := a.do(r)
			if w.Code != want || strings.Contains(w.Body.String(), "canary") {
				t.Errorf("%s %s: %d %s", c.name, path, w.Code, w.Body)
			}
			checkAnswer(t, a.contract.operations[route{http.MethodGet, path}], r, w)
		}
		var got struct {
			Status  string
			Details struct{ Degraded []string }
			Error   *string
		}
		if err := json.Unmarshal(a.do(request(http.MethodGet, "/health", "", "")).Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Status != c.word || len(got.Details.Degraded) != len(c.probe.health.Degraded) || (got.Error == nil) != (c.probe.health.Error == "") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestMetrics(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	a.do(jsonRequest("/v2/idv/session/read", `{"session_id":"secret-session"}`))
	a.do(request(http.MethodGet, "/made/up/path", "", ""))
	for accept, want := range map[string]string{
		"": "application/json", "*/*": "application/json", "text/html,*/*;q=0.8": "application/json", "application/json, text/plain, */*": "application/json",
		"text/plain": "text/plain", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1": "application/openmetrics-text",
	} {
		r := request(http.MethodGet, "/metrics", "", "")
		r.Header.Set("Accept", accept)
		w := a.do(r)
		if got := w.Header().Get("Content-Type"); w.Code != 200 || !strings.HasPrefix(got, want) {
			t.Errorf("Accept %q: %d %s", accept, w.Code, got)
		}
		if want == "application/json" {
			var got struct {
				System struct {
					Memory struct{ Used, Total, External, Rss int64 }
					CPU    struct{ User, System int64 }
					Pid    int
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			m := got.System.Memory
			if m.Used < 100<<10 || m.Total < m.Used || m.External <= 0 || m.Rss < m.Used || got.System.CPU.User <= 0 || got.System.Pid <= 0 {
				t.Errorf("figures that cannot be: %+v", got)
			}
			continue
		}
		for _, line := range []string{
			`kycd_http_request_duration_seconds_count{operation="idvSessionRead",status="200"} 1`,
			`kycd_http_request_duration_seconds_count{operation="none",status="404"} 1`,
		} {
			if !strings.Contains(w.Body.String(), line) {
				t.Errorf("Accept %q: no %s", accept, line)
			}
		}
		if strings.Contains(w.Body.String(), "secret-session") || strings.Contains(w.Body.String(), "made/up") {
			t.Error("a label tells what was asked for")
		}
	}
	// A second API on the same registry counts on, instead of failing.
	second := New(Options{Service: &fake{}, Probe: wellProbe(), Registry: a.registry})
	second.ServeHTTP(httptestRecorder(), request(http.MethodGet, "/ping", "", ""))
}

// TestContractIsServed: the contract is given away as it is, and as JSON that says the same.
func TestContractIsServed(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	if got := a.do(request(http.MethodGet, "/openapi.yaml", "", "")).Body.Bytes(); !bytes.Equal(got, contractYAML) {
		t.Error("/openapi.yaml is not the contract")
	}
	again, err := loadContract(a.do(request(http.MethodGet, "/openapi.json", "", "")).Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(again.operations) != len(a.contract.operations) {
		t.Errorf("/openapi.json has %d operations, want %d", len(again.operations), len(a.contract.operations))
	}
	for at, op := range a.contract.operations {
		if other := again.operations[at]; other == nil || other.id != op.id || other.maxBody != op.maxBody || !slices.Equal(other.scopes, op.scopes) {
			t.Errorf("/openapi.json differs in %s", op.id)
		}
	}
}
