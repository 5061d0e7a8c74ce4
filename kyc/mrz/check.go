package mrz

const filler = '<'

// CheckDigit computes the check digit of Doc 9303 part 3 §4.9: digits count as themselves, A–Z as 10–35, the
// filler as 0, with weights 7, 3, 1 in turn, modulo 10. It answers false if s holds any other character.
func CheckDigit(s string) (byte, bool) {
	weights := [3]int{7, 3, 1}
	sum := 0
	for i := 0; i < len(s); i++ {
		v, ok := charValue(s[i])
		if !ok {
			return 0, false
		}
		sum += v * weights[i%3]
	}
	return byte('0' + sum%10), true
}

func charValue(c byte) (int, bool) {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0'), true
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10, true
	case c == filler:
		return 0, true
	}
	return 0, false
}

// checkHolds says whether digit is the check digit of s. A filler stands for the digit only where the whole
// field is empty (Doc 9303 part 4 allows that for the optional data of a passport).
func checkHolds(s string, digit byte) bool {
	want, ok := CheckDigit(s)
	if !ok {
		return false
	}
	if digit == filler {
		return isBlank(s)
	}
	return digit == want
}

func isBlank(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != filler {
			return false
		}
	}
	return true
}
