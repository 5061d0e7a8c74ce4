package vision

import (
	"cmp"
	"math"
	"slices"
)

// grid is a square of brightness values, row by row. Places on it go from −1 to 1 in both directions.
type grid struct {
	side  int
	cells []float32
}

func newGrid(side int) grid { return grid{side, make([]float32, side*side)} }

func (g grid) mirrored() grid {
	m := newGrid(g.side)
	for y := range g.side {
		for x := range g.side {
			m.cells[y*g.side+x] = g.cells[y*g.side+g.side-1-x]
		}
	}
	return m
}

// halved is the means of two by two cells.
func (g grid) halved() grid {
	h := newGrid(g.side / 2)
	for y := range h.side {
		upper, lower := g.cells[2*y*g.side:], g.cells[(2*y+1)*g.side:]
		for x := range h.side {
			h.cells[y*h.side+x] = (upper[2*x] + upper[2*x+1] + lower[2*x] + lower[2*x+1]) / 4
		}
	}
	return h
}

// blurred takes neighbours in by 1 : 2 : 1, so that values between the cells can be told from them.
func (g grid) blurred() grid {
	across, both := newGrid(g.side), newGrid(g.side)
	last := g.side - 1
	for y := range g.side {
		row := g.cells[y*g.side:][:g.side]
		for x, v := range row {
			across.cells[y*g.side+x] = (row[max(x-1, 0)] + 2*v + row[min(x+1, last)]) / 4
		}
	}
	for y := range g.side {
		above, below := across.cells[max(y-1, 0)*g.side:], across.cells[min(y+1, last)*g.side:]
		for x := range g.side {
			both.cells[y*g.side+x] = (above[x] + 2*across.cells[y*g.side+x] + below[x]) / 4
		}
	}
	return both
}

// warp maps places of one grid to places of another: x + w₀x + w₁y + w₂, y + w₃x + w₄y + w₅.
type warp [6]float64

func (w warp) at(x, y float64) (float64, float64) {
	return x + w[0]*x + w[1]*y + w[2], y + w[3]*x + w[4]*y + w[5]
}

// within tells whether no edge moves by more than edge, and nothing turns by more than turn.
func (w warp) within(edge, turn float64) bool {
	return math.Abs(w[0])+math.Abs(w[2]) <= edge && math.Abs(w[4])+math.Abs(w[5]) <= edge &&
		math.Abs(w[1]) <= turn && math.Abs(w[3]) <= turn
}

// near tells whether two warps map every place to nearly the same one.
func (w warp) near(other warp) bool {
	sum := 0.0
	for i := range w {
		sum += math.Abs(w[i] - other[i])
	}
	return sum < 0.02
}

// sample is the value at a place, between four cells; outside it is that of the nearest edge.
type sample struct {
	value   float64
	dx, dy  float64 // how it changes with the place
	outside bool
}

func (g grid) sample(x, y float64) sample {
	half := float64(g.side) / 2
	px, py := (x+1)*half-0.5, (y+1)*half-0.5
	most := float64(g.side) - 1
	var s sample
	if px < 0 || py < 0 || px >= most || py >= most {
		s.outside = true
		px, py = min(max(px, 0), most-1e-3), min(max(py, 0), most-1e-3)
	}
	ix, iy := int(px), int(py)
	fx, fy := px-float64(ix), py-float64(iy)
	upper, lower := g.cells[iy*g.side+ix:], g.cells[(iy+1)*g.side+ix:]
	a, b, c, d := float64(upper[0]), float64(upper[1]), float64(lower[0]), float64(lower[1])
	s.value = (a*(1-fx)+b*fx)*(1-fy) + (c*(1-fx)+d*fx)*fy
	s.dx = ((b-a)*(1-fy) + (d-c)*fy) * half
	s.dy = ((c-a)*(1-fx) + (d-b)*fx) * half
	return s
}

// place is where the middle of a cell is.
func place(cell, side int) float64 { return (float64(cell)+0.5)*2/float64(side) - 1 }

// through is the grid seen through a warp, with side values in both directions, and which of them lie inside of it.
func (g grid) through(w warp, side int) (seen []float32, inside []bool) {
	seen, inside = make([]float32, side*side), make([]bool, side*side)
	for y := range side {
		for x := range side {
			s := g.sample(w.at(place(x, side), place(y, side)))
			seen[y*side+x], inside[y*side+x] = float32(s.value), !s.outside
		}
	}
	return seen, inside
}

// sums are what mean, variance and covariance of pairs of values are made of.
type sums struct{ n, a, b, aa, bb, ab float64 }

