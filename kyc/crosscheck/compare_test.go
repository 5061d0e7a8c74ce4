package crosscheck

import (
	"maps"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// tolerance is the default of the weights for all document types.
const tolerance = 0.75

func bianca() map[string]string {
	return map[string]string{
		"last_name": "Castafiore", "first_name": "Bianca", "middle_name": "Rosina", "document_number": "K1234567",
		"birth_date": "1985-02-28", "expires_at": "2031-02-28", "gender": "female", "street": "26 Opera Lane",
		"city": "Windhover", "state": "ZZ", "postal_code": "00042",
	}
}

func with(changes ...string) map[string]string {
	m := bianca()
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			delete(m, changes[i])
		} else {
			m[changes[i]] = changes[i+1]
		}
	}
	return m
}

func flag(b *bool) string {
	switch {
	case b == nil:
		return "-"
	case *b:
		return "+"
	}
	return "!"
}

// flags writes number, name, address, birth date as + agrees, ! contradicts, - not compared.
func flags(m Match) string {
	return flag(m.Number) + flag(m.Name) + flag(m.Address) + flag(m.BirthDate)
}

func TestCompare(t *testing.T) {
	for name, tc := range map[string]struct {
		printed, encoded map[string]string
		flags            string
		low, high        float64 // bounds of the whole similarity
	}{
		"the same":                     {bianca(), bianca(), "++++", 1, 1},
		"capitals":                     {bianca(), with("last_name", "CASTAFIORE", "first_name", "BIANCA", "street", "26 OPERA LANE"), "++++", 1, 1},
		"hyphen and apostrophe":        {with("last_name", "O’Hara-Smith"), with("last_name", "OHARA SMITH"), "++++", 1, 1},
		"umlaut dropped":               {with("last_name", "Müller"), with("last_name", "MULLER"), "++++", 1, 1},
		"umlaut spelled out":           {with("last_name", "Müller"), with("last_name", "MUELLER"), "++++", 1, 1},
		"names exchanged":              {with("last_name", "Bianca", "first_name", "Castafiore"), bianca(), "++++", 0.94, 0.99},
		"middle name in first name":    {with("first_name", "Bianca Rosina", "middle_name", ""), bianca(), "++++", 0.8, 1},
		"middle name missing":          {with("middle_name", ""), bianca(), "++++", 1, 1},
		"middle initial":               {with("middle_name", "R."), bianca(), "++++", 0.85, 1},
		"long name cut off":            {with("last_name", "Featherstonehaugh"), with("last_name", "FEATHERSTONE"), "++++", 0.85, 1},
		"second surname missing":       {with("last_name", "Garcia Lopez"), with("last_name", "GARCIA"), "++++", 0.8, 1},
		"words written together":       {with("last_name", "De la Cruz"), with("last_name", "DELACRUZ"), "++++", 1, 1},
		"readers' errors":              {with("last_name", "CA5TAF1ORE", "first_name", "8IANCA", "document_number", "KI23456 7"), bianca(), "++++", 0.9, 1},
		"RN for M":                     {with("last_name", "Sumner"), with("last_name", "SURNNER"), "++++", 0.85, 1},
		"a letter dropped":             {with("last_name", "Castafire"), bianca(), "++++", 0.9, 1},
		"other surname":                {bianca(), with("last_name", "HADDOCK"), "+!++", 0, 0.3},
		"other first name":             {bianca(), with("first_name", "BARBARA"), "+!++", 0, 0.3},
		"other short first name":       {with("first_name", "Anna"), with("first_name", "EMMA"), "+!++", 0, 0.4},
		"first name of the sister":     {with("first_name", "Maria"), with("first_name", "MARIE"), "+!++", 0.5, 0.74},
		"name of two words, one other": {with("last_name", "Garcia Lopez"), with("last_name", "GARCIA MENDEZ"), "+!++", 0, 0.74},
		"other middle name":            {bianca(), with("middle_name", "JAMES"), "+!++", 0, 0.4},
		"other number":                 {bianca(), with("document_number", "K7654321"), "!+++", 0, 0.5},
		"one digit other":              {with("document_number", "K1234563"), with("document_number", "K1234569"), "!+++", 0.6, 0.74},
		"one digit misread":            {with("document_number", "K1234563"), with("document_number", "K1234568"), "++++", 0.9, 1},
		"other birth date":             {bianca(), with("birth_date", "1975-06-11"), "+++!", 0, 0},
		"day and month exchanged":      {with("birth_date", "1985-02-08"), with("birth_date", "1985-08-02"), "+++!", 0.6, 0.6},
		"birth date misread":           {with("birth_date", "1985-02-23"), bianca(), "++++", 0.8, 0.8},
		"street abbreviated":           {with("street", "26 N. Opera Street, Apt. 3"), with("street", "26 NORTH OPERA ST APT 3"), "++++", 1, 1},
		"number sign":                  {with("street", "26 Opera Lane #3"), with("street", "26 OPERA LN APT 3"), "++++", 1, 1},
		"other house number":           {bianca(), with("street", "99 OPERA LANE"), "++!+", 0.9, 0.99},
		"other street":                 {bianca(), with("street", "26 MARLINSPIKE HALL"), "++!+", 0.8, 0.99},
		"moved to another city":        {bianca(), with("city", "SYLDAVIA"), "++!+", 0.8, 0.99},
		"longer postal code":           {bianca(), with("postal_code", "00042-1234"), "++++", 1, 1},
		"last name not read":           {with("last_name", ""), bianca(), "+-++", 1, 1},
		"first name not read":          {with("first_name", ""), bianca(), "+-++", 1, 1},
		"first name alone, and other":  {with("last_name", "", "first_name", "Irma"), bianca(), "+!++", 0, 0.3},
		"both names in one line":       {with("first_name", "", "middle_name", "", "last_name", "Castafiore Bianca Rosina"), bianca(), "++++", 0.75, 1},
		"one name only":                {with("first_name", "", "middle_name", ""), with("first_name", "", "middle_name", ""), "++++", 1, 1},
		"number not printed":           {with("document_number", ""), bianca(), "-+++", 1, 1},
		"MRZ has no address":           {bianca(), map[string]string{"last_name": "CASTAFIORE", "first_name": "BIANCA", "document_number": "K1234567", "birth_date": "1985-02-28"}, "++-+", 1, 1},
		"birth date unreadable":        {with("birth_date", "28 02 19B5"), bianca(), "+++-", 1, 1},
		"nothing in common":            {map[string]string{"last_name": "X"}, map[string]string{"city": "Y"}, "----", 0, 0},
		"nothing at all":               {nil, nil, "----", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, direction := range []string{"printed to encoded", "encoded to printed"} {
				r := Compare(tc.printed, tc.encoded)
				if direction == "encoded to printed" {
					r = Compare(tc.encoded, tc.printed)
				}
				if got := flags(r.Match(tolerance)); got != tc.flags {
					t.Errorf("%s: number, name, address, birth %s, want %s\n%+v", direction, got, tc.flags, r.Fields)
				}
				if r.Similarity < tc.low || r.Similarity > tc.high {
					t.Errorf("%s: similarity %.3f, want %.2f to %.2f\n%+v", direction, r.Similarity, tc.low, tc.high, r.Fields)
				}
				if compared := strings.Trim(tc.flags, "-") != ""; r.Compared != compared {
					t.Errorf("%s: compared %v", direction, r.Compared)
				}
			}
		})
	}
}

