package face

import (
	"bytes"
	"image"
	"image/draw"
	_ "image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"kycd/kyc/specimen"
	"kycd/vision"
	"kycd/vision/document"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

func TestUnturned(t *testing.T) {
	d := Detection{X: 10, Y: 20, Width: 30, Height: 40, Landmarks: []vision.Point{{X: 15, Y: 30}, {X: 35, Y: 30}}}
	const width, height = 200, 100
	for _, degrees := range []int{0, 90, 180, 270} {
		there := d.turned(degrees, width, height)
		back := there.Unturned(degrees, width, height)
		if back.Box(1) != d.Box(1) || back.Landmarks[1] != d.Landmarks[1] {
			t.Errorf("%d: came back as %+v", degrees, back)
		}
	}
	if got := d.turned(90, width, height); got.Box(1) != (vision.Box{X: 40, Y: 10, Width: 40, Height: 30}) || got.Landmarks[0] != (vision.Point{X: 70, Y: 15}) {
		t.Errorf("turned by a quarter: %+v", got)
	}
}

func TestFacesOfADocument(t *testing.T) {
	const side = 380
	portrait := Detection{X: 130, Y: 200, Width: 90, Height: 110, Score: 0.9}
	ghost := Detection{X: 600, Y: 180, Width: 35, Height: 45, Score: 0.8}
	holder := Detection{X: 300, Y: 0, Width: 260, Height: 320, Score: 0.95} // behind the document
	tests := []struct {
		name  string
		found []Detection
		fit   int
		ok    bool
	}{
		{"the portrait", []Detection{portrait}, 1, true},
		{"with its ghost", []Detection{ghost, portrait}, 2, true},
		{"the ghost alone", []Detection{ghost}, 1, false},
		{"the holder alone", []Detection{holder}, 0, false},
		{"the holder and the portrait", []Detection{holder, portrait}, 1, true},
		{"the holder and the ghost", []Detection{holder, ghost}, 1, false},
		{"nobody", nil, 0, false},
	}
	for _, test := range tests {
		kept := fitting(test.found, side)
		if len(kept) != test.fit || hasPortrait(kept, side) != test.ok {
			t.Errorf("%s: %d fit, a portrait: %v", test.name, len(kept), hasPortrait(kept, side))
		}
	}
}

func TestShorterSide(t *testing.T) {
	card := [4]vision.Point{{X: 0, Y: 0}, {X: 80, Y: 0}, {X: 80, Y: 50}, {X: 0, Y: 50}}
	if got := shorterSide(card); got != 50 {
		t.Errorf("a card lying: %v", got)
	}
	upright := [4]vision.Point{card[1], card[2], card[3], card[0]}
	if got := shorterSide(upright); got != 50 {
		t.Errorf("a card standing: %v", got)
	}
}

// Of the persons in a picture the one who is large and near the middle is meant.
func TestSubject(t *testing.T) {
	selfie := Detection{X: 300, Y: 200, Width: 200, Height: 250, Score: 0.9}
	tests := []struct {
		name  string
		faces []Detection
		main  int
	}{
		{"somebody in the background", []Detection{{X: 600, Y: 100, Width: 60, Height: 70, Score: 0.99}, selfie}, 1},
		{"somebody leaning into the picture", []Detection{{X: 0, Y: 300, Width: 210, Height: 260, Score: 0.95}, selfie}, 1},
		{"two as large, one in the middle", []Detection{{X: 560, Y: 200, Width: 200, Height: 250, Score: 0.95}, selfie}, 1},
		{"two as large, as far from the middle", []Detection{{X: 100, Y: 200, Width: 200, Height: 250, Score: 0.9}, {X: 500, Y: 200, Width: 200, Height: 250, Score: 0.91}}, 0},
		{"five in a row", []Detection{
			{X: 0, Y: 300, Width: 100, Height: 120}, {X: 170, Y: 300, Width: 100, Height: 120}, {X: 350, Y: 300, Width: 100, Height: 120},
			{X: 530, Y: 300, Width: 100, Height: 120}, {X: 700, Y: 300, Width: 100, Height: 120},
		}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := test.faces[test.main].Box(1)
			sortByProminence(test.faces, 800, 800)
			if got := test.faces[0].Box(1); got != want {
				t.Errorf("main face %v, want %v", got, want)
			}
		})
	}
}

