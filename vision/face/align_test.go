package face

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"kycd/vision"
	"kycd/vision/imaging"
)

// A similarity is found again from where it brings five points.
func TestFitSimilarity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		angle, scale := rapid.Float64Range(-math.Pi, math.Pi).Draw(t, "angle"), rapid.Float64Range(0.05, 20).Draw(t, "scale")
		sin, cos := math.Sincos(angle)
		want := similarity{scale * cos, scale * sin, rapid.Float64Range(-500, 3000).Draw(t, "dx"), rapid.Float64Range(-500, 3000).Draw(t, "dy")}
		var points [5]vision.Point
		for i, p := range alignedPoints() {
			points[i] = want.apply(p)
		}
		got, ok := fitSimilarity(alignedPoints(), points)
		if !ok {
			t.Fatal("no similarity")
		}
		for _, d := range []float64{got.a - want.a, got.b - want.b, got.dx - want.dx, got.dy - want.dy} {
			if math.Abs(d) > 1e-6 {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
	})
}

// Marks drawn where the five points are, on pictures turned and scaled in many ways, lie where the template wants them: to a
// fraction of a pixel.
func TestAlignIsExact(t *testing.T) {
	for _, c := range []struct{ degrees, scale float64 }{
		{0, 1}, {0, 0.6}, {0, 2.5}, {0, 7}, {20, 1.3}, {-35, 3}, {90, 2}, {180, 4.4},
	} {
		sin, cos := math.Sincos(c.degrees * math.Pi / 180)
		side := int(180*c.scale) + 40
		middle := vision.Point{X: float64(side) / 2, Y: float64(side) / 2}
		var points [5]vision.Point
		for i, p := range alignedPoints() {
			x, y := (p.X-56)*c.scale, (p.Y-56)*c.scale
			points[i] = vision.Point{X: middle.X + x*cos - y*sin, Y: middle.Y + x*sin + y*cos}
		}
		// Each mark is a bright hill, four pixels of the template wide: bright enough to be weighed, and away from the others.
		pix := make([]byte, 3*side*side)
		for y := range side {
			for x := range side {
				light := 0.0
				for _, p := range points {
					light += 250 * math.Exp(-(math.Pow(float64(x)-p.X, 2)+math.Pow(float64(y)-p.Y, 2))/(2*math.Pow(2*c.scale, 2)))
				}
				for channel := range 3 {
					pix[3*(y*side+x)+channel] = byte(min(light, 255))
				}
			}
		}
		aligned, ok, err := align(imaging.New(pix, side, side), points)
		if err != nil || !ok {
			t.Fatalf("%+v: %v, %v", c, ok, err)
		}
		if aligned.Width != 112 || aligned.Height != 112 {
			t.Fatalf("%+v: %d×%d pixels", c, aligned.Width, aligned.Height)
		}
		for i, want := range alignedPoints() {
			var sum, x, y float64
			for v := int(want.Y) - 7; v <= int(want.Y)+8; v++ {
				for u := int(want.X) - 7; u <= int(want.X)+8; u++ {
					light := float64(aligned.Pix[3*(v*112+u)])
					sum, x, y = sum+light, x+light*float64(u), y+light*float64(v)
				}
			}
			if away := math.Hypot(x/sum-want.X, y/sum-want.Y); !(away < 0.1) {
				t.Errorf("turned by %v°, scaled by %v: mark %d is %.3f px off", c.degrees, c.scale, i, away)
			}
		}
	}
}

// What lies beyond the picture is black, and points that say nothing give nothing.
func TestAlignAtTheEdge(t *testing.T) {
	pix := make([]byte, 3*200*200)
	for i := range pix {
		pix[i] = 200
	}
	pic := imaging.New(pix, 200, 200)
	moved := func(dx, scale float64) (points [5]vision.Point) {
		for i, p := range alignedPoints() {
			points[i] = vision.Point{X: p.X*scale + dx, Y: p.Y * scale}
		}
		return points
	}
	aligned, ok, err := align(pic, moved(144, 1))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if left, right := aligned.Pix[3*(60*112+10)], aligned.Pix[3*(60*112+100)]; left != 200 || right != 0 {
		t.Errorf("inside %d, beyond %d; want 200 and 0", left, right)
	}
	for name, points := range map[string][5]vision.Point{
		"all one":             {},
		"not a number":        {{X: math.NaN()}, {X: 1}, {X: 2}, {X: 3}, {X: 4}},
		"infinite":            {{X: math.Inf(1)}, {X: 1}, {X: 2}, {X: 3}, {X: 4}},
		"far outside, large":  moved(1e6, 5),
		"beyond any picture":  moved(1e300, 1e290),
		"large and to a side": moved(-1e5, 30),
	} {
		if _, ok, err := align(pic, points); ok || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}
