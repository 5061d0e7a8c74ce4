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
	img, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
	if err != nil {
		t.Fatal(err)
	}
	s := shot{gray: make([]byte, 0, photo.Width*photo.Height), w: photo.Width, h: photo.Height, want: want, scene: scene}
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

// tally counts what two ways of reading make of the same pictures.
type tally struct{ total, plain, ours, lost, wrong int }

func (n *tally) add(t testing.TB, s shot, opt Options) (byPlain, byUs bool) {
	t.Helper()
	direct, err := plane{pix: s.gray, w: s.w, h: s.h}.read(attempt{downscale: true})
	if err != nil {
		t.Fatal(err)
	}
	found, err := Decode(context.Background(), s.gray, s.w, s.h, opt)
	if err != nil {
		t.Fatal(err)
	}
	n.total++
	byPlain = len(direct) > 0 && direct[0].Text == s.want
	if byPlain {
		n.plain++
	}
	for _, f := range found {
		if f.Text == s.want {
			byUs = true
		} else if f.Format == PDF417 {
			n.wrong++
			t.Errorf("seed %d: read %q, want %q", s.scene.Seed, f.Text, s.want)
		}
	}
	if byUs {
		n.ours++
	}
	if byPlain && !byUs {
		n.lost++
	}
	return byPlain, byUs
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
