package fuzz_test

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"
)

// node is a place in a value for which the contract has a schema.
type node struct {
	at     string // JSON pointer
	schema *openapi3.Schema
	set    func(any)
	drop   func() // nil where it may be missing
}

// nodes lists the places of a value, itself included.
func nodes(v any, s *openapi3.Schema, at string, set func(any), drop func()) []node {
	if len(s.AllOf) == 1 {
		s = s.AllOf[0].Value
	}
	all := []node{{at, s, set, drop}}
	switch v := v.(type) {
	case *object:
		for _, m := range v.members {
			property := s.Properties[m.name]
			if property == nil {
				continue
			}
			var drop func()
			if slices.Contains(s.Required, m.name) {
				drop = func() { v.drop(m.name) }
			}
			all = append(all, nodes(m.value, property.Value, at+"/"+m.name, func(x any) { *v.get(m.name) = x }, drop)...)
		}
	case []any:
		if s.Items != nil && len(v) > 0 {
			all = append(all, nodes(v[0], s.Items.Value, at+"/0", func(x any) { v[0] = x }, nil)...)
		}
	}
	return all
}

// breach is one way to break a rule of a schema.
type breach struct {
	rule, code string
	do         func()
}

// breaches are the ways to break the rules for a node.
func (n node) breaches() []breach {
	s := n.schema
	var all []breach
	as := func(rule, code string, values ...any) {
		for _, v := range values {
			all = append(all, breach{rule, code, func() { n.set(v) }})
		}
	}
	if n.drop != nil {
		all = append(all, breach{"required", "required", n.drop})
	}
	if !s.Nullable {
		as("null", "", nil)
	}
	number, text, boolean, list, thing := any(raw("7")), any("7"), any(true), any([]any{}), any(&object{})
	switch {
	case len(s.OneOf) > 0: // text, or texts
		as("type", "", number, boolean, thing, []any{raw("7")}, []any{nil}, []any{"a", thing}, []any{[]any{}}, slices.Repeat([]any{"a"}, 201))
	case s.Type.Is("string"):
		as("type", "", number, boolean, list, thing)
		switch {
		case len(s.Enum) > 0:
			as("enum", "enum", "", "UNKNOWN", "unknown ", s.Enum[0].(string)+"\u0301", "pаssport", "0", canary)
		case s.Pattern != "":
			as("pattern", "format", "", "today", "2024-1-1", "20240101", "2024-01-01 00:00:00", " 2024-01-01", "2024-01-01\n", "２０２４-01-01", "-2024-01-01", "2024-01-01T\n")
		default:
			as("text", "text", "a\x00b", "\x00", canary+"\x00")
		}
		if s.MinLength > 0 {
			as("empty", "", "")
		}
		if s.MaxLength != nil {
			as("length", "too_long", strings.Repeat("x", int(*s.MaxLength)+1), strings.Repeat("ß", int(*s.MaxLength)+1))
		}
	case s.Type.Is("integer"), s.Type.Is("number"):
		as("type", "", text, boolean, list, thing, "NaN", "1e3")
		if s.Type.Is("integer") {
			as("fraction", "", raw("1.5"), raw("0.1e-7"), raw("1e-300"))
			as("int32", "", raw("2147483648"), raw("1e10"), raw("9223372036854775808"), raw("123456789012345678901234567890"), raw("1e308"))
		}
		if s.Min != nil {
			below := strconv.FormatFloat(*s.Min-1, 'g', -1, 64)
			as("minimum", "", raw(below), raw(strconv.FormatFloat(math.Nextafter(*s.Min, math.Inf(-1)), 'g', -1, 64)), raw("-1e308"))
		}
		if s.Max != nil {
			as("maximum", "", raw(strconv.FormatFloat(*s.Max+1, 'g', -1, 64)), raw(strconv.FormatFloat(math.Nextafter(*s.Max, math.Inf(1)), 'g', -1, 64)), raw("1e308"))
		}
	case s.Type.Is("boolean"):
		as("type", "", number, text, list, thing, raw("0"), raw("1"), "true")
	case s.Type.Is("array"):
		as("type", "", number, text, boolean, thing)
		if s.MaxItems != nil {
			as("items", "", slices.Repeat([]any{"aGVsbG8="}, int(*s.MaxItems)+1))
		}
	default: // an object
		as("type", "", number, text, boolean, list, []any{thing})
		if n.at != "" && len(s.Properties) == 0 {
			as("text", "", &object{[]member{{"a\x00", true}}}, &object{[]member{{"a", []any{&object{[]member{{"b", "\x00"}}}}}}})
		}
	}
	return all
}

