package fuzz_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"

	"kycd/kyc/kyctest/house"
)

// attempt is one request. All that is random in it was drawn before anything is sent, so that it can be drawn again.
type attempt struct {
	op      *operation
	note    string // what is peculiar
	method  string
	path    []any // raws, and what is to be escaped
	query   []member
	headers []member // values are texts, refs or credentials
	body    body
	framing framing
	want    want
	twice   bool // with the same idempotency key
	size    int  // of the body, once it is composed
}

// GoString is what rapid reports of a failed attempt; the request itself is reported where it fails.
func (a *attempt) GoString() string { return a.op.String() + ": " + a.note }

// want is what is known of the answer before.
type want struct {
	taken    bool     // the contract takes the request: it is not refused as malformed
	doubtful []string // but here
	statuses []int    // one of these; none: whatever is documented
	pointer  string   // what a refusal must name
	code     string   // and how; empty: anyhow
	named    bool     // whether pointer means something
	silence  bool     // no answer is one too
}

// body is what a request carries, in one of three forms.
type body struct {
	form   string // mediaType, or empty: there is none
	value  any    // JSON
	style  style
	fields []member // of a form
	parts  []part   // of an upload
	mangle func([]byte) []byte
	crlf   string // of an upload
}

// part is one of an upload.
type part struct {
	header string // all of it
	name   string
	value  any // text, ref or []byte
}

// framing is how a body's length is told.
type framing int

const (
	measured framing = iota
	chunked
	tooShort // less is told than is sent
	tooLong  // more is told than is sent, and then nothing more comes
)

// credentials stand for a token that is found when the request is sent.
type credentials int

const (
	backend credentials = iota
	device              // for the session of the request
	narrow              // of a scope that opens little
	cut                 // the backend's, with its end cut off
	altered             // the backend's, with other claims
	unsigned
)

const boundary = "kycd-9d1f"

// attempts draws requests of an operation: half of them as the contract wants them.
func (op *operation) attempts() *rapid.Generator[*attempt] {
	return rapid.Custom(func(t *rapid.T) *attempt {
		a := op.proper(t)
		switch weighed(t, 40, 22, 10, 8, 7, 7, 14) {
		case 1:
			a.spoil(t)
		case 2:
			a.garble(t)
		case 3:
			a.mislabel(t)
		case 4:
			a.misdirect(t)
		case 5:
			a.pretend(t)
		case 6:
			a.embellish(t)
		}
		return a
	})
}

// proper draws a request that the contract takes.
func (op *operation) proper(t *rapid.T) *attempt {
	m := &maker{habit: op.habit, full: chance(t, 15)}
	a := &attempt{op: op, note: "proper", method: op.Method, want: want{taken: true}}
	for piece := range strings.SplitSeq(op.Path, "{id}") {
		if len(a.path) > 0 {
			a.path = append(a.path, m.id(t, op.habit.id))
		}
		a.path = append(a.path, raw(piece))
	}
	for _, p := range op.Operation.Parameters {
		switch p := p.Value; {
		case p.In == openapi3.ParameterInQuery && chance(t, 40):
			a.query = append(a.query, member{p.Name, m.value(t, p.Schema.Value, p.Name, "/query/"+p.Name)})
		case p.Name == "Idempotency-Key" && chance(t, 25):
			key := pick(t, "0e7c1f5a-3f0d-4c39-9a53-6b1e2f8d4c70", "~", strings.Repeat("k", 255), canary, `"quoted,key"`) + strconv.Itoa(below(t, 1_000_000))
			a.headers = append(a.headers, member{p.Name, key[max(0, len(key)-255):]})
			a.twice = chance(t, 50)
		}
	}
	if op.clientID {
		a.headers = append(a.headers, member{"X-Client-Id", ref{what: "client"}})
	}
	switch {
	case op.device() && chance(t, 25):
		a.headers = append(a.headers, member{"Authorization", device})
	case len(op.scopes) > 0:
		a.headers = append(a.headers, member{"Authorization", backend})
	}
	a.body = op.properBody(t, m, a)
	a.want.doubtful = append(m.doubtful, op.habit.doubtful...)
	return a
}