// Names that the encoded side had no room for.
func TestCutNames(t *testing.T) {
	for name, tc := range map[string]struct {
		printed, encoded map[string]string
		cut              map[string]bool
		agrees           bool
	}{
		"cut, and the card says so": {with("last_name", "Castafiore"), with("last_name", "CASTA"), map[string]bool{"last_name": true}, true},
		"cut, and the card denies":  {with("last_name", "Castafiore"), with("last_name", "CASTA"), map[string]bool{"last_name": false}, false},
		"another name that was cut": {with("last_name", "Haddock"), with("last_name", "CASTA"), map[string]bool{"last_name": true}, false},
		"cut, and swapped by the reader": {with("last_name", "Bianca", "first_name", "Castafiore"), with("last_name", "CASTA"),
			map[string]bool{"last_name": true}, true},
		"the end of a passport's 39 columns": {
			map[string]string{"last_name": "Castafiore-Rastapopoulos", "first_name": "Bianca", "middle_name": "Rosina Marlinspike"},
			map[string]string{"last_name": "CASTAFIORE RASTAPOPOULOS", "first_name": "BIANCA", "middle_name": "ROSIN"}, nil, true},
		"a card's 30 columns leave one letter": {
			map[string]string{"last_name": "Castafiore-Rastapopoulos-Alcazar", "first_name": "Bianca"},
			map[string]string{"last_name": "CASTAFIORE RASTAPOPOULOS AL", "first_name": "B"}, nil, true},
		"another one of that letter's length": {
			map[string]string{"last_name": "Castafiore-Rastapopoulos-Alcazar", "first_name": "Irma"},
			map[string]string{"last_name": "CASTAFIORE RASTAPOPOULOS AL", "first_name": "B"}, nil, false},
		"room was left in the zone": {
			map[string]string{"last_name": "Castafiore", "first_name": "Bianca"}, map[string]string{"last_name": "CASTAFIORE", "first_name": "BIA"}, nil, false},
	} {
		m := CompareCut(tc.printed, tc.encoded, tc.cut).Match(tolerance)
		if m.Name == nil || *m.Name != tc.agrees {
			t.Errorf("%s: name %s", name, flag(m.Name))
		}
	}
}

// A long number does not hide a digit that was altered, and a like one is a reader's error in a short one too.
func TestNumbersOfAnyLength(t *testing.T) {
	for _, number := range []string{"1234", "12345678", "K12345678", "D1234567890123456"} {
		like, other := number[:3]+"8"+number[4:], number[:3]+"0"+number[4:]
		base := number[:3] + "3" + number[4:]
		for planted, agrees := range map[string]bool{like: true, other: false} {
			m := Compare(map[string]string{"document_number": planted}, map[string]string{"document_number": base}).Match(tolerance)
			if m.Number == nil || *m.Number != agrees {
				t.Errorf("%s against %s: %s", planted, base, flag(m.Number))
			}
		}
	}
}

