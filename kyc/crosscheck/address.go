package crosscheck

import (
	"strings"
	"unicode"
)

// compareStreets compares word by word: first what was written out or abbreviated is brought together, then numbers are
// compared as numbers and words as names.
func compareStreets(printed, encoded string) (string, string, float64) {
	known := abbreviations()
	p, e := addressWords(printed, known), addressWords(encoded, known)
	return strings.Join(p, " "), strings.Join(e, " "), addressAlike(p, e, known)
}

// addressAlike is the mean over the words of both sides, each with its best counterpart on the other. Words are not
// weighted by length: a house number is short and says most.
func addressAlike(a, b []string, known []abbreviation) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	joined := similarity(strings.Join(a, ""), strings.Join(b, ""), numberCosts())
	var sum float64
	for _, side := range [][2][]string{{a, b}, {b, a}} {
		used := make([]bool, len(side[1]))
		for _, w := range side[0] {
			best, at := 0.0, -1
			for i, v := range side[1] {
				if s := addressWordAlike(w, v, known); !used[i] && s > best {
					best, at = s, i
				}
			}
			if at >= 0 {
				used[at] = true
				sum += best
			}
		}
	}
	words := sum / float64(len(a)+len(b))
	// Read without blanks, or with blanks inside words, the whole may be alike where the words are not. But then the house
	// numbers must agree, or a long street would outweigh them.
	houseA, houseB := houseNumber(a), houseNumber(b)
	if houseA == houseB {
		return max(words, joined)
	}
	if houseA == "" || houseB == "" {
		return words
	}
	return min(max(words, joined), digitsAlike(houseA, houseB))
}

// houseNumber is the first word with a digit, with the digits after it that a blank parts from it.
func houseNumber(words []string) string {
	number := ""
	for _, w := range words {
		switch {
		case number == "" && hasDigit(w), number != "" && allDigits(number) && allDigits(w):
			number += w
		case number != "":
			return number
		}
	}
	return number
}

func addressWordAlike(a, b string, known []abbreviation) float64 {
	if mostlyDigits(a) || mostlyDigits(b) {
		return numberAlike(a, b)
	}
	best := similarity(a, b, wordCosts())
	if best < sameWord && max(len(a), len(b)) >= 4 {
		best = max(best, writtenOutAlike(a, b, known), writtenOutAlike(b, a, known))
	}
	return best
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// mostlyDigits tells numbers with misread digits from words with misread letters.
func mostlyDigits(s string) bool {
	digits := 0
	for _, c := range s {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return 2*digits >= len(s) && digits > 0
}

func addressWords(s string, known []abbreviation) []string {
	plain := strings.ToUpper(dropMarks(strings.ReplaceAll(s, "#", " APT ")))
	words := strings.FieldsFunc(plain, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '.'
	})
	kept := words[:0]
	for _, w := range words {
		w = alphanumeric(w)
		if w != "" {
			kept = append(kept, abbreviated(w, known))
		}
	}
	return kept
}

// abbreviation is a word of USPS Publication 28, appendix C, that stands in many addresses.
type abbreviation struct{ short, long string } // long: what is written out, and other abbreviations of it, parted by blanks

func abbreviations() []abbreviation {
	return []abbreviation{
		{"ST", "STREET STR SAINT"},
		{"AVE", "AVENUE AV"},
		{"RD", "ROAD"},
		{"BLVD", "BOULEVARD BOUL"},
		{"LN", "LANE"},
		{"DR", "DRIVE DRV"},
		{"CT", "COURT"},
		{"PL", "PLACE"},
		{"SQ", "SQUARE"},
		{"TER", "TERRACE TERR"},
		{"PKWY", "PARKWAY PKY"},
		{"HWY", "HIGHWAY"},
		{"CIR", "CIRCLE CIRC"},
		{"TRL", "TRAIL"},
		{"EXPY", "EXPRESSWAY"},
		{"FWY", "FREEWAY"},
		{"CRES", "CRESCENT"},
		{"XING", "CROSSING"},
		{"HTS", "HEIGHTS"},
		{"HL", "HILL"},
		{"HLS", "HILLS"},
		{"IS", "ISLAND"},
		{"JCT", "JUNCTION"},
		{"MT", "MOUNT"},
		{"MTN", "MOUNTAIN"},
		{"PT", "POINT"},
		{"RDG", "RIDGE"},
		{"SPG", "SPRING"},
		{"SPGS", "SPRINGS"},
		{"STA", "STATION"},
		{"VLY", "VALLEY"},
		{"VLG", "VILLAGE"},
		{"FT", "FORT"},
		{"APT", "APARTMENT UNIT NUMBER NO"},
		{"BLDG", "BUILDING"},
		{"DEPT", "DEPARTMENT"},
		{"FL", "FLOOR"},
		{"STE", "SUITE"},
		{"RM", "ROOM"},
		{"N", "NORTH"},
		{"S", "SOUTH"},
		{"E", "EAST"},
		{"W", "WEST"},
		{"NE", "NORTHEAST"},
		{"NW", "NORTHWEST"},
		{"SE", "SOUTHEAST"},
		{"SW", "SOUTHWEST"},
		{"RTE", "ROUTE"},
		{"CO", "COUNTY"},
		{"CTR", "CENTER CENTRE"},
	}
}

// abbreviated gives the abbreviation of what is written out.
func abbreviated(word string, known []abbreviation) string {
	for _, a := range known {
		for long := range strings.SplitSeq(a.long, " ") {
			if word == long {
				return a.short
			}
		}
	}
	return word
}

// writtenOutAlike is how alike a word is to what an abbreviation stands for, for words that were misread before they could be
// abbreviated; 0 if it stands for nothing.
func writtenOutAlike(word, short string, known []abbreviation) float64 {
	best := 0.0
	for _, a := range known {
		if a.short != short {
			continue
		}
		for long := range strings.SplitSeq(a.long, " ") {
			best = max(best, similarity(word, long, wordCosts()))
		}
	}
	return best
}

// compareStates knows that two letters are little to tell a misread state from another one: what is no state's abbreviation is a
// misread one.
func compareStates(printed, encoded string) (string, string, float64) {
	p, e, similarity := compareWords(printed, encoded)
	if similarity < misreadState && len(e) == 2 && isState(p) != isState(e) && (len(p) != 2 || p[0] == e[0] || p[1] == e[1]) {
		similarity = misreadState
	}
	return p, e, similarity
}

// misreadState is what a state is worth of which one letter is right and that is none as it stands.
const misreadState = 0.8

// isState knows the abbreviations of the states of the USA, its districts and territories, the provinces of Canada, and the
// invented one of specimens.
func isState(s string) bool {
	const known = " AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN" +
		" TX UT VT VA WA WV WI WY AS GU MP PR VI AB BC MB NB NL NS NT NU ON PE QC SK YT ZZ "
	return len(s) == 2 && strings.Contains(known, " "+s+" ")
}
