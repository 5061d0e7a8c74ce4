// Package mrz reads and writes the machine-readable zone of travel documents (ICAO Doc 9303 parts 3 to 7).
//
// What a reader got wrong is repaired only where the column's type leaves one reading and, under a check digit, only
// if that digit then holds. Every repair is reported.
package mrz

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Document is what a machine-readable zone says. Dates are ISO 8601, empty where the zone leaves them open or they
// are no dates. Optional data keep their inner fillers.
type Document struct {
	Format      Format          `json:"format"`
	Lines       []string        `json:"lines"` // after repair
	Type        string          `json:"type"`  // document code: P, IP, ID, V …
	Issuer      string          `json:"issuer"`
	Number      string          `json:"document_number"`
	Nationality string          `json:"nationality"`
	BirthDate   string          `json:"birth_date"`
	Sex         string          `json:"sex"` // M, F, X, or empty where unspecified
	ExpiresAt   string          `json:"expires_at"`
	Surname     string          `json:"surname"`
	GivenNames  string          `json:"given_names"` // parts separated by one space
	Optional    string          `json:"optional"`
	Optional2   string          `json:"optional_2"`
	CheckDigits map[string]bool `json:"check_digits"` // field → its check digit is right
	Valid       bool            `json:"valid"`        // every check digit is right; of CHDL, which has none, every column is of its type
	IssuedMonth string          `json:"issued_month"` // YYYY-MM, of FRID only
	Repairs     []Repair        `json:"repairs"`
	Errors      []Problem       `json:"errors"` // what is wrong in what was read
}

// Code is a stable reason why nothing was read.
type Code string

// The reasons.
const (
	CodeTooLong       Code = "mrz_text_too_long"  // ParseText: more than 64 KiB
	CodeNotFound      Code = "mrz_not_found"      // no rows that could be a zone
	CodeFormatUnknown Code = "mrz_format_unknown" // the rows have the size of no known format
	CodeFieldInvalid  Code = "mrz_field_invalid"  // Compose: a field cannot be written
)

// Error says why nothing was read or written. It never holds what was read.
type Error struct {
	Code  Code
	Field string // of CodeFieldInvalid
}

func (e *Error) Error() string {
	if e.Field != "" {
		return string(e.Code) + ": " + e.Field
	}
	return string(e.Code)
}

// Parse reads the rows of one zone. now settles the century of two-digit years. A zone with wrong check digits is
// no error: it is returned with Valid false. The error is an *Error with CodeNotFound or CodeFormatUnknown.
func Parse(lines []string, now time.Time) (Document, error) {
	rows := cleanRows(lines)
	if len(rows) == 0 {
		return Document{}, &Error{Code: CodeNotFound}
	}
	d, ok := parseRows(layouts(), rows, now)
	if !ok {
		return Document{}, &Error{Code: CodeFormatUnknown}
	}
	return d, nil
}

// parseRows reads rows as the layout that they fit best.
func parseRows(known []layout, rows []string, now time.Time) (best Document, found bool) {
	for _, l := range known {
		d, ok := parseAs(l, rows, now)
		if ok && (!found || better(d, best)) {
			best, found = d, true
		}
	}
	return best, found
}

// ParseText finds a zone among the lines of a text, such as a whole page read by OCR, and reads it. Where several
// runs of lines fit, the one with the most right check digits is taken. The error is an *Error with CodeTooLong or
// CodeNotFound.
func ParseText(text string, now time.Time) (Document, error) {
	if len(text) > maxText {
		return Document{}, &Error{Code: CodeTooLong}
	}
	known := layouts()
	rows := cleanRows(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }))
	best, found := Document{}, false
	try := func(rows []string, more []Repair) {
		fillers, near := looksLikeZone(known, rows)
		if !near {
			return
		}
		d, ok := parseRows(known, rows, now)
		if _, _, national := d.layout().national(); !ok || (fillers < fewFillers && !d.Valid && !national) {
			return
		}
		if len(more) > 0 {
			d.Repairs = slices.Concat(more, d.Repairs)
		}
		if !found || better(d, best) {
			best, found = d, true
		}
	}
	for i, row := range rows {
		for n := 1; n <= 3 && i+n <= len(rows); n++ {
			try(rows[i:i+n], nil)
		}
		for n, width := range map[int]int{2 * 44: 44, 2 * 36: 36, 3 * 30: 30} {
			if len(row) == n {
				parted := slices.Collect(chunks(row, width))
				try(parted, []Repair{{Kind: RepairRows, Column: -1, From: "1", To: strconv.Itoa(len(parted))}})
			}
		}
	}
	if !found {
		return Document{}, &Error{Code: CodeNotFound}
	}
	return best, nil
}

