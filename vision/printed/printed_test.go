package printed

import (
	"strings"
	"testing"
	"time"

	"kycd/vision"
)

// layout makes words of a drawing: each row is a line of the document, a letter is 10 pixels wide, a row 40 high.
func layout(rows ...string) []vision.Word {
	var words []vision.Word
	for y, row := range rows {
		for x := 0; x < len(row); {
			if row[x] == ' ' {
				x++
				continue
			}
			end := x
			for end < len(row) && row[end] != ' ' {
				end++
			}
			words = append(words, vision.Word{
				Text: row[x:end], Confidence: 0.9, Line: len(words), // sparse readers number every word
				Box: vision.Box{X: 10 * x, Y: 40 * y, Width: 10*(end-x) - 2, Height: 22},
			})
			x = end
		}
	}
	return words
}

func TestFields(t *testing.T) {
	cases := map[string]struct {
		rows []string
		want map[string]string
	}{
		"licence with field numbers": {
			rows: []string{
				"STATE OF NOWHERE            DRIVER LICENSE",
				"        4d DLN Q123-4567-890    4b EXP 07/04/2030",
				"        3 DOB 02/29/1988        4a ISS 07/04/2022",
				"        1 LAST NAME O'FABLE-TALE JR",
				"        2 FIRST/MIDDLE ROWAN ALDER QUILL",
				"        8 ADDRESS 12 1/2 PAPER MOON LN APT 4",
				"                  INKWELL BAY, ZZ 00042-0007",
				"        15 SEX F   16 HGT 5'-07\"   17 WGT 140 lb",
				"        18 EYES BLU   19 HAIR BRO",
				"        9 CLASS D     12 REST A    9a END NONE",
				"        5 DD 00012345ABCDE99",
			},
			want: map[string]string{
				DocumentType: "driver_license", DocumentNumber: "Q123-4567-890", ExpiresAt: "2030-07-04", BirthDate: "1988-02-29",
				IssuedAt: "2022-07-04", LastName: "O'FABLE-TALE", NameSuffix: "JR", FirstName: "ROWAN", MiddleName: "ALDER QUILL",
				Street: "12 1/2 PAPER MOON LN APT 4", City: "INKWELL BAY", State: "ZZ", PostalCode: "00042-0007",
				Gender: "female", Height: "67 in", Weight: "140 lb", EyeColor: "BLU", HairColor: "BRO",
				Class: "D", Restrictions: "A", Endorsements: "NONE", RefNumber: "00012345ABCDE99",
			},
		},
		"labels misread": {
			rows: []string{
				"4dDtNn K607138331",
				"17 wcT 155 Ib    9cLAsSs D   12REST B",
				"s8ADDRESS 9 HOLLOW RD",
				"          MOTH, ZZ 00011",
				"3D0B 12/01/1990  4bExP 01/02/2031",
			},
			want: map[string]string{
				DocumentNumber: "K607138331", Weight: "155 lb", Class: "D", Restrictions: "B", Street: "9 HOLLOW RD",
				City: "MOTH", State: "ZZ", PostalCode: "00011", BirthDate: "1990-12-01", ExpiresAt: "2031-01-02",
			},
		},
		"numbers without words": {
			rows: []string{
				"WEST VIRGINIA IDENTIFICATION CARD",
				"4d 777000111     3 DOB 03/04/1975",
				"4a 01/01/2020    4b 01/01/2028",
			},
			want: map[string]string{
				DocumentType: "identification_card", IssuingState: "WV", DocumentNumber: "777000111",
				BirthDate: "1975-03-04", IssuedAt: "2020-01-01", ExpiresAt: "2028-01-01",
			},
		},
		"passport page": {
			rows: []string{
				"PASSPORT                     REPUBLIC OF UTOPIA",
				"Type   Code        Passport No.",
				"P      UTO         K60713833",
				"Surname",
				"RUMBLE DORE",
				"Given names",
				"ARABELLA CLEMENTINE",
				"Nationality        Sex",
				"UTOPIA             F",
				"Date of birth      Place of birth",
				"12 JUL 1964        LANTERN BAY",
				"Date of issue      Authority",
				"18 DEC 2023        PASSPORT OFFICE",
				"Date of expiry",
				"17DEC 2033",
			},
			want: map[string]string{
				DocumentType: "passport", DocumentNumber: "K60713833", IssuingCountry: "UTO", LastName: "RUMBLE DORE",
				FirstName: "ARABELLA", MiddleName: "CLEMENTINE", Nationality: "UTOPIA", Gender: "female", BirthDate: "1964-07-12",
				BirthPlace: "LANTERN BAY", IssuedAt: "2023-12-18", ExpiresAt: "2033-12-17",
			},
		},
		"dates without labels": {
			rows: []string{"ID CARD", "05/06/2021   11/12/1980   05/06/2029"},
			want: map[string]string{DocumentType: "identification_card", BirthDate: "1980-11-12", ExpiresAt: "2029-05-06"},
		},
		"labels of other issuers": {
			rows: []string{
				"CALIFORNIA                 DRIVER LICENSE",
				"DL I1234568        CLASS C",
				"EXP 08/31/2029     END NONE",
				"LN FABLE",
				"FN ROWAN ALDER",
				"2570 24TH STREET",
				"ANYTOWN, CA 95818",
				"DOB 08/31/1977     RSTR NONE",
				"SEX F    HAIR BRN    EYES BRN",
				"HGT 5'-05\"   WGT 125 lb   ISS 08/31/2024",
				"DD 00012345ABCD",
			},
			want: map[string]string{
				DocumentType: "driver_license", IssuingState: "CA", DocumentNumber: "I1234568", Class: "C", ExpiresAt: "2029-08-31", Endorsements: "NONE",
				LastName: "FABLE", FirstName: "ROWAN", MiddleName: "ALDER", City: "ANYTOWN", State: "CA", PostalCode: "95818",
				BirthDate: "1977-08-31", Restrictions: "NONE", Gender: "female", HairColor: "BRN", EyeColor: "BRN", Height: "65 in",
				Weight: "125 lb", IssuedAt: "2024-08-31", RefNumber: "00012345ABCD",
			},
		},
		"names by their numbers, LIC#": {
			rows: []string{
				"NEVADA DRIVER LICENSE",
				"LIC# 0002102201    DOB: 04/21/1965",
				"1 QUILL",
				"2 JUNIPER FERN",
				"8 ADDRESS 12 OWL CT",
				"          MOTH, NV 89701",
				"ISSUED: 04/10/2023    EXPIRES: 04/21/2031",
			},
			want: map[string]string{
				DocumentType: "driver_license", IssuingState: "NV", DocumentNumber: "0002102201", BirthDate: "1965-04-21", LastName: "QUILL",
				FirstName: "JUNIPER", MiddleName: "FERN", Street: "12 OWL CT", City: "MOTH", State: "NV", PostalCode: "89701",
				IssuedAt: "2023-04-10", ExpiresAt: "2031-04-21",
			},
		},
		"one label for the whole name": {
			rows: []string{"IDENTIFICATION CARD", "ID NO: 990-001-223", "NAME: FABLE, ROWAN ALDER", "BIRTHDATE 1990-12-01"},
			want: map[string]string{
				DocumentType: "identification_card", DocumentNumber: "990-001-223", LastName: "FABLE", FirstName: "ROWAN", MiddleName: "ALDER",
				BirthDate: "1990-12-01",
			},
		},
		"a whole name in an unknown order": {
			rows: []string{"IDENTIFICATION CARD", "NAME ROWAN FABLE"},
			want: map[string]string{DocumentType: "identification_card"},
		},
		"passport in two languages": {
			rows: []string{
				"PASSPORT / PASSEPORT         REPUBLIC OF UTOPIA",
				"Type/Type     Passport No./No. du passeport",
				"P             AB123456",
				"Surname/Nom",
				"MARTINEAU",
				"Given names/Prénoms",
				"SARAH JUNE",
				"Nationality/Nationalité",
				"UTOPIAN",
				"Date of birth/Date de naissance",
				"01 JAN/JAN 1990",
				"Sex/Sexe      Place of birth/Lieu de naissance",
				"F             LANTERN BAY",
				"Date of issue/Date de délivrance",
				"14 MAI/MAY 2023",
				"Date of expiry/Date d'expiration",
				"14 AOÛT/AUG 2033",
			},
			want: map[string]string{
				DocumentType: "passport", DocumentNumber: "AB123456", LastName: "MARTINEAU", FirstName: "SARAH", MiddleName: "JUNE",
				Nationality: "UTOPIAN", BirthDate: "1990-01-01", Gender: "female", BirthPlace: "LANTERN BAY", IssuedAt: "2023-05-14", ExpiresAt: "2033-08-14",
			},
		},
		"identity card with captions": {
			rows: []string{
				"CARTE NATIONALE D'IDENTITE / IDENTITY CARD",
				"NOM / Surname",
				"MARTIN",
				"Prénoms / Given names",
				"Maélys-Gaëlle, Marie",
				"SEXE / Sex   NATIONALITE / Nationality   DATE DE NAISS / Date of birt",
				"F            FRA                         13 07 1990",
				"N° DU DOCUMENT / Document No.             DATE D'EXPIR / Expiry date",
				"D2H6862M2                                 31 12 2030",
			},
			want: map[string]string{
				DocumentType: "identification_card", LastName: "MARTIN", FirstName: "MAÉLYS-GAËLLE", MiddleName: "MARIE", Gender: "female",
				Nationality: "FRA", BirthDate: "1990-07-13", DocumentNumber: "D2H6862M2", ExpiresAt: "2030-12-31",
			},
		},
		"a page of prose": {
			rows: []string{"the first rest of the last name is the end", "and 3 more words that say nothing"},
			want: map[string]string{},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := Fields(layout(c.rows...), 600, 40*len(c.rows))
			for k, v := range c.want {
				if got[k].Value != v {
					t.Errorf("%s: %q, want %q", k, got[k].Value, v)
				}
			}
			for k, v := range got {
				if _, ok := c.want[k]; !ok {
					t.Errorf("%s: %q was not printed", k, v.Value)
				}
				if v.Confidence <= 0 || v.Confidence > 1 {
					t.Errorf("%s: confidence %v", k, v.Confidence)
				}
			}
		})
	}
}

