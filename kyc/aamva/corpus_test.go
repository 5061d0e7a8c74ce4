package aamva

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"kycd/kyc/kyctest"
)

type corpusRecord struct {
	ID            string         `json:"id"`
	IIN           string         `json:"iin"`
	HeaderVersion int            `json:"header_version"`
	Kind          string         `json:"kind"`
	File          string         `json:"file"`
	Expected      map[string]any `json:"expected"`
}

// wrongLabels are labels that go against the standard, with what they should say. A subfile begins with its type, so that
// ZMZMAN is the element ZMA with the value N in the subfile ZM; these four are labelled as if there were an element ZMZ.
// Others of the same form, such as ZVZVA01, are labelled by the standard.
func wrongLabels() map[string]map[string]string {
	return map[string]map[string]string{
		"idparser-MO":                      {"ZMA": "ST LOUIS CITY", "ZMB": "112001810097"},
		"idparser-CT_Undefined_Characters": {"ZCA": "", "ZCB": "0005276677"},
		"idparser-MN":                      {"ZMA": "N", "ZMB": "N"},
		"idparser-MS": {
			"ZMA": "N", "ZMB": "N", "ZMC": "N", "ZMD": "123 BUCK RUN", "ZME": "HATTIESBURG", "ZMF": "MS", "ZMG": "394020000",
		},
	}
}

// knownFailures are the records that are not read exactly, with the reason. A record that is read exactly after all fails
// the test as well, so that the list stays true.
func knownFailures() map[string]string { return map[string]string{} }

// mostFailures is the share of the records that may be in knownFailures.
const mostFailures = 0.01

