package rest

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
	"kycd/kyc/auth"
	"kycd/kyc/scoring"
)

// TestEveryFieldReachesTheAnswer sets each field of a view alone and wants it to change the answer, unless it is
// one that the operation does not tell. A new field of a view fails here until it is in the answer or in the list.
func TestEveryFieldReachesTheAnswer(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  func(set func(any)) any
		without string
	}{
		{"idv session", answerOf(toIdvSession), "Kind Authenticated LivenessProvider SDKMetadata"},
		{"ida session", answerOf(toIdaSession), `Kind DocumentType LivenessProvider Person.Gender Person.BirthDate Consented ConsentedAt
			DocumentFrontGivenAt DocumentBackGivenAt DocumentFrontAttempts DocumentBackAttempts DMVStatus DMVDetectedAt OFACStatus OFACDetectedAt
			Verified VerifiedAt OnSanctionList
			SDKMetadata`},
		{"idv session of a device", answerOf(toSdkSession), `UserID WeightsID Kind IdentityID CreatedAt ExpiresAt CompletedAt Person.FirstName
			Person.MiddleName Person.LastName Person.SuffixName Person.Gender Person.BirthDate ConsentedAt LivenessDetectedAt DMVStatus
			DMVDetectedAt OFACStatus OFACDetectedAt Verified VerifiedAt Authenticated AnonymizedAt OnSanctionList Score Reasons Metadata
			WebhookURL History`},
		{"ida session of a device", answerOf(toIdaSdkSession), `WeightsID Kind DocumentType CreatedAt ExpiresAt CompletedAt Person.Gender
			Person.BirthDate Consented ConsentedAt DocumentFrontGivenAt DocumentBackGivenAt DocumentFrontAttempts DocumentBackAttempts DMVStatus DMVDetectedAt OFACStatus OFACDetectedAt
			Verified VerifiedAt AnonymizedAt OnSanctionList Score Reasons Metadata WebhookURL History`},
		{"history", answerOf(toHistoryEntry), ""},
		{"document", answerOf(toIdvDocument), "Fields"},                                                                             // see TestDocumentFieldsByName
		{"identity's document", answerOf(toIdentityDocument), "SessionID Merged Fields CreatedAt"},                                  // the same
		{"tests", answerOf(toIdvSessionTests), "Texts Bools Pieces Reasons Score"},                                                  // see TestTestResultsByName, and below
		{"decision", answerOf(func(r kyc.TestResults) any { r.Verdict = "v"; return toIdvSessionTests(r) }), "Texts Bools Verdict"}, // the same
		{"piece", answerOf(toDecisionPiece), ""},
		{"outcome", answerOf(toOutcome), ""},
		{"ida outcome", answerOf(toIdaOutcome), "OnSanctionList Score"},
		{"location", answerOf(toLocation), ""},
		{"identity", answerOf(toIdentity), ""},
		{"identities", answerOf(func(i kyc.Identity) any {
			a := toIdentities([]kyc.Identity{i})
			a.Identities = nil
			return a
		}), ""},
		{"requirement", answerOf(toIdvRequirement), "Fields"}, // see TestRequirements
		{"weights", answerOf(toIdvWeights), ""},
		{"webhook", answerOf(func(w kyc.Webhook) any { return toWebhook(w, nil) }), "Secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			without := strings.Fields(c.without)
			nothing := encoded(t, c.answer(func(any) {}))
			var view reflect.Type
			c.answer(func(v any) { view = reflect.TypeOf(v).Elem() })
			for _, path := range leaves(view, nil) {
				name := strings.Join(path, ".")
				told := encoded(t, c.answer(func(v any) { setField(t, v, path) })) != nothing
				if told == slices.Contains(without, name) {
					t.Errorf("%s.%s is told: %v", view, name, told)
				}
			}
		})
	}
}

