package rest

import (
	"bytes"
	"context"
	_ "embed" // for the contract
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"kycd/kyc/auth"
)

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen -config codegen.yaml openapi.yaml

//go:embed openapi.yaml
var contractYAML []byte

// defaultMaxBody holds for operations without x-max-body-bytes.
const defaultMaxBody = 64 << 10

// contract is openapi.yaml as the server uses it.
type contract struct {
	doc        *openapi3.T
	json       []byte
	operations map[route]*operation
}

// route is a method and a path as the contract writes it, which is also how chi writes it.
type route struct{ method, path string }

// operation is what the middleware needs to know of one operation. All of it comes from the contract.
type operation struct {
	id          string
	route       routers.Route
	scopes      []auth.Scope // a token needs one of them; empty: no token is needed
	clientID    bool         // X-Client-Id must name the token's client
	oauthErrors bool         // errors as in RFC 6749
	maxBody     int64
	parameters  []*openapi3.Parameter // of header, path and query
	body        *openapi3.RequestBody // nil: takes no body
	pictures    bool                  // answers one, in a form that depends on Accept
}

// carriesImages tells the operations whose bodies are large from the others.
func (op *operation) carriesImages() bool { return op.maxBody > defaultMaxBody }

// schema is that of the body in a media type, nil if the operation does not take it.
func (op *operation) schema(mediaType string) *openapi3.Schema {
	if op.body == nil {
		return nil
	}
	content, ok := op.body.Content[mediaType]
	if !ok || content.Schema == nil {
		return nil
	}
	return content.Schema.Value
}

// loadContract reads openapi.yaml. The file is part of the program, so an error is a programming error.
func loadContract(yaml []byte) (*contract, error) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(yaml)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	c := &contract{doc: doc, operations: map[route]*operation{}}
	for path, item := range doc.Paths.Map() {
		for method, spec := range item.Operations() {
			op, err := newOperation(doc, method, path, item, spec)
			if err != nil {
				return nil, fmt.Errorf("openapi.yaml: %s %s: %w", method, path, err)
			}
			c.operations[route{method, path}] = op
		}
	}
	if c.json, err = doc.MarshalJSON(); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, c.json, "", "  "); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	c.json = indented.Bytes()
	return c, nil
}

func newOperation(doc *openapi3.T, method, path string, item *openapi3.PathItem, spec *openapi3.Operation) (*operation, error) {
	op := &operation{
		id:      spec.OperationID,
		route:   routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: spec},
		maxBody: defaultMaxBody,
	}
	if spec.RequestBody != nil {
		op.body = spec.RequestBody.Value
	}
	if good := spec.Responses.Status(http.StatusOK); good != nil {
		op.pictures = good.Value.Content["image/*"] != nil
	}
	if spec.Security != nil {
		for _, alternative := range *spec.Security {
			scopes, ok := alternative["oauth2"]
			if !ok || len(scopes) != 1 {
				return nil, fmt.Errorf("an alternative of security must be one scope of oauth2, not %v", alternative)
			}
			op.scopes = append(op.scopes, auth.Scope(scopes[0]))
		}
	}
	for _, p := range item.Parameters {
		if spec.Parameters.GetByInAndName(p.Value.In, p.Value.Name) == nil { // the operation's own goes first
			op.parameters = append(op.parameters, p.Value)
		}
	}
	for _, p := range spec.Parameters {
		op.parameters = append(op.parameters, p.Value)
	}
	for _, p := range op.parameters {
		if p.In == openapi3.ParameterInHeader && (p.Schema == nil || !p.Schema.Value.Type.Is("string")) {
			return nil, fmt.Errorf("the header %s must be a text, see headerErrors", p.Name)
		}
	}
	op.clientID = slices.ContainsFunc(op.parameters, func(p *openapi3.Parameter) bool {
		return p.In == openapi3.ParameterInHeader && http.CanonicalHeaderKey(p.Name) == "X-Client-Id"
	})
	if v, ok := spec.Extensions["x-max-body-bytes"]; ok {
		n, ok := v.(float64)
		if !ok || n < 1 {
			return nil, fmt.Errorf("x-max-body-bytes must be a positive number, not %v", v)
		}
		op.maxBody = int64(n)
	}
	if v, ok := spec.Extensions["x-error-format"]; ok {
		if v != "oauth" {
			return nil, fmt.Errorf("unknown x-error-format %v", v)
		}
		op.oauthErrors = true
	}
	return op, nil
}
