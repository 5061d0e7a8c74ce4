package mrzread

import (
	"math"
	"testing"

	"kycd/vision"
	"kycd/vision/mrzread/glyphs"
	"kycd/vision/projective"
)

// Rows that converge, as in a view from the side, are level and evenly long in the area's plane.
func TestAreaUndoesPerspective(t *testing.T) {
	truth, ok := projective.Onto(1000, 60, [4]vision.Point{{X: 100, Y: 200}, {X: 900, Y: 150}, {X: 905, Y: 190}, {X: 95, Y: 262}})
	if !ok {
		t.Fatal("refused")
	}
	var g rowGroup
	for i := range 3 {
		a, b := truth.At(0, float64(30*i)), truth.At(1000, float64(30*i))
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
		got, want := a.toPicture.At(u*a.length, a.between), truth.At(1000*u, 30)
		if d := math.Hypot(got.X-want.X, got.Y-want.Y); d > 1 {
			t.Errorf("at %.2f of the middle row the plane is off by %.1f pixels", u, d)
		}
	}
	if pitch := a.length / 30; math.Abs(pitch-glyphs.StripLetter) > 2 {
		t.Errorf("a column is %.1f pixels wide", pitch)
	}
}
