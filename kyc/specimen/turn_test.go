package specimen

import (
	"image"
	"image/color"
	"math"
	"testing"
)

// drawnHead is a face that a test can measure: a dot for each of its points, on an even ground.
func drawnHead() (*image.RGBA, Head) {
	head := Head{RightEye: Point{160, 180}, LeftEye: Point{240, 180}, Nose: Point{200, 226}, RightMouth: Point{170, 265}, LeftMouth: Point{230, 265}}
	picture := image.NewRGBA(image.Rect(0, 0, 400, 500))
	for y := range 500 {
		for x := range 400 {
			picture.SetRGBA(x, y, color.RGBA{200, 170, 150, 255})
		}
	}
	for i, p := range head.points() {
		for y := -4; y <= 4; y++ {
			for x := -4; x <= 4; x++ {
				picture.SetRGBA(int(p.X)+x, int(p.Y)+y, dot(i))
			}
		}
	}
	return picture, head
}

func (h Head) points() [5]Point {
	return [5]Point{h.RightEye, h.LeftEye, h.Nose, h.RightMouth, h.LeftMouth}
}

func dot(i int) color.RGBA {
	return [5]color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 0, 255}, {255, 0, 255, 255}}[i]
}

// dots finds the middle of each dot again.
func dots(t *testing.T, picture image.Image) [5]Point {
	t.Helper()
	var sums [5]Point
	var counts [5]float64
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			got := color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)
			for i := range sums {
				want := dot(i)
				away := math.Abs(float64(got.R)-float64(want.R)) + math.Abs(float64(got.G)-float64(want.G)) + math.Abs(float64(got.B)-float64(want.B))
				if away < 120 {
					sums[i].X, sums[i].Y, counts[i] = sums[i].X+float64(x), sums[i].Y+float64(y), counts[i]+1
				}
			}
		}
	}
	for i, n := range counts {
		if n == 0 {
			t.Fatalf("dot %d is gone", i)
		}
		sums[i] = Point{sums[i].X / n, sums[i].Y / n}
	}
	return sums
}

func TestTurningByNothingGivesThePicture(t *testing.T) {
	picture, head := drawnHead()
	same, err := TurnHead(picture, head, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !sameTones(picture, same, 0) {
		t.Error("the picture differs")
	}
	if &same.Pix[0] == &picture.Pix[0] {
		t.Error("it is the picture itself, not a copy")
	}
	// A net that is not moved shows what it is made of.
	relief, err := newRelief(picture, head)
	if err != nil {
		t.Fatal(err)
	}
	blank := image.NewRGBA(picture.Rect)
	newSheet(picture, relief, turning(0, 0)).draw(blank, picture)
	if !sameTones(picture, blank, 1) {
		t.Error("the net at rest differs from the picture")
	}
}

// sameTones tells whether no tone differs by more than the given levels.
func sameTones(a, b *image.RGBA, levels int) bool {
	if a.Rect != b.Rect {
		return false
	}
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(b.Pix[i]); d > levels || -d > levels {
			return false
		}
	}
	return true
}

func TestTurningMovesTheNoseAgainstTheFace(t *testing.T) {
	picture, head := drawnHead()
	before := head.points()
	middleOf := func(p [5]Point) Point { return middle(middle(p[0], p[1]), middle(p[3], p[4])) }
	for _, test := range []struct {
		name       string
		yaw, pitch float64
		want       Point // direction in which the whole moves, and the nose further
	}{
		{"left", 25, 0, Point{1, 0}}, {"right", -25, 0, Point{-1, 0}}, {"up", 0, 20, Point{0, -1}}, {"down", 0, -20, Point{0, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			turned, err := TurnHead(picture, head, test.yaw, test.pitch)
			if err != nil {
				t.Fatal(err)
			}
			if turned.Rect != picture.Rect {
				t.Fatalf("the picture is %v, want %v", turned.Rect, picture.Rect)
			}
			now := dots(t, turned)
			along := func(from, to Point) float64 { return (to.X-from.X)*test.want.X + (to.Y-from.Y)*test.want.Y }
			face, nose := along(middleOf(before), middleOf(now)), along(before[2], now[2])
			// Pupils are 80 px apart; the head's front lies about 1.3 of it before the axis, the nose 0.3 further.
			if face < 20 || face > 60 || nose-face < 6 || nose-face > 20 {
				t.Errorf("the face moved by %.1f px, the nose by %.1f", face, nose)
			}
		})
	}
}

func TestTurningHidesNothingOfTheGround(t *testing.T) {
	picture, head := drawnHead()
	turned, err := TurnHead(picture, head, 35, -35)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(turned.Pix); i += 4 {
		if turned.Pix[i+3] != 255 {
			t.Fatalf("pixel %d is transparent", i/4)
		}
	}
	for _, corner := range []image.Point{{0, 0}, {399, 0}, {0, 499}, {399, 499}} {
		if got, want := turned.RGBAAt(corner.X, corner.Y), picture.RGBAAt(corner.X, corner.Y); got != want {
			t.Errorf("corner %v is %v, want %v", corner, got, want)
		}
	}
}

// mirrored swaps left and right, of the picture and of the person.
func mirrored(picture *image.RGBA, head Head) (*image.RGBA, Head) {
	width := picture.Rect.Dx()
	result := image.NewRGBA(picture.Rect)
	for y := range picture.Rect.Dy() {
		for x := range width {
			result.SetRGBA(width-1-x, y, picture.RGBAAt(x, y))
		}
	}
	flip := func(p Point) Point { return Point{float64(width-1) - p.X, p.Y} }
	return result, Head{
		RightEye: flip(head.LeftEye), LeftEye: flip(head.RightEye), Nose: flip(head.Nose), RightMouth: flip(head.LeftMouth), LeftMouth: flip(head.RightMouth),
	}
}

