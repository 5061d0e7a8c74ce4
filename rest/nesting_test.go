package rest

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"kycd/kyc"
)

func TestDecodeJSON(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	const deep, twice, invalid = "nested too deep", "more than once", "not valid JSON"
	for _, c := range []struct{ name, text, refused string }{
		{"object", `{"a":1,"b":[{"a":2},{"a":3}],"c":{"a":null}}`, ""},
		{"array", `[1,"2",true]`, ""},
		{"text", `"a:b{[\"c:d"`, ""},
		{"marks in strings", `{"a\\":"{[:","b\"":"\\","\\\":":1}`, ""},
		{"spaces", " {\n\t\"a\" : 1 }\r\n", ""},
		{"deepest", nested(maxDepth), ""},
		{"too deep", nested(maxDepth + 1), deep},
		{"too deep, mixed", strings.Repeat(`{"a":[`, 40) + strings.Repeat(`]}`, 40), deep},
		{"100,000 brackets", strings.Repeat("[", 100_000), deep},
		{"100,000 objects", strings.Repeat(`{"a":`, 100_000), deep},
		{"100,000 closed", nested(100_000), deep},
		{"wide is not deep", "[" + strings.Repeat("[],", 10_000) + "[]]", ""},
		{"twice", `{"a":1,"a":2}`, twice},
		{"twice, equal", `{"a":1,"a":1}`, twice},
		{"twice, written differently", `{"a":1,"\u0061":2}`, twice},
		{"twice, inside", `{"x":[{"a":{},"b":1,"a":{}}]}`, twice},
		{"twice, dropped with its members", `{"a":{"b":1,"c":2},"a":0}`, twice},
		{"twice, broken text", "{\"a\xff\":1,\"a\xfe\":2}", twice},
		{"other case is other", `{"a":1,"A":2}`, ""},
		{"trailing", `{"a":1}{"b":2}`, invalid},
		{"trailing bracket", `{"a":1}]`, invalid},
		{"trailing word", `{} x`, invalid},
		{"comment", `{} // x`, invalid},
		{"empty", ``, invalid},
		{"cut off", `{"a":"`, invalid},
		{"cut off escape", `{"a":"\`, invalid},
		{"single quotes", `{'a':1}`, invalid},
		{"NaN", `{"a":NaN}`, invalid},
		{"too large", `{"a":1e400}`, invalid},
		{"byte order mark", "\ufeff{}", invalid},
		{"colons", `{"a"::1}`, invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decodeJSON([]byte(c.text))
			if c.refused != "" {
				if e := kyc.AsError(err); e == nil || e.Code != kyc.CodeInvalid || !strings.Contains(e.Message, c.refused) {
					t.Errorf("got %v, %v, want an error: %s", got, err, c.refused)
				}
				return
			}
			var want any
			if wrong := json.Unmarshal([]byte(c.text), &want); wrong != nil || err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, %v, want %v, %v", got, err, want, wrong)
			}
		})
	}
}

// TestShapeIsLinear: no text makes looking at it dearer than its length.
func TestShapeIsLinear(t *testing.T) {
	const size = 8 << 20
	for name, text := range map[string]string{
		"backslashes":        `"` + strings.Repeat(`\`, size),
		"escaped quotes":     `"` + strings.Repeat(`\"`, size/2),
		"quotes":             strings.Repeat(`"`, size),
		"brackets":           strings.Repeat(`[`, size),
		"image":              `{"image":"` + strings.Repeat("A", size) + `"}`,
		"escaped backslashs": `"` + strings.Repeat(`\\`, size/2) + `"`,
	} {
		began := time.Now()
		shape([]byte(text))
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: %v for %d bytes", name, took, size)
		}
	}
}

// FuzzDecodeJSON holds decodeJSON against the decoder that reads one token after the other.
func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"a":"\"\\"}],"b\"":{}}`))
	f.Add([]byte(`{"a":1,"\u0061":2}`))
	f.Add([]byte(`[[[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeJSON(data)
		var want any
		valid := json.Unmarshal(data, &want) == nil
		deepest, repeated := tokens(data)
		fit := valid && deepest <= maxDepth && !repeated
		if fit != (err == nil) {
			t.Fatalf("got %v, valid %v, depth %d, repeated %v", err, valid, deepest, repeated)
		}
		if fit && !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// tokens is shape in the slow way: how deep the text is nested, and whether an object has a member twice.
func tokens(data []byte) (deepest int, repeated bool) {
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	type object struct {
		names  map[string]bool // nil for an array
		isName bool
	}
	var open []object
	for {
		token, err := decoder.Token()
		if err != nil {
			return deepest, repeated
		}
		if len(open) > 0 {
			top := &open[len(open)-1]
			if name, ok := token.(string); ok && top.names != nil && top.isName {
				repeated = repeated || top.names[name]
				top.names[name], top.isName = true, false
				continue
			}
			top.isName = true
		}
		switch token {
		case json.Delim('{'):
			open = append(open, object{names: map[string]bool{}, isName: true})
		case json.Delim('['):
			open = append(open, object{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		deepest = max(deepest, len(open))
	}
}
