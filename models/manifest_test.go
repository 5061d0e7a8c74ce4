package models

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestManifest(t *testing.T) {
	digest := regexp.MustCompile(`^[0-9a-f]{64}$`)
	rank := map[Kind]int{KindMirror: 0, KindSystem: 1, KindRegistry: 2, KindWeb: 3, KindArchive: 4, KindBuilt: 5}
	weights, files := map[string]bool{}, map[string]bool{}
	for _, w := range Manifest() {
		if weights[w.Name] {
			t.Errorf("weight %s is listed twice", w.Name)
		}
		weights[w.Name] = true
		for what, text := range map[string]string{"name": w.Name, "title": w.Title, "version": w.Version, "licence": w.Licence, "loss": w.Loss} {
			if text == "" || strings.Contains(text, "\n") {
				t.Errorf("%s: %s is %q, want one line", w.Name, what, text)
			}
		}
		if len(w.Checks) == 0 || len(w.Files) == 0 {
			t.Errorf("%s enables %d checks with %d files", w.Name, len(w.Checks), len(w.Files))
		}
		if w.Required && w.Reserved {
			t.Errorf("%s is required and unused", w.Name)
		}
		for _, f := range w.Files {
			if files[f.Name] || filepath.Base(f.Name) != f.Name {
				t.Errorf("%s: file name %q is used twice or is no file name", w.Name, f.Name)
			}
			files[f.Name] = true
			if len(f.Sources) == 0 {
				t.Errorf("%s has no source", f.Name)
			}
			last := 0
			for _, s := range f.Sources {
				if rank[s.Kind] < last {
					t.Errorf("%s: %s is tried too late", f.Name, s.Kind)
				}
				last = rank[s.Kind]
				for _, p := range s.Parts {
					if p.Where == "" || (s.Kind == KindWeb) != strings.HasPrefix(p.Where, "https://") {
						t.Errorf("%s: %s at %q", f.Name, s.Kind, p.Where)
					}
					if !w.InPlace && (!digest.MatchString(p.SHA256) || p.Size <= 0) {
						t.Errorf("%s: %q is not pinned", f.Name, p.Where)
					}
				}
				if w.InPlace {
					continue
				}
				if !digest.MatchString(s.Result.SHA256) || s.Result.Size <= 0 {
					t.Errorf("%s from %s: the result is not pinned", f.Name, s.Kind)
				}
				if s.Convert == ConvertNone && (len(s.Parts) != 1 || s.Parts[0].Pin != s.Result) {
					t.Errorf("%s from %s: an unconverted download must be the result", f.Name, s.Kind)
				}
			}
		}
	}
	for _, f := range []string{FileFaceEncoder, FileShapePredictor, FileMMODDetector, FileYuNet, FileMiniFASNet, FileMobileFace, FileMobileFaceBin, FileMiniFASNetV2, FileMiniFASNetV1SE} {
		if !files[f] {
			t.Errorf("%s is not in the manifest", f)
		}
	}
	for _, n := range Nets() {
		for _, f := range n.Files() {
			if !files[f] {
				t.Errorf("%s of network %s is not in the manifest", f, n)
			}
		}
	}
	for _, w := range []string{WeightFaceEncoder, WeightShapePredictor, WeightFaceDetector, WeightLiveness, WeightText, WeightSecondLiveness, WeightSecondEncoder, WeightAgeGender, WeightExpression} {
		if !weights[w] {
			t.Errorf("weight %s is not in the manifest", w)
		}
	}
}

// The lockfile must pin every package by content and name no registry: that is the machine's choice.
func TestLockfile(t *testing.T) {
	var lock struct {
		Packages map[string]struct {
			Version   string `json:"version"`
			Integrity string `json:"integrity"`
			Resolved  string `json:"resolved"`
			Scripts   bool   `json:"hasInstallScript"`
		} `json:"packages"`
	}
	b, err := npmFiles.ReadFile("npm/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		t.Fatal(err)
	}
	if len(lock.Packages) != 3 {
		t.Errorf("%d packages, want the project and two others", len(lock.Packages))
	}
	for name, p := range lock.Packages {
		if name == "" {
			continue
		}
		if !strings.HasPrefix(p.Integrity, "sha512-") || p.Resolved != "" || p.Scripts {
			t.Errorf("%s: integrity %q, resolved %q, install script %v", name, p.Integrity, p.Resolved, p.Scripts)
		}
	}
	for _, w := range Manifest() {
		for _, f := range w.Files {
			for _, s := range f.Sources {
				if s.Kind != KindRegistry {
					continue
				}
				parts := strings.SplitN(s.Parts[0].Where, "/", 3)
				if _, ok := lock.Packages["node_modules/"+parts[0]+"/"+parts[1]]; !ok {
					t.Errorf("%s: %s/%s is not in the lockfile", f.Name, parts[0], parts[1])
				}
			}
		}
	}
	for name, version := range map[string]string{faceAPI: faceAPIRel, human: humanRel} {
		if got := lock.Packages["node_modules/"+name].Version; got != version {
			t.Errorf("%s: lockfile has %s, the manifest %s", name, got, version)
		}
	}
}

// So must that of the reference, which is for comparisons alone.
func TestReferenceLockfile(t *testing.T) {
	b, err := os.ReadFile("reference/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct {
			Version   string `json:"version"`
			Integrity string `json:"integrity"`
			Resolved  string `json:"resolved"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		t.Fatal(err)
	}
	for name, p := range lock.Packages {
		if name != "" && (!strings.HasPrefix(p.Integrity, "sha512-") || p.Resolved != "") {
			t.Errorf("%s: integrity %q, resolved %q", name, p.Integrity, p.Resolved)
		}
	}
	if got := lock.Packages["node_modules/"+faceAPI].Version; got != faceAPIRel {
		t.Errorf("the reference is face-api %s, the weights are of %s", got, faceAPIRel)
	}
}
