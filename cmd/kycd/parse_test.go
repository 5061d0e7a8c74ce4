package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kycd/kyc/aamva"
)

// parseTexts runs kycd parse with a text on the standard input. It gives what it printed and the exit status.
func parseTexts(t *testing.T, stdin string, args ...string) (out string, status int) {
	t.Helper()
	cmd := rootCommand()
	var stdout bytes.Buffer
	cmd.SetArgs(append([]string{"parse"}, args...))
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&stdout)
	cmd.SetErr(&bytes.Buffer{})
	err := cmd.ExecuteContext(t.Context())
	if err != nil && strings.Contains(err.Error(), "CASTAFIORE") {
		t.Errorf("personal data in %v", err)
	}
	return stdout.String(), exitStatus(err)
}

// parseObjects is parseTexts with --json: one object a line.
func parseObjects(t *testing.T, stdin string, args ...string) (objects []map[string]any, status int) {
	t.Helper()
	out, status := parseTexts(t, stdin, append(args, "--json")...)
	for line := range strings.Lines(out) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for name, value := range object {
			if value == nil {
				t.Errorf("%s is null", name)
			}
		}
		objects = append(objects, object)
	}
	return objects, status
}

// licencePayload is the barcode of an invented licence whose holder lives in another state.
func licencePayload(t *testing.T) string {
	t.Helper()
	payload, err := aamva.Compose(aamva.Card{
		IIN: "636000", Version: 10, Subfile: "DL",
		Elements: map[string]string{
			"DAQ": "K1234567", "DCS": "CASTAFIORE", "DAC": "BIANCA", "DAD": "ROSINA", "DBB": "02281985", "DBA": "02282031", "DBD": "01092025",
			"DBC": "2", "DAU": "068 in", "DAJ": "MD", "DCG": "USA", "DDE": "N", "DDF": "T", "DDA": "F", "DDB": "06062018", "DDL": "1", "DCF": "0042",
		},
		Jurisdiction: map[string]string{"ZVA": "01"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(payload)
}

// at follows names into an object, and prints what is there.
func at(object map[string]any, names ...string) string {
	var value any = object
	for _, name := range names {
		inner, _ := value.(map[string]any)
		value = inner[name]
	}
	return fmt.Sprint(value)
}

func TestParseAAMVA(t *testing.T) {
	file := filepath.Join(t.TempDir(), "payload.txt")
	if err := os.WriteFile(file, []byte(strings.Replace(licencePayload(t), "02281985", "19850228", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	objects, status := parseObjects(t, licencePayload(t), "aamva", file, "-")
	if status != 0 || len(objects) != 2 {
		t.Fatalf("status %d, %d objects", status, len(objects))
	}
	for _, object := range objects {
		for want, names := range map[string][]string{
			"K1234567": {"fields", "document_number"}, "1985-02-28": {"fields", "birth_date"}, "0042": {"fields", "ref_number"},
			"2031-02-28": {"fields", "expires_at"}, "female": {"fields", "gender"}, "USA": {"fields", "issuing_country"},
			"VA": {"fields", "issuing_state"}, "MD": {"fields", "state"}, "10": {"version"}, "636000": {"iin"},
			"Virginia": {"jurisdiction_name"}, "disagree": {"state_agreement"}, "agree": {"country_agreement"},
			"CASTAFIORE": {"elements", "DCS"}, "01": {"elements", "ZVA"}, "false": {"truncated", "last_name"},
			"F": {"details", "compliance_type"}, "2018-06-06": {"details", "card_revision_date"},
			"[map[code:issuer_mismatch field:state]]": {"errors"},
		} {
			if got := at(object, names...); got != want {
				t.Errorf("%v = %s, want %s", names, got, want)
			}
		}
		if at(object, "truncated", "first_name") != "true" || at(object, "details", "veteran") != "true" || at(object, "jurisdiction") != "VA" {
			t.Errorf("object %v", object)
		}
	}
	if at(objects[0], "file") != file || at(objects[1], "file") != "-" {
		t.Errorf("files %s and %s", at(objects[0], "file"), at(objects[1], "file"))
	}
	if at(objects[0], "repairs") != "[map[code:date_order]]" || at(objects[1], "repairs") != "[]" {
		t.Errorf("repairs %s and %s", at(objects[0], "repairs"), at(objects[1], "repairs"))
	}
}

func TestParseMRZ(t *testing.T) {
	const zone = "P<UT0CASTAFIORE<<BIANCA<<<<<<<<<<<<<<<<<<<<<\nL898902C36UTO74O8122F1204159ZE184226B<<<<<10\n"
	objects, status := parseObjects(t, zone, "mrz", "-", "--today", "2026-03-15")
	if status != 0 || len(objects) != 1 {
		t.Fatalf("status %d, %d objects", status, len(objects))
	}
	for want, names := range map[string][]string{
		"TD3": {"format"}, "true": {"valid"}, "L898902C3": {"fields", "document_number"}, "CASTAFIORE": {"fields", "last_name"},
		"1974-08-12": {"fields", "birth_date"}, "UTO": {"fields", "issuing_country"}, "[]": {"errors"},
		"map[birth_date:true composite:true document_number:true expires_at:true optional:true]":                                                                        {"check_digits"},
		"[map[code:character column:4 confirmed:false field:issuer from:0 row:0 to:O] map[code:character column:15 confirmed:true field:birth_date from:O row:1 to:0]]": {"repairs"},
		"[P<UTOCASTAFIORE<<BIANCA<<<<<<<<<<<<<<<<<<<<< L898902C36UTO7408122F1204159ZE184226B<<<<<10]":                                                                   {"lines"},
	} {
		if got := at(objects[0], names...); got != want {
			t.Errorf("%v = %s, want %s", names, got, want)
		}
	}
	// Wrong check digits are a find, not a failure.
	objects, status = parseObjects(t, strings.Replace(zone, "74O8122F", "7408125F", 1), "mrz", "-")
	if status != 0 || at(objects[0], "valid") != "false" || at(objects[0], "check_digits", "birth_date") != "false" ||
		at(objects[0], "errors") != "[map[code:check_digit_wrong field:birth_date] map[code:check_digit_wrong field:composite]]" {
		t.Errorf("status %d, object %v", status, objects)
	}
}

func TestParseWhatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, size int) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, bytes.Repeat([]byte("A<\x00\n"), size/4), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for name, tc := range map[string]struct{ file, aamva, mrz string }{
		"missing":        {filepath.Join(folder, "none"), "file_missing", "file_missing"},
		"a folder":       {folder, "file_unreadable", "file_unreadable"},
		"over a MiB":     {write("large", 1<<20+4), "file_too_large", "file_too_large"},
		"a MiB":          {write("most", 1<<20), "aamva_too_long", "mrz_text_too_long"},
		"4000 bytes":     {write("some", 4000), "aamva_header_missing", "mrz_not_found"},
		"an empty file":  {write("empty", 0), "aamva_too_short", "mrz_not_found"},
		"standard input": {"-", "aamva_too_short", "mrz_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, code := range map[string]string{"aamva": tc.aamva, "mrz": tc.mrz} {
				objects, status := parseObjects(t, "", kind, tc.file)
				if status != 1 || len(objects) != 1 || at(objects[0], "errors") != "[map[code:"+code+" field:]]" {
					t.Errorf("%s: status %d, objects %v", kind, status, objects)
				}
			}
		})
	}
	// One that cannot be read keeps none of the others from being read.
	objects, status := parseObjects(t, licencePayload(t), "aamva", filepath.Join(folder, "none"), "-")
	if status != 1 || len(objects) != 2 || at(objects[1], "fields", "first_name") != "BIANCA" {
		t.Errorf("status %d, objects %v", status, objects)
	}
}

func TestParseListing(t *testing.T) {
	out, status := parseTexts(t, strings.Replace(licencePayload(t), "BIANCA", "BI\x1b[31mANCA", 1), "aamva", "-")
	if status != 0 || strings.Contains(out, "\x1b") {
		t.Errorf("status %d, output %q", status, out)
	}
	for _, line := range []string{"fields.last_name", "CASTAFIORE", "code=issuer_mismatch field=state", "state_agreement", "disagree"} {
		if !strings.Contains(out, line) {
			t.Errorf("no %s in\n%s", line, out)
		}
	}
}

func TestParseUsage(t *testing.T) {
	for name, args := range map[string][]string{
		"no kind": {}, "another kind": {"passport", "-"}, "no file": {"mrz"}, "an unknown flag": {"aamva", "-", "--yaml"},
		"a date that is none": {"mrz", "-", "--today", "yesterday"},
	} {
		if out, status := parseTexts(t, "", args...); status != 2 || out != "" {
			t.Errorf("%s: status %d, output %q", name, status, out)
		}
	}
}
