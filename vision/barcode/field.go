package barcode

import "kycd/vision/projective"

// warp samples the picture at what h maps the pixels of a w × h picture to, bilinear, the middle of the pixel (0, 0) at
// (offset, offset) of the map's plane and a step to the next of (stepX, stepY). Positions in the picture are of pixel
// middles, so that those of the map are too.
func (p plane) warp(h *projective.Map, w, rows int, x0, y0, stepX, stepY float64) field {
	out := newField(w, rows)
	for y := range rows {
		v := y0 + float64(y)*stepY
		line := out.row(y)
		for x := range line {
			at := h.At(x0+float64(x)*stepX, v)
			line[x] = p.exact(at.X, at.Y)
		}
	}
	return out
}

func (p plane) exact(x, y float64) float32 {
	x = min(max(x, 0), float64(p.w-1))
	y = min(max(y, 0), float64(p.h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, p.w-1), min(y0+1, p.h-1)
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	a, b := float32(p.pix[y0*p.w+x0]), float32(p.pix[y0*p.w+x1])
	c, d := float32(p.pix[y1*p.w+x0]), float32(p.pix[y1*p.w+x1])
	top, bottom := a+(b-a)*fx, c+(d-c)*fx
	return top + (bottom-top)*fy
}

// field is a picture of real numbers.
type field struct {
	val  []float32
	w, h int
}

func newField(w, h int) field { return field{val: make([]float32, w*h), w: w, h: h} }

func (f field) row(y int) []float32 { return f.val[y*f.w : (y+1)*f.w] }
