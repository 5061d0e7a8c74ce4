package projective

import (
	"math"
	"testing"

	"kycd/vision"
)

func TestOntoAndBack(t *testing.T) {
	for _, corners := range [][4]vision.Point{
		{{X: 0, Y: 0}, {X: 10, Y: 0}, {X: 10, Y: 5}, {X: 0, Y: 5}},         // upright
		{{X: 10, Y: 20}, {X: 110, Y: 5}, {X: 130, Y: 90}, {X: 4, Y: 70}},   // in perspective
		{{X: 10, Y: 5}, {X: 0, Y: 5}, {X: 0, Y: 0}, {X: 10, Y: 0}},         // on its head
		{{X: 100, Y: 50}, {X: 100, Y: 90}, {X: 40, Y: 90}, {X: 40, Y: 50}}, // turned by a quarter
	} {
		m, ok := Onto(200, 50, corners)
		if !ok {
			t.Fatalf("%v: refused", corners)
		}
		back := m.Inverse()
		for i, p := range [4]vision.Point{{X: 0, Y: 0}, {X: 200, Y: 0}, {X: 200, Y: 50}, {X: 0, Y: 50}} {
			at := m.At(p.X, p.Y)
			if math.Hypot(at.X-corners[i].X, at.Y-corners[i].Y) > 1e-6 {
				t.Errorf("corner %d lies at %v, want %v", i, at, corners[i])
			}
			if home := back.At(at.X, at.Y); math.Hypot(home.X-p.X, home.Y-p.Y) > 1e-6 {
				t.Errorf("%v comes back as %v", p, home)
			}
		}
		// Lines stay lines: the middle lies where the diagonals cross.
		middle := m.At(100, 25)
		for _, ends := range [][2]int{{0, 2}, {1, 3}} {
			a, b := corners[ends[0]], corners[ends[1]]
			if cross := (b.X-a.X)*(middle.Y-a.Y) - (b.Y-a.Y)*(middle.X-a.X); math.Abs(cross) > 1e-6 {
				t.Errorf("%v: the middle %v is off a diagonal by %v", corners, middle, cross)
			}
		}
	}
}

func TestAfterAppliesTheOtherFirst(t *testing.T) {
	shift, scale := Map{1, 0, 5, 0, 1, -7, 0, 0, 1}, Scaling(2, 3)
	both := shift.After(scale)
	if at := both.At(10, 10); at != (vision.Point{X: 25, Y: 23}) {
		t.Errorf("%v", at)
	}
}

func TestOntoRefusesWhatIsNoView(t *testing.T) {
	for name, c := range map[string][4]vision.Point{
		"line":    {{X: 0, Y: 0}, {X: 1, Y: 1}, {X: 2, Y: 2}, {X: 3, Y: 3}},
		"point":   {},
		"dented":  {{X: 0, Y: 0}, {X: 100, Y: 0}, {X: 20, Y: 20}, {X: 0, Y: 100}},
		"endless": {{X: 0, Y: 0}, {X: math.Inf(1), Y: 0}, {X: 100, Y: 100}, {X: 0, Y: 100}},
		"nowhere": {{X: math.NaN(), Y: 0}, {X: 100, Y: 0}, {X: 100, Y: 100}, {X: 0, Y: 100}},
	} {
		if _, ok := Onto(200, 50, c); ok {
			t.Errorf("%s: taken for a rectangle", name)
		}
	}
	square := [4]vision.Point{{X: 0, Y: 0}, {X: 9, Y: 0}, {X: 9, Y: 9}, {X: 0, Y: 9}}
	if _, ok := Onto(0, 50, square); ok {
		t.Error("a rectangle without width")
	}
}
