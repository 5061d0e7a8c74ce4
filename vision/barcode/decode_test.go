package barcode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	_ "image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/pdf417"
	"github.com/boombuler/barcode/qr"
	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"kycd/kyc/specimen"
	"kycd/vision"
)

// payload is the barcode of a person who does not exist, in a state that does not exist.
const payload = "@\n\x1e\rANSI 636099100002DL00410246ZQ02870008DLDAQZ99128840\nDCSOAKENSHIELD\nDDEN\nDACMARIGOLD\nDDFN\nDADWREN\nDDGN\nDCAD\nDCBB\nDCDNONE\nDBD03172022\nDBB07041988\nDBA07042030\nDBC2\nDAU066 in\nDAYGRN\nDAG12 INVENTED LANE\nDAIQUILLHAVEN\nDAJQZ\nDAK009990000  \nDCF00000000000000000042\nDCGUSA\nDAW140\nDAZBRO\nDDAF\nDDB01012020\rZQZQA01\nZQBINVENTED STATE OF QUILL, NOT A REAL CARD OF ANY PERSON\r"

// photo describes a picture of a code lying on a grey card.
type photo struct {
	width, height int
	module        float64 // pixels of one module
	row           float64 // pixels of one row of the drawing; the module where it is 0
	angle         float64 // radians
	blur          float64 // standard deviation, pixels
	noise         float64 // standard deviation, grey levels
	dark, light   float64 // grey of the bars and of the paper
}

// take photographs a PDF417 symbol, with rows three modules high as on a licence.
func (f photo) take(t testing.TB, text string, random *rand.Rand) []byte {
	t.Helper()
	f.row = f.module * 3 / 2
	return f.draw(symbol(t, text), random)
}

// symbol draws a PDF417 symbol, two pixels to a row. The encoder states the number of rows rightly only
// where 3 divides it, so an error correction level is chosen for which it does.
func symbol(t testing.TB, text string) image.Image {
	t.Helper()
	for _, level := range []byte{3, 4, 2, 5, 1} {
		code, err := pdf417.Encode(text, level)
		if err != nil {
			t.Fatal(err)
		}
		if code.Bounds().Dy()/2%3 == 0 {
			return code
		}
	}
	t.Fatalf("no level gives %d bytes a number of rows that 3 divides", len(text))
	return nil
}

// draw takes the photo by inverse mapping with 2×2 samples a pixel.
func (f photo) draw(code image.Image, random *rand.Rand) []byte {
	b := code.Bounds()
	if f.row == 0 {
		f.row = f.module
	}
	sin, cos := math.Sincos(f.angle)
	plane := make([]float64, f.width*f.height)
	for y := range f.height {
		for x := range f.width {
			sum := 0.0
			for k := range 4 {
				dx := float64(x) + float64(k%2)/2 + 0.25 - float64(f.width)/2
				dy := float64(y) + float64(k/2)/2 + 0.25 - float64(f.height)/2
				u := (dx*cos+dy*sin)/f.module + float64(b.Dx())/2
				v := (dy*cos-dx*sin)/f.row + float64(b.Dy())/2
				grey := f.light
				if u >= 0 && v >= 0 && u < float64(b.Dx()) && v < float64(b.Dy()) {
					if r, _, _, _ := code.At(b.Min.X+int(u), b.Min.Y+int(v)).RGBA(); r < 0x8000 {
						grey = f.dark
					}
				} else if u < -12 || v < -12 || u > float64(b.Dx())+12 || v > float64(b.Dy())+12 {
					grey = f.light * 0.8
				}
				sum += grey
			}
			plane[y*f.width+x] = sum / 4
		}
	}
	plane = gaussian(plane, f.width, f.height, f.blur)
	out := make([]byte, len(plane))
	for i, v := range plane {
		out[i] = byte(min(max(v+random.NormFloat64()*f.noise, 0), 255))
	}
	return out
}

