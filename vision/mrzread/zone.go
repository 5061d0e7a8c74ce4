package mrzread

import (
	"math"
	"sort"

	"kycd/vision"
	"kycd/vision/mrzread/glyphs"
	"kycd/vision/projective"
)

// rowGroup is two or three rows that may be a zone, the upper one first.
type rowGroup struct {
	rows   []row
	uneven float64 // how little they fit together; 0 is perfect
}

// groups puts rows together that may be a zone: two or three of the same length and slope, one under the other, their
// letters as far apart as a zone's are. Those that fit together best come first.
func groups(rows []row) []rowGroup {
	sort.Slice(rows, func(i, j int) bool { return rows[i].centre.Y < rows[j].centre.Y })
	var out []rowGroup
	for i, a := range rows {
		for j := i + 1; j < len(rows); j++ {
			b := rows[j]
			if !follows(a, b) {
				continue
			}
			out = append(out, rowGroup{[]row{a, b}, uneven(a, b) + 0.05})
			for _, c := range rows[j+1:] {
				bend := math.Hypot(c.centre.X-2*b.centre.X+a.centre.X, c.centre.Y-2*b.centre.Y+a.centre.Y) /
					math.Hypot(c.centre.X-a.centre.X, c.centre.Y-a.centre.Y)
				if follows(b, c) && bend < 0.3 {
					// Two of three rows may fit better by chance, but never are the whole zone.
					out = append(out, rowGroup{[]row{a, b, c}, (uneven(a, b)+uneven(b, c))/2 - 0.1})
				}
			}
		}
	}
	for _, g := range out {
		if even, ok := g.evened(); ok {
			out = append(out, even)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].uneven < out[j].uneven })
	return out
}

// evened is the group with all rows as long as the longest at either end; ok is false where they are so already. The rows
// of a zone all have the same columns: one that seems to begin later was not seen whole.
func (g rowGroup) evened() (even rowGroup, ok bool) {
	angle := 0.0
	for _, r := range g.rows {
		angle += r.angle / float64(len(g.rows))
	}
	sin, cos := math.Sincos(angle)
	along := func(p vision.Point) float64 { return p.X*cos + p.Y*sin }
	left, right, shortest := math.Inf(1), math.Inf(-1), math.Inf(1)
	for _, r := range g.rows {
		left, right = min(left, along(r.centre)-r.length/2), max(right, along(r.centre)+r.length/2)
		shortest = min(shortest, r.length)
	}
	even.uneven = g.uneven + 0.02
	for _, r := range g.rows {
		shift := (left+right)/2 - along(r.centre)
		r.centre.X, r.centre.Y = r.centre.X+shift*math.Cos(r.angle), r.centre.Y+shift*math.Sin(r.angle)
		r.length = right - left
		even.rows = append(even.rows, r)
	}
	return even, right-left > 1.025*shortest
}

func follows(a, b row) bool {
	sin, cos := math.Sincos((a.angle + b.angle) / 2)
	dx, dy := b.centre.X-a.centre.X, b.centre.Y-a.centre.Y
	along, down := dx*cos+dy*sin, dy*cos-dx*sin
	height := (a.height + b.height) / 2
	return math.Abs(a.angle-b.angle) < 0.06 &&
		math.Abs(math.Log(a.length/b.length)) < 0.25 &&
		math.Abs(math.Log(a.height/b.height)) < 0.6 &&
		math.Abs(along) < 0.13*a.length &&
		down > 1.1*height && down < 4.2*height
}

func uneven(a, b row) float64 {
	sin, cos := math.Sincos((a.angle + b.angle) / 2)
	along := (b.centre.X-a.centre.X)*cos + (b.centre.Y-a.centre.Y)*sin
	return math.Abs(math.Log(a.length/b.length)) + 2*math.Abs(along)/a.length +
		0.3*math.Abs(math.Log(a.height/b.height)) + 3*math.Abs(a.angle-b.angle)
}

// area is where a zone lies: a plane in which its rows are level, as long as each other and evenly apart.
type area struct {
	toPicture projective.Map // from the plane, whose unit is a pixel of the strips
	length    float64        // of the rows, from the first letter's edge to the last's
	between   float64        // distance of the rows' middles
	rows      int
}

