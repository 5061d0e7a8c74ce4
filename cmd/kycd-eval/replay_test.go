package main

import (
	"bytes"
	"image"
	"image/color"
	_ "image/jpeg"
	"math/rand/v2"
	"testing"

	"kycd/vision"
)

// quarters is a picture whose four quarters are red, green, blue and grey, clockwise from the upper left.
func quarters(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{200, 0, 0, 255}
			switch right, lower := x >= width/2, y >= height/2; {
			case right && lower:
				c = color.RGBA{0, 0, 200, 255}
			case right:
				c = color.RGBA{0, 200, 0, 255}
			case lower:
				c = color.RGBA{90, 90, 90, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func sameQuarters(a, b *image.RGBA) bool {
	for _, at := range [][2]float64{{0.25, 0.25}, {0.75, 0.25}, {0.25, 0.75}, {0.75, 0.75}} {
		pixel := func(img *image.RGBA) color.RGBA {
			return img.RGBAAt(int(at[0]*float64(img.Rect.Dx())), int(at[1]*float64(img.Rect.Dy())))
		}
		p, q := pixel(a), pixel(b)
		for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
			if d < -30 || d > 30 {
				return false
			}
		}
	}
	return true
}

// A turned file says by its mark how to turn it back, and that turn is the opposite one.
func TestQuarterTurns(t *testing.T) {
	upright := quarters(80, 60)
	back := map[byte]byte{3: 3, 6: 8, 8: 6}
	for _, turn := range quarterTurns() {
		content, err := asJPEG(turn.apply(upright), 95)
		if err != nil {
			t.Fatal(err)
		}
		content = marked(content, turn.orientation)
		container, err := vision.Inspect(content)
		if err != nil || container.Orientation != int(turn.orientation) {
			t.Errorf("orientation %d reads as %d, %v", turn.orientation, container.Orientation, err)
		}
		stored, _, err := image.Decode(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range quarterTurns() {
			shown := other.apply(toRGBA(stored))
			if got, want := shown.Rect == upright.Rect && sameQuarters(shown, upright), other.orientation == back[turn.orientation]; got != want {
				t.Errorf("stored for %d, turned as for %d: upright %v", turn.orientation, other.orientation, got)
			}
		}
	}
}

func TestManipulations(t *testing.T) {
	img := quarters(200, 100)
	if got := trimmed(img, [4]float64{0.05, 0.1, 0, 0.02}).Rect; got != image.Rect(0, 0, 190, 88) {
		t.Errorf("trimmed to %v", got)
	}
	if got := scaled(img, 0.3).Rect; got != image.Rect(0, 0, 60, 30) {
		t.Errorf("scaled to %v", got)
	}
	if got := shrunkTo(img, 50).Rect; got != image.Rect(0, 0, 50, 25) {
		t.Errorf("shrunk to %v", got)
	}
	if m := mirrored(img); sameQuarters(m, img) || !sameQuarters(mirrored(m), img) {
		t.Error("mirroring twice is not what it was, or once is")
	}
	if got := toned(img, 1, 20, 1).RGBAAt(0, 0); got != (color.RGBA{220, 20, 20, 255}) {
		t.Errorf("brighter by 20: %v", got)
	}
	for _, m := range manipulations() {
		once, err := m.make(img, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		again, err := m.make(img, rand.New(rand.NewPCG(1, 2)))
		if err != nil || !bytes.Equal(once, again) {
			t.Errorf("%s: the same seed gives another picture", m.name)
		}
		if _, err := vision.Inspect(once); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

func TestInCommon(t *testing.T) {
	drawing := func(owner, shows, scene string) original {
		return original{origin: "drawn documents", owner: owner, shows: shows, scene: scene}
	}
	frame := func(video string, n int) original { return original{owner: "somebody", video: video, frame: n} }
	tests := []struct {
		a, b original
		want string
	}{
		{original{owner: "a"}, original{owner: "b"}, nothingShared},
		{original{owner: "a"}, original{owner: "a"}, samePerson},
		{frame("v", 1), frame("v", 4), neighbouring},
		{frame("v", 9), frame("v", 4), sameVideo},
		{frame("v", 1), frame("w", 1), ""},
		{drawing("1", "front", "flat"), drawing("2", "front", "flat"), sameForm},
		{drawing("1", "front", "one desk"), drawing("2", "front", "one desk"), sameDesk},
		{drawing("1", "back", "careful"), drawing("2", "back", "careful"), otherDesks},
		{drawing("1", "front", "careful"), drawing("1", "front", "careful again"), twoCareful},
		{drawing("1", "front", "careful"), drawing("1", "front", "everyday"), twoScenes},
		{drawing("1", "front", "flat"), drawing("1", "front", "careful"), ""},
		{drawing("1", "front", "flat"), drawing("1", "back", "flat"), ""},
		{drawing("1", "front", "flat"), drawing("2", "back", "flat"), nothingShared},
	}
	for _, test := range tests {
		got, share := inCommon(test.a, test.b)
		if got != test.want || (share > 0) != (got != "") {
			t.Errorf("%+v and %+v: %q, a share of %v, want %q", test.a, test.b, got, share, test.want)
		}
	}
}

func TestKeepsMost(t *testing.T) {
	var values []float64
	for i := range 1000 {
		values = append(values, 0.5+float64(i)/2000)
	}
	for missed, want := range map[float64]float64{0: 0.5, 0.5: 0.75, 0.105: 0.55} {
		if got := keepsMost(values, missed); got != want {
			t.Errorf("missed %v: %v, want %v", missed, got, want)
		}
	}
}
