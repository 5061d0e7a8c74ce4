package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kycd/vision"
)

// The fit finds the curve that the labels were drawn from.
func TestFitLogistic(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	truth := logistic{middle: 0.5, slope: 20}
	var all []observation
	for range 20000 {
		d := random.Float64()
		all = append(all, observation{distance: d, same: random.Float64() < truth.at(d)})
	}
	got := fitLogistic(all)
	if math.Abs(got.middle-truth.middle) > 0.01 || math.Abs(got.slope-truth.slope) > 1 {
		t.Errorf("fitted %+v, want about %+v", got, truth)
	}
}

func TestAUC(t *testing.T) {
	if got := auc([]float64{0.1, 0.2}, []float64{0.15, 0.3}); got != 0.75 {
		t.Errorf("got %v, want 0.75", got)
	}
}

// The promise of 1e-3 allows no error in 3000 trials, and three in 8665.
func TestAllowed(t *testing.T) {
	for trials, want := range map[int]int{3000: 0, 8665: 3} {
		if got := allowed(trials); got != want {
			t.Errorf("%d trials allow %d errors, want %d", trials, got, want)
		}
	}
}

// people writes pairs and faces of invented people: each encoding is a person's own point and noise, and the second
// encoder's noise is another.
func people(t *testing.T, second bool) (pairs, faces string) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 8))
	draw := func(n int, spread float64) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(random.NormFloat64() * spread)
		}
		return values
	}
	near := func(values []float32, spread float64) []float32 {
		moved := draw(len(values), spread)
		for i := range moved {
			moved[i] += values[i]
		}
		return moved
	}
	rows := []string{"image_a,image_b,same_person"}
	var lines bytes.Buffer
	var images []string
	for p := range 30 {
		a, b := draw(vision.FaceEncodingSize, 0.05), draw(vision.SecondFaceEncodingSize, 0.05)
		for i := range 4 {
			image := fmt.Sprintf("set/person%d/%d.jpg", p, i)
			images = append(images, image)
			face := vision.Face{Encoder: vision.FaceEncoder, Encoding: near(a, 0.03)}
			if second {
				face.Second = &vision.Encoding{Encoder: vision.SecondFaceEncoder, Values: near(b, 0.03)}
			}
			if err := json.NewEncoder(&lines).Encode(vision.Analysis{File: "/some/where/" + image, Faces: []vision.Face{face}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, a := range images {
		for _, b := range images[i+1:] {
			rows = append(rows, fmt.Sprintf("%s,%s,%d", a, b, map[bool]int{true: 1}[person(a) == person(b)]))
		}
	}
	folder := t.TempDir()
	pairs, faces = filepath.Join(folder, "pairs.csv"), filepath.Join(folder, "faces.jsonl")
	for name, text := range map[string]string{pairs: strings.Join(rows, "\n") + "\n", faces: lines.String()} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pairs, faces
}

// Two encoders with independent noise tell more than one, and the common scale breaks the promise just beyond the default.
func TestRun(t *testing.T) {
	for _, second := range []bool{true, false} {
		pairsFile, facesFile := people(t, second)
		var out bytes.Buffer
		if err := run(pairsFile, facesFile, &out); err != nil {
			t.Fatal(err)
		}
		want := vision.FaceEncoder + "\n"
		if second {
			want = vision.FusedFaceEncoder + "\n"
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("no report of %s:\n%s", want, out.String())
		}
		if !second {
			continue
		}
		images, listed, err := readPairs(pairsFile)
		if err != nil {
			t.Fatal(err)
		}
		templates, err := readTemplates(facesFile, images)
		if err != nil {
			t.Fatal(err)
		}
		pairs := pairsOf(images, templates, listed)
		scale := commonScale(pairs, secondWeight)
		_, other := split(pairs, anyPair, func(p pair) float64 { return p.distance(secondWeight, scale) })
		if at := other[allowed(len(other))]; math.Abs(at-ruled) > 1e-9 {
			t.Errorf("the promise breaks at %v, want %v", at, ruled)
		}
		same, one := split(pairs, anyPair, func(p pair) float64 { return p.distance(0, 1) })
		both, strangers := split(pairs, anyPair, func(p pair) float64 { return p.distance(secondWeight, 1) })
		if refusedAt(both, strangers, 0.001) > refusedAt(same, one, 0.001) {
			t.Error("the two encoders together refuse more than one")
		}
	}
}

func TestReadingRefusesWhatDoesNotBelongTogether(t *testing.T) {
	pairs, faces := people(t, true)
	text, err := os.ReadFile(faces)
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(strings.Lines(string(text)))
	if err := os.WriteFile(faces, []byte(strings.Join(lines[1:], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(pairs, faces, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "lacks set/person0/0.jpg") {
		t.Errorf("a picture that was not analysed: %v", err)
	}
	if err := os.WriteFile(pairs, []byte("image_a,image_b,same_person\na/1.jpg,b/1.jpg,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(pairs, faces, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "record 2") {
		t.Errorf("a label that contradicts the folders: %v", err)
	}
}
