package aamva

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// licence is a payload by the book, of an invented person in an invented state.
func licence(t testing.TB) string {
	t.Helper()
	elements, err := Elements(map[string]string{
		"document_number": "K1234567", "ref_number": "0042ZZ", "last_name": "Castafiore", "first_name": "Bianca",
		"middle_name": "Rosina", "birth_date": "1985-02-28", "expires_at": "2031-02-28", "issued_at": "2025-01-09",
		"gender": "female", "street": "26 Opera Lane", "city": "Windhover", "state": "ZZ", "postal_code": "00042",
		"height": "68 in", "weight": "150 lb", "eye_color": "BRO", "hair_color": "BLN", "class": "D",
	})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := Compose(Card{
		IIN: SpecimenIIN, Version: 10, Subfile: "DL", Elements: elements, Jurisdiction: map[string]string{"ZZA": "01"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(payload)
}

func licenceFields() map[string]string {
	return map[string]string{
		"document_number": "K1234567", "ref_number": "0042ZZ", "last_name": "CASTAFIORE", "first_name": "BIANCA",
		"middle_name": "ROSINA", "birth_date": "1985-02-28", "expires_at": "2031-02-28", "issued_at": "2025-01-09",
		"gender": "female", "street": "26 OPERA LANE", "city": "WINDHOVER", "state": "ZZ", "postal_code": "00042",
		"issuing_country": "USA", "issuing_state": "ZZ", "height": "68 in", "weight": "150 lb", "eye_color": "BRO",
		"hair_color": "BLN", "class": "D",
	}
}

func mustParse(t *testing.T, payload string) Payload {
	t.Helper()
	p, err := Parse([]byte(payload))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return p
}

func TestByTheBook(t *testing.T) {
	p := mustParse(t, licence(t))
	if len(p.Repairs) != 0 || len(p.Errors) != 0 {
		t.Errorf("repairs %v, errors %v of a flawless payload", p.Repairs, p.Errors)
	}
	if got := p.Fields(); !maps.Equal(got, licenceFields()) {
		t.Errorf("fields\n%v\nwant\n%v", got, licenceFields())
	}
	if p.IIN != SpecimenIIN || p.Version != 10 || p.Subfile != "DL" || p.Jurisdiction["ZZA"] != "01" {
		t.Errorf("header %+v", p)
	}
}

// What real cards and readers do to a payload must change nothing but the repairs.
func TestDamage(t *testing.T) {
	good := licence(t)
	for name, tc := range map[string]struct {
		payload string
		repairs []Repair
	}{
		"wrong offset":            {strings.Replace(good, "DL0041", "DL0066", 1), []Repair{RepairOffsets}},
		"offset beyond the end":   {strings.Replace(good, "DL0041", "DL9999", 1), []Repair{RepairOffsets}},
		"line ends CR LF":         {strings.ReplaceAll(good, "\n", "\r\n"), []Repair{RepairCompliance, RepairOffsets}},
		"record separator lost":   {strings.Replace(good, "\x1e", "", 1), []Repair{RepairCompliance, RepairOffsets}},
		"old file type":           {strings.Replace(good, "ANSI ", "AAMVA", 1), []Repair{RepairFileType}},
		"no file type":            {strings.Replace(good, "ANSI ", "", 1), []Repair{RepairFileType, RepairOffsets}},
		"no compliance mark":      {good[4:], []Repair{RepairCompliance, RepairOffsets}},
		"byte order mark":         {"\ufeff" + good, nil},
		"junk before":             {"]L2" + good, []Repair{RepairLeadingBytes}},
		"junk behind":             {good + "8888888888\r", []Repair{RepairUnknownText}},
		"subfile mark lost":       {strings.Replace(good, "DLDCA", "DCA", 1), []Repair{RepairOffsets, RepairSubfileMark}},
		"pipes for line ends":     {strings.NewReplacer("\n", "|", "\r", "|", "\x1e", "|").Replace(good), []Repair{RepairCompliance, RepairOffsets, RepairSeparators}},
		"blanks for line ends":    {good[:4] + strings.NewReplacer("\n", " ", "\r", " ").Replace(good[4:]), []Repair{RepairOffsets, RepairSeparators}},
		"controls of C1":          {strings.ReplaceAll(good, "\n", "\u0090\n\u0090"), []Repair{RepairCompliance, RepairOffsets, RepairReplacedControls}},
		"element stands twice":    {good + "DACTINTIN\n", []Repair{RepairRepeatedElement}},
		"later version":           {strings.Replace(good, "6360991000", "6360991300", 1), []Repair{RepairFutureVersion}},
		"lines indented":          {strings.ReplaceAll(good, "\n", "\n  "), []Repair{RepairCompliance, RepairOffsets}},
		"ISO 8859-1, not UTF-8":   {good + "ZZB\xc9T\xc9\r", []Repair{RepairCharacterSet}},
		"empty repeated elements": {good + "DCS\nDAC\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.payload == good {
				t.Fatal("the case does not damage anything")
			}
			p := mustParse(t, tc.payload)
			if got := p.Fields(); !maps.Equal(got, licenceFields()) {
				t.Errorf("fields\n%v\nwant\n%v", got, licenceFields())
			}
			if !sameRepairs(p.Repairs, tc.repairs) {
				t.Errorf("repairs %v, want %v", p.Repairs, tc.repairs)
			}
		})
	}
}

func sameRepairs(a, b []Repair) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func TestRefused(t *testing.T) {
	good := licence(t)
	for name, tc := range map[string]struct {
		payload string
		code    Code
	}{
		"empty":           {"", CodeTooShort},
		"short":           {"ANSI 636099", CodeTooShort},
		"an address":      {"https://example.org/a/long/address/that/is/no/licence", CodeHeaderMissing},
		"header alone":    {good[:41], CodeElementsMissing},
		"a whole library": {strings.Repeat(good, 100), CodeTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(tc.payload))
			var e *Error
			if !errors.As(err, &e) || e.Code != tc.code {
				t.Errorf("error %v, want %s", err, tc.code)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	good := licence(t)
	for name, tc := range map[string]struct {
		payload string
		problem Problem
	}{
		"no number":         {strings.Replace(good, "DAQK1234567", "DAQ", 1), "element_missing:DAQ"},
		"no birth date":     {strings.Replace(good, "DBB02281985", "DBB00000000", 1), "element_invalid:DBB"},
		"thirtieth of Feb.": {strings.Replace(good, "DBB02281985", "DBB02301985", 1), "element_invalid:DBB"},
		"unassigned IIN":    {strings.Replace(good, "636099", "636098", 1), ProblemIssuerUnknown},
		"another state":     {strings.Replace(good, "DAJZZ", "DAJVA", 1), ProblemIssuerMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			if p := mustParse(t, tc.payload); !slices.Equal(p.Errors, []Problem{tc.problem}) {
				t.Errorf("errors %v, want %v", p.Errors, tc.problem)
			}
		})
	}
}

func TestElementsMeaning(t *testing.T) {
	for name, tc := range map[string]struct {
		elements map[string]string
		version  int
		want     map[string]string
	}{
		"whole name of version 1": {map[string]string{"DAA": "HADDOCK,ARCHIBALD,NMN,III"}, 1,
			map[string]string{"last_name": "HADDOCK", "first_name": "ARCHIBALD", "middle_name": "", "name_suffix": "III"}},
		"whole name, two parts": {map[string]string{"DAA": "HADDOCK,ARCHIBALD"}, 1,
			map[string]string{"last_name": "HADDOCK", "first_name": "ARCHIBALD", "middle_name": ""}},
		"given names by commas": {map[string]string{"DCS": "HADDOCK", "DCT": "ARCHIBALD,JAMES, PAUL"}, 3,
			map[string]string{"first_name": "ARCHIBALD", "middle_name": "JAMES PAUL"}},
		"given names by blanks": {map[string]string{"DCS": "HADDOCK", "DCT": "ARCHIBALD J"}, 3,
			map[string]string{"first_name": "ARCHIBALD", "middle_name": "J"}},
		"a given name and a middle name": {map[string]string{"DCT": "ARCHIBALD", "DAD": "JAMES"}, 2,
			map[string]string{"first_name": "ARCHIBALD", "middle_name": "JAMES"}},
		"no middle name":         {map[string]string{"DAC": "ARCHIBALD", "DAD": "NONE"}, 8, map[string]string{"middle_name": ""}},
		"Canadian date":          {map[string]string{"DBB": "19820617", "DCG": "CAN"}, 9, map[string]string{"birth_date": "1982-06-17"}},
		"American date":          {map[string]string{"DBB": "06171982", "DCG": "USA"}, 9, map[string]string{"birth_date": "1982-06-17"}},
		"date with a tail":       {map[string]string{"DBB": "06171982M"}, 9, map[string]string{"birth_date": "1982-06-17"}},
		"never expires":          {map[string]string{"DBA": "99999999"}, 9, map[string]string{"expires_at": ""}},
		"feet and inches":        {map[string]string{"DAU": "509"}, 1, map[string]string{"height": "69 in"}},
		"inches":                 {map[string]string{"DAU": "069 in"}, 8, map[string]string{"height": "69 in"}},
		"centimetres":            {map[string]string{"DAU": "175 CM"}, 9, map[string]string{"height": "175 cm"}},
		"centimetres, Canada":    {map[string]string{"DAU": "175", "DCG": "CAN"}, 9, map[string]string{"height": "175 cm"}},
		"kilograms":              {map[string]string{"DAX": "073"}, 9, map[string]string{"weight": "73 kg"}},
		"weight range":           {map[string]string{"DCE": "3"}, 3, map[string]string{"weight": "131-160 lb"}},
		"full ZIP code":          {map[string]string{"DAK": "123456789"}, 9, map[string]string{"postal_code": "12345-6789"}},
		"Canadian postal code":   {map[string]string{"DAK": "K1A 0B1    "}, 9, map[string]string{"postal_code": "K1A 0B1"}},
		"second street line":     {map[string]string{"DAG": "26 OPERA LANE", "DAH": "APT 3"}, 9, map[string]string{"street": "26 OPERA LANE APT 3"}},
		"no second street line":  {map[string]string{"DAG": "26 OPERA LANE", "DAH": "NONE"}, 9, map[string]string{"street": "26 OPERA LANE"}},
		"unspecified gender":     {map[string]string{"DBC": "9"}, 9, map[string]string{"gender": "unspecified"}},
		"garbled gender":         {map[string]string{"DBC": "7"}, 9, map[string]string{"gender": ""}},
		"issuer before address":  {map[string]string{"DAJ": "CA"}, 9, map[string]string{"issuing_state": "ZZ", "state": "CA"}},
		"restrictions of old":    {map[string]string{"DAR": "C", "DAS": "B", "DAT": "M"}, 1, map[string]string{"class": "C", "restrictions": "B", "endorsements": "M"}},
		"inventory number stays": {map[string]string{"DCK": "INV1"}, 9, map[string]string{"ref_number": "INV1"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Payload{IIN: SpecimenIIN, Version: tc.version, Elements: tc.elements}.Fields()
			for k, want := range tc.want {
				if got[k] != want {
					t.Errorf("%s = %q, want %q", k, got[k], want)
				}
			}
		})
	}
}

func TestTruncated(t *testing.T) {
	p := Payload{Elements: map[string]string{"DDE": "T", "DDF": "N", "DDG": "U"}}
	if got := p.Truncated(); !maps.Equal(got, map[string]bool{"last_name": true, "first_name": false}) {
		t.Errorf("truncated %v", got)
	}
}

func TestComposeRefuses(t *testing.T) {
	ok := func() Card {
		return Card{IIN: SpecimenIIN, Version: 10, Subfile: "ID", Elements: map[string]string{"DAQ": "K1"}}
	}
	for name, tc := range map[string]struct {
		change func(*Card)
		field  string
	}{
		"IIN":                   {func(c *Card) { c.IIN = "63609" }, "iin"},
		"version":               {func(c *Card) { c.Version = 1 }, "version"},
		"subfile":               {func(c *Card) { c.Subfile = "XX" }, "subfile"},
		"no elements":           {func(c *Card) { c.Elements = nil }, "elements"},
		"line end in a value":   {func(c *Card) { c.Elements["DAC"] = "A\nDAQK2" }, "DAC"},
		"id of two letters":     {func(c *Card) { c.Elements["DA"] = "A" }, "DA"},
		"two issuers' elements": {func(c *Card) { c.Jurisdiction = map[string]string{"ZZA": "1", "ZYA": "1"} }, ""},
		"endless value":         {func(c *Card) { c.Elements["DAC"] = strings.Repeat("A", 9000) }, "length"},
	} {
		t.Run(name, func(t *testing.T) {
			c := ok()
			if _, err := Compose(c); err != nil {
				t.Fatal(err)
			}
			tc.change(&c)
			_, err := Compose(c)
			var e *Error
			if !errors.As(err, &e) || (tc.field != "" && e.Field != tc.field) {
				t.Errorf("error %v, want field %s", err, tc.field)
			}
		})
	}
}

// What Compose writes, Parse reads without a repair.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.StringMatching(`[A-Z0-9][A-Z0-9 .'\-]{0,20}[A-Z0-9]`)
		ids := rapid.StringMatching(`D[A-D][A-Z]`)
		card := Card{
			IIN:     rapid.StringMatching(`6[0-9]{5}`).Draw(t, "iin"),
			Version: rapid.IntRange(2, 12).Draw(t, "version"), JurisdictionVersion: rapid.IntRange(0, 99).Draw(t, "own version"),
			Subfile:  rapid.SampledFrom([]string{"DL", "ID"}).Draw(t, "subfile"),
			Elements: rapid.MapOfN(ids, values, fewElements, 25).Draw(t, "elements"),
		}
		own := rapid.StringMatching(`Z[A-Z]`).Draw(t, "own subfile")
		card.Jurisdiction = map[string]string{}
		for _, c := range rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Z]`), 0, 5, rapid.ID[string]).Draw(t, "own elements") {
			card.Jurisdiction[own+c] = values.Draw(t, "own value")
		}
		payload, err := Compose(card)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(payload)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(p.Elements, card.Elements) || !maps.Equal(p.Jurisdiction, card.Jurisdiction) || len(p.Repairs) != 0 {
			t.Fatalf("read back %+v\nwritten %+v", p, card)
		}
		if p.IIN != card.IIN || p.Version != card.Version || p.JurisdictionVersion != card.JurisdictionVersion || p.Subfile != card.Subfile {
			t.Fatalf("header %+v\nwritten %+v", p, card)
		}
	})
}
