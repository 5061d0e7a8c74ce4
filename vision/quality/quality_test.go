package quality_test

import (
	"image"
	"math"
	"slices"
	"testing"

	"gocv.io/x/gocv"

	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/quality"
	"kycd/vision/visiontest"
)

const portrait = "faces/dev/identities/deepface/p00/img1.jpg"

func decode(t testing.TB, name string) *imaging.Picture {
	t.Helper()
	pic, err := imaging.Decode(visiontest.Read(t, name), imaging.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return pic
}

// blurred blurs as a lens out of focus does, sigma in px at a width of 1000.
func blurred(t testing.TB, pic *imaging.Picture, sigma float64) *imaging.Picture {
	t.Helper()
	sigma *= float64(pic.Width) / 1000
	src, err := gocv.NewMatFromBytes(pic.Height, pic.Width, gocv.MatTypeCV8UC3, pic.Pix)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst := gocv.NewMat()
	defer dst.Close()
	gocv.GaussianBlur(src, &dst, image.Point{}, sigma, sigma, gocv.BorderDefault)
	return imaging.New(dst.ToBytes(), pic.Width, pic.Height)
}

func darkened(pic *imaging.Picture, by float64) *imaging.Picture {
	pix := make([]byte, len(pic.Pix))
	for i, v := range pic.Pix {
		pix[i] = byte(float64(v) * by)
	}
	return imaging.New(pix, pic.Width, pic.Height)
}

// lit adds a blown-out, soft-edged spot of a radius given as a share of the width.
func lit(pic *imaging.Picture, radius float64) *imaging.Picture {
	pix := slices.Clone(pic.Pix)
	for y := range pic.Height {
		for x := range pic.Width {
			away := math.Hypot(float64(x)-0.5*float64(pic.Width), float64(y)-0.3*float64(pic.Height)) / (radius * float64(pic.Width))
			light := 400 * math.Exp(-away*away)
			for c := range 3 {
				i := 3*(y*pic.Width+x) + c
				pix[i] = byte(math.Min(255, float64(pix[i])+light))
			}
		}
	}
	return imaging.New(pix, pic.Width, pic.Height)
}

func TestHints(t *testing.T) {
	sharp := decode(t, portrait)
	tests := []struct {
		name string
		pic  *imaging.Picture
		want []vision.Hint
	}{
		{"as taken", sharp, nil},
		{"a passport page", decode(t, "documents/dev/id_documents/docxpand_pp_td3_a_front.png"), nil},
		{"blurred", blurred(t, sharp, 3), []vision.Hint{vision.HintBlurred}},
		{"blurred passport page", blurred(t, decode(t, "documents/dev/id_documents/docxpand_pp_td3_a_front.png"), 4), []vision.Hint{vision.HintBlurred}},
		{"dark", darkened(sharp, 0.25), []vision.Hint{vision.HintTooDark}},
		{"glare", lit(sharp, 0.2), []vision.Hint{vision.HintGlare}},
		{"black", darkened(sharp, 0), []vision.Hint{vision.HintTooDark}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			measured, err := quality.Measure(test.pic)
			if err != nil {
				t.Fatal(err)
			}
			if got := quality.Hints(measured); !slices.Equal(got, test.want) {
				t.Errorf("hints %v for %+v, want %v", got, measured, test.want)
			}
		})
	}
}

// The same picture sent large or small is about as sharp.
func TestSharpnessDoesNotDependOnSize(t *testing.T) {
	large := decode(t, "faces/dev/identities/compreface/A/004_A.jpg")
	small, err := large.Resize(1000, large.Height*1000/large.Width)
	if err != nil {
		t.Fatal(err)
	}
	a, err := quality.Measure(large)
	if err != nil {
		t.Fatal(err)
	}
	b, err := quality.Measure(small)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(a.Sharpness-b.Sharpness) > 0.05*a.Sharpness {
		t.Errorf("sharpness %.1f large, %.1f small", a.Sharpness, b.Sharpness)
	}
}

func BenchmarkMeasure1080p(b *testing.B) {
	pic := decode(b, "faces/dev/identities/idols/jimin/jimin5.jpg")
	for b.Loop() {
		if _, err := quality.Measure(pic); err != nil {
			b.Fatal(err)
		}
	}
}
