package mrzread

import (
	"math"

	"kycd/vision/mrzread/glyphs"
)

// decoding is the likeliest reading of a zone whose check digits hold.
type decoding struct {
	lines   []string
	holding float64 // probability that all check digits hold, over all readings
	share   float64 // of this reading among those whose check digits hold
}

// When a reading is taken because its check digits hold, though each character by itself reads better otherwise: if it is
// not unlikely that they hold at all, and if no other reading explains it as well. A wrong check digit that is sharply
// printed makes it unlikely; it is reported as it stands.
const (
	minHolding = 0.03
	minShare   = 0.8
	maxChanges = 3
)

// minOption is the probability below which a character is no option where another is read.
const minOption = 1e-4

// position is one column that a check digit covers, or the column of a check digit.
type position struct {
	place
	options    []option
	field      int // weight in the field's sum
	whole      int // weight in the composite's sum
	closes     bool
	closesAll  bool
	beginsHere bool // a field begins: its sum is 0 again
}

type option struct {
	c     byte
	value int // Doc 9303 part 3 §4.9
	p     float64
}

// Sums of a field and of the composite, modulo 10.
const states = 10 * 10

// decode finds the likeliest reading whose check digits hold (Viterbi over the two sums), and how much of the probability
// of all readings lies with such readings. columns are the scores of each row's columns; lines, as read column by column,
// fill in what no check digit covers. skip names the check digits that do not apply.
func decode(columns [][]glyphs.Scores, lines []string, r rule, skip func(check) bool) (decoding, bool) {
	order := positions(columns, r, skip)
	if len(order) == 0 {
		return decoding{}, false
	}
	type step struct {
		from   int
		option int
	}
	best := make([]float64, states)
	total := make([]float64, states)
	for i := range best {
		best[i] = math.Inf(-1)
	}
	best[0], total[0] = 0, 1
	trail := make([][states]step, len(order))
	for k, pos := range order {
		nextBest, nextTotal := make([]float64, states), make([]float64, states)
		for i := range nextBest {
			nextBest[i] = math.Inf(-1)
		}
		for from := range states {
			if total[from] == 0 {
				continue
			}
			field, whole := from/10, from%10
			if pos.beginsHere {
				field = 0
			}
			for i, o := range pos.options {
				if pos.closes && !closes(o, field) || pos.closesAll && !closes(o, whole) {
					continue
				}
				to := (field+pos.field*o.value)%10*10 + (whole+pos.whole*o.value)%10
				if pos.closes {
					to = (whole + pos.whole*o.value) % 10
				}
				nextTotal[to] += total[from] * o.p
				if l := best[from] + math.Log(o.p); l > nextBest[to] {
					nextBest[to] = l
					trail[k][to] = step{from, i}
				}
			}
		}
		best, total = nextBest, nextTotal
	}
	d := decoding{}
	at, likeliest := 0, math.Inf(-1)
	for i := range states {
		d.holding += total[i]
		if best[i] > likeliest {
			at, likeliest = i, best[i]
		}
	}
	if math.IsInf(likeliest, -1) || d.holding == 0 {
		return decoding{}, false
	}
	d.share = math.Exp(likeliest) / d.holding
	text := make([][]byte, len(lines))
	for i, l := range lines {
		text[i] = []byte(l)
	}
	for k := len(order) - 1; k >= 0; k-- {
		s := trail[k][at]
		text[order[k].row][order[k].column] = order[k].options[s.option].c
		at = s.from
	}
	for _, l := range text {
		d.lines = append(d.lines, string(l))
	}
	return d, true
}

// closes says whether the option is the check digit of a sum; a filler may stand under an empty field.
func closes(o option, sum int) bool {
	if o.c == '<' {
		return sum == 0
	}
	return o.c <= '9' && o.value == sum
}

// positions puts the columns under check digits into the order in which their sums are made.
func positions(columns [][]glyphs.Scores, r rule, skip func(check) bool) []position {
	weight := func(i int) int { return [3]int{7, 3, 1}[i%3] }
	var out []position
	add := func(p place, kind byte) *position {
		out = append(out, position{place: p, options: optionsOf(columns[p.row][p.column], kind)})
		return &out[len(out)-1]
	}
	inField := func(p place) (c check, here bool) {
		for _, c := range r.checks {
			if p.row == c.row && p.column >= c.from && p.column <= c.to && !skip(c) {
				return c, true
			}
		}
		return c, false
	}
	spans := r.composite
	if spans == nil {
		for _, c := range r.checks {
			spans = append(spans, span{c.row, c.from, c.to + 1})
		}
	}
	count := 0
	for _, s := range spans {
		for column := s.from; column < s.to; column++ {
			here := place{s.row, column}
			p := add(here, r.kinds[s.row][column])
			if r.composite != nil {
				p.whole = weight(count)
			}
			count++
			if c, ok := inField(here); ok {
				p.beginsHere = column == c.from
				if column == c.to {
					p.closes = true
				} else {
					p.field = weight(column - c.from)
				}
			}
		}
	}
	if r.composite != nil {
		add(r.at, digit).closesAll = true
	}
	return out
}

// optionsOf lists what may stand in a column, with its probability among the characters of its kind. As far as the column
// looks blank it may be any of them.
func optionsOf(s glyphs.Scores, kind byte) []option {
	total, count := float32(0), 0
	for i, p := range s {
		if allows(kind, glyphs.Alphabet[i]) {
			total += p
			count++
		}
	}
	blank := s[len(s)-1]
	var out []option
	for i, p := range s {
		c := glyphs.Alphabet[i]
		if !allows(kind, c) {
			continue
		}
		o := option{c: c, p: float64((1-blank)*p/max(total, 1e-9) + blank/float32(count))}
		if o.p < minOption {
			continue
		}
		switch {
		case c >= '0' && c <= '9':
			o.value = int(c - '0')
		case c >= 'A' && c <= 'Z':
			o.value = int(c-'A') + 10
		}
		out = append(out, o)
	}
	return out
}