// A picture that lies on its side or stands on its head shows the face that it shows upright, and so does the
// fall-back detector.
func TestFindTurned(t *testing.T) {
	yunet := openFinder(t)
	hog, err := NewFinder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer hog.Close()
	pic := decode(t, selfie)
	for name, finder := range map[string]*Finder{DetectorYuNet: yunet, DetectorHOG: hog} {
		upright, err := finder.Find(pic)
		if err != nil || len(upright) != 1 {
			t.Fatalf("%s: %d faces, %v", name, len(upright), err)
		}
		for _, degrees := range []int{0, 90, 180, 270} {
			found, turned, err := finder.FindTurned(pic.Turned(degrees))
			if err != nil || len(found) != 1 || (turned+degrees)%360 != 0 {
				t.Errorf("%s, turned by %d: %d faces at %d, %v", name, degrees, len(found), turned, err)
				continue
			}
			if shared := overlap(found[0], upright[0]); shared < 0.6 {
				t.Errorf("%s, turned by %d: the face is elsewhere (%.2f)", name, degrees, shared)
			}
		}
	}
}

// Looking from four sides must not make faces of what has none.
func TestFindTurnedWithoutFaces(t *testing.T) {
	finder := openFinder(t)
	for _, name := range []string{"compreface_017_0", "photoprism_7", "photoprism_10", "photoprism_13", "photoprism_15", "exif_gps_DSCN0010"} {
		pic := decode(t, "faces/dev/counts/"+name+".jpg")
		found, turned, err := finder.FindTurned(pic)
		if err != nil || len(found) != 0 || turned != 0 {
			t.Errorf("%s: %d faces, turned by %d, %v", name, len(found), turned, err)
		}
		if found, _, err = finder.FindPortrait(pic, nil); err != nil || len(found) != 0 {
			t.Errorf("%s taken for a document: %d faces, %v", name, len(found), err)
		}
	}
}

// A strip a hundred times as long as it is high shows nobody, whatever is printed on it.
func TestFindInStrip(t *testing.T) {
	finder := openFinder(t)
	const width, height = 4000, 40
	pix := make([]byte, 3*width*height)
	for i := range pix {
		if x, y := i/3%width, i/3/width; (x/4+y/4)%2 == 0 {
			pix[i] = 220
		}
	}
	if found, turned, err := finder.FindTurned(imaging.New(pix, width, height)); err != nil || len(found) != 0 || turned != 0 {
		t.Errorf("%d faces at %d, %v", len(found), turned, err)
	}
}

