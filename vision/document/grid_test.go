package document

import (
	"math"
	"slices"
	"testing"

	"kycd/kyc/specimen"
	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

// hits counts, over photographs of a grid, outlines that cover the true one by nine tenths (intersection over union).
type hits struct{ found, all int }

func (h *hits) count(ok bool) {
	h.all++
	if ok {
		h.found++
	}
}

// One photograph for each ground, with a finger over a corner or a corner cut off besides.
func TestFindOnBusyGrounds(t *testing.T) {
	p := press(t)
	var got hits
	for _, v := range grid(12, 3) {
		if v.ground == textPage || v.ground == string(specimen.Desk) {
			continue
		}
		s := take(t, p, v)
		d, found, err := Find(s.bgr, s.w, s.h)
		if err != nil {
			t.Fatal(err)
		}
		ok := found && d.Confidence >= FoundConfidence && overlap(d.Corners, s.corners, s.w, s.h) >= 0.9
		if got.count(ok); !ok {
			t.Logf("%s: found %v with confidence %.2f, overlap %.2f", v, found, d.Confidence, overlap(d.Corners, s.corners, s.w, s.h))
		}
	}
	if t.Logf("%d of %d", got.found, got.all); got.found < got.all-1 {
		t.Errorf("%d of %d outlines", got.found, got.all)
	}
}

// BenchmarkGrid reports success rate, corner error and time over a grid of 240 photographs; run it with -benchtime 1x.
func BenchmarkGrid(b *testing.B) {
	p := press(b)
	for b.Loop() {
		rates := map[string]*hits{}
		var errs []float64
		for _, v := range grid(240, 2) {
			s := take(b, p, v)
			d, found, err := Find(s.bgr, s.w, s.h)
			if err != nil {
				b.Fatal(err)
			}
			ok := found && overlap(d.Corners, s.corners, s.w, s.h) >= 0.9
			for _, name := range []string{"all", v.ground} {
				if rates[name] == nil {
					rates[name] = &hits{}
				}
				rates[name].count(ok)
			}
			if ok {
				errs = append(errs, off(d, s))
			}
		}
		for name, r := range rates {
			b.ReportMetric(float64(r.found)/float64(r.all), name)
		}
		slices.Sort(errs)
		b.ReportMetric(errs[len(errs)/2], "corner-error")
	}
}

// A corner outside of the picture is one that is cut off, and so is a side along its border; a document with room around it is whole.
func TestCutOff(t *testing.T) {
	whole := quad{{X: 100, Y: 100}, {X: 900, Y: 100}, {X: 900, Y: 600}, {X: 100, Y: 600}}
	outside := whole
	outside[2] = vision.Point{X: 1040, Y: 620}
	along := quad{{X: 100, Y: 2}, {X: 900, Y: 3}, {X: 900, Y: 600}, {X: 100, Y: 600}}
	for _, c := range []struct {
		name string
		quad quad
		want bool
	}{{"whole", whole, false}, {"corner outside", outside, true}, {"side along the border", along, true}, {"scan", frame(1000, 700), false}} {
		if got := cutOff(c.quad, 1000, 700); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestResolution(t *testing.T) {
	// A card of 3.37 by 2.125 inches.
	d := vision.Document{Type: TypeID1, Corners: quad{{X: 0, Y: 0}, {X: 337, Y: 0}, {X: 337, Y: 212.5}, {X: 0, Y: 212.5}}}
	if got := resolution(d); math.Abs(got-100) > 0.2 {
		t.Errorf("%.2f dpi, want 100", got)
	}
	d.Type = TypeID3
	if got := resolution(d); math.Abs(got-100*math.Sqrt(85.6*53.98/(125*88))) > 0.2 {
		t.Errorf("%.2f dpi", got)
	}
}

func TestOthersAreApart(t *testing.T) {
	m := edgeMap{w: 1000, h: 800}
	card := func(x, y, w float64) quad {
		return quad{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + w/1.586}, {X: x, Y: y + w/1.586}}
	}
	first := card(50, 50, 400)
	all := []proposal{
		{quad: first, score: 0.9}, {quad: card(60, 55, 380), score: 0.9}, // the first again
		{quad: card(100, 80, 120), score: 0.9},                                           // a box printed on it
		{quad: card(500, 400, 400), score: 0.8}, {quad: card(510, 400, 390), score: 0.8}, // one more, twice
		{quad: card(550, 50, 300), score: plainScore - 0.01}, // nothing sure
	}
	if got := m.others(first, all); got != 1 {
		t.Errorf("%d others, want 1", got)
	}
}

// Two cards above each other have the outline of a passport page; smaller boxes, faint ones and those beside it do not count.
func TestSwallows(t *testing.T) {
	m := edgeMap{w: 1000, h: 1000}
	box := func(x, y, w, h float64) quad {
		return quad{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + h}, {X: x, Y: y + h}}
	}
	both := proposal{quad: box(100, 50, 600, 850)}
	upper := proposal{quad: box(100, 50, 600, 600/1.586), score: 0.8}
	lower := box(100, 900-600/1.586, 600, 600/1.586)
	for name, c := range map[string]struct {
		other proposal
		want  bool
	}{
		"second card": {proposal{quad: lower, score: 0.7}, true},
		"faint":       {proposal{quad: lower, score: 0.5}, false},
		"small":       {proposal{quad: box(150, 600, 300, 300/1.586), score: 0.7}, false},
		"aside":       {proposal{quad: box(300, 620, 600, 600/1.586), score: 0.7}, false},
		"square":      {proposal{quad: box(150, 450, 450, 450), score: 0.7}, false},
	} {
		if got := m.swallows(both, []proposal{upper, c.other}); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Pictures of people are no documents; scans that a document fills are.
func TestFindTellsDocumentsFromPictures(t *testing.T) {
	for name, want := range map[string]bool{
		"mrz/dev/images/fast_td3.jpg":                                 true,
		"mrz/dev/images/sidtd_aze01.jpg":                              true,
		"mrz/dev/images/pe_100_pass-fin.png":                          true,
		"documents/dev/id_documents/docxpand_id_card_td1_a_front.png": true,
		"documents/dev/id_documents/docxpand_pp_td3_a_front.png":      true,
		"documents/dev/non_documents/mindee_bill_of_lading.jpg":       false,
		"documents/dev/non_documents/mindee_delivery_notes.jpg":       false,
		"documents/dev/non_documents/photo_mobile_jolla.jpg":          false,
		"faces/dev/counts/photoprism_7.jpg":                           false,
		"faces/dev/counts/two_people.jpg":                             false,
		"faces/dev/identities/lfw/Colin_Powell/Colin_Powell_0001.jpg": false,
		"faces/dev/identities/deepface/p00/img1.jpg":                  false,
	} {
		pic, err := imaging.Decode(visiontest.Read(t, name), imaging.Options{})
		if err != nil {
			t.Fatal(err)
		}
		d, found, err := Find(pic.Pix, pic.Width, pic.Height)
		if err != nil {
			t.Fatal(err)
		}
		if got := found && d.Confidence >= FoundConfidence; got != want {
			t.Errorf("%s: found %v, %s with confidence %.2f", name, found, d.Type, d.Confidence)
		}
	}
}
