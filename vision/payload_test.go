package vision

import "testing"

func TestPayloadText(t *testing.T) {
	for in, want := range map[string]string{"@\n\x1e\rANSI": "@\n\x1e\rANSI", "Zoë": "Zoë", "Zo\xeb": "Zoë"} {
		if got := PayloadText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