// spoil breaks one rule of a schema in a body, a form or an upload.
func (a *attempt) spoil(t *rapid.T) {
	switch {
	case a.body.value != nil:
		all := nodes(a.body.value, a.op.schema, "", func(x any) { a.body.value = x }, nil)
		n := all[max(0, len(all)-1-below(t, len(all)))] // the whole is one of many
		all2 := n.breaches()
		b := all2[below(t, len(all2))]
		b.do()
		a.forbidAt(fmt.Sprintf("%s broken at %q", b.rule, n.at), n.at, b.code)
	case a.body.fields != nil:
		a.spoilForm(t)
	case a.body.parts != nil:
		a.spoilUpload(t)
	}
}

func (a *attempt) spoilForm(t *rapid.T) {
	fields := &a.body.fields
	switch below(t, 4) {
	case 0:
		*fields = slices.DeleteFunc(*fields, func(f member) bool { return f.name == "grant_type" })
		a.forbid("no grant_type", http.StatusBadRequest)
	case 1:
		*fields = append(*fields, (*fields)[below(t, len(*fields))])
		a.forbid("a parameter twice", http.StatusBadRequest)
	case 2:
		*fields = append(*fields, member{"client_id", "\x00"})
		a.forbid("NUL in a parameter", http.StatusBadRequest)
	default:
		*fields = append(*fields, member{"client_secret", secret{true}})
		a.forbid("two ways to authenticate, or half a way", http.StatusBadRequest, http.StatusUnauthorized)
		if a.header("Authorization") == nil { // it is in the body twice
			return
		}
		*fields = append(*fields, member{"client_id", ref{what: "client", whose: foreign}})
	}
}

func (a *attempt) spoilUpload(t *rapid.T) {
	parts := &a.body.parts
	*parts = slices.DeleteFunc(*parts, func(p part) bool { return a.op.schema.Properties[p.name] == nil })
	for i, p := range *parts { // one fault is enough
		if text, ok := p.value.(string); ok && len(text) > 4<<10 {
			(*parts)[i].value = "x"
		}
	}
	at := slices.IndexFunc(*parts, func(p part) bool { return p.name == "latitude" })
	replace := func(name string, values ...any) {
		i := slices.IndexFunc(*parts, func(p part) bool { return p.name == name })
		v := pick(t, values...)
		(*parts)[i].value = v
		a.forbidAt(fmt.Sprintf("%s %.20q", name, v), "/"+name, "")
	}
	switch below(t, 7) {
	case 0:
		name := pick(t, "session_id", "latitude", "longitude")
		*parts = slices.DeleteFunc(*parts, func(p part) bool { return p.name == name })
		a.forbidAt("no "+name, "/"+name, "required")
	case 1:
		a.forbidAt("latitude twice", "/latitude", "repeated")
		*parts = append(*parts, (*parts)[at])
	case 2:
		replace("latitude", "", "north", "NaN", "Inf", "-inf", "1e400", "90.00000001", "-91", "1,5", "0x", "4 8", "\x00", "４", strings.Repeat("1", 5000))
	case 3:
		replace("longitude", "", "180.5", "-1e308", "nan", "+", "\u202e1", "1\x00")
	case 4:
		replace("session_id", "", "a\x00b", strings.Repeat("x", 4097), "\xff\xfe", "\xed\xa0\x80")
	case 5:
		for i := range 16 {
			*parts = append(*parts, field(fmt.Sprintf("f%d", i), "x"))
		}
		a.forbid("too many parts", http.StatusBadRequest)
	default:
		*parts = slices.DeleteFunc(*parts, func(p part) bool { return p.name == "image" })
		a.forbidAt("no image", "/image", "image_missing")
	}
}

// garble breaks the form of a body.
func (a *attempt) garble(t *rapid.T) {
	switch a.body.form {
	case "application/json":
		a.garbleJSON(t)
	case "application/x-www-form-urlencoded":
		a.body.mangle = func(b []byte) []byte { return append(b, "&x=%zz"...) }
		a.forbid("a broken escape", http.StatusBadRequest)
	case "multipart/form-data":
		a.garbleUpload(t)
	}
}

