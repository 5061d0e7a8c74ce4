package specimen

import (
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// WithOtherName is the document with another last name printed than its barcode or zone says: a forgery of the simple
// kind.
func WithOtherName(d Document, rng *rand.Rand) Document {
	other := d.Person.Last
	for other == d.Person.Last {
		other = pick(rng, lastNames())
	}
	return withPrinted(d, FieldLast, other)
}

// WithOtherFirstName is the document with another first name printed than its barcode or zone says.
func WithOtherFirstName(d Document, rng *rand.Rand) Document {
	names := femaleNames()
	if d.Person.Sex == Male {
		names = maleNames()
	}
	other := d.Person.First
	for other == d.Person.First || other == d.Person.Middle {
		other = pick(rng, names)
	}
	return withPrinted(d, FieldFirst, other)
}

// WithOtherNumber is the document with one digit of the number printed as another one, that no reader takes for it.
func WithOtherNumber(d Document, rng *rand.Rand) Document {
	return withPrinted(d, FieldNumber, otherDigit(d.Number, rng, func(string) bool { return true }))
}

// WithOtherBirthDate is the document with one digit of the birth date printed as another one, that no reader takes for it.
func WithOtherBirthDate(d Document, rng *rand.Rand) Document {
	return withPrinted(d, FieldBirthDate, otherDigit(d.Person.BirthDate, rng, func(value string) bool {
		born, err := time.Parse(time.DateOnly, value)
		return err == nil && born.Year() >= 1900 && withPrinted(d, FieldBirthDate, value).Validate() == nil
	}))
}

// WithOtherAddress is the document with another house number and street printed than its barcode says. Travel documents state
// none and stay as they are.
func WithOtherAddress(d Document, rng *rand.Rand) Document {
	if d.Type.travel() {
		return d
	}
	house, street, _ := strings.Cut(d.Person.Street, " ")
	other, number := street, house
	for other == street {
		other = pick(rng, streets())
	}
	for len(number) == len(house) && number[0] == house[0] {
		number = strconv.Itoa(2 + rng.IntN(9800))
	}
	return withPrinted(d, FieldStreet, number+" "+other)
}

// withPrinted is the document with a value printed, beside what is printed otherwise already.
func withPrinted(d Document, field Field, value string) Document {
	printed := maps.Clone(d.Printed)
	if printed == nil {
		printed = map[Field]string{}
	}
	printed[field] = value
	d.Printed = printed
	return d
}

// otherDigit exchanges one digit of the value so that the outcome is allowed; the value itself if there is no way in a thousand.
func otherDigit(value string, rng *rand.Rand, allowed func(string) bool) string {
	for range 1000 {
		other := []byte(value)
		at := rng.IntN(len(other))
		if other[at] < '0' || other[at] > '9' {
			continue
		}
		digits := unlike(other[at])
		other[at] = digits[rng.IntN(len(digits))]
		if allowed(string(other)) {
			return string(other)
		}
	}
	return value
}

// unlike are the digits that are never taken for this one, whatever the print and the light.
func unlike(digit byte) string {
	switch digit {
	case '0':
		return "1247"
	case '1':
		return "0235689"
	case '2':
		return "014569"
	case '3':
		return "1467"
	case '4':
		return "0235678"
	case '5':
		return "12478"
	case '6':
		return "12347"
	case '7':
		return "0345689"
	case '8':
		return "1247"
	}
	return "12567"
}

// Expired is the document moved back in time, so that it ran out some weeks before now.
func Expired(d Document, now time.Time) (Document, error) {
	if err := d.Validate(); err != nil {
		return d, err
	}
	issued, err := time.Parse(time.DateOnly, d.IssuedAt)
	if err != nil {
		return d, refuse(CodeFieldOutOfRange, string(FieldIssuedAt))
	}
	expires, err := time.Parse(time.DateOnly, d.ExpiresAt)
	if err != nil {
		return d, refuse(CodeFieldOutOfRange, string(FieldExpiresAt))
	}
	end := now.UTC().AddDate(0, 0, -40)
	d.ExpiresAt = end.Format(time.DateOnly)
	d.IssuedAt = end.Add(-expires.Sub(issued)).Format(time.DateOnly)
	return d, d.Validate()
}
