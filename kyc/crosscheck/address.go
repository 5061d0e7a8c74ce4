package crosscheck

import (
	"strings"
	"unicode"
)

// compareStreets compares word by word: first what was written out or abbreviated is brought together, then numbers are
// compared as numbers and words as names.
func compareStreets(printed, encoded string) (string, string, float64) {
	p, e := addressWords(printed), addressWords(encoded)
	return strings.Join(p, " "), strings.Join(e, " "), addressAlike(p, e)
}

// addressAlike is the mean over the words of both sides, each with its best counterpart on the other. Words are not
// weighted by length: a house number is short and says most.
func addressAlike(a, b []string) float64 {
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
				if s := addressWordAlike(w, v); !used[i] && s > best {
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
	if houseNumber(a) == houseNumber(b) {
		return max(words, joined)
	}
	return words
}

func houseNumber(words []string) string {
	for _, w := range words {
		if w[0] >= '0' && w[0] <= '9' {
			return w
		}
	}
	return ""
}

func addressWordAlike(a, b string) float64 {
	if hasDigit(a) || hasDigit(b) {
		return similarity(a, b, numberCosts())
	}
	return similarity(a, b, wordCosts())
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

func addressWords(s string) []string {
	plain := strings.ToUpper(dropMarks(strings.ReplaceAll(s, "#", " APT ")))
	words := strings.FieldsFunc(plain, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '.'
	})
	kept := words[:0]
	for _, w := range words {
		w = alphanumeric(w)
		if w != "" {
			kept = append(kept, abbreviated(w))
		}
	}
	return kept
}

// abbreviated gives the abbreviation of USPS Publication 28, appendix C, for the words that stand in most addresses.
func abbreviated(word string) string {
	switch word {
	case "STREET", "STR", "SAINT":
		return "ST"
	case "AVENUE", "AV":
		return "AVE"
	case "ROAD":
		return "RD"
	case "BOULEVARD", "BOUL":
		return "BLVD"
	case "LANE":
		return "LN"
	case "DRIVE", "DRV":
		return "DR"
	case "COURT":
		return "CT"
	case "PLACE":
		return "PL"
	case "SQUARE":
		return "SQ"
	case "TERRACE", "TERR":
		return "TER"
	case "PARKWAY", "PKY":
		return "PKWY"
	case "HIGHWAY":
		return "HWY"
	case "CIRCLE", "CIRC":
		return "CIR"
	case "TRAIL":
		return "TRL"
	case "EXPRESSWAY":
		return "EXPY"
	case "FREEWAY":
		return "FWY"
	case "CRESCENT":
		return "CRES"
	case "CROSSING":
		return "XING"
	case "HEIGHTS":
		return "HTS"
	case "HILL":
		return "HL"
	case "HILLS":
		return "HLS"
	case "ISLAND":
		return "IS"
	case "JUNCTION":
		return "JCT"
	case "MOUNT":
		return "MT"
	case "MOUNTAIN":
		return "MTN"
	case "POINT":
		return "PT"
	case "RIDGE":
		return "RDG"
	case "SPRING":
		return "SPG"
	case "SPRINGS":
		return "SPGS"
	case "STATION":
		return "STA"
	case "VALLEY":
		return "VLY"
	case "VILLAGE":
		return "VLG"
	case "FORT":
		return "FT"
	case "APARTMENT", "NUMBER", "NO":
		return "APT"
	case "BUILDING":
		return "BLDG"
	case "DEPARTMENT":
		return "DEPT"
	case "FLOOR":
		return "FL"
	case "SUITE":
		return "STE"
	case "ROOM":
		return "RM"
	case "NORTH":
		return "N"
	case "SOUTH":
		return "S"
	case "EAST":
		return "E"
	case "WEST":
		return "W"
	case "NORTHEAST":
		return "NE"
	case "NORTHWEST":
		return "NW"
	case "SOUTHEAST":
		return "SE"
	case "SOUTHWEST":
		return "SW"
	case "ROUTE":
		return "RTE"
	case "COUNTY":
		return "CO"
	case "CENTER", "CENTRE":
		return "CTR"
	}
	return word
}
