package crosscheck

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"kycd/kyc/mrz"
)

// The names' fields.
const (
	fieldLast   = "last_name"
	fieldFirst  = "first_name"
	fieldMiddle = "middle_name"
)

const (
	// movedName is what a name is worth that stands in another field of the other side: readers mistake the order, and some
	// cards print the names in one line.
	movedName = 0.95
	// cutName is what a long name is worth whose end was cut off, and initial what an initial is worth for a middle name.
	cutName = 0.9
	initial = 0.9
	// missingShare is how much a name loses if all but nothing of it stands on one side only.
	missingShare = 0.26
	// sameWord is from where two words are one word, for the search in other fields.
	sameWord = 0.7
)

// sides are the names of both sides, for what stands in another field than it should.
type sides struct {
	printed, encoded [3]string       // last, first and middle name
	cut              map[string]bool // encoded names whose end may have been cut off
}

func (s sides) whole() (printed, encoded string) {
	return strings.Join(s.printed[:], " "), strings.Join(s.encoded[:], " ")
}

func sidesOf(printed, encoded map[string]string, cut map[string]bool) sides {
	var s sides
	for i, field := range [3]string{fieldLast, fieldFirst, fieldMiddle} {
		s.printed[i], s.encoded[i] = clip(printed[field]), clip(encoded[field])
	}
	s.cut = map[string]bool{}
	for field, is := range cut {
		s.cut[field] = is
	}
	if encoded["street"] == "" && encoded["issuing_state"] == "" { // no barcode
		s.addZoneCuts()
	}
	return s
}

// addZoneCuts finds names whose end a machine-readable zone had no columns for. Names stand there as SURNAME<<GIVEN<NAMES in
// 39 columns (TD3, MRV-A), 31 (TD2, MRV-B) or 30 (TD1); names that end just there were likely longer.
func (s *sides) addZoneCuts() {
	fields := [3]string{fieldLast, fieldFirst, fieldMiddle}
	text, last := 0, -1
	for i, name := range s.encoded {
		if name == "" {
			continue
		}
		text += len(name) + 1
		if i == 0 {
			text++ // two fillers after the surname
		}
		last = i
	}
	if last < 1 {
		return
	}
	text-- // none after the last
	for _, width := range [3]int{39, 31, 30} {
		if text <= width && text >= width-2 { // a cut between two names leaves fillers
			s.cut[fields[last]] = true
			// A surname that would leave no room for a given name is cut as well.
			if surname := len(s.encoded[0]); surname >= width-5 {
				s.cut[fieldLast] = true
			}
		}
	}
}

// compareNames gives both normalised and how alike they are. at is the name's place in sides.
func compareNames(at int, s sides) (string, string, float64) {
	field := [3]string{fieldLast, fieldFirst, fieldMiddle}[at]
	printed, encoded := s.printed[at], s.encoded[at]
	p, e := foldings(printed), foldings(encoded)
	allPrinted, allEncoded := s.whole()
	if field == fieldMiddle && (p[0] == "") != (e[0] == "") {
		return middleWithin(p[0], e[0], allPrinted, allEncoded)
	}
	if p[0] == "" || e[0] == "" {
		return p[0], e[0], 0
	}
	best := namesAlike(printed, encoded, field == fieldMiddle, s.cut[field])
	if best < movedName && runTogether(allPrinted, allEncoded) {
		best = movedName // the names are parted elsewhere
	}
	if best < movedName {
		best = max(best, movedName*s.swappedAlike(at))
	}
	if best < movedName {
		best = max(best, movedName*s.movedAlike(at, p[0], e[0], foldings(allPrinted)[0], foldings(allEncoded)[0]))
	}
	return p[0], e[0], best
}

// runTogether says whether the letters of all names, without blanks, are the same but for one or two that readers confuse.
func runTogether(printed, encoded string) bool {
	p, e := alphanumeric(foldings(printed)[0]), alphanumeric(foldings(encoded)[0])
	return max(len(p), len(e)) <= maxCompared && distance(p, e, wordCosts()) <= 2*costLike
}

// namesAlike compares two names in each of their spellings. cut allows that the encoded one lacks its end.
func namesAlike(printed, encoded string, middle, cut bool) float64 {
	best := 0.0
	for _, a := range foldings(printed) {
		for _, b := range foldings(encoded) {
			best = max(best, wordsAlike(strings.Fields(a), strings.Fields(b), middle))
			if cut {
				best = max(best, cutName*beginsAlike(alphanumeric(a), alphanumeric(b)))
			}
		}
	}
	return best
}

// beginsAlike is how alike a name's beginning is to what was left of it.
func beginsAlike(whole, left string) float64 {
	best := 0.0
	for n := max(len(left)-1, 1); n <= len(left)+1 && n <= len(whole); n++ { // a reader may have dropped or doubled a letter
		best = max(best, similarity(whole[:n], left, wordCosts()))
	}
	return best
}

// swappedAlike is how alike first and last name are if either side calls the one the other.
func (s sides) swappedAlike(at int) float64 {
	if at > 1 || s.printed[0] == "" || s.printed[1] == "" || s.encoded[0] == "" || s.encoded[1] == "" {
		return 0
	}
	return min(namesAlike(s.printed[0], s.encoded[1], false, s.cut[fieldFirst]), namesAlike(s.printed[1], s.encoded[0], false, s.cut[fieldLast]))
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
	switch {
	case len(a) >= 8 && strings.HasPrefix(b, a):
		best = max(best, cutName)
	case len(a) == 1 && middle && (a[0] == b[0] || alike(a[0], b[0])):
		best = max(best, initial)
	}
	return best
}

// movedAlike looks for the words of either side anywhere in the whole name of the other. If a side lacks its first or last name,
// what the other has in this field may be the lacking one, and is not looked for.
func (s sides) movedAlike(at int, printed, encoded, allPrinted, allEncoded string) float64 {
	there := foundIn(strings.Fields(printed), strings.Fields(allEncoded))
	back := foundIn(strings.Fields(encoded), strings.Fields(allPrinted))
	if at < 2 {
		other := 1 - at
		if s.printed[other] == "" {
			return there
		}
		if s.encoded[other] == "" {
			return back
		}
	}
	return min(there, back)
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

// halfNamed says whether a first or last name stands on one side alone, and in no other name of the other side.
func (r Result) halfNamed() bool {
	var printed, encoded []string
	for _, m := range r.Fields {
		if m.Field == fieldLast || m.Field == fieldFirst || m.Field == fieldMiddle {
			printed, encoded = append(printed, strings.Fields(m.Printed)...), append(encoded, strings.Fields(m.Encoded)...)
		}
	}
	return slices.ContainsFunc(r.Fields, func(m FieldMatch) bool {
		if m.Compared || m.Field != fieldLast && m.Field != fieldFirst {
			return false
		}
		other := encoded
		if m.Printed == "" {
			other = printed
		}
		return foundIn(strings.Fields(m.Printed+m.Encoded), other) < sameWord
	})
}