// A field stands where its own words stand.
func TestBoxes(t *testing.T) {
	got := Fields(layout(
		"2 FIRST/MIDDLE ROWAN ALDER",
		"3 DOB 02/29/1988",
		"8 ADDRESS 12 PAPER LN",
		"          MOTH, ZZ 00011",
	), 400, 160)
	for name, want := range map[string]vision.Box{
		FirstName:  {X: 150, Y: 0, Width: 48, Height: 22},
		MiddleName: {X: 210, Y: 0, Width: 48, Height: 22},
		BirthDate:  {X: 60, Y: 40, Width: 98, Height: 22},
		Street:     {X: 100, Y: 80, Width: 108, Height: 22},
		City:       {X: 100, Y: 120, Width: 48, Height: 22},
		PostalCode: {X: 190, Y: 120, Width: 48, Height: 22},
	} {
		if got[name].Box != want {
			t.Errorf("%s %q at %+v, want %+v", name, got[name].Value, got[name].Box, want)
		}
	}
}

// However many words a hostile picture gives, and wherever they claim to stand, an answer comes soon.
func TestManyWords(t *testing.T) {
	tokens := []string{"4d", "DLN", "EXP", "1", "DOB", "Surname/Nom", "02/29/1988", "PASSPORT", "DL", "ID", "K1234567", "/", "a/b/c"}
	words := make([]vision.Word, 10_000)
	for i := range words {
		words[i] = vision.Word{
			Text: tokens[i*7%len(tokens)], Confidence: 0.5,
			Box: vision.Box{X: i * 131 % 1000, Y: i * 37 % 600, Width: 20 + i%50, Height: 10 + i%20},
		}
		if i%11 == 0 {
			words[i].Box = vision.Box{X: -1 << 40, Y: -1 << 40, Width: 1 << 42, Height: 1 << 42}
		}
		if i%13 == 0 {
			words[i].Box = vision.Box{X: 1 << 62, Y: 1 << 62, Width: 1 << 62, Height: -5}
		}
	}
	start := time.Now()
	Fields(words, 1012, 638)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("%v", took)
	}
}

