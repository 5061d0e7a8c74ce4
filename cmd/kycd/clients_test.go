package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestClients runs the clients' own tests against the program as it is shipped.
func TestClients(t *testing.T) {
	t.Parallel()
	programPath(t, "kycd-vision")
	p := newPlace(t)
	server := p.serve(t).ready(t)
	pictures := t.TempDir()
	run := func(t *testing.T, folder, name string, args ...string) string {
		t.Helper()
		made := p.newClient(t, "Client of "+name) // each with pictures that nobody handed in before
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = folder
		cmd.Env = append(p.environment(), "KYCD_URL="+server.url(), "KYCD_CLIENT_ID="+made.ClientID,
			"KYCD_CLIENT_SECRET="+made.ClientSecret, "KYCD_PICTURES="+pictures)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, bytes.ReplaceAll(out, []byte(made.ClientSecret), []byte("…")))
		}
		return string(out)
	}
	run(t, ".", p.kycd, "demo", "--pictures", pictures)

	t.Run("Go", func(t *testing.T) {
		t.Parallel()
		said := run(t, filepath.Join("..", ".."), "go", "test", "-v", "-count=1", "-run", "^TestServer", "./clients/go")
		if strings.Count(said, "--- PASS: ") < 4 || strings.Contains(said, "--- SKIP: ") {
			t.Errorf("it said\n%s", said)
		}
	})
	t.Run("TypeScript", func(t *testing.T) {
		t.Parallel()
		folder := filepath.Join("..", "..", "clients", "typescript")
		if _, err := os.Stat(filepath.Join(folder, "dist", "node.js")); err != nil {
			lacks(t, "needs clients/typescript built (npm ci && npm run build there)")
		}
		said := run(t, folder, "node", "--test", "test/server.test.js")
		passed := regexp.MustCompile(`(?m)^. pass (\d+)$`).FindStringSubmatch(said)
		if len(passed) != 2 || passed[1] == "0" {
			t.Errorf("it said\n%s", said)
		}
	})
}