func TestIssuingState(t *testing.T) {
	for name, tc := range map[string]struct {
		printed, encoded map[string]string
		want             FieldMatch
	}{
		"agrees":              {map[string]string{"state": "va"}, map[string]string{"issuing_state": "VA", "state": "VA"}, FieldMatch{"issuing_state", "VA", "VA", 1, true}},
		"not printed":         {nil, map[string]string{"issuing_state": "VA", "state": "VA"}, FieldMatch{"issuing_state", "VA", "VA", 1, true}},
		"misread":             {map[string]string{"state": "VJ"}, map[string]string{"issuing_state": "VA"}, FieldMatch{"issuing_state", "VJ", "VA", misreadState, true}},
		"a passport has none": {map[string]string{"last_name": "X"}, map[string]string{"last_name": "X"}, FieldMatch{Field: "issuing_state"}},
	} {
		if got := IssuingState(tc.printed, tc.encoded); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
	if got := IssuingState(map[string]string{"state": "MD"}, map[string]string{"issuing_state": "MA"}); !got.Compared || got.Similarity >= tolerance {
		t.Errorf("another state: %+v", got)
	}
}

func TestAge(t *testing.T) {
	day := func(s string) time.Time {
		parsed, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed.Add(13 * time.Hour)
	}
	for _, tc := range []struct {
		birth, now string
		years      int
		known      bool
	}{
		{"1985-02-28", "2026-02-27", 40, true}, {"1985-02-28", "2026-02-28", 41, true}, {"2000-02-29", "2026-02-28", 25, true},
		{"2000-02-29", "2026-03-01", 26, true}, {"2000-02-29", "2024-02-29", 24, true}, {"2026-01-02", "2026-01-02", 0, true},
		{"2026-01-02", "2026-01-01", 0, false}, {"1985-02-30", "2026-01-01", 0, false}, {"", "2026-01-01", 0, false},
	} {
		if years, known := Age(tc.birth, day(tc.now)); years != tc.years || known != tc.known {
			t.Errorf("born %s, on %s: %d, %v", tc.birth, tc.now, years, known)
		}
	}
}

func TestEvidenceIsNormalised(t *testing.T) {
	r := Compare(with("last_name", "O’Hára"), with("last_name", "HADDOCK"))
	if m := r.Fields[0]; m.Field != "last_name" || m.Printed != "OHARA" || m.Encoded != "HADDOCK" || !m.Compared {
		t.Errorf("%+v", m)
	}
}

func TestEndlessFieldsEnd(t *testing.T) {
	long := strings.Repeat("A 1 É ", 100_000)
	fields := with("last_name", long, "street", long, "document_number", long)
	if r := Compare(fields, fields); r.Similarity != 1 || len(r.Fields[0].Printed) > 2*maxCompared {
		t.Errorf("similarity %v, %d characters kept", r.Similarity, len(r.Fields[0].Printed))
	}
}

func TestMerge(t *testing.T) {
	got := Merge(
		map[string]string{"last_name": "CASTAFIORE", "middle_name": " ", "city": ""},
		map[string]string{"last_name": "Castafiorc", "middle_name": "Rosina"},
		map[string]string{"city": "Windhover", "middle_name": "R"},
	)
	want := map[string]string{"last_name": "CASTAFIORE", "middle_name": "Rosina", "city": "Windhover"}
	if !maps.Equal(got, want) {
		t.Errorf("merged %v, want %v", got, want)
	}
	if got := Merge(); got == nil || len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// A similarity is a number in [0,1], the same in both directions, and 1 of a thing with itself.
func TestSimilarityIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.StringMatching(`[A-Z0-9]{0,12}`), rapid.StringMatching(`[A-Z]{2,6}( [A-Z]{2,6})?`))
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		x, y := similarity(a, b, wordCosts()), similarity(b, a, wordCosts())
		if math.Abs(x-y) > 1e-12 || x < 0 || x > 1 || (a == b) != (x == 1) {
			t.Fatalf("similarity of %q and %q is %v, the other way %v", a, b, x, y)
		}
	})
}

func FuzzCompare(f *testing.F) {
	f.Add("Castafiore", "HADDOCK", "1985-02-28", "26 Opera Lane #3")
	f.Add("\xff\xfe", "", "'", ".")
	f.Add("Ü", "ß李", "00000000", "''' . ''")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		r := Compare(
			map[string]string{"last_name": a, "first_name": b, "birth_date": c, "street": d, "document_number": a, "name_suffix": c},
			map[string]string{"last_name": b, "first_name": a, "birth_date": d, "street": c, "document_number": d, "postal_code": b},
		)
		if !(r.Similarity >= 0 && r.Similarity <= 1) {
			t.Errorf("similarity %v", r.Similarity)
		}
		for _, m := range r.Fields {
			if !(m.Similarity >= 0 && m.Similarity <= 1) || !utf8.ValidString(m.Printed+m.Encoded) {
				t.Errorf("%+v", m)
			}
		}
		r.Match(0.5)
	})
}
