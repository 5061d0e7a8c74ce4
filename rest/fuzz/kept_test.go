package fuzz_test

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// TestFreeObjectsComeBack: what a caller keeps with a session is given back as it was, whatever it is.
func TestFreeObjectsComeBack(t *testing.T) {
	e := openEstate(t, "")
	cases(t, 80)
	ask := func(t *rapid.T, path string, v any) map[string]any {
		var content bytes.Buffer
		style{escape: pick(t, 0, 1, 2)}.write(&content, v, func(ref) string { return "" })
		wire := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nX-Client-Id: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			path, e.main.token, e.main.Principal.ClientID, content.Len(), &content)
		got, err := e.send(wire, http.MethodPost, false)
		if err != nil {
			t.Fatal(err)
		}
		if got.StatusCode == http.StatusRequestEntityTooLarge {
			t.Skip("too large")
		}
		if got.StatusCode != http.StatusOK {
			t.Fatalf("%s\n%s", shown(wire), got.shown())
		}
		value, err := decoded(got.body)
		if err != nil {
			t.Fatal(err)
		}
		return value.(map[string]any)
	}
	plain := func(t *rapid.T, v any) any {
		var content bytes.Buffer
		style{}.write(&content, v, nil)
		value, err := decoded(content.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	objects := rapid.Custom(func(t *rapid.T) *object { return anyObject(t, pick(t, 1, 3, 30)) })
	rapid.Check(t, func(t *rapid.T) {
		metadata, settings, device := objects.Draw(t, "metadata"), objects.Draw(t, "settings"), objects.Draw(t, "sdk_metadata")
		made := ask(t, "/v2/idv/session/create", &object{[]member{{"metadata", metadata}, {"settings", settings}}})
		id := made["session_id"]
		ask(t, "/v2/idv/sdk/consent/add", &object{[]member{{"session_id", id}, {"consented", true}}})
		ask(t, "/v2/idv/sdk/metadata/update", &object{[]member{{"session_id", id}, {"sdk_metadata", device}}})
		session := ask(t, "/v2/idv/session/read", &object{[]member{{"session_id", id}}})
		seen := ask(t, "/v2/idv/sdk/session/read", &object{[]member{{"session_id", id}}})
		for name, kept := range map[string]struct{ sent, got any }{
			"metadata": {metadata, session["metadata"]}, "settings": {settings, session["settings"]}, "sdk_metadata": {device, seen["sdk_metadata"]},
		} {
			if want := plain(t, kept.sent); !reflect.DeepEqual(kept.got, want) {
				t.Fatalf("%s is %.1000v, want %.1000v", name, kept.got, want)
			}
		}
		// Every key and value finds the session again.
		page := ask(t, "/v2/idv/session/list", &object{[]member{{"metadata", metadata}, {"take", raw("200")}}})
		for _, found := range page["sessions"].([]any) {
			if found.(map[string]any)["session_id"] == id {
				return
			}
		}
		if page["meta_counts"].(map[string]any)["total"].(float64) <= 200 {
			t.Fatalf("the metadata does not find its session among %d", len(page["sessions"].([]any)))
		}
	})
}