// What stands far to the right of a value, such as letters seen in a ghost portrait, is none of it; far from its label a value may stand.
func TestValuesEndAtWideGaps(t *testing.T) {
	got := Fields(layout(
		"4d DLN Z838901001          if",
		"1 LAST NAME          PEPPERCORNE VALE",
		"3 DOB 06/22/1949",
	), 600, 120)
	for name, want := range map[string]string{DocumentNumber: "Z838901001", LastName: "PEPPERCORNE VALE"} {
		if got[name].Value != want {
			t.Errorf("%s is %q, want %q", name, got[name].Value, want)
		}
	}
}

func TestLabelledBeatsUnlabelled(t *testing.T) {
	got := Fields(layout("05/06/2021 11/12/1980 05/06/2029", "3 DOB 11/12/1980"), 400, 80)
	if got[BirthDate].Confidence <= got[ExpiresAt].Confidence {
		t.Errorf("labelled %v, unlabelled %v", got[BirthDate], got[ExpiresAt])
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ field, text, want string }{
		{BirthDate, "02/30/1999", ""}, {BirthDate, "13/02/1999", "1999-02-13"}, {BirthDate, "1999/02/13", "1999-02-13"},
		{BirthDate, "O2/13/1999", "1999-02-13"}, {BirthDate, "02131999", "1999-02-13"}, {BirthDate, "2 Feb 1999", "1999-02-02"},
		{BirthDate, "02-13-1999", "1999-02-13"}, {BirthDate, "2/13/99", ""}, {BirthDate, "12 MAI/MAY 1980", "1980-05-12"}, {BirthDate, "03 04 1980", ""}, {BirthDate, "03 14 1980", "1980-03-14"}, {BirthDate, "3 JUI 1980", ""}, {BirthDate, "01 OCTOBER 1980", "1980-10-01"}, {BirthDate, "NONE", ""}, {BirthDate, "12/12/9999", ""},
		{Height, "5'-07\"", "67 in"}, {Height, "5-11", "71 in"}, {Height, "5'13\"", ""}, {Height, "172 cm", "172 cm"}, {Height, "068 IN", "68 in"},
		{Weight, "140", "140 lb"}, {Weight, "72 kg", "72 kg"}, {Weight, "none", ""},
		{DocumentNumber, "D 123 4567", "D1234567"}, {DocumentNumber, "NONE", ""}, {DocumentNumber, "123", ""},
		{DocumentNumber, "K6O7I3833", "K60713833"}, {DocumentNumber, "I1234O", "I1234O"},
		{HairColor, "AIR", ""}, {EyeColor, "blu", "BLU"}, {Gender, "M", "male"}, {Gender, "X", "unspecified"}, {Gender, "Q", ""},
	} {
		got, ok := format(c.field, c.text)
		if !ok {
			got = ""
		}
		if got != c.want {
			t.Errorf("%s %q: %q, want %q", c.field, c.text, got, c.want)
		}
	}
}

