package main

import (
	"strings"
	"testing"

	"kycd/kyc/specimen"
	"kycd/vision"
)

func TestZonesThatClaimToBeRight(t *testing.T) {
	truth := []string{"IPUTOC494056169<<<<<<<<<<<<<<<", "9103111M3312186UTO<<<<<<<<<<<6", "OWLSWORTH<<PHINEAS<CASPIAN<<<<"}
	with := func(line int, at int, letter string) []string {
		changed := append([]string{}, truth...)
		changed[line] = changed[line][:at] + letter + changed[line][at+1:]
		return changed
	}
	cases := map[string]struct {
		zone                             *vision.MRZ
		right, wrong, falsely, deceiving int
	}{
		"right":           {&vision.MRZ{Lines: truth, Valid: true}, 1, 0, 0, 0},
		"name misread":    {&vision.MRZ{Lines: with(2, 0, "U"), Valid: true}, 0, 1, 1, 0},
		"sex misread":     {&vision.MRZ{Lines: with(1, 7, "H"), Valid: true}, 0, 1, 1, 0},
		"number misread":  {&vision.MRZ{Lines: with(0, 7, "0"), Valid: true}, 0, 1, 1, 1},
		"digits disagree": {&vision.MRZ{Lines: truth}, 0, 0, 0, 0},
		"no zone":         {nil, 0, 0, 0, 0},
	}
	for name, c := range cases {
		var r papersResult
		r.zone("x", &r.zones, vision.Analysis{MRZ: c.zone}, truth)
		one := r.zones.of("x")
		if one.right != (rate{c.right, 1}) || one.wrong != (rate{c.wrong, 1}) || r.falsely.K != c.falsely || r.deceived.K != c.deceiving {
			t.Errorf("%s: right %v, wrong %v, falsely %v, deceived %v", name, one.right, one.wrong, r.falsely, r.deceived)
		}
	}
}

// TestDocumentsPage writes the section as it is before and after something was counted.
func TestDocumentsPage(t *testing.T) {
	s := &documentsSection{Papers: papersResult{each: 1, fields: map[string]readings{}, core: map[string]readings{}, checks: newChecksResult()}}
	p := &page{sections: map[string]string{}, rows: map[string][][]string{}, order: []string{"documents"}}
	if err := p.put(s); err != nil {
		t.Fatal(err)
	}
	r := &s.Papers
	r.codesAt, r.plainAt, r.zonesAt, r.frontsAt = byLevel{}, byLevel{}, byLevel{}, byLevel{}
	clean := order{kind: specimen.DriverLicense, scene: scenes()[0]}
	back := clean
	back.back = true
	truth := specimen.Truth{DocumentNumber: "K1", LastName: "MOONHOLLOW", FirstName: "ISOLDE", BirthDate: "1985-02-28", Barcode: "payload"}
	r.read(sheet{order: clean, truth: truth}, vision.Analysis{Fields: map[string]vision.Field{"last_name": {Value: "Moonhollow"}, "first_name": {Value: "IS0LDE"}}}, nil)
	r.read(sheet{order: back, truth: truth}, vision.Analysis{
		Barcodes: []vision.Barcode{{Format: "PDF417", Text: "payload"}}, AAMVA: map[string]string{"DAQ": "K1"},
	}, &plainCode{})
	r.payloads.fail("CT: street")
	if err := p.put(s); err != nil {
		t.Fatal(err)
	}
	text := p.sections["documents"]
	for _, want := range []string{
		"driver_license clean | 100 % [2.5, 100] (1/1) | 0 | 0 % [0, 97.5] (0/1)", // the barcode, and beside it the library alone
		"`CT: street`",
		"driver_license clean | 100 % [2.5, 100] (1/1) | 0 % | 0 % | 0 % [0, 97.5] (0/1) | 100 % | 0 % | 0 % [0, 97.5] (0/1) | 0 % | 100 %", // name right, first name wrong, number missing
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
}
