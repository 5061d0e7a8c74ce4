package live_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"kycd/kyc"
	"kycd/kyc/kyctest/house"
)

// TestPublishedContract holds the server against the published specification: every operation is there, takes its sample
// with real ids and answers every key of it, and refuses what is incomplete, unknown or of another type.
func TestPublishedContract(t *testing.T) {
	all, s := operations(t), serve(t, house.Options{})
	for _, want := range publishedContract(t) {
		t.Run(want.OperationID, func(t *testing.T) {
			t.Parallel()
			op := find(t, all, want.OperationID)
			if op.method != want.Method || op.path != want.Path {
				t.Fatalf("it is at %s %s, published at %s %s", op.method, op.path, want.Method, want.Path)
			}
			w := world{s: s, t: t, op: op, of: s.tenant(t, "Borduria Bank "+op.id)}
			q := w.sample(want)
			w.exists(want)
			w.refusesOtherMethods(q)
			if op.media != "" {
				w.refusesOtherTypes(q)
				w.refusesIncomplete(q, want)
				w.refusesUnknownValues(q)
			}
			w.refusesUnknownParameters(q)
			w.takes(q, want)
		})
	}
}

// world is a tenant that has what one operation needs.
type world struct {
	s  *server
	t  testing.TB
	op *operation
	of tenant
}

// sample is the published request, with real ids and values where it has none.
func (w world) sample(want published) question {
	q := question{op: w.op}.as(w.of)
	if strings.Contains(w.op.path, "{id}") {
		q.path = map[string]string{"id": w.value("id", "string").(string)}
	}
	if w.op.media == "" {
		return q
	}
	q.body = map[string]any{}
	for name, sample := range want.RequestSample {
		q.body[name] = w.value(name, sample)
	}
	if want.RequestSample == nil { // of an upload there is none
		for _, field := range want.Fields {
			q.body[field.Name] = w.value(field.Name, "string")
		}
	}
	return q
}

// value is what stands for a sample's "string" and "unknown", where these words are no value.
func (w world) value(name string, sample any) any {
	text, isText := sample.(string)
	if name == "images" {
		return []any{base64.StdEncoding.EncodeToString(house.Picture())}
	}
	if strings.HasSuffix(name, "_weight") {
		return 1 // all weights together must not be zero
	}
	if !isText {
		return sample
	}
	ctx := context.Background()
	switch name {
	case "session_id":
		return w.session()
	case "identity_id":
		_, id := w.s.identity(w.t, w.of, kyc.SessionInput{})
		return id
	case "client_id":
		return w.of.caller.ClientID
	case "user_id":
		return w.of.caller.UserID
	case "id":
		if w.op.id == "webhookDelete" {
			hook, err := w.s.CreateWebhook(ctx, w.of.caller, "", "backend", w.s.hooks)
			must(w.t, err)
			return hook.ID
		}
		weights, err := w.s.Weights(ctx, w.of.caller, "", "")
		must(w.t, err)
		return weights.ID
	case "url", "webhook_url":
		return w.s.hooks
	case "start_date", "end_date":
		return "2026-01-02"
	case "image":
		return house.Picture()
	case "latitude", "longitude":
		return "1.5"
	case "document_type_e":
		return "driver_license"
	case "storage_file_type_e":
		return "driver_license_front"
	case "data_source_e":
		return "unknown"
	}
	return text
}

// session is one that has come as far as the operation needs.
func (w world) session() string {
	to, ok := map[string]progress{
		"idvSdkSessionRead": begun, "idvSdkConsentAdd": begun, "idvSdkMetadataUpdate": consented, "idvSdkDocumentTypeUpdate": consented,
		"idvSdkDocumentFrontAdd": typed, "idvSdkDocumentBackAdd": typed, "idvSdkLivenessGenerate": pictured, "idvSdkLivenessProcess": challenged,
		"idvSdkFinalize": given, "idaSdkSessionRead": begun, "idaSdkMetadataUpdate": begun, "idaSdkLivenessGenerate": begun,
		"idaSdkLivenessProcess": challenged, "idaSdkFinalize": given,
	}[w.op.id]
	if !ok {
		to = decided
	}
	if strings.HasPrefix(w.op.id, "idv") {
		return w.s.verification(w.t, w.of, kyc.SessionInput{Metadata: map[string]any{"order": "7"}}, to)
	}
	_, identity := w.s.identity(w.t, w.of, kyc.SessionInput{})
	return w.s.authentication(w.t, w.of, identity, kyc.SessionInput{Metadata: map[string]any{"login": "8"}}, to)
}

