// Package reference is the API's documentation as a page: first steps, conventions, every operation and every error code.
// The operations come from the contract itself. They can be read without scripts; with scripts each can be tried out in
// Swagger UI, which is served from here too. Nothing is loaded from anywhere else.
package reference

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
	swagger "github.com/swaggo/files/v2"
)

//go:embed page.html.tmpl
var pageTemplate string

//go:embed page.css console.css console.js icon.svg
var own embed.FS

// Source is what the page is made from.
type Source struct {
	Document   *openapi3.T
	JSON, YAML []byte // the document as it is served; its order of fields is that of the YAML
	Problems   []Problem
	Version    string                       // of the service, not of the contract
	Origin     func(r *http.Request) string // how the caller reaches the service: scheme://host[:port]
}

// Problem is an error code as the page lists it. The page's anchor of a problem is its code.
type Problem struct {
	Code, Title string
	Status      int
}

// Reference serves the page and what belongs to it.
type Reference struct {
	page   []byte // with originMark where the server's own URL belongs
	origin func(r *http.Request) string
	latest atomic.Pointer[rendition]
	json   *asset
	yaml   *asset
	assets map[string]*asset // by path
}

// rendition is the page for one origin. A server is reached under one name, as a rule, so the latest is kept.
type rendition struct {
	origin string
	*asset
}

const (
	// policy lets the page run its own scripts and styles, and call its own server. Swagger UI shows its icons as
	// data: and downloaded images as blob:.
	policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

	revalidate = "no-cache"                            // what keeps its name when it changes
	immutable  = "public, max-age=31536000, immutable" // what has its hash in its name

	originMark     = "https://origin.invalid"
	unknownOrigin  = "https://kyc.example.com" // shown where the caller's Host is not one that a URL can name
	assetFolder    = "/docs/"
	swaggerScript  = "swagger-ui-bundle.js"
	swaggerStyle   = "swagger-ui.css"
	contentTypeCSS = "text/css; charset=utf-8"
	contentTypeJS  = "text/javascript; charset=utf-8"
)

// New makes the page. It fails if the contract cannot be described.
func New(s Source) (*Reference, error) {
	r := &Reference{
		origin: s.Origin,
		json:   newAsset("application/json", revalidate, s.JSON),
		yaml:   newAsset("application/yaml", revalidate, s.YAML),
		assets: map[string]*asset{},
	}
	names := map[string]string{}
	for _, file := range []struct {
		from              fs.FS
		name, contentType string
	}{
		{swagger.FS, swaggerScript, contentTypeJS},
		{swagger.FS, swaggerStyle, contentTypeCSS},
		{own, "page.css", contentTypeCSS},
		{own, "console.css", contentTypeCSS},
		{own, "console.js", contentTypeJS},
		{own, "icon.svg", "image/svg+xml"},
	} {
		body, err := fs.ReadFile(file.from, file.name)
		if err != nil {
			return nil, fmt.Errorf("reference: %w", err)
		}
		a := newAsset(file.contentType, immutable, body)
		at := assetFolder + hashedName(file.name, a.tag)
		names[file.name], r.assets[at] = at, a
	}
	page, err := describe(s, names)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	functions := template.FuncMap{"prose": page.prose, "lower": strings.ToLower, "table": newTable}
	tmpl, err := template.New("page").Funcs(functions).Parse(pageTemplate)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	var text bytes.Buffer
	if err := tmpl.Execute(&text, page); err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	r.page = text.Bytes()
	return r, nil
}

// Mount puts the page at /docs, its assets below, and the contract at /openapi.json and /openapi.yaml.
func (r *Reference) Mount(router chi.Router) {
	router.Get("/docs", r.serve)
	router.Method(http.MethodGet, "/openapi.json", r.json)
	router.Method(http.MethodGet, "/openapi.yaml", r.yaml)
	for at, a := range r.assets {
		router.Method(http.MethodGet, at, a)
	}
}

// serve answers with the page, in which the server's own URL stands as the caller sees it.
func (r *Reference) serve(w http.ResponseWriter, req *http.Request) {
	origin := plainOrigin(r.origin(req))
	page := r.latest.Load()
	if page == nil || page.origin != origin {
		body := bytes.ReplaceAll(r.page, []byte(originMark), []byte(html.EscapeString(origin)))
		page = &rendition{origin, newAsset("text/html; charset=utf-8", revalidate, body)}
		r.latest.Store(page)
	}
	w.Header().Set("Content-Security-Policy", policy)
	page.ServeHTTP(w, req)
}

// A host that can stand in a shell's line as it is.
var plainHost = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// plainOrigin is the origin if it is of a form that a reader can copy into a shell, and an example otherwise: a Host header
// may hold signs that a shell acts on.
func plainOrigin(origin string) string {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		!plainHost.MatchString(u.Host) || !plainPath.MatchString(u.Path) {
		return unknownOrigin
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(u.Path, "/")
}

var plainPath = regexp.MustCompile(`^[A-Za-z0-9/._-]*$`)

// hashedName puts the hash of a file's content into its name, so that a cached one is never an old one.
func hashedName(name, hash string) string {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "-" + hash[:12] + ext
}

// digest is a hash in signs that both names and headers can hold.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