func (op *operation) properBody(t *rapid.T, m *maker, a *attempt) body {
	if op.mediaType == "" || !op.required && chance(t, 15) {
		return body{}
	}
	b := body{form: op.mediaType, style: style{escape: pick(t, 0, 0, 1, 2), space: chance(t, 10)}, crlf: "\r\n"}
	switch op.mediaType {
	case "application/json":
		b.value = m.value(t, op.schema, "", "")
	case "application/x-www-form-urlencoded":
		b.fields = op.properForm(t, a)
	default:
		for _, name := range []string{"session_id", "latitude", "longitude"} {
			b.parts = append(b.parts, field(name, m.text(t, op.schema.Properties[name].Value, name, "/"+name)))
		}
		if chance(t, 95) {
			picture := house.Picture()
			if chance(t, 30) {
				picture = pick(t, pictures()...)
			}
			disposition := `form-data; name="image"; filename="` + pick(t, "front.jpg", "", `..\\..\\x.jpg`, "\u202egpj.exe", `a\"b`) + `"`
			b.parts = append(b.parts, part{"Content-Disposition: " + disposition + "\r\nContent-Type: " + pick(t, "image/jpeg", "text/html", "*") + "\r\n", "image", picture})
		}
		if chance(t, 10) {
			b.parts = append(b.parts, field(pick(t, "device", "", "SESSION_ID", canary), sometext(t)))
		}
		for _, p := range b.parts { // an id that is too long for a field is refused as such
			if text, ok := p.value.(string); ok && len(text) > 4<<10 {
				a.want.doubtful = append(a.want.doubtful, "/"+p.name)
				m.doubtful = append(m.doubtful, "/"+p.name)
			}
		}
		if chance(t, 20) {
			b.parts[0], b.parts[len(b.parts)-1] = b.parts[len(b.parts)-1], b.parts[0]
		}
	}
	return b
}

