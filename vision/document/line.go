package document

import (
	"image"
	"math"
	"slices"

	"kycd/vision"
)

// edgel is one pixel on the crest of an edge.
type edgel struct {
	x, y   float64
	nx, ny float64 // unit vector across the edge
	turn   int     // of that vector, degrees 0..179
	at     int32   // of its pixel in the picture
	strong bool    // one of many that form a long edge
}

// line is a straight edge somewhere in the picture: nx·x + ny·y = away.
type line struct {
	nx, ny, away float64
	ox, oy       float64 // the place of the profile's first step
	hits         []int32 // cumulative: how many of the first i steps of one pixel along the line are on an edge
	run          int     // the longest piece without a gap, pixels
}

// along is the position of a place on the line, in steps of its profile.
func (l *line) along(p vision.Point) float64 { return (p.X-l.ox)*l.ny - (p.Y-l.oy)*l.nx }

// support is the share of the line between two positions that is on an edge, of what lies within the picture; seen is the share that does.
func (l *line) support(from, to float64) (share, seen float64) {
	if from > to {
		from, to = to, from
	}
	a, b := max(int(from), 0), min(int(to), len(l.hits)-1)
	if b <= a {
		return 0, 0
	}
	return float64(l.hits[b]-l.hits[a]) / float64(b-a), float64(b-a) / math.Max(to-from, 1)
}

// crests are the pixels where the slope is highest across the edge.
func (m edgeMap) crests() []edgel {
	weak := m.strong
	out := make([]edgel, 0, m.w*m.h/8)
	for y := 2; y < m.h-2; y++ {
		for x := 2; x < m.w-2; x++ {
			i := y*m.w + x
			v := m.slope[i]
			if v < weak {
				continue
			}
			gx, gy := int(m.gx[i]), int(m.gy[i])
			ax, ay := gx, gy
			if ax < 0 {
				ax = -ax
			}
			if ay < 0 {
				ay = -ay
			}
			step := m.w // mostly upright gradient
			switch {
			case ay*5 < ax*2:
				step = 1
			case ax*5 < ay*2:
			case (gx < 0) == (gy < 0):
				step = m.w + 1
			default:
				step = m.w - 1
			}
			before, after := m.slope[i-step], m.slope[i+step]
			if v < before || v <= after {
				continue
			}
			length := math.Hypot(float64(gx), float64(gy))
			e := edgel{x: float64(x), y: float64(y), nx: float64(gx) / length, ny: float64(gy) / length, at: int32(i)}
			m.index[i] = int32(len(out)) + 1
			// The peak of the parabola lies between two pixels.
			if bend := float64(before) + float64(after) - 2*float64(v); bend < 0 {
				off := min(max((float64(before)-float64(after))/(2*bend), -0.5), 0.5)
				switch step {
				case 1:
					e.x += off
				case m.w:
					e.y += off
				default:
					e.y += off
					if step == m.w+1 {
						e.x += off
					} else {
						e.x -= off
					}
				}
			}
			e.turn = (int(math.Atan2(e.ny, e.nx)*180/math.Pi+360.5) % 180)
			out = append(out, e)
		}
	}
	return m.chains(out)
}

// chains leaves out the crests of small things: neighbours that run the same way form a chain, and letters and texture have short ones.
func (m edgeMap) chains(crests []edgel) []edgel {
	const (
		least    = 5  // pixels across a chain that is left
		large    = 13 // and of one that lines are looked for with
		straight = 0.9
	)
	seen := make([]bool, len(crests))
	kept := make([]edgel, 0, len(crests))
	chain := make([]int32, 0, 1024)
	neighbours := [8]int{-m.w - 1, -m.w, -m.w + 1, -1, 1, m.w - 1, m.w, m.w + 1}
	for first := range crests {
		if seen[first] {
			continue
		}
		seen[first] = true
		chain = append(chain[:0], int32(first))
		low, high := m.place(crests[first].at), m.place(crests[first].at)
		for next := 0; next < len(chain); next++ {
			e := &crests[chain[next]]
			for _, step := range neighbours {
				k := m.index[e.at+int32(step)] - 1
				if k < 0 || seen[k] || e.nx*crests[k].nx+e.ny*crests[k].ny < straight {
					continue
				}
				seen[k] = true
				chain = append(chain, k)
				p := m.place(crests[k].at)
				low.X, low.Y, high.X, high.Y = min(low.X, p.X), min(low.Y, p.Y), max(high.X, p.X), max(high.Y, p.Y)
			}
		}
		across := max(high.X-low.X, high.Y-low.Y) + 1
		if across < least {
			continue
		}
		for _, k := range chain {
			crests[k].strong = across >= large
			kept = append(kept, crests[k])
		}
	}
	return kept
}

func (m edgeMap) place(i int32) image.Point { return image.Pt(int(i)%m.w, int(i)/m.w) }