// chunks parts s into pieces of width bytes.
func chunks(s string, width int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for ; len(s) >= width; s = s[width:] {
			if !yield(s[:width]) {
				return
			}
		}
	}
}

// maxText is far more than any page holds. It bounds the work on a hostile text.
const maxText = 64 << 10

// fewFillers is less than a zone has, and more than prose has.
const fewFillers = 4

// looksLikeZone says whether rows have the shape of a zone, and how many fillers. Where they are few, only right check
// digits, or a single state's type, tell a zone from lines of prose.
func looksLikeZone(known []layout, rows []string) (fillers int, near bool) {
	for _, r := range rows {
		fillers += strings.Count(r, "<")
	}
	for _, l := range known {
		if l.near(rows) {
			return fillers, true
		}
	}
	return fillers, false
}

// near says whether rows have the shape of the layout, but for fillers that were dropped or doubled.
func (l layout) near(rows []string) bool {
	if len(rows) != len(l.masks) {
		return false
	}
	for i, r := range rows {
		if d := len(r) - len(l.masks[i]); d > maxStretch || -d > maxStretch {
			return false
		}
	}
	return true
}

// layout is how the document is laid out.
func (d Document) layout() layout {
	l, _ := layoutOf(d.Format)
	return l
}

func better(a, b Document) bool {
	if x, y := a.rightShare(), b.rightShare(); x != y {
		return x > y
	}
	return len(a.Repairs) < len(b.Repairs)
}

// rightShare is the share of the check digits that are right. A zone without any is believed less than one with them.
func (d Document) rightShare() float64 {
	if len(d.CheckDigits) == 0 {
		if d.Valid {
			return 0.5
		}
		return 0
	}
	right := 0
	for _, ok := range d.CheckDigits {
		if ok {
			right++
		}
	}
	return float64(right) / float64(len(d.CheckDigits))
}

// cleanRows brings lines to the zone's alphabet: capitals, no blanks, and < for the quotation marks that readers
// take it for. Other characters stay, and count as wrong.
func cleanRows(lines []string) []string {
	var rows []string
	for _, line := range lines {
		var b strings.Builder
		for _, r := range line {
			switch {
			case r >= 'a' && r <= 'z':
				b.WriteByte(byte(r - 'a' + 'A'))
			case r == '«':
				b.WriteString("<<")
			case r == '‹' || r == '〈' || r == '⟨' || r == '＜':
				b.WriteByte(filler)
			case r == ' ' || r == '\t' || r == '\r' || r == '\n' || r == '\u00a0' || r == '\ufeff':
			case r > ' ' && r < 0x7f:
				b.WriteByte(byte(r))
			default:
				b.WriteByte('?') // one column, whatever it was
			}
		}
		if b.Len() > 0 {
			rows = append(rows, b.String())
		}
	}
	return rows
}

// parseAs reads rows as one layout; false if they have another shape.
func parseAs(l layout, rows []string, now time.Time) (Document, bool) {
	if len(rows) != len(l.masks) || (rows[0][0] == 'V') != l.visa() {
		return Document{}, false
	}
	fitted := make([]string, len(rows))
	stretched := []Repair{}
	for i, r := range rows {
		f, ok := fit(r, len(l.masks[i]))
		if !ok {
			return Document{}, false
		}
		if len(r) != len(l.masks[i]) {
			stretched = append(stretched, lengthRepair(i, len(r), len(l.masks[i])))
		}
		fitted[i] = f
	}
	g := newGrid(l, fitted)
	g.repairs = stretched
	g.repairAll()
	d := g.document(now)
	if documentType, issuer, national := l.national(); national && (d.Type != documentType || d.Issuer != issuer) {
		return Document{}, false
	}
	for i, r := range d.Repairs {
		if r.Kind != RepairLength {
			continue
		}
		covered := l.covers(r.Row)
		if !covered && !strings.Contains(l.startsWith(), string(g.rows[0][0])) {
			return Document{}, false // neither its length nor its type is that of the format, and no check digit speaks for it
		}
		d.Repairs[i].Confirmed = d.Valid && covered
	}
	return d, true
}

