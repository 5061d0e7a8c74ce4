package document

import (
	"cmp"
	"math"
	"slices"

	"kycd/vision"
)

// torn is a document of which only a part lies in the picture: one corner and the two sides that run from there to the picture's border, or
// two corners and the three sides around them.
type torn struct {
	quad  quad // closed where the sides leave the picture
	score float64
}

const (
	squareTorn = 0.35 // cosine of the angle at a corner, at most
	tornReach  = 0.3  // of the picture's shorter side that a side which leaves the picture has at least

	// With these bounds, and 9 lines of print, none of 180 whole documents on all grounds was taken for a torn one, and of 140 pictures of people
	// and things a payslip, a letter and a cheque, which has 9 lines; of 54 documents cut at a corner or a side 51 were seen.
	tornScore     = 0.8  // on plain grounds torn ones score 0.95 and more
	tornLines     = 12   // lines of print in four strips, along or across
	wholeScore    = 0.85 // from here on an outline of four sides is believed
	tornAdvantage = 0.1  // by which a torn one scores higher than an outline of four sides that is seen plainly
	mostTorn      = 8    // of which the print is looked at
)

// ray is what of a line lies between a corner and the picture's border.
type ray struct {
	end    vision.Point
	length float64
	on     float64 // share of it that is on an edge
	beyond float64 // the same of a piece of the line on the other side of the corner
}

// rays are the two ways from a corner along a line to the border.
func (m edgeMap) rays(l *line, corner vision.Point) (out [2]ray) {
	a, b, ok := l.within(m.w, m.h)
	if !ok {
		return out
	}
	at := l.along(corner)
	for i, end := range [2]vision.Point{a, b} {
		run := l.along(end) - at
		r := ray{end: end, length: math.Abs(run)}
		r.on, _ = l.support(at+0.04*run, at+0.99*run)
		r.beyond, _ = l.support(at-0.03*run, at-0.15*run)
		out[i] = r
	}
	return out
}

// inPicture says whether a place lies in the picture, and not at its border.
func (m edgeMap) inPicture(p vision.Point) bool {
	return p.X >= 3 && p.Y >= 3 && p.X <= float64(m.w-4) && p.Y <= float64(m.h-4)
}

// tornDocument looks for a torn document that is more likely than the best outline of four sides, which has a score.
func (m edgeMap) tornDocument(work []byte, lines []line, whole float64) (torn, bool) {
	least := tornScore
	switch {
	case whole >= wholeScore:
		return torn{}, false
	case whole >= surelyScore:
		least = math.Max(tornScore+tornAdvantage, whole+tornAdvantage)
	}
	all := m.tornCandidates(lines, least)
	for _, t := range all[:min(len(all), mostTorn)] {
		if along, across := linesOf(work, m.w, m.h, t.quad); max(along, across) >= tornLines {
			return t, true
		}
	}
	return torn{}, false
}

// tornCandidates are those of at least a score, the best first.
func (m edgeMap) tornCandidates(lines []line, least float64) (all []torn) {
	try := func(q quad, score float64) {
		if score < least {
			return
		}
		if area(q[:]) < 0 {
			q[1], q[3] = q[3], q[1]
		}
		if score *= m.worth(q); score >= least && q.regular() {
			all = append(all, torn{quad: q, score: score})
		}
	}
	reach := tornReach * float64(min(m.w, m.h))
	for i := range lines {
		a := &lines[i]
		for k := range lines {
			b := &lines[k]
			if k == i || math.Abs(a.nx*b.nx+a.ny*b.ny) > squareTorn {
				continue
			}
			corner, ok := a.meet(b)
			if !ok || !m.inPicture(corner) {
				continue
			}
			for _, side := range m.rays(a, corner) {
				if side.length < reach || side.on < 0.5 {
					continue
				}
				if k > i {
					for _, other := range m.rays(b, corner) {
						if other.length < reach {
							continue
						}
						far := vision.Point{X: side.end.X + other.end.X - corner.X, Y: side.end.Y + other.end.Y - corner.Y}
						try(quad{corner, side.end, far, other.end}, ofTorn(side.beyond+other.beyond, 2, side.on, other.on))
					}
				}
				m.threeSided(lines, i, k, corner, side, reach, try)
			}
		}
	}
	slices.SortFunc(all, func(a, b torn) int { return cmp.Compare(b.score, a.score) })
	return all
}

// threeSided tries the sides opposite to one that leaves the picture, with the line k from its corner to theirs.
func (m edgeMap) threeSided(lines []line, i, k int, corner vision.Point, side ray, reach float64, try func(quad, float64)) {
	a, b := &lines[i], &lines[k]
	for j := i + 1; j < len(lines); j++ {
		c := &lines[j]
		if j == k || math.Abs(a.nx*c.nx+a.ny*c.ny) < 0.9 {
			continue
		}
		second, ok := c.meet(b)
		if !ok || !m.inPicture(second) || distance(corner, second) < reach {
			continue
		}
		from, to := b.along(corner), b.along(second)
		run := to - from
		on, _ := b.support(from+0.04*run, to-0.04*run)
		before, _ := b.support(from-0.03*run, from-0.15*run)
		after, _ := b.support(to+0.03*run, to+0.15*run)
		for _, other := range m.rays(c, second) {
			// Both leave the picture on the same side of the line between them.
			if other.length < reach || (cross(corner, second, side.end) > 0) != (cross(corner, second, other.end) > 0) {
				continue
			}
			try(quad{corner, side.end, other.end, second}, ofTorn(side.beyond+other.beyond+before+after, 4, side.on, on, other.on))
		}
	}
}

// ofTorn is the score of sides, each on an edge for a share of it, by what goes on beyond their ends.
func ofTorn(beyond, ends float64, on ...float64) float64 {
	sum, weakest := 0.0, 1.0
	for _, share := range on {
		sum += share / float64(len(on))
		weakest = math.Min(weakest, share)
	}
	return (0.6*sum + 0.4*weakest) * (1 - 0.4*beyond/ends)
}
