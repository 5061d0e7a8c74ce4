package document

import (
	"math"
	"sort"

	"kycd/vision"
)

// edgeMap holds, for each pixel of a picture, how steep the steepest of its channels is, and which way it rises.
type edgeMap struct {
	w, h   int
	slope  []uint16
	gx, gy []int16
	index  []int32 // of the crest at each pixel, counted from 1
	strong uint16  // a slope that stands out of this picture's texture
}

// newEdgeMap measures interleaved pixels of 3 channels.
func newEdgeMap(pix []byte, w, h int) edgeMap {
	m := edgeMap{w: w, h: h, slope: make([]uint16, w*h), gx: make([]int16, w*h), gy: make([]int16, w*h), index: make([]int32, w*h)}
	row := 3 * w
	for y := 1; y < h-1; y++ {
		above, here, below := pix[(y-1)*row:y*row], pix[y*row:(y+1)*row], pix[(y+1)*row:(y+2)*row]
		for x := 1; x < w-1; x++ {
			steepest, bestX, bestY := 0, 0, 0
			for c := 3 * x; c < 3*x+3; c++ {
				gx := int(here[c+3]) - int(here[c-3])
				gy := int(below[c]) - int(above[c])
				if s := gx*gx + gy*gy; s > steepest {
					steepest, bestX, bestY = s, gx, gy
				}
			}
			i := y*w + x
			m.slope[i] = uint16(math.Sqrt(float64(steepest)))
			m.gx[i], m.gy[i] = int16(bestX), int16(bestY)
		}
	}
	var histogram [512]int
	for _, v := range m.slope {
		histogram[min(v, 511)]++
	}
	// Above the median, but no less than what noise makes and no more than a weak outline has.
	count := len(m.slope) / 2
	for v, n := range histogram {
		if count -= n; count < 0 {
			m.strong = uint16(min(max(2*v, 9), 20))
			break
		}
	}
	return m
}

func (m edgeMap) at(p vision.Point) uint16 {
	x, y := int(p.X+0.5), int(p.Y+0.5)
	if x < 0 || y < 0 || x >= m.w || y >= m.h {
		return 0
	}
	return m.slope[y*m.w+x]
}

// support is, for each side, the share of places along it where the picture has an edge.
func (m edgeMap) support(q quad) [4]float64 {
	const samples, reach = 48, 2
	var out [4]float64
	for i := range q {
		a, b := q[i], q[(i+1)%4]
		nx, ny := normal(a, b)
		hits := 0
		for k := range samples {
			p := mix(a, b, 0.06+0.88*float64(k)/(samples-1))
			for d := -reach; d <= reach; d++ {
				if m.at(vision.Point{X: p.X + float64(d)*nx, Y: p.Y + float64(d)*ny}) >= m.strong {
					hits++
					break
				}
			}
		}
		out[i] = float64(hits) / samples
	}
	return out
}

// refine moves each side to the line through the steepest places near it and lets the sides meet again.
func (m edgeMap) refine(q quad, reach int) quad {
	var lines [4][2]vision.Point
	for i := range q {
		a, b := q[i], q[(i+1)%4]
		if from, to, ok := m.side(a, b, reach); ok {
			a, b = from, to
		}
		lines[i] = [2]vision.Point{a, b}
	}
	var out quad
	for i := range q {
		before, here := lines[(i+3)%4], lines[i]
		p, ok := intersect(before[0], before[1], here[0], here[1])
		if !ok || distance(p, q[i]) > 3*float64(reach) {
			return q
		}
		out[i] = p
	}
	if !out.regular() {
		return q
	}
	return out
}

// side fits a line through the steepest places within reach of a–b, leaving out those that are off.
func (m edgeMap) side(a, b vision.Point, reach int) (vision.Point, vision.Point, bool) {
	const samples = 64
	nx, ny := normal(a, b)
	type place struct{ t, d float64 }
	var places []place
	for k := range samples {
		t := 0.08 + 0.84*float64(k)/(samples-1)
		p := mix(a, b, t)
		best, at := m.strong, math.NaN()
		for d := -reach; d <= reach; d++ {
			s := func(d int) uint16 { return m.at(vision.Point{X: p.X + float64(d)*nx, Y: p.Y + float64(d)*ny}) }
			if v := s(d); v > best {
				best = v
				// The peak of the parabola through the three slopes lies between two pixels.
				l, r := float64(s(d-1)), float64(s(d+1))
				at = float64(d)
				if bend := l + r - 2*float64(v); bend < 0 {
					at += min(max((l-r)/(2*bend), -0.5), 0.5)
				}
			}
		}
		if !math.IsNaN(at) {
			places = append(places, place{t, at})
		}
	}
	var slope, offset float64
	for _, tolerance := range []float64{float64(reach), 2, 1} {
		if len(places) < samples/4 {
			return a, b, false
		}
		offset, slope = fitLine(len(places), func(i int) (float64, float64) { return places[i].t, places[i].d })
		kept := places[:0:0]
		for _, p := range places {
			if math.Abs(p.d-offset-slope*p.t) <= tolerance {
				kept = append(kept, p)
			}
		}
		places = kept
	}
	if len(places) < samples/4 {
		return a, b, false
	}
	move := func(p vision.Point, d float64) vision.Point { return vision.Point{X: p.X + d*nx, Y: p.Y + d*ny} }
	return move(a, offset), move(b, offset+slope), true
}

// fitLine is the line offset + slope·t with the smallest median error among those through two of the points.
func fitLine(n int, at func(int) (t, d float64)) (offset, slope float64) {
	best := math.Inf(1)
	errs := make([]float64, n)
	step := max(n/16, 1)
	for i := 0; i < n; i += step {
		for j := i + n/3; j < n; j += step {
			ti, di := at(i)
			tj, dj := at(j)
			s := (dj - di) / (tj - ti)
			o := di - s*ti
			for k := range errs {
				t, d := at(k)
				errs[k] = math.Abs(d - o - s*t)
			}
			sort.Float64s(errs)
			if median := errs[n/2]; median < best {
				best, offset, slope = median, o, s
			}
		}
	}
	return offset, slope
}

// normal is the unit vector across a–b.
func normal(a, b vision.Point) (float64, float64) {
	length := math.Max(distance(a, b), 1e-9)
	return -(b.Y - a.Y) / length, (b.X - a.X) / length
}
