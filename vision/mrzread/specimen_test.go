package mrzread

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"testing"

	"kycd/kyc/specimen"
	"kycd/vision/document"
)

// zonePicture is the photographed side of a specimen that bears the zone, found and cut out, and its true lines.
func zonePicture(t testing.TB, p *specimen.Press, kind specimen.Type, seed uint64, scene specimen.Scene) (gray []byte, w, h int, lines []string) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 13))
	d := specimen.RandomDocument(random, kind, specimen.RandomPerson(random, today()), today())
	lines, err := d.MRZ()
	if err != nil {
		t.Fatal(err)
	}
	var side image.Image
	if kind == specimen.Passport {
		side, err = p.Front(d, specimen.Silhouette())
	} else {
		side, err = p.Back(d)
	}
	if err != nil {
		t.Fatal(err)
	}
	photo, err := specimen.Photograph(side, scene)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
	if err != nil {
		t.Fatal(err)
	}
	bgr := make([]byte, 0, 3*photo.Width*photo.Height)
	for y := range photo.Height {
		for x := range photo.Width {
			r, g, b, _ := img.At(x, y).RGBA()
			bgr = append(bgr, byte(b>>8), byte(g>>8), byte(r>>8))
		}
	}
	found, ok, err := document.Find(bgr, photo.Width, photo.Height)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		gray, w, h = greyOf(img)
		return gray, w, h, lines
	}
	pix, w, h, err := document.Rectify(bgr, photo.Width, photo.Height, found, document.CardDPI)
	if err != nil {
		t.Fatal(err)
	}
	gray = make([]byte, w*h)
	for i := range gray {
		gray[i] = byte((299*int(pix[3*i+2]) + 587*int(pix[3*i+1]) + 114*int(pix[3*i])) / 1000)
	}
	return gray, w, h, lines
}

func TestSpecimens(t *testing.T) {
	p, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	scenes := map[string]func(uint64) specimen.Scene{"clean": specimen.Clean, "handheld": specimen.Handheld}
	photos := map[string]uint64{"clean": 1, "handheld": 2}
	for name, view := range scenes {
		exact, wrong, total := 0, 0, 0
		for _, kind := range []specimen.Type{specimen.Passport, specimen.PassportCard} {
			for seed := uint64(1); seed <= photos[name]; seed++ {
				gray, w, h, want := zonePicture(t, p, kind, seed, view(seed))
				total++
				zone, err := reader.Read(context.Background(), gray, w, h, today())
				switch {
				case err != nil:
					t.Fatal(err)
				case zone == nil:
					t.Logf("%s %s %d: not found", name, kind, seed)
				case slices.Equal(zone.Lines, want):
					exact++
				default:
					if zone.Valid {
						wrong++
					}
					t.Logf("%s %s %d: valid %v\n%q\n%q", name, kind, seed, zone.Valid, zone.Lines, want)
				}
			}
		}
		t.Logf("%s: %d of %d exact, %d valid but not exact", name, exact, total, wrong)
		if exact < total {
			t.Errorf("%s: only %d of %d exact", name, exact, total)
		}
	}
}

// Upside down, the same picture must give the same zone.
func TestUpsideDown(t *testing.T) {
	p, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	gray, w, h, want := zonePicture(t, p, specimen.Passport, 1, specimen.Clean(1))
	slices.Reverse(gray)
	found, err := reader.Candidates(context.Background(), gray, w, h, today())
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 || !found[0].Turned || !slices.Equal(found[0].Document.Lines, want) {
		t.Errorf("%+v, want %q turned", found, want)
	}
}

// A side without a zone has none, whatever is printed on it.
func TestNoZone(t *testing.T) {
	p, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 13))
	d := specimen.RandomDocument(random, specimen.DriverLicense, specimen.RandomPerson(random, today()), today())
	front, err := p.Front(d, specimen.Silhouette())
	if err != nil {
		t.Fatal(err)
	}
	back, err := p.Back(d)
	if err != nil {
		t.Fatal(err)
	}
	for name, side := range map[string]image.Image{"front": front, "back": back} {
		gray, w, h := greyOf(side)
		if zone, err := reader.Read(context.Background(), gray, w, h, today()); err != nil || zone != nil {
			t.Errorf("%s: %+v, %v", name, zone, err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	p, err := specimen.NewPress()
	if err != nil {
		b.Fatal(err)
	}
	reader, err := NewReader()
	if err != nil {
		b.Fatal(err)
	}
	gray, w, h, _ := zonePicture(b, p, specimen.Passport, 1, specimen.Clean(1))
	for b.Loop() {
		if zone, err := reader.Read(context.Background(), gray, w, h, today()); err != nil || zone == nil || !zone.Valid {
			b.Fatal(zone, err)
		}
	}
}
