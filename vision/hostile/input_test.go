package hostile

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"testing"

	"kycd/vision"
	"kycd/vision/engine"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

// portrait is a picture of one person, in the test data.
const portrait = "faces/dev/identities/deepface/p00/img1.jpg"

// Whatever is sent, the answer is a code or a right result. Loading takes seconds, so one engine serves all.
func TestInput(t *testing.T) {
	e := openEngine(t, 1)
	defer e.Close()
	for name, test := range map[string]func(*testing.T, *engine.Engine){
		"containers":   testContainers,
		"pixels":       testPixels,
		"orientations": testOrientations,
		"people":       testPeople,
	} {
		t.Run(name, func(t *testing.T) { test(t, e) })
	}
}

func analyze(e *engine.Engine, b []byte) vision.Analysis {
	return e.Analyze(context.Background(), b, vision.Ask{Faces: true, Liveness: true, Attributes: true, Fingerprint: true})
}

func testContainers(t *testing.T, e *engine.Engine) {
	whole := asJPEG(t, pattern(200, 144), 80)
	sized := func(width, height int) []byte { // a header that promises what nobody can hold
		b := bytes.Clone(whole)
		for _, s := range segments(b) {
			if s.marker == 0xC0 {
				binary.BigEndian.PutUint16(b[s.start+5:], uint16(height))
				binary.BigEndian.PutUint16(b[s.start+7:], uint16(width))
			}
		}
		return b
	}
	broken := bytes.Clone(whole)
	for _, s := range segments(broken) {
		if s.marker == 0xC4 {
			broken[s.start+5] = 0xFF // more codes of one bit than there are
		}
	}
	tests := []struct {
		name string
		data []byte
		code vision.Code
	}{
		{"nothing", nil, vision.CodeEmpty},
		{"a text", []byte("no picture at all, whatever its name says"), vision.CodeUnsupported},
		{"1 × 1 px", asJPEG(t, pattern(1, 1), 80), vision.CodeTooSmall},
		{"1 × 10000 px", asPNG(t, image.NewGray(image.Rect(0, 0, 1, 10000))), vision.CodeTooSmall},
		{"65535 × 65535 px", sized(65535, 65535), vision.CodeTooManyPixels},
		{"a header of 6000 × 6000 px and little else", sized(6000, 6000), ""},
		{"no height", sized(200, 0), vision.CodeUnreadable},
		{"cut off", whole[:len(whole)/2], vision.CodeTruncated},
		{"impossible tables", broken, vision.CodeUnreadable},
		{"rubbish behind the end", append(bytes.Clone(whole), bytes.Repeat([]byte("rubbish"), 1000)...), ""},
		{"progressive", byOpenCV(t, pattern(200, 144), 2, 1), ""},
		{"four inks of an unknown kind", encodeInk(pattern(64, 48), plainCMYK), vision.CodeUnsupported},
		{"animated PNG", animatedPNG(t), vision.CodeAnimated},
		{"animated WebP", animatedWebP(), vision.CodeAnimated},
		{"a small picture", asJPEG(t, pattern(vision.MinImageSide, vision.MinImageSide), 80), ""},
		{"a long one", asJPEG(t, pattern(4000, 40), 80), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := e.Analyze(context.Background(), test.data, vision.AskAll())
			if a.Error != string(test.code) {
				t.Fatalf("error %q, want %q", a.Error, test.code)
			}
			for part, reason := range a.Unavailable {
				if reason == vision.ReasonFailed || reason == vision.ReasonTimeout {
					t.Errorf("%s: %s", part, reason)
				}
			}
			if test.code == "" && (len(a.Faces) != 0 || !slices.Contains(a.Hints, vision.HintNoFace)) {
				t.Errorf("%d faces, hints %v", len(a.Faces), a.Hints)
			}
		})
	}
}