func (s *sums) add(a, b float64) {
	s.n++
	s.a += a
	s.b += b
	s.aa += a * a
	s.bb += b * b
	s.ab += a * b
}

// moments are the two variances and the covariance.
func (s *sums) moments() (va, vb, c float64) {
	return max(s.aa/s.n-s.a*s.a/s.n/s.n, 0), max(s.bb/s.n-s.b*s.b/s.n/s.n, 0), s.ab/s.n - s.a*s.b/s.n/s.n
}

// correlation is 1 where both have much less variance than the grain.
func (s *sums) correlation(grain float64) float64 {
	va, vb, c := s.moments()
	return (c + grain) / (math.Sqrt(va*vb) + grain)
}

// pyramid is a grid in sizes that halve, blurred, the finest first.
type pyramid [levels]grid

const levels = 3

func newPyramid(g grid) pyramid {
	var p pyramid
	for i := range p {
		p[i] = g.blurred()
		g = g.halved()
	}
	return p
}

// fit is a warp, and the contrast and brightness that go with it.
type fit struct {
	warp
	contrast, brightness float64
	correlation          float64
}

// weigh sees how well a warp fits; ok is false where there is nothing to see.
func weigh(still, moving grid, w warp) (f fit, ok bool) {
	seen, inside := moving.through(w, still.side)
	var s sums
	for i, in := range inside {
		if in {
			s.add(float64(still.cells[i]), float64(seen[i]))
		}
	}
	return s.fit(w, len(inside))
}

// fit is what the sums over the places that a warp leaves inside say of it; ok is false if these are less than half of all.
func (s *sums) fit(w warp, all int) (f fit, ok bool) {
	if s.n < float64(all)/2 {
		return fit{}, false
	}
	va, vb, c := s.moments()
	if va < 1e-3 || vb < 1e-3 {
		return fit{warp: w, contrast: 1, brightness: (s.b - s.a) / s.n}, true
	}
	contrast := c / va
	return fit{w, contrast, (s.b - contrast*s.a) / s.n, c / math.Sqrt(va*vb)}, true
}

// trim is how one axis of a grid may lie on another's.
type trim struct{ stretch, shift float64 }

// trims are those of pictures that were trimmed by nothing or a twentieth on either side, on either picture.
func trims() []trim {
	const t = 0.05
	return []trim{{0, 0}, {t, t}, {t, -t}, {-t, t}, {-t, -t}, {2 * t, 0}, {-2 * t, 0}, {0, 2 * t}, {0, -2 * t}}
}

// lens is where the places of one axis lie on another: before which cell, how far beyond it, and whether between two at all.
type lens [coarseSide]struct {
	cell   int
	beyond float32
	inside bool
}

// coarseSide is the side of a pyramid's coarsest grid.
const coarseSide = FingerprintSide >> (levels - 1)

func newLens(t trim) (l lens) {
	for i := range l {
		at := place(i, coarseSide)
		at += t.stretch*at + t.shift
		p := (at+1)*coarseSide/2 - 0.5
		if p >= 0 && p < coarseSide-1 {
			l[i].cell, l[i].inside = int(p), true
			l[i].beyond = float32(p - float64(l[i].cell))
		}
	}
	return l
}

// weighTrims sees how well each pair of trims fits, as weigh would; those below leastLike are left out. It is what most
// comparisons end with, so it takes one axis after the other.
func weighTrims(still, moving grid) []fit {
	var fits []fit
	lenses := make([]lens, len(trims()))
	for i, t := range trims() {
		lenses[i] = newLens(t)
	}
	for i, across := range trims() {
		var narrow [coarseSide][coarseSide]float32
		for y := range narrow {
			row := moving.cells[y*coarseSide:][:coarseSide]
			for x, at := range lenses[i] {
				if at.inside {
					narrow[y][x] = row[at.cell] + at.beyond*(row[at.cell+1]-row[at.cell])
				}
			}
		}
		for k, down := range trims() {
			var s sums
			for y, at := range lenses[k] {
				if !at.inside {
					continue
				}
				for x, v := range still.cells[y*coarseSide:][:coarseSide] {
					if lenses[i][x].inside {
						upper := narrow[at.cell][x]
						s.add(float64(v), float64(upper+at.beyond*(narrow[at.cell+1][x]-upper)))
					}
				}
			}
			if f, ok := s.fit(warp{across.stretch, 0, across.shift, 0, down.stretch, down.shift}, coarseSide*coarseSide); ok && f.correlation >= leastLike {
				fits = append(fits, f)
			}
		}
	}
	return fits
}