// properForm is a request for a token that gets one, or one that is refused for what it asks.
func (op *operation) properForm(t *rapid.T, a *attempt) []member {
	fields := []member{{"grant_type", "client_credentials"}}
	good := chance(t, 60)
	if chance(t, 50) {
		a.headers = append(a.headers, member{"Authorization", basic{good: good, n: below(t, 5)}})
	} else {
		fields = append(fields, member{"client_id", ref{what: "client"}}, member{"client_secret", secret{good}})
	}
	a.want.taken = good
	if chance(t, 50) {
		scope := pick(t, "idv", "idv webhook", "sdk", "", "idv idv", "nonsense", canary, `"\`, "  idv  ", strings.Repeat("idv ", 2000))
		fields = append(fields, member{"scope", scope})
		a.want.taken = false
		if scope == "sdk" || chance(t, 10) {
			m := &maker{habit: habit{stage: created}}
			fields = append(fields, member{"session_id", m.id(t, "session")})
		}
	}
	if chance(t, 15) {
		a.want.taken = false
		fields[0].value = pick(t, "password", "authorization_code", "", "CLIENT_CREDENTIALS", canary, `"`)
	}
	return fields
}

// basic stands for HTTP Basic, secret for a client's secret; both are good or not.
type (
	basic struct {
		good bool
		n    int
	}
	secret struct{ good bool }
)

func field(name string, value any) part {
	return part{`Content-Disposition: form-data; name="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", " ", "\n", " ").Replace(name) + "\"\r\n", name, value}
}

// bytes composes the body. Ids and secrets come from find.
func (b *body) bytes(find func(any) string) []byte {
	var out bytes.Buffer
	switch b.form {
	case "application/json":
		b.style.write(&out, b.value, func(r ref) string { return find(r) })
	case "application/x-www-form-urlencoded":
		for i, f := range b.fields {
			if i > 0 {
				out.WriteByte('&')
			}
			out.WriteString(url.QueryEscape(f.name) + "=" + url.QueryEscape(find(f.value)))
		}
	case "multipart/form-data":
		for _, p := range b.parts {
			out.WriteString("--" + boundary + b.crlf + strings.ReplaceAll(p.header, "\r\n", b.crlf) + b.crlf)
			if picture, ok := p.value.([]byte); ok {
				out.Write(picture)
			} else {
				out.WriteString(find(p.value))
			}
			out.WriteString(b.crlf)
		}
		out.WriteString("--" + boundary + "--" + b.crlf)
	}
	if b.mangle != nil {
		return b.mangle(out.Bytes())
	}
	return out.Bytes()
}

// session is the one that a request is about; nil if it names none.
func (b *body) session() any {
	if o, ok := b.value.(*object); ok {
		if id := o.get("session_id"); id != nil {
			return *id
		}
	}
	for _, p := range b.parts {
		if p.name == "session_id" {
			return p.value
		}
	}
	return nil
}

// contentType is what names the form of a body.
func (b *body) contentType() string {
	if b.form == "multipart/form-data" {
		return b.form + "; boundary=" + boundary
	}
	return b.form
}

// header gives the first header of a name.
func (a *attempt) header(name string) *member {
	for i := range a.headers {
		if strings.EqualFold(a.headers[i].name, name) {
			return &a.headers[i]
		}
	}
	return nil
}

func (a *attempt) dropHeader(name string) {
	var kept []member
	for _, h := range a.headers {
		if !strings.EqualFold(h.name, name) {
			kept = append(kept, h)
		}
	}
	a.headers = kept
}

// forbid says that a request must be refused, with one of these statuses.
func (a *attempt) forbid(note string, statuses ...int) {
	a.note, a.want, a.twice = note, want{statuses: statuses}, false
}

// forbidAt says that a request must be refused as malformed, for what a pointer names.
func (a *attempt) forbidAt(note, pointer, code string) {
	a.forbid(note, http.StatusBadRequest)
	a.want.pointer, a.want.code, a.want.named = pointer, code, !a.op.oauth
}

// wire is the request as it is sent.
func (a *attempt) wire(find func(any) string) []byte {
	var head bytes.Buffer
	target := ""
	for _, piece := range a.path {
		if text, ok := piece.(raw); ok {
			target += string(text)
		} else {
			target += url.PathEscape(find(piece))
		}
	}
	separator := "?"
	for _, q := range a.query {
		target += separator + url.QueryEscape(q.name) + "=" + url.QueryEscape(find(q.value))
		separator = "&"
	}
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\n", a.method, target)
	if a.header("Host") == nil {
		head.WriteString("Host: kyc.example.com\r\n")
	}
	for _, h := range a.headers {
		fmt.Fprintf(&head, "%s: %s\r\n", h.name, find(h.value))
	}
	if a.body.form == "" {
		if a.method == http.MethodPost || a.method == http.MethodPut {
			head.WriteString("Content-Length: 0\r\n")
		}
		return append(head.Bytes(), "\r\n"...)
	}
	if a.header("Content-Type") == nil {
		fmt.Fprintf(&head, "Content-Type: %s\r\n", a.body.contentType())
	}
	content := a.body.bytes(find)
	a.size = len(content)
	switch a.framing {
	case measured:
		fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n", len(content))
	case tooShort:
		fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n", len(content)-1)
	case tooLong:
		fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n", len(content)+10)
	case chunked:
		head.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		for rest := content; len(rest) > 0; {
			n := min(len(rest), 1000)
			fmt.Fprintf(&head, "%X\r\n%s\r\n", n, rest[:n])
			rest = rest[n:]
		}
		return append(head.Bytes(), "0\r\n\r\n"...)
	}
	return append(head.Bytes(), content...)
}
