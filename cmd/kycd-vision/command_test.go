package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kycd/vision"
	"kycd/vision/visiontest"
)

// call runs the program and gives its standard output line by line.
func call(t *testing.T, args ...string) ([]string, error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	root := newRoot()
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(context.Background())
	var lines []string
	scanner := bufio.NewScanner(&stdout)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines, err
}

const encoderFile = "dlib_face_recognition_resnet_model_v1.dat"

func TestAnalyze(t *testing.T) {
	models := visiontest.Models(t, encoderFile)
	face := visiontest.Testdata(t, "faces/dev/identities/deepface/p00/img10.jpg")
	text := filepath.Join(t.TempDir(), "renamed.jpg")
	if err := os.WriteFile(text, []byte("a text"), 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(t.TempDir(), "large.jpg")
	if err := os.WriteFile(large, make([]byte, vision.MaxImageBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing.jpg")

	lines, err := call(t, "analyze", "--json", "--ask", "faces", "--models", models, text, face, missing, large)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		file, err string
		faces     int
	}{{text, "image_unsupported", 0}, {face, "", 1}, {missing, "file_unreadable", 0}, {large, "image_too_large", 0}}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d", len(lines), len(want))
	}
	for i, line := range lines {
		var a vision.Analysis
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		if a.File != want[i].file || a.Error != want[i].err || len(a.Faces) != want[i].faces {
			t.Errorf("line %d: file %s, error %q, %d faces; want %+v", i, a.File, a.Error, len(a.Faces), want[i])
		}
	}
}

func TestComparePairs(t *testing.T) {
	models := visiontest.Models(t, encoderFile)
	root := visiontest.Testdata(t, "faces/dev/identities/deepface")
	pairs := filepath.Join(t.TempDir(), "pairs.csv")
	rows := "image_a,image_b,note\np00/img10.jpg,p00/img11.jpg,1\np00/img10.jpg,p06/img21.jpg,0\np00/img10.jpg,none.jpg,\n"
	if err := os.WriteFile(pairs, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, err := call(t, "compare", "--pairs", pairs, "--root", root, "--json", "--models", models)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		b       string
		verdict vision.FaceVerdict
		err     string
	}{{"p00/img11.jpg", vision.VerdictSame, ""}, {"p06/img21.jpg", vision.VerdictDifferent, ""}, {"none.jpg", vision.VerdictUnknown, "file_unreadable"}}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d: %s", len(lines), len(want), strings.Join(lines, "\n"))
	}
	for i, line := range lines {
		var c vision.Comparison
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		if c.A != "p00/img10.jpg" || c.B != want[i].b || c.Verdict != want[i].verdict || c.Error != want[i].err {
			t.Errorf("line %d: %s", i, line)
		}
		if (c.Distance == nil) != (c.Error != "") {
			t.Errorf("line %d: distance and error do not agree: %s", i, line)
		}
	}
}

func TestWrongUse(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.csv")
	if err := os.WriteFile(empty, []byte("a,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"analyze"},
		{"analyze", "--ask", "horoscope", "x.jpg"},
		{"compare", "one.jpg"},
		{"compare", "one.jpg", "two.jpg", "--tolerance", "0"},
		{"compare", "one.jpg", "two.jpg", "--tolerance", "NaN"},
		{"compare", "--pairs", "a.csv", "one.jpg"},
		{"compare", "--pairs", filepath.Join(t.TempDir(), "missing.csv")},
		{"compare", "--pairs", empty},
		{"analyze", "x.jpg", "--models", empty}, // no folder, and none can be made there
		{"unknown"},
	} {
		if lines, err := call(t, args...); err == nil || len(lines) != 0 {
			t.Errorf("%v: error %v, output %v", args, err, lines)
		}
	}
}

func TestParseAsk(t *testing.T) {
	tests := map[string]vision.Ask{
		"all":           vision.AskAll(),
		"faces":         {Faces: true},
		"liveness":      {Faces: true, Liveness: true},
		"barcodes, mrz": {Barcodes: true, MRZ: true},
		"document,text": {Document: true, Text: true},
	}
	for parts, want := range tests {
		if got, err := parseAsk(parts); err != nil || got != want {
			t.Errorf("%q: %+v, %v", parts, got, err)
		}
	}
}
