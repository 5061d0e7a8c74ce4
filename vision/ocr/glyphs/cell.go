// Package glyphs tells single printed capitals and digits apart, whatever their typeface: a small network over a picture of one
// connected piece of ink. It is a reading independent of the line reader's, which drops letters and takes them for digits.
package glyphs

import "math"

// Alphabet are the characters that the network knows.
const Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// The raster of a cell, in pixels. The character is Tall pixels high and keeps its proportions, so that an O differs from a 0.
const (
	Width  = 18
	Height = 24
	Tall   = 20
)

// Cell is a character's picture, Width·Height, row by row: 0 paper, 1 ink.
type Cell [Width * Height]float32

// Ink is a part of a page: W·H values, how much darker than the paper each pixel is, 0 paper to 1 black.
type Ink struct {
	Pix  []float32
	W, H int
}

// Box is where a character stands in the ink, in pixels; X1 and Y1 are outside.
type Box struct{ X0, Y0, X1, Y1 int }

// Cut makes the cell of the character in the box. What stands more than a pixel beside the box belongs to others and is left
// out. The ink is stretched so that the darkest twentieth is 1.
func Cut(ink Ink, box Box) Cell {
	var c Cell
	w, h := box.X1-box.X0, box.Y1-box.Y0
	if w < 1 || h < 1 {
		return c
	}
	down := float64(h) / Tall
	across := math.Max(down, float64(w)/(Width-2)) // wide characters are squeezed in
	x, y := float64(box.X0+box.X1)/2, float64(box.Y0+box.Y1)/2
	at := func(x, y int) float32 {
		if x < max(box.X0-1, 0) || y < max(box.Y0-1, 0) || x >= min(box.X1+1, ink.W) || y >= min(box.Y1+1, ink.H) {
			return 0
		}
		return ink.Pix[y*ink.W+x]
	}
	for r := range Height {
		for k := range Width {
			// Four samples: the cell may be coarser than the page.
			var sum float32
			for s := range 4 {
				px := x + (float64(k)+0.25+0.5*float64(s%2)-Width/2.0)*across - 0.5
				py := y + (float64(r)+0.25+0.5*float64(s/2)-Height/2.0)*down - 0.5
				x0, y0 := int(math.Floor(px)), int(math.Floor(py))
				fx, fy := float32(px-float64(x0)), float32(py-float64(y0))
				sum += (at(x0, y0)*(1-fx)+at(x0+1, y0)*fx)*(1-fy) + (at(x0, y0+1)*(1-fx)+at(x0+1, y0+1)*fx)*fy
			}
			c[r*Width+k] = sum / 4
		}
	}
	c.stretch()
	return c
}

func (c *Cell) stretch() {
	var histogram [256]int
	for _, v := range c {
		histogram[int(min(max(v, 0), 1)*255)]++
	}
	dark := 255
	for rest := len(c) / 20; dark > 12; dark-- {
		if rest -= histogram[dark]; rest < 0 {
			break
		}
	}
	for i, v := range c {
		c[i] = min(max(v*255/float32(dark), 0), 1)
	}
}
