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
	return p, e, similarity(p, e, numberCosts())
}

func compareWords(printed, encoded string) (string, string, float64) {
	p, e := alphanumeric(printed), alphanumeric(encoded)
	return p, e, similarity(p, e, wordCosts())
}

// comparePostalCodes compares the first five places of ZIP codes, because printed ones lack the rest, and others whole.
func comparePostalCodes(printed, encoded string) (string, string, float64) {
	p, e := alphanumeric(printed), alphanumeric(encoded)
	if len(p) >= 5 && len(e) >= 5 && len(p) != len(e) && len(p) != 6 && len(e) != 6 {
		p, e = p[:5], e[:5]
	}
	return p, e, similarity(p, e, numberCosts())
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
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", false
	}
	return s, true
}
