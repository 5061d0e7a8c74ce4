package fuzz_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"pgregory.net/rapid"

	"kycd/kyc/kyctest/house"
)

// A value is JSON as it will be written, which can be more than any decoder would make of it: numbers in any spelling,
// members twice, ids that exist only when the request is sent. It is nil, a bool, a string, a raw, a ref, a []any or an
// *object.
type (
	object struct{ members []member }
	member struct {
		name  string
		value any
	}
	raw string // JSON text as it stands
)

func (o *object) get(name string) *any {
	for i := range o.members {
		if o.members[i].name == name {
			return &o.members[i].value
		}
	}
	return nil
}

func (o *object) drop(name string) {
	o.members = slices.DeleteFunc(o.members, func(m member) bool { return m.name == name })
}

// style is how JSON is spelled.
type style struct {
	escape int // 0: no more than necessary, 1: what is not ASCII, 2: every character
	space  bool
}

// write appends a value. Ids come from find.
func (s style) write(b *bytes.Buffer, v any, find func(ref) string) {
	gap := func() {
		if s.space {
			b.WriteString(" \r\n\t")
		}
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case raw:
		b.WriteString(string(v))
	case ref:
		s.text(b, find(v))
	case string:
		s.text(b, v)
	case []any:
		b.WriteByte('[')
		for i, entry := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			gap()
			s.write(b, entry, find)
		}
		gap()
		b.WriteByte(']')
	case *object:
		b.WriteByte('{')
		for i, m := range v.members {
			if i > 0 {
				b.WriteByte(',')
			}
			gap()
			s.text(b, m.name)
			gap()
			b.WriteByte(':')
			gap()
			s.write(b, m.value, find)
		}
		gap()
		b.WriteByte('}')
	default:
		panic(fmt.Sprintf("%T is no value", v))
	}
}

