package mrz

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Compose writes the rows of a document with all check digits. It reads Format, Type, Issuer, Number, Nationality,
// BirthDate, Sex, ExpiresAt, Surname, GivenNames, Optional and Optional2 and ignores the rest. Names are transliterated
// and, if too long, cut as Doc 9303 allows. The error is an *Error with CodeFormatUnknown or CodeFieldInvalid.
// The layouts of a single state cannot be written: only that state issues them.
func Compose(d Document) ([]string, error) {
	l, ok := layoutOf(d.Format)
	if _, _, national := l.national(); !ok || national {
		return nil, &Error{Code: CodeFormatUnknown}
	}
	g := newGrid(l, blankRows(l))
	if (d.Type != "" && d.Type[0] == 'V') != l.visa() || d.Type == "" {
		return nil, &Error{Code: CodeFieldInvalid, Field: fieldType}
	}
	number, optional, long, err := splitLongNumber(l, d)
	if err != nil {
		return nil, err
	}
	birth, err := shortDate(d.BirthDate, fieldBirth)
	if err != nil {
		return nil, err
	}
	expiry, err := shortDate(d.ExpiresAt, fieldExpiry)
	if err != nil {
		return nil, err
	}
	values := map[string]string{
		fieldType:        d.Type,
		fieldIssuer:      d.Issuer,
		fieldNumber:      number,
		fieldNationality: d.Nationality,
		fieldBirth:       birth,
		fieldSex:         d.Sex,
		fieldExpiry:      expiry,
		fieldOptional:    optional,
		fieldOptional2:   d.Optional2,
	}
	for _, f := range l.fields {
		value := strings.ToUpper(values[f.name])
		if f.name == fieldNames {
			value = composeNames(d.Surname, d.GivenNames, f.to-f.from)
		}
		if !g.write(f, value) {
			return nil, &Error{Code: CodeFieldInvalid, Field: f.name}
		}
		if f.check == noCheck {
			continue
		}
		digit, _ := CheckDigit(g.text(f)) // write let only the zone's alphabet in
		if f.name == fieldNumber && long {
			digit = filler
		}
		g.rows[f.row][f.check] = digit
	}
	if l.composite != nil {
		var b strings.Builder
		for _, s := range l.composite {
			b.Write(g.rows[s.row][s.from:s.to])
		}
		digit, _ := CheckDigit(b.String())
		g.rows[l.compositeRow][l.compositeCol] = digit
	}
	lines := make([]string, len(g.rows))
	for i, r := range g.rows {
		lines[i] = string(r)
	}
	return lines, nil
}

func blankRows(l layout) []string {
	rows := make([]string, len(l.masks))
	for i := range rows {
		rows[i] = strings.Repeat("<", len(l.masks[i]))
	}
	return rows
}

// write puts a value into its field, padded with fillers; false if it is too long or has characters that the columns
// do not allow.
func (g *grid) write(f field, value string) bool {
	if len(value) > f.to-f.from {
		return false
	}
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == ' ' || c == '-' {
			c = filler
		}
		if !fits(c, g.masks[f.row][f.from+i]) {
			return false
		}
		g.rows[f.row][f.from+i] = c
	}
	return true
}

func fits(c, mask byte) bool {
	letter, digit := c >= 'A' && c <= 'Z', c >= '0' && c <= '9'
	switch mask {
	case maskLetter:
		return letter || c == filler
	case maskDigit:
		return digit || c == filler
	case maskFiller:
		return c == filler
	case maskSex:
		return c == 'M' || c == 'F' || c == 'X' || c == filler
	}
	return letter || digit || c == filler
}

// splitLongNumber moves what does not fit into the nine columns, with its check digit, to the optional data.
func splitLongNumber(l layout, d Document) (number, optional string, long bool, err error) {
	number = strings.ToUpper(d.Number)
	if number == "" {
		return "", "", false, &Error{Code: CodeFieldInvalid, Field: fieldNumber}
	}
	if len(number) <= 9 {
		return number, d.Optional, false, nil
	}
	digit, ok := CheckDigit(number)
	if !ok || strings.Contains(number, "<") || (l.format != TD1 && l.format != TD2) {
		return "", "", false, &Error{Code: CodeFieldInvalid, Field: fieldNumber}
	}
	return number[:9], number[9:] + string(rune(digit)) + "<" + d.Optional, true, nil
}

// composeNames writes SURNAME<<GIVEN<NAMES into width columns. If they do not fit, given names are cut from the end but
// the first letter of the first is kept, as Doc 9303 part 3 §4.6 demands a sign of every primary part.
func composeNames(surname, given string, width int) string {
	s, g := Transliterate(surname), Transliterate(given)
	if g == "" {
		return s[:min(len(s), width)]
	}
	if most := width - 3; len(s) > most {
		s = strings.TrimRight(s[:most], "<")
	}
	text := s + "<<" + g
	return text[:min(len(text), width)]
}

// Transliterate brings a name to A–Z and fillers after the table of Doc 9303 part 3 §6: Ä is AE, Ø is OE, ß is SS …;
// other marked letters lose their marks, apostrophes vanish, hyphens and blanks become fillers. Letters of other scripts
// are dropped.
func Transliterate(name string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(name) {
		r = unicode.ToUpper(r)
		if t, ok := transliteration(r); ok {
			b.WriteString(t)
			continue
		}
		for _, p := range norm.NFD.String(string(r)) {
			switch {
			case p >= 'A' && p <= 'Z':
				b.WriteRune(p)
			case p == ' ' || p == '-' || p == filler || p == ',':
				b.WriteByte(filler)
			}
		}
	}
	return strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r == filler }), "<")
}

func transliteration(r rune) (string, bool) {
	switch r {
	case 'Ä', 'Æ':
		return "AE", true
	case 'Å':
		return "AA", true
	case 'Ö', 'Ø', 'Œ':
		return "OE", true
	case 'Ü':
		return "UE", true
	case 'ß', 'ẞ':
		return "SS", true
	case 'Þ':
		return "TH", true
	case 'Ð', 'Đ':
		return "D", true
	case 'Ł':
		return "L", true
	case 'Ħ':
		return "H", true
	case 'Ŧ':
		return "T", true
	case 'Ŋ':
		return "N", true
	case 'ı', 'İ':
		return "I", true
	case 'Ĳ':
		return "IJ", true
	}
	return "", false
}
