package mrz

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestProblems(t *testing.T) {
	good := []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}
	for name, tc := range map[string]struct {
		row      int
		from, to string
		want     []Problem
	}{
		"nothing":           {0, "", "", []Problem{}},
		"wrong check digit": {1, "7408122F", "7408125F", []Problem{{ProblemCheckDigit, fieldBirth}, {ProblemCheckDigit, fieldComposite}}},
		"a letter in a date": {1, "7408122F", "74A8122F", []Problem{ // A weighs as much as 0
			{ProblemCharacter, fieldBirth}, {ProblemCheckDigit, fieldBirth}}},
		"month thirteen": {1, "7408122F1204159ZE184226B<<<<<10", "7413122F1204159ZE184226B<<<<<10", []Problem{
			{ProblemCheckDigit, fieldBirth}, {ProblemDate, fieldBirth}, {ProblemCheckDigit, fieldComposite}}},
		"a question mark in the name": {0, "ANNA", "A?NA", []Problem{{ProblemCharacter, fieldNames}}},
		"a sex that is none":          {1, "2F1204159", "2W1204159", []Problem{{ProblemCharacter, fieldSex}}},
		"another kind of document":    {0, "P<UTO", "X<UTO", []Problem{{ProblemType, fieldType}}},
		"no number": {1, "L898902C36", "<<<<<<<<<0", []Problem{
			{ProblemCheckDigit, fieldNumber}, {ProblemMissing, fieldNumber}, {ProblemCheckDigit, fieldComposite}}},
	} {
		t.Run(name, func(t *testing.T) {
			lines := slices.Clone(good)
			lines[tc.row] = strings.Replace(lines[tc.row], tc.from, tc.to, 1)
			d, err := Parse(lines, now)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(d.Errors, tc.want) {
				t.Errorf("errors %v, want %v", d.Errors, tc.want)
			}
		})
	}
}

// A visa of fillers has right check digits, since nothing weighs nothing. It is no document all the same.
func TestEmptyZoneIsNotValid(t *testing.T) {
	d, err := Parse([]string{"V" + strings.Repeat("<", 43), strings.Repeat("<", 44)}, now)
	if err != nil || d.Valid || d.CheckDigits[fieldNumber] {
		t.Errorf("error %v, valid %v %v", err, d.Valid, d.CheckDigits)
	}
}

