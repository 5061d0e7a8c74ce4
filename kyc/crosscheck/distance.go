package crosscheck

import "strings"

// The costs of one edit that readers make: they take like for like, and two characters for one.
const (
	costLike  = 0.25 // two characters of one shape
	costMerge = 0.35 // RN and M
)

// costs are those of the other edits.
type costs struct {
	indel  float64 // a character dropped or doubled
	unlike float64 // a character for one that looks otherwise
}

// wordCosts are for words, which have redundancy, numberCosts for numbers, which have none: there one digit that no reader
// confuses sinks a number of nine.
func wordCosts() costs   { return costs{indel: 0.74, unlike: 1.5} }
func numberCosts() costs { return costs{indel: 1.2, unlike: 2.4} }

// alike says whether readers confuse two characters (capitals, or digits).
func alike(a, b byte) bool {
	for _, set := range [...]string{"0OQD", "1ILT", "7T", "2Z", "5S", "6G", "8B", "CG", "UV", "EF", "38", "17", "56", "08", "49"} {
		if strings.IndexByte(set, a) >= 0 && strings.IndexByte(set, b) >= 0 {
			return true
		}
	}
	return false
}

// merged says whether readers take the pair for the single character.
func merged(pair string, single byte) bool {
	switch pair {
	case "RN", "NN":
		return single == 'M'
	case "VV":
		return single == 'W'
	case "CL":
		return single == 'D'
	case "LI", "II":
		return single == 'U'
	}
	return false
}

// similarity is 1 minus the cost of turning a into b by the length of the longer, and 0 at least.
func similarity(a, b string, c costs) float64 {
	if a == b {
		return 1
	}
	longer := max(len(a), len(b))
	if min(len(a), len(b)) == 0 || longer > maxCompared {
		return 0
	}
	return max(0, 1-distance(a, b, c)/float64(longer))
}

// maxCompared bounds the quadratic work on hostile texts. No field of a document is that long.
const maxCompared = 256

// distance is the least cost of edits that turn a into b. Three rows of the table are enough, because an edit reaches back by two.
func distance(a, b string, c costs) float64 {
	var small [3 * 64]float64 // no allocation for what fields usually hold
	width := len(b) + 1
	table := small[:]
	if 3*width > len(table) {
		table = make([]float64, 3*width)
	}
	row := func(i int) []float64 { return table[i%3*width : (i%3+1)*width] }
	for j := range row(0) {
		row(0)[j] = float64(j) * c.indel
	}
	for i := 1; i <= len(a); i++ {
		now, before, earlier := row(i), row(i-1), row(i+1) // i+1 is i−2 modulo 3
		now[0] = float64(i) * c.indel
		for j := 1; j <= len(b); j++ {
			substitution := c.unlike
			switch {
			case a[i-1] == b[j-1]:
				substitution = 0
			case alike(a[i-1], b[j-1]):
				substitution = costLike
			}
			best := min(before[j-1]+substitution, before[j]+c.indel, now[j-1]+c.indel)
			if i > 1 && merged(a[i-2:i], b[j-1]) {
				best = min(best, earlier[j-1]+costMerge)
			}
			if j > 1 && merged(b[j-2:j], a[i-1]) {
				best = min(best, before[j-2]+costMerge)
			}
			now[j] = best
		}
	}
	return row(len(a))[len(b)]
}
