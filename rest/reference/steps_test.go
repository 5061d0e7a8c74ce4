package reference_test

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"kycd/kyc/kyctest/house"
	"kycd/rest"
)

// well is an installation in which everything works.
type well struct{}

func (well) Live(context.Context) error { return nil }

func (well) Ready(context.Context) rest.Readiness { return rest.Readiness{Ready: true} }

func (well) Health(context.Context) rest.Health { return rest.Health{Status: rest.HealthOK} }

var step = regexp.MustCompile(`(?s)<pre [^>]*data-step><code>(.*?)</code></pre>`)

// TestFirstSteps does what the page tells a newcomer to do, line by line, against the server that shows it.
func TestFirstSteps(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("needs " + tool)
			}
			t.Skip("needs " + tool + " (make test installs it)")
		}
	}
	h := house.Open(t, house.Options{})
	web := httptest.NewServer(rest.New(rest.Options{Service: h.Service, Probe: well{}}))
	defer web.Close()
	answer, err := http.Get(web.URL + "/docs")
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if _, err := page.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()

	client, err := h.CreateClient(t.Context(), "Newcomer")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, match := range step.FindAllStringSubmatch(page.String(), -1) {
		script.WriteString(html.UnescapeString(match[1]) + "\n")
	}
	filledIn := strings.NewReplacer("CLIENT_ID='…'", "CLIENT_ID='"+client.ClientID+"'", "CLIENT_SECRET='…'", "CLIENT_SECRET='"+client.ClientSecret+"'").Replace(script.String())
	if strings.Contains(filledIn, "…") || !strings.Contains(filledIn, "KYCD='"+web.URL+"'") {
		t.Fatalf("the steps are\n%s", script.String())
	}

	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", filledIn)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Consent answers {}, and the last step prints the session.
	decoder := json.NewDecoder(bytes.NewReader(out))
	var consent, session map[string]any
	if err := decoder.Decode(&consent); err != nil || len(consent) != 0 {
		t.Fatalf("consent: %v\n%s", err, out)
	}
	if err := decoder.Decode(&session); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if session["consented"] != true || session["status_e"] != "in_progress" || session["metadata"].(map[string]any)["customer"] != "4711" {
		t.Errorf("the session is %v", session)
	}
}
