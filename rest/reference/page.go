package reference

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// What the template reads.
type (
	page struct {
		Title, Version, Service, Description, Origin string
		Assets                                       map[string]string // where a file is served
		Groups                                       []group
		Statuses                                     []status
		OAuthErrors                                  []oauthError
		Scopes                                       []scope
		Operations                                   int
		anchors                                      map[string]bool // what a text may link to
	}
	group struct {
		Name, Anchor, Description string
		Operations                []operation
	}
	operation struct {
		ID, Method, Path, Summary, Description string
		Scopes                                 []string
		Parameters                             []field
		Bodies                                 []body
		Answers                                []answer
		Deprecated                             bool
	}
	// body is what an operation takes in some media types, which are listed together if they take the same fields.
	body struct {
		MediaTypes string
		Fields     []field
		Example    string
	}
	answer struct{ Status, Description, MediaTypes, Example string }
	field  struct {
		Name, In, Type, Description string
		Required                    bool
	}
	status struct {
		Code     int
		Text     string
		Problems []problem
	}
	problem struct{ Code, Title, Remedy string }
	scope   struct{ Name, Description string }
	table   struct {
		Caption string
		Fields  []field
	}
)

func newTable(caption string, fields []field) table { return table{caption, fields} }

// describe reads the contract.
func describe(s Source, assets map[string]string) (*page, error) {
	doc := s.Document
	p := &page{
		Title: doc.Info.Title, Version: doc.Info.Version, Service: s.Version, Description: doc.Info.Description, Origin: originMark,
		Assets: assets, OAuthErrors: oauthErrors(), anchors: map[string]bool{},
	}
	written := writtenOrder(s.YAML)
	byTag := map[string][]operation{}
	for _, path := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(path)
		for method, spec := range item.Operations() {
			if len(spec.Tags) != 1 {
				return nil, fmt.Errorf("%s %s: an operation has one tag, not %q", method, path, spec.Tags)
			}
			op, err := describeOperation(method, path, item, spec)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			byTag[spec.Tags[0]] = append(byTag[spec.Tags[0]], op)
			p.anchors[op.ID] = true
			p.Operations++
		}
	}
	for _, tag := range doc.Tags {
		operations := byTag[tag.Name]
		delete(byTag, tag.Name)
		slices.SortFunc(operations, func(a, b operation) int { return cmp.Compare(written[a.ID], written[b.ID]) })
		anchor := "tag-" + strings.ReplaceAll(strings.ToLower(tag.Name), " ", "-")
		p.Groups = append(p.Groups, group{Name: tag.Name, Anchor: anchor, Description: tag.Description, Operations: operations})
	}
	if len(byTag) > 0 {
		return nil, fmt.Errorf("tags that the contract does not list: %q", slices.Sorted(maps.Keys(byTag)))
	}
	p.Scopes = describeScopes(doc)
	p.Statuses = describeProblems(s.Problems)
	for _, each := range s.Problems {
		p.anchors[each.Code] = true
	}
	return p, nil
}

// writtenOrder is the order in which the operations stand in the contract's text: it tells the story, and maps forget it.
func writtenOrder(yaml []byte) map[string]int {
	order := map[string]int{}
	for line := range bytes.Lines(yaml) {
		if id, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("operationId:")); ok {
			order[string(bytes.TrimSpace(id))] = len(order)
		}
	}
	return order
}

// describeScopes lists what tokens may open.
func describeScopes(doc *openapi3.T) []scope {
	var scopes []scope
	for _, scheme := range doc.Components.SecuritySchemes {
		if flows := scheme.Value.Flows; flows != nil && flows.ClientCredentials != nil {
			for name, description := range flows.ClientCredentials.Scopes {
				scopes = append(scopes, scope{name, description})
			}
		}
	}
	slices.SortFunc(scopes, func(a, b scope) int { return cmp.Compare(a.Name, b.Name) })
	return scopes
}

// describeProblems groups the codes by their status.
func describeProblems(problems []Problem) []status {
	problems = slices.SortedFunc(slices.Values(problems), func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Code, b.Code))
	})
	var statuses []status
	for _, each := range problems {
		if len(statuses) == 0 || statuses[len(statuses)-1].Code != each.Status {
			statuses = append(statuses, status{Code: each.Status, Text: http.StatusText(each.Status)})
		}
		last := &statuses[len(statuses)-1]
		last.Problems = append(last.Problems, problem{each.Code, each.Title, Remedy(each.Code)})
	}
	return statuses
}

