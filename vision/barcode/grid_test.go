package barcode

import (
	"bytes"
	"context"
	"fmt"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"kycd/kyc/specimen"
	"kycd/vision"
)

// shot is a photographed licence back and what its barcode says.
type shot struct {
	gray    []byte
	w, h    int
	corners [4]vision.Point // of the card
	want    string
	scene   specimen.Scene
}

// degraded draws a scene from the grid of everything that spoils a photo.
func degraded(seed uint64) specimen.Scene {
	random := rand.New(rand.NewPCG(seed, 0x9c1d))
	width := []int{1280, 1600, 2000, 2600, 3264, 4000}[random.IntN(6)]
	between := func(low, high float64) float64 { return low + (high-low)*random.Float64() }
	grounds := []specimen.Background{specimen.Desk, specimen.Cloth, specimen.Stone}
	return specimen.Scene{
		Seed: seed, Width: width, Height: width * 3 / 4, Fill: between(0.6, 0.95), Shift: random.Float64(),
		TiltX: between(-30, 30), TiltY: between(-30, 30), Rotation: between(0, 360),
		Blur: between(0, 3), Motion: max(between(-3, 6), 0), Glare: max(between(-0.5, 0.9), 0), Shadow: between(0, 0.55),
		Noise: between(1, 12), Brightness: between(0.4, 1), Background: grounds[random.IntN(3)], Quality: 30 + random.IntN(66),
	}
}

// photograph takes the picture of a licence's back, another card for every seed.
func photograph(t testing.TB, press *specimen.Press, scene specimen.Scene) shot {
	t.Helper()
	today := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(scene.Seed, 17))
	d := specimen.RandomDocument(random, specimen.DriverLicense, specimen.RandomPerson(random, today), today)
	back, err := press.Back(d)
	if err != nil {
		t.Fatal(err)
	}
	want, err := d.Barcode()
	if err != nil {
		t.Fatal(err)
	}
	photo, err := specimen.Photograph(back, scene)
	if err != nil {
		t.Fatal(err)
	}
	s := developed(t, photo)
	s.want, s.scene = want, scene
	return s
}

// developed is a photo's grey picture.
func developed(t testing.TB, photo specimen.Photo) shot {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
	if err != nil {
		t.Fatal(err)
	}
	s := shot{gray: make([]byte, 0, photo.Width*photo.Height), w: photo.Width, h: photo.Height}
	for y := range photo.Height {
		for x := range photo.Width {
			s.gray = append(s.gray, color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
		}
	}
	for i, c := range photo.Corners {
		s.corners[i] = vision.Point{X: c.X, Y: c.Y}
	}
	return s
}

// plainCall tells whether zxing-cpp by itself reads the photo: it tries harder, rotated, inverted and smaller copies.
func plainCall(t testing.TB, s shot) bool {
	t.Helper()
	direct, err := plane{pix: s.gray, w: s.w, h: s.h}.read(attempt{downscale: true})
	if err != nil {
		t.Fatal(err)
	}
	return len(direct) > 0 && direct[0].Text == s.want
}

// tally counts what two ways of reading make of the same pictures.
type tally struct{ total, plain, ours, lost, wrong int }

func (n *tally) add(t testing.TB, s shot, plain bool, opt Options) (ours bool) {
	t.Helper()
	found, err := Decode(context.Background(), s.gray, s.w, s.h, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Text == s.want {
			ours = true
		} else if f.Format == PDF417 {
			n.wrong++
			t.Errorf("seed %d: read %q, want %q", s.scene.Seed, f.Text, s.want)
		}
	}
	n.total++
	if plain {
		n.plain++
	}
	if ours {
		n.ours++
	}
	if plain && !ours {
		n.lost++
	}
	return ours
}

func (n tally) String() string {
	return fmt.Sprintf("of %d photos the plain call reads %d, the search %d (%d lost, %d wrong)", n.total, n.plain, n.ours, n.lost, n.wrong)
}

// number is an environment variable's value.
func number(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// The yardstick: on photos spoilt in every way, the search must read a fifth more than the library's plain call, lose
// nothing that the plain call reads, and never read anything that was not printed. KYCD_BARCODE_GRID takes so many photos of
// all sizes instead of a few small ones, KYCD_BARCODE_SEED tells the first seed.
func TestDecodeGrid(t *testing.T) {
	press, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	photos, all := 6, false
	if n := number(t, "KYCD_BARCODE_GRID", 0); n > 0 {
		photos, all = n, true
	}
	first := number(t, "KYCD_BARCODE_SEED", 1)
	var alone, withPage tally
	for seed := first; seed < first+photos; seed++ {
		scene := degraded(uint64(seed))
		if !all {
			scene.Width, scene.Height = 1600, 1200
		}
		s := photograph(t, press, scene)
		plain := plainCall(t, s)
		ours := alone.add(t, s, plain, Options{})
		paged := withPage.add(t, s, plain, Options{Page: &s.corners})
		t.Logf("%d: %d px, blur %.1f, motion %.1f, tilt %.0f %.0f, turned %.0f, glare %.1f, noise %.0f, light %.1f, quality %d: plain %v, search %v, with page %v",
			seed, scene.Width, scene.Blur, scene.Motion, scene.TiltX, scene.TiltY, scene.Rotation, scene.Glare, scene.Noise,
			scene.Brightness, scene.Quality, plain, ours, paged)
	}
	t.Logf("alone: %v", alone)
	t.Logf("with the page's corners: %v", withPage)
	if alone.ours < photos/3 || float64(alone.ours) < 1.2*float64(alone.plain) || alone.lost > 0 {
		t.Errorf("alone: %v", alone)
	}
	if withPage.ours < photos/2 || float64(withPage.ours) < 1.2*float64(withPage.plain) || withPage.lost > 0 {
		t.Errorf("with the page's corners: %v", withPage)
	}
}
