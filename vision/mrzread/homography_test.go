package mrzread

import (
	"math"
	"testing"

	"kycd/vision"
	"kycd/vision/mrzread/glyphs"
)

func TestQuadAndBack(t *testing.T) {
	corners := [4]vision.Point{{X: 10, Y: 20}, {X: 110, Y: 5}, {X: 130, Y: 90}, {X: 4, Y: 70}}
	m, ok := ontoQuad(200, 50, corners)
	if !ok {
		t.Fatal("refused")
	}
	back := inverse(m)
	for i, p := range [4]vision.Point{{X: 0, Y: 0}, {X: 200, Y: 0}, {X: 200, Y: 50}, {X: 0, Y: 50}} {
		at := m.apply(p.X, p.Y)
		if math.Hypot(at.X-corners[i].X, at.Y-corners[i].Y) > 1e-6 {
			t.Errorf("corner %d lies at %v, want %v", i, at, corners[i])
		}
		if home := back.apply(at.X, at.Y); math.Hypot(home.X-p.X, home.Y-p.Y) > 1e-6 {
			t.Errorf("%v comes back as %v", p, home)
		}
	}
	for name, c := range map[string][4]vision.Point{
		"line": {{X: 0, Y: 0}, {X: 1, Y: 1}, {X: 2, Y: 2}, {X: 3, Y: 3}}, "point": {},
	} {
		if _, ok := ontoQuad(200, 50, c); ok {
			t.Errorf("%s: taken for a rectangle", name)
		}
	}
}

// Rows that converge, as in a view from the side, are level and evenly long in the area's plane.
func TestAreaUndoesPerspective(t *testing.T) {
	truth, ok := ontoQuad(1000, 60, [4]vision.Point{{X: 100, Y: 200}, {X: 900, Y: 150}, {X: 905, Y: 190}, {X: 95, Y: 262}})
	if !ok {
		t.Fatal("refused")
	}
	var g rowGroup
	for i := range 3 {
		a, b := truth.apply(0, float64(30*i)), truth.apply(1000, float64(30*i))
		g.rows = append(g.rows, row{
			centre: vision.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2}, angle: math.Atan2(b.Y-a.Y, b.X-a.X),
			length: math.Hypot(b.X-a.X, b.Y-a.Y), height: 15,
		})
	}
	a, ok := areaOf(g)
	if !ok {
		t.Fatal("no area")
	}
	for _, u := range []float64{0, 0.25, 0.5, 1} {
		got, want := a.toPicture.apply(u*a.length, a.between), truth.apply(1000*u, 30)
		if d := math.Hypot(got.X-want.X, got.Y-want.Y); d > 1 {
			t.Errorf("at %.2f of the middle row the plane is off by %.1f pixels", u, d)
		}
	}
	if pitch := a.length / 30; math.Abs(pitch-glyphs.StripLetter) > 2 {
		t.Errorf("a column is %.1f pixels wide", pitch)
	}
}