func (a *attempt) garbleJSON(t *rapid.T) {
	whole, isObject := a.body.value.(*object)
	inside := func(text string) func([]byte) []byte { // behind the first brace
		return func(b []byte) []byte { return bytes.Replace(b, []byte("{"), []byte("{"+text), 1) }
	}
	comma := ","
	if isObject && len(whole.members) == 0 {
		comma = ""
	}
	type way struct {
		note   string
		mangle func([]byte) []byte
	}
	ways := []way{
		{"cut off", func(b []byte) []byte { return b[:len(b)-1] }},
		{"half", func(b []byte) []byte { return b[:(len(b)+1)/2] }},
		{"something behind", func(b []byte) []byte { return append(b, "x"...) }},
		{"two values", func(b []byte) []byte { return append(b, "{}"...) }},
		{"a NUL behind", func(b []byte) []byte { return append(b, 0) }},
		{"a byte order mark", func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }},
		{"UTF-16", func(b []byte) []byte { return bytes.ReplaceAll(b, nil, []byte{0})[1:] }},
		{"blanks only", func([]byte) []byte { return []byte(" \n") }},
		{"a comment", func(b []byte) []byte { return append([]byte("/* */"), b...) }},
		{"a comma too many", func(b []byte) []byte { return append(bytes.TrimSuffix(b, []byte("}")), ",}"...) }},
		{"NaN", inside(`"x":NaN` + comma)}, {"Infinity", inside(`"x":-Infinity` + comma)}, {"leading zero", inside(`"x":01` + comma)},
		{"plus", inside(`"x":+1` + comma)}, {"no fraction", inside(`"x":1.` + comma)}, {"hexadecimal", inside(`"x":0x1` + comma)},
		{"single quotes", inside(`'x':1` + comma)}, {"no quotes", inside(`x:1` + comma)}, {"a control character", inside("\"x\":\"\x01\"" + comma)},
		{"unknown escape", inside(`"x":"\x41"` + comma)}, {"half an escape", inside(`"x":"\u12"` + comma)},
		{"True", inside(`"x":True` + comma)}, {"undefined", inside(`"x":undefined` + comma)},
		{"twice", inside(`"x":1,"x":1` + comma)}, {"twice in other letters", inside(`"\u0078":1,"x":1` + comma)}, {"twice inside",
			inside(`"x":[{"y":{"a":1,"a":1}}]` + comma)},
		{"65 deep", inside(`"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + comma)},
		{"thousands deep", inside(`"x":` + strings.Repeat(`{"a":[`, 4000) + strings.Repeat("]}", 4000) + comma)},
		{"deep and open", inside(`"x":` + strings.Repeat("[", 20_000))},
	}
	w := pick(t, ways...)
	a.body.mangle = w.mangle
	a.forbid(w.note, http.StatusBadRequest)
	if chance(t, 10) {
		more := a.op.maxBody + pick(t, 1, 500) // blanks, which would be fine
		if a.op.maxBody > 1<<20 {
			return
		}
		a.body.mangle = func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), max(0, more-len(b)))...) }
		a.forbid("too large", http.StatusRequestEntityTooLarge)
		a.framing = pick(t, measured, chunked)
	}
	if chance(t, 5) {
		a.body.form, a.body.mangle = "", nil
		a.forbidAt("no body", "", "required")
		if !a.op.required {
			a.forbid("no body", http.StatusOK)
			a.want.taken = true
		}
	}
}

func (a *attempt) garbleUpload(t *rapid.T) {
	type way struct {
		note   string
		mangle func([]byte) []byte
	}
	replaced := func(old, with string, n int) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(with), n) }
	}
	w := pick(t,
		way{"cut off", func(b []byte) []byte { return b[:len(b)-len(boundary)-8] }},
		way{"a quarter", func(b []byte) []byte { return b[:len(b)/4] }},
		way{"another boundary", replaced(boundary, "kycd-0000", -1)},
		way{"no end", replaced(boundary+"--", boundary+"-x", 1)},
		way{"no header", replaced("Content-Disposition: ", "", 1)},
		way{"a header without an end", replaced("\r\n\r\n", "\r\n", -1)},
		way{"nothing", func([]byte) []byte { return []byte(" ") }},
		way{"nonsense", func([]byte) []byte { return []byte(canary) }},
		way{"a long header", replaced("Content-Disposition", "X: "+strings.Repeat("x", 60_000)+"\r\nContent-Disposition", 1)},
		way{"many headers", replaced("Content-Disposition", strings.Repeat("X: y\r\n", 12_000)+"Content-Disposition", 1)},
	)
	a.body.mangle = w.mangle
	a.forbid("an upload with "+w.note, http.StatusBadRequest)
	if w.note == "a long header" || w.note == "many headers" {
		a.want.statuses = nil // whatever is done about it
	}
}

// mislabel says of a body what it is not.
func (a *attempt) mislabel(t *rapid.T) {
	if a.body.form == "" {
		return
	}
	label := pick(t, "text/plain", "application/xml", "application/json/x", "application/jsonp", "application/problem+json", "text/json", "*/*", ";", "x",
		"application/json; charset", "application/json;;=", "multipart/mixed; boundary="+boundary, "application/octet-stream", "\u202e", canary)
	switch below(t, 5) {
	case 0, 1:
		a.headers = append(a.headers, member{"Content-Type", label})
		a.forbid("Content-Type "+label, http.StatusUnsupportedMediaType)
	case 2:
		a.headers = append(a.headers, member{"Content-Type", pick(t, a.body.contentType(), "\t"+a.body.contentType()+" ")}, member{"Content-Encoding", pick(t,
			"gzip", "br", "deflate", "identity, gzip", canary)})
		a.forbid("a compressed body", http.StatusUnsupportedMediaType)
	case 3:
		a.headers = append(a.headers, member{"Content-Type", ""})
		a.forbid("no Content-Type", http.StatusUnsupportedMediaType)
	default: // the charset of JSON is no one's choice, and such a parameter means nothing
		a.headers = append(a.headers, member{"Content-Type", a.body.contentType() + pick(t, "; charset=utf-16", "; charset=UTF-8", "; x=\"y;z\"")})
		a.note = "a charset"
	}
}

// misdirect breaks what the contract says of parameters.
func (a *attempt) misdirect(t *rapid.T) {
	key := a.op.Operation.Parameters.GetByInAndName(openapi3.ParameterInHeader, "Idempotency-Key") != nil
	switch {
	case a.op.clientID && chance(t, 60):
		a.misname(t)
	case key:
		a.dropHeader("Idempotency-Key")
		value := pick(t, "", strings.Repeat("k", 256), "two words", "\u00fc", "\u202e", "a\tb", strings.Repeat("k", 9000))
		a.headers = append(a.headers, member{"Idempotency-Key", value})
		a.forbidAt(fmt.Sprintf("Idempotency-Key %.20q", value), "/header/Idempotency-Key", "")
		if chance(t, 20) {
			a.headers[len(a.headers)-1].value = "a"
			a.headers = append(a.headers, member{"idempotency-key", "a"})
			a.forbidAt("two idempotency keys", "/header/Idempotency-Key", "repeated")
		}
	default:
		a.misask(t)
	}
}

// misname breaks X-Client-Id.
func (a *attempt) misname(t *rapid.T) {
	a.dropHeader("X-Client-Id")
	add := func(v any) { a.headers = append(a.headers, member{"X-Client-Id", v}) }
	switch below(t, 4) {
	case 0:
		a.forbidAt("no X-Client-Id", "/header/X-Client-Id", "required")
	case 1:
		add(ref{what: "client", whose: foreign})
		a.forbid("another's X-Client-Id", http.StatusForbidden)
	case 2:
		add(pick(t, "x", canary, "\u202e", strings.Repeat("x", 5000)))
		a.forbid("a made up X-Client-Id", http.StatusForbidden)
	default:
		add(ref{what: "client"})
		add(ref{what: "client"})
		a.forbidAt("X-Client-Id twice", "/header/X-Client-Id", "repeated")
	}
}

// misask breaks a parameter of path or query, if there is one.
func (a *attempt) misask(t *rapid.T) {
	for _, p := range a.op.Operation.Parameters {
		switch p := p.Value; p.In {
		case openapi3.ParameterInPath:
			a.path[1] = pick(t, "a\x00b", "\x00", "\xff")
			a.forbidAt("a broken "+p.Name, "/path/"+p.Name, "")
			return
		case openapi3.ParameterInQuery:
			if chance(t, 50) {
				continue
			}
			a.query = slices.DeleteFunc(a.query, func(q member) bool { return q.name == p.Name })
			value := pick(t, "\x00", "a\x00", "\xff")
			if len(p.Schema.Value.Enum) > 0 {
				value = pick(t, "UNKNOWN", "", canary, "\u202e", "passport,passport", "1")
			}
			a.query = append(a.query, member{p.Name, value})
			a.forbidAt(fmt.Sprintf("%s=%q", p.Name, value), "/query/"+p.Name, "")
			return
		}
	}
}

// pretend shows a token that opens nothing, or not this.
func (a *attempt) pretend(t *rapid.T) {
	if len(a.op.scopes) == 0 {
		return
	}
	a.dropHeader("Authorization")
	add := func(v any) { a.headers = append(a.headers, member{"Authorization", v}) }
	switch below(t, 8) {
	case 0:
		a.forbid("no token", http.StatusUnauthorized)
	case 1:
		add(pick(t, "", "Bearer", "Bearer  ", "Basic YTpi", "Bearer,x", "bearer\u00a0x", "Digest username=x", "Bearer "+canary, "Bearer "+strings.Repeat("a",
			9000), "Bearer a.b.c", "Bearer ...", "\u202e", "null"))
		a.forbid("what is no token", http.StatusUnauthorized)
	case 2:
		add(cut)
		a.forbid("a token that is cut off", http.StatusUnauthorized)
	case 3:
		add(altered)
		a.forbid("a token with other claims", http.StatusUnauthorized)
	case 4:
		add(unsigned)
		a.forbid("a token without a signature", http.StatusUnauthorized)
	case 5:
		add(backend)
		add(backend)
		a.forbid("two tokens", http.StatusUnauthorized)
	case 6:
		add(narrow)
		a.forbid("a token for something else", http.StatusForbidden)
	default:
		if a.op.device() {
			add(cut)
			a.forbid("a token that is cut off", http.StatusUnauthorized)
			return
		}
		add(device)
		a.forbid("a device's token", http.StatusForbidden)
	}
}

// embellish adds what changes nothing, or asks in a way that nobody does.
func (a *attempt) embellish(t *rapid.T) {
	add := func(name string, values ...string) {
		a.headers = append(a.headers, member{name, pick(t, values...)})
	}
	for range 1 + below(t, 4) {
		switch below(t, 12) {
		case 0:
			add("Accept", "text/html", "application/json;q=0.1, image/*", "*/*;q=0", "image/jpeg;q=2", "text/plain",
				"application/openmetrics-text; version=1.0.0; charset=utf-8",
				",,;;", "\u202e", "application/json; q=NaN", strings.Repeat("a/b,", 2000), "text/plain;q=0.5;version=0.0.4", "application/*, text/*;q=1.0000")
		case 1:
			add("If-None-Match", "*", `"x", W/"y"`)
		case 2:
			add("If-Match", "*", `"x"`)
		case 3:
			add("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", "tomorrow")
		case 4:
			add("Range", "bytes=0-0", "bytes=5-1,-1", "lines=1")
		case 5:
			add("X-Request-Id", "01994a7e-3c51", "short", canary+"!", strings.Repeat("x", 129), "a b c d e f g h", "\u202eeeeeeeeeee", "12345678")
		case 6:
			add(pick(t, "X-Forwarded-For", "Forwarded", "X-Real-IP"), "127.0.0.1", "for=\"[::1]\"", "unknown, ,", strings.Repeat("1.2.3.4,", 1000), "\u202e")
		case 7:
			add("Origin", "https://evil.example", "null", "file://", "https://*", canary)
		case 8:
			add(pick(t, "X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL"), "DELETE", "/v2/idv/session/list", "GET")
		case 9:
			add("Cookie", "a=b", strings.Repeat("a=b;", 1000))
		case 10:
			add("Connection", "keep-alive", "upgrade", "close", "X-Client-Id")
		default:
			add("Accept-Encoding", "gzip", "br;q=1", "identity;q=0, *;q=0")
		}
	}
	a.note = "with odd headers"
	switch below(t, 8) {
	case 0:
		if a.body.form != "" {
			a.framing, a.note = chunked, "in chunks"
		}
	case 1:
		if a.body.form == "application/json" {
			a.framing = tooShort
			a.forbid("less is told than is sent", http.StatusBadRequest)
		}
	case 2:
		if a.body.form != "" {
			a.framing = tooLong
			a.forbid("more is told than is sent", http.StatusBadRequest)
			if a.body.form == "multipart/form-data" { // it says itself where it ends
				a.want.statuses = nil
			}
			a.want.silence = true
		}
	case 3, 4:
		a.method = pick(t, "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "post", "PROPFIND", "POST")
		a.forbid("method "+a.method, http.StatusMethodNotAllowed)
		if item := a.op.PathItem; item.GetOperation(a.method) != nil || a.method == "HEAD" && item.Get != nil || a.method == "OPTIONS" {
			a.want.statuses = nil
		}
	case 5:
		last := len(a.path) - 1
		more := pick(t, "/", "//", "/..", "/.", "%2f", ".json", ";x=1", "%00", "/%2e%2e/", "?", "?a=%zz&&=;", "#f", "/"+strings.Repeat("a", 9000),
			"?"+strings.Repeat("a", 9000), "%e2%80%ae", "*")
		a.path[last] = a.path[last].(raw) + raw(more)
		a.forbid("path " + fmt.Sprintf("%.20q", more))
	}
}
