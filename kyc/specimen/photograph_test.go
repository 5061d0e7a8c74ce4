package specimen

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"testing"
)

func decode(t testing.TB, photo Photo) image.Image {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds().Dx() != photo.Width || img.Bounds().Dy() != photo.Height {
		t.Fatalf("photograph is %v, said %dx%d", img.Bounds(), photo.Width, photo.Height)
	}
	return img
}

func luma(img image.Image, at Point) int {
	return int(color.GrayModel.Convert(img.At(int(at.X), int(at.Y))).(color.Gray).Y)
}

// towards is the position a share of the way from one to another.
func towards(from, to Point, share float64) Point {
	return Point{from.X + (to.X-from.X)*share, from.Y + (to.Y-from.Y)*share}
}

// TestCornersAreWhereTheDocumentIs photographs a card whose quarters have four greys and looks for them at the corners
// that the photograph states.
func TestCornersAreWhereTheDocumentIs(t *testing.T) {
	greys := [4]uint8{250, 200, 225, 175} // clockwise from the upper left
	card := image.NewRGBA(image.Rect(0, 0, 856, 540))
	for i, quarter := range []image.Rectangle{
		image.Rect(0, 0, 428, 270), image.Rect(428, 0, 856, 270), image.Rect(428, 270, 856, 540), image.Rect(0, 270, 428, 540),
	} {
		draw.Draw(card, quarter, image.NewUniform(color.Gray{greys[i]}), image.Point{}, draw.Src)
	}
	for seed := range uint64(6) {
		scene := Handheld(seed)
		scene.Width, scene.Height = 900, 700
		scene.Rotation = float64(seed) * 67 // also upside down
		scene.Background, scene.Glare, scene.Shadow, scene.Noise, scene.Motion, scene.Brightness = Cloth, 0, 0, 0, 0, 1
		photo, err := Photograph(card, scene)
		if err != nil {
			t.Fatal(err)
		}
		img := decode(t, photo)
		middle := towards(photo.Corners[0], photo.Corners[2], 0.5)
		for i, corner := range photo.Corners {
			if corner.X < 0 || corner.Y < 0 || corner.X > 900 || corner.Y > 700 {
				t.Errorf("seed %d: corner %d is outside: %v", seed, i, corner)
			}
			inside := luma(img, towards(corner, middle, 0.12))
			if math.Abs(float64(inside)-float64(greys[i])) > 30 {
				t.Errorf("seed %d: inside corner %d is %d, want about %d", seed, i, inside, greys[i])
			}
			if outside := luma(img, towards(middle, corner, 1.03)); outside > 110 {
				t.Errorf("seed %d: outside corner %d is %d", seed, i, outside)
			}
		}
	}
}

func TestEdgesFollowThePerspective(t *testing.T) {
	scene := Clean(1)
	scene.TiltX, scene.TiltY, scene.Rotation, scene.Shift = 0, 0, 0, 0
	photo, err := Photograph(Silhouette(), scene)
	if err != nil {
		t.Fatal(err)
	}
	c := photo.Corners
	if math.Abs(c[0].Y-c[1].Y) > 1e-6 || math.Abs(c[1].X-c[2].X) > 1e-6 {
		t.Errorf("a card seen from above is no rectangle: %v", c)
	}
	scene.TiltX = 30 // leans back: the upper edge is further away
	photo, err = Photograph(Silhouette(), scene)
	if err != nil {
		t.Fatal(err)
	}
	c = photo.Corners
	upper, lower := c[1].X-c[0].X, c[2].X-c[3].X
	if math.Abs(upper-lower) < 0.05*lower {
		t.Errorf("no perspective: upper edge %.1f, lower edge %.1f", upper, lower)
	}
}

func TestInverseUndoesProjection(t *testing.T) {
	for seed := range uint64(20) {
		p := Poor(seed).project(image.Rect(0, 0, 1517, 956), sceneRandom(seed))
		for _, at := range []Point{{0, 0}, {-0.5, -p.aspect}, {0.31, 0.2}} {
			there := apply(&p.forward, at.X, at.Y)
			again := apply(&p.inverse, there.X, there.Y)
			if math.Hypot(again.X-at.X, again.Y-at.Y) > 1e-9 {
				t.Errorf("seed %d: %v came back as %v", seed, at, again)
			}
		}
	}
}

