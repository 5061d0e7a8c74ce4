package imaging_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image/color"
	"math"
	"testing"

	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

// corners is a picture whose four corners have colours of their own.
func corners(t testing.TB, width, height int) []byte {
	return visiontest.PNG(t, width, height, func(x, y int) color.RGBA {
		c := color.RGBA{A: 255}
		if x >= width/2 {
			c.R = 200
		}
		if y >= height/2 {
			c.G = 100
		}
		return c
	})
}

func pngChunk(kind string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// turned marks a PNG with an EXIF orientation, behind its header.
func turned(b []byte, orientation byte) []byte {
	exif := pngChunk("eXIf", []byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00"+string(rune(orientation))+"\x00\x00\x00\x00\x00\x00\x00"))
	const head = 8 + 25
	return bytes.Join([][]byte{b[:head], exif, b[head:]}, nil)
}

func at(p *imaging.Picture, x, y int) [3]byte {
	i := 3 * (y*p.Width + x)
	return [3]byte{p.Pix[i], p.Pix[i+1], p.Pix[i+2]}
}

// For each orientation, where the stored picture's corners must be seen (EXIF 2.32, table of Orientation).
func TestDecodeOrientation(t *testing.T) {
	const width, height = 60, 40
	stored := corners(t, width, height)
	leftUp, rightUp := [3]byte{0, 0, 0}, [3]byte{0, 0, 200}
	leftDown, rightDown := [3]byte{0, 100, 0}, [3]byte{0, 100, 200}
	tests := map[byte][4][3]byte{ // upper left, upper right, lower right, lower left as seen
		1: {leftUp, rightUp, rightDown, leftDown},
		2: {rightUp, leftUp, leftDown, rightDown},
		3: {rightDown, leftDown, leftUp, rightUp},
		4: {leftDown, rightDown, rightUp, leftUp},
		5: {leftUp, leftDown, rightDown, rightUp},
		6: {leftDown, leftUp, rightUp, rightDown},
		7: {rightDown, rightUp, leftUp, leftDown},
		8: {rightUp, rightDown, leftDown, leftUp},
	}
	for orientation, want := range tests {
		pic, err := imaging.Decode(turned(stored, orientation), imaging.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w, h := pic.Width, pic.Height
		if (orientation >= 5) != (w == height && h == width) || w != pic.SourceWidth || h != pic.SourceHeight {
			t.Errorf("orientation %d: %d×%d", orientation, w, h)
		}
		got := [4][3]byte{at(pic, 0, 0), at(pic, w-1, 0), at(pic, w-1, h-1), at(pic, 0, h-1)}
		if got != want {
			t.Errorf("orientation %d: corners %v, want %v", orientation, got, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	stored := corners(t, 60, 40)
	tests := []struct {
		name string
		data []byte
		code vision.Code
	}{
		{"empty", nil, vision.CodeEmpty},
		{"truncated", stored[:len(stored)-5], vision.CodeTruncated},
		{"whole container around nonsense", bytes.Join([][]byte{stored[:33], pngChunk("IDAT", []byte("no deflate stream")), pngChunk("IEND", nil)}, nil), vision.CodeUnreadable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := imaging.Decode(test.data, imaging.Options{})
			var refused *vision.ImageError
			if !errors.As(err, &refused) || refused.Code != test.code {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
}

func TestDecodeScalesDown(t *testing.T) {
	large, err := imaging.Decode(corners(t, 800, 400), imaging.Options{})
	if err != nil {
		t.Fatal(err)
	}
	asJPEG, err := large.EncodeJPEG(90)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		data          []byte
		maxSide       int
		width, height int
	}{
		{corners(t, 800, 400), 0, 800, 400},
		{corners(t, 800, 400), 300, 300, 150},
		{asJPEG, 900, 800, 400},
		{asJPEG, 700, 700, 350}, // the whole is scaled down
		{asJPEG, 590, 400, 200}, // a half, by the decoder, is near enough
		{asJPEG, 395, 400, 200},
		{asJPEG, 300, 200, 100}, // a quarter
		{asJPEG, 130, 100, 50},  // an eighth
		{asJPEG, 60, 60, 30},    // an eighth is scaled down
	} {
		pic, err := imaging.Decode(test.data, imaging.Options{MaxSide: test.maxSide})
		if err != nil {
			t.Fatal(err)
		}
		if pic.Width != test.width || pic.Height != test.height || pic.SourceWidth != 800 || pic.SourceHeight != 400 {
			t.Errorf("max side %d: %d×%d of %d×%d, want %d×%d", test.maxSide, pic.Width, pic.Height, pic.SourceWidth, pic.SourceHeight, test.width, test.height)
		}
		if got := pic.Scale * float64(pic.Width); math.Abs(got-800) > 1e-9 {
			t.Errorf("max side %d: scale %v", test.maxSide, pic.Scale)
		}
		if c := at(pic, pic.Width-2, 1); c[2] < 180 || c[1] > 30 {
			t.Errorf("max side %d: upper right is %v, want red", test.maxSide, c)
		}
	}
}

func TestGrayFollowsBT601(t *testing.T) {
	pic := imaging.New([]byte{255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 10, 20, 30}, 5, 1)
	if got, want := pic.Gray(), []byte{29, 150, 76, 255, 22}; !bytes.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCrops(t *testing.T) {
	// 4×3 pixels, each with its own value in all channels: 0 1 2 3 / 4 5 6 7 / 8 9 10 11.
	pix := make([]byte, 36)
	for i := range pix {
		pix[i] = byte(i / 3)
	}
	pic := imaging.New(pix, 4, 3)
	values := func(p *imaging.Picture) []byte {
		var out []byte
		for i := 0; i < len(p.Pix); i += 3 {
			out = append(out, p.Pix[i])
		}
		return out
	}
	clipped, ok := pic.Crop(vision.Box{X: 2, Y: -1, Width: 9, Height: 3})
	if !ok || !bytes.Equal(values(clipped), []byte{2, 3, 6, 7}) || clipped.Width != 2 {
		t.Errorf("clipped crop: %v", values(clipped))
	}
	if _, ok := pic.Crop(vision.Box{X: 4, Y: 0, Width: 2, Height: 2}); ok {
		t.Error("a crop outside the picture is not empty")
	}
	reflected := pic.CropReflected(vision.Box{X: -2, Y: 1, Width: 8, Height: 3})
	want := []byte{6, 5, 4, 5, 6, 7, 6, 5, 10, 9, 8, 9, 10, 11, 10, 9, 6, 5, 4, 5, 6, 7, 6, 5}
	if got := values(reflected); !bytes.Equal(got, want) {
		t.Errorf("reflected crop: %v, want %v", got, want)
	}
	if got := values(pic.Mirrored())[:4]; !bytes.Equal(got, []byte{3, 2, 1, 0}) {
		t.Errorf("mirrored: %v", got)
	}
}

// A JPEG that a camera marked as turned must come out as the one that was stored upright.
func TestDecodeCameraOrientations(t *testing.T) {
	upright, err := imaging.Decode(visiontest.Read(t, "documents/dev/exif/orientation_landscape_1.jpg"), imaging.Options{})
	if err != nil {
		t.Fatal(err)
	}
	small, err := upright.Resize(60, 45)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []string{"2", "3", "4", "5", "6", "7", "8"} {
		pic, err := imaging.Decode(visiontest.Read(t, "documents/dev/exif/orientation_landscape_"+o+".jpg"), imaging.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if pic.Width != upright.Width || pic.Height != upright.Height {
			t.Fatalf("orientation %s: %d×%d", o, pic.Width, pic.Height)
		}
		other, err := pic.Resize(60, 45)
		if err != nil {
			t.Fatal(err)
		}
		// The files were saved with different brightness, so only the pattern is compared.
		if r := correlation(small.Gray(), other.Gray()); r < 0.95 {
			t.Errorf("orientation %s: correlation with the upright picture %.2f", o, r)
		}
	}
}

func correlation(a, b []byte) float64 {
	var n, sa, sb, saa, sbb, sab float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		n, sa, sb, saa, sbb, sab = n+1, sa+x, sb+y, saa+x*x, sbb+y*y, sab+x*y
	}
	return (n*sab - sa*sb) / math.Sqrt((n*saa-sa*sa)*(n*sbb-sb*sb))
}

func BenchmarkDecode(b *testing.B) {
	for name, file := range map[string]string{
		"1080p": "faces/dev/identities/idols/jimin/jimin5.jpg",
		"12MP":  "faces/dev/identities/compreface/A/004_A.jpg",
	} {
		data := visiontest.Read(b, file)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := imaging.Decode(data, imaging.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
