package fingerprint_test

import (
	"math"
	"testing"

	"gocv.io/x/gocv"

	"kycd/vision"
	"kycd/vision/fingerprint"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

func decode(t *testing.T, content []byte) *imaging.Picture {
	t.Helper()
	pic, err := imaging.Decode(content, imaging.Options{MaxSide: 800})
	if err != nil {
		t.Fatal(err)
	}
	return pic
}

func encode(t *testing.T, pic *imaging.Picture, as gocv.FileExt, params ...int) []byte {
	t.Helper()
	mat, err := gocv.NewMatFromBytes(pic.Height, pic.Width, gocv.MatTypeCV8UC3, pic.Pix)
	if err != nil {
		t.Fatal(err)
	}
	defer mat.Close()
	native, err := gocv.IMEncodeWithParams(as, mat, params)
	if err != nil {
		t.Fatal(err)
	}
	defer native.Close()
	return append([]byte(nil), native.GetBytes()...)
}

func resized(t *testing.T, pic *imaging.Picture, factor float64) *imaging.Picture {
	t.Helper()
	out, err := pic.Resize(int(float64(pic.Width)*factor), int(float64(pic.Height)*factor))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A picture is recognised whatever format, size and side it comes back in, and by nobody else.
func TestCopiesOfPhotographs(t *testing.T) {
	const webpQuality = 64 // IMWRITE_WEBP_QUALITY of OpenCV 4.6
	files := []string{
		"faces/dev/identities/lfw/Colin_Powell/Colin_Powell_0001.jpg",
		"faces/dev/identities/lfw/Colin_Powell/Colin_Powell_0002.jpg",
		"faces/dev/identities/lfw/Vladimir_Putin/Vladimir_Putin_0003.jpg",
		"faces/dev/identities/idols/jimin/jimin5.jpg",
		"documents/dev/exif/orientation_landscape_1.jpg",
		"documents/dev/id_documents/docxpand_id_card_td2_b_front.png",
	}
	var originals []vision.Fingerprint
	for _, file := range files {
		originals = append(originals, fingerprint.Of(decode(t, visiontest.Read(t, file))))
	}
	for i, file := range files {
		pic := decode(t, visiontest.Read(t, file))
		crop, _ := pic.Crop(vision.Box{X: pic.Width / 20, Y: 0, Width: pic.Width, Height: pic.Height - pic.Height/20})
		copies := map[string][]byte{
			"WebP, quality 30": encode(t, pic, ".webp", webpQuality, 30),
			"WebP, quality 90": encode(t, pic, ".webp", webpQuality, 90),
			"PNG":              encode(t, pic, gocv.PNGFileExt, gocv.IMWritePngCompression, 3),
			"JPEG, quality 30": encode(t, pic, gocv.JPEGFileExt, gocv.IMWriteJpegQuality, 30),
			"a third":          encode(t, resized(t, pic, 0.3), gocv.JPEGFileExt, gocv.IMWriteJpegQuality, 85),
			"doubled":          encode(t, resized(t, pic, 2), gocv.JPEGFileExt, gocv.IMWriteJpegQuality, 85),
			"mirrored WebP":    encode(t, pic.Mirrored(), ".webp", webpQuality, 60),
			"trimmed":          encode(t, crop, gocv.JPEGFileExt, gocv.IMWriteJpegQuality, 85),
		}
		for name, content := range copies {
			print := fingerprint.Of(decode(t, content))
			for k, original := range originals {
				if likeness, is := print.Copy(original); is != (k == i) {
					t.Errorf("%s, %s, beside %s: likeness %.3f", file, name, files[k], likeness)
				}
			}
		}
	}
}

// What a camera stores turned, with an EXIF mark, is what a viewer shows. These were saved with different brightness.
func TestCopiesByEXIF(t *testing.T) {
	upright := fingerprint.Of(decode(t, visiontest.Read(t, "documents/dev/exif/orientation_landscape_1.jpg")))
	for _, orientation := range []string{"2", "3", "4", "5", "6", "7", "8"} {
		print := fingerprint.Of(decode(t, visiontest.Read(t, "documents/dev/exif/orientation_landscape_"+orientation+".jpg")))
		if likeness, is := print.Copy(upright); !is {
			t.Errorf("orientation %s: likeness %.3f", orientation, likeness)
		}
	}
}

// Any size has a fingerprint, and a slope comes out as a slope.
func TestSizes(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 500}, {500, 1}, {63, 64}, {64, 65}, {200, 150}, {1001, 37}} {
		width, height := size[0], size[1]
		pix := make([]byte, 3*width*height)
		for i := range pix {
			pix[i] = uint8((i/3%width*2 + 1) * 255 / (2 * width))
		}
		print := fingerprint.Of(imaging.New(pix, width, height))
		if len(print.Whole) != vision.FingerprintSide*vision.FingerprintSide/8 || print.Model != vision.FingerprintModel {
			t.Fatalf("%d×%d: %d words by %q", width, height, len(print.Whole), print.Model)
		}
		for cell := range vision.FingerprintSide {
			got := float64(byte(print.Whole[cell/8] >> (8 * (cell % 8))))
			want := (float64(cell) + 0.5) * 255 / vision.FingerprintSide
			if tolerance := 3 + 255/float64(width); math.Abs(got-want) > tolerance {
				t.Errorf("%d×%d: cell %d is %v, want about %.0f", width, height, cell, got, want)
			}
		}
	}
}

func BenchmarkOf(b *testing.B) {
	pic, err := imaging.Decode(visiontest.Read(b, "faces/dev/identities/idols/jimin/jimin5.jpg"), imaging.Options{})
	if err != nil {
		b.Fatal(err)
	}
	pic.Gray() // shared with other parts
	for b.Loop() {
		fingerprint.Of(pic)
	}
}
