package specimen

import (
	"fmt"
	"strings"
	"time"
)

// Type is a kind of document; its values are the API's document_type_e.
type Type string

// The types.
const (
	DriverLicense      Type = "driver_license"
	IdentificationCard Type = "identification_card"
	Passport           Type = "passport"
	PassportCard       Type = "passport_card"
)

// Types lists what the press can draw.
func Types() []Type { return []Type{DriverLicense, IdentificationCard, Passport, PassportCard} }

func (t Type) known() bool {
	switch t {
	case DriverLicense, IdentificationCard, Passport, PassportCard:
		return true
	}
	return false
}

// travel tells documents with a machine-readable zone from those with a barcode.
func (t Type) travel() bool { return t == Passport || t == PassportCard }

// HasBarcode tells whether the back holds an AAMVA PDF417; the others have a machine-readable zone.
func (t Type) HasBarcode() bool { return t.known() && !t.travel() }

// HasBack tells whether the document has a second side: a passport's data page has none.
func (t Type) HasBack() bool { return t.known() && t != Passport }

// Sex is what a document says about it; its values are the API's gender_e.
type Sex string

// The values.
const (
	Male        Sex = "male"
	Female      Sex = "female"
	Unspecified Sex = "unspecified"
)

// The codes that cards and zones use for the same thing.
func (s Sex) letter() string {
	switch s {
	case Male:
		return "M"
	case Female:
		return "F"
	}
	return "X"
}

// Person is a holder. Names are in capitals, as documents print them; dates are ISO 8601 (2001-02-28).
type Person struct {
	First, Middle, Last, Suffix string
	Sex                         Sex
	BirthDate                   string
	Street, City, State, Postal string // State is two letters, Postal five or nine digits
	HeightInches, WeightPounds  int
	Eyes, Hair                  string // three letters as on licences: BRO, BLU, GRN … BLK, BRO, GRY …
}

// Document is what the barcode or the machine-readable zone says, and therefore the truth. The printed side says the
// same but for the fields named in Printed.
type Document struct {
	Type         Type
	Number       string // licence: up to 16 characters; passport: up to 9 letters and digits
	Ref          string // document discriminator of a card; not on travel documents
	IssuedAt     string // ISO 8601
	ExpiresAt    string // ISO 8601
	Class        string // licence only
	Restrictions string // licence only; empty is printed NONE
	Endorsements string // licence only; empty is printed NONE
	Person       Person

	// Printed holds the values that the visible side shows instead of the true ones, as on a forged document.
	Printed map[Field]string
	// Overprint is a word printed large across the front, such as SPECIMEN. Empty prints none.
	Overprint string
}

// Field names a value of a document as the API does.
type Field string

// The fields that the visible side shows and Printed can change.
const (
	FieldNumber    Field = "document_number"
	FieldRef       Field = "ref_number"
	FieldIssuedAt  Field = "issued_at"
	FieldExpiresAt Field = "expires_at"
	FieldFirst     Field = "first_name"
	FieldMiddle    Field = "middle_name"
	FieldLast      Field = "last_name"
	FieldSuffix    Field = "name_suffix"
	FieldBirthDate Field = "birth_date"
	FieldStreet    Field = "street"
	FieldCity      Field = "city"
	FieldState     Field = "state"
	FieldPostal    Field = "postal_code"
	FieldEyes      Field = "eye_color"
	FieldHair      Field = "hair_color"
)

// place gives where a field is kept, or nil for a field that cannot be changed.
func (d *Document) place(f Field) *string {
	switch f {
	case FieldNumber:
		return &d.Number
	case FieldRef:
		return &d.Ref
	case FieldIssuedAt:
		return &d.IssuedAt
	case FieldExpiresAt:
		return &d.ExpiresAt
	case FieldFirst:
		return &d.Person.First
	case FieldMiddle:
		return &d.Person.Middle
	case FieldLast:
		return &d.Person.Last
	case FieldSuffix:
		return &d.Person.Suffix
	case FieldBirthDate:
		return &d.Person.BirthDate
	case FieldStreet:
		return &d.Person.Street
	case FieldCity:
		return &d.Person.City
	case FieldState:
		return &d.Person.State
	case FieldPostal:
		return &d.Person.Postal
	case FieldEyes:
		return &d.Person.Eyes
	case FieldHair:
		return &d.Person.Hair
	}
	return nil
}

