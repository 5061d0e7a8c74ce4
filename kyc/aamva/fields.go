package aamva

import (
	"fmt"
	"strconv"
	"strings"
)

// The names under which the API knows a document's fields.
const (
	fieldDocumentNumber = "document_number"
	fieldRefNumber      = "ref_number"
	fieldLastName       = "last_name"
	fieldFirstName      = "first_name"
	fieldMiddleName     = "middle_name"
	fieldNameSuffix     = "name_suffix"
	fieldBirthDate      = "birth_date"
	fieldExpiresAt      = "expires_at"
	fieldIssuedAt       = "issued_at"
	fieldGender         = "gender"
	fieldStreet         = "street"
	fieldCity           = "city"
	fieldState          = "state"
	fieldPostalCode     = "postal_code"
	fieldIssuingCountry = "issuing_country"
	fieldIssuingState   = "issuing_state"
	fieldHeight         = "height"
	fieldWeight         = "weight"
	fieldEyeColor       = "eye_color"
	fieldHairColor      = "hair_color"
	fieldClass          = "class"
	fieldRestrictions   = "restrictions"
	fieldEndorsements   = "endorsements"
)

// Fields gives the document under the names that the API uses for documents. What the card leaves open, or says there is
// none of, is absent. Dates are ISO 8601, heights "68 in" or "173 cm", weights "160 lb", "73 kg" or a range "131-160 lb",
// colours the three-letter codes of ANSI D20, gender male, female or unspecified.
func (p Payload) Fields() map[string]string {
	who := p.name()
	fields := map[string]string{
		fieldDocumentNumber: p.value("DAQ", "DBJ"),
		fieldRefNumber:      p.value("DCF", "DCK", "DCJ"),
		fieldLastName:       who.last,
		fieldFirstName:      who.first,
		fieldMiddleName:     who.middle,
		fieldNameSuffix:     who.suffix,
		fieldBirthDate:      p.date("DBB"),
		fieldExpiresAt:      p.date("DBA"),
		fieldIssuedAt:       p.date("DBD"),
		fieldGender:         gender(p.Elements["DBC"]),
		fieldStreet:         p.street(),
		fieldCity:           p.value("DAI", "DAN"),
		fieldState:          p.value("DAJ", "DAO"),
		fieldPostalCode:     postalCode(p.value("DAK", "DAP")),
		fieldIssuingCountry: p.country(),
		fieldIssuingState:   p.state(),
		fieldHeight:         p.height(),
		fieldWeight:         p.weight(),
		fieldEyeColor:       color(p.value("DAY")),
		fieldHairColor:      color(p.value("DAZ")),
		fieldClass:          p.value("DCA", "DAR"),
		fieldRestrictions:   p.value("DCB", "DAS"),
		fieldEndorsements:   p.value("DCD", "DAT"),
	}
	for k, v := range fields {
		if v == "" {
			delete(fields, k)
		}
	}
	return fields
}

// Truncated says of last_name, first_name and middle_name whether the card admits to have cut it; a field that the card
// says nothing certain about is absent.
func (p Payload) Truncated() map[string]bool {
	cut := map[string]bool{}
	for id, field := range map[string]string{"DDE": fieldLastName, "DDF": fieldFirstName, "DDG": fieldMiddleName} {
		switch p.Elements[id] {
		case "T":
			cut[field] = true
		case "N":
			cut[field] = false
		}
	}
	return cut
}

type personName struct{ last, first, middle, suffix string }

// name takes the parts where the card has them, and parts what it has as a whole: DCT holds all given names (versions 2
// and 3), DAA the whole name as LAST,FIRST,MIDDLE,SUFFIX (version 1).
func (p Payload) name() personName {
	n := personName{
		last:   p.nameOf("DCS", "DAB"),
		first:  p.nameOf("DAC"),
		middle: p.nameOf("DAD"),
		suffix: p.nameOf("DCU", "DAE"),
	}
	if given := p.nameOf("DCT"); given != "" && n.first == "" {
		n.first, n.middle = givenNames(given, n.middle)
	}
	if n.last != "" && n.first != "" {
		return n
	}
	parts := strings.Split(p.value("DAA"), ",")
	part := func(i int) string {
		if i < len(parts) && !isNoName(parts[i]) {
			return tidy(parts[i])
		}
		return ""
	}
	if n.last == "" {
		n.last = part(0)
	}
	if n.first == "" {
		n.first = part(1)
	}
	if n.middle == "" {
		n.middle = part(2)
	}
	if n.suffix == "" {
		n.suffix = part(3)
	}
	return n
}

// givenNames parts given names at the first comma, or else the first blank; a middle name known otherwise stays.
func givenNames(given, middle string) (string, string) {
	first, rest, cut := strings.Cut(given, ",")
	if !cut {
		first, rest, _ = strings.Cut(given, " ")
	}
	if middle == "" && !isNoName(rest) {
		middle = tidy(strings.ReplaceAll(rest, ",", " "))
	}
	return tidy(first), middle
}

// nameOf gives the first of the elements that holds a name. Na is a surname, so it counts as one.
func (p Payload) nameOf(ids ...string) string {
	for _, id := range ids {
		if v := p.Elements[id]; !isNoName(v) {
			return tidy(v)
		}
	}
	return ""
}

