package face

import (
	"math"
	"testing"

	"kycd/vision"
)

func TestDecodeYuNet(t *testing.T) {
	// A 32×16 px input at stride 8 has 4×2 anchors; number 6 is column 2, row 1.
	const n = 8
	cls, obj := make([]float32, n), make([]float32, n)
	box, kps := make([]float32, 4*n), make([]float32, 10*n)
	cls[6], obj[6] = 0.81, 1.2 // above 1 counts as 1
	copy(box[24:], []float32{0.5, 0.25, float32(math.Log(3)), float32(math.Log(4))})
	copy(kps[60:], []float32{0, 0, 1, 0, 0.5, 0.5, 0, 1, 1, 1})
	cls[1], obj[1] = float32(math.NaN()), 1
	cls[2], obj[2] = 0.5, 0.5

	found, err := decodeYuNet(cls, obj, box, kps, 8, 32, 16, 0.7)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 {
		t.Fatalf("found %d faces, want 1", len(found))
	}
	d := found[0]
	for name, pair := range map[string][2]float64{
		"score": {d.Score, 0.9}, "x": {d.X, 2.5*8 - 12}, "y": {d.Y, 1.25*8 - 16}, "width": {d.Width, 24}, "height": {d.Height, 32},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-5 {
			t.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	if want := (vision.Point{X: 24, Y: 8}); len(d.Landmarks) != 5 || d.Landmarks[1] != want {
		t.Errorf("landmarks %v, want the second at %v", d.Landmarks, want)
	}
	if _, err := decodeYuNet(cls[1:], obj, box, kps, 8, 32, 16, 0.7); err == nil {
		t.Error("an output of the wrong size was decoded")
	}
}

func TestSuppress(t *testing.T) {
	faces := []Detection{
		{X: 2, Y: 0, Width: 10, Height: 10, Score: 0.7},
		{X: 0, Y: 0, Width: 10, Height: 10, Score: 0.9},
		{X: 30, Y: 0, Width: 10, Height: 10, Score: 0.8},
	}
	kept := suppress(faces, 0.3)
	if len(kept) != 2 || kept[0].Score != 0.9 || kept[1].Score != 0.8 {
		t.Errorf("kept %+v", kept)
	}
}

func TestSortByProminence(t *testing.T) {
	tests := []struct {
		name  string
		faces []Detection
		main  float64 // score of the one that must come first
	}{
		{"the larger of two in the middle", []Detection{{X: 40, Y: 40, Width: 10, Height: 10, Score: 1}, {X: 40, Y: 40, Width: 20, Height: 20, Score: 2}}, 2},
		{"the middle one of two as large", []Detection{{X: 0, Y: 0, Width: 20, Height: 20, Score: 1}, {X: 40, Y: 40, Width: 20, Height: 20, Score: 2}}, 2},
		{"the far larger at the edge", []Detection{{X: 60, Y: 0, Width: 40, Height: 40, Score: 1}, {X: 45, Y: 45, Width: 10, Height: 10, Score: 2}}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sortByProminence(test.faces, 100, 100)
			if test.faces[0].Score != test.main {
				t.Errorf("main face is %+v", test.faces[0])
			}
		})
	}
}