func gaussian(in []float64, w, h int, sigma float64) []float64 {
	if sigma == 0 {
		return in
	}
	r := int(3*sigma) + 1
	kernel := make([]float64, 2*r+1)
	total := 0.0
	for i := range kernel {
		kernel[i] = math.Exp(-float64((i-r)*(i-r)) / (2 * sigma * sigma))
		total += kernel[i]
	}
	pass := func(src []float64, step, line, lines, length int) []float64 {
		dst := make([]float64, len(src))
		for l := range lines {
			for i := range length {
				s := 0.0
				for k, g := range kernel {
					j := min(max(i+k-r, 0), length-1)
					s += g * src[l*line+j*step]
				}
				dst[l*line+i*step] = s / total
			}
		}
		return dst
	}
	return pass(pass(in, 1, w, h, w), w, 1, w, h)
}

func TestDecodeKeepsEveryByte(t *testing.T) {
	cases := map[string]string{
		"licence":     payload,
		"latin 1":     "@\n\x1e\rANSI 636099100001DL00310020DLDCSGARC\xcdA\nDACJOS\xc9\r",
		"controls":    "\x00\x01\x1c\x1d\x1e\x1f\r\n\t",
		"every byte":  everyByte(),
		"text":        "PLAIN TEXT, nothing else.",
		"long digits": strings.Repeat("0123456789", 20),
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			p := photo{width: 1400, height: 700, module: 2.6, dark: 20, light: 235, noise: 2}
			gray := p.take(t, text, rand.New(rand.NewPCG(1, 1)))
			found, err := Decode(context.Background(), gray, p.width, p.height, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != 1 || found[0].Format != PDF417 || found[0].Text != text {
				t.Fatalf("got %+v, want %q", found, text)
			}
		})
	}
}

func everyByte() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

func TestDecodeCornersEncloseTheSymbol(t *testing.T) {
	p := photo{width: 2000, height: 1500, module: 3, angle: 0.2, dark: 20, light: 230}
	gray := p.take(t, payload, rand.New(rand.NewPCG(2, 1)))
	found, err := Decode(context.Background(), gray, p.width, p.height, Options{})
	if err != nil || len(found) != 1 {
		t.Fatalf("found %d, %v", len(found), err)
	}
	var centre vision.Point
	for _, c := range found[0].Corners {
		centre.X += c.X / 4
		centre.Y += c.Y / 4
	}
	if math.Hypot(centre.X-1000, centre.Y-750) > 40 {
		t.Errorf("the corners' centre is %v, want about (1000,750)", centre)
	}
	ul, ur := found[0].Corners[0], found[0].Corners[1]
	if angle := math.Atan2(ur.Y-ul.Y, ur.X-ul.X); math.Abs(angle-p.angle) > 0.05 {
		t.Errorf("upper edge lies at %.3f rad, want %.3f", angle, p.angle)
	}
}

