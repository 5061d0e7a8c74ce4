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

// TestQuickstart does what docs/quickstart.md says, block by block, against the program as it is shipped.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	vision := programPath(t, "kycd-vision")
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "quickstart.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"bash", "curl", "jq", "node"} {
		if _, err := exec.LookPath(tool); err != nil {
			lacks(t, "needs "+tool+" (make test installs it)")
		}
	}
	p := newPlace(t)
	made := p.newClient(t, "Quickstart")
	server := p.serve(t).ready(t)
	folder := t.TempDir()
	if err := os.Symlink(filepath.Dir(vision), filepath.Join(folder, "bin")); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = folder
		cmd.Env = append(p.environment(), "KYCD="+server.url(), "CLIENT_ID="+made.ClientID, "CLIENT_SECRET="+made.ClientSecret)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, bytes.ReplaceAll(out, []byte(made.ClientSecret), []byte("…")))
		}
		return string(out)
	}

	t.Run("curl", func(t *testing.T) {
		blocks := blocksOf(page, "sh")
		if len(blocks) < 10 {
			t.Fatalf("the page has %d blocks", len(blocks))
		}
		said := run(t, "bash", "-euo", "pipefail", "-c", strings.Join(blocks, "\n"))
		if !strings.Contains(said, `"verified": true`) {
			t.Errorf("it said\n%s", said)
		}
	})
	t.Run("TypeScript", func(t *testing.T) {
		client, err := filepath.Abs(filepath.Join("..", "..", "clients", "typescript"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{filepath.Join("dist", "node.js"), filepath.Join("node_modules", "typescript", "package.json")} {
			if _, err := os.Stat(filepath.Join(client, file)); err != nil {
				lacks(t, "needs clients/typescript built (npm ci && npm run build there)")
			}
		}
		blocks := blocksOf(page, "ts")
		if len(blocks) != 1 {
			t.Fatalf("the page has %d programs", len(blocks))
		}
		write := func(name, content string) {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		// What npm install would do, without asking a registry.
		if err := os.MkdirAll(filepath.Join(folder, "node_modules"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(client, filepath.Join(folder, "node_modules", "kycd-client")); err != nil {
			t.Fatal(err)
		}
		write("quickstart.ts", blocks[0])
		write("strip.mjs", `import { createRequire } from 'node:module'
import { readFileSync, writeFileSync } from 'node:fs'
const ts = createRequire(process.argv[2] + '/')('typescript')
const out = ts.transpileModule(readFileSync('quickstart.ts', 'utf8'), {
  reportDiagnostics: true, compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
})
if (out.diagnostics.length > 0) throw new Error(JSON.stringify(out.diagnostics.map(d => d.messageText)))
writeFileSync('quickstart.mjs', out.outputText)
`)
		run(t, "node", "strip.mjs", client)
		said := run(t, "node", "quickstart.mjs")
		for _, want := range []string{"true WINIFRED", "the same person: true", "somebody else: false", "404 not_found"} {
			if !strings.Contains(said, want) {
				t.Errorf("it did not say %q:\n%s", want, said)
			}
		}
	})
}

// blocksOf are the code blocks of a page in one language.
func blocksOf(page []byte, language string) []string {
	var blocks []string
	for _, match := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(page, -1) {
		blocks = append(blocks, string(match[1]))
	}
	return blocks
}
