package live_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/google/uuid"

	"kycd/kyc/kyctest/house"
)

// scenario is an order in which the examples make sense: what is made comes before what reads it, and erasing comes last.
func scenario() []string {
	return []string{
		"root", "ping", "apiStatus", "systemMetrics", "livenessProbe", "readinessProbe", "simpleHealth", "health", "version",
		"oauthMetadata", "oauthJwks",
		"idvRequirementsUpdate", "idvRequirementsGet", "idvWeightsUpdate", "idvWeightsGet", "idvWeightsGetById", "webhookCreate",
		"idvSessionCreate", "oauthToken", "idvSdkConsentAdd", "idvSdkMetadataUpdate", "idvSdkDocumentTypeUpdate",
		"idvSdkDocumentFrontAdd", "idvSdkSessionRead", "idvSdkDocumentBackAdd", "idvSdkLivenessGenerate", "idvSdkLivenessProcess", "idvSdkFinalize",
		"idvSessionRead", "idvSessionList", "idvSessionTestRead", "idvSessionLocationRead",
		"idvDocumentRead", "idvDocumentList", "idvDocumentDownload",
		"identityRead", "identityList", "identitySdkStatusRead", "identityDocumentRead", "identityImageRead",
		"idaSessionCreate", "idaSdkMetadataUpdate", "idaSdkSessionRead", "idaSdkLivenessGenerate", "idaSdkLivenessProcess", "idaSdkFinalize",
		"idaSessionRead", "idaSessionList", "idaSessionLocationRead", "idaDocumentDownload",
		"webhookList", "idvSessionAnonymize", "idvSessionDelete", "idaSessionDelete", "identityAnonymize", "webhookDelete",
	}
}

// story runs the scenario. Ids of the examples stand for those of the server, one for one, throughout the contract.
type story struct {
	s       *server
	store   *store
	of      tenant
	devices map[string]string // id of a session → its device's token
	real    map[string]string // id of the contract → id of the server
}

// TestExamples carries out every example of openapi.yaml, at the time that they tell of, and holds the answers against
// the examples of answers. What has an idempotency key is asked twice, with one effect and the same answer.
func TestExamples(t *testing.T) {
	all := operations(t)
	begin := time.Date(2025, 9, 14, 23, 10, 11, 0, time.UTC)
	really := time.Now()
	s := serve(t, house.Options{Now: func() time.Time { return begin.Add(time.Since(really)) }})
	st := &story{s: s, store: openStore(t, "", s.Data), of: s.tenant(t, "Borduria Bank"), devices: map[string]string{}, real: map[string]string{}}
	told := map[string]bool{}
	for _, id := range scenario() {
		told[id] = true
		t.Run(id, func(t *testing.T) { st.tell(t, find(t, all, id)) })
	}
	for _, op := range all {
		if !told[op.id] {
			t.Errorf("%s is not part of the scenario", op.id)
		}
	}
}

