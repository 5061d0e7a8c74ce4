package imaging_test

import (
	"bytes"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kycd/kyc/specimen"
	"kycd/vision/imaging"
)

// phonePicture is a card photographed with 12 megapixels, about 3 MB.
func phonePicture(t testing.TB) []byte {
	t.Helper()
	p, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 7))
	today := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	front, err := p.Front(specimen.RandomDocument(random, specimen.DriverLicense, specimen.RandomPerson(random, today), today), specimen.Silhouette())
	if err != nil {
		t.Fatal(err)
	}
	s := specimen.Handheld(1)
	s.Width, s.Height, s.Noise, s.Quality = 4000, 3000, 5, 89
	photo, err := specimen.Photograph(front, s)
	if err != nil {
		t.Fatal(err)
	}
	return photo.JPEG
}

// Each round decodes the same bytes with Go's decoder and with this package, one after the other, so that both meet the same load; the
// median of the rounds' ratios is reported. Go's decoder stops at YCbCr; this package's gives BGR, scaled and upright.
func BenchmarkDecode12MP(b *testing.B) {
	data := phonePicture(b)
	timed := func(work func() error) float64 {
		start := time.Now()
		if err := work(); err != nil {
			b.Fatal(err)
		}
		return time.Since(start).Seconds()
	}
	for _, size := range []struct {
		name    string
		maxSide int
	}{{"to 3000", 3000}, {"to 1500", 1500}, {"to 1000", 1000}} {
		b.Run(size.name, func(b *testing.B) {
			var own, plain, ratios []float64
			for b.Loop() {
				reference := timed(func() error { _, err := jpeg.Decode(bytes.NewReader(data)); return err })
				mine := timed(func() error { _, err := imaging.Decode(data, imaging.Options{MaxSide: size.maxSide}); return err })
				own, plain, ratios = append(own, mine), append(plain, reference), append(ratios, mine/reference)
			}
			slices.Sort(ratios)
			b.ReportMetric(1000*slices.Min(own), "own-ms")
			b.ReportMetric(1000*slices.Min(plain), "go-ms")
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			b.ReportMetric(float64(len(data))/1e6, "MB")
		})
	}
}