func TestDecodeOtherSymbologies(t *testing.T) {
	code, err := qr.Encode("NOT A LICENCE", qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	p := photo{width: 600, height: 600, module: 8, dark: 10, light: 240}
	gray := p.draw(code, rand.New(rand.NewPCG(3, 1)))
	if found, err := Decode(context.Background(), gray, p.width, p.height, Options{}); err != nil || len(found) != 0 {
		t.Fatalf("asked for PDF417 alone: %v, %v", found, err)
	}
	found, err := Decode(context.Background(), gray, p.width, p.height, Options{Any: true})
	if err != nil || len(found) != 1 || found[0].Format != "QRCode" || found[0].Text != "NOT A LICENCE" {
		t.Fatalf("asked for everything: %v, %v", found, err)
	}
}

func TestDecodeRefusesWrongSizes(t *testing.T) {
	for _, c := range []struct{ bytes, w, h int }{{0, 0, 0}, {10, 3, 3}, {9, -3, -3}, {16385, 16385, 1}, {9, 3, 4}} {
		if _, err := Decode(context.Background(), make([]byte, c.bytes), c.w, c.h, Options{}); !errors.Is(err, ErrSize) {
			t.Errorf("%d bytes for %d×%d: %v", c.bytes, c.w, c.h, err)
		}
	}
	for _, c := range []struct{ w, h int }{{1, 1}, {1, 400}, {400, 1}, {7, 7}, {23, 2000}} {
		if found, err := Decode(context.Background(), make([]byte, c.w*c.h), c.w, c.h, Options{Any: true, Thorough: true}); err != nil || len(found) != 0 {
			t.Errorf("black %d×%d: %v, %v", c.w, c.h, found, err)
		}
	}
}

func TestDecodeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Decode(ctx, make([]byte, 640*480), 640, 480, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// The library's plain call is the yardstick: on degraded pictures the search must read a fifth more, and
// nothing that the plain call reads may be lost.
func TestDecodeBeatsThePlainCall(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 1))
	plain, ours, lost, total := 0, 0, 0, 0
	for _, module := range []float64{1.3, 1.8, 2.6} {
		for _, angle := range []float64{0, 0.1, math.Pi/2 + 0.2} {
			for _, blur := range []float64{0.4, 0.9, 1.4} {
				p := photo{width: 900, height: 700, module: module, angle: angle, blur: blur, noise: 4, dark: 60, light: 170}
				gray := p.take(t, payload, random)
				total++
				direct, err := plane{pix: gray, w: p.width, h: p.height}.read(attempt{downscale: true})
				if err != nil {
					t.Fatal(err)
				}
				found, err := Decode(context.Background(), gray, p.width, p.height, Options{})
				if err != nil {
					t.Fatal(err)
				}
				byPlain := len(direct) == 1 && direct[0].Text == payload
				byUs := len(found) == 1 && found[0].Text == payload
				if byPlain {
					plain++
				}
				if byUs {
					ours++
				}
				if byPlain && !byUs {
					lost++
				}
				t.Logf("module %.1f px, angle %.2f, blur %.1f: plain %v, search %v", module, angle, blur, byPlain, byUs)
			}
		}
	}
	t.Logf("of %d: plain call %d, search %d", total, plain, ours)
	if lost > 0 || float64(ours) < 1.2*float64(plain) {
		t.Errorf("plain call read %d, search %d, of which %d only by the plain call were lost", plain, ours, lost)
	}
}

func TestDecodeSamplePictures(t *testing.T) {
	root := testdata(t)
	raw, err := os.ReadFile(filepath.Join(root, "aamva", "dev", "pdf417_expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var samples []struct {
		Image string  `json:"image"`
		Text  *string `json:"expected_text"`
	}
	if err := json.Unmarshal(raw, &samples); err != nil {
		t.Fatal(err)
	}
	plain, ours := 0, 0
	for _, s := range samples {
		gray, w, h := grey(t, filepath.Join(root, "aamva", "dev", s.Image))
		direct, err := plane{pix: gray, w: w, h: h}.read(attempt{downscale: true})
		if err != nil {
			t.Fatal(err)
		}
		found, err := Decode(context.Background(), gray, w, h, Options{Thorough: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(direct) > 0 {
			plain++
		}
		if len(found) > 0 {
			ours++
		}
		if len(direct) > 0 && len(found) == 0 {
			t.Errorf("%s: the plain call reads it, the search does not", s.Image)
		}
		if len(found) > 0 && s.Text != nil && found[0].Text != *s.Text {
			t.Errorf("%s: read %q, want %q", s.Image, found[0].Text, *s.Text)
		}
		if len(found) == 0 {
			t.Logf("%s (%d×%d): not read", s.Image, w, h)
		}
	}
	t.Logf("of %d samples: plain call %d, search %d", len(samples), plain, ours)
}

// testdata is the folder of real pictures, which is not part of the project.
func testdata(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("KYCD_TESTDATA")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for root != filepath.Dir(root) {
			if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
				break
			}
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared", "testdata")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("needs testdata: %s", dir)
		}
		t.Skipf("needs testdata: %s", dir)
	}
	return dir
}

func grey(t testing.TB, path string) ([]byte, int, int) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var img image.Image
	if strings.HasSuffix(path, ".webp") {
		img, err = webp.Decode(bytes.NewReader(raw))
	} else {
		img, _, err = image.Decode(bytes.NewReader(raw))
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	b := img.Bounds()
	out := make([]byte, 0, b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out = append(out, color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
		}
	}
	return out, b.Dx(), b.Dy()
}

// The back of a licence cut out upright at 300 dots per inch.
func BenchmarkHit(b *testing.B) {
	s := flatCard(b, 0)
	benchmarkHit(b, s, Options{})
}

// The same out of focus, so that the library by itself does not read it.
func BenchmarkHitBlurred(b *testing.B) {
	s := flatCard(b, 5)
	benchmarkHit(b, s, Options{Page: &s.corners})
}

func benchmarkHit(b *testing.B, s shot, opt Options) {
	for b.Loop() {
		if found, err := Decode(context.Background(), s.gray, s.w, s.h, opt); err != nil || len(found) != 1 || found[0].Text != s.want {
			b.Fatalf("%d, %v", len(found), err)
		}
	}
}

func flatCard(b *testing.B, blur float64) shot {
	b.Helper()
	press, err := specimen.NewPress()
	if err != nil {
		b.Fatal(err)
	}
	today := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 17))
	d := specimen.RandomDocument(random, specimen.DriverLicense, specimen.RandomPerson(random, today), today)
	back, err := press.Back(d)
	if err != nil {
		b.Fatal(err)
	}
	s := shot{w: 1012, h: 638}
	if s.want, err = d.Barcode(); err != nil {
		b.Fatal(err)
	}
	flat := image.NewGray(image.Rect(0, 0, s.w, s.h))
	draw.ApproxBiLinear.Scale(flat, flat.Rect, back, back.Bounds(), draw.Src, nil)
	values := make([]float64, len(flat.Pix))
	for i, v := range flat.Pix {
		values[i] = float64(v)
	}
	for _, v := range gaussian(values, s.w, s.h, blur) {
		s.gray = append(s.gray, byte(min(max(v+2*random.NormFloat64(), 0), 255)))
	}
	s.corners = [4]vision.Point{{}, {X: float64(s.w)}, {X: float64(s.w), Y: float64(s.h)}, {Y: float64(s.h)}}
	return s
}

