package mrzread

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"kycd/kyc/specimen"
	"kycd/vision"
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
	photos := map[string]uint64{"clean": 1, "handheld": 1}
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

// flatSide is the drawn side of a specimen that bears the zone, and its true lines.
func flatSide(t testing.TB, kind specimen.Type, seed uint64) (*image.RGBA, []string) {
	t.Helper()
	p, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, 13))
	d := specimen.RandomDocument(random, kind, specimen.RandomPerson(random, today()), today())
	lines, err := d.MRZ()
	if err != nil {
		t.Fatal(err)
	}
	var side *image.RGBA
	if kind == specimen.Passport {
		side, err = p.Front(d, specimen.Silhouette())
	} else {
		side, err = p.Back(d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return side, lines
}

// flatPicture is flatSide in grey.
func flatPicture(t testing.TB, kind specimen.Type, seed uint64) (gray []byte, w, h int, lines []string) {
	t.Helper()
	side, lines := flatSide(t, kind, seed)
	gray, w, h = greyOfRGBA(side)
	return gray, w, h, lines
}

func greyOfRGBA(img *image.RGBA) ([]byte, int, int) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := make([]byte, w*h)
	for i := range out {
		out[i] = byte((299*int(img.Pix[4*i]) + 587*int(img.Pix[4*i+1]) + 114*int(img.Pix[4*i+2])) / 1000)
	}
	return out, w, h
}

// Upside down, the same picture must give the same zone, with the corners at the other side.
func TestUpsideDown(t *testing.T) {
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	gray, w, h, want := flatPicture(t, specimen.Passport, 1)
	slices.Reverse(gray)
	found, err := reader.Candidates(context.Background(), gray, w, h, today())
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 || !found[0].Turned || !slices.Equal(found[0].Document.Lines, want) {
		t.Fatalf("%+v, want %q turned", found, want)
	}
	c := found[0].Corners
	if c[0].X < float64(w)*0.8 || c[0].Y > float64(h)*0.35 || c[1].X > float64(w)*0.2 || c[0].Y < c[3].Y {
		t.Errorf("the text begins at %v, in a picture of %d×%d on its head", c, w, h)
	}
}

// A document is read however it lies.
func TestAnyDirection(t *testing.T) {
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	side, want := flatSide(t, specimen.PassportCard, 2)
	for _, turn := range []float64{48, 90, 163, 300} {
		photo, err := specimen.Photograph(side, specimen.Scene{
			Seed: 3, Width: 1000, Height: 800, Fill: 0.9, Rotation: turn, Brightness: 1, Noise: 2, Background: specimen.Desk, Quality: 90,
		})
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
		if err != nil {
			t.Fatal(err)
		}
		gray, w, h := greyOf(img)
		zone, err := reader.Read(context.Background(), gray, w, h, today())
		if err != nil || zone == nil || !zone.Valid || !slices.Equal(zone.Lines, want) {
			t.Errorf("turned by %.0f°: %+v, %v, want %q", turn, zone, err, want)
		}
		corners := [4]vision.Point{}
		for i, c := range photo.Corners {
			corners[i] = vision.Point{X: c.X, Y: c.Y}
		}
		found, err := reader.CandidatesPlaced(context.Background(), gray, w, h, today(), Place{Corners: &corners})
		if err != nil || len(found) != 1 || found[0].Turned || !slices.Equal(found[0].Document.Lines, want) {
			t.Errorf("turned by %.0f°, placed: %d candidates, %v", turn, len(found), err)
		}
	}
}

// A page that was cut out is searched where zones are, upright first.
func TestPage(t *testing.T) {
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []specimen.Type{specimen.Passport, specimen.PassportCard} {
		gray, w, h, want := flatPicture(t, kind, 3)
		for _, turned := range []bool{false, true} {
			if turned {
				slices.Reverse(gray)
			}
			found, err := reader.CandidatesPlaced(context.Background(), gray, w, h, today(), Place{Page: true})
			if err != nil || len(found) == 0 || found[0].Turned != turned || !slices.Equal(found[0].Document.Lines, want) {
				t.Errorf("%s, turned %v: %+v, %v, want %q", kind, turned, found, err, want)
			}
		}
	}
}

// cell is the place of one character of a passport's zone on the drawn side, which has 450 dots an inch: the zone begins
// 6.4 mm from the left, its columns are 2.54 mm wide, and its lower line is 8.5 mm above the edge.
func cell(side *image.RGBA, row, column int) image.Rectangle {
	const mm = 450 / 25.4
	x := (6.4 + 2.54*float64(column)) * mm
	y := float64(side.Rect.Dy()) - (8.5+6.35*float64(1-row))*mm
	return image.Rect(int(x), int(y-2*mm), int(x+2.54*mm), int(y+2*mm))
}

