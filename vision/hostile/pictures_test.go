package hostile

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"gocv.io/x/gocv"
	xdraw "golang.org/x/image/draw"

	"kycd/kyc/specimen"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

// pattern is a chequered field and lines like print: something for every part of an analysis to look at, and nobody.
func pattern(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{R: 225, G: 230, B: 222, A: 255}), image.Point{}, draw.Src)
	for y := range height {
		for x := width / 2; x < width*19/20; x++ {
			switch {
			case y > height/10 && y < height/2 && (x/4+y/4)%2 == 0:
				img.SetRGBA(x, y, color.RGBA{R: 20, G: 20, B: 60, A: 255})
			case y > height*6/10 && y < height*9/10 && y%8 < 4 && (x*x/7+y/8)%5 < 3:
				img.SetRGBA(x, y, color.RGBA{A: 255})
			}
		}
	}
	return img
}

// drawn is a pattern beside a cartoon of a person.
func drawn(width, height int) *image.RGBA {
	img := pattern(width, height)
	person := specimen.Silhouette()
	xdraw.BiLinear.Scale(img, image.Rect(width/20, height/10, width*9/20, height*9/10), person, person.Rect, draw.Src, nil)
	return img
}

func asJPEG(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// byOpenCV encodes with libjpeg and its parameters, which Go's encoder lacks: progressive scans, restart markers.
func byOpenCV(t testing.TB, img *image.RGBA, parameters ...int) []byte {
	t.Helper()
	mat, err := gocv.ImageToMatRGB(img)
	if err != nil {
		t.Fatal(err)
	}
	defer mat.Close()
	buffer, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, mat, parameters)
	if err != nil {
		t.Fatal(err)
	}
	defer buffer.Close()
	return bytes.Clone(buffer.GetBytes())
}

func grey(img image.Image) *image.Gray {
	g := image.NewGray(img.Bounds())
	draw.Draw(g, g.Rect, img, img.Bounds().Min, draw.Src)
	return g
}

// exif is an APP1 segment that says how the picture is turned.
func exif(orientation byte) []byte {
	return marked(0xE1, append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00"), orientation, 0, 0, 0, 0, 0, 0, 0))
}

// withExif puts the segment behind the start marker.
func withExif(jpg []byte, orientation byte) []byte {
	return bytes.Join([][]byte{jpg[:2], exif(orientation), jpg[2:]}, nil)
}

// wholePictures are small JPEGs of every structure that decoders treat in their own way, a document, and, where the
// test data are there, pictures with a face.
func wholePictures(t testing.TB) [][]byte {
	t.Helper()
	img := drawn(200, 144)
	all := [][]byte{
		asJPEG(t, img, 80),
		asJPEG(t, grey(img), 80),
		withExif(asJPEG(t, img, 60), 6),
		byOpenCV(t, img, gocv.IMWriteJpegProgressive, 1),
		byOpenCV(t, img, gocv.IMWriteJpegRstInterval, 3),
		encodeInk(drawn(96, 72), adobeCMYK),
		encodeInk(drawn(96, 72), adobeYCCK),
	}
	for _, name := range []string{"deepface/p00/img1.jpg", "compreface/A/004_A.jpg", "lfw/Colin_Powell/Colin_Powell_0001.jpg"} {
		if face := small(t, name, 200); face != nil {
			all = append(all, face)
		}
	}
	return all
}

// small is a picture of the test data scaled down; nil where there are none, except under CI, which must have them.
func small(t testing.TB, name string, side int) []byte {
	t.Helper()
	if os.Getenv("CI") != "true" {
		path := filepath.Join("..", "..", "..", "shared", "testdata")
		if dir := os.Getenv("KYCD_TESTDATA"); dir != "" {
			path = dir
		}
		if _, err := os.Stat(path); err != nil {
			return nil
		}
	}
	pic, err := imaging.Decode(visiontest.Read(t, "faces/dev/identities/"+name), imaging.Options{MaxSide: side})
	if err != nil {
		t.Fatal(err)
	}
	jpg, err := pic.EncodeJPEG(80)
	if err != nil {
		t.Fatal(err)
	}
	return jpg
}
