package engine

import (
	"bytes"
	"context"
	"image"
	"image/color"
	_ "image/jpeg" // portraits are JPEG
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kycd/kyc/specimen"
	"kycd/vision"
	"kycd/vision/visiontest"
)

// card draws both sides of a card of nobody and photographs them at a size.
func card(t testing.TB, kind specimen.Type, seed uint64, scene func(uint64) specimen.Scene, width, height int, portrait image.Image) (front, back specimen.Photo, d specimen.Document) {
	t.Helper()
	press, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	d = specimen.RandomDocument(rng, kind, specimen.RandomPerson(rng, now), now)
	shoot := func(print image.Image, err error) specimen.Photo {
		if err != nil {
			t.Fatal(err)
		}
		s := scene(seed)
		s.Width, s.Height = width, height
		photo, err := specimen.Photograph(print, s)
		if err != nil {
			t.Fatal(err)
		}
		return photo
	}
	return shoot(press.Front(d, portrait)), shoot(press.Back(d)), d
}

// portrait is a photograph of a person, as a document's portrait wants it.
func portrait(t testing.TB) image.Image {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(visiontest.Read(t, "faces/dev/identities/deepface/p00/img1.jpg")))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// askFront and askBack are what the server asks of the two sides of a licence.
func askFront() vision.Ask {
	return vision.Ask{Faces: true, Portrait: true, Fingerprint: true, Document: true, Text: true}
}

func askBack() vision.Ask {
	return vision.Ask{Fingerprint: true, Document: true, Barcodes: true, Text: true}
}

// TestSides: both sides are read, told apart, and recognised where the other one was asked for.
func TestSides(t *testing.T) {
	e := open(t, 1)
	front, back, d := card(t, specimen.DriverLicense, 11, specimen.Handheld, 1600, 1200, portrait(t))
	truth, err := d.Truth()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()

	a := e.Analyze(ctx, front.JPEG, askFront())
	if a.Document == nil || a.Document.Side != vision.SideFront || a.Document.DPI < 300 || len(a.Faces) == 0 {
		t.Errorf("front: %+v, %d faces, hints %v", a.Document, len(a.Faces), a.Hints)
	}
	for name, want := range map[string]string{"last_name": truth.LastName, "birth_date": truth.BirthDate} {
		f := a.Fields[name]
		if f.Value != want || f.Box.Area() == 0 || f.Box.X < 0 || f.Box.X+f.Box.Width > a.Width {
			t.Errorf("%s: %+v, want %q", name, f, want)
		}
	}
	a = e.Analyze(ctx, back.JPEG, askBack())
	if a.Document == nil || a.Document.Side != vision.SideBack || a.AAMVA["DAQ"] != truth.DocumentNumber {
		t.Errorf("back: %+v, hints %v", a.Document, a.Hints)
	}
	a = e.Analyze(ctx, back.JPEG, askFront())
	if a.Document == nil || a.Document.Side != vision.SideBack {
		t.Errorf("back for front: %+v, hints %v", a.Document, a.Hints)
	}
	a = e.Analyze(ctx, front.JPEG, askBack())
	if a.Document == nil || a.Document.Side != vision.SideFront || !slices.Contains(a.Hints, vision.HintBarcodeUnreadable) {
		t.Errorf("front for back: %+v, hints %v", a.Document, a.Hints)
	}
	_, zone, _ := card(t, specimen.PassportCard, 11, specimen.Handheld, 1600, 1200, portrait(t))
	a = e.Analyze(ctx, zone.JPEG, askFront())
	if a.Document == nil || a.Document.Side != vision.SideBack || a.MRZ != nil {
		t.Errorf("back with a zone, for a front: %+v, hints %v", a.Document, a.Hints)
	}
}

// TestSlivers: the smallest pictures that are taken show nothing, and end nothing.
func TestSlivers(t *testing.T) {
	e := open(t, 1)
	for _, size := range []image.Point{{X: 16, Y: 16}, {X: 600, Y: 16}, {X: 17, Y: 900}, {X: 40, Y: 24}} {
		noise := visiontest.PNG(t, size.X, size.Y, func(x, y int) color.RGBA {
			return color.RGBA{R: uint8(37 * x * y), G: uint8(91 * (x + y)), B: uint8(53*x + y), A: 255}
		})
		for _, ask := range []vision.Ask{vision.AskAll(), askFront(), askBack(), {Faces: true, Portrait: true, MRZ: true, Document: true}} {
			if a := e.Analyze(context.Background(), noise, ask); a.Error != "" || len(a.Faces) != 0 || len(a.Barcodes) != 0 || len(a.Unavailable) != 0 && a.Unavailable[vision.PartDocument] != "" {
				t.Errorf("%v: %q, %d faces, %d codes, unavailable %v", size, a.Error, len(a.Faces), len(a.Barcodes), a.Unavailable)
			}
		}
	}
}

// BenchmarkSide measures one side of a licence, photographed with 12 megapixels, as the server asks for it.
func BenchmarkSide(b *testing.B) {
	e := open(b, 2) // as on two cores
	front, back, _ := card(b, specimen.DriverLicense, 12, specimen.Handheld, 4000, 3000, portrait(b))
	for _, side := range []struct {
		name  string
		photo []byte
		ask   vision.Ask
	}{{"front", front.JPEG, askFront()}, {"back", back.JPEG, askBack()}} {
		b.Run(side.name, func(b *testing.B) {
			for b.Loop() {
				if a := e.Analyze(context.Background(), side.photo, side.ask); a.Error != "" || a.Document == nil {
					b.Fatal(a.Error)
				}
			}
		})
	}
}
