package ocr

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"kycd/kyc/specimen"
	"kycd/vision/document"
	"kycd/vision/printed"
)

func today() time.Time { return time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC) }

// card is a photographed specimen, found, cut out and grey.
type card struct {
	gray  []byte
	w, h  int
	truth specimen.Truth
}

func photographed(t testing.TB, p *specimen.Press, kind specimen.Type, seed uint64, scene specimen.Scene, dpi int) (card, bool) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 11))
	d := specimen.RandomDocument(random, kind, specimen.RandomPerson(random, today()), today())
	truth, err := d.Truth()
	if err != nil {
		t.Fatal(err)
	}
	front, err := p.Front(d, specimen.Silhouette())
	if err != nil {
		t.Fatal(err)
	}
	photo, err := specimen.Photograph(front, scene)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
	if err != nil {
		t.Fatal(err)
	}
	bgr := bgrOf(img)
	found, ok, err := document.Find(bgr, photo.Width, photo.Height)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return card{}, false
	}
	pix, w, h, err := document.Rectify(bgr, photo.Width, photo.Height, found, dpi)
	if err != nil {
		t.Fatal(err)
	}
	gray := make([]byte, w*h)
	for i := range gray {
		gray[i] = byte((299*int(pix[3*i+2]) + 587*int(pix[3*i+1]) + 114*int(pix[3*i])) / 1000)
	}
	return card{gray: gray, w: w, h: h, truth: truth}, true
}

func bgrOf(img image.Image) []byte {
	b := img.Bounds()
	out := make([]byte, 0, 3*b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			out = append(out, byte(bl>>8), byte(g>>8), byte(r>>8))
		}
	}
	return out
}

// wanted are the fields of the truth under the names of package printed.
func wanted(t specimen.Truth) map[string]string {
	out := map[string]string{
		printed.DocumentNumber: t.DocumentNumber, printed.LastName: t.LastName, printed.FirstName: t.FirstName,
		printed.MiddleName: t.MiddleName, printed.BirthDate: t.BirthDate, printed.ExpiresAt: t.ExpiresAt,
		printed.IssuedAt: t.IssuedAt, printed.Street: t.Street, printed.City: t.City, printed.State: t.State,
		printed.PostalCode: t.PostalCode, printed.Height: t.Height, printed.Weight: t.Weight,
		printed.EyeColor: t.EyeColor, printed.HairColor: t.HairColor, printed.Gender: string(t.Gender),
		printed.Class: t.Class, printed.RefNumber: t.RefNumber,
	}
	for k, v := range out {
		if v == "" {
			delete(out, k)
		}
	}
	return out
}

// What is printed on a carefully photographed specimen must be read to the letter, all but a few fields, and what an identity
// stands on must not be wrong and sure.
func TestSpecimensFieldByField(t *testing.T) {
	pool := open(t, 1)
	p, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	right, total := 0, 0
	for _, kind := range specimen.Types() {
		for seed := uint64(1); seed <= 2; seed++ {
			c, ok := photographed(t, p, kind, seed, specimen.Clean(seed), document.CardDPI)
			if !ok {
				t.Errorf("%s %d: not found", kind, seed)
				continue
			}
			page := pageOf(t, pool, c.gray, c.w, c.h)
			_, words, err := page.Read(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			got, err := page.Refine(context.Background(), printed.Fields(words, c.w, c.h))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{printed.DocumentNumber, printed.LastName, printed.FirstName, printed.BirthDate} {
				if f, ok := got[name]; ok && f.Confidence >= Doubtful && !strings.EqualFold(f.Value, wanted(c.truth)[name]) {
					t.Errorf("%s %d: %s is surely %q, want %q", kind, seed, name, f.Value, wanted(c.truth)[name])
				}
			}
			for name, want := range wanted(c.truth) {
				total++
				if strings.EqualFold(got[name].Value, want) {
					right++
				} else {
					t.Logf("%s %d: %s is %q, want %q", kind, seed, name, got[name].Value, want)
				}
			}
			if kind := got[printed.DocumentType].Value; kind != string(c.truth.Type) {
				t.Errorf("%s %d: taken for %q", c.truth.Type, seed, kind)
			}
		}
	}
	t.Logf("%d of %d fields exact", right, total)
	if float64(right) < 0.95*float64(total) {
		t.Errorf("only %d of %d fields", right, total)
	}
}

func BenchmarkReadCard(b *testing.B) {
	pool := open(b, 1)
	p, err := specimen.NewPress()
	if err != nil {
		b.Fatal(err)
	}
	c, ok := photographed(b, p, specimen.DriverLicense, 1, specimen.Clean(1), document.CardDPI)
	if !ok {
		b.Fatal("not found")
	}
	for b.Loop() {
		if _, words, err := pool.Read(context.Background(), c.gray, c.w, c.h); err != nil || len(words) == 0 {
			b.Fatal(len(words), err)
		}
	}
}
