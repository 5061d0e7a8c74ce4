// Package live_test holds the running server against its contract: every operation of openapi.yaml over HTTP, with the
// real rules, a real database and a stand-in for the eyes of the sidecar.
package live_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"kycd/kyc/kyctest/house"
)

const (
	mediaJSON      = "application/json"
	mediaForm      = "application/x-www-form-urlencoded"
	mediaMultipart = "multipart/form-data"
)

// operation is one of openapi.yaml.
type operation struct {
	id, method, path string
	scopes           []string // a token needs one of them; empty: no token is needed
	media            string   // of the body; empty: it takes none
	body             *openapi3.MediaType
	route            routers.Route
}

// operations reads openapi.yaml, in the order of the operations' ids.
func operations(t testing.TB) []*operation {
	t.Helper()
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile(filepath.Join("..", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*operation
	for path, item := range doc.Paths.Map() {
		for method, spec := range item.Operations() {
			op := &operation{id: spec.OperationID, method: method, path: path}
			op.route = routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: spec}
			if spec.Security != nil {
				for _, alternative := range *spec.Security {
					op.scopes = append(op.scopes, alternative["oauth2"]...)
				}
			}
			if spec.RequestBody != nil {
				op.media = slices.Sorted(maps.Keys(spec.RequestBody.Value.Content))[0]
				op.body = spec.RequestBody.Value.Content[op.media]
			}
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b *operation) int { return strings.Compare(a.id, b.id) })
	return all
}

// find gives the operation of an id.
func find(t testing.TB, all []*operation, id string) *operation {
	t.Helper()
	i := slices.IndexFunc(all, func(op *operation) bool { return op.id == id })
	if i < 0 {
		t.Fatalf("openapi.yaml has no operation %s", id)
	}
	return all[i]
}

func (op *operation) parameters() []*openapi3.Parameter {
	var list []*openapi3.Parameter
	for _, p := range op.route.Operation.Parameters {
		list = append(list, p.Value)
	}
	return list
}

// takesClientID tells the operations of devices.
func (op *operation) takesClientID() bool {
	return op.route.Operation.Parameters.GetByInAndName(openapi3.ParameterInHeader, "X-Client-Id") != nil
}

// properties are the fields of the body.
func (op *operation) properties() openapi3.Schemas {
	if op.body == nil {
		return nil
	}
	return op.body.Schema.Value.Properties
}

// answer is what a 200 has as JSON; nil if it has none.
func (op *operation) answer() *openapi3.MediaType {
	return op.route.Operation.Responses.Status(200).Value.Content[mediaJSON]
}

// lists tells the operations that answer a page of what they find, with counts.
func (op *operation) lists() bool {
	answer := op.answer()
	return answer != nil && (answer.Schema.Value.Properties["meta_counts"] != nil || answer.Schema.Value.Properties["statistics"] != nil)
}

// examples are the requests that the contract shows, by name; a single one has no name.
func examples(content *openapi3.MediaType) map[string]any {
	all := map[string]any{}
	if content.Example != nil {
		all[""] = content.Example
	}
	for name, example := range content.Examples {
		all[name] = example.Value.Value
	}
	return all
}

// example is a request as the contract shows it, with pictures that are pictures, and none of the fields that are left out.
func (op *operation) example(t testing.TB, without ...string) question {
	t.Helper()
	q := question{op: op}
	if op.body == nil {
		return q
	}
	shown := examples(op.body)
	if len(shown) == 0 {
		t.Fatalf("%s shows no example of a request", op.id)
	}
	q.body = copied(t, shown[slices.Sorted(maps.Keys(shown))[0]])
	for _, name := range without {
		delete(q.body, name)
	}
	q.withPictures()
	return q
}

// withPictures puts a picture where a request has one.
func (q *question) withPictures() {
	if _, ok := q.body["image"]; ok {
		q.body["image"] = house.Picture()
	}
	if _, ok := q.body["images"]; ok {
		q.body["images"] = []any{base64.StdEncoding.EncodeToString(house.Picture())}
	}
}

// copied is a deep copy, in the types that encoding/json decodes to.
func copied(t testing.TB, example any) map[string]any {
	t.Helper()
	data, err := json.Marshal(example)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// published is one operation of the published specification.
type published struct {
	OperationID    string `json:"operation_id"`
	Method         string
	Path           string
	Auth           *string
	Headers        []publishedField
	ContentType    *string `json:"content_type"`
	Fields         []publishedField
	RequestSample  map[string]any `json:"request_sample"`
	ResponseSample map[string]any `json:"response_sample"`
}

type publishedField struct {
	Name     string
	Required bool
}

// publishedContract reads the published specification, which lies beside the project.
func publishedContract(t testing.TB) []published {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "spec", "contract.json"))
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
	if len(all) != 53 {
		t.Fatalf("%d operations are published", len(all))
	}
	return all
}