func (g *grid) document(now time.Time) Document {
	d := Document{Format: g.layout.format, CheckDigits: map[string]bool{}, Repairs: g.repairs}
	for _, r := range g.rows {
		d.Lines = append(d.Lines, string(r))
	}
	for _, f := range g.layout.fields {
		text := g.text(f)
		if f.check != noCheck {
			// A number of nothing but fillers satisfies a check digit, but identifies nothing.
			d.CheckDigits[f.name] = g.typed(f) && g.checkHolds(f) && (f.name != fieldNumber || !isBlank(text))
		}
		g.set(&d, f, text, now)
	}
	g.longNumber(&d)
	if g.layout.composite != nil {
		d.CheckDigits[fieldComposite] = g.compositeHolds()
	}
	d.Valid = len(d.CheckDigits) > 0 || (g.allTyped() && d.Number != "")
	for _, ok := range d.CheckDigits {
		d.Valid = d.Valid && ok
	}
	d.Errors = g.problems(d)
	return d
}

func (g *grid) set(d *Document, f field, text string, now time.Time) {
	trimmed := strings.TrimRight(text, "<")
	switch f.name {
	case fieldType:
		d.Type = trimmed
	case fieldIssuer:
		d.Issuer = trimmed
	case fieldNumber:
		d.Number = trimmed
		if g.layout.format == FRID {
			d.IssuedMonth = issuedMonth(text[:4], now)
		}
	case fieldNationality:
		d.Nationality = trimmed
	case fieldBirth:
		d.BirthDate = birthDate(text, now)
	case fieldExpiry:
		d.ExpiresAt = expiryDate(text, now)
	case fieldSex:
		if text == "M" || text == "F" || text == "X" {
			d.Sex = text
		}
	case fieldSurname:
		d.Surname = nameText(text)
	case fieldGiven:
		d.GivenNames = nameText(text)
	case fieldNames:
		d.Surname, d.GivenNames = splitNames(text)
	case fieldOptional:
		d.Optional = trimmed
	case fieldOptional2:
		d.Optional2 = trimmed
	}
}

// longNumber joins a number of more than nine characters: its check digit's column then holds a filler, and the rest of
// the number with its check digit opens the optional data (Doc 9303 part 5 §4.2.2 note j, part 6 likewise).
func (g *grid) longNumber(d *Document) {
	number, ok := g.layout.field(fieldNumber)
	if !ok || (g.layout.format != TD1 && g.layout.format != TD2) || g.rows[number.row][number.check] != filler {
		return
	}
	optional, _ := g.layout.field(fieldOptional)
	head := g.text(number)
	rest, _, _ := strings.Cut(g.text(optional), "<")
	if strings.HasSuffix(head, "<") || len(rest) < 2 {
		return
	}
	long := head + rest[:len(rest)-1]
	d.Number = long
	d.CheckDigits[fieldNumber] = checkHolds(long, rest[len(rest)-1])
}

// splitNames parts the names at the first double filler. A zone without one holds a surname alone.
func splitNames(text string) (surname, given string) {
	first, second, _ := strings.Cut(text, "<<")
	if strings.HasPrefix(text, "<") && !strings.HasPrefix(text, "<<") {
		first, second, _ = strings.Cut(strings.TrimLeft(text, "<"), "<<")
	}
	return nameText(first), nameText(second)
}

func nameText(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == filler }), " ")
}

// Fields gives the document under the names that the API uses for documents. What the zone leaves open is absent.
// Of the given names the first is first_name and the rest are middle_name; the zone itself does not part them.
func (d Document) Fields() map[string]string {
	first, middle, _ := strings.Cut(d.GivenNames, " ")
	fields := map[string]string{
		"document_number": d.Number,
		"last_name":       d.Surname,
		"first_name":      first,
		"middle_name":     middle,
		"birth_date":      d.BirthDate,
		"expires_at":      d.ExpiresAt,
		"gender":          d.gender(),
		"issuing_country": stateCode(d.Issuer),
		"nationality":     stateCode(d.Nationality),
	}
	for k, v := range fields {
		if v == "" {
			delete(fields, k)
		}
	}
	return fields
}

func (d Document) gender() string {
	switch {
	case d.Sex == "M":
		return "male"
	case d.Sex == "F":
		return "female"
	case d.Format == FRDL || d.Format == CHDL:
		return "" // they do not have the field
	}
	return "unspecified"
}

// stateCode gives the ISO 3166 code. Germany alone is written with one letter; the first Slovene cards had two.
func stateCode(code string) string {
	switch code {
	case "D":
		return "DEU"
	case "SI":
		return "SVN"
	}
	return code
}
