package mrzread

import "kycd/vision"

// homography maps a position of one plane to another, row by row.
type homography [9]float64

func (m homography) apply(x, y float64) vision.Point {
	w := 1 / (m[6]*x + m[7]*y + m[8])
	return vision.Point{X: (m[0]*x + m[1]*y + m[2]) * w, Y: (m[3]*x + m[4]*y + m[5]) * w}
}

// after is m applied to what n gives.
func (m homography) after(n homography) (out homography) {
	for i := range 3 {
		for j := range 3 {
			out[3*i+j] = m[3*i]*n[j] + m[3*i+1]*n[3+j] + m[3*i+2]*n[6+j]
		}
	}
	return out
}

func scaling(x, y float64) homography { return homography{x, 0, 0, 0, y, 0, 0, 0, 1} }

// ontoQuad maps the rectangle from (0, 0) to (w, h) onto a quadrangle, its corners clockwise from the upper left
// (Heckbert 1989). ok is false for corners in a line.
func ontoQuad(w, h float64, c [4]vision.Point) (m homography, ok bool) {
	dx1, dx2, sx := c[1].X-c[2].X, c[3].X-c[2].X, c[0].X-c[1].X+c[2].X-c[3].X
	dy1, dy2, sy := c[1].Y-c[2].Y, c[3].Y-c[2].Y, c[0].Y-c[1].Y+c[2].Y-c[3].Y
	det := dx1*dy2 - dx2*dy1
	if det*det < 1e-6 || w <= 0 || h <= 0 {
		return m, false
	}
	g, k := (sx*dy2-dx2*sy)/det, (dx1*sy-sx*dy1)/det
	unit := homography{
		c[1].X - c[0].X + g*c[1].X, c[3].X - c[0].X + k*c[3].X, c[0].X,
		c[1].Y - c[0].Y + g*c[1].Y, c[3].Y - c[0].Y + k*c[3].Y, c[0].Y,
		g, k, 1,
	}
	// Where the plane's horizon crosses the rectangle, the corners are no view of one.
	if 1+min(g, 0)+min(k, 0) < 0.2 {
		return m, false
	}
	return unit.after(scaling(1/w, 1/h)), true
}

// inverse is the way back, up to a scale that does not matter.
func inverse(m homography) homography {
	return homography{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
}