func TestScenesDifferInWhatTheySpoil(t *testing.T) {
	card := image.NewRGBA(image.Rect(0, 0, 856, 540))
	for x := range 856 {
		for y := range 540 {
			card.SetRGBA(x, y, color.RGBA{uint8(x / 8 % 2 * 255), uint8(x / 8 % 2 * 255), uint8(x / 8 % 2 * 255), 255})
		}
	}
	sharpness := func(s Scene) (detail, brightness float64) {
		s.Width, s.Height, s.Fill, s.Rotation, s.TiltX, s.TiltY = 800, 600, 0.9, 0, 0, 0
		photo, err := Photograph(card, s)
		if err != nil {
			t.Fatal(err)
		}
		img := decode(t, photo)
		for x := 200; x < 600; x++ {
			detail += math.Abs(float64(luma(img, Point{float64(x), 300}) - luma(img, Point{float64(x + 1), 300})))
			brightness += float64(luma(img, Point{float64(x), 300})) / 400
		}
		return detail, brightness
	}
	clean := Clean(4)
	blurred, dark := clean, clean
	blurred.Blur, dark.Brightness = 4, 0.4
	cleanDetail, cleanLight := sharpness(clean)
	blurredDetail, _ := sharpness(blurred)
	_, darkLight := sharpness(dark)
	if blurredDetail > 0.6*cleanDetail {
		t.Errorf("blur left detail %.0f of %.0f", blurredDetail, cleanDetail)
	}
	if darkLight > 0.55*cleanLight {
		t.Errorf("darkness left light %.0f of %.0f", darkLight, cleanLight)
	}
}

func TestGlareBurnsOutThePaper(t *testing.T) {
	card := image.NewRGBA(image.Rect(0, 0, 856, 540))
	draw.Draw(card, card.Rect, image.NewUniform(color.Gray{120}), image.Point{}, draw.Src)
	burnt := func(glare float64) (count int) {
		s := Clean(2)
		s.Width, s.Height, s.Glare, s.Noise = 640, 480, glare, 0
		photo, err := Photograph(card, s)
		if err != nil {
			t.Fatal(err)
		}
		img := decode(t, photo)
		for y := range 480 {
			for x := range 640 {
				if luma(img, Point{float64(x), float64(y)}) > 250 {
					count++
				}
			}
		}
		return count
	}
	if none, much := burnt(0), burnt(0.9); none != 0 || much < 300 {
		t.Errorf("burnt-out pixels: %d without glare, %d with", none, much)
	}
}

func TestSelfieIsAnotherPictureOfThePortrait(t *testing.T) {
	portrait := Silhouette()
	photo, err := Selfie(portrait, AtArmsLength(1))
	if err != nil {
		t.Fatal(err)
	}
	img := decode(t, photo)
	if c := color.RGBAModel.Convert(img.At(photo.Width/2, photo.Height/2)).(color.RGBA); c.R < c.B+20 {
		t.Errorf("the middle is %v, not skin", c)
	}
	again, err := Selfie(portrait, AtArmsLength(1))
	if err != nil || !bytes.Equal(photo.JPEG, again.JPEG) {
		t.Error("the same seed gave another selfie")
	}
	if other, err := Selfie(portrait, AtArmsLength(2)); err != nil || bytes.Equal(photo.JPEG, other.JPEG) {
		t.Error("another seed gave the same selfie")
	}
	if _, err := Selfie(nil, AtArmsLength(1)); codeOf(err) != CodePortraitMissing {
		t.Errorf("no portrait: %v", err)
	}
	if _, err := Selfie(image.NewRGBA(image.Rect(0, 0, 10, 10)), AtArmsLength(1)); codeOf(err) != CodePortraitTooSmall {
		t.Errorf("tiny portrait: %v", err)
	}
}

func TestImpossibleScenesAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Scene){
		"no size":       func(s *Scene) { s.Width = 0 },
		"too many":      func(s *Scene) { s.Width, s.Height = 100_000, 100_000 },
		"negative":      func(s *Scene) { s.Height = -5 },
		"fill":          func(s *Scene) { s.Fill = 2 },
		"tilt":          func(s *Scene) { s.TiltX = 89 },
		"nan":           func(s *Scene) { s.Blur = math.NaN() },
		"infinity":      func(s *Scene) { s.Brightness = math.Inf(1) },
		"quality":       func(s *Scene) { s.Quality = 0 },
		"background":    func(s *Scene) { s.Background = "lava" },
		"glare":         func(s *Scene) { s.Glare = -1 },
		"noise":         func(s *Scene) { s.Noise = 1000 },
		"motion":        func(s *Scene) { s.Motion = 500 },
		"rotation":      func(s *Scene) { s.Rotation = math.NaN() },
		"shift is wild": func(s *Scene) { s.Shift = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			s := Clean(1)
			change(&s)
			if _, err := Photograph(Silhouette(), s); codeOf(err) != CodeSceneInvalid {
				t.Errorf("photograph: %v", err)
			}
			if _, err := Selfie(Silhouette(), s); codeOf(err) != CodeSceneInvalid {
				t.Errorf("selfie: %v", err)
			}
		})
	}
	if _, err := Photograph(nil, Clean(1)); codeOf(err) != CodeImageMissing {
		t.Errorf("no document: %v", err)
	}
}