// visible is the document as its printed side states it.
func (d Document) visible() (Document, error) {
	printed := d.Printed
	d.Printed = nil
	for field, value := range printed {
		place := d.place(field)
		if place == nil {
			return d, refuse(CodeFieldUnknown, "printed")
		}
		*place = value
	}
	return d, nil
}

// Validate says whether the document can be printed, true side and visible side. The error is an *Error.
func (d Document) Validate() error {
	if err := d.validate(); err != nil {
		return err
	}
	seen, err := d.visible()
	if err != nil {
		return err
	}
	return seen.validate()
}

// limit is how a text of the document has to be.
type limit struct {
	field    Field
	value    string
	required bool
	most     int // characters
}

func (d Document) validate() error {
	if !d.Type.known() {
		return refuse(CodeTypeUnknown, "type_e")
	}
	card := !d.Type.travel()
	numberMost := 16
	if !card {
		numberMost = 9 // columns of the zone; a longer number would not be printed as one piece
	}
	p := d.Person
	for _, l := range []limit{
		{FieldNumber, d.Number, true, numberMost},
		{FieldRef, d.Ref, card, 25},
		{FieldFirst, p.First, true, 40},
		{FieldMiddle, p.Middle, false, 40},
		{FieldLast, p.Last, true, 40},
		{FieldSuffix, p.Suffix, false, 5},
		{FieldStreet, p.Street, card, 35},
		{FieldCity, p.City, card, 20},
		{FieldState, p.State, card, 2},
		{FieldPostal, p.Postal, card, 9},
		{FieldEyes, p.Eyes, card, 3},
		{FieldHair, p.Hair, card, 3},
		{"class", d.Class, d.Type == DriverLicense, 4},
		{"restrictions", d.Restrictions, false, 12},
		{"endorsements", d.Endorsements, false, 5},
	} {
		if err := l.check(); err != nil {
			return err
		}
	}
	if card && (p.HeightInches < 12 || p.HeightInches > 107) {
		return refuse(CodeFieldOutOfRange, "height")
	}
	if card && (p.WeightPounds < 10 || p.WeightPounds > 999) {
		return refuse(CodeFieldOutOfRange, "weight")
	}
	if p.Sex != Male && p.Sex != Female && p.Sex != Unspecified {
		return refuse(CodeFieldOutOfRange, "gender_e")
	}
	return d.validateDates()
}

func (l limit) check() error {
	if l.value == "" && l.required {
		return refuse(CodeFieldMissing, string(l.field))
	}
	if len(l.value) > l.most {
		return refuse(CodeFieldTooLong, fmt.Sprintf("%s: at most %d characters", l.field, l.most))
	}
	if l.value != strings.TrimSpace(l.value) {
		return refuse(CodeFieldUnprintable, string(l.field))
	}
	for _, char := range l.value {
		letter := char >= 'A' && char <= 'Z'
		digit := char >= '0' && char <= '9'
		if !letter && !digit && !strings.ContainsRune(" -'.,#/", char) {
			return refuse(CodeFieldUnprintable, string(l.field))
		}
	}
	return nil
}

// validateDates wants birth before issue before expiry. Expired documents are in order: that is a case to draw.
func (d Document) validateDates() error {
	var dates [3]time.Time
	for i, date := range []struct {
		field Field
		value string
	}{{FieldBirthDate, d.Person.BirthDate}, {FieldIssuedAt, d.IssuedAt}, {FieldExpiresAt, d.ExpiresAt}} {
		if date.value == "" {
			return refuse(CodeFieldMissing, string(date.field))
		}
		parsed, err := time.Parse(time.DateOnly, date.value)
		if err != nil {
			return refuse(CodeFieldOutOfRange, string(date.field))
		}
		dates[i] = parsed
	}
	if !dates[0].Before(dates[1]) {
		return refuse(CodeDatesOutOfOrder, "birth_date, issued_at")
	}
	if !dates[1].Before(dates[2]) {
		return refuse(CodeDatesOutOfOrder, "issued_at, expires_at")
	}
	return nil
}

// dateAs rewrites a validated ISO date in another layout of package time.
func dateAs(iso, layout string) string {
	date, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return ""
	}
	return strings.ToUpper(date.Format(layout))
}
