package quality_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kycd/kyc/specimen"
	"kycd/vision"
	"kycd/vision/document"
	"kycd/vision/imaging"
	"kycd/vision/quality"
)

// page photographs a specimen card and cuts it out by its true corners.
func page(t testing.TB, scene specimen.Scene) *imaging.Picture {
	t.Helper()
	p, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 11))
	today := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	front, err := p.Front(specimen.RandomDocument(random, specimen.DriverLicense, specimen.RandomPerson(random, today), today), specimen.Silhouette())
	if err != nil {
		t.Fatal(err)
	}
	photo, err := specimen.Photograph(front, scene)
	if err != nil {
		t.Fatal(err)
	}
	pic, err := imaging.Decode(photo.JPEG, imaging.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := vision.Document{Type: document.TypeID1}
	for i, c := range photo.Corners {
		d.Corners[i] = vision.Point{X: c.X, Y: c.Y}
	}
	pix, w, h, err := document.Rectify(pic.Pix, pic.Width, pic.Height, d, document.CardDPI)
	if err != nil {
		t.Fatal(err)
	}
	return imaging.New(pix, w, h)
}

func TestPageHints(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*specimen.Scene)
		want   []vision.Hint
	}{
		{"clean", func(*specimen.Scene) {}, nil},
		{"soft, still read", func(s *specimen.Scene) { s.Blur = 1.5 }, nil},
		{"blurred", func(s *specimen.Scene) { s.Blur = 4 }, []vision.Hint{vision.HintBlurred}},
		{"dark", func(s *specimen.Scene) { s.Brightness = 0.12 }, []vision.Hint{vision.HintTooDark}},
		{"lamp on the card", func(s *specimen.Scene) { s.Glare = 0.8 }, []vision.Hint{vision.HintGlare}},
	} {
		scene := specimen.Clean(1)
		scene.Width, scene.Height = 1000, 750
		test.change(&scene)
		q, err := quality.MeasurePage(page(t, scene))
		if err != nil {
			t.Fatal(err)
		}
		if got := quality.PageHints(q); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v for %+v, want %v", test.name, got, q, test.want)
		}
	}
}

// What lies outside of the picture is black on the rectified page and makes the document no darker.
func TestPageLeavesOutWhatWasNotSeen(t *testing.T) {
	pix := bytes.Repeat([]byte{180}, 3*640*400)
	clear(pix[3*640*200:])
	q, err := quality.MeasurePage(imaging.New(pix, 640, 400))
	if err != nil || q.Brightness != 180 {
		t.Errorf("%+v, %v", q, err)
	}
}

func TestDocumentHints(t *testing.T) {
	for _, test := range []struct {
		d    vision.Document
		want []vision.Hint
	}{
		{vision.Document{DPI: quality.MinDPI}, nil},
		{vision.Document{DPI: quality.MinDPI - 1}, []vision.Hint{vision.HintTooSmall}},
		{vision.Document{DPI: 300, CutOff: true, Others: 2}, []vision.Hint{vision.HintCutOff, vision.HintSeveralDocuments}},
	} {
		if got := quality.DocumentHints(test.d); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %v, want %v", test.d, got, test.want)
		}
	}
}
