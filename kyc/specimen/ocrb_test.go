package specimen

import (
	"image/color"
	"strings"
	"testing"
)

const zoneAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"

// glyphDots rasterizes one character of the zone into its cell.
func glyphDots(t *testing.T, press *Press, char rune) string {
	t.Helper()
	c := newCanvas(3*mrzPitch, 6)
	c.rectangle(box{0, 0, 3 * mrzPitch, 6}, color.White)
	if err := press.drawMRZ(c, []string{string(char)}, mrzPitch, 3, 4); err != nil {
		t.Fatal(err)
	}
	var dots strings.Builder
	for y := range c.img.Rect.Dy() {
		for x := range c.img.Rect.Dx() {
			dot := "."
			if c.img.RGBAAt(x, y).R < 128 {
				dot = "#"
				if mm := float64(x) / pixelsPerMM; mm < mrzPitch+0.3 || mm > 2*mrzPitch-0.3 {
					t.Errorf("%q leaves its cell at %.2f mm", char, mm)
				}
			}
			dots.WriteString(dot)
		}
	}
	return dots.String()
}

func TestZoneCharactersDifferAndKeepToTheirCell(t *testing.T) {
	press := newPress(t)
	if len(press.letters) != len(zoneAlphabet) {
		t.Errorf("%d glyphs, want %d", len(press.letters), len(zoneAlphabet))
	}
	shapes := map[string]rune{}
	for _, char := range zoneAlphabet {
		dots := glyphDots(t, press, char)
		if ink := strings.Count(dots, "#"); ink < 200 {
			t.Errorf("%q has %d dark dots", char, ink)
		}
		for other, drawn := range shapes {
			differing := 0
			for i := range dots {
				if dots[i] != other[i] {
					differing++
				}
			}
			if differing < 60 {
				t.Errorf("%q and %q differ in %d dots only", char, drawn, differing)
			}
		}
		shapes[dots] = char
	}
	if err := press.drawMRZ(newCanvas(10, 10), []string{"a"}, 1, 5, 4); codeOf(err) != CodeEncodingFailed {
		t.Errorf("small letter: %v", err)
	}
}

func TestWrongPathsAreRefused(t *testing.T) {
	for _, path := range []string{"L1 2", "M1", "X1 2", "M1 2 Q3 4", "Ma b"} {
		if _, err := parsePath(path); err == nil {
			t.Errorf("%q was taken", path)
		}
	}
	strokes, err := parsePath("M0 0 L1 0 M5 5 Q6 5 6 6")
	if err != nil || len(strokes) != 2 || len(strokes[0]) != 2 {
		t.Errorf("strokes %v, %v", strokes, err)
	}
	if end := strokes[1][len(strokes[1])-1]; end != (Point{6, 6}) {
		t.Errorf("curve ends at %v", end)
	}
}