const (
	mostPeaks  = 700 // directions and distances that are looked at
	mostLines  = 100 // straight edges that sides are made of
	rhoStep    = 2   // pixels
	turnSpread = 5   // degrees by which noise turns the slope of a straight edge
)

// straight finds the lines that most crests lie on.
func (m edgeMap) straight(crests []edgel) []line {
	half := int(math.Hypot(float64(m.w), float64(m.h)))/rhoStep + 2
	wide := 2*half + 1
	votes := make([]uint16, 180*wide)
	var sines [180][2]float64
	for t := range sines {
		sines[t][0], sines[t][1] = math.Sincos(float64(t) * math.Pi / 180)
	}
	for _, e := range crests {
		if !e.strong {
			continue
		}
		for d := -turnSpread; d <= turnSpread; d++ {
			t := (e.turn + d + 180) % 180
			rho := (e.x*sines[t][1] + e.y*sines[t][0]) / rhoStep
			votes[t*wide+half+int(math.Round(rho))]++
		}
	}
	least := uint16(max(min(m.w, m.h)/14, 8))
	type peak struct {
		votes  uint16
		t, rho int
	}
	var peaks []peak
	for t := range 180 {
		for r := 2; r < wide-2; r++ {
			v := votes[t*wide+r]
			if v < least {
				continue
			}
			top := true
		around:
			for dt := -2; dt <= 2; dt++ {
				nt, nr := t+dt, r
				if nt < 0 || nt >= 180 { // the same line, seen from the other side
					nt, nr = (nt+180)%180, 2*half-r
				}
				for dr := -2; dr <= 2; dr++ {
					if o := votes[nt*wide+min(max(nr+dr, 0), wide-1)]; o > v || o == v && (nt*wide+nr+dr < t*wide+r) {
						top = false
						break around
					}
				}
			}
			if top {
				peaks = append(peaks, peak{v, t, r - half})
			}
		}
	}
	slices.SortFunc(peaks, func(a, b peak) int { return int(b.votes) - int(a.votes) })
	if len(peaks) > mostPeaks {
		peaks = peaks[:mostPeaks]
	}
	// The crests by their direction, so that a line looks only at those that run along it.
	var byTurn [180][]int32
	for i, e := range crests {
		byTurn[e.turn] = append(byTurn[e.turn], int32(i))
	}
	var out []line
	for _, p := range peaks {
		l := line{nx: sines[p.t][1], ny: sines[p.t][0], away: float64(p.rho * rhoStep)}
		if l.fit(crests, &byTurn, p.t) && !slices.ContainsFunc(out, l.same) {
			l.trace(crests, &byTurn, p.t, m.w, m.h)
			out = append(out, l)
		}
	}
	// Print gives long rows of many short edges, an outline few long ones.
	slices.SortStableFunc(out, func(a, b line) int { return b.run - a.run })
	return out[:min(len(out), mostLines)]
}

// same tells that two lines are one: they pass each other within two pixels at both ends of the profile's middle half.
func (l *line) same(o line) bool {
	dot := l.nx*o.nx + l.ny*o.ny
	if math.Abs(dot) < 0.9998 {
		return false
	}
	away := o.away
	if dot < 0 {
		away = -away
	}
	return math.Abs(l.away-away) < 1.5
}

// fit moves the line to the crests near it.
func (l *line) fit(crests []edgel, byTurn *[180][]int32, t int) bool {
	for _, near := range [2]float64{2.5, 1.5} {
		var n, sx, sy, sxx, sxy, syy float64
		for d := -10; d <= 10; d++ {
			for _, i := range byTurn[(t+d+180)%180] {
				e := &crests[i]
				if off := l.nx*e.x + l.ny*e.y - l.away; off < -near || off > near {
					continue
				}
				n, sx, sy, sxx, sxy, syy = n+1, sx+e.x, sy+e.y, sxx+e.x*e.x, sxy+e.x*e.y, syy+e.y*e.y
			}
		}
		if n < 12 {
			return false
		}
		mx, my := sx/n, sy/n
		cxx, cxy, cyy := sxx/n-mx*mx, sxy/n-mx*my, syy/n-my*my
		// The normal is the direction of the least spread.
		angle := 0.5*math.Atan2(2*cxy, cxx-cyy) + math.Pi/2
		l.ny, l.nx = math.Sincos(angle)
		l.away = l.nx*mx + l.ny*my
	}
	return true
}

