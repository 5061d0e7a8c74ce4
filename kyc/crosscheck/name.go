package crosscheck

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"kycd/kyc/mrz"
)

const (
	// movedName is what a name is worth that stands in another field of the other side: readers mistake the order, and some
	// cards print the names in one line.
	movedName = 0.95
	// cutName is what a long name is worth whose end was cut off, and initial what an initial is worth for a middle name.
	cutName = 0.9
	initial = 0.9
	// missingShare is how much a name loses if all but nothing of it stands on one side only.
	missingShare = 0.3
	// sameWord is from where two words are one word, for the search in other fields.
	sameWord = 0.7
)

// compareNames gives both normalised and how alike they are. all holds the whole names of either side.
func compareNames(printed, encoded, allPrinted, allEncoded string, middle bool) (string, string, float64) {
	p, e := foldings(printed), foldings(encoded)
	if middle && (p[0] == "") != (e[0] == "") {
		return middleWithin(p[0], e[0], allPrinted, allEncoded)
	}
	best := 0.0
	for _, a := range p {
		for _, b := range e {
			best = max(best, wordsAlike(strings.Fields(a), strings.Fields(b), middle))
		}
	}
	if best < movedName && p[0] != "" && e[0] != "" {
		best = max(best, movedName*movedAlike(p[0], e[0], foldings(allPrinted)[0], foldings(allEncoded)[0]))
	}
	return p[0], e[0], best
}

// middleWithin settles a middle name that one side alone has: if the other side's whole name holds it, it is there after
// all; if not, it was left out, which is no contradiction.
func middleWithin(printed, encoded, allPrinted, allEncoded string) (string, string, float64) {
	alone, other := printed, foldings(allEncoded)[0]
	if alone == "" {
		alone, other = encoded, foldings(allPrinted)[0]
	}
	if found := foundIn(strings.Fields(alone), strings.Fields(other)); found >= sameWord {
		return alone, alone, found
	}
	return printed, encoded, 0
}

// foldings gives a name in capitals without marks, first with marks dropped, then as Doc 9303 spells it (Ü as UE); digits
// become the letters they were read for.
func foldings(name string) []string {
	letters := strings.Map(func(r rune) rune {
		switch r {
		case '0':
			return 'O'
		case '1', '|', '!':
			return 'I'
		case '2':
			return 'Z'
		case '5', '$':
			return 'S'
		case '6':
			return 'G'
		case '8':
			return 'B'
		case '.', '/':
			return ' '
		}
		return r
	}, name)
	icao := strings.ReplaceAll(mrz.Transliterate(letters), "<", " ")
	plain := strings.ReplaceAll(mrz.Transliterate(dropMarks(letters)), "<", " ")
	return []string{plain, icao}
}

func dropMarks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// wordsAlike compares two lists of words as one string, and word by word in any order. Words that one side lacks cost less
// than words that differ.
func wordsAlike(a, b []string, middle bool) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	joined := wordAlike(strings.Join(a, ""), strings.Join(b, ""), middle)
	if len(a) > len(b) {
		a, b = b, a
	}
	used := make([]bool, len(b))
	var sum float64
	matched, total := 0, 0
	for _, w := range a {
		best, at := -1.0, 0
		for i, v := range b {
			if s := wordAlike(w, v, middle); !used[i] && s > best {
				best, at = s, i
			}
		}
		used[at] = true
		n := max(len(w), len(b[at]))
		sum += float64(n) * best
		matched += n
	}
	total = matched
	for i, v := range b {
		if !used[i] {
			total += len(v)
		}
	}
	missing := float64(total-matched) / float64(total)
	return max(joined, sum/float64(matched)*(1-missingShare*missing))
}

func wordAlike(a, b string, middle bool) float64 {
	best := similarity(a, b, wordCosts())
	if len(a) > len(b) {
		a, b = b, a
	}
	if strings.HasPrefix(b, a) {
		switch {
		case len(a) >= 8:
			best = max(best, cutName)
		case len(a) == 1 && middle:
			best = max(best, initial)
		}
	}
	return best
}

// movedAlike looks for the words of either side anywhere in the whole name of the other.
func movedAlike(printed, encoded, allPrinted, allEncoded string) float64 {
	return min(
		foundIn(strings.Fields(printed), strings.Fields(allEncoded)),
		foundIn(strings.Fields(encoded), strings.Fields(allPrinted)),
	)
}

// foundIn is how alike the words are to their best counterparts; 0 if a word has none. Each counterpart serves once.
func foundIn(words, in []string) float64 {
	if len(words) == 0 {
		return 0
	}
	used := make([]bool, len(in))
	worst := 1.0
	for _, w := range words {
		best, at := 0.0, -1
		for i, v := range in {
			if s := similarity(w, v, wordCosts()); !used[i] && s > best {
				best, at = s, i
			}
		}
		if best < sameWord {
			return 0
		}
		used[at] = true
		worst = min(worst, best)
	}
	return worst
}

func compareSuffixes(printed, encoded string) (string, string, float64) {
	p, e := suffix(printed), suffix(encoded)
	return p, e, similarity(p, e, wordCosts())
}

// suffix brings the spellings of one suffix together.
func suffix(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, s)
	switch s {
	case "JUNIOR", "JNR":
		return "JR"
	case "SENIOR", "SNR":
		return "SR"
	case "2ND":
		return "II"
	case "3RD":
		return "III"
	case "4TH":
		return "IV"
	}
	return s
}
