package main

import (
	"strings"
	"testing"

	"kycd/kyc/specimen"
	"kycd/vision"
)

func TestGridHoldsEveryCombination(t *testing.T) {
	photographs, kinds := 0, map[specimen.Type]bool{}
	documents := map[string]bool{}
	for number, part := range gridParts() {
		orders := gridOrders(part, number)
		if len(orders) != part.times*cells() {
			t.Fatalf("%s: %d photographs, want %d", part.kind, len(orders), part.times*cells())
		}
		photographs += len(orders)
		kinds[part.kind] = true
		combinations := map[string]int{}
		for _, o := range orders {
			var names []string
			for _, l := range o.levels[:len(gridAxes())] {
				names = append(names, l.name)
			}
			combinations[strings.Join(names, ",")]++
			s := o.scene.of(o.seed)
			upright := s.Width > s.Height
			if sideways := names[1] == "sideways"; sideways == upright {
				t.Errorf("%v: %d × %d", names, s.Width, s.Height)
			}
			if names[0] == "sharp" && s.Blur > 2 || names[3] == "none" && s.Glare > 0 || names[4] == "low" && s.Quality > 50 {
				t.Errorf("%v: %+v", names, s)
			}
			documents[string(o.kind)+string(rune(o.seed))] = true
		}
		if len(combinations) != cells() {
			t.Errorf("%s: %d combinations, want %d", part.kind, len(combinations), cells())
		}
		for names, n := range combinations {
			if n != part.times {
				t.Errorf("%s: %s comes up %d times, want %d", part.kind, names, n, part.times)
			}
		}
	}
	if photographs < 2000 || len(kinds) != 4 || len(documents) < 150 {
		t.Errorf("%d photographs of %d documents of %d kinds", photographs, len(documents), len(kinds))
	}
}

func TestGridIsTheSameOnEveryRun(t *testing.T) {
	part := gridParts()[0]
	a, b := gridOrders(part, 0), gridOrders(part, 0)
	for i := range a {
		if a[i].scene.of(0) != b[i].scene.of(0) || a[i].seed != b[i].seed {
			t.Fatalf("photograph %d differs: %+v, %+v", i, a[i].scene.of(0), b[i].scene.of(0))
		}
	}
}

func TestCrossChecksOfPhotographs(t *testing.T) {
	code := &said{fields: map[string]string{"last_name": "MOONHOLLOW", "first_name": "ISOLDE", "document_number": "K123456789", "birth_date": "1985-02-28"}}
	with := func(field, value string) map[string]string {
		fields := map[string]string{}
		for name, v := range code.fields {
			fields[name] = v
		}
		fields[field] = value
		return fields
	}
	c := newChecksResult()
	c.honest(specimen.Passport, with("document_number", "K1234S6789"), code) // a reader's error
	c.honest(specimen.Passport, with("last_name", "THISTLEDOWN"), code)      // a page that was read wrongly
	c.honest(specimen.Passport, nil, code)                                   // a page that was not read
	c.honest(specimen.Passport, with("last_name", "X"), nil)                 // no zone
	if got := *c.failed["passport"]; got != (rate{1, 2}) || c.because["name"] != 1 || *c.compared["passport"] != (rate{2, 4}) {
		t.Errorf("failed %v, because %v, compared %v", got, c.because, c.compared["passport"])
	}
	number := mismatches()[2]
	c.forged(specimen.Passport, number, with("document_number", "K123456709"), code) // 8 and 0 look alike: not told
	c.forged(specimen.Passport, number, with("document_number", "K123416789"), code)
	c.forged(specimen.Passport, number, with("document_number", ""), code)
	c.forged(specimen.Passport, number, with("document_number", ""), nil)
	if missed, unread := *c.missed[number.name], *c.unread[number.name]; missed != (rate{1, 2}) || unread != (rate{1, 3}) {
		t.Errorf("missed %v, not compared %v", missed, unread)
	}
}

func TestEncodedSideIsWhatTheServerBelieves(t *testing.T) {
	lines := []string{"IPUTOC494056169<<<<<<<<<<<<<<<", "9103111M3312186UTO<<<<<<<<<<<6", "OWLSWORTH<<PHINEAS<CASPIAN<<<<"}
	if got := encodedOf(vision.Analysis{MRZ: &vision.MRZ{Lines: lines}}); got != nil {
		t.Errorf("a zone with wrong check digits is believed: %v", got)
	}
	if got := encodedOf(vision.Analysis{MRZ: &vision.MRZ{Lines: lines, Valid: true}}); got == nil || got.fields["last_name"] != "OWLSWORTH" {
		t.Errorf("a zone: %v", got)
	}
	if got := encodedOf(vision.Analysis{Barcodes: []vision.Barcode{{Format: "PDF417", Text: "no licence"}}}); got != nil {
		t.Errorf("a code of something else: %v", got)
	}
}

func TestHintsOfCleanPhotographs(t *testing.T) {
	var h hintsResult
	clean := sheet{order: order{scene: scene{name: "clean"}, back: true}}
	h.scene(clean, vision.Analysis{Hints: []vision.Hint{vision.HintBlurred}, Document: &vision.Document{Side: vision.SideFront}})
	h.scene(clean, vision.Analysis{Document: &vision.Document{}})
	h.scene(sheet{order: order{scene: scene{name: "poor"}}}, vision.Analysis{Hints: []vision.Hint{vision.HintBlurred}})
	if *h.falsely[vision.HintBlurred] != (rate{1, 2}) {
		t.Errorf("blurred %v", h.falsely[vision.HintBlurred])
	}
	easy := []level{{axisBlur, "sharp"}, {axisGlare, "none"}, {axisQuality, "high"}, {axisPerspective, "flat"}, {axisGround, "desk"}}
	for axis, hard := range map[int]string{0: "blurred", 1: "reflection", 2: "low", 3: "strong", 4: string(specimen.Cards)} {
		levels := append([]level{}, easy...)
		levels[axis].name = hard
		h.grid(sheet{order: order{levels: levels}}, vision.Analysis{})
	}
	h.grid(sheet{order: order{levels: easy}}, vision.Analysis{})
	if *h.onGrid[vision.HintCutOff] != (rate{0, 1}) {
		t.Errorf("of six photographs one is easy, counted were %v", h.onGrid[vision.HintCutOff])
	}
}

func TestSidesAreCountedByWhatIsShown(t *testing.T) {
	var s sides
	s.add(&vision.Document{Side: vision.SideBack}, true)
	s.add(&vision.Document{Side: vision.SideFront}, true)
	s.add(&vision.Document{Side: vision.SideUnknown}, false)
	s.add(nil, false)
	if s.named != (rate{1, 4}) || s.misnamed != (rate{1, 4}) {
		t.Errorf("named %v, misnamed %v", s.named, s.misnamed)
	}
}

func TestGridFigureShowsEveryLine(t *testing.T) {
	r := papersResult{codesAt: byLevel{}, plainAt: byLevel{}, zonesAt: byLevel{}, frontsAt: byLevel{}}
	r.codesAt.add([]level{{axisBlur, "sharp"}, {axisBlur, "soft"}}, true)
	svg := gridFigure(r)
	for _, want := range []string{"upside down", "zxing-cpp", "<title>", "keys", "4000 × 3000"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the figure lacks %q", want)
		}
	}
	if n := strings.Count(svg, `r="2.6"`); n != 2 {
		t.Errorf("%d dots, want 2", n)
	}
}
