package engine

import (
	"testing"

	"kycd/vision"
	"kycd/vision/imaging"
)

func TestPlacing(t *testing.T) {
	p := page{
		picture: imaging.New(make([]byte, 3*100*50), 100, 50),
		outline: vision.Document{Corners: [4]vision.Point{{X: 20, Y: 10}, {X: 220, Y: 10}, {X: 220, Y: 110}, {X: 20, Y: 110}}},
	}
	got := p.placing(3)(vision.Box{X: 10, Y: 5, Width: 30, Height: 10})
	if want := (vision.Box{X: 120, Y: 60, Width: 180, Height: 60}); got != want {
		t.Errorf("placed %+v, want %+v", got, want)
	}
}

func TestFaceHints(t *testing.T) {
	face := func(side int) vision.Face { return vision.Face{Box: vision.Box{Width: side, Height: side}} }
	tests := []struct {
		name  string
		faces []vision.Face
		want  string
	}{
		{"nobody", nil, "[no_face]"},
		{"one", []vision.Face{face(100)}, "[]"},
		{"one far away", []vision.Face{face(59)}, "[face_too_small]"},
		{"two", []vision.Face{face(100), face(50)}, "[several_faces]"},
		{"a passer-by", []vision.Face{face(100), face(49)}, "[]"},
	}
	for _, test := range tests {
		if got := sprint(faceHints(test.faces, 0, false)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}
