package barcode

import (
	"math"

	"kycd/vision"
)

// homography maps a plane to another as a camera does, row by row.
type homography [9]float64

func (h *homography) at(x, y float64) vision.Point {
	w := 1 / (h[6]*x + h[7]*y + h[8])
	return vision.Point{X: (h[0]*x + h[1]*y + h[2]) * w, Y: (h[3]*x + h[4]*y + h[5]) * w}
}

// times is the map that applies o first.
func (h *homography) times(o homography) homography {
	var out homography
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				out[3*i+j] += h[3*i+k] * o[3*k+j]
			}
		}
	}
	return out
}

// onto maps the rectangle from (0, 0) to (w, h) onto the corners, clockwise from the upper left. ok is false where
// they lie on a line.
func onto(w, h float64, q [4]vision.Point) (out homography, ok bool) {
	d1x, d1y := q[1].X-q[2].X, q[1].Y-q[2].Y
	d2x, d2y := q[3].X-q[2].X, q[3].Y-q[2].Y
	sx, sy := q[0].X-q[1].X+q[2].X-q[3].X, q[0].Y-q[1].Y+q[2].Y-q[3].Y
	det := d1x*d2y - d2x*d1y
	if math.Abs(det) < 1e-9 || w <= 0 || h <= 0 {
		return out, false
	}
	g, k := (sx*d2y-d2x*sy)/det, (d1x*sy-sx*d1y)/det
	out = homography{
		(q[1].X - q[0].X + g*q[1].X) / w, (q[3].X - q[0].X + k*q[3].X) / h, q[0].X,
		(q[1].Y - q[0].Y + g*q[1].Y) / w, (q[3].Y - q[0].Y + k*q[3].Y) / h, q[0].Y,
		g / w, k / h, 1,
	}
	for _, v := range out {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return out, false
		}
	}
	return out, true
}

func (f frame) homography() homography {
	return homography{f.dx.X, f.dy.X, f.origin.X, f.dx.Y, f.dy.Y, f.origin.Y, 0, 0, 1}
}

// warp samples the picture at what h maps the pixels of a w × h picture to, bilinear, the middle of the pixel (0, 0) at
// (offset, offset) of the map's plane and a step to the next of (stepX, stepY). Positions in the picture are of pixel
// middles, so that those of the map are too.
func (p plane) warp(h *homography, w, rows int, x0, y0, stepX, stepY float64) field {
	out := newField(w, rows)
	for y := range rows {
		v := y0 + float64(y)*stepY
		line := out.row(y)
		for x := range line {
			at := h.at(x0+float64(x)*stepX, v)
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
