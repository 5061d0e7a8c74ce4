package mrzread

import (
	"strings"

	"kycd/vision/mrzread/glyphs"
)

// Kinds of column: what may stand there (ICAO 9303 parts 4 to 7).
const (
	first  = 'T' // what a document's code begins with: A, C and I for cards, P for passports, V for visas
	letter = 'A' // a letter or a filler
	digit  = '9' // a digit or a filler
	sex    = 'S' // M, F, X or a filler
	either = '*' // anything
)

// rule is what a layout says of its columns.
type rule struct {
	kinds     []string // of every column of every row
	checks    []check
	composite []span
	at        place // of the composite check digit
}

type place struct{ row, column int }

// span is a run of columns of one row: [from, to).
type span struct{ row, from, to int }

// check is a field with its check digit in the column behind it.
type check struct{ span }

// ruleOf gives the rule of a zone of so many rows, and columns, whose first row begins with head (five characters).
func ruleOf(rows, columns int, head string) rule {
	names := func(n int) string { return strings.Repeat(string(letter), n) }
	opening := func(n int) string { return string(first) + names(n-1) }
	digits := func(n int) string { return strings.Repeat(string(digit), n) }
	free := func(n int) string { return strings.Repeat(string(either), n) }
	// Document number and check digit, nationality, birth date, sex and expiry date, both dates with check digits.
	holder := free(9) + "9" + "AAA" + "9999999" + "S" + "9999999"
	dated := []check{{span{1, 0, 9}}, {span{1, 13, 19}}, {span{1, 21, 27}}}
	switch {
	case rows == 3:
		return rule{
			kinds: []string{
				opening(5) + free(9) + "9" + free(15),
				"9999999" + "S" + "9999999" + "AAA" + free(11) + "9",
				names(30),
			},
			checks:    []check{{span{0, 5, 14}}, {span{1, 0, 6}}, {span{1, 8, 14}}},
			composite: []span{{0, 5, 30}, {1, 0, 7}, {1, 8, 15}, {1, 18, 29}},
			at:        place{1, 29},
		}
	case head[0] == 'V':
		return rule{kinds: []string{opening(columns), holder + free(columns-28)}, checks: dated}
	case columns == 44:
		return rule{
			kinds:     []string{opening(44), holder + free(14) + "99"},
			checks:    append(dated, check{span{1, 28, 42}}),
			composite: []span{{1, 0, 10}, {1, 13, 20}, {1, 21, 43}},
			at:        place{1, 43},
		}
	case head == "IDFRA": // the French identity card of 1988–2021
		return rule{
			kinds:     []string{opening(30) + free(6), digits(4) + free(3) + digits(6) + names(14) + digits(7) + "S9"},
			checks:    []check{{span{1, 0, 12}}, {span{1, 27, 33}}},
			composite: []span{{0, 0, 36}, {1, 0, 35}},
			at:        place{1, 35},
		}
	default:
		return rule{
			kinds:     []string{opening(36), holder + free(7) + "9"},
			checks:    dated,
			composite: []span{{1, 0, 10}, {1, 13, 20}, {1, 21, 35}},
			at:        place{1, 35},
		}
	}
}

func allows(kind, c byte) bool {
	switch kind {
	case first:
		return c == 'A' || c == 'C' || c == 'I' || c == 'P' || c == 'V'
	case letter:
		return c == '<' || c >= 'A' && c <= 'Z'
	case digit:
		return c == '<' || c >= '0' && c <= '9'
	case sex:
		return c == '<' || c == 'M' || c == 'F' || c == 'X'
	default:
		return c != glyphs.Blank
	}
}

// minTyped is the probability below which a character of the column's kind is no reading of what is printed:
// the zone has another layout, and is left as it was read.
const minTyped = 0.003

// choose is the likeliest character of the column's kind, and how likely it is among those of its kind. As far as the
// column looks blank, as under a reflection, it may be any of them.
func choose(s glyphs.Scores, kind byte) (byte, float64) {
	best, at, total, count := float32(-1), 0, float32(0), 0
	for i, p := range s {
		if allows(kind, glyphs.Alphabet[i]) {
			total += p
			count++
			if p > best {
				best, at = p, i
			}
		}
	}
	blank := s[len(s)-1]
	if kind != either && best < minTyped && blank < 0.5 {
		return choose(s, either)
	}
	return glyphs.Alphabet[at], float64((1-blank)*best/max(total, 1e-9) + blank/float32(count))
}
