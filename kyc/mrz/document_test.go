package mrz

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var now = time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)

func TestCheckDigit(t *testing.T) {
	for text, want := range map[string]byte{
		"L898902C3": '6', "740812": '2', "120415": '9', "ZE184226B<<<<<": '1', "L00000000": '7', "": '0', "<<<<": '0',
		"L898902C36" + "7408122" + "1204159ZE184226B<<<<<1": '0',
	} {
		if got, ok := CheckDigit(text); !ok || got != want {
			t.Errorf("check digit of %q = %c %v, want %c", text, got, ok, want)
		}
	}
	for _, text := range []string{"a", "Ä", "1 2", "?"} {
		if _, ok := CheckDigit(text); ok {
			t.Errorf("%q has a check digit", text)
		}
	}
}

// The specimens of Doc 9303.
func TestSpecimens(t *testing.T) {
	eriksson := Document{
		Issuer: "UTO", Number: "D23145890", Nationality: "UTO", BirthDate: "1974-08-12", Sex: "F", ExpiresAt: "2012-04-15",
		Surname: "ERIKSSON", GivenNames: "ANNA MARIA", Type: "I",
	}
	for name, tc := range map[string]struct {
		lines  []string
		format Format
		change func(*Document)
	}{
		"passport": {
			[]string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}, TD3,
			func(d *Document) { d.Type, d.Number, d.Optional = "P", "L898902C3", "ZE184226B" }},
		"card": {
			[]string{"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"}, TD1,
			func(*Document) {}},
		"card of the middle size": {
			[]string{"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"}, TD2,
			func(*Document) {}},
		"card with a long number": {
			[]string{"I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"}, TD1,
			func(d *Document) {
				d.Number, d.Optional, d.BirthDate, d.ExpiresAt, d.Sex = "D23145890734", "7349", "1934-07-12", "1995-07-12", "M"
				d.Surname, d.GivenNames = "STEVENSON", "PETER JOHN"
			}},
		"visa": {
			[]string{"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"}, MRVA,
			func(d *Document) {
				d.Type, d.Number, d.Nationality, d.BirthDate, d.ExpiresAt = "V", "L8988901C", "XXX", "1940-09-07", "1996-12-10"
				d.Optional = "6ZE184226B"
			}},
	} {
		t.Run(name, func(t *testing.T) {
			want := eriksson
			tc.change(&want)
			got, err := Parse(tc.lines, now)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Valid || len(got.Repairs) != 0 || got.Format != tc.format || !slices.Equal(got.Lines, tc.lines) {
				t.Errorf("%s valid %v %v repairs %v", got.Format, got.Valid, got.CheckDigits, got.Repairs)
			}
			got.Format, got.Lines, got.Valid, got.CheckDigits, got.Repairs = "", nil, false, nil, nil
			want.Format = ""
			if !equalDocuments(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func equalDocuments(a, b Document) bool {
	key := func(d Document) []string {
		return []string{string(d.Format), d.Type, d.Issuer, d.Number, d.Nationality, d.BirthDate, d.Sex, d.ExpiresAt, d.Surname,
			d.GivenNames, d.Optional, d.Optional2}
	}
	return slices.Equal(key(a), key(b))
}

func TestRepairIsReportedAndOnlyIfConfirmed(t *testing.T) {
	good := []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}
	for name, tc := range map[string]struct {
		row      int
		from, to string
		valid    bool
		repairs  []Repair
	}{
		"letter in the birth date": {1, "7408122F", "74O8I22F", true, []Repair{
			{RepairCharacter, fieldBirth, 1, 15, "O", "0", true}, {RepairCharacter, fieldBirth, 1, 17, "I", "1", true}}},
		"letter for a check digit": {1, "7408122F", "740812ZF", true, []Repair{
			{RepairCharacter, fieldBirth, 1, 19, "Z", "2", true}}},
		"digit in the surname": {0, "ERIKSSON", "ER1K5SON", true, []Repair{
			{RepairCharacter, fieldNames, 0, 7, "1", "I", false}, {RepairCharacter, fieldNames, 0, 9, "5", "S", false}}},
		"letter for the composite": {1, "<<<<<10", "<<<<<1O", true, []Repair{
			{RepairCharacter, fieldComposite, 1, 43, "O", "0", true}}},
		"wrong check digit":                     {1, "7408122F", "7408125F", false, nil},
		"wrong birth date":                      {1, "7408122F", "7409122F", false, nil},
		"letter in a wrong birth date":          {1, "7408122F", "74O9122F", false, nil},
		"letter that is like no digit":          {1, "7408122F", "74A8122F", false, nil},
		"O for 0 where both may stand":          {1, "L898902C36", "L8989O2C36", false, nil},
		"letter that satisfies its check digit": {1, "7408122F", "7408B22F", false, nil},
		"letters in the fillers": {0, "<<<<<<<<<<<<<<<<<<<", "<<<<<<<<KK<<C<<<<<<", true, []Repair{
			{RepairFiller, fieldNames, 0, 33, "K", "<", false}, {RepairFiller, fieldNames, 0, 34, "K", "<", false},
			{RepairFiller, fieldNames, 0, 37, "C", "<", false}}},
		"fillers dropped": {0, "<<<<<<<<<<<<<<<<<<<", "<<<<<<<<<<<<<<<<<", true, []Repair{
			{RepairLength, "", 0, -1, "42", "44", false}}}, // no check digit covers the names
		"filler doubled": {1, "<<<<<10", "<<<<<<10", true, []Repair{
			{RepairLength, "", 1, -1, "45", "44", true}}},
		"a filler and a digit lost": {1, "6B<<<<<10", "6<<<<10", false, []Repair{
			{RepairLength, "", 1, -1, "42", "44", false}}},
	} {
		t.Run(name, func(t *testing.T) {
			lines := slices.Clone(good)
			lines[tc.row] = strings.Replace(lines[tc.row], tc.from, tc.to, 1)
			if lines[tc.row] == good[tc.row] {
				t.Fatal("the case does not change anything")
			}
			d, err := Parse(lines, now)
			if err != nil {
				t.Fatal(err)
			}
			if d.Valid != tc.valid || !slices.Equal(d.Repairs, tc.repairs) {
				t.Errorf("valid %v (%v), repairs %+v", d.Valid, d.CheckDigits, d.Repairs)
			}
			if tc.valid && !slices.Equal(d.Lines, good) {
				t.Errorf("lines %v", d.Lines)
			}
		})
	}
}

func TestNumberOfTheUnitedStatesIsTyped(t *testing.T) {
	lines, err := Compose(Document{
		Format: TD1, Type: "IP", Issuer: "USA", Number: "C01234580", Nationality: "USA", BirthDate: "1985-02-28", Sex: "F",
		ExpiresAt: "2031-02-28", Surname: "Castafiore", GivenNames: "Bianca",
	})
	if err != nil {
		t.Fatal(err)
	}
	read := slices.Clone(lines)
	read[0] = strings.Replace(read[0], "C01234580", "CO1Z34S8O", 1)
	d, err := Parse(read, now)
	if err != nil {
		t.Fatal(err)
	}
	if !d.Valid || d.Number != "C01234580" || len(d.Repairs) != 4 || !d.Repairs[0].Confirmed {
		t.Errorf("number %s valid %v repairs %v", d.Number, d.Valid, d.Repairs)
	}
}

func TestCentury(t *testing.T) {
	for _, tc := range []struct {
		zone, birth, expiry string
	}{
		{"740812", "1974-08-12", "1974-08-12"},
		{"260315", "2026-03-15", "2026-03-15"},
		{"260316", "1926-03-16", "2026-03-16"}, // born tomorrow: a hundred years old
		{"461231", "1946-12-31", "2046-12-31"},
		{"470101", "1947-01-01", "1947-01-01"}, // more than twenty years ahead
		{"000229", "2000-02-29", "2000-02-29"},
		{"010229", "", ""},
		{"85<<<<", "", ""},
		{"851301", "", ""},
		{"8510", "", ""},
	} {
		if got := birthDate(tc.zone, now); got != tc.birth {
			t.Errorf("birth %s = %q, want %q", tc.zone, got, tc.birth)
		}
		if got := expiryDate(tc.zone, now); got != tc.expiry {
			t.Errorf("expiry %s = %q, want %q", tc.zone, got, tc.expiry)
		}
	}
}

func TestFields(t *testing.T) {
	d := Document{
		Type: "P", Issuer: "D", Number: "C01X00T47", Nationality: "D", BirthDate: "1985-02-28", ExpiresAt: "2031-02-28",
		Surname: "CASTAFIORE", GivenNames: "BIANCA ROSINA MARIA",
	}
	want := map[string]string{
		"document_number": "C01X00T47", "last_name": "CASTAFIORE", "first_name": "BIANCA", "middle_name": "ROSINA MARIA",
		"birth_date": "1985-02-28", "expires_at": "2031-02-28", "gender": "unspecified", "issuing_country": "DEU",
		"nationality": "DEU",
	}
	if got := d.Fields(); !maps.Equal(got, want) {
		t.Errorf("fields %v, want %v", got, want)
	}
}

func TestParseText(t *testing.T) {
	page := "PASSPORT  UTOPIA\nSurname: ERIKSSON\nGiven names ANNA MARIA\nThis text is exactly forty-four columns wide.\n" +
		"P<UTOERIKSSON<<ANNA<MARIA<<<<< <<<<<<<<<<<<<<\r\nl898902c36uto7408122f1204159ze184226b‹‹‹‹‹10\n\nprinted by nobody\n"
	d, err := ParseText(page, now)
	if err != nil {
		t.Fatal(err)
	}
	if !d.Valid || d.Surname != "ERIKSSON" || d.Number != "L898902C3" {
		t.Errorf("%+v", d)
	}
	for _, text := range []string{"", "no zone here\nnor here\nnor there", strings.Repeat("A", 44) + "\n" + strings.Repeat("B", 44)} {
		_, err := ParseText(text, now)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeNotFound {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseTextRefusesEndlessText(t *testing.T) {
	_, err := ParseText(strings.Repeat("<\n", maxText), now)
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeTooLong {
		t.Errorf("error %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		lines []string
		code  Code
	}{
		"nothing":       {nil, CodeNotFound},
		"blank lines":   {[]string{" ", ""}, CodeNotFound},
		"one line":      {[]string{strings.Repeat("<", 44)}, CodeFormatUnknown},
		"far too short": {[]string{"P<UTO<<<", "L898902C3<<<"}, CodeFormatUnknown},
		"four lines":    {[]string{"A", "B", "C", "D"}, CodeFormatUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(tc.lines, now)
			var e *Error
			if !errors.As(err, &e) || e.Code != tc.code {
				t.Errorf("error %v, want %s", err, tc.code)
			}
		})
	}
}

func TestComposeRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Document)
		code   Code
		field  string
	}{
		"format":             {func(d *Document) { d.Format = "TD9" }, CodeFormatUnknown, ""},
		"French card":        {func(d *Document) { d.Format = FRID }, CodeFormatUnknown, ""},
		"French licence":     {func(d *Document) { d.Format = FRDL }, CodeFormatUnknown, ""},
		"Swiss licence":      {func(d *Document) { d.Format = CHDL }, CodeFormatUnknown, ""},
		"no type":            {func(d *Document) { d.Type = "" }, CodeFieldInvalid, fieldType},
		"visa in a passport": {func(d *Document) { d.Type = "V" }, CodeFieldInvalid, fieldType},
		"no number":          {func(d *Document) { d.Number = "" }, CodeFieldInvalid, fieldNumber},
		"long number in TD3": {func(d *Document) { d.Number = "1234567890" }, CodeFieldInvalid, fieldNumber},
		"number with a dot":  {func(d *Document) { d.Number = "12.4" }, CodeFieldInvalid, fieldNumber},
		"birth date":         {func(d *Document) { d.BirthDate = "28/02/1985" }, CodeFieldInvalid, fieldBirth},
		"sex":                {func(d *Document) { d.Sex = "W" }, CodeFieldInvalid, fieldSex},
		"issuer":             {func(d *Document) { d.Issuer = "U1O" }, CodeFieldInvalid, fieldIssuer},
		"optional too long":  {func(d *Document) { d.Optional = strings.Repeat("1", 15) }, CodeFieldInvalid, fieldOptional},
	} {
		t.Run(name, func(t *testing.T) {
			d := Document{
				Format: TD3, Type: "P", Issuer: "UTO", Number: "L898902C3", Nationality: "UTO", BirthDate: "1985-02-28", Sex: "F",
				ExpiresAt: "2031-02-28", Surname: "Castafiore", GivenNames: "Bianca",
			}
			if _, err := Compose(d); err != nil {
				t.Fatal(err)
			}
			tc.change(&d)
			_, err := Compose(d)
			var e *Error
			if !errors.As(err, &e) || e.Code != tc.code || e.Field != tc.field {
				t.Errorf("error %v, want %s %s", err, tc.code, tc.field)
			}
		})
	}
}

func TestTransliterate(t *testing.T) {
	for name, want := range map[string]string{
		"Müller-Lüdenscheidt": "MUELLER<LUEDENSCHEIDT", "O'Connor": "OCONNOR", "Łódź": "LODZ", "Ångström": "AANGSTROEM",
		"Weiß": "WEISS", "d’Artagnan": "DARTAGNAN", "Nuñez  García": "NUNEZ<GARCIA", "Đặng": "DANG", "Þór": "THOR", "李": "",
		"Mu\u0308ller": "MUELLER",
	} {
		if got := Transliterate(name); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}

// What Compose writes, Parse reads back, valid and without a repair.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom([]Format{TD1, TD2, TD3, MRVA, MRVB}).Draw(t, "format")
		kind := map[Format]string{TD1: "IP", TD2: "I", TD3: "P", MRVA: "V", MRVB: "V"}[format]
		day := func(name string, from, to int) string {
			start := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC)
			days := int(time.Date(to, 1, 1, 0, 0, 0, 0, time.UTC).Sub(start).Hours() / 24)
			return start.AddDate(0, 0, rapid.IntRange(0, days).Draw(t, name)).Format(time.DateOnly)
		}
		// Short enough for every format, and no given name that could pass for misread fillers.
		names := rapid.StringMatching(`[ABDF][A-Z]{1,4}( [ABDF][A-Z]{1,3}[ABDF])?`)
		longest := map[Format]int{TD1: 14, TD2: 12, TD3: 9, MRVA: 9, MRVB: 9}[format]
		number := rapid.StringMatching(`[A-Z1-9][A-Z0-9]{0,13}`).Draw(t, "number")
		d := Document{
			Format: format, Type: kind, Issuer: "UTO", Number: number[:min(len(number), longest)],
			Nationality: "UTO", BirthDate: day("birth", 1930, 2026), ExpiresAt: day("expiry", 1960, 2046),
			Sex:     rapid.SampledFrom([]string{"", "M", "F", "X"}).Draw(t, "sex"),
			Surname: names.Draw(t, "surname"), GivenNames: names.Draw(t, "given"),
		}
		lines, err := Compose(d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(lines, now)
		if err != nil {
			t.Fatal(err)
		}
		got.Optional = "" // a long number overflows into it
		if !got.Valid || len(got.Repairs) != 0 || !equalDocuments(got, d) {
			t.Fatalf("wrote %+v\nread  %+v\n%s", d, got, strings.Join(lines, "\n"))
		}
	})
}
