package ocr

import (
	"cmp"
	"math"
	"slices"

	"kycd/vision"
)

// strip is a piece of a line of text: letters of one size that stand close together, such as a label or a value.
type strip struct {
	x0, y0, x1, y1 int // around the letters; x1 and y1 are outside
	letters        int
	height         int // of its capitals, pixels: the upper quartile of the letters
	row            int // strips with the same number stand on one line
	marks          []mark
}

func (s strip) box() vision.Box {
	return vision.Box{X: s.x0, Y: s.y0, Width: s.x1 - s.x0, Height: s.y1 - s.y0}
}

const (
	leastLetter = 9  // pixels: lower letters are not read reliably
	mostStrips  = 90 // read on one page: a driving licence has about 40
)

// strips finds the pieces of text of a page, in reading order. Capitals are at least leastLetter high and at most a tenth of
// the page's height or a sixteenth of its width.
func (s *sheet) strips() []strip {
	most := max(s.h/10, s.w/16, 3*leastLetter)
	var marks []mark
	for _, m := range s.marks() {
		if m.height() <= most && m.width() <= 30*most && m.width() >= 2 && m.ink >= 6 {
			marks = append(marks, m)
		}
	}
	slices.SortFunc(marks, func(a, b mark) int { return cmp.Compare(a.x0, b.x0) })
	var all []*strip
	// Strips that end at the left of the current mark by more than any gap are done with.
	var open []*strip
	for _, m := range marks {
		open = slices.DeleteFunc(open, func(t *strip) bool { return m.x0-t.x1 > 2*most })
		var best *strip
		nearest := math.MaxInt
		for _, t := range open {
			if gap := m.x0 - t.x1; gap < nearest && t.takes(m, gap) {
				best, nearest = t, gap
			}
		}
		if best != nil {
			best.add(m)
			continue
		}
		if m.height() >= leastLetter && m.height() <= 4*m.width()*3 && m.width() <= 12*m.height() {
			t := &strip{x0: m.x0, y0: m.y0, x1: m.x1, y1: m.y1}
			t.add(m)
			all = append(all, t)
			open = append(open, t)
		}
	}
	return ordered(keptStrips(all))
}

// takes says whether a mark stands in the line of the strip, gap pixels behind its end.
func (t *strip) takes(m mark, gap int) bool {
	h := t.height
	overlap := min(t.y1, m.y1) - max(t.y0, m.y0)
	if 5*m.height() < 3*h || m.height() < leastLetter-2 {
		// A stop, a comma, a hyphen, an apostrophe, the dot of an i: within the line or just around it.
		room := h * 3 / 4
		if m.height() >= leastLetter {
			room = h / 4 // or it is a letter of smaller print, beside what is large in the portrait
		}
		middle := (m.y0 + m.y1) / 2
		return gap < room && middle > t.y0-h/3 && middle < t.y1+h/3 && m.width() < 2*h
	}
	if 5*overlap < 3*min(h, m.height()) {
		return false
	}
	if m.height() > 2*h || h > 2*m.height() {
		return false
	}
	lower, higher := min(h, m.height()), max(h, m.height())
	if 4*higher > 5*lower && 2*gap > lower {
		return false // a value in larger print behind its label
	}
	return 10*gap < 8*higher
}

func (t *strip) add(m mark) {
	t.marks = append(t.marks, m)
	t.x0, t.x1 = min(t.x0, m.x0), max(t.x1, m.x1)
	if m.height() < leastLetter || 5*m.height() < 3*t.height {
		return
	}
	t.letters++
	t.y0, t.y1 = min(t.y0, m.y0), max(t.y1, m.y1)
	heights := make([]int, 0, 24)
	for i := len(t.marks) - 1; i >= 0 && len(heights) < cap(heights); i-- {
		if t.marks[i].height() >= leastLetter {
			heights = append(heights, t.marks[i].height())
		}
	}
	slices.Sort(heights)
	t.height = heights[len(heights)*3/4]
}

// zone says whether a strip is a line of a machine-readable zone, which has a reader of its own: long, and set in one pitch.
func (t *strip) zone() bool {
	const least = 20 // characters: the shortest line has 30, some of which touch or are no letters
	if t.letters < least {
		return false
	}
	steps := make([]int, 0, len(t.marks))
	for i := 1; i < len(t.marks); i++ {
		steps = append(steps, t.marks[i].x0+t.marks[i].x1-t.marks[i-1].x0-t.marks[i-1].x1)
	}
	sorted := slices.Clone(steps)
	slices.Sort(sorted)
	pitch, even := sorted[len(sorted)/2], 0
	for _, d := range steps {
		if 7*pitch <= 8*d && 7*d <= 8*pitch+7 {
			even++
		}
	}
	return 10*even >= 7*len(steps)
}

// keptStrips leaves out what is no text: single marks that stand by themselves, lines of machine-readable zones, and of too
// many the shortest.
func keptStrips(all []*strip) []strip {
	var out []strip
	for _, t := range all {
		if t.letters == 0 || t.height > 0 && t.x1-t.x0 < t.height/4 && t.letters < 2 && !beside(t, all) {
			continue
		}
		if t.letters < 2 && t.x1-t.x0 < 2*t.height && !beside(t, all) {
			continue
		}
		if t.zone() {
			continue
		}
		out = append(out, *t)
	}
	if len(out) > mostStrips {
		slices.SortStableFunc(out, func(a, b strip) int { return cmp.Compare(b.letters, a.letters) })
		out = out[:mostStrips]
	}
	return out
}

// beside says whether a strip of several letters stands on the line of t or just above it, as the label of a one-letter
// value does.
func beside(t *strip, all []*strip) bool {
	for _, o := range all {
		if o == t || o.letters < 3 || o.height > 2*t.height || t.height > 2*o.height {
			continue
		}
		if 2*(min(t.y1, o.y1)-max(t.y0, o.y0)) > min(t.height, o.height) && t.x0-o.x1 < 12*t.height && o.x0-t.x1 < 12*t.height {
			return true
		}
		if below := t.y0 - o.y1; below > -t.height/2 && below < 2*t.height && t.x0 < o.x1 && t.x1 > o.x0-t.height {
			return true
		}
	}
	return false
}

// ordered gives the strips of a line the same number and sorts them as they are read.
func ordered(all []strip) []strip {
	slices.SortStableFunc(all, func(a, b strip) int { return cmp.Compare(a.x0, b.x0) })
	type line struct{ y0, y1, last int }
	var lines []line
	for i := range all {
		t := &all[i]
		best, most := -1, 0
		for k, l := range lines {
			if shared := min(t.y1, l.y1) - max(t.y0, l.y0); 2*shared > min(t.y1-t.y0, l.y1-l.y0) && shared > most {
				best, most = k, shared
			}
		}
		if best < 0 {
			best = len(lines)
			lines = append(lines, line{})
		}
		lines[best] = line{t.y0, t.y1, i}
		t.row = best
	}
	rank := make([]int, len(lines))
	for i := range rank {
		rank[i] = i
	}
	slices.SortStableFunc(rank, func(a, b int) int { return cmp.Compare(lines[a].y0+lines[a].y1, lines[b].y0+lines[b].y1) })
	place := make([]int, len(lines))
	for i, r := range rank {
		place[r] = i
	}
	for i := range all {
		all[i].row = place[all[i].row]
	}
	slices.SortStableFunc(all, func(a, b strip) int { return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.x0, b.x0)) })
	return all
}
