package engine

import (
	"math"

	"kycd/vision"
)

// perspective maps the unit square to a quadrilateral (Heckbert, Fundamentals of Texture Mapping, 1989, §2.2.3).
type perspective struct{ a, b, c, d, e, f, g, h float64 }

// newPerspective takes the corners clockwise from the one that (0,0) maps to.
func newPerspective(q [4]vision.Point) perspective {
	sumX := q[0].X - q[1].X + q[2].X - q[3].X
	sumY := q[0].Y - q[1].Y + q[2].Y - q[3].Y
	x1, y1 := q[1].X-q[2].X, q[1].Y-q[2].Y
	x2, y2 := q[3].X-q[2].X, q[3].Y-q[2].Y
	var p perspective
	if det := x1*y2 - x2*y1; det != 0 {
		p.g = (sumX*y2 - x2*sumY) / det
		p.h = (x1*sumY - sumX*y1) / det
	}
	p.a, p.b, p.c = q[1].X-q[0].X+p.g*q[1].X, q[3].X-q[0].X+p.h*q[3].X, q[0].X
	p.d, p.e, p.f = q[1].Y-q[0].Y+p.g*q[1].Y, q[3].Y-q[0].Y+p.h*q[3].Y, q[0].Y
	return p
}

func (p perspective) at(u, v float64) vision.Point {
	w := p.g*u + p.h*v + 1
	return vision.Point{X: (p.a*u + p.b*v + p.c) / w, Y: (p.d*u + p.e*v + p.f) / w}
}

// placing moves boxes from the page cut out to the pixels of the source; a tilted box becomes the upright one around it.
func (p *page) placing(scale float64) func(vision.Box) vision.Box {
	toPicture := newPerspective(p.outline.Corners)
	width, height := float64(p.picture.Width), float64(p.picture.Height)
	return func(box vision.Box) vision.Box {
		left, top := float64(box.X)/width, float64(box.Y)/height
		right, bottom := float64(box.X+box.Width)/width, float64(box.Y+box.Height)/height
		corners := []vision.Point{toPicture.at(left, top), toPicture.at(right, top), toPicture.at(right, bottom), toPicture.at(left, bottom)}
		for j := range corners {
			corners[j].X, corners[j].Y = corners[j].X*scale, corners[j].Y*scale
		}
		return boxAround(corners)
	}
}

// boxAround is the smallest upright box around points.
func boxAround(points []vision.Point) vision.Box {
	left, top := math.Inf(1), math.Inf(1)
	right, bottom := math.Inf(-1), math.Inf(-1)
	for _, p := range points {
		left, right = math.Min(left, p.X), math.Max(right, p.X)
		top, bottom = math.Min(top, p.Y), math.Max(bottom, p.Y)
	}
	x, y := int(math.Floor(left)), int(math.Floor(top))
	return vision.Box{X: x, Y: y, Width: int(math.Ceil(right)) - x, Height: int(math.Ceil(bottom)) - y}
}
