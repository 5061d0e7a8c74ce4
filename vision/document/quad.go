package document

import (
	"math"

	"kycd/vision"
)

// quad is a convex quadrilateral, clockwise as the viewer sees it (y runs downwards).
type quad [4]vision.Point

func cross(o, a, b vision.Point) float64 {
	return (a.X-o.X)*(b.Y-o.Y) - (a.Y-o.Y)*(b.X-o.X)
}

func distance(a, b vision.Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

func mix(a, b vision.Point, t float64) vision.Point {
	return vision.Point{X: a.X + (b.X-a.X)*t, Y: a.Y + (b.Y-a.Y)*t}
}

// area is positive for a polygon that runs clockwise.
func area(points []vision.Point) float64 {
	sum := 0.0
	for i, p := range points {
		q := points[(i+1)%len(points)]
		sum += p.X*q.Y - p.Y*q.X
	}
	return sum / 2
}

// intersect is where the lines a–b and c–d meet.
func intersect(a, b, c, d vision.Point) (vision.Point, bool) {
	ux, uy, vx, vy := b.X-a.X, b.Y-a.Y, d.X-c.X, d.Y-c.Y
	det := ux*vy - uy*vx
	if math.Abs(det) < 1e-9*(math.Hypot(ux, uy)*math.Hypot(vx, vy)+1e-12) {
		return vision.Point{}, false
	}
	t := ((c.X-a.X)*vy - (c.Y-a.Y)*vx) / det
	return vision.Point{X: a.X + t*ux, Y: a.Y + t*uy}, true
}

// regular says whether the quadrilateral is convex and no angle is sharper than a photographed rectangle's.
func (q quad) regular() bool {
	for i := range q {
		a, b, c := q[(i+3)%4], q[i], q[(i+1)%4]
		lengths := distance(a, b) * distance(b, c)
		if lengths < 1 || cross(a, b, c)/lengths < math.Sin(math.Pi/4) {
			return false
		}
	}
	return true
}

// kind names the kind of document whose shape the quadrilateral has, and says how well it fits, 0..1. The camera looks through the middle
// of a picture that was not cut, or through the middle of a document that somebody cut out; the better fit of the two is taken.
func (q quad) kind(w, h int) (kind string, fit float64) {
	q = q.upright(w, h)
	kind, fit = classify(q.aspect(w, h))
	middle, ok := intersect(q[0], q[2], q[1], q[3])
	if !ok {
		return kind, fit
	}
	if other, better := classify(q.aspectAround(middle, math.Hypot(float64(w), float64(h)))); better > fit {
		return other, better
	}
	return kind, fit
}

// aspect is the ratio of the two sides, width along q[0]–q[1], of the rectangle whose picture the quadrilateral is. The
// camera looks through the middle of a w×h picture.
func (q quad) aspect(w, h int) float64 {
	return q.aspectAround(vision.Point{X: float64(w) / 2, Y: float64(h) / 2}, math.Hypot(float64(w), float64(h)))
}

// aspectAround is the aspect as a pinhole camera sees it that looks through middle at a picture of a diagonal. The focal length follows from the
// rectangle's right angle; where the view is too straight to tell it, opposite sides are averaged.
// (Zhang and He, Whiteboard scanning and image enhancement, Digital Signal Processing 17, 2007.)
func (q quad) aspectAround(middle vision.Point, diagonal float64) float64 {
	plain := (distance(q[0], q[1]) + distance(q[3], q[2])) / (distance(q[0], q[3]) + distance(q[1], q[2]))
	centred := func(p vision.Point) [3]float64 { return [3]float64{p.X - middle.X, p.Y - middle.Y, 1} }
	m1, m2, m4, m3 := centred(q[0]), centred(q[1]), centred(q[2]), centred(q[3])
	k2 := scalar(times(m1, m4), m3) / scalar(times(m2, m4), m3)
	k3 := scalar(times(m1, m4), m2) / scalar(times(m3, m4), m2)
	n2, n3 := minus(m2, k2, m1), minus(m3, k3, m1)
	if math.Abs(n2[2]*n3[2]) < 1e-3 {
		return plain
	}
	focal2 := -(n2[0]*n3[0] + n2[1]*n3[1]) / (n2[2] * n3[2])
	// Phones see between a third and thrice the diagonal; anything else is noise of the corners.
	if !(focal2 > diagonal*diagonal/9 && focal2 < 9*diagonal*diagonal) {
		return plain
	}
	length := func(n [3]float64) float64 { return math.Sqrt((n[0]*n[0]+n[1]*n[1])/focal2 + n[2]*n[2]) }
	return length(n2) / length(n3)
}

func times(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

func scalar(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func minus(a [3]float64, k float64, b [3]float64) [3]float64 {
	return [3]float64{k*a[0] - b[0], k*a[1] - b[1], k*a[2] - b[2]}
}

// upright turns the quadrilateral so that it begins at the upper left corner and its first side is a long one.
// Whether a document stands on its head cannot be seen in its outline: for one that lies along the picture
// the side nearer to the top is taken for its upper one, for one that stands on end the right side.
func (q quad) upright(w, h int) quad {
	best, at := math.Inf(-1), 0
	for i := range q {
		a, b := q[i], q[(i+1)%4]
		if right := (b.X - a.X) / distance(a, b); right > best {
			best, at = right, i
		}
	}
	q = quad{q[at], q[(at+1)%4], q[(at+2)%4], q[(at+3)%4]}
	if q.aspect(w, h) < 1 {
		q = quad{q[1], q[2], q[3], q[0]}
	}
	return q
}

// shared is the area that two convex quadrilaterals have in common.
func shared(a, b quad) float64 {
	rest := a[:]
	for i := range b {
		from, to := b[i], b[(i+1)%4]
		var kept []vision.Point
		for k, p := range rest {
			before := rest[(k+len(rest)-1)%len(rest)]
			in, wasIn := cross(from, to, p) >= 0, cross(from, to, before) >= 0
			if in != wasIn {
				if at, ok := intersect(before, p, from, to); ok {
					kept = append(kept, at)
				}
			}
			if in {
				kept = append(kept, p)
			}
		}
		if rest = kept; len(rest) < 3 {
			return 0
		}
	}
	return area(rest)
}
