package aamva

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// stripeText is what a magnetic stripe holds of an invented person.
func stripeText() string {
	return "%ZZWINDHOVER^CASTAFIORE$BIANCA$ROSINA^26 OPERA LANE$APT 3^?;636099123456789=310219850228=?" +
		"%1000042      D B         M   2508150BLNBRO                                     ?"
}

func TestMagneticStripe(t *testing.T) {
	want := map[string]string{
		"document_number": "123456789", "last_name": "CASTAFIORE", "first_name": "BIANCA", "middle_name": "ROSINA",
		"birth_date": "1985-02-28", "expires_at": "2031-02-28", "gender": "female", "street": "26 OPERA LANE APT 3",
		"city": "WINDHOVER", "state": "ZZ", "postal_code": "00042", "issuing_country": "USA", "issuing_state": "ZZ",
		"height": "68 in", "weight": "150 lb", "eye_color": "BRO", "hair_color": "BLN", "class": "D", "restrictions": "B",
		"endorsements": "M",
	}
	p := mustParse(t, stripeText())
	if got := p.Fields(); !maps.Equal(got, want) {
		t.Errorf("fields\n%v\nwant\n%v", got, want)
	}
	if !slices.Equal(p.Repairs, []Repair{RepairStripe}) || !slices.Equal(p.Errors, []Problem{"element_missing:DBD"}) {
		t.Errorf("repairs %v, errors %v", p.Repairs, p.Errors)
	}
	for name, tc := range map[string]struct{ from, to, field, want string }{
		"never expires":           {"=3102", "=3177", fieldExpiresAt, ""},
		"expires on the birthday": {"=3102", "=3199", fieldExpiresAt, "2031-02-28"},
		"end of the birth month":  {"=3102", "=2888", fieldExpiresAt, "2028-02-29"},
		"a month that is none":    {"=3102", "=3113", fieldExpiresAt, ""},
		"a long number":           {"28=?", "28ABCDE?", fieldDocumentNumber, "123456789ABCDE"},
		"a city without mark":     {"WINDHOVER^", "UPPERWINDHOVE", fieldCity, "UPPERWINDHOVE"},
		"commas in the name":      {"CASTAFIORE$BIANCA$", "CASTAFIORE,BIANCA,", fieldFirstName, "BIANCA"},
		"line ends between":       {"?;", "?\r\n;", fieldDocumentNumber, "123456789"},
	} {
		text := strings.Replace(stripeText(), tc.from, tc.to, 1)
		if got := mustParse(t, text).Fields()[tc.field]; got != tc.want || text == stripeText() {
			t.Errorf("%s: %s = %q, want %q", name, tc.field, got, tc.want)
		}
	}
	twoTracks, _, _ := strings.Cut(stripeText(), "?%1")
	if got := mustParse(t, twoTracks+"?").Fields(); got[fieldDocumentNumber] != "123456789" || got[fieldGender] != "" {
		t.Errorf("without the third track: %v", got)
	}
}