// A photo of a card without a code, as large as one of 12 megapixels is decoded.
func BenchmarkMiss(b *testing.B) {
	press, err := specimen.NewPress()
	if err != nil {
		b.Fatal(err)
	}
	today := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(1, 17))
	d := specimen.RandomDocument(random, specimen.DriverLicense, specimen.RandomPerson(random, today), today)
	front, err := press.Front(d, image.NewGray(image.Rect(0, 0, 300, 400)))
	if err != nil {
		b.Fatal(err)
	}
	scene := specimen.Handheld(1)
	scene.Width, scene.Height = 2000, 1500
	photo, err := specimen.Photograph(front, scene)
	if err != nil {
		b.Fatal(err)
	}
	benchmarkMiss(b, developed(b, photo))
}

// As many pixels full of texture that is no code's.
func BenchmarkMissTexture(b *testing.B) {
	p := photo{width: 3000, height: 2250, module: 6, dark: 30, light: 220, noise: 3}
	random := rand.New(rand.NewPCG(6, 1))
	benchmarkMiss(b, shot{gray: p.draw(patches(random), random), w: p.width, h: p.height})
}

func benchmarkMiss(b *testing.B, s shot) {
	for b.Loop() {
		if found, err := Decode(context.Background(), s.gray, s.w, s.h, Options{}); err != nil || len(found) != 0 {
			b.Fatalf("%d, %v", len(found), err)
		}
	}
}

func patches(random *rand.Rand) image.Image {
	img := image.NewGray(image.Rect(0, 0, 200, 150))
	for i := range img.Pix {
		img.Pix[i] = byte(random.IntN(2) * 255)
	}
	return img
}

func TestDecodeMissStaysCheap(t *testing.T) {
	p := photo{width: 1600, height: 1200, module: 6, dark: 30, light: 220, noise: 3}
	random := rand.New(rand.NewPCG(7, 1))
	gray := p.draw(patches(random), random)
	start := time.Now()
	if found, err := Decode(context.Background(), gray, p.width, p.height, Options{}); err != nil || len(found) != 0 {
		t.Fatalf("%v, %v", found, err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("a miss took %v", took)
	}
}
