package document

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"kycd/kyc/specimen"
	"kycd/vision"
)

func today() time.Time { return time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC) }

// scene is one photographed specimen and the truth about where it lies.
type scene struct {
	bgr     []byte
	w, h    int
	corners [4]vision.Point
}

func press(t testing.TB) *specimen.Press {
	t.Helper()
	p, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func printed(t testing.TB, p *specimen.Press, kind specimen.Type, seed uint64) image.Image {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	d := specimen.RandomDocument(random, kind, specimen.RandomPerson(random, today()), today())
	front, err := p.Front(d, specimen.Silhouette())
	if err != nil {
		t.Fatal(err)
	}
	return front
}

func photograph(t testing.TB, img image.Image, s specimen.Scene) scene {
	t.Helper()
	photo, err := specimen.Photograph(img, s)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
	if err != nil {
		t.Fatal(err)
	}
	out := scene{bgr: bgrOf(decoded), w: photo.Width, h: photo.Height}
	for i, c := range photo.Corners {
		out.corners[i] = vision.Point{X: c.X, Y: c.Y}
	}
	return out
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

// off is the largest distance of a found corner from the true one, as a share of the document's longer side, the
// better of both ways up.
func off(d vision.Document, s scene) float64 {
	best := math.Inf(1)
	for _, c := range [][4]vision.Point{d.Corners, Turned(d).Corners} {
		worst := 0.0
		for i := range c {
			worst = math.Max(worst, distance(c[i], s.corners[i]))
		}
		best = math.Min(best, worst)
	}
	return best / distance(s.corners[0], s.corners[1])
}

func TestFindSpecimens(t *testing.T) {
	p := press(t)
	scenes := map[string]func(uint64) specimen.Scene{"clean": specimen.Clean, "handheld": specimen.Handheld, "poor": specimen.Poor}
	least := map[string]float64{"clean": 1, "handheld": 0.8, "poor": 0.5}
	photos := map[string]uint64{"clean": 1, "handheld": 2, "poor": 2}
	kinds := map[specimen.Type]string{specimen.DriverLicense: TypeID1, specimen.Passport: TypeID3}
	for name, view := range scenes {
		good, total := 0, 0
		for kind, want := range kinds {
			for seed := uint64(1); seed <= photos[name]; seed++ {
				s := photograph(t, printed(t, p, kind, seed), view(seed))
				d, found, err := Find(s.bgr, s.w, s.h)
				if err != nil {
					t.Fatal(err)
				}
				total++
				if found && off(d, s) < 0.02 && d.Type == want {
					good++
				} else {
					t.Logf("%s %s %d: found %v, %s, confidence %.2f, off by %.3f", name, kind, seed, found, d.Type, d.Confidence, off(d, s))
				}
			}
		}
		t.Logf("%s: %d of %d outlines within 2 %% and of the right kind", name, good, total)
		if float64(good) < least[name]*float64(total) {
			t.Errorf("%s: only %d of %d", name, good, total)
		}
	}
}

func TestFindAFrameFillingDocument(t *testing.T) {
	img := printed(t, press(t), specimen.DriverLicense, 1)
	b := img.Bounds()
	d, found, err := Find(bgrOf(img), b.Dx(), b.Dy())
	if err != nil || !found {
		t.Fatalf("%v, %v", found, err)
	}
	if d.Type != TypeID1 || d.Confidence < FoundConfidence || d.CutOff || d.Others != 0 || math.Abs(d.DPI-450) > 5 {
		t.Errorf("%+v, want a whole id1 at 450 dpi", d)
	}
	if d.Corners[0] != (vision.Point{}) || d.Corners[2] != (vision.Point{X: float64(b.Dx()), Y: float64(b.Dy())}) {
		t.Errorf("corners %v are not the frame", d.Corners)
	}
}

func TestFindNothing(t *testing.T) {
	flat := bytes.Repeat([]byte{120}, 3*700*700)
	if d, found, err := Find(flat, 700, 700); err != nil || found {
		t.Errorf("an empty square: %v %v %v", d, found, err)
	}
	if _, found, err := Find(make([]byte, 3*64*63), 64, 63); err != nil || found {
		t.Errorf("a picture too small for a document: %v %v", found, err)
	}
	for _, c := range []struct{ bytes, w, h int }{{0, 0, 0}, {10, 100, 100}, {3 * 100 * 100, -100, -100}} {
		if _, _, err := Find(make([]byte, c.bytes), c.w, c.h); !errors.Is(err, ErrSize) {
			t.Errorf("%d bytes for %d×%d: %v", c.bytes, c.w, c.h, err)
		}
	}
}

// What is cut out must be the card as it was printed.
func TestRectifyGivesThePrintBack(t *testing.T) {
	img := printed(t, press(t), specimen.DriverLicense, 3)
	s := photograph(t, img, specimen.Clean(3))
	pix, w, h, err := Rectify(s.bgr, s.w, s.h, vision.Document{Type: TypeID1, Corners: s.corners}, CardDPI)
	if err != nil {
		t.Fatal(err)
	}
	if w != 1012 || h != 638 || len(pix) != 3*w*h {
		t.Fatalf("%d bytes, %d×%d", len(pix), w, h)
	}
	b := img.Bounds()
	m, err := scaled(bgrOf(img), b.Dx(), b.Dy(), w, h)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	diff := 0.0
	for i, v := range m.ToBytes() {
		diff += math.Abs(float64(pix[i]) - float64(v))
	}
	if mean := diff / float64(len(pix)); mean > 14 {
		t.Errorf("differs from the print by %.1f grey levels on average", mean)
	}
}

func TestRectifyRefusesWhatIsNoOutline(t *testing.T) {
	bgr := make([]byte, 3*100*100)
	line := [4]vision.Point{{X: 0, Y: 0}, {X: 50, Y: 0}, {X: 100, Y: 0}, {X: 60, Y: 0}}
	for name, c := range map[string][4]vision.Point{
		"zero": {}, "line": line, "NaN": {{X: math.NaN()}, {X: 90}, {X: 90, Y: 60}, {Y: 60}},
		"anticlockwise": {{X: 0, Y: 0}, {X: 0, Y: 60}, {X: 90, Y: 60}, {X: 90, Y: 0}},
	} {
		if _, _, _, err := Rectify(bgr, 100, 100, vision.Document{Type: TypeID1, Corners: c}, CardDPI); !errors.Is(err, ErrOutline) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAspectUndoesPerspective(t *testing.T) {
	// A card of 85.6×54, leaning back by 0.2 and turned to the side, seen by a camera of focal length 1200 px.
	for _, turn := range []float64{0, 0.3, 0.6} {
		var q quad
		for i, c := range [4][2]float64{{-42.8, -27}, {42.8, -27}, {42.8, 27}, {-42.8, 27}} {
			sin, cos := math.Sincos(turn)
			y, back := c[1]*math.Cos(0.2), c[1]*math.Sin(0.2)
			x, z := c[0]*cos+back*sin, 150-c[0]*sin+back*cos
			q[i] = vision.Point{X: 800 + 1200*x/z, Y: 600 + 1200*y/z}
		}
		if got := q.aspect(1600, 1200); math.Abs(got-85.6/54) > 0.04 {
			t.Errorf("turned by %.1f: %.3f, want %.3f", turn, got, 85.6/54)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	s := photograph(b, printed(b, press(b), specimen.DriverLicense, 1), specimen.Handheld(1))
	for b.Loop() {
		if _, found, err := Find(s.bgr, s.w, s.h); err != nil || !found {
			b.Fatal(found, err)
		}
	}
}

func BenchmarkRectify(b *testing.B) {
	s := photograph(b, printed(b, press(b), specimen.DriverLicense, 1), specimen.Handheld(1))
	d := vision.Document{Type: TypeID1, Corners: s.corners}
	for b.Loop() {
		if _, _, _, err := Rectify(s.bgr, s.w, s.h, d, 450); err != nil {
			b.Fatal(err)
		}
	}
}
