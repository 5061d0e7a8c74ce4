package main

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
)

// The drawing depends on nothing but its seed; it shows the picture in its middle, its carrier around that, and a room.
func TestRecapture(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 300, 300))
	for y := range 300 {
		for x := range 300 {
			picture.SetRGBA(x, y, color.RGBA{200, 90, 40, 255})
		}
	}
	draw := func(kind string, seed uint64) *image.RGBA {
		return recapture(picture, kind, rand.New(rand.NewPCG(seed, 0)))
	}
	drawn := map[string]*image.RGBA{}
	for _, kind := range []string{drawnScreen, drawnPrint} {
		one := draw(kind, 1)
		drawn[kind] = one
		if !bytes.Equal(one.Pix, draw(kind, 1).Pix) || bytes.Equal(one.Pix, draw(kind, 2).Pix) {
			t.Errorf("%s: the same seed must give the same drawing, another seed another", kind)
		}
		var middle [3]float64
		const side = 80
		for y := (frameHeight - side) / 2; y < (frameHeight+side)/2; y++ {
			for x := (frameWidth - side) / 2; x < (frameWidth+side)/2; x++ {
				c := one.RGBAAt(x, y)
				for k, v := range []uint8{c.R, c.G, c.B} {
					middle[k] += float64(v) / side / side
				}
			}
		}
		if middle[0] < middle[1]+20 || middle[1] < middle[2] {
			t.Errorf("%s: the middle has the colours %.0f, the picture 200 90 40", kind, middle)
		}
	}
	// A screen has a black frame, a sheet a white one.
	darkest, lightest := 255.0, 0.0
	screen, sheet := drawn[drawnScreen], drawn[drawnPrint]
	for y := range frameHeight / 2 {
		darkest = math.Min(darkest, float64(screen.RGBAAt(frameWidth/2, y).G))
		lightest = math.Max(lightest, float64(sheet.RGBAAt(frameWidth/2, y).B))
	}
	if darkest > 30 || lightest < 120 {
		t.Errorf("above the picture the screen is no darker than %.0f, the sheet no lighter than %.0f", darkest, lightest)
	}
}