func TestLeftAndRightAreMirrorImages(t *testing.T) {
	picture, head := drawnHead()
	head.Nose.X += 6 // a head that is turned a little already
	left, err := TurnHead(picture, head, 20, 5)
	if err != nil {
		t.Fatal(err)
	}
	otherPicture, otherHead := mirrored(picture, head)
	right, err := TurnHead(otherPicture, otherHead, -20, 5)
	if err != nil {
		t.Fatal(err)
	}
	back, _ := mirrored(right, otherHead)
	want, got := dots(t, left), dots(t, back)
	for i := range want {
		if math.Hypot(want[i].X-got[i].X, want[i].Y-got[i].Y) > 0.7 {
			t.Errorf("dot %d at %v, mirrored at %v", i, want[i], got[i])
		}
	}
}

// TestMotionKnowsWhereThePictureBegins cuts the picture out of a larger one: positions are those of the larger.
func TestMotionKnowsWhereThePictureBegins(t *testing.T) {
	picture, head := drawnHead()
	larger := image.NewRGBA(image.Rect(0, 0, 460, 560))
	for y := range 500 {
		for x := range 400 {
			larger.SetRGBA(60+x, 60+y, picture.RGBAAt(x, y))
		}
	}
	cut := larger.SubImage(image.Rect(60, 60, 460, 560))
	moved := head
	for _, p := range []*Point{&moved.RightEye, &moved.LeftEye, &moved.Nose, &moved.RightMouth, &moved.LeftMouth} {
		p.X, p.Y = p.X+60, p.Y+60
	}
	for name, render := range renderers() {
		want, err := render(picture, head)
		if err != nil {
			t.Fatal(err)
		}
		got, err := render(cut, moved)
		if err != nil {
			t.Fatal(err)
		}
		if !sameTones(want, got, 0) {
			t.Errorf("%s of a cut differs", name)
		}
	}
}

// renderers are the motions of the press, each of a usual size.
func renderers() map[string]func(image.Image, Head) (*image.RGBA, error) {
	return map[string]func(image.Image, Head) (*image.RGBA, error){
		"turn":       func(p image.Image, h Head) (*image.RGBA, error) { return TurnHead(p, h, 25, 0) },
		"smile":      func(p image.Image, h Head) (*image.RGBA, error) { return Smile(p, h, 1) },
		"open mouth": func(p image.Image, h Head) (*image.RGBA, error) { return OpenMouth(p, h, 1) },
	}
}

func TestMotionRefuses(t *testing.T) {
	picture, head := drawnHead()
	with := func(change func(*Head)) Head {
		changed := head
		change(&changed)
		return changed
	}
	for _, test := range []struct {
		name    string
		picture image.Image
		head    Head
		want    Code
	}{
		{"no picture", nil, head, CodePortraitMissing},
		{"an empty picture", image.NewRGBA(image.Rectangle{}), head, CodePortraitMissing},
		{"no points", picture, Head{}, CodeFaceUnusable},
		{"a face too small", picture, with(func(h *Head) {
			h.RightEye, h.LeftEye, h.RightMouth, h.LeftMouth = Point{100, 100}, Point{105, 100}, Point{101, 106}, Point{104, 106}
		}), CodeFaceUnusable},
		{"eyes beyond the picture", picture, with(func(h *Head) { h.RightEye.X, h.LeftEye.X = -900, 900 }), CodeFaceUnusable},
		{"a face upside down", picture, with(func(h *Head) { h.RightMouth.Y, h.LeftMouth.Y = 100, 100 }), CodeFaceUnusable},
		{"no number", picture, with(func(h *Head) { h.LeftEye.X = math.NaN() }), CodeFaceUnusable},
	} {
		for name, render := range renderers() {
			_, err := render(test.picture, test.head)
			if got := codeOf(err); got != test.want {
				t.Errorf("%s, %s: %q, want %q", name, test.name, got, test.want)
			}
		}
	}
	for name, render := range map[string]func() (*image.RGBA, error){
		"yaw":          func() (*image.RGBA, error) { return TurnHead(picture, head, 36, 0) },
		"pitch":        func() (*image.RGBA, error) { return TurnHead(picture, head, 0, -36) },
		"yaw, none":    func() (*image.RGBA, error) { return TurnHead(picture, head, math.NaN(), 0) },
		"smile":        func() (*image.RGBA, error) { return Smile(picture, head, 1.1) },
		"smile, less":  func() (*image.RGBA, error) { return Smile(picture, head, -0.1) },
		"smile, none":  func() (*image.RGBA, error) { return Smile(picture, head, math.NaN()) },
		"mouth":        func() (*image.RGBA, error) { return OpenMouth(picture, head, 1.1) },
		"mouth, less":  func() (*image.RGBA, error) { return OpenMouth(picture, head, -0.1) },
		"mouth, none":  func() (*image.RGBA, error) { return OpenMouth(picture, head, math.NaN()) },
		"mouth, right": func() (*image.RGBA, error) { return OpenMouth(picture, head, math.Inf(1)) },
	} {
		if _, err := render(); codeOf(err) != CodeMotionOutOfRange {
			t.Errorf("%s: %v, want %s", name, err, CodeMotionOutOfRange)
		}
	}
	noMouth := with(func(h *Head) { h.RightMouth.X, h.LeftMouth.X = 199, 201 })
	if _, err := Smile(picture, noMouth, 1); codeOf(err) != CodeFaceUnusable {
		t.Errorf("a mouth of two pixels: %v", err)
	}
}