func FuzzFields(f *testing.F) {
	f.Add("4d DLN Q123\n3 DOB 02/29/1988\n8 ADDRESS 1 A ST\nB, ZZ 00001", 400, 160)
	f.Add("PASSPORT\nSurname\n\x00\xff é", 0, -3)
	f.Fuzz(func(t *testing.T, text string, width, height int) {
		for name, field := range Fields(layout(strings.Split(text, "\n")...), width, height) {
			if field.Value == "" || field.Confidence < 0 || field.Confidence > 1 {
				t.Errorf("%s: %+v", name, field)
			}
		}
	})
}

func BenchmarkFields(b *testing.B) {
	words := layout("4d DLN Q123-4567-890    4b EXP 07/04/2030", "3 DOB 02/29/1988        4a ISS 07/04/2022", "1 LAST NAME O'FABLE-TALE JR",
		"2 FIRST/MIDDLE ROWAN ALDER QUILL", "8 ADDRESS 12 1/2 PAPER MOON LN APT 4", "INKWELL BAY, ZZ 00042-0007", "15 SEX F   16 HGT 5'-07\"   17 WGT 140 lb")
	for b.Loop() {
		if len(Fields(words, 1012, 638)) < 10 {
			b.Fatal("fields are missing")
		}
	}
}
