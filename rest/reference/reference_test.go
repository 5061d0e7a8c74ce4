package reference

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	swagger "github.com/swaggo/files/v2"
)

// contract reads the contract that the program serves.
func contract(t testing.TB) (doc *openapi3.T, yaml, json []byte) {
	t.Helper()
	yaml, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err = openapi3.NewLoader().LoadFromData(yaml)
	if err != nil {
		t.Fatal(err)
	}
	if json, err = doc.MarshalJSON(); err != nil {
		t.Fatal(err)
	}
	return doc, yaml, json
}

// problems are all that have a remedy.
func problems() []Problem {
	var all []Problem
	for code := range remedies() {
		all = append(all, Problem{Code: code, Title: "What " + code + " means", Status: http.StatusConflict})
	}
	return all
}

func host(r *http.Request) string { return "https://" + r.Host }

func serve(t testing.TB) http.Handler {
	t.Helper()
	doc, yaml, json := contract(t)
	r, err := New(Source{Document: doc, YAML: yaml, JSON: json, Problems: problems(), Version: "1.2.3", Origin: host})
	if err != nil {
		t.Fatal(err)
	}
	router := chi.NewRouter()
	router.Use(middleware.GetHead)
	r.Mount(router)
	return router
}

func get(h http.Handler, url string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var (
	ids        = regexp.MustCompile(` id="([^"]*)"`)
	fragments  = regexp.MustCompile(` href="#([^"]*)"`)
	loaded     = regexp.MustCompile(` (?:href|src)="(/[^"]*)"`)
	eventOrCSS = regexp.MustCompile(`<[^>]* (on[a-z]+|style)=`)
	elsewhere  = regexp.MustCompile(`(?i)(https?:)?//[a-z0-9-]+(\.[a-z0-9-]+)+|@import|url\(["']?https?:`)
	named      = regexp.MustCompile(`\b(idv|ida|identity|webhook|oauth)[A-Z]\w*`)
)

func TestPage(t *testing.T) {
	h := serve(t)
	doc, _, _ := contract(t)
	w := get(h, "https://kyc.example/docs")
	page := w.Body.String()
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	if strings.Contains(page, "ZgotmplZ") || strings.Contains(page, originMark) {
		t.Error("a part was refused by the template, or not filled in")
	}

	anchors := map[string]bool{}
	for _, match := range ids.FindAllStringSubmatch(page, -1) {
		if anchors[match[1]] {
			t.Errorf("two elements have the id %s", match[1])
		}
		anchors[match[1]] = true
	}
	for _, match := range fragments.FindAllStringSubmatch(page, -1) {
		if !anchors[match[1]] {
			t.Errorf("a link goes to #%s, which is not there", match[1])
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if !anchors[op.OperationID] || !strings.Contains(page, `href="#`+op.OperationID+`"`) || !strings.Contains(page, "<code>"+path+"</code>") {
				t.Errorf("%s %s (%s) is not on the page, or not in its contents", method, path, op.OperationID)
			}
		}
	}
	for _, each := range problems() {
		if !anchors[each.Code] || !strings.Contains(page, each.Title) {
			t.Errorf("the code %s is not on the page", each.Code)
		}
	}
	for _, want := range []string{
		"KYCD='https://kyc.example'", "/openapi.json", "/openapi.yaml", "2.10.15", "kycd 1.2.3", `<html lang="en">`, "<main ", `aria-label="Contents"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	// What the texts name is there: an operation that is renamed must be renamed here too.
	texts := pageTemplate
	for _, remedy := range remedies() {
		texts += remedy
	}
	for _, name := range named.FindAllString(texts, -1) {
		if !anchors[name] {
			t.Errorf("the texts name the operation %s, which the contract does not have", name)
		}
	}
}

// TestContents wants the story of the contract, not the order of the alphabet.
func TestContents(t *testing.T) {
	_, yaml, _ := contract(t)
	page := get(serve(t), "https://kyc.example/docs").Body.String()
	create, read, remove := strings.Index(page, `id="webhookCreate"`), strings.Index(page, `id="webhookList"`), strings.Index(page, `id="webhookDelete"`)
	if create < 0 || create > read || read > remove {
		t.Errorf("webhook operations at %d, %d, %d", create, read, remove)
	}
	if !bytes.Contains(yaml, []byte("operationId: webhookCreate")) {
		t.Error("the contract is written in another way than its order is read")
	}
}

func TestPolicy(t *testing.T) {
	w := get(serve(t), "https://kyc.example/docs")
	got := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	} {
		if !slices.Contains(strings.Split(got, "; "), want) {
			t.Errorf("the policy %q lacks %s", got, want)
		}
	}
	if strings.Contains(got, "unsafe") {
		t.Errorf("the policy %q is unsafe", got)
	}
	page := w.Body.String()
	if found := eventOrCSS.FindString(page); found != "" {
		t.Errorf("the policy forbids %s", found)
	}
	if strings.Contains(page, "<style") || strings.Count(page, "<script") != strings.Count(page, "<script defer src=\"/docs/") {
		t.Error("the policy forbids styles and scripts in the page")
	}
}

// TestNothingFromElsewhere looks for addresses that a browser would load something from.
func TestNothingFromElsewhere(t *testing.T) {
	page := get(serve(t), "https://kyc.example/docs").Body.String()
	head, _, _ := strings.Cut(page, "</head>")
	texts := map[string]string{"template": pageTemplate, "head": head}
	for _, name := range []string{"page.css", "console.css", "console.js", "icon.svg"} {
		text, err := fs.ReadFile(own, name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = strings.ReplaceAll(string(text), `xmlns="http://www.w3.org/2000/svg"`, "")
	}
	for name, text := range texts {
		if found := elsewhere.FindString(text); found != "" {
			t.Errorf("%s names %s", name, found)
		}
	}
	style, err := fs.ReadFile(swagger.FS, swaggerStyle)
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`url\(["']?([a-z]+:)?`).FindAllSubmatch(style, -1) {
		if string(match[1]) != "data:" {
			t.Errorf("%s loads %s", swaggerStyle, match[0])
		}
	}
}

func TestAssets(t *testing.T) {
	h := serve(t)
	page := get(h, "https://kyc.example/docs").Body.String()
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json", ".yaml": "application/yaml"}
	seen := map[string]bool{}
	for _, match := range loaded.FindAllStringSubmatch(page, -1) {
		path := match[1]
		if seen[path] {
			continue
		}
		seen[path] = true
		w := get(h, path)
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("%s: %d", path, w.Code)
		}
		if got, want := w.Header().Get("Content-Type"), kinds[path[strings.LastIndexByte(path, '.'):]]; got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
		want := revalidate
		if strings.HasPrefix(path, "/docs/") {
			want = immutable
		}
		if got := w.Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", path, got, want)
		}
	}
	if len(seen) != 8 {
		t.Errorf("the page loads or links %d files: %v", len(seen), seen)
	}
	_, yaml, json := contract(t)
	if !bytes.Equal(get(h, "/openapi.yaml").Body.Bytes(), yaml) || !bytes.Equal(get(h, "/openapi.json").Body.Bytes(), json) {
		t.Error("the contract is not served as it is")
	}
	if w := get(h, "/docs/console.js"); w.Code != http.StatusNotFound {
		t.Errorf("an asset without its hash: %d", w.Code)
	}
}

func TestCaching(t *testing.T) {
	h := serve(t)
	script := loaded.FindAllStringSubmatch(get(h, "https://kyc.example/docs").Body.String(), -1)[0][1]
	for _, url := range []string{"https://kyc.example/docs", "https://kyc.example/openapi.json", "https://kyc.example" + script} {
		plain, packed := get(h, url), get(h, url, "Accept-Encoding", "br;q=1, gzip")
		tag := plain.Header().Get("ETag")
		if tag == "" || tag == packed.Header().Get("ETag") || plain.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: ETag %s and %s, Vary %q", url, tag, packed.Header().Get("ETag"), plain.Header().Get("Vary"))
		}
		if packed.Header().Get("Content-Encoding") != "gzip" || packed.Body.Len() >= plain.Body.Len() {
			t.Errorf("%s: %d bytes packed, %d plain", url, packed.Body.Len(), plain.Body.Len())
		}
		r, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(r); err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
			t.Errorf("%s is not what was packed: %v", url, err)
		}
		for _, header := range [][]string{{"If-None-Match", tag}, {"If-None-Match", packed.Header().Get("ETag"), "Accept-Encoding", "gzip"}} {
			if w := get(h, url, header...); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
				t.Errorf("%s %v: %d with %d bytes", url, header, w.Code, w.Body.Len())
			}
		}
		if w := get(h, url, "If-None-Match", `"another"`); w.Code != http.StatusOK {
			t.Errorf("%s with another tag: %d", url, w.Code)
		}
		head := httptest.NewRecorder()
		h.ServeHTTP(head, httptest.NewRequest(http.MethodHead, url, nil))
		if head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("ETag") != tag {
			t.Errorf("HEAD %s: %d with %d bytes", url, head.Code, head.Body.Len())
		}
	}
	if w := get(h, "https://kyc.example/docs", "If-None-Match", get(h, "https://kyc.example/docs").Header().Get("ETag")); w.Header().Get("Content-Security-Policy") == "" {
		t.Error("a page that was not modified lost its policy")
	}
}

func TestTakesGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br, gzip;q=0.5": true, "gzip; q=1": true, "gzip;q=0": false, "gzip; q=0.000": false, "br": false, "gzipped": false, "x-gzip": false,
	} {
		if got := takesGzip(accept); got != want {
			t.Errorf("%q: %v, want %v", accept, got, want)
		}
	}
}

func TestPlainOrigin(t *testing.T) {
	for origin, want := range map[string]string{
		"https://kyc.example":          "https://kyc.example",
		"https://kyc.example/":         "https://kyc.example",
		"https://kyc.example/base/":    "https://kyc.example/base",
		"http://127.0.0.1:8080":        "http://127.0.0.1:8080",
		"http://[::1]:8080":            "http://[::1]:8080",
		"http://a'$(reboot)'":          unknownOrigin,
		"http://a;reboot":              unknownOrigin,
		"http://a/$(reboot)":           unknownOrigin,
		"http://a/?q":                  unknownOrigin,
		"http://user:secret@a":         unknownOrigin,
		"http://":                      unknownOrigin,
		"javascript:alert(1)":          unknownOrigin,
		"http://a\nb":                  unknownOrigin,
		"http://kyc.example:port":      unknownOrigin,
		"http://kyc.example:8080:8080": unknownOrigin,
	} {
		if got := plainOrigin(origin); got != want {
			t.Errorf("%q became %q, want %q", origin, got, want)
		}
	}
}

