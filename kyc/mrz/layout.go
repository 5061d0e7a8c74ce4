package mrz

import "strings"

// Format names the layout of a machine-readable zone.
type Format string

// The layouts that can be read: those of ICAO Doc 9303 parts 4 to 7, and three of their own. FRID, the French national
// identity card of 1988–2021, has the size of a TD2. CHDL, the Swiss driving licence, has no check digit at all.
const (
	TD1  Format = "TD1"  // 3×30: identity cards, the US passport card
	TD2  Format = "TD2"  // 2×36
	TD3  Format = "TD3"  // 2×44: passport books
	MRVA Format = "MRVA" // 2×44: visas of the large size
	MRVB Format = "MRVB" // 2×36: visas of the small size
	FRID Format = "FRID" // 2×36
	FRDL Format = "FRDL" // 1×30: French driving licences
	CHDL Format = "CHDL" // 9, 30 and 30 columns: Swiss driving licences
)

// The fields of a layout and the keys of Document.CheckDigits.
const (
	fieldType        = "type"
	fieldIssuer      = "issuer"
	fieldNumber      = "document_number"
	fieldNationality = "nationality"
	fieldBirth       = "birth_date"
	fieldSex         = "sex"
	fieldExpiry      = "expires_at"
	fieldSurname     = "surname" // of FRID only; elsewhere both names share one field
	fieldGiven       = "given_names"
	fieldNames       = "names"
	fieldOptional    = "optional"
	fieldOptional2   = "optional_2"
	fieldComposite   = "composite"
)

// What a column may hold, besides the filler. A mask has one of these per column.
const (
	maskLetter = 'a' // A–Z
	maskDigit  = 'd' // 0–9
	maskMixed  = 'x' // A–Z and 0–9
	maskSex    = 's' // M, F, X
	maskFiller = '<' // nothing
)

const noCheck = -1

// field is a run of columns on one row, with the column of its check digit or noCheck.
type field struct {
	name     string
	row      int
	from, to int // columns [from, to)
	check    int
}

// segment is a run of columns that the composite check digit covers.
type segment struct{ row, from, to int }

// layout says where everything stands. Columns count from 0, unlike in Doc 9303.
type layout struct {
	format       Format
	masks        []string // one per row, as wide as the row
	fields       []field
	composite    []segment // nil: the format has no composite check digit
	compositeRow int
	compositeCol int
}

func rep(c rune, n int) string { return strings.Repeat(string(c), n) }

