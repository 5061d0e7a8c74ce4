package mrzread

import (
	"strings"

	"kycd/vision/mrzread/glyphs"
)

// Kinds of column: what may stand there (ICAO 9303 parts 4 to 7).
const (
	letter = 'A' // a letter or a filler
	digit  = '9' // a digit or a filler
	sex    = 'S' // M, F, X or a filler
	either = '*' // anything
)

// typed gives the kind of every column of a zone of so many rows, and columns, that begins with first.
func typed(rows, columns int, first byte) []string {
	names := func(n int) string { return strings.Repeat(string(letter), n) }
	free := func(n int) string { return strings.Repeat(string(either), n) }
	// Document number and check digit, nationality, birth date, sex and expiry date, both dates with check digits.
	holder := free(9) + "9" + "AAA" + "9999999" + "S" + "9999999"
	switch {
	case rows == 3:
		return []string{
			names(5) + free(9) + "9" + free(15),
			"9999999" + "S" + "9999999" + "AAA" + free(11) + "9",
			names(30),
		}
	case first == 'V':
		return []string{names(columns), holder + free(columns-28)}
	case columns == 44:
		return []string{names(44), holder + free(14) + "99"}
	default:
		return []string{names(36), holder + free(7) + "9"}
	}
}

func allows(kind, c byte) bool {
	switch kind {
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

// choose is the likeliest character of the column's kind, and how likely it is among those of its kind.
func choose(s glyphs.Scores, kind byte) (byte, float64) {
	best, at, total := float32(-1), 0, float32(0)
	for i, p := range s {
		if allows(kind, glyphs.Alphabet[i]) {
			total += p
			if p > best {
				best, at = p, i
			}
		}
	}
	if kind != either && best < minTyped {
		return choose(s, either)
	}
	return glyphs.Alphabet[at], float64(best / max(total, 1e-9))
}
