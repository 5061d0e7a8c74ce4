package barcode

import (
	"math"
	"math/rand/v2"
	"testing"

	"kycd/vision"
)

// A cut is what single samples give, wherever the frame lies, but for a level of rounding.
func TestCutIsSampled(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	p := newPlane(90, 70)
	for i := range p.pix {
		p.pix[i] = byte(random.IntN(256))
	}
	for range 200 {
		sin, cos := math.Sincos(2 * math.Pi * random.Float64())
		step := 0.2 + 2*random.Float64()
		f := frame{
			origin: vision.Point{X: 160*random.Float64() - 40, Y: 140*random.Float64() - 40},
			dx:     vision.Point{X: cos * step, Y: sin * step}, dy: vision.Point{X: -sin * step, Y: cos * step},
			w: 1 + random.IntN(60), h: 1 + random.IntN(40),
		}
		if random.IntN(8) == 0 {
			f.dx.Y, f.dy.X = 0, 0
		}
		got := p.cut(f)
		for y := range f.h {
			for x := range f.w {
				at := f.at(float64(x), float64(y))
				want := p.sample(at.X, at.Y)
				if d := int(got.pix[y*f.w+x]) - int(want); d < -2 || d > 2 {
					t.Fatalf("%+v at %d, %d: %d, want %d", f, x, y, got.pix[y*f.w+x], want)
				}
			}
		}
	}
}
