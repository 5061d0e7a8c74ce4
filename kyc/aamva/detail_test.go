package aamva

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestDetails(t *testing.T) {
	for name, tc := range map[string]struct {
		elements map[string]string
		want     string
	}{
		"nothing": {map[string]string{"DAQ": "K1"}, `{}`},
		"all that a card may say": {map[string]string{
			"DDA": "F", "DDB": "02132010", "DDC": "06062020", "DDD": "1", "DDH": "08141999", "DDI": "08142000", "DDJ": "08142002",
			"DDK": "1", "DDL": "1", "DDM": "1", "DDN": "0", "DDO": "1", "DDP": "0", "DCK": "INV1", "DCJ": "AUDIT1", "DCI": "SYLDAVIA",
		}, `{"compliance_type":"F","card_revision_date":"2010-02-13","hazmat_expires_at":"2020-06-06","limited_duration":true,` +
			`"under_18_until":"1999-08-14","under_19_until":"2000-08-14","under_21_until":"2002-08-14","organ_donor":true,` +
			`"veteran":true,"commercial":true,"non_domiciled":false,"enhanced":true,"permit":false,"inventory_number":"INV1",` +
			`"audit_number":"AUDIT1","birth_place":"SYLDAVIA"}`},
		"Canadian dates":         {map[string]string{"DDB": "20100213", "DCG": "CAN"}, `{"card_revision_date":"2010-02-13"}`},
		"open dates":             {map[string]string{"DDC": "00000000", "DDB": "NONE"}, `{}`},
		"donor of version 1":     {map[string]string{"DBH": "Y"}, `{"organ_donor":true}`},
		"no donor of version 1":  {map[string]string{"DBH": "2"}, `{"organ_donor":false}`},
		"letters for indicators": {map[string]string{"DDD": "N", "DDL": "y"}, `{"limited_duration":false,"veteran":true}`},
		"garbled":                {map[string]string{"DDA": "Q", "DDB": "13132010", "DDD": "7"}, `{}`},
		"other compliance":       {map[string]string{"DDA": "m"}, `{"compliance_type":"M"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(Payload{IIN: SpecimenIIN, Version: 10, Elements: tc.elements}.Details())
			if err != nil || string(got) != tc.want {
				t.Errorf("details %s %v\nwant %s", got, err, tc.want)
			}
		})
	}
}

func TestDatesAgainstTheStandardAreReported(t *testing.T) {
	good := licence(t)
	for name, tc := range map[string]struct {
		payload string
		repairs []Repair
	}{
		"year first in the United States": {strings.Replace(good, "DBB02281985", "DBB19850228", 1), []Repair{RepairDateOrder}},
		"a letter behind a date":          {strings.Replace(good, "DBB02281985", "DBB02281985M", 1), []Repair{RepairDateText, RepairOffsets}},
		"hyphens":                         {strings.Replace(good, "DBB02281985", "DBB02-28-1985", 1), []Repair{RepairDateText, RepairOffsets}},
	} {
		t.Run(name, func(t *testing.T) {
			p := mustParse(t, tc.payload)
			if p.Fields()[fieldBirthDate] != "1985-02-28" || !sameRepairs(p.Repairs, tc.repairs) {
				t.Errorf("birth date %s, repairs %v", p.Fields()[fieldBirthDate], p.Repairs)
			}
		})
	}
	canadian := strings.NewReplacer("636099", "604426", "DCGUSA", "DCGCAN", "DAJZZ", "DAJPE", "02281985", "19850228", "02282031", "20310228", "01092025", "20250109")
	if p := mustParse(t, canadian.Replace(good)); len(p.Repairs) != 0 || len(p.Errors) != 0 || p.Fields()[fieldExpiresAt] != "2031-02-28" {
		t.Errorf("Canadian card: repairs %v errors %v", p.Repairs, p.Errors)
	}
}

func TestIssuers(t *testing.T) {
	for iin, want := range map[string]Issuer{
		"636000": {"VA", "Virginia", "USA"}, "604431": {"PR", "Puerto Rico", "USA"}, "636012": {"ON", "Ontario", "CAN"},
		"636027": {"", "Department of State", "USA"}, "636056": {"COA", "Coahuila", "MEX"},
	} {
		if got, ok := IssuerOf(iin); !ok || got != want {
			t.Errorf("%s is %+v %v, want %+v", iin, got, ok, want)
		}
	}
	states := map[string]bool{}
	for n := range 1000000 {
		iin := []byte("000000")
		for i, rest := 5, n; i >= 0; i, rest = i-1, rest/10 {
			iin[i] = byte('0' + rest%10)
		}
		if i, ok := IssuerOf(string(iin)); ok && string(iin) != SpecimenIIN {
			if i.Name == "" || i.Country == "" || (states[i.State] && i.State != "AB") {
				t.Errorf("%s: %+v", iin, i)
			}
			states[i.State] = true
		}
	}
	for _, state := range strings.Fields(`AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY
		NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI AB BC MB NB NL NS NT NU ON PE QC SK YT`) {
		if !states[state] {
			t.Errorf("no number for %s", state)
		}
	}
}

func TestAgreement(t *testing.T) {
	for name, tc := range map[string]struct {
		iin            string
		elements       map[string]string
		state, country Agreement
	}{
		"both agree":             {"636000", map[string]string{"DAJ": "VA", "DCG": "USA"}, Agree, Agree},
		"small letters":          {"636000", map[string]string{"DAJ": "va", "DCG": "us"}, Agree, Agree},
		"the state's name":       {"636000", map[string]string{"DAJ": "VIRGINIA"}, Agree, Uncomparable},
		"another state":          {"636000", map[string]string{"DAJ": "MD"}, Disagree, Uncomparable},
		"another country":        {"636000", map[string]string{"DAJ": "VA", "DCG": "CAN"}, Agree, Disagree},
		"Quebec's old letters":   {"604428", map[string]string{"DAJ": "PQ", "DCG": "CDN"}, Agree, Agree},
		"address of version 1":   {"636000", map[string]string{"DAO": "VA"}, Agree, Uncomparable},
		"unknown issuer":         {"123456", map[string]string{"DAJ": "VA", "DCG": "USA"}, Uncomparable, Uncomparable},
		"no address":             {"636000", map[string]string{}, Uncomparable, Uncomparable},
		"a diplomat's":           {"636027", map[string]string{"DAJ": "VA", "DCG": "USA"}, Uncomparable, Agree},
		"a word for the country": {"636000", map[string]string{"DCG": "NONE"}, Uncomparable, Uncomparable},
	} {
		t.Run(name, func(t *testing.T) {
			p := Payload{IIN: tc.iin, Version: 10, Elements: tc.elements}
			if p.StateAgreement() != tc.state || p.CountryAgreement() != tc.country {
				t.Errorf("state %s, country %s", p.StateAgreement(), p.CountryAgreement())
			}
		})
	}
}

func TestProblemsNameTheirField(t *testing.T) {
	p := mustParse(t, strings.NewReplacer(
		"DBB02281985", "DBB02301985", "DAU068 in", "DAUtall", "DBC2", "DBC7", "DDEU", "DDE7", "DCGUSA", "DCGCAN", "636099", "636000",
	).Replace(licence(t)+"DDAQ\nDDB13132010\nDDD7\n"))
	var got []string
	for _, problem := range p.Errors {
		got = append(got, problem.Code()+" "+problem.Element()+" "+problem.Field())
	}
	want := []string{
		"element_invalid DBB birth_date", "element_invalid DDB card_revision_date", "element_invalid DBC gender",
		"element_invalid DAU height", "element_invalid DDE last_name", "element_invalid DDA compliance_type",
		"element_invalid DDD limited_duration", "issuer_mismatch  state", "country_mismatch  issuing_country",
	}
	if !slices.Equal(got, want) {
		t.Errorf("problems\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p.StateAgreement() != Disagree || p.Fields()[fieldDocumentNumber] != "K1234567" {
		t.Error("a card whose state disagrees is read like others")
	}
}

// What stands at the end of a line may have become a blank, or be written out.
func TestLostSeparators(t *testing.T) {
	body := []string{"DCAD", "DCBNONE", "DCSVAN DER DAAL", "DACJOHN", "DADDAVID DARLENE DAKOTA", "DAG12 DAY ST DAN", "DAIOLD DAYTON",
		"DAJZZ", "DAK000420000", "DAQK1", "DAU 68 IN", "DAYBRO", "DAW150", "DBB02281985"}
	for _, separator := range []string{" ", "|", `\n`, "<LF>"} {
		p := mustParse(t, "@ ANSI 636099100001DL00310200DL"+strings.Join(body, separator))
		got := p.Fields()
		for field, want := range map[string]string{
			fieldLastName: "VAN DER DAAL", fieldMiddleName: "DAVID DARLENE DAKOTA", fieldStreet: "12 DAY ST DAN", fieldCity: "OLD DAYTON",
			fieldPostalCode: "00042", fieldHeight: "68 in", fieldEyeColor: "BRO", fieldBirthDate: "1985-02-28", fieldWeight: "150 lb",
		} {
			if got[field] != want {
				t.Errorf("parted by %q: %s = %q, want %q", separator, field, got[field], want)
			}
		}
		if !slices.Contains(p.Repairs, RepairSeparators) {
			t.Errorf("parted by %q: repairs %v", separator, p.Repairs)
		}
	}
}

func TestNamesAreNoWordsForNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		elements map[string]string
		want     map[string]string
	}{
		"the surname Na":      {map[string]string{"DCS": "NA", "DAC": "MINA"}, map[string]string{fieldLastName: "NA", fieldFirstName: "MINA"}},
		"an alias is no name": {map[string]string{"DCS": "HADDOCK", "DBQ": "JAMES", "DBO": "CHOCHARD"}, map[string]string{fieldLastName: "HADDOCK", fieldMiddleName: ""}},
		"no class":            {map[string]string{"DCA": "NA"}, map[string]string{fieldClass: ""}},
		"feet with a hyphen":  {map[string]string{"DAU": "5-09"}, map[string]string{fieldHeight: "69 in"}},
		"feet with marks":     {map[string]string{"DAU": `5'11"`}, map[string]string{fieldHeight: "71 in"}},
		"feet in words":       {map[string]string{"DAU": "6 FT 1 IN"}, map[string]string{fieldHeight: "73 in"}},
		"feet alone":          {map[string]string{"DAU": "600"}, map[string]string{fieldHeight: "72 in"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Payload{IIN: SpecimenIIN, Version: 9, Elements: tc.elements}.Fields()
			for k, want := range tc.want {
				if got[k] != want {
					t.Errorf("%s = %q, want %q", k, got[k], want)
				}
			}
		})
	}
}

// A reader that writes ^M for the carriage return and loses the ^ does so at the end as well.
func TestCarriageReturnReadAsLetter(t *testing.T) {
	p := mustParse(t, "@\n6MANSI 636099080001DL00310100DLDAQK1\nDCSHADDOCK\nDACARCHIBALD\nDBB02281985\nDDB06092016M")
	if got := p.Elements["DDB"]; got != "06092016" || !slices.Contains(p.Repairs, RepairSeparators) {
		t.Errorf("DDB %q, repairs %v", got, p.Repairs)
	}
}