// text appends a string. What is not UTF-8 is written as it is.
func (s style) text(b *bytes.Buffer, text string) {
	b.WriteByte('"')
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteByte(text[i])
		case s.escape == 2 || s.escape == 1 && r > 126 || r < ' ':
			if r > 0xffff {
				r -= 0x10000
				fmt.Fprintf(b, `\u%04x\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
			} else {
				fmt.Fprintf(b, `\u%04x`, r)
			}
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	b.WriteByte('"')
}

// maker makes values that a schema takes.
type maker struct {
	habit    habit
	full     bool     // with all members that the schema names
	doubtful []string // pointers at which the rules may refuse what the schema takes
}

// value makes a value of a schema for the member of that name.
func (m *maker) value(t *rapid.T, s *openapi3.Schema, name, at string) any {
	if s.Nullable && chance(t, 10) {
		return nil
	}
	if len(s.AllOf) == 1 {
		return m.value(t, s.AllOf[0].Value, name, at)
	}
	if len(s.OneOf) > 0 {
		return m.value(t, pick(t, s.OneOf...).Value, name, at)
	}
	switch {
	case s.Type.Is("string"):
		return m.text(t, s, name, at)
	case s.Type.Is("integer"):
		return integer(t, s)
	case s.Type.Is("number"):
		return number(t, s, name)
	case s.Type.Is("boolean"):
		return chance(t, 70)
	case s.Type.Is("array"):
		most := 3
		if s.MaxItems != nil && chance(t, 10) {
			most = int(*s.MaxItems)
		}
		list := make([]any, below(t, most+1))
		switch {
		case name == "frames" && chance(t, 90): // what a device says of its frames hardly ever fits what they answer
			list = nil
		case name == "images" && chance(t, 70): // the passive frame may come alone, but not with any number of others
			list = make([]any, 1)
		}
		for i := range list {
			list[i] = m.value(t, s.Items.Value, name, at+"/"+strconv.Itoa(i))
		}
		return slices.Concat([]any{}, list)
	}
	if len(s.Properties) == 0 {
		return m.free(t, name, at)
	}
	made := &object{}
	for _, property := range slices.Sorted(maps.Keys(s.Properties)) {
		if slices.Contains(s.Required, property) || m.full || chance(t, 50) {
			made.members = append(made.members, member{property, m.value(t, s.Properties[property].Value, property, at+"/"+property)})
		}
	}
	if chance(t, 10) {
		slices.Reverse(made.members)
	}
	if s.AdditionalProperties.Has == nil && chance(t, 10) { // what the contract does not name is taken, and means nothing
		made.members = append(made.members, member{pick(t, "x", "SESSION_ID", "Metadata", "session_id ", canary, "ſession_id", ""), anything(t, 2)})
	}
	return made
}

// free makes an object of the caller's own.
func (m *maker) free(t *rapid.T, name, at string) any {
	made := anyObject(t, pick(t, 1, 2, 3, 30))
	if name != "settings" {
		if chance(t, 20) && made.get("order") == nil {
			made.members = append(made.members, member{"order", "A-17"})
		}
		return made
	}
	if chance(t, 60) {
		m.doubtful = append(m.doubtful, at)
		known := map[string]any{
			"checks": pick[any](t, &object{[]member{{"ofac", true}}}, &object{[]member{{"liveness", false}, {"face_match", false}}},
				&object{[]member{{"nonsense", true}}}, true),
			"document_types":        pick[any](t, []any{"driver_license", "passport"}, []any{}, []any{"library_card"}, "passport", nil),
			"max_attempts":          pick[any](t, raw("3"), raw("0"), raw("101"), raw("1.5"), raw("1e300"), "3"),
			"expires_in_seconds":    pick[any](t, raw("60"), raw("2592000"), raw("59"), raw("-1"), raw("99999999999999999999")),
			"finalize_wait_seconds": pick[any](t, raw("0"), raw("0.05"), raw("-0"), raw("120.001"), raw("-1"), true),
			"retention_days":        pick[any](t, raw("0"), raw("36500"), raw("36501"), raw("-0.5")),
			"redirect_url":          pick[any](t, "https://example.com/back", "", raw("7")),
			"locale":                pick[any](t, "en", canary, raw("null"), []any{}),
		}
		for _, key := range slices.Sorted(maps.Keys(known)) {
			if chance(t, 25) {
				made.members = append(made.members, member{key, known[key]})
			}
		}
	}
	return made
}

// anyObject makes an object without a schema, so deep at most.
func anyObject(t *rapid.T, depth int) *object {
	made, taken := &object{}, map[string]bool{}
	count := below(t, 4)
	if chance(t, 3) { // near the limit of a body
		count = pick(t, 1500, 7000)
	}
	for i := range count {
		name := strconv.FormatInt(int64(i), 36)
		if count < 10 {
			name = sometext(t)
		}
		if taken[name] || len(name) > 2000 {
			continue
		}
		taken[name] = true
		entry := any(raw("1"))
		if count < 10 {
			entry = anything(t, depth-1)
		}
		made.members = append(made.members, member{name, entry})
	}
	return made
}

// anything makes any JSON, so deep at most.
func anything(t *rapid.T, depth int) any {
	if depth > 5 { // deep, and otherwise small
		return []any{anything(t, depth-1)}
	}
	switch weighed(t, 5, 2, 4, 1, 2, 2) {
	case 0:
		return sometext(t)
	case 1:
		return chance(t, 50)
	case 2:
		return pick(t, raw("0"), raw("-0"), raw("1e308"), raw("-1E-400"), raw("12345678901234567890123"), raw("0.1"), raw("4.9e-324"), raw("1.0"))
	case 3:
		return nil
	case 4:
		if depth <= 0 {
			return []any{}
		}
		return []any{anything(t, depth-1), anything(t, depth-1)}
	default:
		if depth <= 0 {
			return &object{}
		}
		return anyObject(t, depth-1)
	}
}

// sometext makes a text: of a kind that has broken something somewhere, or any at all. It has no NUL, and is UTF-8.
func sometext(t *rapid.T) string {
	if chance(t, 30) {
		return strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", "")
	}
	return pick(t, notorious()...)
}

func notorious() []string {
	return []string{
		"x", "A-17", canary, canary + " Ada", "PEPPERCORNE", "  ", "\t\r\n", "O'Brien'); DROP TABLE sessions;--", `"quoted" \ \\`,
		"%s%n%d%!", "${jndi:ldap://127.0.0.1:9/a}", "<script>alert(1)</script>", "../../../etc/passwd", "%00%2e%2e", "{{7*7}}",
		"\u202eevil\u202c", "\u0627\u0644\u0639", "e\u0301\u0301\u0301\u0327", "\U0001f469\u200d\U0001f469\u200d\U0001f466", "\U0010ffff",
		"\ufeffbom", "\ufffd\uffff", "\ufb03\u0130\u0131\u017f", "\x01\x1f\x7f\u0085", "\u2028\u2029", "null", "true", "NaN", "-0", "1e308",
		"01994a7e-3c51-7b0e-9d42-1f6a5c8e2b01", "01994A7E-3C51-7B0E-9D42-1F6A5C8E2B01", "*", "_%\\", "[]", "{}", "unknown", "undefined",
		strings.Repeat("ß", 3000), strings.Repeat("w ", 3000), strings.Repeat("é", 150), strings.Repeat("(", 1000),
	}
}

// text makes a text that a schema takes; where the name says what it is for, mostly one that is of use.
func (m *maker) text(t *rapid.T, s *openapi3.Schema, name, at string) any {
	if len(s.Enum) > 0 {
		return pick(t, s.Enum...)
	}
	if s.Pattern != "" {
		return m.date(t, at)
	}
	switch name {
	case "session_id":
		return m.id(t, "session")
	case "identity_id", "identity_ids":
		return m.id(t, "identity")
	case "client_id":
		return m.id(t, "client")
	case "user_id":
		return m.id(t, "user")
	case "id":
		return m.id(t, m.habit.id)
	case "url", "webhook_url":
		return pick(t, urls()...)
	case "latitude":
		return pick(t, "48.8577", "-90", "90", "0", "-0", "1e-300", "4e1", "+1", "089.99999999999999", "0x1p3")
	case "longitude":
		return pick(t, "2.295", "-180", "180", "0", ".5", "1e2")
	case "images":
		return m.frame(t, at)
	case "token":
		return pick(t, "", "", "", "", "", "", "", "", "no.token.atall", canary)
	case "step", "nonce", "digest":
		return pick(t, "", "", "smile", "wink", canary)
	case "at":
		return pick(t, "2026-11-23T10:00:00Z", "1970-01-01T00:00:00Z", "2026-11-23T10:00:00.123456789+05:45", "9999-12-31T23:59:59Z")
	case "search_term":
		return pick(t, append(notorious(), "peppercorne", "", "N4417093")...)
	}
	for {
		text := sometext(t)
		if length := uint64(len([]rune(text))); length < s.MinLength || s.MaxLength != nil && length > *s.MaxLength {
			continue
		}
		return text
	}
}

// id makes an id: mostly of something that the caller has.
func (m *maker) id(t *rapid.T, what string) any {
	r := ref{what: what}
	switch weighed(t, 16, 2, 1, 1) {
	case 1:
		r.whose = foreign
	case 2:
		r.whose = nobody
	case 3:
		for {
			// What is escaped twice in a path is unescaped twice, by the router and by the generated code.
			if text := sometext(t); text != "" && !(what == "weights" && strings.Contains(text, "%")) {
				return text
			}
		}
	}
	switch {
	case what != "session":
		r.fresh = m.habit.fresh && chance(t, 40)
	case m.habit.fresh && chance(t, 60):
		r.fresh, r.stage = true, m.habit.stage
	case m.habit.erases:
		r.stage = pick(t, anonymized, deleted, deletedAgain)
	case m.habit.stage != "" && chance(t, 50):
		r.stage = m.habit.stage
	default:
		r.stage = pick(t, stages()...)
	}
	r.n = below(t, 3)
	return r
}

// date makes a date or time. One that the calendar does not know is for the rules to refuse.
func (m *maker) date(t *rapid.T, at string) string {
	if chance(t, 15) {
		m.doubtful = append(m.doubtful, at)
		return pick(t, "2024-02-30", "2024-13-45", "0000-00-00", "2024-01-01T", "2024-01-01T25:00:00Z", "2024-01-01Tnonsense", "2016-12-31T23:59:60Z",
			"2024-01-01T00:00:00", "2024-01-01T00:00:00+99:99", "2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00Z ", "2024-01-01T\u0660\u0660:00:00Z")
	}
	return pick(t, "2024-02-29", "1970-01-01", "0001-01-01", "0000-01-01", "9999-12-31", "2024-05-06T07:08:09Z", "2024-05-06T07:08:09.123456789+23:59",
		"2024-05-06t07:08:09z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "2100-01-01T00:00:00-00:00")
}

func urls() []string {
	return []string{
		"http://127.0.0.1:9/hook", "http://127.0.0.1:9/hook?order=" + canary, "http://localhost:9/", "http://127.0.0.1:9", "http://127.0.0.1:9/%C3%BC/%2e%2e/",
		"http://127.0.0.1:9/" + strings.Repeat("a", 1500), "ftp://127.0.0.1/", "javascript:alert(1)", "http://169.254.169.254/latest/", "http://10.0.0.1/",
		"https://user:pass@127.0.0.1/", "http://[::1]:9/", "http://[::ffff:127.0.0.1]:9/", "//127.0.0.1/", "http://0x7f.1/", "http://2130706433/",
		"http://127.0.0.1:99999/",
		"http://127.0.0.1:9/#f", "http:// /", "http://\u0661\u0662\u0667.0.0.1/", "http://127.0.0.1:9/\u202e", canary, "\x01",
	}
}

// frame makes a picture in base64, or what is none.
func (m *maker) frame(t *rapid.T, at string) string {
	picture := pictures()[pick(t, 0, 0, 0, 0, below(t, len(pictures())))]
	encoded := base64.StdEncoding.EncodeToString(picture)
	switch weighed(t, 8, 2, 1) {
	case 1:
		return "data:image/jpeg;base64," + encoded
	case 2:
		m.doubtful = append(m.doubtful, at)
		return pick(t, "***", "data:", "data:image/png,", encoded+"\n", "\u202e", base64.URLEncoding.EncodeToString([]byte{0xff, 0xfe, 0xfd}))
	}
	return encoded
}

// pictures are one that is good, first, and others that are not.
func pictures() [][]byte {
	good := house.Picture()
	png := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	return [][]byte{
		good, good, good[:len(good)/2], good[:3], {}, []byte("no picture"), []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"),
		[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), append(png, "\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\x00\x00\x00\x00\x00\x00\x00"...),
		append(png, "\x00\x00\x00\x00\x00\x00\x00\x00\x08\x02\x00\x00\x00"...), png, []byte("RIFF\xff\xff\xff\xffWEBPVP8X\x0a\x00\x00\x00"),
		append(bytes.Clone(good), bytes.Repeat([]byte{0}, 4096)...), bytes.Repeat([]byte{0xff, 0xd8, 0xff}, 100),
	}
}

// integer makes one between a schema's bounds.
func integer(t *rapid.T, s *openapi3.Schema) raw {
	low, high := int64(math.MinInt32), int64(math.MaxInt32)
	if s.Min != nil {
		low = int64(*s.Min)
	}
	if s.Max != nil {
		high = int64(*s.Max)
	}
	n := pick(t, low, high, low+1, int64(20), int64(200), int64(201))
	if chance(t, 30) {
		n = rapid.Int64Range(low, high).Draw(t, "integer")
	}
	if n = min(max(n, low), high); n == 20 {
		return pick(t, raw("20"), raw("20.0"), raw("2e1"), raw("2.0E+1"))
	}
	return raw(strconv.FormatInt(n, 10))
}

// number makes one between a schema's bounds.
func number(t *rapid.T, s *openapi3.Schema, name string) raw {
	if (strings.HasSuffix(name, "_weight") || strings.HasSuffix(name, "_tolerance")) && chance(t, 97) {
		return pick(t, raw("0.5"), raw("0"), raw("1"), raw("0.25")) // there are many of them, and each has to be in its range
	}
	low, high := -1e308, 1e308
	if s.Min != nil {
		low = *s.Min
	}
	if s.Max != nil {
		high = *s.Max
	}
	n := pick(t, low, high, 0, math.Copysign(0, -1), 0.25, 0.5, 0.9, 1, 5e-324, 15, 48.8577)
	if chance(t, 30) {
		n = rapid.Float64Range(low, high).Draw(t, "number")
	}
	return raw(strconv.FormatFloat(min(max(n, low), high), byte(pick(t, 'g', 'e')), -1, 64))
}

// decoded is what Go's decoder makes of JSON, for asking the schema about it.
func decoded(text []byte) (any, error) {
	var value any
	err := json.Unmarshal(text, &value)
	return value, err
}
