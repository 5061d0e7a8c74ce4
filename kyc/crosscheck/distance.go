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
func wordCosts() costs   { return costs{indel: 0.8, unlike: 1.5} }
func numberCosts() costs { return costs{indel: 1.2, unlike: 2.4} }

// alike says whether readers confuse two characters (capitals, or digits).
func alike(a, b byte) bool {
	for _, set := range []string{"0OQD", "1ILT", "7T", "2Z", "5S", "6G", "8B", "CG", "UV", "EF", "38", "17", "56", "08", "49"} {
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

func distance(a, b string, c costs) float64 {
	rows := make([][]float64, len(a)+1)
	for i := range rows {
		rows[i] = make([]float64, len(b)+1)
		rows[i][0] = float64(i) * c.indel
	}
	for j := range rows[0] {
		rows[0][j] = float64(j) * c.indel
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			substitution := c.unlike
			switch {
			case a[i-1] == b[j-1]:
				substitution = 0
			case alike(a[i-1], b[j-1]):
				substitution = costLike
			}
			best := min(rows[i-1][j-1]+substitution, rows[i-1][j]+c.indel, rows[i][j-1]+c.indel)
			if i > 1 && merged(a[i-2:i], b[j-1]) {
				best = min(best, rows[i-2][j-1]+costMerge)
			}
			if j > 1 && merged(b[j-2:j], a[i-1]) {
				best = min(best, rows[i-1][j-2]+costMerge)
			}
			rows[i][j] = best
		}
	}
	return rows[len(a)][len(b)]
}
