package crosscheck

import (
	"strings"
	"time"
)

// alphanumeric keeps capitals and digits.
func alphanumeric(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

func compareNumbers(printed, encoded string) (string, string, float64) {
	p, e := alphanumeric(printed), alphanumeric(encoded)
	return p, e, numberAlike(p, e)
}

// numberLength is by what the cost of a number's errors is divided, however long it is: a digit that is no reader's error sinks
// a number of thirteen as it does one of seven.
const numberLength = 8

// numberAlike compares numbers. Errors cost the same in long and short ones.
func numberAlike(a, b string) float64 {
	if a == b {
		return 1
	}
	if a == "" || b == "" || max(len(a), len(b)) > maxCompared {
		return 0
	}
	return max(0, 1-distance(a, b, numberCosts())/numberLength)
}

// digitsAlike compares what is a number of digits alone on the encoded side. A letter in it is no forger's work, but a reader's.
func digitsAlike(printed, encoded string) float64 {
	if !allDigits(encoded) && !allDigits(printed) {
		return numberAlike(printed, encoded)
	}
	if allDigits(printed) {
		printed, encoded = encoded, printed
	}
	if len(printed) != len(encoded) {
		return numberAlike(printed, encoded)
	}
	b := []byte(printed)
	letters := 0
	for i, c := range b {
		if c > '9' && !alike(c, encoded[i]) {
			letters++
			b[i] = encoded[i]
		}
	}
	return max(0, numberAlike(string(b), encoded)-float64(float64(letters)*strayLetter))
}

// strayLetter is what a letter costs in a number of digits.
const strayLetter = 0.1

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func compareWords(printed, encoded string) (string, string, float64) {
	p, e := alphanumeric(printed), alphanumeric(encoded)
	return p, e, similarity(p, e, wordCosts())
}

// comparePostalCodes compares the first five places of ZIP codes, because printed ones lack the rest, and others whole.
func comparePostalCodes(printed, encoded string) (string, string, float64) {
	p, e := zip(alphanumeric(printed)), zip(alphanumeric(encoded))
	return p, e, digitsAlike(p, e)
}

// zip cuts a ZIP+4, in which a reader may have taken a letter for a digit, to its first five places.
func zip(code string) string {
	if len(code) >= 8 {
		return code[:5]
	}
	return code
}

// What dates that are not equal are worth. They were parsed, so a letter for a digit is behind them; what is left is a digit
// taken for a like one, day and month exchanged, or another date.
const (
	dateOneLikeDigit = 0.8
	dateExchanged    = 0.6
)

// compareDates compares ISO dates; what is no date counts as absent.
func compareDates(printed, encoded string) (string, string, float64) {
	p, okP := date(printed)
	e, okE := date(encoded)
	switch {
	case !okP || !okE:
		return p, e, 0
	case p == e:
		return p, e, 1
	case p[:4] == e[:4] && p[5:7] == e[8:] && p[8:] == e[5:7]:
		return p, e, dateExchanged
	}
	different, likely := 0, 0
	for i := range p {
		if p[i] != e[i] {
			different++
			if alike(p[i], e[i]) {
				likely++
			}
		}
	}
	if different == 1 && likely == 1 {
		return p, e, dateOneLikeDigit
	}
	return p, e, 0
}

func date(s string) (string, bool) {
	s = strings.TrimSpace(s)
	day, err := time.Parse(time.DateOnly, s)
	if err != nil || day.Year() < 1900 || day.Year() > 2199 { // nobody living was born then, and no document runs so long
		return "", false
	}
	return s, true
}
