// Package projective maps planes to one another as a camera does.
package projective

import (
	"math"

	"kycd/vision"
)

// Map maps positions of one plane to another: a homography, its matrix row by row. A multiple of it is the same map.
type Map [9]float64

// At is where a position of the first plane lies on the other.
func (m Map) At(x, y float64) vision.Point {
	w := 1 / (m[6]*x + m[7]*y + m[8])
	return vision.Point{X: (m[0]*x + m[1]*y + m[2]) * w, Y: (m[3]*x + m[4]*y + m[5]) * w}
}

// After is m applied to what first gives.
func (m Map) After(first Map) (out Map) {
	for i := range 3 {
		for j := range 3 {
			out[3*i+j] = m[3*i]*first[j] + m[3*i+1]*first[3+j] + m[3*i+2]*first[6+j]
		}
	}
	return out
}

// Inverse is the way back.
func (m Map) Inverse() Map {
	return Map{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
}

// Scaling stretches both axes.
func Scaling(x, y float64) Map { return Map{x, 0, 0, 0, y, 0, 0, 0, 1} }

// nearHorizon is the least depth of the far corner of what is still taken for a rectangle seen, with the first corner's as 1.
const nearHorizon = 0.2

// Onto maps the rectangle from (0, 0) to (w, h) onto a quadrangle, its corners clockwise from the upper left
// (Heckbert, Fundamentals of Texture Mapping, 1989, §2.2.3). ok is false for corners that are no view of a rectangle: in a line, without
// measure, or with the plane's horizon across it.
func Onto(w, h float64, c [4]vision.Point) (m Map, ok bool) {
	dx1, dx2, sx := c[1].X-c[2].X, c[3].X-c[2].X, c[0].X-c[1].X+c[2].X-c[3].X
	dy1, dy2, sy := c[1].Y-c[2].Y, c[3].Y-c[2].Y, c[0].Y-c[1].Y+c[2].Y-c[3].Y
	det := dx1*dy2 - dx2*dy1
	if math.Abs(det) < 1e-9 || w <= 0 || h <= 0 {
		return m, false
	}
	g, k := (sx*dy2-dx2*sy)/det, (dx1*sy-sx*dy1)/det
	if !(1+min(g, 0)+min(k, 0) >= nearHorizon) {
		return m, false
	}
	m = Map{
		(c[1].X - c[0].X + g*c[1].X) / w, (c[3].X - c[0].X + k*c[3].X) / h, c[0].X,
		(c[1].Y - c[0].Y + g*c[1].Y) / w, (c[3].Y - c[0].Y + k*c[3].Y) / h, c[0].Y,
		g / w, k / h, 1,
	}
	for _, v := range m {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return m, false
		}
	}
	return m, true
}
