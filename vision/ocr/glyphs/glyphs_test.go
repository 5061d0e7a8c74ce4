package glyphs

import (
	"errors"
	"image"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Every clear character must be told from all others, in print of any size.
func TestAlphabet(t *testing.T) {
	n, err := Trained()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []float64{24, 40, 70} {
		face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72})
		if err != nil {
			t.Fatal(err)
		}
		wrong := 0
		for i := range Alphabet {
			img := image.NewGray(image.Rect(0, 0, 120, 120))
			d := font.Drawer{Dst: img, Src: image.White, Face: face, Dot: fixed.P(20, 90)}
			d.DrawString(Alphabet[i : i+1])
			ink := Ink{Pix: make([]float32, 120*120), W: 120, H: 120}
			box := Box{X0: 120, Y0: 120}
			for k, v := range img.Pix {
				if ink.Pix[k] = float32(v) / 255; v > 70 {
					x, y := k%120, k/120
					box = Box{min(box.X0, x), min(box.Y0, y), max(box.X1, x+1), max(box.Y1, y+1)}
				}
			}
			cell := Cut(ink, box)
			if c, p := n.Classify(&cell).Best(); c != Alphabet[i] {
				wrong++
				t.Logf("size %.0f: %c taken for %c, %.2f", size, Alphabet[i], c, p)
			}
		}
		if wrong > 1 { // an O and a 0 may look alike
			t.Errorf("size %.0f: %d wrong", size, wrong)
		}
	}
}

func TestUnmarshal(t *testing.T) {
	if _, err := Unmarshal(make([]byte, 12)); !errors.Is(err, ErrWeights) {
		t.Errorf("%v", err)
	}
	n, err := Unmarshal(trained)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Unmarshal(n.Marshal()); err != nil || again.Out.Bias[3] != n.Out.Bias[3] {
		t.Errorf("%v", err)
	}
}

func TestCutOutside(t *testing.T) {
	for _, b := range []Box{{}, {X0: -9, Y0: -9, X1: -3, Y1: -2}, {X0: 2, Y0: 2, X1: 90, Y1: 90}} {
		for _, v := range Cut(Ink{Pix: make([]float32, 16), W: 4, H: 4}, b) {
			if v != 0 {
				t.Fatalf("%+v: ink on blank paper", b)
			}
		}
	}
}