// Every field of every labelled payload is read as labelled.
func TestCorpus(t *testing.T) {
	raw, err := os.ReadFile(kyctest.Testdata(t, "aamva/dev/expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var records []corpusRecord
	if err := json.Unmarshal(raw, &records); err != nil {
		t.Fatal(err)
	}
	known := knownFailures()
	exact, compared := 0, 0
	for _, r := range records {
		payload, err := os.ReadFile(kyctest.Testdata(t, "aamva/dev/"+r.File))
		if err != nil {
			t.Fatal(err)
		}
		wrong, n := compareRecord(t, r, payload)
		compared += n
		reason, expected := known[r.ID]
		delete(known, r.ID)
		switch {
		case len(wrong) == 0 && expected:
			t.Errorf("%s is read exactly; it is no known failure (%s)", r.ID, reason)
		case len(wrong) == 0:
			exact++
		case !expected:
			t.Errorf("%s: %s", r.ID, strings.Join(wrong, "; "))
		}
	}
	for id := range known {
		t.Errorf("the known failure %s is no record", id)
	}
	if len(records) < 41 || compared < 890 {
		t.Errorf("only %d payloads and %d values were compared", len(records), compared)
	}
	if share := 1 - float64(exact)/float64(len(records)); share > mostFailures {
		t.Errorf("%d of %d payloads are read exactly", exact, len(records))
	}
	t.Logf("%d of %d payloads read exactly, %d values compared", exact, len(records), compared)
}

// compareRecord gives the values that are read otherwise than labelled, and how many were compared.
func compareRecord(t *testing.T, r corpusRecord, payload []byte) (wrong []string, compared int) {
	t.Helper()
	p, err := Parse(payload)
	if r.Kind == "invalid" {
		if err == nil {
			return []string{"an invalid payload was read"}, 1
		}
		return nil, 1
	}
	if err != nil {
		return []string{err.Error()}, 1
	}
	want := labelled(t, r)
	got := read(p)
	for key, value := range want {
		compared++
		if got[key] != value {
			wrong = append(wrong, fmt.Sprintf("%s = %q, want %q", key, got[key], value))
		}
	}
	return wrong, compared
}

// read flattens all that a payload says.
func read(p Payload) map[string]string {
	got := p.Fields()
	got["iin"], got["version"], got["subfile"] = p.IIN, fmt.Sprint(p.Version), p.Subfile
	for id, v := range p.Elements {
		got[id] = v
	}
	for id, v := range p.Jurisdiction {
		got[id] = v
	}
	for field, cut := range p.Truncated() {
		got[field+"_truncated"] = fmt.Sprint(cut)
	}
	for i, s := range p.Subfiles {
		got[fmt.Sprint("subfile ", i)] = fmt.Sprint(s.Type, s.Offset, s.Length)
	}
	d := p.Details()
	got["compliance_type"], got["card_revision_date"], got["hazmat"] = string(d.Compliance), d.CardRevisedAt, d.HazmatExpiresAt
	got["under_18_until"], got["under_19_until"], got["under_21_until"] = d.Under18Until, d.Under19Until, d.Under21Until
	got["inventory_number"] = d.InventoryNumber
	for key, v := range map[string]*bool{
		"limited_duration": d.LimitedDuration, "organ_donor": d.OrganDonor, "veteran": d.Veteran, "commercial": d.Commercial,
		"non_domiciled": d.NonDomiciled, "enhanced": d.Enhanced, "permit": d.Permit,
	} {
		if v != nil {
			got[key] = fmt.Sprint(*v)
		}
	}
	return got
}

// labelled brings a record's names and values to those of read. It fails for a label that it does not know, so that none
// is overlooked.
func labelled(t *testing.T, r corpusRecord) map[string]string {
	t.Helper()
	want := map[string]string{
		"iin": r.IIN, "version": fmt.Sprint(r.HeaderVersion),
		"subfile": map[string]string{"driver_license": "DL", "identification_card": "ID"}[r.Kind],
	}
	names := map[string]string{
		"first_name": fieldFirstName, "middle_name": fieldMiddleName, "last_name": fieldLastName, "name_suffix": fieldNameSuffix,
		"city": fieldCity, "jurisdiction": fieldState, "date_of_birth": fieldBirthDate, "issue_date": fieldIssuedAt,
		"expiration_date": fieldExpiresAt, "document_number": fieldDocumentNumber, "vehicle_class": fieldClass,
		"restriction_codes": fieldRestrictions, "endorsement_codes": fieldEndorsements, "document_discriminator": fieldRefNumber,
		"postal_code_display": fieldPostalCode, "name_raw": "DAA", "inventory_control_number": "inventory_number",
		"card_revision_date": "card_revision_date", "hazmat_endorsement_expiration_date": "hazmat",
		"under_18_until": "under_18_until", "under_19_until": "under_19_until", "under_21_until": "under_21_until",
	}
	words := map[string]map[string]string{
		"sex":       {"Male": "male", "Female": "female"},
		"country":   {"Usa": "USA", "Canada": "CAN"},
		"eye_color": {"Blue": "BLU", "Brown": "BRO", "Green": "GRN", "Hazel": "HAZ"},
		"hair_color": {
			"Brown": "BRO", "Black": "BLK", "Blond": "BLN",
		},
		"compliance_type": {"FullyCompliant": "F", "MateriallyCompliant": "M", "NonCompliant": "N"},
		"weight_range":    {"Lbs101To130": "101-130 lb", "Lbs131To160": "131-160 lb"},
		"cdl_indicator":   {"1": "true"}, "non_domiciled_indicator": {"1": "true"},
		"enhanced_credential_indicator": {"1": "true"}, "permit_indicator": {"1": "true"},
	}
	wordNames := map[string]string{
		"sex": fieldGender, "country": fieldIssuingCountry, "eye_color": fieldEyeColor, "hair_color": fieldHairColor,
		"compliance_type": "compliance_type", "weight_range": fieldWeight, "cdl_indicator": "commercial",
		"non_domiciled_indicator": "non_domiciled", "enhanced_credential_indicator": "enhanced", "permit_indicator": "permit",
	}
	for key, value := range r.Expected {
		text, _ := value.(string)
		number, _ := value.(float64)
		switch {
		case names[key] != "":
			want[names[key]] = text
		case words[key] != nil:
			if words[key][text] == "" {
				t.Errorf("%s: the label %s has the unknown value %s", r.ID, key, text)
			}
			want[wordNames[key]] = words[key][text]
		case key == "postal_code":
			if r.Expected["postal_code_display"] == nil { // which is the same as it is printed
				want[fieldPostalCode] = postalCode(text)
			}
		case key == "street_1":
			second, _ := r.Expected["street_2"].(string)
			want[fieldStreet] = strings.Join(strings.Fields(text+" "+second), " ")
		case key == "street_2":
		case key == "height_in":
			want[fieldHeight] = fmt.Sprintf("%.0f in", number)
		case key == "height_cm":
			want[fieldHeight] = fmt.Sprintf("%.0f cm", number)
		case key == "weight_lbs":
			want[fieldWeight] = fmt.Sprintf("%.0f lb", number)
		case key == "aamva_standard_year":
			year := map[string]string{
				"2000": "1", "2003": "2", "2005": "3", "2009": "4", "2010": "5", "2011": "6", "2012": "7", "2013": "8", "2016": "9",
			}[fmt.Sprint(value)]
			if year != fmt.Sprint(r.HeaderVersion) {
				t.Errorf("%s: the label of the standard's year is not that of the header", r.ID)
			}
		case key == "limited_duration" || key == "organ_donor" || strings.HasSuffix(key, "_truncated"):
			want[key] = fmt.Sprint(value)
		case key == "jurisdiction_elements":
			if right, ok := wrongLabels()[r.ID]; ok {
				maps.Copy(want, right)
				continue
			}
			for id, v := range value.(map[string]any) {
				want[id] = v.(string)
			}
		case key == "subfiles":
			for i, s := range value.([]any) {
				s := s.(map[string]any)
				want[fmt.Sprint("subfile ", i)] = fmt.Sprint(s["type"], s["offset"], s["length"])
			}
		default:
			t.Errorf("%s: the label %s is not compared", r.ID, key)
		}
	}
	return want
}