// trace notes where along the line the picture has an edge.
func (l *line) trace(crests []edgel, byTurn *[180][]int32, t, w, h int) {
	first, last, ok := l.within(w, h)
	if !ok {
		l.hits = make([]int32, 1)
		return
	}
	l.ox, l.oy = first.X, first.Y
	length := int(distance(first, last)) + 1
	if l.along(last) < 0 {
		l.ox, l.oy = last.X, last.Y
	}
	on := make([]bool, length+3)
	for d := -15; d <= 15; d++ {
		for _, i := range byTurn[(t+d+180)%180] {
			e := &crests[i]
			if off := l.nx*e.x + l.ny*e.y - l.away; off < -1.6 || off > 1.6 {
				continue
			}
			if at := int(l.along(vision.Point{X: e.x, Y: e.y})) + 1; at >= 1 && at <= length {
				on[at-1], on[at], on[at+1] = true, true, true
			}
		}
	}
	l.hits = make([]int32, length+1)
	run := 0
	for i := range length {
		l.hits[i+1] = l.hits[i]
		if !on[i+1] {
			run = 0
			continue
		}
		l.hits[i+1]++
		run++
		l.run = max(l.run, run)
	}
}

// within is the part of the line in a picture.
func (l *line) within(w, h int) (a, b vision.Point, ok bool) {
	var at []vision.Point
	right, bottom := float64(w-1), float64(h-1)
	if math.Abs(l.ny) > 1e-6 {
		for _, x := range [2]float64{0, right} {
			if y := (l.away - l.nx*x) / l.ny; y >= 0 && y <= bottom {
				at = append(at, vision.Point{X: x, Y: y})
			}
		}
	}
	if math.Abs(l.nx) > 1e-6 {
		for _, y := range [2]float64{0, bottom} {
			if x := (l.away - l.ny*y) / l.nx; x >= 0 && x <= right {
				at = append(at, vision.Point{X: x, Y: y})
			}
		}
	}
	for _, p := range at {
		for _, q := range at {
			if d := distance(p, q); d > 8 && (!ok || d > distance(a, b)) {
				a, b, ok = p, q, true
			}
		}
	}
	return a, b, ok
}

func (l *line) meet(o *line) (vision.Point, bool) {
	det := l.nx*o.ny - l.ny*o.nx
	if math.Abs(det) < 0.2 {
		return vision.Point{}, false
	}
	return vision.Point{X: (l.away*o.ny - o.away*l.ny) / det, Y: (l.nx*o.away - o.nx*l.away) / det}, true
}

// proposal is a quadrilateral of four lines. Side i runs from corner i to the next.
type proposal struct {
	quad  quad
	sides [4]int
	score float64
}

// proposals puts lines together to quadrilaterals that have an edge along most of three sides and some of the fourth, the best first.
func (m edgeMap) proposals(lines []line, most int) []proposal {
	const enough = 0.3
	n := len(lines)
	meets := make([]vision.Point, n*n)
	met := make([]bool, n*n)
	reachX, reachY := 0.3*float64(m.w), 0.3*float64(m.h)
	for i := range lines {
		for j := range lines {
			p, ok := lines[i].meet(&lines[j])
			meets[i*n+j] = p
			met[i*n+j] = ok && p.X > -reachX && p.Y > -reachY && p.X < float64(m.w)+reachX && p.Y < float64(m.h)+reachY
		}
	}
	shortest := 0.12 * float64(min(m.w, m.h))
	var out []proposal
	cross := make([]int, 0, n)
	for i := range n {
		for j := i + 1; j < n; j++ {
			if math.Abs(lines[i].nx*lines[j].nx+lines[i].ny*lines[j].ny) < 0.75 {
				continue
			}
			cross = cross[:0]
			for k := range n {
				if !met[k*n+i] || !met[k*n+j] {
					continue
				}
				p, q := meets[k*n+i], meets[k*n+j]
				if distance(p, q) < shortest {
					continue
				}
				if share, seen := lines[k].support(lines[k].along(p), lines[k].along(q)); share >= enough && seen >= 0.4 {
					cross = append(cross, k)
				}
			}
			for a, k := range cross {
				if k < i {
					continue // found from the other pair
				}
				for _, l := range cross[a+1:] {
					if math.Abs(lines[k].nx*lines[l].nx+lines[k].ny*lines[l].ny) < 0.75 {
						continue
					}
					p := proposal{quad: quad{meets[k*n+i], meets[l*n+i], meets[l*n+j], meets[k*n+j]}, sides: [4]int{i, l, j, k}}
					if area(p.quad[:]) < 0 {
						p.quad[1], p.quad[3] = p.quad[3], p.quad[1]
						p.sides = [4]int{k, j, l, i}
					}
					if distance(p.quad[0], p.quad[1]) < shortest || distance(p.quad[2], p.quad[3]) < shortest {
						continue
					}
					if p.score = m.rate(lines, &p); p.score > 0.3 {
						out = append(out, p)
					}
				}
			}
		}
	}
	slices.SortFunc(out, byScore)
	out = out[:min(len(out), most)]
	for i := range out {
		out[i].score *= m.worth(out[i].quad)
	}
	slices.SortFunc(out, byScore)
	return out
}