// A wrong check digit that is sharply printed is reported, never repaired away.
func TestWrongCheckDigitsStayWrong(t *testing.T) {
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	planted := 0
	for seed := uint64(1); seed <= 2; seed++ {
		side, lines := flatSide(t, specimen.Passport, seed)
		for _, column := range []int{9, 19, 27, 43} {
			// Another digit of the same row is printed over the check digit.
			from := -1
			for k := range 28 {
				if c := lines[1][k]; c >= '0' && c <= '9' && c != lines[1][column] && k != column {
					from = k
				}
			}
			if from < 0 {
				t.Fatalf("no digit to plant in %q", lines[1])
			}
			forged := image.NewRGBA(side.Rect)
			draw.Draw(forged, forged.Rect, side, image.Point{}, draw.Src)
			draw.Draw(forged, cell(side, 1, column), side, cell(side, 1, from).Min, draw.Src)
			want := []byte(lines[1])
			want[column] = lines[1][from]
			gray, w, h := greyOfRGBA(forged)
			zone, err := reader.Read(context.Background(), gray, w, h, today())
			if err != nil || zone == nil {
				t.Fatalf("seed %d, column %d: %v, %v", seed, column, zone, err)
			}
			planted++
			if zone.Valid || zone.Lines[1] != string(want) || len(zone.Repairs) > 0 {
				t.Errorf("seed %d, column %d: valid %v, %q with %d repairs, printed %q", seed, column, zone.Valid, zone.Lines[1], len(zone.Repairs), want)
			}
		}
	}
	t.Logf("%d planted", planted)
}

// A side without a zone has none, whatever is printed on it; nor has half a zone.
func TestNoZone(t *testing.T) {
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range zoneless(t) {
		if zone, err := reader.Read(context.Background(), p.pix, p.w, p.h, today()); err != nil || zone != nil {
			t.Errorf("%s: %+v, %v", name, zone, err)
		}
	}
}

// zoneless are pictures without a zone.
func zoneless(t testing.TB) map[string]plane {
	t.Helper()
	p, err := specimen.NewPress()
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
	out := map[string]plane{}
	for name, side := range map[string]*image.RGBA{"front": front, "barcode": back} {
		gray, w, h := greyOfRGBA(side)
		out[name] = plane{gray, w, h}
	}
	gray, w, h := greyOf(specimen.Silhouette())
	out["portrait"] = plane{gray, w, h}
	noise := make([]byte, 900*700)
	for i := range noise {
		noise[i] = byte(random.IntN(256))
	}
	out["noise"] = plane{noise, 900, 700}
	prose := image.NewRGBA(image.Rect(0, 0, 900, 1200))
	draw.Draw(prose, prose.Rect, image.White, image.Point{}, draw.Src)
	drawer := font.Drawer{Dst: prose, Src: image.Black, Face: basicfont.Face7x13}
	for y := 40; y < 1180; y += 20 {
		var line strings.Builder
		for line.Len() < 115 {
			for range 2 + random.IntN(9) {
				line.WriteByte(byte('a' + random.IntN(26)))
			}
			line.WriteByte(' ')
		}
		drawer.Dot = fixed.P(40, y)
		drawer.DrawString(line.String())
	}
	gray, w, h = greyOfRGBA(prose)
	out["prose"] = plane{gray, w, h}
	// A passport cut off between the lines of its zone.
	gray, w, h, _ = flatPicture(t, specimen.Passport, 1)
	cut := h - 207 // 11.7 mm
	out["half a zone"] = plane{gray[:cut*w], w, cut}
	return out
}

func TestReadHonoursTheContext(t *testing.T) {
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	gray, w, h, _ := flatPicture(t, specimen.Passport, 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if zone, err := reader.Read(ctx, gray, w, h, today()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", zone, err)
	}
}

// tall is a picture of 12 megapixels brought to 3000 pixels, as the engine hands it over.
func tall(b *testing.B) (gray []byte, w, h int) {
	b.Helper()
	side, _ := flatSide(b, specimen.Passport, 1)
	scene := specimen.Handheld(1)
	scene.Width, scene.Height, scene.Rotation, scene.TiltX, scene.TiltY, scene.Glare = 3000, 2250, 2, 4, 3, 0
	photo, err := specimen.Photograph(side, scene)
	if err != nil {
		b.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
	if err != nil {
		b.Fatal(err)
	}
	return greyOf(img)
}

func BenchmarkRead(b *testing.B) {
	reader, err := NewReader()
	if err != nil {
		b.Fatal(err)
	}
	gray, w, h := tall(b)
	for b.Loop() {
		if zone, err := reader.Read(context.Background(), gray, w, h, today()); err != nil || zone == nil || !zone.Valid {
			b.Fatal(zone, err)
		}
	}
}

// BenchmarkMiss reads pictures of the same size in which there is no zone.
func BenchmarkMiss(b *testing.B) { miss(b, Place{}) }

// BenchmarkMissPlaced reads the same as documents that fill their picture.
func BenchmarkMissPlaced(b *testing.B) {
	miss(b, Place{Corners: &[4]vision.Point{{X: 1, Y: 1}, {X: 2999, Y: 1}, {X: 2999, Y: 2249}, {X: 1, Y: 2249}}})
}

func miss(b *testing.B, place Place) {
	b.Helper()
	reader, err := NewReader()
	if err != nil {
		b.Fatal(err)
	}
	for name, p := range zoneless(b) {
		big := plane{make([]byte, 3000*2250), 3000, 2250}
		for i := range big.pix {
			big.pix[i] = p.pix[(i/3000*p.h/2250)*p.w+i%3000*p.w/3000]
		}
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				if zone, err := reader.ReadPlaced(context.Background(), big.pix, big.w, big.h, today(), place); err != nil || zone != nil {
					b.Fatal(zone, err)
				}
			}
		})
	}
}
