package document

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"kycd/kyc/specimen"
	"kycd/vision"
)

// What a picture shows of a document that reaches beyond its border is found, and said to be a part.
func TestFindDocumentsCutOff(t *testing.T) {
	p := press(t)
	var seen hits
	for _, kind := range specimen.Types() {
		for i := range 4 {
			s := specimen.Clean(4000 + uint64(i))
			s.Width, s.Height, s.Background = 960, 720, specimen.Backgrounds()[i%3]
			s.Cut, s.OneSide = 0.1+0.05*float64(i), i%2 == 1
			random := rand.New(rand.NewPCG(s.Seed, 7))
			d := specimen.RandomDocument(random, kind, specimen.RandomPerson(random, today()), today())
			side, err := p.Front(d, specimen.Silhouette())
			if err != nil {
				t.Fatal(err)
			}
			got := cutPhotograph(t, side, s)
			ok := got.CutOff && got.Confidence >= FoundConfidence
			if seen.count(ok); !ok {
				t.Logf("%s %d: confidence %.2f, cut off %v", kind, i, got.Confidence, got.CutOff)
			}
		}
	}
	if seen.found < seen.all-1 {
		t.Errorf("%d of %d were seen to be cut off", seen.found, seen.all)
	}
}

func cutPhotograph(t *testing.T, side image.Image, s specimen.Scene) vision.Document {
	t.Helper()
	photo, err := specimen.Photograph(side, s)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := Find(bgrOf(decoded), photo.Width, photo.Height)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Two lines that cross, or sides that end within the picture, are no torn document, and neither is an empty sheet.
func TestTornNeedsSidesThatLeaveThePicture(t *testing.T) {
	const w, h = 320, 240
	draw := func(paint func(x, y int) bool, print bool) (edgeMap, []byte) {
		pix := make([]byte, 3*w*h)
		for y := range h {
			for x := range w {
				level := byte(60)
				if paint(x, y) {
					level = 220
					if print && y/5%2 == 0 && x%4 < 2 && x > 80 && y > 70 {
						level = 40
					}
				}
				for c := range 3 {
					pix[3*(y*w+x)+c] = level
				}
			}
		}
		return newEdgeMap(pix, w, h), pix
	}
	for _, c := range []struct {
		name  string
		paint func(x, y int) bool
		print bool
		want  bool
	}{
		{"corner and two sides", func(x, y int) bool { return x > 60 && y > 50 }, true, true},
		{"empty sheet", func(x, y int) bool { return x > 60 && y > 50 }, false, false},
		{"two corners and three sides", func(x, y int) bool { return x > 60 && y > 50 && y < 200 }, true, true},
		{"cross", func(x, y int) bool { return (x > 60) != (y > 50) }, true, false},
		{"whole", func(x, y int) bool { return x > 60 && y > 50 && x < 250 && y < 190 }, true, false},
	} {
		m, pix := draw(c.paint, c.print)
		lines := m.straight(m.crests())
		if _, got := m.tornDocument(pix, lines, 0); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
