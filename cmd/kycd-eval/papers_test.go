package main

import (
	"testing"

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

func TestPayloadsComeBackFromJSON(t *testing.T) {
	for payload, want := range map[string]string{"plain": "plain", "caf\u00e9": "caf\u00e9", "\xff\x00": "\u00ff\x00"} {
		if got := latin1(payload); got != want {
			t.Errorf("%q became %q, want %q", payload, got, want)
		}
	}
}
