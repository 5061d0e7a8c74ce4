package fuzz_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// operation is one of openapi.yaml.
type operation struct {
	routers.Route
	id        string
	tag       string
	scopes    []string
	clientID  bool   // it needs X-Client-Id
	oauth     bool   // its errors are those of RFC 6749
	mediaType string // of its body; empty: it takes none
	schema    *openapi3.Schema
	required  bool // the body
	maxBody   int
	habit     habit
}

// habit is what a request of an operation needs to do something, beside what the contract says.
type habit struct {
	stage    stage    // of its session
	fresh    bool     // its session, identity or endpoint is mostly made for it: it is changed, or is good once
	erases   bool     // other requests' sessions are not for it
	id       string   // what its member id is the id of
	doubtful []string // pointers at which the rules may refuse what the schema takes
}

func habits() map[string]habit {
	device := func(at stage) habit { return habit{stage: at, fresh: true} }
	return map[string]habit{
		"idvSdkMetadataUpdate":     device(consented),
		"idvSdkLivenessGenerate":   device(typed),
		"idvSdkLivenessProcess":    {stage: challenged, fresh: true, doubtful: []string{"/images", "/frames", "/token"}},
		"idvSdkSessionRead":        device(created),
		"idvSdkConsentAdd":         device(created),
		"idvSdkDocumentTypeUpdate": {stage: consented, fresh: true, doubtful: []string{"/document_type_e"}},
		"idvSdkDocumentFrontAdd":   {stage: typed, fresh: true, doubtful: []string{"/image"}},
		"idvSdkDocumentBackAdd":    {stage: typed, fresh: true, doubtful: []string{"/image"}},
		"idvSdkFinalize":           device(given),
		"idvSessionLocationRead":   {stage: decided},
		"idvSessionAnonymize":      {stage: given, fresh: true, erases: true},
		"idvSessionDelete":         {stage: given, fresh: true, erases: true},
		"idvSessionRead":           {stage: decided},
		"idvSessionTestRead":       {stage: decided},
		"idvDocumentRead":          {stage: decided},
		"idvDocumentList":          {stage: decided},
		"idvDocumentDownload":      {stage: decided},
		"idvWeightsUpdate":         {doubtful: []string{""}},
		"idvWeightsGetById":        {id: "weights"},
		"idaSessionLocationRead":   {stage: decidedAgain},
		"idaSessionDelete":         {stage: givenAgain, fresh: true, erases: true},
		"idaSessionRead":           {stage: decidedAgain},
		"idaDocumentDownload":      {stage: decidedAgain},
		"idaSdkSessionRead":        device(askedAgain),
		"idaSdkMetadataUpdate":     device(askedAgain),
		"idaSdkLivenessGenerate":   device(askedAgain),
		"idaSdkLivenessProcess":    {stage: challengedAgain, fresh: true, doubtful: []string{"/images", "/frames", "/token"}},
		"idaSdkFinalize":           device(givenAgain),
		"identityAnonymize":        {fresh: true},
		"identityRead":             {doubtful: []string{"/identity_ids"}},
		"webhookDelete":            {fresh: true, id: "webhook"},
	}
}

// contract reads openapi.yaml.
func contract(t testing.TB) (*openapi3.T, []*operation) {
	t.Helper()
	text, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	known := habits()
	var all []*operation
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		item := doc.Paths.Value(path)
		for method, spec := range item.Operations() {
			op := &operation{
				Route: routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: spec},
				id:    spec.OperationID, tag: spec.Tags[0], maxBody: 64 << 10, habit: known[spec.OperationID],
			}
			delete(known, op.id)
			if spec.Security != nil {
				for _, alternative := range *spec.Security {
					op.scopes = append(op.scopes, alternative["oauth2"]...)
				}
			}
			op.clientID = spec.Parameters.GetByInAndName(openapi3.ParameterInHeader, "X-Client-Id") != nil
			op.oauth = spec.Extensions["x-error-format"] == "oauth"
			if n, ok := spec.Extensions["x-max-body-bytes"].(float64); ok {
				op.maxBody = int(n)
			}
			if spec.RequestBody != nil {
				body := spec.RequestBody.Value
				if len(body.Content) != 1 {
					t.Fatalf("%s takes %d media types", op.id, len(body.Content))
				}
				for name, content := range body.Content {
					op.mediaType, op.schema, op.required = name, content.Schema.Value, body.Required
				}
			}
			all = append(all, op)
		}
	}
	if len(known) > 0 {
		t.Errorf("habits of operations that are no more: %v", slices.Collect(maps.Keys(known)))
	}
	return doc, all
}

// tenant is whose client makes the requests of an operation.
func (op *operation) tenant(e *estate) *tenant {
	switch {
	case op.tag == "Webhook":
		return e.clerk
	case op.id == "identityAnonymize":
		return e.mortal
	}
	return e.main
}

// device tells whether a token for one session opens the operation.
func (op *operation) device() bool { return slices.Contains(op.scopes, "sdk") }

// asks tells the operations that change nothing.
func (op *operation) asks() bool {
	return strings.HasSuffix(op.id, "Read") || strings.HasSuffix(op.id, "List") || strings.HasSuffix(op.id, "Download")
}

func (op *operation) String() string { return fmt.Sprintf("%s (%s %s)", op.id, op.Method, op.Path) }
