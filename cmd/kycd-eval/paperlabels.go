package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kycd/kyc/aamva"
	"kycd/kyc/mrz"
	"kycd/vision"
)

// labelled is what came of labelled texts: shares of texts and fields, and which failed. Names of failures hold no values.
type labelled struct {
	texts  rate
	fields rate
	failed []string
}

func (l *labelled) fail(format string, values ...any) {
	l.failed = append(l.failed, fmt.Sprintf(format, values...))
}

// readPayloads parses the labelled payloads of barcodes: no picture, the parser alone.
func readPayloads(e *evaluation, r *papersResult) error {
	records, err := e.data.payloads()
	if err != nil {
		return err
	}
	for _, record := range limited(records, e.limit) {
		payload, err := os.ReadFile(e.data.path("aamva/dev/" + record.File))
		if err != nil {
			return err
		}
		parsed, err := aamva.Parse(payload)
		if record.Kind == "invalid" {
			r.payloads.texts.add(err != nil)
			if err == nil {
				r.payloads.fail("%s: read, though it is no payload", record.ID)
			}
			continue
		}
		if err != nil {
			r.payloads.texts.add(false)
			r.payloads.fail("%s: not read", record.ID)
			continue
		}
		got, whole := parsed.Fields(), true
		want := record.fields()
		for _, field := range slices.Sorted(maps.Keys(want)) {
			right := got[field] == want[field]
			r.payloads.fields.add(right)
			if !right {
				r.payloads.fail("%s: %s", record.ID, field)
			}
			whole = whole && right
		}
		r.payloads.texts.add(whole)
	}
	return nil
}

// payloadRecord is a labelled payload. Expected has the names of the corpus.
type payloadRecord struct {
	ID, Kind, File string
	Expected       map[string]any
}

func (t testdata) payloads() ([]payloadRecord, error) {
	var records []payloadRecord
	return records, t.json("aamva/dev/expected.json", &records)
}

// fields are the expected values under the names and in the forms of the API.
func (p payloadRecord) fields() map[string]string {
	want := map[string]string{}
	said := func(key string) string {
		text, _ := p.Expected[key].(string)
		return text
	}
	put := func(field, value string) {
		if value != "" {
			want[field] = value
		}
	}
	for field, key := range map[string]string{
		"first_name": "first_name", "middle_name": "middle_name", "last_name": "last_name", "name_suffix": "name_suffix", "city": "city",
		"state": "jurisdiction", "birth_date": "date_of_birth", "issued_at": "issue_date", "expires_at": "expiration_date",
		"document_number": "document_number", "class": "vehicle_class", "restrictions": "restriction_codes", "endorsements": "endorsement_codes",
		"ref_number": "document_discriminator", "postal_code": "postal_code_display",
	} {
		put(field, said(key))
	}
	put("gender", strings.ToLower(said("sex")))
	put("street", strings.Join(strings.Fields(said("street_1")+" "+said("street_2")), " "))
	put("issuing_country", map[string]string{"Usa": "USA", "Canada": "CAN"}[said("country")])
	colours := map[string]string{"Blue": "BLU", "Brown": "BRO", "Green": "GRN", "Hazel": "HAZ", "Black": "BLK", "Blond": "BLN"}
	put("eye_color", colours[said("eye_color")])
	put("hair_color", colours[said("hair_color")])
	for key, unit := range map[string]string{"height_in": "in", "height_cm": "cm"} {
		if v, ok := p.Expected[key].(float64); ok {
			put("height", fmt.Sprintf("%.0f %s", v, unit))
		}
	}
	if v, ok := p.Expected["weight_lbs"].(float64); ok {
		put("weight", fmt.Sprintf("%.0f lb", v))
	}
	if v := said("weight_range"); v != "" {
		put("weight", strings.Replace(strings.TrimPrefix(v, "Lbs"), "To", "-", 1)+" lb")
	}
	return want
}