// exists: whoever has no token gets an answer or is asked for one.
func (w world) exists(want published) {
	status := http.StatusOK
	if want.Auth != nil {
		status = http.StatusUnauthorized
	}
	if a := w.s.ask(w.t, question{op: w.op, path: map[string]string{"id": "x"}}); a.status != status {
		w.t.Errorf("without a token: %s", a)
	}
}

func (w world) refusesOtherMethods(q question) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if w.op.route.PathItem.GetOperation(method) != nil {
			continue
		}
		other := *w.op
		other.method = method
		q.op = &other
		a := w.s.ask(w.t, q)
		if a.status != http.StatusMethodNotAllowed || a.code() != "method_not_allowed" || !slices.Contains(strings.Split(a.header.Get("Allow"), ", "), w.op.method) {
			w.t.Errorf("%s: %s, Allow %q", method, a, a.header.Get("Allow"))
		}
	}
}

func (w world) refusesOtherTypes(q question) {
	_, body := encode(w.t, w.op.media, q.body)
	for _, media := range []string{"text/plain", "application/xml", mediaForm, ""} {
		header := q.header.Clone()
		if header == nil {
			header = http.Header{}
		}
		header.Set("Authorization", "Bearer "+q.token)
		if media != "" {
			header.Set("Content-Type", media)
		}
		if a := w.s.send(w.t, w.op.method, w.op.path, header, body); a.status != http.StatusUnsupportedMediaType || a.code() != "unsupported_media_type" {
			w.t.Errorf("content type %q: %s", media, a)
		}
	}
}

func (w world) refusesIncomplete(q question, want published) {
	for _, field := range want.Fields {
		if !field.Required {
			continue
		}
		less := q
		less.body = maps.Clone(q.body)
		delete(less.body, field.Name)
		if a := w.s.ask(w.t, less); a.status != http.StatusBadRequest || !a.pointsAt("/"+field.Name) {
			w.t.Errorf("without %s: %s", field.Name, a)
		}
	}
	for _, header := range want.Headers {
		if !header.Required {
			continue
		}
		less := q
		less.header = q.header.Clone()
		less.header.Del(header.Name)
		if a := w.s.ask(w.t, less); a.status != http.StatusBadRequest || !a.pointsAt("/header/"+header.Name) {
			w.t.Errorf("without %s: %s", header.Name, a)
		}
	}
}

func (w world) refusesUnknownValues(q question) {
	for name, property := range w.op.properties() {
		if len(property.Value.Enum) == 0 {
			continue
		}
		if a := w.s.ask(w.t, q.with(place{inBody, name}, "no_such_value")); a.status != http.StatusBadRequest || !a.pointsAt("/"+name) {
			w.t.Errorf("%s of no enumeration: %s", name, a)
		}
	}
}

func (w world) refusesUnknownParameters(q question) {
	for _, p := range w.op.parameters() {
		if p.In != openapi3.ParameterInQuery || len(p.Schema.Value.Enum) == 0 {
			continue
		}
		if a := w.s.ask(w.t, q.with(place{inQuery, p.Name}, "no_such_value")); a.status != http.StatusBadRequest || !a.pointsAt("/query/"+p.Name) {
			w.t.Errorf("%s of no enumeration: %s", p.Name, a)
		}
		for _, value := range p.Schema.Value.Enum {
			if a := w.s.ask(w.t, q.with(place{inQuery, p.Name}, value)); a.status != http.StatusOK {
				w.t.Errorf("%s = %v: %s", p.Name, value, a)
			}
		}
	}
}

// takes: the sample is taken, and answered with all keys of the sample.
func (w world) takes(q question, want published) {
	a := w.s.ask(w.t, q)
	if a.status != http.StatusOK {
		w.t.Fatalf("the sample: %s", a)
	}
	if want.ResponseSample == nil {
		if !a.isPicture() {
			w.t.Errorf("no picture: %s", a)
		}
		return
	}
	hasKeys(w.t, "", want.ResponseSample, a.object(w.t))
}

// hasKeys wants every key of a sample in an answer, with a value of the sample's type, or null.
func hasKeys(t testing.TB, at string, sample, got map[string]any) {
	t.Helper()
	for name, want := range sample {
		value, ok := got[name]
		switch {
		case !ok:
			t.Errorf("the answer has no %s/%s", at, name)
		case value == nil:
		case kind(value) != kind(want):
			t.Errorf("%s/%s is of type %s, published as %s", at, name, kind(value), kind(want))
		default:
			if object, ok := want.(map[string]any); ok {
				hasKeys(t, at+"/"+name, object, value.(map[string]any))
			}
		}
	}
}

// kind is the JSON type of a decoded value.
func kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64, json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
