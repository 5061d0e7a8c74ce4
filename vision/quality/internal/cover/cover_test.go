package cover

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"kycd/vision"
	"kycd/vision/imaging"
)

// drawn is a picture of smooth colours, unlike on every side.
func drawn(width, height int) *imaging.Picture {
	pix := make([]byte, 0, 3*width*height)
	for y := range height {
		for x := range width {
			pix = append(pix, byte(255*x/width), byte(255*y/height), byte(127+120*math.Sin(float64(x+2*y)/40)))
		}
	}
	return imaging.New(pix, width, height)
}

// placed puts the landmarks of a patch into a picture: turned by degrees, scaled, their middle at x, y.
func placed(degrees, scale, x, y float64) [5]vision.Point {
	points := places()
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	for i, p := range points {
		dx, dy := p.X-patchSide/2, p.Y-patchSide/2
		points[i] = vision.Point{X: x + scale*(cos*dx-sin*dy), Y: y + scale*(sin*dx+cos*dy)}
	}
	return points
}

// Wherever a face lies in a picture, and however it is turned, a pixel of the patch is that of the picture.
func TestCut(t *testing.T) {
	pic := drawn(400, 300)
	for _, test := range []struct{ degrees, scale float64 }{{0, 1}, {0, 2}, {25, 1.5}, {-130, 2}, {10, 3.5}} {
		patch, ok, err := Cut(pic, placed(test.degrees, test.scale, 200, 150))
		if err != nil || !ok {
			t.Fatalf("%+v: %v, %v", test, ok, err)
		}
		sin, cos := math.Sincos(test.degrees * math.Pi / 180)
		for _, at := range [][2]int{{32, 32}, {10, 12}, {50, 40}} {
			dx, dy := float64(at[0])+0.5-patchSide/2, float64(at[1])+0.5-patchSide/2
			x, y := 200+test.scale*(cos*dx-sin*dy), 150+test.scale*(sin*dx+cos*dy)
			want := float64(pic.Gray()[int(y+0.5)*pic.Width+int(x+0.5)])
			if got := patch.y[at[1]*patchSide+at[0]]; math.Abs(got-want) > 6 {
				t.Errorf("%+v: luma %.1f at %v, want %.1f", test, got, at, want)
			}
		}
	}
}

func TestCutRefuses(t *testing.T) {
	pic := drawn(400, 300)
	same := [5]vision.Point{}
	for name, points := range map[string][5]vision.Point{"small": placed(0, 0.3, 200, 150), "outside": placed(0, 1, 2000, 150), "one point": same} {
		if _, ok, err := Cut(pic, points); ok || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
	for name, shape := range map[string][]vision.Point{"none": nil, "four": make([]vision.Point, 4), "no number": {{X: math.NaN()}, {}, {}, {}, {}}, "infinite": {{}, {}, {}, {}, {Y: math.Inf(1)}}} {
		if _, ok := Five(shape); ok {
			t.Errorf("%s taken for landmarks", name)
		}
	}
}

// Features do not tell how strong the light is, and the mirror of the mirror is the patch.
func TestFeatures(t *testing.T) {
	pic := drawn(300, 300)
	dim := imaging.New(append([]byte(nil), pic.Pix...), 300, 300)
	for i := range dim.Pix {
		dim.Pix[i] = byte(float64(dim.Pix[i])*0.6 + 0.5)
	}
	bright, _, _ := Cut(pic, placed(0, 2, 150, 150))
	darker, _, _ := Cut(dim, placed(0, 2, 150, 150))
	if *bright.Mirrored().Mirrored() != *bright {
		t.Error("mirrored twice, the patch has changed")
	}
	for name, part := range map[string]Part{"eye": Eye(), "mouth": Mouth()} {
		a, b := part.Features(bright), part.Features(darker)
		if len(a) != part.Size() {
			t.Fatalf("%s: %d features, want %d", name, len(a), part.Size())
		}
		for i := range a {
			if !(math.Abs(a[i]-b[i]) < 0.25+0.1*math.Abs(a[i])) {
				t.Errorf("%s: feature %d is %.2f, in dim light %.2f", name, i, a[i], b[i])
			}
		}
	}
}

func TestMarshal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	network := func(size int) Network {
		n := Network{Bias: rng.Float64()}
		for range Hidden {
			row := make([]float64, size)
			for i := range row {
				row[i] = rng.NormFloat64()
			}
			n.Inner, n.Biases, n.Outer = append(n.Inner, row), append(n.Biases, rng.NormFloat64()), append(n.Outer, rng.NormFloat64())
		}
		return n
	}
	want := Networks{Eye: network(Eye().Size()), Mouth: network(Mouth().Size())}
	data := want.Marshal()
	got, err := Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Marshal(), data) {
		t.Error("written, read and written again, the weights differ")
	}
	features := make([]float64, Mouth().Size())
	for i := range features {
		features[i] = rng.NormFloat64()
	}
	if a, b := got.Mouth.Score(features), want.Mouth.Score(features); math.Abs(a-b) > 1e-4 {
		t.Errorf("score %v, before writing %v", a, b)
	}
	broken := append([]byte(nil), data...)
	copy(broken[8:], []byte{0, 0, 0xc0, 0x7f}) // not a number
	for name, data := range map[string][]byte{"nothing": nil, "cut": data[:len(data)-4], "not a number": broken} {
		if _, err := Unmarshal(data); !errors.Is(err, ErrWeights) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Trained(); err != nil {
		t.Errorf("built-in weights: %v", err)
	}
}