// tell carries out the examples of one operation.
func (st *story) tell(t *testing.T, op *operation) {
	t.Helper()
	requests := map[string]any{"": map[string]any(nil)}
	if op.body != nil {
		if requests = examples(op.body); len(requests) == 0 {
			t.Fatal("there is no example of a request")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		q := st.question(t, op, name, requests[name])
		before := st.store.dump(t)
		a := st.s.ask(t, q)
		if a.status != http.StatusOK {
			t.Fatalf("example %q: %s", name, a)
		}
		st.validate(t, op, a)
		if !a.isPicture() {
			st.compare(t, op, name, a)
		} else if op.answer() != nil {
			q.header.Set("Accept", mediaJSON)
			as := st.s.ask(t, q)
			st.validate(t, op, as)
			st.compare(t, op, name, as)
			q.header.Del("Accept")
		}
		st.s.Wait()
		if q.header.Get("Idempotency-Key") == "" {
			continue
		}
		after := st.store.dump(t)
		if !a.isPicture() && maps.Equal(after, before) {
			t.Error("nothing was kept under the idempotency key")
		}
		again := st.s.ask(t, q)
		if again.status != http.StatusOK || !bytes.Equal(again.body, a.body) {
			t.Errorf("asked again: %s, first %s", again, a)
		}
		if !a.isPicture() && (a.header.Get("Idempotency-Replayed") != "false" || again.header.Get("Idempotency-Replayed") != "true") {
			t.Errorf("Idempotency-Replayed is %q and then %q", a.header.Get("Idempotency-Replayed"), again.header.Get("Idempotency-Replayed"))
		}
		st.s.Wait()
		st.store.dump(t).sameAs(t, after)
	}
}

// question is an example with real ids, asked by whom it is for: a device where the operation is one of devices.
func (st *story) question(t *testing.T, op *operation, name string, example any) question {
	t.Helper()
	q := question{op: op, header: http.Header{}}
	for _, p := range op.parameters() {
		if p.Example == nil {
			if p.Required {
				t.Errorf("the parameter %s has no example", p.Name)
			}
			continue
		}
		value := st.real1(t, p.Name, p.Example.(string))
		switch p.In {
		case openapi3.ParameterInHeader:
			q.header.Set(p.Name, value)
		case openapi3.ParameterInPath:
			q.path = map[string]string{p.Name: value}
		case openapi3.ParameterInQuery:
			q.query = url.Values{p.Name: {value}}
		}
	}
	if q.header.Get("Idempotency-Key") != "" {
		q.header.Set("Idempotency-Key", q.header.Get("Idempotency-Key")+name)
	}
	if op.body != nil {
		q.body = st.realAll(t, "", copied(t, example)).(map[string]any)
		q.withPictures()
	}
	if len(op.scopes) > 0 {
		q.token = st.of.token
	}
	if session, ok := q.body["session_id"].(string); ok && slices.Contains(op.scopes, "sdk") {
		if st.devices[session] == "" {
			st.devices[session] = st.s.grant(t, st.of.credentials, "sdk", session)
		}
		q.token = st.devices[session]
	}
	return q
}

// realAll replaces what an example can only pretend to know.
func (st *story) realAll(t *testing.T, name string, shown any) any {
	t.Helper()
	switch shown := shown.(type) {
	case string:
		return st.real1(t, name, shown)
	case []any:
		for i := range shown {
			shown[i] = st.realAll(t, name, shown[i])
		}
	case map[string]any:
		for name := range shown {
			shown[name] = st.realAll(t, name, shown[name])
		}
	}
	return shown
}

// real1 replaces one text: an id, the secret, the address of a server elsewhere, and the name of the example's person, whom
// the stand-in for the sidecar does not know.
func (st *story) real1(t *testing.T, name, shown string) string {
	t.Helper()
	given := map[string]string{
		"client_id": st.of.caller.ClientID, "X-Client-Id": st.of.caller.ClientID, "user_id": st.of.caller.UserID,
	}[name]
	switch {
	case name == "Idempotency-Key":
		return shown
	case name == "client_secret":
		return st.of.credentials.ClientSecret
	case name == "search_term" && shown == "nowhere":
		return "peppercorne"
	case strings.HasPrefix(shown, "https://hooks.example.com/"):
		return st.s.hooks + "/" + strings.TrimPrefix(shown, "https://hooks.example.com/")
	case !isID(shown):
		return shown
	case st.real[shown] == "" && given == "":
		t.Fatalf("%s is %s, which nothing in the scenario made", name, shown)
	case st.real[shown] == "":
		st.real[shown] = given
	case given != "" && st.real[shown] != given:
		t.Errorf("%s is %s, which stands for something else", name, shown)
	}
	return st.real[shown]
}

func isID(text string) bool {
	_, err := uuid.Parse(text)
	return err == nil && len(text) == 36
}

// validate holds an answer against its schema.
func (st *story) validate(t *testing.T, op *operation, a answer) {
	t.Helper()
	if a.isPicture() {
		return
	}
	r, err := http.NewRequestWithContext(context.Background(), op.method, st.s.url+op.path, nil)
	must(t, err)
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: &op.route},
		Status:                 a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		t.Errorf("an answer outside of its schema: %v", err)
	}
}

// compare holds an answer against the example of an answer: that of the request's name, or the only one.
func (st *story) compare(t *testing.T, op *operation, name string, a answer) {
	t.Helper()
	shown := examples(op.answer())
	example, ok := shown[name]
	if !ok {
		example, ok = shown[""]
	}
	if !ok {
		t.Fatal("there is no example of the answer")
	}
	st.alike(t, "", op.answer().Schema.Value, copied(t, example), a.object(t))
}