// readZoneTexts parses the labelled texts of machine-readable zones.
func readZoneTexts(e *evaluation, r *papersResult) error {
	var records []struct {
		Name      string
		Lines     []string
		Format    *string           `json:"icao_format"`
		Expected  map[string]string `json:"expected"`
		AllValid  *bool             `json:"all_check_digits_valid"`
		Corrected []string          `json:"corrected_lines"`
	}
	if err := e.data.json("mrz/dev/mrz_text.json", &records); err != nil {
		return err
	}
	for i, record := range limited(records, e.limit) {
		if record.Format == nil || record.Expected == nil { // a national layout that is no zone of ICAO's
			continue
		}
		name := fmt.Sprintf("text %d (%s, %s)", i, *record.Format, record.Name)
		zone, err := mrz.Parse(record.Lines, day())
		if err != nil {
			r.zoneTexts.texts.add(false)
			r.zoneTexts.fail("%s: not read", name)
			continue
		}
		whole := true
		judge := func(what string, right bool) {
			r.zoneTexts.fields.add(right)
			if !right {
				r.zoneTexts.fail("%s: %s", name, what)
			}
			whole = whole && right
		}
		judge("format", string(zone.Format) == *record.Format)
		switch {
		case record.Corrected != nil:
			judge("repaired lines", slices.Equal(zone.Lines, record.Corrected))
		case len(zone.Repairs) == 0:
			for field, got := range map[string]string{
				"document_code": zone.Type, "issuer": zone.Issuer, "document_number": zone.Number, "nationality": zone.Nationality,
				"surname": zone.Surname, "given_names": zone.GivenNames, "birth_date": shortDate(zone.BirthDate), "expiry_date": shortDate(zone.ExpiresAt),
			} {
				if want, ok := record.Expected[field]; ok && (got != "" || !strings.HasSuffix(field, "_date")) {
					judge(field, got == want)
				}
			}
		}
		if record.AllValid != nil && record.Corrected == nil {
			judge("whether all check digits are right", zone.Valid == *record.AllValid)
		}
		r.zoneTexts.texts.add(whole)
	}
	slices.Sort(r.zoneTexts.failed)
	return nil
}

// shortDate is an ISO date as zones write it: YYMMDD.
func shortDate(iso string) string {
	plain := strings.ReplaceAll(iso, "-", "")
	return plain[min(2, len(plain)):]
}

func readSymbols(ctx context.Context, e *evaluation, r *papersResult) error {
	symbols, err := e.data.symbols()
	if err != nil {
		return err
	}
	symbols = limited(symbols, e.limit)
	files := make([]string, len(symbols))
	for i, s := range symbols {
		files[i] = s.file
	}
	analyses, err := e.full.analyze(ctx, "barcodes", files)
	if err != nil {
		return err
	}
	plain, err := e.plainCodes(ctx, files)
	if err != nil {
		return err
	}
	for i, a := range analyses {
		text, read := pdf417(a)
		one, right := r.symbols.of("sample pictures"), read && text == vision.PayloadText(symbols[i].payload)
		one.add(read, right)
		if plain != nil {
			one.plain.add(plain[i].Text == vision.PayloadText(symbols[i].payload))
		}
		if !right {
			r.symbolsFailed = append(r.symbolsFailed, filepath.Base(symbols[i].file))
		}
	}
	return nil
}

func readZones(ctx context.Context, e *evaluation, r *papersResult) error {
	zones, err := e.data.zones()
	if err != nil {
		return err
	}
	zones = limited(zones, e.limit)
	files := make([]string, len(zones))
	for i, z := range zones {
		files[i] = z.file
	}
	analyses, err := e.full.analyze(ctx, "mrz", files)
	if err != nil {
		return err
	}
	for i, a := range analyses {
		r.zone("sample pictures", &r.zones, a, zones[i].lines)
		if a.MRZ == nil || !slices.Equal(a.MRZ.Lines, zones[i].lines) {
			r.zonesFailed = append(r.zonesFailed, filepath.Base(zones[i].file)+": "+whatOf(a.MRZ))
		}
	}
	return nil
}

func whatOf(zone *vision.MRZ) string {
	switch {
	case zone == nil:
		return "no zone found"
	case !zone.Valid:
		return "check digits disagree"
	}
	return "read, but not to the letter"
}

// plainCode is what zxing-cpp by itself read in a file.
type plainCode struct {
	File  string `json:"file"`
	Found bool   `json:"found"`
	Text  string `json:"text"`
}

// plainCodes asks vision/barcode/plain about the files; nil if it is not to be compared.
func (e *evaluation) plainCodes(ctx context.Context, files []string) ([]plainCode, error) {
	if e.plain == "" {
		return nil, nil
	}
	return stream[plainCode](ctx, sidecar{program: e.plain, progress: e.out}, len(files), files...)
}
