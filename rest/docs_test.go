package rest

import (
	"net/http"
	"strings"
	"testing"

	"kycd/rest/reference"
)

// TestDocs wants every operation and every code on the page, which problems point to.
func TestDocs(t *testing.T) {
	a := newTestAPI(t, &fake{}, wellProbe())
	w := a.do(request(http.MethodGet, "/docs", "", ""))
	page := w.Body.String()
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self'; ") {
		t.Fatalf("%d %q", w.Code, w.Header().Get("Content-Security-Policy"))
	}
	for at, op := range a.contract.operations {
		if !strings.Contains(page, `id="`+op.id+`"`) || !strings.Contains(page, "<code>"+at.path+"</code>") {
			t.Errorf("/docs lacks %s", op.id)
		}
	}
	for code := range titles() {
		if !strings.Contains(page, `id="`+string(code)+`"`) {
			t.Errorf("/docs lacks the code %s, which problems point to", code)
		}
		if reference.Remedy(string(code)) == "" {
			t.Errorf("nobody says what to do about %s: rest/reference/remedy.go", code)
		}
	}
	if !strings.Contains(page, "KYCD='https://kyc.example'") || !strings.Contains(page, "kycd 1.2.3") {
		t.Error("/docs does not know the server that it is about")
	}
}

// TestDocsOrigin asks a server that was not told its name.
func TestDocsOrigin(t *testing.T) {
	h := New(Options{Service: &fake{}, Probe: wellProbe()})
	for url, want := range map[string]string{
		"http://localhost:8080/docs":     "KYCD='http://localhost:8080'",
		"https://kyc.other.example/docs": "KYCD='https://kyc.other.example'",
	} {
		w := httptestRecorder()
		h.ServeHTTP(w, request(http.MethodGet, url, "", ""))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s does not say %s", url, want)
		}
	}
}
