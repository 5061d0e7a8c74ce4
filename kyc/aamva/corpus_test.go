package aamva

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"kycd/kyc/kyctest"
)

type corpusRecord struct {
	ID            string         `json:"id"`
	Jurisdiction  string         `json:"jurisdiction"`
	IIN           string         `json:"iin"`
	HeaderVersion int            `json:"header_version"`
	Kind          string         `json:"kind"`
	File          string         `json:"file"`
	Expected      map[string]any `json:"expected"`
}

func TestCorpus(t *testing.T) {
	raw, err := os.ReadFile(kyctest.Testdata(t, "aamva/dev/expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var records []corpusRecord
	if err := json.Unmarshal(raw, &records); err != nil {
		t.Fatal(err)
	}
	parsed, valid, right, total := 0, 0, 0, 0
	for _, r := range records {
		payload, err := os.ReadFile(kyctest.Testdata(t, "aamva/dev/"+r.File))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(payload)
		if r.Kind == "invalid" {
			if err == nil {
				t.Errorf("%s: an invalid payload was read", r.ID)
			}
			continue
		}
		valid++
		if err != nil {
			t.Errorf("%s: %v", r.ID, err)
			continue
		}
		parsed++
		if p.IIN != r.IIN || p.Version != r.HeaderVersion {
			t.Errorf("%s: header %s v%d, want %s v%d", r.ID, p.IIN, p.Version, r.IIN, r.HeaderVersion)
		}
		if want := map[string]string{"driver_license": "DL", "identification_card": "ID"}[r.Kind]; p.Subfile != want {
			t.Errorf("%s: subfile %q, want %q", r.ID, p.Subfile, want)
		}
		got := p.Fields()
		for key, want := range expectedFields(r.Expected) {
			total++
			if got[key] == want {
				right++
				continue
			}
			t.Errorf("%s: %s = %q, want %q", r.ID, key, got[key], want)
		}
	}
	if parsed < 40 || total < 600 {
		t.Errorf("only %d payloads and %d fields were compared", parsed, total)
	}
	t.Logf("%d of %d payloads read, %d of %d fields right", parsed, valid, right, total)
}

// expectedFields brings the corpus' names and values to ours.
func expectedFields(e map[string]any) map[string]string {
	want := map[string]string{}
	names := map[string]string{
		"first_name": fieldFirstName, "middle_name": fieldMiddleName, "last_name": fieldLastName, "name_suffix": fieldNameSuffix,
		"city": fieldCity, "jurisdiction": fieldState, "date_of_birth": fieldBirthDate, "issue_date": fieldIssuedAt,
		"expiration_date": fieldExpiresAt, "document_number": fieldDocumentNumber, "vehicle_class": fieldClass,
		"restriction_codes": fieldRestrictions, "endorsement_codes": fieldEndorsements, "document_discriminator": fieldRefNumber,
		"postal_code_display": fieldPostalCode,
	}
	for key, field := range names {
		if v, ok := e[key].(string); ok {
			want[field] = v
		}
	}
	if v, ok := e["sex"].(string); ok {
		want[fieldGender] = strings.ToLower(v)
	}
	if v, ok := e["country"].(string); ok {
		want[fieldIssuingCountry] = map[string]string{"Usa": "USA", "Canada": "CAN"}[v]
	}
	if v, ok := e["street_1"].(string); ok {
		if second, ok := e["street_2"].(string); ok {
			v += " " + second
		}
		want[fieldStreet] = strings.Join(strings.Fields(v), " ")
	}
	if v, ok := e["height_in"].(float64); ok {
		want[fieldHeight] = fmt.Sprintf("%.0f in", v)
	}
	if v, ok := e["height_cm"].(float64); ok {
		want[fieldHeight] = fmt.Sprintf("%.0f cm", v)
	}
	if v, ok := e["weight_lbs"].(float64); ok {
		want[fieldWeight] = fmt.Sprintf("%.0f lb", v)
	}
	if v, ok := e["weight_range"].(string); ok {
		want[fieldWeight] = strings.Replace(strings.TrimPrefix(v, "Lbs"), "To", "-", 1) + " lb"
	}
	colors := map[string]string{"Blue": "BLU", "Brown": "BRO", "Green": "GRN", "Hazel": "HAZ", "Black": "BLK", "Blond": "BLN"}
	if v, ok := e["eye_color"].(string); ok {
		want[fieldEyeColor] = colors[v]
	}
	if v, ok := e["hair_color"].(string); ok {
		want[fieldHairColor] = colors[v]
	}
	return want
}