const (
	// tries is how many of the coarse warps are looked at more closely.
	tries = 4
	// furthest is how far an edge may move: a picture trimmed by a twentieth on both sides is 1/9 too large; and a little more.
	furthest = 0.15
	// mostTurn is how far a place may move along the other axis: a turn of one and a half degrees.
	mostTurn = 0.04
	// leastLike is the correlation below which a closer look is not worth it.
	leastLike = 0.5
)

// register finds the warp that lays one picture on the other: from the best of a choice of trims, by least squares, from
// coarse to fine. found is false if nothing within the bounds fits.
func register(still, moving pyramid) (best warp, found bool) {
	coarse, middle := levels-1, levels-2
	starts := weighTrims(still[coarse], moving[coarse])
	slices.SortStableFunc(starts, func(a, b fit) int { return cmp.Compare(b.correlation, a.correlation) })
	leader := fit{correlation: leastLike}
	for _, f := range starts[:min(tries, len(starts))] {
		f, ok := approach(still[coarse], moving[coarse], f, 10)
		if !ok || !f.within(1.5*furthest, 1.5*mostTurn) {
			continue
		}
		if found && f.near(leader.warp) {
			continue // where another start has led already
		}
		if f, ok = approach(still[middle], moving[middle], f, 6); !ok || !f.within(1.2*furthest, 1.2*mostTurn) {
			continue
		}
		if f, ok = weigh(still[middle], moving[middle], f.warp); ok && f.correlation > leader.correlation {
			leader, found = f, true
		}
	}
	if !found {
		return warp{}, false
	}
	leader, found = approach(still[0], moving[0], leader, 8)
	return leader.warp, found && leader.within(furthest, mostTurn)
}

// unknowns are a warp's six numbers, contrast and brightness.
const unknowns = 8

// approach takes at most so many steps of Gauss and Newton towards the warp that leaves the least difference.
func approach(still, moving grid, f fit, steps int) (fit, bool) {
	for range steps {
		var normal [unknowns][unknowns + 1]float64
		n := 0
		for cy := range still.side {
			y := place(cy, still.side)
			for cx := range still.side {
				x := place(cx, still.side)
				s := moving.sample(f.at(x, y))
				if s.outside {
					continue
				}
				n++
				value := float64(still.cells[cy*still.side+cx])
				rest := f.contrast*value + f.brightness - s.value
				slope := [unknowns]float64{s.dx * x, s.dx * y, s.dx, s.dy * x, s.dy * y, s.dy, -value, -1}
				for i, a := range slope {
					for k := i; k < unknowns; k++ {
						normal[i][k] += a * slope[k]
					}
					normal[i][unknowns] += a * rest
				}
			}
		}
		if n < len(still.cells)/2 {
			return f, false
		}
		for i := range unknowns {
			for k := range i {
				normal[i][k] = normal[k][i]
			}
			if i < 6 {
				normal[i][i] += 1e-3 * float64(n) // a plain picture moves nowhere
			}
			normal[i][i] += 1e-6 * (1 + normal[i][i])
		}
		step, ok := solve(&normal)
		if !ok {
			return f, false
		}
		furthestStep := 0.0
		for i := range f.warp {
			f.warp[i] += step[i]
			furthestStep = max(furthestStep, math.Abs(step[i]))
		}
		f.contrast += step[6]
		f.brightness += step[7]
		if !f.within(0.5, 0.5) {
			return f, false
		}
		if furthestStep < 1e-4 {
			break
		}
	}
	return f, true
}

// solve is Gauss's elimination with pivots; ok is false for a singular system.
func solve(m *[unknowns][unknowns + 1]float64) (x [unknowns]float64, ok bool) {
	for i := range unknowns {
		pivot := i
		for k := i + 1; k < unknowns; k++ {
			if math.Abs(m[k][i]) > math.Abs(m[pivot][i]) {
				pivot = k
			}
		}
		m[i], m[pivot] = m[pivot], m[i]
		if !(math.Abs(m[i][i]) > 1e-12) {
			return x, false
		}
		for k := i + 1; k < unknowns; k++ {
			factor := m[k][i] / m[i][i]
			for j := i; j <= unknowns; j++ {
				m[k][j] -= factor * m[i][j]
			}
		}
	}
	for i := unknowns - 1; i >= 0; i-- {
		x[i] = m[i][unknowns]
		for k := i + 1; k < unknowns; k++ {
			x[i] -= m[i][k] * x[k]
		}
		x[i] /= m[i][i]
	}
	return x, true
}