// A weak face counts if HOG sees it too.
func TestConfirms(t *testing.T) {
	finder := openFinder(t)
	pic := decode(t, selfie)
	found, err := finder.Find(pic)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d faces, %v", len(found), err)
	}
	beside := found[0]
	beside.X += 2 * beside.Width
	outside := found[0]
	outside.X = -5000
	for name, test := range map[string]struct {
		d    Detection
		want bool
	}{"face": {found[0], true}, "beside it": {beside, false}, "outside": {outside, false}, "nothing": {Detection{}, false}, "no number": {Detection{Width: math.NaN()}, false}} {
		if got, err := finder.hog.confirms(pic, test.d, 0); err != nil || got != test.want {
			t.Errorf("%s: confirmed %v, %v", name, got, err)
		}
	}
	kept, err := finder.confirmed(pic, []Detection{beside, found[0]})
	if err != nil || len(kept) != 1 || !kept[0].Confirmed {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

// document prints a specimen with a portrait and photographs it.
func printed(t *testing.T, kind specimen.Type, portrait image.Image, scene specimen.Scene) (*imaging.Picture, vision.Document) {
	t.Helper()
	press, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rng := rand.New(rand.NewPCG(scene.Seed, 1))
	front, err := press.Front(specimen.RandomDocument(rng, kind, specimen.RandomPerson(rng, now), now), portrait)
	if err != nil {
		t.Fatal(err)
	}
	photo, err := specimen.Photograph(front, scene)
	if err != nil {
		t.Fatal(err)
	}
	pic, err := imaging.Decode(photo.JPEG, imaging.Options{})
	if err != nil {
		t.Fatal(err)
	}
	outline := vision.Document{Confidence: 1}
	for i, c := range photo.Corners {
		outline.Corners[i] = vision.Point(c)
	}
	return pic, outline
}

// head cuts a portrait out of a picture of the test data.
func head(t *testing.T, finder *Finder, name string) *image.RGBA {
	t.Helper()
	data := visiontest.Read(t, name)
	pic, err := imaging.Decode(data, imaging.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := finder.Find(pic)
	if err != nil || len(found) == 0 {
		t.Fatalf("%d faces, %v", len(found), err)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	b := found[0].Box(pic.Scale)
	portrait, err := specimen.HeadAndShoulders(img, image.Rect(b.X, b.Y, b.X+b.Width, b.Y+b.Height))
	if err != nil {
		t.Fatal(err)
	}
	return portrait
}

// The portrait is found wherever it stands, however small, grey or turned the document is; the ghost is not taken for it.
func TestFindPortrait(t *testing.T) {
	finder := openFinder(t)
	portrait := head(t, finder, selfie)
	colourless := image.NewGray(portrait.Rect)
	draw.Draw(colourless, portrait.Rect, portrait, image.Point{}, draw.Src)
	far := specimen.Handheld(3)
	far.Fill = 0.3
	tests := []struct {
		name     string
		kind     specimen.Type
		portrait image.Image
		scene    specimen.Scene
		degrees  int
		outlined bool
	}{
		{"licence", specimen.DriverLicense, portrait, specimen.Clean(1), 0, true},
		{"licence, outline not seen", specimen.DriverLicense, portrait, specimen.Clean(1), 0, false},
		{"passport", specimen.Passport, portrait, specimen.Handheld(2), 0, true},
		{"far away", specimen.PassportCard, portrait, far, 0, true},
		{"far away, outline not seen", specimen.PassportCard, portrait, far, 0, false},
		{"grey", specimen.IdentificationCard, colourless, specimen.Handheld(4), 0, true},
		{"on its side", specimen.DriverLicense, portrait, specimen.Handheld(5), 90, true},
		{"on its head", specimen.Passport, portrait, specimen.Handheld(6), 180, true},
		{"on its other side, outline not seen", specimen.DriverLicense, portrait, specimen.Handheld(7), 270, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pic, outline := printed(t, test.kind, test.portrait, test.scene)
			// Left of a quarter of the width stands the portrait, right of the middle the ghost.
			middle := func(d Detection) float64 {
				c := outline.Corners
				return (d.X + d.Width/2 - (c[0].X+c[3].X)/2) / ((c[1].X + c[2].X - c[0].X - c[3].X) / 2)
			}
			seen := outline
			for i, c := range outline.Corners {
				at := Detection{X: c.X, Y: c.Y}.turned(test.degrees, pic.Width, pic.Height)
				seen.Corners[i] = vision.Point{X: at.X, Y: at.Y}
			}
			hint := &seen
			if !test.outlined {
				hint = nil
			}
			found, turned, err := finder.FindPortrait(pic.Turned(test.degrees), hint)
			if err != nil || len(found) == 0 || (turned+test.degrees)%360 != 0 {
				t.Fatalf("%d faces at %d, %v", len(found), turned, err)
			}
			if at := middle(found[0]); at < 0.05 || at > 0.35 {
				t.Errorf("the main face stands at %.2f of the width", at)
			}
			for _, other := range found[1:] {
				if at := middle(other); at < 0.7 || at > 1 {
					t.Errorf("another face stands at %.2f of the width", at)
				}
			}
		})
	}
}

// Where the outline found is a frame printed on the document, or that of its other side, the portrait is found all the
// same; who holds the document is not taken for it.
func TestFindPortraitBesideTheOutline(t *testing.T) {
	finder := openFinder(t)
	tests := []struct {
		name string
		pic  string
	}{
		{"two cards in one picture", "mrz/dev/images/mindee_gen_international_id.jpg"},
		{"a frame beside the portrait", "documents/dev/id_documents/docxpand_id_card_td2_b_front.png"},
		{"a frame around the portrait", "documents/dev/id_documents/docxpand_pp_td3_a_front.png"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			pic := decode(t, test.pic)
			outline, seen, err := document.Find(pic.Pix, pic.Width, pic.Height)
			if err != nil || !seen {
				t.Fatalf("outline seen: %v, %v", seen, err)
			}
			found, turned, err := finder.FindPortrait(pic, &outline)
			if err != nil || len(found) == 0 || turned != 0 {
				t.Fatalf("%d faces, turned by %d, %v", len(found), turned, err)
			}
			if middle := found[0].X + found[0].Width/2; middle > float64(pic.Width)/3 || found[0].Width < float64(pic.Width)/8 {
				t.Errorf("the main face is %v", found[0].Box(1))
			}
		})
	}
	// A card without a portrait, no higher than the face of who holds it up.
	person := decode(t, selfie)
	face, err := finder.Find(person)
	if err != nil || len(face) != 1 {
		t.Fatalf("%d faces, %v", len(face), err)
	}
	x, y, height := 100.0, 500.0, face[0].Height
	card := vision.Document{Confidence: 1, Corners: [4]vision.Point{
		{X: x, Y: y}, {X: x + 1.586*height, Y: y}, {X: x + 1.586*height, Y: y + height}, {X: x, Y: y + height},
	}}
	pix := bytes.Clone(person.Pix)
	for v := int(y); v < int(y+height); v++ {
		for u := int(x); u < int(x+1.586*height); u++ {
			copy(pix[3*(v*person.Width+u):], []byte{200, 210, 205})
		}
	}
	if found, _, err := finder.FindPortrait(imaging.New(pix, person.Width, person.Height), &card); err != nil || len(found) != 0 {
		t.Errorf("the holder is taken for the portrait: %d faces, %v", len(found), err)
	}
}

// A document whose portrait is hidden has no portrait: its ghost and its holder are not taken for it.
func TestFindPortraitHidden(t *testing.T) {
	finder := openFinder(t)
	pic, outline := printed(t, specimen.DriverLicense, head(t, finder, selfie), specimen.Clean(1))
	pix := bytes.Clone(pic.Pix)
	c := outline.Corners
	for y := int(c[0].Y); y < int(c[3].Y); y++ {
		for x := int(c[0].X); x < int(c[0].X+0.4*(c[1].X-c[0].X)); x++ {
			copy(pix[3*(y*pic.Width+x):], []byte{90, 120, 140})
		}
	}
	hidden := imaging.New(pix, pic.Width, pic.Height)
	ghosts, err := finder.yunet.detect(hidden, 1280, portraitScore)
	if err != nil || len(ghosts) != 1 {
		t.Fatalf("%d ghosts, %v: nothing is tested", len(ghosts), err)
	}
	if found, _, err := finder.FindPortrait(hidden, &outline); err != nil || len(found) != 0 {
		t.Errorf("%d faces, %v", len(found), err)
	}
}

// Light that falls off from left to right is evened out; what it fell on stays.
func TestEvened(t *testing.T) {
	const side = 160
	pix := make([]byte, 3*side*side)
	for i := range pix {
		x, y := i/3%side, i/3/side
		pix[i] = byte(20 + x)
		if (x/4+y/4)%2 == 0 {
			pix[i] /= 2
		}
	}
	even, err := evened(imaging.New(pix, side, side), 8)
	if err != nil {
		t.Fatal(err)
	}
	mean := func(from int) (sum int) {
		for y := range side {
			for x := from; x < from+side/4; x++ {
				sum += int(even.Gray()[y*side+x])
			}
		}
		return sum / (side * side / 4)
	}
	if dark, light := mean(0), mean(3*side/4); light-dark > 25 || dark-light > 25 {
		t.Errorf("means %d and %d", dark, light)
	}
	if a, b := even.Gray()[80*side+80], even.Gray()[80*side+84]; int(a)-int(b) > -30 && int(a)-int(b) < 30 {
		t.Errorf("the pattern is gone: %d beside %d", a, b)
	}
	black, err := evened(imaging.New(make([]byte, 3*64), 8, 8), 8)
	if err != nil || black.Pix[0] != 0 {
		t.Error("a black picture did not stay black")
	}
}