// alike wants an answer to be what its example shows: the same keys everywhere, the same types, one real id for each that
// is shown, the same words of enumerations, booleans and nulls; not the same names, numbers and times.
func (st *story) alike(t *testing.T, at string, schema *openapi3.Schema, shown, got any) {
	t.Helper()
	if schema != nil && len(schema.AllOf) == 1 {
		schema = schema.AllOf[0].Value
	}
	if shown == nil || got == nil {
		if (shown == nil) != (got == nil) && !ofThePerson(at) {
			t.Errorf("%s is %v, shown as %v", at, got, shown)
		}
		return
	}
	if kind(shown) != kind(got) {
		t.Errorf("%s is of type %s, shown as %s", at, kind(got), kind(shown))
		return
	}
	switch shown := shown.(type) {
	case map[string]any:
		got := got.(map[string]any)
		if a, b := slices.Sorted(maps.Keys(shown)), slices.Sorted(maps.Keys(got)); !slices.Equal(a, b) {
			t.Errorf("%s has the keys %v, shown are %v", at, b, a)
		}
		for name := range shown {
			var property *openapi3.Schema
			if schema != nil && schema.Properties[name] != nil {
				property = schema.Properties[name].Value
			}
			if value, ok := got[name]; ok {
				st.alike(t, at+"/"+name, property, shown[name], value)
			}
		}
	case []any:
		got := got.([]any)
		if len(shown) == 0 && len(got) > 0 {
			t.Errorf("%s has %d entries, shown are none", at, len(got))
		}
		var items *openapi3.Schema
		if schema != nil && schema.Items != nil {
			items = schema.Items.Value
		}
		for i, entry := range shown {
			at := at + "/" + strconv.Itoa(i)
			if value := entryLike(entry, got, i); value != nil {
				st.alike(t, at, items, entry, value)
			} else {
				t.Errorf("%s: the answer has no entry like %v", at, entry)
			}
		}
	case string:
		got := got.(string)
		switch {
		case isID(shown):
			if st.real[shown] == "" {
				st.real[shown] = got
			}
			if st.real[shown] != got {
				t.Errorf("%s is %s, shown is the %s that stands for %s", at, got, shown, st.real[shown])
			}
		case (schema != nil && len(schema.Enum) > 0 || isWord(at)) && st.withRealIDs(shown) != got && !ofThePerson(at):
			t.Errorf("%s is %s, shown is %s", at, got, shown)
		}
	case bool:
		if shown != got.(bool) {
			t.Errorf("%s is %v, shown is %v", at, got, shown)
		}
	}
}

// withRealIDs replaces the ids within a text.
func (st *story) withRealIDs(shown string) string {
	for pretended, real := range st.real {
		shown = strings.ReplaceAll(shown, pretended, real)
	}
	return shown
}

// isWord tells the texts that are no enumeration's and yet the same in every run.
func isWord(at string) bool {
	words := []string{
		"service", "environment", "documentation", "token_type", "scope", "alg", "kty", "crv", "use",
		"actor", "event", "from", "to", "verdict", "state", "content_type",
	}
	return slices.Contains(words, at[strings.LastIndex(at, "/")+1:])
}

// ofThePerson tells the fields whose values are another's in the examples than for the stand-in of the sidecar.
func ofThePerson(at string) bool {
	return slices.Contains([]string{"gender_e", "weight", "restrictions", "suffix_name", "name_suffix"}, at[strings.LastIndex(at, "/")+1:])
}

// entryLike is the entry of an answer that an example shows: the one of the same name, or else the one in the same place.
func entryLike(shown any, got []any, i int) any {
	if entry, ok := shown.(map[string]any); ok {
		for _, name := range []string{"event", "name", "data_source_e"} {
			if entry[name] == nil {
				continue
			}
			at := slices.IndexFunc(got, func(value any) bool {
				other, ok := value.(map[string]any)
				return ok && other[name] == entry[name] && other["merged"] == entry["merged"]
			})
			if at < 0 {
				return nil
			}
			return got[at]
		}
	}
	if i >= len(got) {
		return nil
	}
	return got[i]
}
