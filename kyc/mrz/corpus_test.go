package mrz

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"kycd/kyc/kyctest"
)

type corpusRecord struct {
	Name           string            `json:"name"`
	Lines          []string          `json:"lines"`
	Format         string            `json:"icao_format"`
	Expected       map[string]string `json:"expected"`
	CheckDigits    map[string]bool   `json:"check_digits"`
	AllValid       *bool             `json:"all_check_digits_valid"`
	Derived        bool              `json:"derived"`
	CorrectedLines []string          `json:"corrected_lines"`
	UpstreamFormat string            `json:"upstream_format"`
	UpstreamValid  *bool             `json:"upstream_valid"`
}

func corpus(t *testing.T) []corpusRecord {
	t.Helper()
	raw, err := os.ReadFile(kyctest.Testdata(t, "mrz/dev/mrz_text.json"))
	if err != nil {
		t.Fatal(err)
	}
	var records []corpusRecord
	if err := json.Unmarshal(raw, &records); err != nil {
		t.Fatal(err)
	}
	return records
}

func TestCorpusFieldsAndCheckDigits(t *testing.T) {
	read, repaired := 0, 0
	for _, r := range corpus(t) {
		if r.Expected == nil || len(r.CorrectedLines) > 0 {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			d, err := Parse(r.Lines, now)
			if err != nil {
				t.Fatal(err)
			}
			if string(d.Format) != r.Format {
				t.Fatalf("format %s, want %s", d.Format, r.Format)
			}
			got := map[string]string{
				"document_code": d.Type, "issuer": d.Issuer, "document_number": d.Number, "nationality": d.Nationality,
				"surname": d.Surname, "given_names": d.GivenNames, "optional_data": d.Optional, "optional_data_2": d.Optional2,
			}
			if len(d.Repairs) > 0 {
				repaired++
			}
			for k, v := range got {
				if want, ok := r.Expected[k]; ok && v != want && len(d.Repairs) == 0 {
					t.Errorf("%s = %q, want %q", k, v, want)
				}
			}
			for iso, want := range map[string]string{d.BirthDate: r.Expected["birth_date"], d.ExpiresAt: r.Expected["expiry_date"]} {
				if iso != "" && strings.ReplaceAll(iso, "-", "")[2:] != want {
					t.Errorf("date %s, want %s", iso, want)
				}
			}
			names := map[string]string{"expiry_date": fieldExpiry, "optional_data": fieldOptional}
			for k, want := range r.CheckDigits {
				name := k
				if n, ok := names[k]; ok {
					name = n
				}
				if got, ok := d.CheckDigits[name]; !ok || got != want {
					t.Errorf("check digit %s = %v (known %v), want %v", k, got, ok, want)
				}
			}
			if r.AllValid != nil && d.Valid != *r.AllValid {
				t.Errorf("valid = %v, want %v; repairs %v", d.Valid, *r.AllValid, d.Repairs)
			}
			if r.Derived && d.Valid {
				t.Error("a wrong check digit was repaired away")
			}
		})
		read++
	}
	if read < 80 {
		t.Errorf("only %d records were compared", read)
	}
	t.Logf("%d records compared, %d of them with repairs", read, repaired)
}

func TestCorpusRepairs(t *testing.T) {
	for _, r := range corpus(t) {
		if len(r.CorrectedLines) == 0 || r.Format == "" {
			continue
		}
		t.Run(r.Format+" "+r.Name, func(t *testing.T) {
			d, err := Parse(r.Lines, now)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(d.Lines, r.CorrectedLines) {
				t.Errorf("repaired to\n%s\nwant\n%s", strings.Join(d.Lines, "\n"), strings.Join(r.CorrectedLines, "\n"))
			}
			if !d.Valid {
				t.Errorf("check digits %v", d.CheckDigits)
			}
			changed := 0
			for i, line := range d.Lines {
				for j := range line {
					if line[j] != r.Lines[i][j] {
						changed++
					}
				}
			}
			if changed != len(d.Repairs) || changed == 0 {
				t.Errorf("%d characters changed, %d repairs reported", changed, len(d.Repairs))
			}
		})
	}
}
