package printed

import (
	"math"
	"sort"
	"strings"
	"unicode"

	"kycd/vision"
)

// line is a row of words, from left to right.
type line struct {
	words  []vision.Word
	box    vision.Box
	labels []label
}

// run is a piece of a line.
type run struct {
	words []vision.Word
	line  int // index of the line
}

func (l line) run() run { return run{words: l.words} }

func (r run) text() string {
	parts := make([]string, len(r.words))
	for i, w := range r.words {
		parts[i] = w.Text
	}
	return strings.Join(parts, " ")
}

// confidence is that of the least sure word, softened by the mean: one wrong word spoils a value.
func (r run) confidence() float64 {
	if len(r.words) == 0 {
		return 0
	}
	least, sum := 1.0, 0.0
	for _, w := range r.words {
		least = math.Min(least, w.Confidence)
		sum += w.Confidence
	}
	return (least + sum/float64(len(r.words))) / 2
}

func (r run) box() vision.Box { return enclosing(r.words) }

// from is the run without its first n words.
func (r run) from(n int) run { return run{words: r.words[min(n, len(r.words)):], line: r.line} }

// boxOf is the box of those words of the run that a value was made of; of all where they cannot be told.
func (r run) boxOf(value string) vision.Box {
	parts := map[string]bool{}
	for _, part := range strings.Fields(value) {
		parts[key(part)] = true
	}
	var words []vision.Word
	for _, w := range r.words {
		if parts[key(w.Text)] {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return r.box()
	}
	return enclosing(words)
}

func enclosing(words []vision.Word) vision.Box {
	if len(words) == 0 {
		return vision.Box{}
	}
	x0, y0, x1, y1 := math.MaxInt, math.MaxInt, math.MinInt, math.MinInt
	for _, w := range words {
		x0, y0 = min(x0, w.Box.X), min(y0, w.Box.Y)
		x1, y1 = max(x1, w.Box.X+w.Box.Width), max(y1, w.Box.Y+w.Box.Height)
	}
	return vision.Box{X: x0, Y: y0, Width: x1 - x0, Height: y1 - y0}
}

// arrange puts words into lines by their boxes alone: readers of sparse text split what stands on one line into several. A
// word joins the line with whose last words it shares half its height.
func arrange(words []vision.Word) []line {
	sorted := make([]vision.Word, 0, len(words))
	for _, w := range words {
		if cleaned := strings.Trim(w.Text, " |_~—-=.,:;'`‘’\"“”"); cleaned != "" || w.Text == "-" {
			sorted = append(sorted, w)
		}
	}
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Box.X < sorted[j].Box.X })
	var lines []line
	for _, w := range sorted {
		best, most := -1, 0.5
		for i := range lines {
			last := lines[i].words[len(lines[i].words)-1]
			if s := shared(last.Box, w.Box); s > most {
				best, most = i, s
			}
		}
		if best < 0 {
			lines = append(lines, line{words: []vision.Word{w}})
			continue
		}
		lines[best].words = append(lines[best].words, w)
	}
	for i := range lines {
		lines[i].box = enclosing(lines[i].words)
	}
	sort.SliceStable(lines, func(i, j int) bool {
		return lines[i].box.Y+lines[i].box.Height/2 < lines[j].box.Y+lines[j].box.Height/2
	})
	return lines
}

// split takes words that a stroke joins apart, as in "Surname/Nom" and "JUL/JUIL".
func split(words []vision.Word) []vision.Word {
	out := make([]vision.Word, 0, len(words))
	for _, w := range words {
		left, right, ok := strings.Cut(w.Text, "/")
		if !ok || len(letters(left)) < 2 || len(letters(right)) < 2 || strings.IndexFunc(w.Text, unicode.IsDigit) >= 0 {
			out = append(out, w)
			continue
		}
		for ok {
			first := w
			first.Text = left
			first.Box.Width = w.Box.Width * len(left) / len(w.Text)
			out = append(out, first)
			w.Box.X, w.Box.Width = w.Box.X+first.Box.Width, w.Box.Width-first.Box.Width
			w.Text = right
			left, right, ok = strings.Cut(w.Text, "/")
		}
		out = append(out, w)
	}
	return out
}

// shared is the share of the lower box's height that both have in common.
func shared(a, b vision.Box) float64 {
	overlap := min(a.Y+a.Height, b.Y+b.Height) - max(a.Y, b.Y)
	if overlap <= 0 || min(a.Height, b.Height) <= 0 {
		return 0
	}
	return float64(overlap) / float64(min(a.Height, b.Height))
}

// valueOf is what stands behind a label on its line, up to the next label; or, where nothing does, below it.
func (p *page) valueOf(li int, l label) run {
	words := p.lines[li].words
	out := run{line: li}
	reach := words[l.to-1].Box
	for i := l.to; i < len(words) && !p.lines[li].labelled(i); i++ {
		w := words[i]
		// A gap as wide as a dozen letters begins something else, and within a value one of five: what was read in a second portrait, say.
		letter, most := float64(max(reach.Height, w.Box.Height))*0.6, 12.0
		if len(out.words) > 0 {
			most = 5
		}
		if float64(w.Box.X-reach.X-reach.Width) > most*letter {
			break
		}
		out.words = append(out.words, w)
		reach = w.Box
	}
	if len(out.words) > 0 && !l.caption() {
		return out
	}
	label := run{words: words[l.from:l.to], line: li}
	if below := p.below(label, 1); len(below) > 0 {
		return below[0]
	}
	return out
}

func (l line) labelled(word int) bool {
	for _, m := range l.labels {
		if word >= m.from && word < m.to {
			return true
		}
	}
	return false
}

// below collects, for up to n of the next lines, the words that stand under a run: they begin under it, no further
// left, and end at a wide gap or at the next label. Lines that begin with a label end the search.
func (p *page) below(r run, n int) []run {
	box := r.box()
	bottom, height := box.Y+box.Height, box.Height
	var out []run
	for li := r.line + 1; li < len(p.lines) && len(out) < n; li++ {
		found := run{line: li}
		edge := 0
		for i, w := range p.lines[li].words {
			if w.Box.X+w.Box.Width/3 < box.X-height || w.Box.Y < bottom-height/2 {
				continue
			}
			if w.Box.Y > bottom+3*height*(len(out)+1) || p.lines[li].labelled(i) {
				break
			}
			if len(found.words) == 0 && w.Box.X > box.X+max(box.Width, 4*height) ||
				len(found.words) > 0 && float64(w.Box.X-edge) > 2.2*float64(max(w.Box.Height, height)) {
				break
			}
			found.words = append(found.words, w)
			edge = w.Box.X + w.Box.Width
		}
		if len(found.words) > 0 {
			out = append(out, found)
		}
	}
	return out
}
