package specimen

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestMismatchesChangeOnePrintedField(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	differing := func(a, b string) (n int) {
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				n++
			}
		}
		return n + max(len(a), len(b)) - min(len(a), len(b))
	}
	for name, m := range map[string]struct {
		plant func(Document, *rand.Rand) Document
		field Field
		most  int // characters that differ
	}{
		"last name": {WithOtherName, FieldLast, 40}, "first name": {WithOtherFirstName, FieldFirst, 40}, "number": {WithOtherNumber, FieldNumber, 1},
		"birth date": {WithOtherBirthDate, FieldBirthDate, 1}, "address": {WithOtherAddress, FieldStreet, 40},
	} {
		for seed := range uint64(200) {
			rng := rand.New(rand.NewPCG(seed, 3))
			kind := Types()[seed%4]
			d := RandomDocument(rng, kind, RandomPerson(rng, now), now)
			planted := m.plant(d, rng)
			if kind.travel() && m.field == FieldStreet {
				if len(planted.Printed) > 0 {
					t.Errorf("%s: a %s has no street", name, kind)
				}
				continue
			}
			seen, err := planted.visible()
			if err != nil {
				t.Fatal(err)
			}
			said, shown := *d.place(m.field), *seen.place(m.field)
			if n := differing(said, shown); n < 1 || n > m.most {
				t.Errorf("%s, seed %d: %q is printed as %q", name, seed, said, shown)
			}
			if err := planted.Validate(); err != nil {
				t.Errorf("%s, seed %d: %v", name, seed, err)
			}
			if len(planted.Printed) != 1 || len(d.Printed) != 0 {
				t.Errorf("%s, seed %d: printed %v, before %v", name, seed, planted.Printed, d.Printed)
			}
		}
	}
}