// However the pixels are stored, the same colours come out, and the same face.
func testPixels(t *testing.T, e *engine.Engine) {
	data := visiontest.Read(t, portrait)
	pic, err := imaging.Decode(data, imaging.Options{MaxSide: 700})
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, pic.Width, pic.Height))
	for i := range pic.Width * pic.Height {
		copy(img.Pix[4*i:], []byte{pic.Pix[3*i+2], pic.Pix[3*i+1], pic.Pix[3*i], 255})
	}
	reference := analyze(e, asPNG(t, img))
	if len(reference.Faces) != 1 || len(reference.Faces[0].Encoding) == 0 {
		t.Fatalf("%d faces in the reference", len(reference.Faces))
	}
	deep := image.NewRGBA64(img.Rect)
	draw.Draw(deep, img.Rect, img, image.Point{}, draw.Src)
	deepGrey := image.NewGray16(img.Rect)
	draw.Draw(deepGrey, img.Rect, img, image.Point{}, draw.Src)
	seeThrough := image.NewNRGBA(img.Rect)
	draw.Draw(seeThrough, img.Rect, img, image.Point{}, draw.Src)
	for i := 3; i < len(seeThrough.Pix); i += 4 {
		seeThrough.Pix[i] = 200
	}
	few := image.NewPaletted(img.Rect, cube())
	draw.FloydSteinberg.Draw(few, img.Rect, img, image.Point{})
	tests := []struct {
		name     string
		data     []byte
		colour   float64 // largest mean difference of a channel from the reference, in levels
		distance float64 // largest distance of the encodings
	}{
		{"JPEG", asJPEG(t, img, 92), 3, 0.15},
		{"progressive JPEG", byOpenCV(t, img, 1, 92, 2, 1), 3, 0.15},
		{"CMYK JPEG", encodeInk(img, adobeCMYK), 3, 0.15},
		{"YCCK JPEG", encodeInk(img, adobeYCCK), 3, 0.15},
		{"16-bit PNG", asPNG(t, deep), 1, 0.05},
		{"half transparent PNG", asPNG(t, seeThrough), 1, 0.05},
		{"palette PNG of 216 colours", asPNG(t, few), 20, 0.35},
		{"grey JPEG", asJPEG(t, grey(img), 92), 255, 0.35},
		{"grey PNG", asPNG(t, grey(img)), 255, 0.35},
		{"16-bit grey PNG", asPNG(t, deepGrey), 255, 0.35},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			decoded, err := imaging.Decode(test.data, imaging.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if off := meanDifference(decoded, pic); off > test.colour {
				t.Errorf("a channel is off by %.1f levels", off)
			}
			a := analyze(e, test.data)
			if a.Error != "" || len(a.Faces) != 1 {
				t.Fatalf("error %q, %d faces", a.Error, len(a.Faces))
			}
			d, err := vision.Distance(a.Faces[0].Encoding, reference.Faces[0].Encoding)
			if err != nil || d > test.distance {
				t.Errorf("distance %.3f, %v", d, err)
			}
		})
	}
	// Go's decoder is another opinion on what the four inks mean.
	for _, kind := range []int{adobeCMYK, adobeYCCK} {
		b := encodeInk(drawn(96, 72), kind)
		want, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		got, err := imaging.Decode(b, imaging.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.Width * got.Height {
			c := color.RGBAModel.Convert(want.At(i%got.Width, i/got.Width)).(color.RGBA)
			for k, v := range [3]uint8{c.B, c.G, c.R} {
				if off := math.Abs(float64(v) - float64(got.Pix[3*i+k])); off > 6 {
					t.Fatalf("kind %d, pixel %d, channel %d: off by %v", kind, i, k, off)
				}
			}
		}
	}
}

// meanDifference is that of the channel that is off most.
func meanDifference(a, b *imaging.Picture) float64 {
	if len(a.Pix) != len(b.Pix) {
		return math.Inf(1)
	}
	var sum [3]float64
	for i := range a.Pix {
		sum[i%3] += math.Abs(float64(a.Pix[i]) - float64(b.Pix[i]))
	}
	return slices.Max(sum[:]) * 3 / float64(len(a.Pix))
}

// Turned by a camera in any of eight ways and marked so, a picture gives what it gives upright.
func testOrientations(t *testing.T, e *engine.Engine) {
	pic, err := imaging.Decode(visiontest.Read(t, portrait), imaging.Options{MaxSide: 600})
	if err != nil {
		t.Fatal(err)
	}
	encode := func(p *imaging.Picture, orientation byte) []byte {
		jpg, err := p.EncodeJPEG(98)
		if err != nil {
			t.Fatal(err)
		}
		return withExif(jpg, orientation)
	}
	upright := analyze(e, encode(pic, 1))
	if len(upright.Faces) != 1 {
		t.Fatalf("%d faces upright", len(upright.Faces))
	}
	// How the camera stored it: turned clockwise so far, then mirrored or not, undone by the orientation.
	for orientation, stored := range map[byte]*imaging.Picture{
		2: pic.Mirrored(), 3: pic.Turned(180), 4: pic.Turned(180).Mirrored(),
		5: pic.Turned(90).Mirrored(), 6: pic.Turned(270), 7: pic.Turned(270).Mirrored(), 8: pic.Turned(90),
	} {
		a := analyze(e, encode(stored, orientation))
		if a.Error != "" || len(a.Faces) != 1 || a.Width != upright.Width || a.Height != upright.Height || a.Turned != 0 {
			t.Errorf("orientation %d: error %q, %d faces, %d×%d, turned %d", orientation, a.Error, len(a.Faces), a.Width, a.Height, a.Turned)
			continue
		}
		if away := centre(a.Faces[0].Box, upright.Faces[0].Box); away > 4 {
			t.Errorf("orientation %d: the face is %.0f px away", orientation, away)
		}
		if d, err := vision.Distance(a.Faces[0].Encoding, upright.Faces[0].Encoding); err != nil || d > 0.12 {
			t.Errorf("orientation %d: distance %.3f, %v", orientation, d, err)
		}
	}
}

func centre(a, b vision.Box) float64 {
	return math.Hypot(float64(2*a.X+a.Width-2*b.X-b.Width)/2, float64(2*a.Y+a.Height-2*b.Y-b.Height)/2)
}

