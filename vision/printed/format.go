package printed

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// format brings the text behind a label to the field's form. ok is false where the text does not have it.
func format(field, text string) (value string, ok bool) {
	switch field {
	case BirthDate, ExpiresAt, IssuedAt:
		return isoDate(text)
	case DocumentNumber:
		return number(text)
	case RefNumber:
		v := strings.ReplaceAll(plain(text), " ", "")
		return v, len(v) >= 5
	case Gender:
		return gender(text)
	case Height:
		return height(text)
	case Weight:
		return weight(text)
	case EyeColor, HairColor:
		return colour(text)
	case Class, Restrictions, Endorsements:
		return codes(text)
	case Nationality, BirthPlace, IssuingCountry:
		v := letters(text)
		return v, len(v) >= 2
	default:
		return "", false
	}
}

// plain keeps capitals, digits and what names and numbers are joined with.
func plain(s string) string {
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" -'/.,#&", r) {
			b.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// letters keeps the words of a text that are made of letters.
func letters(s string) string {
	var out []string
	for _, w := range strings.Fields(plain(s)) {
		w = strings.Trim(w, "-'/.,#&")
		if w != "" && strings.IndexFunc(w, unicode.IsDigit) < 0 {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

var numericDate = regexp.MustCompile(`(\d{1,4})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{2,4})`)
var namedDate = regexp.MustCompile(`(\d{1,2})\s*([A-Z]{3,10}[A-Z/. ]*?)\s*(\d{4})`)
var spacedDate = regexp.MustCompile(`^(\d{2}) (\d{2}) (\d{4})$`)
var compactDate = regexp.MustCompile(`^\D{0,2}(\d{2})(\d{2})(\d{4})\D{0,2}$`)

// isoDate reads MM/DD/YYYY, YYYY/MM/DD and DD MON YYYY. A day before the month is taken only where the month cannot be one.
func isoDate(s string) (string, bool) {
	s = strings.ToUpper(s)
	if m := namedDate.FindStringSubmatch(unaccented().Replace(s)); m != nil {
		day, _ := strconv.Atoi(m[1])
		year, _ := strconv.Atoi(m[3])
		for _, word := range strings.FieldsFunc(m[2], func(r rune) bool { return r < 'A' || r > 'Z' }) {
			if month := monthNamed(word); month > 0 {
				return date(year, month, day)
			}
		}
	}
	digits := strings.NewReplacer("O", "0", "I", "1", "L", "1", "S", "5", "B", "8").Replace(s)
	if m := spacedDate.FindStringSubmatch(strings.TrimSpace(digits)); m != nil {
		a, _ := strconv.Atoi(m[1])
		b, _ := strconv.Atoi(m[2])
		year, _ := strconv.Atoi(m[3])
		// Nothing but the numbers tells day and month apart.
		switch {
		case a > 12 || a == b:
			return date(year, b, a)
		case b > 12:
			return date(year, a, b)
		}
		return "", false
	}
	m := numericDate.FindStringSubmatch(digits)
	if m == nil {
		if m = compactDate.FindStringSubmatch(strings.ReplaceAll(digits, " ", "")); m == nil {
			return "", false
		}
	}
	a, _ := strconv.Atoi(m[1])
	b, _ := strconv.Atoi(m[2])
	c, _ := strconv.Atoi(m[3])
	switch {
	case len(m[1]) == 4:
		return date(a, b, c)
	case len(m[3]) == 4 && len(m[1]) <= 2:
		if v, ok := date(c, a, b); ok {
			return v, true
		}
		return date(c, b, a)
	}
	return "", false
}

// monthNamed is the number of a month from its name or the beginning of it, in English, French or Spanish; 0 if it is none.
func monthNamed(word string) int {
	if len(word) < 3 {
		return 0
	}
	for i, names := range [12]string{
		"JANUARY JANVIER ENERO", "FEBRUARY FEVRIER FEBRERO", "MARCH MARS MARZO", "APRIL AVRIL ABRIL", "MAY MAI MAYO", "JUNE JUIN JUNIO",
		"JULY JUILLET JULIO", "AUGUST AOUT AGOSTO", "SEPTEMBER SEPTEMBRE SEPTIEMBRE SEPT", "OCTOBER OCTOBRE OCTUBRE",
		"NOVEMBER NOVEMBRE NOVIEMBRE", "DECEMBER DECEMBRE DICIEMBRE",
	} {
		for _, name := range strings.Fields(names) {
			// The beginning "JUI" is June's and July's.
			if strings.HasPrefix(name, word) && word != "JUI" {
				return i + 1
			}
		}
	}
	return 0
}

func date(year, month, day int) (string, bool) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if year < 1900 || year > 2099 || t.Month() != time.Month(month) || t.Day() != day {
		return "", false
	}
	return t.Format(time.DateOnly), true
}

// number is a document number: letters and digits, at least one digit. What follows in further words is joined as
// long as it looks like part of it.
func number(s string) (string, bool) {
	var b strings.Builder
	for _, w := range strings.Fields(plain(s)) {
		w = strings.Trim(w, "'/.,#&-")
		if b.Len() > 0 && strings.IndexFunc(w, unicode.IsDigit) < 0 {
			break
		}
		b.WriteString(w)
	}
	v := withoutLookalikes(b.String())
	return v, len(v) >= 4 && len(v) <= 25 && strings.IndexFunc(v, unicode.IsDigit) >= 0
}

// withoutLookalikes turns an O or I between two digits into the digit that it looks like: issuers leave both letters out.
func withoutLookalikes(s string) string {
	out := []byte(s)
	digit := func(i int) bool { return i >= 0 && i < len(out) && out[i] >= '0' && out[i] <= '9' }
	for i, c := range out {
		if !digit(i-1) || !digit(i+1) {
			continue
		}
		switch c {
		case 'O':
			out[i] = '0'
		case 'I':
			out[i] = '1'
		}
	}
	return string(out)
}

func gender(s string) (string, bool) {
	first, _, _ := strings.Cut(letters(s), " ")
	switch first {
	case "M", "MALE":
		return "male", true
	case "F", "FEMALE":
		return "female", true
	case "X":
		return "unspecified", true
	}
	return "", false
}

var feetInches = regexp.MustCompile(`([3-8])\s*['’‘´` + "`" + `\-F]+[T.\-\s]*\s*(\d{1,2})`)
var inchesOnly = regexp.MustCompile(`(\d{2,3})\s*(IN|"|”)`)
var centimetres = regexp.MustCompile(`(\d{3})\s*CM`)

func height(s string) (string, bool) {
	s = strings.NewReplacer("O", "0", "“", `"`).Replace(strings.ToUpper(s))
	if m := centimetres.FindStringSubmatch(s); m != nil {
		return m[1] + " cm", true
	}
	if m := feetInches.FindStringSubmatch(s); m != nil {
		feet, _ := strconv.Atoi(m[1])
		inches, _ := strconv.Atoi(m[2])
		if inches < 12 {
			return fmt.Sprintf("%d in", 12*feet+inches), true
		}
	}
	if m := inchesOnly.FindStringSubmatch(s); m != nil {
		inches, _ := strconv.Atoi(m[1])
		return fmt.Sprintf("%d in", inches), inches >= 36 && inches <= 96
	}
	return "", false
}

var weightForm = regexp.MustCompile(`(\d{2,3})\s*(LBS?|KG|L8|1B|IB)?`)

func weight(s string) (string, bool) {
	m := weightForm.FindStringSubmatch(strings.ToUpper(s))
	if m == nil {
		return "", false
	}
	unit := " lb"
	if m[2] == "KG" {
		unit = " kg"
	}
	v, _ := strconv.Atoi(m[1])
	return strconv.Itoa(v) + unit, v >= 20
}

func colour(s string) (string, bool) {
	first, _, _ := strings.Cut(letters(s), " ")
	switch first {
	case "HAIR", "AIR", "EYES", "EYE", "YES":
		return "", false // a label, or a piece of one
	}
	return first, len(first) >= 3
}

// codes are a class, restrictions or endorsements: the standard's NONE means that there are none.
func codes(s string) (string, bool) {
	v := strings.Trim(plain(s), " .,'/")
	if v == "NONE" {
		return "NONE", true
	}
	return v, v != "" && len(v) <= 24
}

func suffixes() map[string]bool {
	return map[string]bool{"JR": true, "SR": true, "II": true, "III": true, "IV": true, "V": true}
}

// givenNames splits first and middle names.
func givenNames(s string) (first, middle, suffix string) {
	parts := strings.Fields(strings.ReplaceAll(letters(s), ",", " "))
	if n := len(parts); n > 1 && suffixes()[parts[n-1]] {
		suffix, parts = parts[n-1], parts[:n-1]
	}
	if len(parts) == 0 {
		return "", "", ""
	}
	return parts[0], strings.Join(parts[1:], " "), suffix
}

func surname(s string) (name, suffix string) {
	parts := strings.Fields(letters(s))
	if n := len(parts); n > 1 && suffixes()[parts[n-1]] {
		suffix, parts = parts[n-1], parts[:n-1]
	}
	return strings.Join(parts, " "), suffix
}

var townForm = regexp.MustCompile(`^(.*?[A-Z]{2,})[ ,.]+([A-Z]{2})[ ,.]+(\d{5})(?:[- ]?(\d{4}))?\b`)

// town reads "CITY, ST 12345-6789".
func town(s string) (city, state, zip string, ok bool) {
	m := townForm.FindStringSubmatch(plain(s))
	if m == nil {
		return "", "", "", false
	}
	city = strings.Trim(m[1], " ,.'-")
	if strings.IndexFunc(city, unicode.IsDigit) >= 0 {
		return "", "", "", false
	}
	zip = m[3]
	if m[4] != "" {
		zip += "-" + m[4]
	}
	return city, m[2], zip, true
}

var addressForm = regexp.MustCompile(`^(\d+ [^,]+),\s*([A-Z .'-]+?),?\s+([A-Z]{2})\s+(\d{5}(?:-\d{4})?)`)

// wholeAddress reads an address that stands on one line, with commas.
func wholeAddress(s string) (street, city, state, zip string, ok bool) {
	m := addressForm.FindStringSubmatch(plain(s))
	if m == nil {
		return "", "", "", "", false
	}
	return m[1], m[2], m[3], m[4], true
}

// kindOf names the kind of document that a headline states. A letter or two may be misread.
func kindOf(s string) (string, bool) {
	keys := strings.Fields(strings.NewReplacer("'", "", "-", " ", "/", " ").Replace(plain(s)))
	states := func(wording ...string) bool {
		for i := 0; i+len(wording) <= len(keys); i++ {
			all := true
			for k, w := range wording {
				all = all && near(keys[i+k], w, len(w)/4)
			}
			if all {
				return true
			}
		}
		return false
	}
	switch {
	case states("PASSPORT", "CARD"):
		return "passport_card", true
	case states("PASSPORT"), states("PASSEPORT"):
		return "passport", true
	case states("DRIVER", "LICENSE"), states("DRIVERS", "LICENSE"), states("DRIVING", "LICENCE"):
		return "driver_license", true
	case states("IDENTIFICATION", "CARD"), states("IDENTITY", "CARD"), states("ID", "CARD"):
		return "identification_card", true
	}
	return "", false
}
