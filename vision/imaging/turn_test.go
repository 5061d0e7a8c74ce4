package imaging_test

import (
	"math"
	"testing"

	"kycd/vision"
	"kycd/vision/imaging"
)

// A quarter turn clockwise carries the lower left corner to the upper left; points go back to where they came from.
func TestTurned(t *testing.T) {
	const width, height = 7, 4
	pix := make([]byte, 3*width*height)
	for i := range pix {
		pix[i] = byte(i / 3)
	}
	pic := imaging.New(pix, width, height)
	pic.Scale, pic.SourceWidth, pic.SourceHeight, pic.Format = 2, 14, 8, vision.FormatPNG
	upperLeft := map[int]byte{0: 0, 90: 21, 180: 27, 270: 6, 360: 0, -90: 6, 45: 0}
	for degrees, want := range upperLeft {
		turned := pic.Turned(degrees)
		if turned.Pix[0] != want {
			t.Errorf("%d: upper left is pixel %d, want %d", degrees, turned.Pix[0], want)
		}
		if turned.Scale != 2 || turned.Format != vision.FormatPNG || turned.SourceWidth != 2*turned.Width || turned.SourceHeight != 2*turned.Height {
			t.Errorf("%d: %+v", degrees, turned)
		}
		for y := range turned.Height {
			for x := range turned.Width {
				middle := vision.Point{X: float64(x) + 0.5, Y: float64(y) + 0.5}
				back := imaging.Unturned(middle, degrees, width, height)
				at := int(math.Floor(back.Y))*width + int(math.Floor(back.X))
				if got := turned.Pix[3*(y*turned.Width+x)]; int(got) != at {
					t.Fatalf("%d: pixel (%d, %d) is %d and comes back to %d", degrees, x, y, got, at)
				}
			}
		}
	}
}