func TestLayoutsOfSingleStates(t *testing.T) {
	swiss := []string{"AAA001D<<", "FACHE305142128097<<800126<<<<<", "MARCHAND<<FABIENNE<<<<<<<<<<<<"}
	for name, tc := range map[string]struct {
		lines    []string
		format   Format
		valid    bool
		repaired int
		fields   map[string]string
	}{
		"French licence": {[]string{"D1FRA13AA000026181231MARTIN<<9"}, FRDL, true, 0, map[string]string{
			"document_number": "13AA00002", "expires_at": "2018-12-31", "last_name": "MARTIN", "issuing_country": "FRA"}},
		"French licence, misread": {[]string{"D1FRA13AA0000261B1231MART1N<<9"}, FRDL, true, 2, map[string]string{
			"document_number": "13AA00002", "expires_at": "2018-12-31", "last_name": "MARTIN", "issuing_country": "FRA"}},
		"French licence, wrong number": {[]string{"D1FRA13AA000036181231MARTIN<<9"}, FRDL, false, 0, map[string]string{
			"document_number": "13AA00003", "expires_at": "2018-12-31", "last_name": "MARTIN", "issuing_country": "FRA"}},
		"Swiss licence": {swiss, CHDL, true, 0, map[string]string{
			"document_number": "AAA001D", "birth_date": "1980-01-26", "last_name": "MARCHAND", "first_name": "FABIENNE", "issuing_country": "CHE"}},
		"Swiss licence with something between": {
			[]string{swiss[0], strings.Replace(swiss[1], "097<<", "097<A", 1), swiss[2]}, CHDL, false, 0, map[string]string{
				"document_number": "AAA001D", "birth_date": "1980-01-26", "last_name": "MARCHAND", "first_name": "FABIENNE", "issuing_country": "CHE"}},
		"French card": {[]string{"IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "9409923102854CORINNE<<<<<<<6512068F4"}, FRID, true, 0, map[string]string{
			"document_number": "940992310285", "birth_date": "1965-12-06", "last_name": "BERTHIER", "first_name": "CORINNE",
			"gender": "female", "issuing_country": "FRA"}},
		"old Slovene card": {[]string{"I<SI<09999100180706966505468<<", "6606079F0807276SI<<<<<<<<<<<<0", "VZOREC<<TINA<<<<<<<<<<<<<<<<<<"}, TD1, true, 0, map[string]string{
			"document_number": "099991001", "birth_date": "1966-06-07", "expires_at": "2008-07-27", "last_name": "VZOREC",
			"first_name": "TINA", "gender": "female", "issuing_country": "SVN", "nationality": "SVN"}},
		"Macau card": {[]string{"I<MAC12281507<0<<<<<<<<0212300", "6106225M1212307<<<<<<<<<<<<<<6", "CHONG<<KA<KEONG<<<<<<<<<<<<<<<"}, TD1, true, 0, map[string]string{
			"document_number": "12281507", "birth_date": "1961-06-22", "expires_at": "2012-12-30", "last_name": "CHONG",
			"first_name": "KA", "middle_name": "KEONG", "gender": "male", "issuing_country": "MAC"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse(tc.lines, now)
			if err != nil {
				t.Fatal(err)
			}
			if d.Format != tc.format || d.Valid != tc.valid || len(d.Repairs) != tc.repaired || !maps.Equal(d.Fields(), tc.fields) {
				t.Errorf("%s valid %v %v repairs %v errors %v\n%v\nwant %v", d.Format, d.Valid, d.CheckDigits, d.Repairs, d.Errors, d.Fields(), tc.fields)
			}
			fromText, err := ParseText("Some line above\n"+strings.Join(tc.lines, "\r\n")+"\r\n", now)
			if err != nil || !maps.Equal(fromText.Fields(), tc.fields) {
				t.Errorf("from text: %v %v", err, fromText.Fields())
			}
		})
	}
	if d, _ := Parse(swiss, now); d.Optional != "305142128097" || len(d.CheckDigits) != 0 {
		t.Errorf("optional %q, check digits %v", d.Optional, d.CheckDigits)
	}
	if d, _ := Parse([]string{"IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "9409923102854CORINNE<<<<<<<6512068F4"}, now); d.IssuedMonth != "1994-09" {
		t.Errorf("issued %q", d.IssuedMonth)
	}
	for name, lines := range map[string][]string{
		"a Swiss licence of another state":        {swiss[0], strings.Replace(swiss[1], "CHE", "LIE", 1), swiss[2]},
		"a Swiss licence that lost a filler":      {"AAA001D<", swiss[1], swiss[2]},
		"a French licence of another kind":        {"D2FRA13AA000026181231MARTIN<<9"},
		"a passport without P that lost a column": {"INVALIDTEXT<<HENERT<<<<<<<<<<<<<<<<<<<<<<<", "7077979792GBR9505209M1704224<<<<<<<<<<<<<<00"},
	} {
		if d, err := Parse(lines, now); err == nil && d.Valid {
			t.Errorf("%s is read as %s", name, d.Format)
		}
	}
}

// A card of the United States has a digit in its type.
func TestDigitInType(t *testing.T) {
	d, err := Parse([]string{"C1USA0000000392SRC0000000039<<", "2001010F8001022SLV<<<<<<<<<<<0", "VOID<<VOID<<<<<<<<<<<<<<<<<<<<"}, now)
	if err != nil || d.Type != "C1" || len(d.Repairs) != 0 {
		t.Errorf("error %v, type %s, repairs %v", err, d.Type, d.Repairs)
	}
}

// Rows that stand on one line are parted, and that is reported.
func TestRowsOnOneLine(t *testing.T) {
	for _, text := range []string{seeds()[0], seeds()[2], seeds()[4]} {
		want, err := ParseText(text, now)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseText(strings.ReplaceAll(text, "\n", ""), now)
		if err != nil || !got.Valid || !equalDocuments(got, want) {
			t.Errorf("error %v\n%+v\nwant %+v", err, got, want)
		}
		if len(got.Repairs) != 1 || got.Repairs[0].Kind != RepairRows {
			t.Errorf("repairs %v", got.Repairs)
		}
	}
}
