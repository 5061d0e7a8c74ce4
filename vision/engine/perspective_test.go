package engine

import (
	"math"
	"testing"

	"kycd/vision"
	"kycd/vision/imaging"
)

func TestPerspectiveMeetsItsCorners(t *testing.T) {
	quads := [][4]vision.Point{
		{{X: 0, Y: 0}, {X: 10, Y: 0}, {X: 10, Y: 5}, {X: 0, Y: 5}},         // upright
		{{X: 12, Y: 3}, {X: 90, Y: 20}, {X: 80, Y: 70}, {X: 5, Y: 60}},     // in perspective
		{{X: 10, Y: 5}, {X: 0, Y: 5}, {X: 0, Y: 0}, {X: 10, Y: 0}},         // on its head
		{{X: 100, Y: 50}, {X: 100, Y: 90}, {X: 40, Y: 90}, {X: 40, Y: 50}}, // turned by a quarter
	}
	units := [4][2]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}}
	for _, q := range quads {
		p := newPerspective(q)
		for i, u := range units {
			got := p.at(u[0], u[1])
			if math.Hypot(got.X-q[i].X, got.Y-q[i].Y) > 1e-9 {
				t.Errorf("%v: corner %d at %v", q, i, got)
			}
		}
		// Lines stay lines: the middle lies where the diagonals cross.
		m := p.at(0.5, 0.5)
		for _, ends := range [][2]int{{0, 2}, {1, 3}} {
			a, b := q[ends[0]], q[ends[1]]
			if cross := (b.X-a.X)*(m.Y-a.Y) - (b.Y-a.Y)*(m.X-a.X); math.Abs(cross) > 1e-6 {
				t.Errorf("%v: the middle %v is off a diagonal by %v", q, m, cross)
			}
		}
	}
}

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

func TestAsUTF8(t *testing.T) {
	for in, want := range map[string]string{"@\n\x1e\rANSI": "@\n\x1e\rANSI", "Zoë": "Zoë", "Zo\xeb": "Zoë"} {
		if got := asUTF8(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
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
