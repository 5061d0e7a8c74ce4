package aamva

import (
	"strings"
	"time"
)

// dateOrder is how the eight digits of a date follow each other.
type dateOrder int

const (
	monthFirst dateOrder = iota // MMDDCCYY, of the United States from version 2 on
	yearFirst                   // CCYYMMDD, of Canada and of version 1
)

// date gives an element's date as ISO 8601, or "" if it is none.
func (p Payload) date(id string) string {
	iso, _, _ := readDate(p.Elements[id])
	return iso
}

// readDate reads CCYYMMDD and MMDDCCYY alike: of a year between 1900 and 2099 no date can be read both ways. Marks between
// the parts and what follows them are overlooked; exact is false then.
func readDate(value string) (iso string, order dateOrder, exact bool) {
	value = strings.TrimSpace(value)
	digits := strings.ReplaceAll(strings.ReplaceAll(value, "-", ""), "/", "")
	if len(digits) < 8 {
		return "", 0, false
	}
	for order, layout := range []string{monthFirst: "01022006", yearFirst: "20060102"} {
		if t, err := time.Parse(layout, digits[:8]); err == nil && t.Year() >= 1900 && t.Year() <= 2099 {
			return t.Format(time.DateOnly), dateOrder(order), len(value) == 8
		}
	}
	return "", 0, false
}

// isOpenDate is true of what issuers write where there is no date, such as 00000000.
func isOpenDate(value string) bool {
	return isNothing(value) || strings.Trim(value, "0 -/") == "" || strings.Trim(value, "9 -/") == ""
}

// order is how the standard wants the card's dates written.
func (p Payload) order() dateOrder {
	if p.Version <= 1 || p.country() == "CAN" {
		return yearFirst
	}
	return monthFirst
}
