package head

import (
	"math"
	"slices"

	"kycd/vision"
)

// Landmark is one point of a face: where it lies, in mm, and how far people and detectors stray from there.
type Landmark struct {
	Index  int // in the list of points
	At     Vector
	Spread float64 // mm, one standard deviation in the picture
}

// Camera is how a face is turned, and how it is seen. A point v of the face appears at
// Offset + Scale·(Rv).xy / (1 + Near·(Rv).z), R being Turned: exact for a camera that looks at the face's origin.
type Camera struct {
	Turned Matrix
	Scale  float64 // px per mm at the depth of the origin
	Offset vision.Point
	Near   float64 // 1/mm: the inverse of the distance from the camera to the origin

	unit   float64 // px per mm by which distances in the picture are measured; held fixed while the rest is fitted
	misfit float64 // robust sum of squares, which is minimised
}

// Faces are photographed from between an arm's length and several metres. Few pictures tell the distance, so its
// inverse is held near these values, of 1/mm.
const (
	nearMean   = 1.0 / 900
	nearSpread = 1.0 / 900
	nearMost   = 1.0 / 250
)

const (
	unknowns = 7 // three of rotation, scale, two of offset, nearness
	// huber is the distance, in spreads, beyond which a landmark's pull grows no more.
	huber = 1.5
	steps = 30 // at most; six are usual
	// settled is the relative gain below which the search ends.
	settled = 1e-5
)

// Fit finds the camera that shows the face at the points. ok is false for points that are not finite or lie on a line.
func Fit(face []Landmark, points []vision.Point) (best Camera, ok bool) {
	used, flat := make([]vision.Point, len(face)), make([]vision.Point, len(face))
	for i, l := range face {
		used[i], flat[i] = points[l.Index], vision.Point{X: l.At[0], Y: l.At[1]}
	}
	middle, size, breadth := extent(used)
	// NaN and infinity make NaN of the size or the breadth.
	if !(size > 0 && breadth > leastBreadth) {
		return Camera{}, false
	}
	centre, whole, _ := extent(flat)
	scale := size / whole
	tilt := tiltOf(flat, used)

	// A flat face seen from afar looks the same turned one way or the other; the nose decides, if both are tried.
	best.misfit = math.Inf(1)
	for _, yaw := range [3]float64{0, -40, 40} {
		start := Camera{Turned: Rotation(vision.Pose{Yaw: yaw, Roll: tilt}), Scale: scale, Near: nearMean, unit: scale}
		at, _ := start.Project(Vector{centre.X, centre.Y, 0})
		start.Offset = vision.Point{X: middle.X - at.X, Y: middle.Y - at.Y}
		found := start.refined(face, points)
		found.unit = found.Scale
		if found = found.refined(face, points); found.misfit < best.misfit {
			best = found
		}
	}
	return best, !math.IsInf(best.misfit, 1)
}

// Project gives the point at which the camera shows v, and the turned v.
func (c Camera) Project(v Vector) (vision.Point, Vector) {
	w := c.Turned.Times(v)
	k := c.Scale / (1 + c.Near*w[2])
	return vision.Point{X: c.Offset.X + k*w[0], Y: c.Offset.Y + k*w[1]}, w
}

// Away is the median distance of the landmarks from where they were seen, in spreads.
func (c Camera) Away(face []Landmark, points []vision.Point) float64 {
	away := make([]float64, len(face))
	for i, l := range face {
		away[i] = c.away(l, points)
	}
	slices.Sort(away)
	return away[len(away)/2]
}

func (c Camera) away(l Landmark, points []vision.Point) float64 {
	p, _ := c.Project(l.At)
	q := points[l.Index]
	return math.Hypot(p.X-q.X, p.Y-q.Y) / (c.unit * l.Spread)
}

// refined descends from the camera to the nearest minimum of the misfit (Levenberg–Marquardt).
func (c Camera) refined(face []Landmark, points []vision.Point) Camera {
	c.misfit = c.loss(face, points)
	damping := 1e-3
	for range steps {
		normal, gradient := c.linearise(face, points)
		improved := false
		for range 8 {
			damped := normal
			for i := range unknowns {
				damped[i][i] *= 1 + damping
			}
			if step, ok := solve(damped, gradient); ok {
				next := c.moved(step)
				if next.misfit = next.loss(face, points); next.misfit < c.misfit {
					improved = c.misfit-next.misfit > settled*c.misfit
					c, damping = next, math.Max(damping/5, 1e-9)
					break
				}
			}
			damping *= 5
		}
		if !improved {
			break
		}
	}
	return c
}

// loss is Huber's, of the distances in spreads, and the square of what is strange about the nearness.
func (c Camera) loss(face []Landmark, points []vision.Point) float64 {
	strange := (c.Near - nearMean) / nearSpread
	sum := strange * strange
	for _, l := range face {
		if away := c.away(l, points); away <= huber {
			sum += away * away
		} else {
			sum += huber * (2*away - huber)
		}
	}
	return sum
}