// layouts are tried in this order; of two that read equally well the first is taken.
func layouts() []layout {
	letters, digits, mixed, sex := maskLetter, maskDigit, maskMixed, string(maskSex)
	// The second row of TD2, TD3 and the visas is the same up to column 27.
	secondRow := rep(mixed, 9) + rep(digits, 1) + rep(letters, 3) + rep(digits, 7) + sex + rep(digits, 7)
	twoRows := func(more ...field) []field {
		return append([]field{
			{fieldType, 0, 0, 2, noCheck},
			{fieldIssuer, 0, 2, 5, noCheck},
			{fieldNumber, 1, 0, 9, 9},
			{fieldNationality, 1, 10, 13, noCheck},
			{fieldBirth, 1, 13, 19, 19},
			{fieldSex, 1, 20, 21, noCheck},
			{fieldExpiry, 1, 21, 27, 27},
		}, more...)
	}
	return []layout{
		{
			format: TD3,
			masks:  []string{rep(letters, 44), secondRow + rep(mixed, 14) + rep(digits, 2)},
			fields: twoRows(
				field{fieldNames, 0, 5, 44, noCheck},
				field{fieldOptional, 1, 28, 42, 42}),
			composite:    []segment{{1, 0, 10}, {1, 13, 20}, {1, 21, 43}},
			compositeRow: 1, compositeCol: 43,
		},
		{
			format: MRVA,
			masks:  []string{rep(letters, 44), secondRow + rep(mixed, 16)},
			fields: twoRows(
				field{fieldNames, 0, 5, 44, noCheck},
				field{fieldOptional, 1, 28, 44, noCheck}),
		},
		{
			format: TD2,
			masks:  []string{rep(letters, 36), secondRow + rep(mixed, 7) + rep(digits, 1)},
			fields: twoRows(
				field{fieldNames, 0, 5, 36, noCheck},
				field{fieldOptional, 1, 28, 35, noCheck}),
			composite:    []segment{{1, 0, 10}, {1, 13, 20}, {1, 21, 35}},
			compositeRow: 1, compositeCol: 35,
		},
		{
			format: MRVB,
			masks:  []string{rep(letters, 36), secondRow + rep(mixed, 8)},
			fields: twoRows(
				field{fieldNames, 0, 5, 36, noCheck},
				field{fieldOptional, 1, 28, 36, noCheck}),
		},
		{
			format: FRID,
			masks: []string{
				rep(letters, 30) + rep(mixed, 6),
				rep(digits, 4) + rep(mixed, 3) + rep(digits, 6) + rep(letters, 14) + rep(digits, 7) + sex + rep(digits, 1),
			},
			fields: []field{
				{fieldType, 0, 0, 2, noCheck},
				{fieldIssuer, 0, 2, 5, noCheck},
				{fieldSurname, 0, 5, 30, noCheck},
				{fieldOptional, 0, 30, 36, noCheck},
				{fieldNumber, 1, 0, 12, 12},
				{fieldGiven, 1, 13, 27, noCheck},
				{fieldBirth, 1, 27, 33, 33},
				{fieldSex, 1, 34, 35, noCheck},
			},
			composite:    []segment{{0, 0, 36}, {1, 0, 35}},
			compositeRow: 1, compositeCol: 35,
		},
		{
			format: TD1,
			masks: []string{
				// The second column of the type is a digit on cards of the United States (C1).
				rep(letters, 1) + rep(mixed, 1) + rep(letters, 3) + rep(mixed, 9) + rep(digits, 1) + rep(mixed, 15),
				rep(digits, 7) + sex + rep(digits, 7) + rep(letters, 3) + rep(mixed, 11) + rep(digits, 1),
				rep(letters, 30),
			},
			fields: []field{
				{fieldType, 0, 0, 2, noCheck},
				{fieldIssuer, 0, 2, 5, noCheck},
				{fieldNumber, 0, 5, 14, 14},
				{fieldOptional, 0, 15, 30, noCheck},
				{fieldBirth, 1, 0, 6, 6},
				{fieldSex, 1, 7, 8, noCheck},
				{fieldExpiry, 1, 8, 14, 14},
				{fieldNationality, 1, 15, 18, noCheck},
				{fieldOptional2, 1, 18, 29, noCheck},
				{fieldNames, 2, 0, 30, noCheck},
			},
			composite:    []segment{{0, 5, 30}, {1, 0, 7}, {1, 8, 15}, {1, 18, 29}},
			compositeRow: 1, compositeCol: 29,
		},
		{
			format: FRDL,
			masks: []string{
				rep(letters, 1) + rep(digits, 1) + rep(letters, 3) + rep(digits, 2) + rep(letters, 2) + rep(digits, 12) +
					rep(letters, 8) + rep(digits, 1),
			},
			fields: []field{
				{fieldType, 0, 0, 2, noCheck},
				{fieldIssuer, 0, 2, 5, noCheck},
				{fieldNumber, 0, 5, 14, 14},
				{fieldExpiry, 0, 15, 21, noCheck},
				{fieldSurname, 0, 21, 29, noCheck},
			},
			composite:    []segment{{0, 0, 29}},
			compositeRow: 0, compositeCol: 29,
		},
		{
			format: CHDL,
			masks: []string{
				rep(mixed, 6) + rep(letters, 1) + rep(maskFiller, 2),
				rep(letters, 5) + rep(digits, 12) + rep(maskFiller, 2) + rep(digits, 6) + rep(maskFiller, 5),
				rep(letters, 30),
			},
			fields: []field{
				{fieldNumber, 0, 0, 9, noCheck},
				{fieldType, 1, 0, 2, noCheck},
				{fieldIssuer, 1, 2, 5, noCheck},
				{fieldOptional, 1, 5, 17, noCheck},
				{fieldBirth, 1, 19, 25, noCheck},
				{fieldNames, 2, 0, 30, noCheck},
			},
		},
	}
}

// national says whether the layout is one state's own; then it holds only for documents of that type and state.
func (l layout) national() (documentType, issuer string, ok bool) {
	switch l.format {
	case FRID:
		return "ID", "FRA", true
	case FRDL:
		return "D1", "FRA", true
	case CHDL:
		return "FA", "CHE", true
	}
	return "", "", false
}

// startsWith gives the letters that a type of the format begins with.
func (l layout) startsWith() string {
	switch l.format {
	case TD3:
		return "P"
	case MRVA, MRVB:
		return "V"
	case FRDL:
		return "D"
	case CHDL:
		return "F"
	}
	return "ACIPRT" // beyond A, C and I of Doc 9303, states write others, such as R for residents
}

// checked is the run of columns that the check digit of a field covers: the field, but all before it as well for the
// number of a French driving licence.
func (l layout) checked(f field) (from, to int) {
	if l.format == FRDL {
		return 0, f.to
	}
	return f.from, f.to
}

// layoutOf gives the layout of a format.
func layoutOf(f Format) (layout, bool) {
	for _, l := range layouts() {
		if l.format == f {
			return l, true
		}
	}
	return layout{}, false
}

func (l layout) visa() bool { return l.format == MRVA || l.format == MRVB }

// field gives the named field of the layout.
func (l layout) field(name string) (field, bool) {
	for _, f := range l.fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}