// What a person may hold before the camera.
func testPeople(t *testing.T, e *engine.Engine) {
	whole, err := imaging.Decode(visiontest.Read(t, portrait), imaging.Options{MaxSide: 900})
	if err != nil {
		t.Fatal(err)
	}
	found := analyze(e, jpegOf(t, whole)).Faces
	if len(found) != 1 || len(found[0].Landmarks) != 5 {
		t.Fatal("no face to change")
	}
	shrunk, err := whole.Resize(max(whole.Width*20/found[0].Box.Width, 1), max(whole.Height*20/found[0].Box.Width, 1))
	if err != nil {
		t.Fatal(err)
	}
	covered := bytes.Clone(whole.Pix)
	eyes := found[0].Landmarks
	gap := eyes[1].X - eyes[0].X
	for y := int(eyes[0].Y - 0.35*gap); y < int(eyes[0].Y+0.35*gap); y++ {
		for x := int(eyes[0].X - 0.6*gap); x < int(eyes[1].X+0.6*gap); x++ {
			copy(covered[3*(y*whole.Width+x):], []byte{15, 15, 15})
		}
	}
	tests := []struct {
		name   string
		data   []byte
		faces  [2]int // least and most
		hints  []vision.Hint
		reason vision.Reason // why there is no encoding
		turned int
	}{
		{"one person", jpegOf(t, whole), [2]int{1, 1}, nil, "", 0},
		{"no face", visiontest.Read(t, "faces/dev/counts/photoprism_13.jpg"), [2]int{0, 0}, []vision.Hint{vision.HintNoFace}, vision.ReasonNoFace, 0},
		{"a dog with sunglasses", visiontest.Read(t, "faces/dev/counts/photoprism_10.jpg"), [2]int{0, 0}, []vision.Hint{vision.HintNoFace}, vision.ReasonNoFace, 0},
		{"a drawing", visiontest.Read(t, "faces/dev/counts/photoprism_7.jpg"), [2]int{0, 0}, []vision.Hint{vision.HintNoFace}, vision.ReasonNoFace, 0},
		{"a cartoon", asJPEG(t, drawn(600, 400), 90), [2]int{0, 1}, nil, "", 0}, // a face it is; that it lives is another question
		{"five faces", visiontest.Read(t, "faces/dev/counts/compreface_000_5.jpg"), [2]int{5, 5}, []vision.Hint{vision.HintSeveralFaces}, "", 0},
		{"a face of 20 px", jpegOf(t, shrunk), [2]int{1, 1}, []vision.Hint{vision.HintFaceTooSmall}, "", 0},
		{"upside down", jpegOf(t, whole.Turned(180)), [2]int{1, 1}, []vision.Hint{vision.HintUpsideDown}, "", 180},
		{"on its left side", jpegOf(t, whole.Turned(270)), [2]int{1, 1}, nil, "", 90},
		{"on its right side", jpegOf(t, whole.Turned(90)), [2]int{1, 1}, nil, "", 270},
		{"eyes covered", jpegOf(t, imaging.New(covered, whole.Width, whole.Height)), [2]int{1, 1}, []vision.Hint{vision.HintEyesCovered}, "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := analyze(e, test.data)
			if a.Error != "" || len(a.Faces) < test.faces[0] || len(a.Faces) > test.faces[1] {
				t.Fatalf("error %q, %d faces", a.Error, len(a.Faces))
			}
			for _, hint := range test.hints {
				if !slices.Contains(a.Hints, hint) {
					t.Errorf("hints %v lack %s", a.Hints, hint)
				}
			}
			if a.Turned != test.turned {
				t.Errorf("turned by %d, want %d", a.Turned, test.turned)
			}
			reason := a.Unavailable[vision.PartEncoding]
			if test.reason != "" && (reason != test.reason || a.Unavailable[vision.PartLiveness] != test.reason) {
				t.Errorf("unavailable %v", a.Unavailable)
			}
			if len(a.Faces) > 0 && len(a.Faces[0].Encoding) == 0 && reason == "" {
				t.Error("the main face is neither encoded nor is it said why")
			}
		})
	}
}

func jpegOf(t testing.TB, pic *imaging.Picture) []byte {
	t.Helper()
	b, err := pic.EncodeJPEG(92)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// cube is a palette of six levels a channel.
func cube() color.Palette {
	var p color.Palette
	for i := range 216 {
		p = append(p, color.RGBA{R: uint8(i / 36 * 51), G: uint8(i / 6 % 6 * 51), B: uint8(i % 6 * 51), A: 255})
	}
	return p
}

// animatedPNG has an animation chunk behind its header.
func animatedPNG(t testing.TB) []byte {
	t.Helper()
	still := asPNG(t, pattern(64, 48))
	const head = 8 + 25
	chunk := append(binary.BigEndian.AppendUint32(nil, 8), "acTL\x00\x00\x00\x02\x00\x00\x00\x00"...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return bytes.Join([][]byte{still[:head], chunk, still[head:]}, nil)
}

// animatedWebP is the head of one: a canvas of 64 × 48 px and the animation chunk.
func animatedWebP() []byte {
	body := []byte("WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x3f\x00\x00\x2f\x00\x00ANIM\x06\x00\x00\x00\xff\xff\xff\xff\x00\x00")
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}
