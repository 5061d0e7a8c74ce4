package specimen

import (
	"image"
	"image/color"
	"math"
	"testing"
)

func TestNoExpressionGivesThePicture(t *testing.T) {
	picture, head := drawnHead()
	for name, render := range map[string]func() (*image.RGBA, error){
		"smile":      func() (*image.RGBA, error) { return Smile(picture, head, 0) },
		"open mouth": func() (*image.RGBA, error) { return OpenMouth(picture, head, 0) },
	} {
		same, err := render()
		if err != nil {
			t.Fatal(err)
		}
		if !sameTones(picture, same, 0) {
			t.Errorf("%s: the picture differs", name)
		}
		if &same.Pix[0] == &picture.Pix[0] {
			t.Errorf("%s: it is the picture itself, not a copy", name)
		}
	}
}

func TestSmileLiftsTheCorners(t *testing.T) {
	picture, head := drawnHead()
	smile, err := Smile(picture, head, 1)
	if err != nil {
		t.Fatal(err)
	}
	before, now := head.points(), dots(t, smile)
	// Pupils are 80 px apart, of which the corners go 0.13 outwards and 0.15 up.
	for i, outwards := range map[int]float64{3: -1, 4: 1} {
		out, up := outwards*(now[i].X-before[i].X), before[i].Y-now[i].Y
		if out < 5 || out > 15 || up < 7 || up > 17 {
			t.Errorf("corner %d went %.1f px outwards and %.1f up", i, out, up)
		}
	}
	for i := range 3 {
		if away := math.Hypot(now[i].X-before[i].X, now[i].Y-before[i].Y); away > 3 {
			t.Errorf("dot %d moved by %.1f px", i, away)
		}
	}
}

func TestOpenMouthShowsADarkGap(t *testing.T) {
	picture, head := drawnHead()
	// Lips that meet in a dark line, and a chin.
	for x := 172; x <= 228; x++ {
		for y := 263; y <= 266; y++ {
			picture.SetRGBA(x, y, color.RGBA{90, 40, 40, 255})
		}
	}
	chin := color.RGBA{20, 60, 220, 255}
	for y := 310; y < 316; y++ {
		for x := 195; x <= 205; x++ {
			picture.SetRGBA(x, y, chin)
		}
	}
	last := 0
	for _, amount := range []float64{0.3, 0.6, 1} {
		open, err := OpenMouth(picture, head, amount)
		if err != nil {
			t.Fatal(err)
		}
		dark, lowest := 0, 0
		for y := range 500 {
			at := open.RGBAAt(200, y)
			if at.R < 70 && at.G < 40 && at.B < 40 {
				dark++
			}
			if at.B > 180 && at.R < 80 {
				lowest = y
			}
		}
		// The lips part by 0.44 pupil distances of 80 px.
		if want := amount * 35; math.Abs(float64(dark)-want) > 6 || dark <= last {
			t.Errorf("at %.1f the gap is %d px high, want about %.0f", amount, dark, want)
		}
		if drop, want := float64(lowest-315), amount*30; math.Abs(drop-want) > 6 {
			t.Errorf("at %.1f the chin dropped by %.0f px, want about %.0f", amount, drop, want)
		}
		last = dark
		for _, side := range []int{0, 399} {
			if got, want := open.RGBAAt(side, 260), picture.RGBAAt(side, 260); got != want {
				t.Errorf("at %.1f the ground beside the face is %v, want %v", amount, got, want)
			}
		}
	}
}

func TestExpressionsAreSymmetric(t *testing.T) {
	picture, head := drawnHead()
	otherPicture, otherHead := mirrored(picture, head)
	for name, render := range renderers() {
		if name == "turn" {
			continue
		}
		straight, err := render(picture, head)
		if err != nil {
			t.Fatal(err)
		}
		other, err := render(otherPicture, otherHead)
		if err != nil {
			t.Fatal(err)
		}
		if back, _ := mirrored(other, otherHead); !sameTones(straight, back, 1) {
			t.Errorf("%s: the mirror image differs", name)
		}
	}
}
