package mrz

import (
	"fmt"
	"time"
)

// The zone has two digits for the year. Doc 9303 leaves the century to the reader; these are our rules:
// nobody is born after today, and no document expires more than expiryAhead years from now.
const expiryAhead = 20

func birthDate(yymmdd string, now time.Time) string {
	return isoDate(yymmdd, now.Year()/100*100, func(t time.Time) bool { return !t.After(now) })
}

func expiryDate(yymmdd string, now time.Time) string {
	return isoDate(yymmdd, (now.Year()+expiryAhead)/100*100, func(t time.Time) bool {
		return t.Year() <= now.Year()+expiryAhead
	})
}

// issuedMonth reads YYMM as YYYY-MM; nothing was issued after today.
func issuedMonth(yymm string, now time.Time) string {
	day := birthDate(yymm+"01", now)
	if day == "" {
		return ""
	}
	return day[:len("2006-01")]
}

// isoDate takes the century given, or the one before if the date is then not allowed. It answers "" for what is no date.
func isoDate(yymmdd string, century int, allowed func(time.Time) bool) string {
	if len(yymmdd) != 6 {
		return ""
	}
	var n [3]int
	for i := range yymmdd {
		c := yymmdd[i]
		if c < '0' || c > '9' {
			return ""
		}
		n[i/2] = n[i/2]*10 + int(c-'0')
	}
	for _, year := range []int{century + n[0], century - 100 + n[0]} {
		t := time.Date(year, time.Month(n[1]), n[2], 0, 0, 0, 0, time.UTC)
		if t.Month() != time.Month(n[1]) || t.Day() != n[2] {
			continue // month 13, 30 February, or 29 February of the wrong century
		}
		if allowed(t) {
			return t.Format(time.DateOnly)
		}
	}
	return ""
}

// shortDate writes an ISO date as YYMMDD; an empty date as fillers.
func shortDate(iso, field string) (string, error) {
	if iso == "" {
		return "<<<<<<", nil
	}
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return "", &Error{Code: CodeFieldInvalid, Field: field}
	}
	return fmt.Sprintf("%02d%02d%02d", t.Year()%100, int(t.Month()), t.Day()), nil
}
