package rest

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/oapi-codegen/runtime"

	api "kycd/rest/generated"
)

// FuzzSpelledIntegers: however whole numbers are written, the generated types read the value that was validated, and nothing
// else of a body changes.
func FuzzSpelledIntegers(f *testing.F) {
	for _, seed := range []string{
		`{"take":20}`, `{"take":2e1,"skip":1000000}`, `{"skip":2147483647}`, `{"take":-0.0}`, `{"skip":1.0E6}`,
		`{"metadata":{"a":[1e15,9007199254740993,1e300,-0,0.5,{"b":1e6}]}}`,
		`{"take":1.5}`, `[1e6]`, `1e6`, `{"search_term":"1e6"}`, `{"metadata":{"":1e-400}}`, "{\"metadata\":{\"\xff\":1000000}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := decodeJSON(text)
		if err != nil {
			return
		}
		before, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		object, _ := value.(map[string]any)
		take, isNumber := object["take"].(float64)
		spellIntegers(value)
		after, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := normalJSON(t, after), normalJSON(t, before); !bytes.Equal(got, want) {
			t.Fatalf("got %s, want %s", got, want)
		}
		if !isNumber || take != math.Trunc(take) || math.Abs(take) > math.MaxInt32 || len(object) != 1 {
			return
		}
		var list api.IdvSessionList
		if err := runtime.BindJSONValue(value, &list); err != nil || list.Take == nil || float64(*list.Take) != take {
			t.Fatalf("%s is read as %v, %v", text, list.Take, err)
		}
	})
}

// normalJSON writes a text as Go does, without the sign of a zero.
func normalJSON(t *testing.T, text []byte) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.NewReplacer(":-0,", ":0,", ":-0}", ":0}", "[-0,", "[0,", ",-0,", ",0,", ",-0]", ",0]", "[-0]", "[0]").Replace(string(out)))
}
