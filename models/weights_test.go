package models

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
)

// needsWeights ends a test that needs npm's packages on a machine that cannot get them.
func needsWeights(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skipf("needs weights: %v", err)
}

// noWeb is a client for which every host is down.
type noWeb struct{}

func (noWeb) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no internet") }

// On a machine that reaches npm and nothing else, the encoder is converted to exactly the bytes that dlib
// writes for the same network: the pin in the manifest was taken from dlib's own serialization.
func TestRegistryOnly(t *testing.T) {
	opts := Options{Dir: t.TempDir(), Mirror: MirrorNone, HTTP: &http.Client{Transport: noWeb{}}}
	_, err := NPMFile(t.Context(), opts, faceAPI, "package.json")
	needsWeights(t, err)
	report, err := Fetch(t.Context(), opts)
	for _, w := range []string{WeightFaceEncoder, "mmod_detector", "age_gender", "facemesh", "faceres"} {
		if !report.Has(w) {
			t.Errorf("%s is not there", w)
		}
	}
	if found, err := measure(t.Context(), report.Path(FileFaceEncoder)); err != nil || found.Size != 22466154 ||
		found.SHA256 != "cdb1d47b961fe310ef1f3aa2974c5f65d29c079346760f6b6785c7e405f7266a" {
		t.Errorf("encoder %+v, %v", found, err)
	}
	if !report.Has(WeightShapePredictor) {
		needsWeights(t, err) // Debian's package is not installed
	}
	if err != nil {
		t.Errorf("all that is required is there, and yet: %v", err)
	}
	degraded := strings.Join(report.Degraded(), "\n")
	for _, want := range []string{WeightFaceDetector + " missing: ", WeightLiveness + " missing: "} {
		if !strings.Contains(degraded, want) {
			t.Errorf("degraded says nothing of %q:\n%s", want, degraded)
		}
	}
	if verified, err := Verify(t.Context(), opts.Dir); err != nil || len(verified.Weights) != len(report.Weights) {
		t.Errorf("verify: %v", err)
	}
}

func TestMirrorOfAllWeights(t *testing.T) {
	if defaultMirror() == "" {
		needsWeights(t, errors.New("there is no mirror folder beside the project"))
	}
	opts := Options{Dir: t.TempDir(), HTTP: &http.Client{Transport: noWeb{}}}
	_, err := NPMFile(t.Context(), opts, faceAPI, "package.json")
	needsWeights(t, err)
	report, err := Fetch(t.Context(), opts)
	needsWeights(t, err)
	if degraded := report.Degraded(); len(degraded) > 0 {
		t.Errorf("degraded with a full mirror: %q", degraded)
	}
	if !report.Has(WeightSecondLiveness) || !report.Has(WeightSecondEncoder) {
		t.Error("the mirror's second opinions were not laid out")
	}
}

func TestNPMFile(t *testing.T) {
	opts := Options{Dir: t.TempDir()}
	photo, err := NPMFile(t.Context(), opts, faceAPI, "demo/sample1.jpg")
	needsWeights(t, err)
	if !bytes.HasPrefix(photo, []byte{0xFF, 0xD8, 0xFF}) || len(photo) < 100_000 {
		t.Errorf("%d bytes that are no JPEG", len(photo))
	}
	for _, c := range [][2]string{{faceAPI, "../../../secret"}, {faceAPI, "/etc/passwd"}, {"..", "package.json"}, {faceAPI, "nothing.jpg"}, {"left-pad", "package.json"}, {"", ""}} {
		var refused *Error
		if _, err := NPMFile(t.Context(), opts, c[0], c[1]); !errors.As(err, &refused) || refused.Code != CodeRegistry {
			t.Errorf("%q of %q: %v", c[1], c[0], err)
		}
	}
}

// npm is ended with the context that started it, and says in one line why it failed.
func TestRegistryFailure(t *testing.T) {
	t.Setenv("npm_config_registry", "http://127.0.0.1:1/")
	t.Setenv("npm_config_cache", t.TempDir())
	opts := Options{Dir: t.TempDir(), Cache: t.TempDir()}
	_, err := NPMFile(t.Context(), opts, faceAPI, "package.json")
	var failed *Error
	if !errors.As(err, &failed) || failed.Code != CodeRegistry || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NPMFile(ended, opts, faceAPI, "package.json"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestNPMReason(t *testing.T) {
	plain := errors.New("exit status 1")
	for _, c := range []struct{ output, want string }{
		{"npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error errno ENOTFOUND\nnpm error network request failed\nnpm error more\n", "code ENOTFOUND, network request failed"},
		{"npm ERR! code EINTEGRITY\nnpm ERR! sha512-AAAA integrity checksum failed\n", "code EINTEGRITY, sha512-AAAA integrity checksum failed"},
		{"", "exit status 1"},
	} {
		if got := npmReason(c.output, plain).Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
