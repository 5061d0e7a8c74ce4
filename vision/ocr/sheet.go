package ocr

import (
	"math"
	"slices"
)

// sheet is a page prepared for reading: grey pixels, and the brightness of the paper around each cell of pixels.
type sheet struct {
	gray       []byte // w·h
	w, h       int
	paper      []float32 // columns·rows
	cols, rows int
}

// cell is the side of the squares in which the paper's brightness is measured, in pixels: smaller than the distance of
// two lines of text, so that most hold some paper.
const cell = 16

// newSheet measures the paper: in each cell the brightness that a quarter of its pixels exceed, then the median of the cells
// around, so that a word, a bar or a lamp's reflection of the size of a cell does not count.
func newSheet(gray []byte, w, h int) *sheet {
	s := &sheet{gray: gray, w: w, h: h, cols: (w + cell - 1) / cell, rows: (h + cell - 1) / cell}
	raw := make([]float32, s.cols*s.rows)
	for r := range s.rows {
		for c := range s.cols {
			var histogram [256]int
			count := 0
			for y := r * cell; y < min((r+1)*cell, h); y++ {
				row := gray[y*w:]
				for x := c * cell; x < min((c+1)*cell, w); x++ {
					histogram[row[x]]++
					count++
				}
			}
			level := 255
			for rest := count / 4; level > 0; level-- {
				if rest -= histogram[level]; rest < 0 {
					break
				}
			}
			raw[r*s.cols+c] = float32(level)
		}
	}
	s.paper = make([]float32, len(raw))
	around := make([]float32, 0, 25)
	for r := range s.rows {
		for c := range s.cols {
			around = around[:0]
			for y := max(r-2, 0); y <= min(r+2, s.rows-1); y++ {
				for x := max(c-2, 0); x <= min(c+2, s.cols-1); x++ {
					around = append(around, raw[y*s.cols+x])
				}
			}
			slices.Sort(around)
			s.paper[r*s.cols+c] = max(around[len(around)*2/3], 1)
		}
	}
	return s
}

// paperRow writes the paper's brightness along row y, from column from up to before to, into out, which holds w values:
// straight between the middles of the cells.
func (s *sheet) paperRow(y, from, to int, out []float32) {
	fy := (float64(y)+0.5)/cell - 0.5
	r0 := min(max(int(math.Floor(fy)), 0), s.rows-1)
	r1 := min(r0+1, s.rows-1)
	ty := float32(min(max(fy-float64(r0), 0), 1))
	at := func(c int) float32 {
		c = min(max(c, 0), s.cols-1)
		a, b := s.paper[r0*s.cols+c], s.paper[r1*s.cols+c]
		return a + (b-a)*ty
	}
	for x := from; x < to; {
		c := (x+cell/2)/cell - 1 // the cell whose middle is at or before x
		left, right := at(c), at(c+1)
		start := c*cell + cell/2
		for ; x < min(start+cell, to); x++ {
			out[x] = left + (right-left)*float32(x-start)/cell
		}
	}
}

// mark is a connected piece of ink.
type mark struct {
	x0, y0, x1, y1 int // x1 and y1 are outside
	ink            int // pixels
}

func (m mark) width() int  { return m.x1 - m.x0 }
func (m mark) height() int { return m.y1 - m.y0 }

// inkShare is the share of the paper's brightness below which a pixel counts as ink. Guilloche lines keep at least four
// fifths of the brightness, blurred strokes of small print hardly fall below two thirds.
const inkShare = 0.72

// mostMarks bounds what a page may hold; a page of noise has more.
const mostMarks = 20000

// marks are the connected pieces of ink, eight neighbours each.
func (s *sheet) marks() []mark {
	type span struct{ from, to, of int } // to is outside
	var before, here []span
	var found []mark
	var parent []int
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	paper := make([]float32, s.w)
	for y := range s.h {
		s.paperRow(y, 0, s.w, paper)
		row := s.gray[y*s.w : (y+1)*s.w]
		here = here[:0]
		next := 0
		for x := 0; x < s.w; x++ {
			if float32(row[x]) >= inkShare*paper[x] {
				continue
			}
			from := x
			for x < s.w && float32(row[x]) < inkShare*paper[x] {
				x++
			}
			of := -1
			for next < len(before) && before[next].to < from {
				next++
			}
			for k := next; k < len(before) && before[k].from <= x; k++ {
				other := root(before[k].of)
				switch {
				case of < 0:
					of = other
				case of != other:
					a, b := &found[of], found[other]
					a.x0, a.y0, a.x1, a.y1 = min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1)
					a.ink += b.ink
					parent[other] = of
				}
			}
			if of < 0 {
				if len(found) == mostMarks {
					return nil
				}
				of = len(found)
				parent = append(parent, of)
				found = append(found, mark{x0: from, y0: y, x1: x, y1: y + 1})
			}
			m := &found[of]
			m.x0, m.x1, m.y1 = min(m.x0, from), max(m.x1, x), y+1
			m.ink += x - from
			here = append(here, span{from, x, of})
		}
		before, here = here, before
	}
	out := found[:0]
	for i, m := range found {
		if parent[i] == i {
			out = append(out, m)
		}
	}
	return out
}