func describeOperation(method, path string, item *openapi3.PathItem, spec *openapi3.Operation) (operation, error) {
	op := operation{
		ID: spec.OperationID, Method: method, Path: path, Summary: spec.Summary, Description: spec.Description, Deprecated: spec.Deprecated,
	}
	if spec.Security != nil {
		for _, alternative := range *spec.Security {
			for _, scopes := range alternative {
				op.Scopes = append(op.Scopes, scopes...)
			}
		}
	}
	for _, ref := range spec.Parameters {
		op.Parameters = append(op.Parameters, describeParameter(ref.Value))
	}
	for _, ref := range item.Parameters {
		if spec.Parameters.GetByInAndName(ref.Value.In, ref.Value.Name) == nil { // the operation's own goes first
			op.Parameters = append(op.Parameters, describeParameter(ref.Value))
		}
	}
	if spec.RequestBody != nil {
		for _, mediaType := range slices.Sorted(maps.Keys(spec.RequestBody.Value.Content)) {
			one, err := describeBody(mediaType, spec.RequestBody.Value.Content[mediaType])
			if err != nil {
				return op, err
			}
			if n := len(op.Bodies); n > 0 && one.Example == "" && slices.Equal(op.Bodies[n-1].Fields, one.Fields) {
				op.Bodies[n-1].MediaTypes += ", " + mediaType
				continue
			}
			op.Bodies = append(op.Bodies, one)
		}
	}
	answers := spec.Responses.Map()
	for _, code := range slices.Sorted(maps.Keys(answers)) {
		one, err := describeAnswer(code, answers[code].Value)
		if err != nil {
			return op, err
		}
		op.Answers = append(op.Answers, one)
	}
	return op, nil
}

func describeParameter(p *openapi3.Parameter) field {
	f := field{Name: p.Name, In: p.In, Description: p.Description, Required: p.Required}
	if p.Schema != nil {
		f.Type = typeName(p.Schema.Value)
	}
	return f
}

func describeBody(mediaType string, content *openapi3.MediaType) (body, error) {
	b := body{MediaTypes: mediaType}
	if content.Schema != nil {
		b.Fields = fields(content.Schema.Value)
	}
	var err error
	b.Example, err = example(content)
	return b, err
}

func describeAnswer(code string, response *openapi3.Response) (answer, error) {
	a := answer{Status: code}
	if code == "default" {
		a.Status = "other"
	}
	if response.Description != nil {
		a.Description = *response.Description
	}
	mediaTypes := slices.Sorted(maps.Keys(response.Content))
	a.MediaTypes = strings.Join(mediaTypes, ", ")
	for _, mediaType := range mediaTypes {
		text, err := example(response.Content[mediaType])
		if err != nil {
			return a, err
		}
		if text != "" {
			a.Example = text
			break
		}
	}
	return a, nil
}

// fields are an object's, those that are required first.
func fields(s *openapi3.Schema) []field {
	var out []field
	for name, property := range s.Properties {
		out = append(out, field{
			Name: name, Type: typeName(property.Value), Description: property.Value.Description, Required: slices.Contains(s.Required, name),
		})
	}
	slices.SortFunc(out, func(a, b field) int {
		switch {
		case a.Required && !b.Required:
			return -1
		case b.Required && !a.Required:
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return out
}

// example is the contract's example, the first by name where there are several, or nothing.
func example(content *openapi3.MediaType) (string, error) {
	value := content.Example
	if value == nil {
		names := slices.Sorted(maps.Keys(content.Examples))
		if len(names) == 0 || content.Examples[names[0]].Value == nil {
			return "", nil
		}
		value = content.Examples[names[0]].Value.Value
	}
	if text, ok := value.(string); ok {
		return text, nil
	}
	text, err := json.MarshalIndent(value, "", "  ")
	return string(text), err
}

// typeName says in words what a schema takes.
func typeName(s *openapi3.Schema) string {
	switch {
	case len(s.OneOf) > 0:
		return alternatives(s.OneOf)
	case len(s.AnyOf) > 0:
		return alternatives(s.AnyOf)
	case len(s.AllOf) == 1:
		return typeName(s.AllOf[0].Value)
	case len(s.Enum) > 0:
		var names []string
		for _, value := range s.Enum {
			names = append(names, fmt.Sprint(value))
		}
		return strings.Join(names, " | ")
	case s.Type == nil:
		return "anything"
	case s.Type.Is("array") && s.Items != nil:
		return "array of " + typeName(s.Items.Value)
	case s.Type.Is("string"):
		switch s.Format {
		case "binary":
			return "file"
		case "byte":
			return "base64"
		case "":
			return "string"
		}
		return s.Format
	}
	return strings.Join(s.Type.Slice(), " or ")
}

func alternatives(schemas openapi3.SchemaRefs) string {
	var names []string
	for _, each := range schemas {
		names = append(names, typeName(each.Value))
	}
	return strings.Join(names, " or ")
}