func tidy(s string) string { return strings.Join(strings.Fields(s), " ") }

func (p Payload) street() string {
	first, second := tidy(p.value("DAG", "DAL")), tidy(p.value("DAH", "DAM"))
	return strings.TrimSpace(first + " " + second)
}

func (p Payload) state() string {
	if i, ok := p.Issuer(); ok {
		return i.State
	}
	return p.value("DAJ", "DAO")
}

func (p Payload) country() string {
	said := p.value("DCG")
	if code := countryCode(said); code != "" {
		return code
	}
	if i, ok := p.Issuer(); ok {
		return i.Country
	}
	return said
}

func gender(code string) string {
	switch strings.ToUpper(strings.TrimSpace(code)) {
	case "1", "M":
		return "male"
	case "2", "F":
		return "female"
	case "9", "X", "0":
		return "unspecified"
	}
	return ""
}

// postalCode takes the padding away: ZIP codes are written with nine places, unknown ones 0 or blank.
func postalCode(value string) string {
	value = strings.TrimSpace(value)
	if len(value) > 5 && strings.Trim(value[5:], "0 -") == "" && isDigits(value[:5]) {
		return value[:5]
	}
	if len(value) == 9 && isDigits(value) {
		return value[:5] + "-" + value[5:]
	}
	return tidy(value)
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// leadingNumber gives the number at the start of value and what follows it.
func leadingNumber(value string) (n int, unit string, ok bool) {
	value = strings.TrimSpace(value)
	end := 0
	for end < len(value) && value[end] >= '0' && value[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(value[:end])
	if err != nil || n == 0 {
		return 0, "", false
	}
	return n, strings.ToLower(strings.TrimSpace(value[end:])), true
}

// height reads inches ("068 in"), centimetres ("157 cm"), and three digits without unit as feet and inches ("509"), which
// is how version 1 writes them.
func (p Payload) height() string {
	n, unit, ok := leadingNumber(p.value("DAU"))
	if inches, yes := feetAndInches(n, unit); ok && yes {
		return fmt.Sprintf("%d in", inches)
	}
	switch {
	case !ok:
		if cm, _, ok := leadingNumber(p.value("DAV")); ok {
			return fmt.Sprintf("%d cm", cm)
		}
		return ""
	case strings.HasPrefix(unit, "cm"):
		return fmt.Sprintf("%d cm", n)
	case strings.HasPrefix(unit, "in"):
		return fmt.Sprintf("%d in", n)
	case p.country() == "CAN" && n >= 100:
		return fmt.Sprintf("%d cm", n)
	case n >= 200 && n%100 < 12:
		return fmt.Sprintf("%d in", n/100*12+n%100)
	case n >= 100:
		return fmt.Sprintf("%d cm", n)
	}
	return fmt.Sprintf("%d in", n)
}

// feetAndInches reads what follows the feet in 5-09, 5'09" and 5 FT 9 IN.
func feetAndInches(feet int, rest string) (int, bool) {
	after := strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(rest, "-' ’"), "ft"), "-' ’")
	if feet < 1 || feet > 8 || after == rest {
		return 0, false
	}
	end := 0
	for end < len(after) && after[end] >= '0' && after[end] <= '9' {
		end++
	}
	inches, err := strconv.Atoi(after[:end])
	if err != nil || inches > 11 {
		return 0, false
	}
	return feet*12 + inches, true
}

// weightRange gives the pounds of DCE 0 to 9 (standard of 2003, table D.4).
func weightRange(code string) string {
	if len(code) != 1 || code[0] < '0' || code[0] > '9' {
		return ""
	}
	return []string{
		"0-70 lb", "71-100 lb", "101-130 lb", "131-160 lb", "161-190 lb",
		"191-220 lb", "221-250 lb", "251-280 lb", "281-320 lb", "321+ lb",
	}[code[0]-'0']
}

func (p Payload) weight() string {
	if lb, unit, ok := leadingNumber(p.value("DAW")); ok {
		if strings.HasPrefix(unit, "kg") {
			return fmt.Sprintf("%d kg", lb)
		}
		return fmt.Sprintf("%d lb", lb)
	}
	if kg, _, ok := leadingNumber(p.value("DAX")); ok {
		return fmt.Sprintf("%d kg", kg)
	}
	return weightRange(p.value("DCE"))
}

// color brings the shorter codes of old cards to the three letters of ANSI D20.
func color(code string) string {
	code = strings.ToUpper(code)
	switch code {
	case "BR", "BN", "BRN":
		return "BRO"
	case "BL":
		return "BLU"
	case "BK":
		return "BLK"
	case "GR", "GN":
		return "GRN"
	case "GY":
		return "GRY"
	case "HZ":
		return "HAZ"
	case "UNK":
		return ""
	}
	return code
}

// isColor says whether a word is a colour of eyes or hair, in the letters of ANSI D20 or of old cards.
func isColor(word string) bool {
	switch color(word) {
	case "BAL", "BLK", "BLN", "BLU", "BRO", "DIC", "GRN", "GRY", "HAZ", "MAR", "PNK", "RED", "SDY", "WHI":
		return true
	}
	return strings.EqualFold(word, "UNK")
}