// TestOrigins calls one server by two names, in turn and at once: each reader sees the name that it used.
func TestOrigins(t *testing.T) {
	h := serve(t)
	done := make(chan struct{})
	for _, name := range []string{"one.example", "two.example"} {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 20 {
				page := get(h, "https://"+name+"/docs").Body.String()
				if !strings.Contains(page, "KYCD='https://"+name+"'") {
					t.Errorf("%s saw another server's name", name)
				}
			}
		}()
	}
	<-done
	<-done
	if w := get(h, "https://one.example/docs", "If-None-Match", get(h, "https://two.example/docs").Header().Get("ETag")); w.Code != http.StatusOK {
		t.Errorf("two servers' pages have one tag: %d", w.Code)
	}
}

func TestProse(t *testing.T) {
	p := &page{anchors: map[string]bool{"known": true}}
	for text, want := range map[string]string{
		"":                          "",
		"one\ntwo":                  "<p>one\ntwo</p>",
		"one\n\n\ntwo":              "<p>one</p><p>two</p>",
		"a `code` b":                "<p>a <code>code</code> b</p>",
		"`known`":                   `<p><a href="#known"><code>known</code></a></p>`,
		"<b> & `<i>`":               "<p>&lt;b&gt; &amp; <code>&lt;i&gt;</code></p>",
		"- one\n- two\n  more":      "<ul><li>one</li><li>two more</li></ul>",
		"before\n\n- one\n\nafter":  "<p>before</p><ul><li>one</li></ul><p>after</p>",
		"`known\"><script>` unsafe": "<p><code>known&#34;&gt;&lt;script&gt;</code> unsafe</p>",
	} {
		if got := string(p.prose(text)); got != want {
			t.Errorf("%q became %s, want %s", text, got, want)
		}
	}
}

func TestUnfitContracts(t *testing.T) {
	const head = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\ntags: [{name: A}]\npaths:\n  /x:\n    get:\n      operationId: x\n      responses: {'200': {description: d}}\n"
	for name, more := range map[string]string{"no tag": "", "two tags": "      tags: [A, A]\n", "a tag that is not listed": "      tags: [B]\n"} {
		doc, err := openapi3.NewLoader().LoadFromData([]byte(head + more))
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Validate(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Source{Document: doc, Origin: host}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTypeName(t *testing.T) {
	str := openapi3.NewStringSchema()
	for want, schema := range map[string]*openapi3.Schema{
		"string":                    str,
		"date-time":                 openapi3.NewDateTimeSchema(),
		"base64":                    openapi3.NewStringSchema().WithFormat("byte"),
		"file":                      openapi3.NewStringSchema().WithFormat("binary"),
		"a | b":                     openapi3.NewStringSchema().WithEnum("a", "b"),
		"array of string":           openapi3.NewArraySchema().WithItems(str),
		"string or array of string": openapi3.NewOneOfSchema(str, openapi3.NewArraySchema().WithItems(str)),
		"integer":                   openapi3.NewIntegerSchema(),
		"object":                    openapi3.NewObjectSchema(),
		"anything":                  openapi3.NewSchema(),
	} {
		if got := typeName(schema); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// BenchmarkNew is what the page adds to the start of a server.
func BenchmarkNew(b *testing.B) {
	doc, yaml, json := contract(b)
	for b.Loop() {
		if _, err := New(Source{Document: doc, YAML: yaml, JSON: json, Problems: problems(), Origin: host}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPage is a look at the page.
func BenchmarkPage(b *testing.B) {
	h := serve(b)
	for b.Loop() {
		if w := get(h, "https://kyc.example/docs", "Accept-Encoding", "gzip"); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