func byScore(a, b proposal) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return 0
}

// worth is less than 1 for a quadrilateral that nothing is printed in.
func (m edgeMap) worth(q quad) float64 { return 0.7 + 0.3*math.Min(1, m.print(q)/0.2) }

// rate says, 0..1, how much a quadrilateral looks like the outline of a document: edges along all four sides that end at the
// corners, a known shape, and a fair share of the picture.
func (m edgeMap) rate(lines []line, p *proposal) float64 {
	if !p.quad.regular() {
		return 0
	}
	share := area(p.quad[:]) / float64(m.w*m.h)
	if share < minShare || share > 1.3 {
		return 0
	}
	sum, weakest, beyond, ends := 0.0, 1.0, 0.0, 0.0
	for i, side := range p.sides {
		l := &lines[side]
		from, to := l.along(p.quad[i]), l.along(p.quad[(i+1)%4])
		run := to - from
		s, seen := l.support(from+0.05*run, to-0.05*run)
		if seen < 0.4 {
			return 0
		}
		sum += s / 4
		weakest = math.Min(weakest, s)
		// An outline ends at its corners: lines of print, tables and rows of keys go on.
		for _, end := range [2][2]float64{{from - 0.03*run, from - 0.15*run}, {to + 0.03*run, to + 0.15*run}} {
			if s, seen := l.support(end[0], end[1]); seen > 0.3 {
				beyond += s
				ends++
			}
		}
	}
	if weakest < 0.3 || sum < 0.5 {
		return 0
	}
	if ends > 0 {
		beyond /= ends
	}
	_, fit := p.quad.kind(m.w, m.h)
	large := math.Min(1, 0.55+0.45*math.Sqrt(share/0.3))
	return (0.6*sum + 0.4*weakest) * (0.55 + 0.45*fit) * large * (1 - 0.4*beyond)
}

// print is the share of places within a quadrilateral, away from its sides, where the picture has an edge: an empty sheet has none.
func (m edgeMap) print(q quad) float64 {
	const columns, rows = 20, 12
	hits := 0
	for r := range rows {
		v := 0.15 + 0.7*float64(r)/(rows-1)
		from, to := mix(q[0], q[3], v), mix(q[1], q[2], v)
		for c := range columns {
			p := mix(from, to, 0.15+0.7*float64(c)/(columns-1))
			if m.at(p) >= m.strong || m.at(vision.Point{X: p.X + 1, Y: p.Y}) >= m.strong || m.at(vision.Point{X: p.X, Y: p.Y + 1}) >= m.strong {
				hits++
			}
		}
	}
	return float64(hits) / (columns * rows)
}

// grow moves sides outwards to lines of which the outline might as well be made: bands and boxes that are printed across the whole
// document have its kind of edges too, but the document's own edges go on beyond them.
func (m edgeMap) grow(lines []line, p proposal) proposal {
	const enough = 0.55
	for range 4 {
		best, grown := p, false
		for i := range p.sides {
			a, b := p.quad[i], p.quad[(i+1)%4]
			before, after := &lines[p.sides[(i+3)%4]], &lines[p.sides[(i+1)%4]]
			nx, ny := normal(a, b) // inwards
			for k := range lines {
				l := &lines[k]
				if k == p.sides[i] || math.Abs(l.nx*nx+l.ny*ny) < 0.9 {
					continue
				}
				na, ok1 := l.meet(before)
				nb, ok2 := l.meet(after)
				if !ok1 || !ok2 {
					continue
				}
				outA, outB := -(na.X-a.X)*nx-(na.Y-a.Y)*ny, -(nb.X-b.X)*nx-(nb.Y-b.Y)*ny
				if min(outA, outB) < -2 || max(outA, outB) < 4 {
					continue
				}
				// But for the rounded corner.
				round := 0.04 * distance(na, nb)
				sa, seenA := before.support(before.along(a), before.along(mix(na, a, min(round/math.Max(outA, 1), 0.5))))
				sb, seenB := after.support(after.along(b), after.along(mix(nb, b, min(round/math.Max(outB, 1), 0.5))))
				if outA <= 3 || seenA <= 0.3 {
					sa = 1
				}
				if outB <= 3 || seenB <= 0.3 {
					sb = 1
				}
				least := 0.75
				if min(sa, sb) < enough {
					if sa+sb < 0.9 || max(sa, sb) < 0.75 {
						continue
					}
					least = 0.9 // a finger may lie over one of them
				}
				try := p
				try.sides[i] = k
				try.quad[i], try.quad[(i+1)%4] = na, nb
				if try.score = m.rate(lines, &try); try.score > least*p.score && (!grown || try.score > best.score) {
					best, grown = try, true
				}
			}
		}
		if !grown {
			break
		}
		p = best
	}
	return p
}
