package specimen

import (
	"math/rand/v2"
	"time"
)

// WithOtherName is the document with another last name printed than its barcode or zone says: a forgery of the simple
// kind.
func WithOtherName(d Document, rng *rand.Rand) Document {
	other := d.Person.Last
	for other == d.Person.Last {
		other = pick(rng, lastNames())
	}
	printed := map[Field]string{FieldLast: other}
	for field, value := range d.Printed {
		if field != FieldLast {
			printed[field] = value
		}
	}
	d.Printed = printed
	return d
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
