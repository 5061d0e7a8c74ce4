package main

import (
	"image"
	"math"
	"math/rand/v2"

	"github.com/go-fonts/liberation/liberationmonobold"
	"github.com/go-fonts/liberation/liberationmonoregular"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"kycd/vision/ocr/glyphs"
)

// side is that of the square masks in which glyphs are drawn, and capital roughly the height of a capital in them, in pixels.
const side, capital = 128, 72

// typeface holds a mask for each character, side·side, 0..1.
type typeface [len(glyphs.Alphabet)][]float32

func typefaces() (out []typeface, err error) {
	for _, raw := range [][]byte{
		liberationsansregular.TTF, liberationsansbold.TTF, liberationserifregular.TTF, liberationserifbold.TTF,
		liberationmonoregular.TTF, liberationmonobold.TTF, goregular.TTF, gobold.TTF, gomedium.TTF, gomono.TTF,
	} {
		parsed, err := opentype.Parse(raw)
		if err != nil {
			return nil, err
		}
		face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: capital / 0.72, DPI: 72})
		if err != nil {
			return nil, err
		}
		var f typeface
		for i, c := range glyphs.Alphabet {
			img := image.NewGray(image.Rect(0, 0, side, side))
			d := font.Drawer{Dst: img, Src: image.White, Face: face, Dot: fixed.P(16, 100)}
			d.DrawString(string(c))
			f[i] = make([]float32, side*side)
			for k, v := range img.Pix {
				f[i][k] = float32(v) / 255
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// photograph takes a bad picture of a glyph and cuts it out. ok is false where too little of it is seen.
func photograph(mask []float32, random *rand.Rand) (glyphs.Cell, bool) {
	between := func(a, b float64) float64 { return a + (b-a)*random.Float64() }
	height := math.Exp(between(math.Log(10), math.Log(44))) // of a capital, pixels
	scale := capital / height
	stretch, lean, turn := between(0.88, 1.14), between(-0.06, 0.22), between(-0.04, 0.04)
	if random.Float64() < 0.7 {
		lean = between(-0.05, 0.05)
	}
	shiftX, shiftY := between(0, 1), between(0, 1)
	n := int(side/scale*1.15) + 4
	seen := make([]float32, n*n)
	for y := range n {
		for x := range n {
			var sum float32
			const fine = 3
			for s := range fine * fine {
				u := (float64(x)+(float64(s%fine)+0.5)/fine+shiftX-float64(n)/2)*scale*stretch + side/2
				v := (float64(y)+(float64(s/fine)+0.5)/fine+shiftY-float64(n)/2)*scale + side/2
				u, v = u+lean*(v-side/2), v+turn*(u-side/2)
				if u >= 0 && v >= 0 && u < side && v < side {
					sum += mask[int(v)*side+int(u)]
				}
			}
			seen[y*n+x] = sum / (fine * fine)
		}
	}
	// The blur of a lens goes with the size of the print only when it is scanned; here it does not.
	seen = blurred(seen, n, between(0.3, 0.3+height/14))
	thick, black := math.Exp(between(-0.6, 0.5)), between(0.45, 0.95)
	noise, wave := between(0, 0.05), between(0, 0.16)
	length, angle, phase := between(3, 12), between(0, math.Pi), between(0, 2*math.Pi)
	for y := range n {
		for x := range n {
			i := y*n + x
			v := black * math.Pow(float64(seen[i]), thick)
			line := math.Sin(2*math.Pi*(float64(x)*math.Cos(angle)+float64(y)*math.Sin(angle))/length + phase)
			seen[i] = float32(min(max(1-(1-v)*(1-wave*max(line, 0)*max(line, 0))+noise*random.NormFloat64(), 0), 1))
		}
	}
	box := glyphs.Box{X0: n, Y0: n}
	for y := range n {
		for x := range n {
			if seen[y*n+x] > 0.28 && (near(mask, n, x, y, scale, stretch, lean, turn, shiftX, shiftY)) {
				box = glyphs.Box{X0: min(box.X0, x), Y0: min(box.Y0, y), X1: max(box.X1, x+1), Y1: max(box.Y1, y+1)}
			}
		}
	}
	if box.Y1-box.Y0 < 7 {
		return glyphs.Cell{}, false
	}
	if random.Float64() < 0.15 { // a line of the pattern that hangs on the character, or a neighbour's edge
		switch random.IntN(4) {
		case 0:
			box.X0--
		case 1:
			box.X1++
		case 2:
			box.Y0--
		default:
			box.Y1++
		}
	}
	return glyphs.Cut(glyphs.Ink{Pix: seen, W: n, H: n}, box), true
}

// near says whether print lies within two pixels of a pixel: ink elsewhere is noise or pattern and would not hang together with it.
func near(mask []float32, n, x, y int, scale, stretch, lean, turn, shiftX, shiftY float64) bool {
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			u := (float64(x)+1.5*float64(dx)+0.5+shiftX-float64(n)/2)*scale*stretch + side/2
			v := (float64(y)+1.5*float64(dy)+0.5+shiftY-float64(n)/2)*scale + side/2
			u, v = u+lean*(v-side/2), v+turn*(u-side/2)
			if u >= 0 && v >= 0 && u < side && v < side && mask[int(v)*side+int(u)] > 0.3 {
				return true
			}
		}
	}
	return false
}

// blurred is a picture of n·n pixels under a Gaussian of the given deviation, in pixels.
func blurred(v []float32, n int, sigma float64) []float32 {
	reach := int(math.Ceil(2.5 * sigma))
	factors := make([]float32, 2*reach+1)
	var sum float32
	for i := range factors {
		d := float64(i-reach) / sigma
		factors[i] = float32(math.Exp(-d * d / 2))
		sum += factors[i]
	}
	along := func(v []float32, dx, dy int) []float32 {
		out := make([]float32, n*n)
		for y := range n {
			for x := range n {
				var s float32
				for i, f := range factors {
					px, py := x+(i-reach)*dx, y+(i-reach)*dy
					if px >= 0 && py >= 0 && px < n && py < n {
						s += f * v[py*n+px]
					}
				}
				out[y*n+x] = s / sum
			}
		}
		return out
	}
	return along(along(v, 1, 0), 0, 1)
}
