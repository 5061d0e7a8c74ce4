package document

import (
	"math"

	"kycd/vision"
)

// slide repairs a quadrilateral that has some sides wrong, as contours do that were broken by glare or caught on a printed
// band: each side in turn is moved, and turned a little, to where the score is best. It goes on until no side gains.
func (m edgeMap) slide(q quad) (quad, float64) {
	const (
		step  = 4.0 // pixels of the working copy
		turns = 2   // of 2 degrees each, both ways
	)
	best, score := q, m.score(q)
	for range 3 {
		before := score
		for side := range 4 {
			from := best
			a, b := from[side], from[(side+1)%4]
			c, d := from[(side+2)%4], from[(side+3)%4]
			nx, ny := normal(a, b) // a clockwise quadrilateral lies on this side of a–b
			depth := (distance(b, c) + distance(a, d)) / 2
			middle := mix(a, b, 0.5)
			for off := -0.6 * depth; off <= 0.3*depth; off += step {
				at := vision.Point{X: middle.X + off*nx, Y: middle.Y + off*ny}
				for k := -turns; k <= turns; k++ {
					sin, cos := math.Sincos(float64(k) * math.Pi / 90)
					ahead := vision.Point{X: at.X + (b.X-a.X)*cos - (b.Y-a.Y)*sin, Y: at.Y + (b.X-a.X)*sin + (b.Y-a.Y)*cos}
					p, ok1 := intersect(at, ahead, d, a)
					r, ok2 := intersect(at, ahead, c, b)
					if !ok1 || !ok2 {
						continue
					}
					try := from
					try[side], try[(side+1)%4] = p, r
					if s := m.score(try); s > score+0.01 {
						best, score = try, s
					}
				}
			}
		}
		if score == before {
			break
		}
	}
	return best, score
}
