package barcode

import (
	"bytes"
	"context"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"time"

	"kycd/kyc/specimen"
)

// The backs of specimens, as phones see them, straight from the photo.
func TestDecodeSpecimens(t *testing.T) {
	p, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	today := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	scenes := map[string]func(uint64) specimen.Scene{"clean": specimen.Clean, "handheld": specimen.Handheld}
	// Of these, the plain call of the library reads one clean photo and one handheld one.
	photos := map[string]uint64{"clean": 1, "handheld": 3}
	for name, view := range scenes {
		plain, ours, total := 0, 0, 0
		for seed := uint64(1); seed <= photos[name]; seed++ {
			random := rand.New(rand.NewPCG(seed, 17))
			d := specimen.RandomDocument(random, specimen.DriverLicense, specimen.RandomPerson(random, today), today)
			back, err := p.Back(d)
			if err != nil {
				t.Fatal(err)
			}
			want, err := d.Barcode()
			if err != nil {
				t.Fatal(err)
			}
			photo, err := specimen.Photograph(back, view(seed))
			if err != nil {
				t.Fatal(err)
			}
			img, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
			if err != nil {
				t.Fatal(err)
			}
			gray := make([]byte, 0, photo.Width*photo.Height)
			for y := range photo.Height {
				for x := range photo.Width {
					gray = append(gray, color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
				}
			}
			total++
			direct, err := plane{pix: gray, w: photo.Width, h: photo.Height}.read(attempt{downscale: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(direct) > 0 && direct[0].Text == want {
				plain++
			}
			start := time.Now()
			found, err := Decode(context.Background(), gray, photo.Width, photo.Height, Options{})
			if err != nil {
				t.Fatal(err)
			}
			read := len(found) > 0 && found[0].Text == want
			if read {
				ours++
			}
			t.Logf("%s %d: %v in %v", name, seed, read, time.Since(start).Round(time.Millisecond))
		}
		t.Logf("%s: of %d photos the plain call reads %d, the search %d", name, total, plain, ours)
		if ours < total {
			t.Errorf("%s: read %d of %d", name, ours, total)
		}
	}
}