// areaOf lays a plane through the rows' ends in the view. It undoes the perspective within the zone: the rows converge
// there, and their letters shrink along them.
func areaOf(g rowGroup) (a area, ok bool) {
	n := len(g.rows)
	var left, right []vision.Point
	length := 0.0
	for _, r := range g.rows {
		sin, cos := math.Sincos(r.angle)
		dx, dy := r.length/2*cos, r.length/2*sin
		left = append(left, vision.Point{X: r.centre.X - dx, Y: r.centre.Y - dy})
		right = append(right, vision.Point{X: r.centre.X + dx, Y: r.centre.Y + dy})
		length += r.length / float64(n)
	}
	upperLeft, lowerLeft := edge(left)
	upperRight, lowerRight := edge(right)
	down := (math.Hypot(lowerLeft.X-upperLeft.X, lowerLeft.Y-upperLeft.Y) + math.Hypot(lowerRight.X-upperRight.X, lowerRight.Y-upperRight.Y)) / 2
	// Two rows have 36 or 44 columns, three have 30.
	columns := 40.0
	if n == 3 {
		columns = 30
	}
	scale := columns * glyphs.StripLetter * 1.03 / length
	a = area{length: length * scale, between: down * scale / float64(n-1), rows: n}
	a.toPicture, ok = projective.Onto(a.length, down*scale, [4]vision.Point{upperLeft, upperRight, lowerRight, lowerLeft})
	return a, ok
}

// edge is the straight line through the ends of evenly spaced rows: where it meets the first and the last.
func edge(ends []vision.Point) (first, last vision.Point) {
	n := len(ends)
	if n == 2 {
		return ends[0], ends[1]
	}
	mean := vision.Point{X: (ends[0].X + ends[1].X + ends[2].X) / 3, Y: (ends[0].Y + ends[1].Y + ends[2].Y) / 3}
	half := vision.Point{X: (ends[2].X - ends[0].X) / 2, Y: (ends[2].Y - ends[0].Y) / 2}
	return vision.Point{X: mean.X - half.X, Y: mean.Y - half.Y}, vision.Point{X: mean.X + half.X, Y: mean.Y + half.Y}
}

// straightened is the area with the ends of its rows where those of a reading are. lines are the rows as they lie.
func (a area) straightened(lines []glyphs.Line, c Candidate) (out area, ok bool) {
	n := len(c.Lines[0])
	var left, right []vision.Point
	for i, line := range lines {
		begin := c.begins[i]
		if c.Turned {
			begin = len(line.Centres) - c.begins[len(lines)-1-i] - n
		}
		y := float64(i) * a.between
		left = append(left, vision.Point{X: line.Centres[begin] - line.Pitch/2 - stripMargin, Y: y})
		right = append(right, vision.Point{X: line.Centres[begin+n-1] + line.Pitch/2 - stripMargin, Y: y})
	}
	upperLeft, lowerLeft := edge(left)
	upperRight, lowerRight := edge(right)
	out = area{length: float64(n) * glyphs.StripLetter * 1.03, rows: a.rows}
	out.between = a.between * 2 * out.length / (upperRight.X - upperLeft.X + lowerRight.X - lowerLeft.X)
	onto, ok := projective.Onto(out.length, out.between*float64(a.rows-1), [4]vision.Point{upperLeft, upperRight, lowerRight, lowerLeft})
	out.toPicture = a.toPicture.After(onto)
	return out, ok
}

// strips lays the rows out straight.
func (a area) strips(p plane) []glyphs.Strip {
	var out []glyphs.Strip
	for i := range a.rows {
		out = append(out, p.strip(a.toPicture, a.length, float64(i)*a.between))
	}
	return out
}

// corners are those of the zone in the picture, clockwise from the upper left of the text.
func (a area) corners(turned bool) [4]vision.Point {
	const half = glyphs.StripLetter / 2
	bottom := float64(a.rows-1)*a.between + half
	c := [4]vision.Point{
		a.toPicture.At(0, -half), a.toPicture.At(a.length, -half),
		a.toPicture.At(a.length, bottom), a.toPicture.At(0, bottom),
	}
	if turned {
		c[0], c[1], c[2], c[3] = c[2], c[3], c[0], c[1]
	}
	return c
}
