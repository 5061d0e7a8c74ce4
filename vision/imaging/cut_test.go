package imaging

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"gocv.io/x/gocv"

	"kycd/vision"
)

// noise is a picture whose every byte is drawn.
func noise(width, height int) *Picture {
	random := rand.New(rand.NewPCG(5, 6))
	pix := make([]byte, 3*width*height)
	for i := range pix {
		pix[i] = byte(random.IntN(256))
	}
	return New(pix, width, height)
}

// byOpenCV scales as OpenCV does.
func byOpenCV(t testing.TB, p *Picture, width, height int) *Picture {
	t.Helper()
	src, err := gocv.NewMatFromBytes(p.Height, p.Width, gocv.MatTypeCV8UC3, p.Pix)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	out, err := resize(src, width, height)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Cut gives what Crop and OpenCV's scaling give, whichever way the size changes and wherever the box lies.
func TestCutIsCropAndResize(t *testing.T) {
	pic := noise(331, 257)
	random := rand.New(rand.NewPCG(7, 8))
	boxes := []vision.Box{
		{Width: 331, Height: 257}, {X: 330, Y: 256, Width: 1, Height: 1}, {X: -20, Y: 100, Width: 90, Height: 300}, {X: 200, Y: -5, Width: 131, Height: 262},
	}
	for range 60 {
		boxes = append(boxes, vision.Box{X: random.IntN(400) - 50, Y: random.IntN(300) - 40, Width: 1 + random.IntN(300), Height: 1 + random.IntN(250)})
	}
	for _, box := range boxes {
		for _, size := range [][2]int{{80, 80}, {128, 128}, {37, 61}, {1, 1}, {331, 257}, {0, 40}, {300, 20}} {
			got, ok, err := pic.Cut(box, size[0], size[1])
			if err != nil {
				t.Fatal(err)
			}
			crop, inside := pic.Crop(box)
			if ok != inside {
				t.Fatalf("%+v: %v, want %v", box, ok, inside)
			}
			if !ok {
				continue
			}
			want := byOpenCV(t, crop, max(size[0], 1), max(size[1], 1))
			if scaled, err := crop.Resize(size[0], size[1]); err != nil || !bytes.Equal(scaled.Pix, want.Pix) {
				t.Errorf("%+v to %v: Resize gives other bytes, or %v", box, size, err)
			}
			if got.Width != want.Width || got.Height != want.Height {
				t.Fatalf("%+v to %v: %d×%d, want %d×%d", box, size, got.Width, got.Height, want.Width, want.Height)
			}
			if !bytes.Equal(got.Pix, want.Pix) {
				differ, most := 0, 0
				for i := range got.Pix {
					if d := int(got.Pix[i]) - int(want.Pix[i]); d != 0 {
						differ, most = differ+1, max(most, d, -d)
					}
				}
				t.Errorf("%+v to %v: %d of %d bytes differ, by up to %d", box, size, differ, len(got.Pix), most)
			}
		}
	}
}

func BenchmarkCut(b *testing.B) {
	pic, box := noise(1920, 1080), vision.Box{X: 500, Y: 100, Width: 908, Height: 908}
	b.Run("cut", func(b *testing.B) {
		for b.Loop() {
			if _, ok, err := pic.Cut(box, 128, 128); err != nil || !ok {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("crop_and_resize", func(b *testing.B) {
		for b.Loop() {
			crop, _ := pic.Crop(box)
			byOpenCV(b, crop, 128, 128)
		}
	})
}