func BenchmarkPhotograph(b *testing.B) {
	print := front(b, invented(DriverLicense, 1))
	for b.Loop() {
		if _, err := Photograph(print, Handheld(1)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFront(b *testing.B) {
	press, d, portrait := newPress(b), invented(DriverLicense, 1), Silhouette()
	for b.Loop() {
		if _, err := press.Front(d, portrait); err != nil {
			b.Fatal(err)
		}
	}
}

// card is a picture of one grey, the size of a card.
func card(grey uint8) *image.RGBA {
	plain := image.NewRGBA(image.Rect(0, 0, 856, 540))
	draw.Draw(plain, plain.Rect, image.NewUniform(color.Gray{grey}), image.Point{}, draw.Src)
	return plain
}

func TestCutLeavesACornerOutside(t *testing.T) {
	seen := map[[2]bool]bool{} // which corners of the picture: the seed chooses
	for seed := range uint64(24) {
		scene := Clean(seed)
		scene.Width, scene.Height, scene.Cut = 400, 300, 0.2
		photo, err := Photograph(card(230), scene)
		if err != nil {
			t.Fatal(err)
		}
		low, high := extent(photo.Corners)
		wide, tall := high.X-low.X, high.Y-low.Y
		left, top := low.X < 0, low.Y < 0
		outX, outY := math.Max(-low.X, high.X-400)/wide, math.Max(-low.Y, high.Y-300)/tall
		if math.Abs(outX-0.2) > 0.01 || math.Abs(outY-0.2) > 0.01 {
			t.Errorf("seed %d: %.2f of the width and %.2f of the height are outside", seed, outX, outY)
		}
		seen[[2]bool{left, top}] = true
	}
	if len(seen) != 4 {
		t.Errorf("only the corners %v were cut off", seen)
	}
}

func TestTwoDocumentsLieApart(t *testing.T) {
	for _, size := range []image.Point{{400, 300}, {700, 300}} {
		scene := Clean(3)
		scene.Width, scene.Height, scene.Background, scene.Shift = size.X, size.Y, Cloth, 0
		photo, err := PhotographTwo(card(240), card(180), scene)
		if err != nil {
			t.Fatal(err)
		}
		img := decode(t, photo)
		first, second := Point{float64(size.X) / 2, float64(size.Y) / 4}, Point{float64(size.X) / 2, float64(size.Y) * 3 / 4}
		if size.X > 2*size.Y {
			first, second = Point{float64(size.X) / 4, float64(size.Y) / 2}, Point{float64(size.X) * 3 / 4, float64(size.Y) / 2}
		}
		between := Point{(first.X + second.X) / 2, (first.Y + second.Y) / 2}
		a, b, c := luma(img, first), luma(img, second), luma(img, between)
		if a < 200 || b < 140 || b > 200 || c > 100 {
			t.Errorf("%v: the documents are %d and %d, between them %d", size, a, b, c)
		}
		if _, err := PhotographTwo(card(240), nil, scene); codeOf(err) != CodeImageMissing {
			t.Errorf("one document is missing: %v", err)
		}
	}
}

// TestClutterHasEdges: beside the document there is more to see than on a desk.
func TestClutterHasEdges(t *testing.T) {
	edges := func(b Background) (n int) {
		scene := Clean(5)
		scene.Width, scene.Height, scene.Fill, scene.Background, scene.Shift, scene.Noise, scene.Blur = 600, 400, 0.3, b, 0, 0, 0
		photo, err := Photograph(card(230), scene)
		if err != nil {
			t.Fatal(err)
		}
		img := decode(t, photo)
		for y := 5; y < 395; y += 5 {
			for x := 1; x < 150; x++ { // left of the document
				if d := luma(img, Point{float64(x), float64(y)}) - luma(img, Point{float64(x - 1), float64(y)}); d > 40 || d < -40 {
					n++
				}
			}
		}
		return n
	}
	for _, b := range Backgrounds() {
		n, cluttered := edges(b), b == Keys || b == Print || b == Cards
		if cluttered && n < 60 || !cluttered && n > 20 {
			t.Errorf("%s has %d edges", b, n)
		}
	}
}