// answerOf makes an answer from a view that set has changed.
func answerOf[V, A any](convert func(V) A) func(set func(any)) any {
	return func(set func(any)) any {
		var view V
		set(&view)
		return convert(view)
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// leaves are the paths to all fields of a struct, through structs in it.
func leaves(of reflect.Type, above []string) [][]string {
	var all [][]string
	for i := range of.NumField() {
		field := of.Field(i)
		path := append(slices.Clone(above), field.Name)
		if field.Type.Kind() == reflect.Struct && field.Type != reflect.TypeFor[time.Time]() {
			all = append(all, leaves(field.Type, path)...)
			continue
		}
		all = append(all, path)
	}
	return all
}

// setField gives a field a value that is not its zero.
func setField(t *testing.T, view any, path []string) {
	t.Helper()
	field := reflect.ValueOf(view).Elem()
	for _, name := range path {
		field = field.FieldByName(name)
	}
	field.Set(something(t, field.Type()))
}

func something(t *testing.T, of reflect.Type) reflect.Value {
	t.Helper()
	switch {
	case of == reflect.TypeFor[time.Time]():
		return reflect.ValueOf(testTime)
	case of == reflect.TypeFor[any]():
		return reflect.ValueOf("something")
	}
	v := reflect.New(of).Elem()
	switch of.Kind() { //nolint:exhaustive // the others are in no view
	case reflect.String:
		v.SetString("something")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(7.5)
	case reflect.Pointer:
		v = reflect.New(of.Elem())
		v.Elem().Set(something(t, of.Elem()))
	case reflect.Slice:
		v = reflect.Append(v, something(t, of.Elem()))
	case reflect.Map:
		v = reflect.MakeMap(of)
		v.SetMapIndex(something(t, of.Key()), something(t, of.Elem()))
	case reflect.Struct:
	default:
		t.Fatalf("no value for %v", of)
	}
	return v
}

// TestRequirements goes through every requirable field, both ways.
func TestRequirements(t *testing.T) {
	var rule kyc.Requirement
	var asked kyc.RequirementQuery
	a := newTestAPI(t, &fake{
		updateRequirements: func(_ auth.Principal, r kyc.Requirement) error { rule = r; return nil },
		requirements: func(_ auth.Principal, q kyc.RequirementQuery) ([]kyc.Requirement, error) {
			asked = q
			return []kyc.Requirement{rule}, nil
		},
	}, wellProbe())
	at, op := a.operation(t, "idvRequirementsUpdate")
	for _, field := range kyc.RequirableFields() {
		body := map[string]any{"type_e": "passport", "data_source_e": "mrz", "client_id": "client-7"}
		for name := range op.schema(mediaJSON).Properties {
			if strings.HasSuffix(name, "_required") {
				body[name] = name == field+"_required"
			}
		}
		if w := a.do(requestOf(t, at, mediaJSON, body)); w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", field, w.Code, w.Body)
		}
		if got := slices.Sorted(maps.Keys(rule.Fields)); !slices.Equal(got, slices.Sorted(slices.Values(kyc.RequirableFields()))) {
			t.Fatalf("the rules get %v", got)
		}
		for name, required := range rule.Fields {
			if required != (name == field) {
				t.Errorf("with %s required, %s is %v", field, name, required)
			}
		}
		if rule.Type != "passport" || rule.DataSource != "mrz" || rule.UserID != nil || rule.ClientID == nil || *rule.ClientID != "client-7" {
			t.Errorf("rule %+v", rule)
		}
		var got struct{ Requirements []map[string]any }
		w := a.do(request(http.MethodGet, "/v2/idv/requirements?client_id=c&user_id=u&type_e=passport&data_source_e=mrz", "", ""))
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Requirements) != 1 {
			t.Fatalf("%v %s", err, w.Body)
		}
		for name, value := range got.Requirements[0] {
			if required, ok := value.(bool); ok && required != (name == field+"_required") {
				t.Errorf("with %s required, the answer says of %s: %v", field, name, required)
			}
		}
	}
	if want := (kyc.RequirementQuery{ClientID: "c", UserID: "u", Type: "passport", DataSource: "mrz"}); asked != want {
		t.Errorf("asked for %+v, want %+v", asked, want)
	}
}

// TestWeights gives every weight and tolerance a number of its own, both ways.
func TestWeights(t *testing.T) {
	var version kyc.WeightsVersion
	var client, user, id string
	a := newTestAPI(t, &fake{
		updateWeights: func(_ auth.Principal, clientID, userID string, w scoring.Weights) (kyc.WeightsVersion, error) {
			client, user = clientID, userID
			version = kyc.WeightsVersion{ID: "weights-9", UserID: &userID, ClientID: &clientID, CreatedAt: testTime, Weights: w}
			return version, nil
		},
		weights: func(_ auth.Principal, clientID, userID string) (kyc.WeightsVersion, error) {
			client, user = clientID, userID
			return version, nil
		},
		weightsByID: func(_ auth.Principal, asked string) (kyc.WeightsVersion, error) { id = asked; return version, nil },
	}, wellProbe())
	at, op := a.operation(t, "idvWeightsUpdate")
	body := map[string]any{"client_id": "c", "user_id": "u"}
	for i, name := range slices.Sorted(slices.Values(op.schema(mediaJSON).Required)) {
		body[name] = 0.5 + float64(i)
	}
	w := a.do(requestOf(t, at, mediaJSON, body))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"idv_weights_id":"weights-9"`) || client != "c" || user != "u" {
		t.Fatalf("%d %s, client %q, user %q", w.Code, w.Body, client, user)
	}
	want := map[string]any{}
	if err := json.Unmarshal([]byte(encoded(t, version.Weights)), &want); err != nil {
		t.Fatal(err)
	}
	want["client_id"], want["user_id"] = "c", "u"
	if !maps.Equal(want, body) {
		t.Errorf("the rules get %v, want %v", want, body)
	}
	want["id"], want["created_at"] = "weights-9", "2024-05-06T07:08:09Z"
	for _, path := range []string{"/v2/idv/weights?client_id=other&user_id=one", "/v2/idv/weights/weights%2F9"} {
		var got map[string]any
		if err := json.Unmarshal(a.do(request(http.MethodGet, path, "", "")).Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if client != "other" || user != "one" || id != "weights/9" {
		t.Errorf("asked for client %q, user %q, id %q", client, user, id)
	}
}
