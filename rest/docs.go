package rest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"kycd/kyc"
	"kycd/kyc/auth"
)

//go:embed docs.html.tmpl
var docsTemplate string

//go:embed docs.css
var docsStyle string

// docs serves the contract: as a page, and as it is. All is made once, at the start.
type docs struct {
	html, jsonText, yamlText []byte
	policy                   string
}

// What the page's template reads.
type (
	docsPage struct {
		Title, Version, Description string
		Style                       template.CSS
		Groups                      []docsGroup
		Codes                       []docsCode
	}
	docsGroup struct {
		Name, Description string
		Operations        []docsOperation
	}
	docsOperation struct {
		ID, Method, Path, Summary, Description, Scopes, MediaType string
		ClientID                                                  bool
		Fields                                                    []docsField
	}
	docsField struct {
		Name, Type, Description string
		Required                bool
	}
	docsCode struct {
		Code, Title string
		Status      int
	}
)

func newDocs(c *contract, titles map[kyc.Code]string) *docs {
	page := docsPage{Title: c.doc.Info.Title, Version: c.doc.Info.Version, Description: c.doc.Info.Description, Style: template.CSS(docsStyle)}
	for _, tag := range c.doc.Tags {
		group := docsGroup{Name: tag.Name, Description: tag.Description}
		for at, op := range c.operations {
			if slices.Contains(op.route.Operation.Tags, tag.Name) {
				group.Operations = append(group.Operations, describeOperation(at, op))
			}
		}
		slices.SortFunc(group.Operations, func(a, b docsOperation) int { return cmp.Compare(a.Path+a.Method, b.Path+b.Method) })
		page.Groups = append(page.Groups, group)
	}
	for code, title := range titles {
		page.Codes = append(page.Codes, docsCode{Code: string(code), Title: title, Status: statusOf(code)})
	}
	slices.SortFunc(page.Codes, func(a, b docsCode) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Code, b.Code))
	})
	var html bytes.Buffer
	if err := template.Must(template.New("docs").Parse(docsTemplate)).Execute(&html, page); err != nil {
		panic(err) // template and contract are parts of the program
	}
	digest := sha256.Sum256([]byte(docsStyle))
	return &docs{
		html: html.Bytes(), jsonText: c.json, yamlText: contractYAML,
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'; frame-ancestors 'none'",
	}
}

func describeOperation(at route, op *operation) docsOperation {
	spec := op.route.Operation
	out := docsOperation{
		ID: op.id, Method: at.method, Path: at.path, Summary: spec.Summary, Description: spec.Description,
		Scopes: strings.ReplaceAll(auth.JoinScopes(op.scopes), " ", " or "), ClientID: op.clientID,
	}
	if op.body == nil {
		return out
	}
	out.MediaType = strings.Join(mediaTypes(op.body), ", ")
	for _, mediaType := range mediaTypes(op.body) {
		schema := op.schema(mediaType)
		for name, property := range schema.Properties {
			out.Fields = append(out.Fields, docsField{
				Name: name, Type: typeName(property.Value), Description: property.Value.Description,
				Required: slices.Contains(schema.Required, name),
			})
		}
	}
	slices.SortFunc(out.Fields, func(a, b docsField) int {
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

// typeName says in words what a schema takes.
func typeName(s *openapi3.Schema) string {
	switch {
	case len(s.OneOf) > 0:
		var names []string
		for _, each := range s.OneOf {
			names = append(names, typeName(each.Value))
		}
		return strings.Join(names, " or ")
	case len(s.Enum) > 0:
		var names []string
		for _, value := range s.Enum {
			if name, ok := value.(string); ok {
				names = append(names, name)
			}
		}
		return strings.Join(names, " | ")
	case s.Type == nil:
		return "anything"
	case s.Type.Is("array") && s.Items != nil:
		return "array of " + typeName(s.Items.Value)
	case s.Format == "binary":
		return "file"
	}
	return strings.Join(s.Type.Slice(), " or ")
}

func (d *docs) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", d.policy)
	serveText(w, "text/html; charset=utf-8", d.html)
}

func (d *docs) json(w http.ResponseWriter, _ *http.Request) {
	serveText(w, "application/json", d.jsonText)
}

func (d *docs) yaml(w http.ResponseWriter, _ *http.Request) {
	serveText(w, "application/yaml", d.yamlText)
}

func serveText(w http.ResponseWriter, contentType string, text []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Write(text) //nolint:errcheck // the caller may have gone
}