// linearise gives the normal equations of the weighted residuals.
func (c Camera) linearise(face []Landmark, points []vision.Point) (normal [unknowns][unknowns]float64, gradient [unknowns]float64) {
	add := func(row [unknowns]float64, residual, weight float64) {
		for i := range unknowns {
			for j := range unknowns {
				normal[i][j] += weight * row[i] * row[j]
			}
			gradient[i] -= weight * row[i] * residual
		}
	}
	for _, l := range face {
		p, w := c.Project(l.At)
		q := points[l.Index]
		px := 1 / (c.unit * l.Spread)
		dx, dy := (p.X-q.X)*px, (p.Y-q.Y)*px
		weight := 1.0
		if away := math.Hypot(dx, dy); away > huber {
			weight = huber / away
		}
		// The derivatives of the point by the turned position, in spreads.
		deep := 1 / (1 + c.Near*w[2])
		k := c.Scale * deep * px
		tx := cross(w, Vector{k, 0, -k * deep * c.Near * w[0]}) // a small spin moves the turned position by its cross product
		ty := cross(w, Vector{0, k, -k * deep * c.Near * w[1]})
		// The scale moves by its logarithm, the offset by mm, the nearness by the spread of its prior.
		closer := -k * deep * w[2] * nearSpread
		add([unknowns]float64{tx[0], tx[1], tx[2], k * w[0], c.unit * px, 0, closer * w[0]}, dx, weight)
		add([unknowns]float64{ty[0], ty[1], ty[2], k * w[1], 0, c.unit * px, closer * w[1]}, dy, weight)
	}
	add([unknowns]float64{unknowns - 1: 1}, (c.Near-nearMean)/nearSpread, 1)
	return normal, gradient
}

// moved takes a step of the solver.
func (c Camera) moved(step [unknowns]float64) Camera {
	c.Turned = spin(Vector{step[0], step[1], step[2]}).After(c.Turned)
	c.Scale *= math.Exp(math.Max(-1, math.Min(1, step[3])))
	c.Offset.X += step[4] * c.unit
	c.Offset.Y += step[5] * c.unit
	c.Near = math.Max(0, math.Min(nearMost, c.Near+step[6]*nearSpread))
	return c
}

// solve solves a symmetric, positive definite system (Cholesky); ok is false if it is none.
func solve(a [unknowns][unknowns]float64, b [unknowns]float64) (x [unknowns]float64, ok bool) {
	for i := range unknowns {
		for j := range i + 1 {
			sum := a[i][j]
			for k := range j {
				sum -= a[i][k] * a[j][k]
			}
			if i != j {
				a[i][j] = sum / a[j][j]
				continue
			}
			if !(sum > 1e-12) {
				return x, false
			}
			a[i][i] = math.Sqrt(sum)
		}
	}
	for i := range unknowns {
		x[i] = b[i]
		for k := range i {
			x[i] -= a[i][k] * x[k]
		}
		x[i] /= a[i][i]
	}
	for i := unknowns - 1; i >= 0; i-- {
		for k := i + 1; k < unknowns; k++ {
			x[i] -= a[k][i] * x[k]
		}
		x[i] /= a[i][i]
	}
	return x, true
}

// leastBreadth is the least ratio of the shorter to the longer spread of the points: in profile a face still shows
// 0.3, points on a line none.
const leastBreadth = 0.03

// extent gives the middle of points, their root mean square distance from it, and the ratio of their spreads along
// the shorter and the longer axis.
func extent(points []vision.Point) (middle vision.Point, size, breadth float64) {
	n := float64(len(points))
	for _, p := range points {
		middle.X += p.X / n
		middle.Y += p.Y / n
	}
	var xx, xy, yy float64
	for _, p := range points {
		dx, dy := p.X-middle.X, p.Y-middle.Y
		xx, xy, yy = xx+dx*dx/n, xy+dx*dy/n, yy+dy*dy/n
	}
	half, root := (xx+yy)/2, math.Hypot((xx-yy)/2, xy)
	return middle, math.Sqrt(xx + yy), math.Sqrt(math.Max(half-root, 0) / (half + root))
}

// tiltOf is the angle, in degrees, by which the points from are best turned to resemble the points to.
func tiltOf(from, to []vision.Point) float64 {
	a, _, _ := extent(from)
	b, _, _ := extent(to)
	var along, across float64
	for i := range from {
		ax, ay := from[i].X-a.X, from[i].Y-a.Y
		bx, by := to[i].X-b.X, to[i].Y-b.Y
		along += ax*bx + ay*by
		across += ax*by - ay*bx
	}
	return math.Atan2(across, along) * 180 / math.Pi
}
