package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"

	scaling "golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
)

// manipulation is something that is done to a picture to pass it off as another one. The result is a file.
type manipulation struct {
	name string
	make func(img *image.RGBA, rng *rand.Rand) ([]byte, error)
}

// manipulations are those that must not hide a copy. What no row says otherwise is saved as a JPEG of quality 85.
func manipulations() []manipulation {
	saved := func(change func(*image.RGBA, *rand.Rand) *image.RGBA) func(*image.RGBA, *rand.Rand) ([]byte, error) {
		return func(img *image.RGBA, rng *rand.Rand) ([]byte, error) { return asJPEG(change(img, rng), 85) }
	}
	const twentieth = 0.05
	return []manipulation{
		{"saved as JPEG, quality 30 to 95", func(img *image.RGBA, rng *rand.Rand) ([]byte, error) {
			return asJPEG(img, 30+rng.IntN(66))
		}},
		{"saved as JPEG, quality 30", func(img *image.RGBA, _ *rand.Rand) ([]byte, error) { return asJPEG(img, 30) }},
		{"saved as PNG", func(img *image.RGBA, _ *rand.Rand) ([]byte, error) {
			var b bytes.Buffer
			err := png.Encode(&b, img)
			return b.Bytes(), err
		}},
		{"scaled by 0.3 to 2", saved(func(img *image.RGBA, rng *rand.Rand) *image.RGBA { return scaled(img, drawn(rng, 0.3, 2)) })},
		{"mirrored", saved(func(img *image.RGBA, _ *rand.Rand) *image.RGBA { return mirrored(img) })},
		{"5 % trimmed on one to four sides", saved(func(img *image.RGBA, rng *rand.Rand) *image.RGBA {
			var sides [4]float64
			for some := false; !some; {
				for i := range sides {
					sides[i] = twentieth * float64(rng.IntN(2))
					some = some || sides[i] > 0
				}
			}
			return trimmed(img, sides)
		})},
		{"5 % trimmed on all sides", saved(func(img *image.RGBA, _ *rand.Rand) *image.RGBA {
			return trimmed(img, [4]float64{twentieth, twentieth, twentieth, twentieth})
		})},
		{"brightness, contrast and gamma changed", saved(func(img *image.RGBA, rng *rand.Rand) *image.RGBA {
			return toned(img, drawn(rng, 0.85, 1.15), drawn(rng, -20, 20), drawn(rng, 0.8, 1.25))
		})},
		{"turned, with the EXIF mark that turns it back", func(img *image.RGBA, rng *rand.Rand) ([]byte, error) {
			turn := quarterTurns()[rng.IntN(3)]
			content, err := asJPEG(turn.apply(img), 85)
			return marked(content, turn.orientation), err
		}},
		{"turned by up to 1.5°, edges trimmed", saved(func(img *image.RGBA, rng *rand.Rand) *image.RGBA {
			return trimmed(tilted(img, drawn(rng, -1.5, 1.5)), [4]float64{0.03, 0.03, 0.03, 0.03})
		})},
		{"trimmed, mirrored or not, scaled, toned and saved, all at once", func(img *image.RGBA, rng *rand.Rand) ([]byte, error) {
			var sides [4]float64
			for i := range sides {
				sides[i] = drawn(rng, 0, twentieth)
			}
			out := trimmed(img, sides)
			if rng.IntN(2) == 0 {
				out = mirrored(out)
			}
			out = scaled(out, drawn(rng, 0.3, 2))
			out = toned(out, drawn(rng, 0.9, 1.1), drawn(rng, -15, 15), drawn(rng, 0.85, 1.2))
			return asJPEG(out, 30+rng.IntN(66))
		}},
	}
}

// drawn is a number by chance.
func drawn(rng *rand.Rand, low, high float64) float64 { return low + (high-low)*rng.Float64() }

func asJPEG(img image.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}

func scaled(img *image.RGBA, factor float64) *image.RGBA {
	size := func(n int) int { return max(int(float64(n)*factor+0.5), 1) }
	out := image.NewRGBA(image.Rect(0, 0, size(img.Rect.Dx()), size(img.Rect.Dy())))
	if factor < 1 {
		scaling.BiLinear.Scale(out, out.Rect, img, img.Rect, draw.Src, nil)
	} else {
		scaling.CatmullRom.Scale(out, out.Rect, img, img.Rect, draw.Src, nil)
	}
	return out
}

// shrunkTo scales a picture down to a longest side, if it is larger.
func shrunkTo(img *image.RGBA, longest int) *image.RGBA {
	if side := max(img.Rect.Dx(), img.Rect.Dy()); side > longest {
		return scaled(img, float64(longest)/float64(side))
	}
	return img
}

// trimmed cuts shares off: left, upper, right, lower.
func trimmed(img *image.RGBA, sides [4]float64) *image.RGBA {
	width, height := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	left, upper := int(sides[0]*width+0.5), int(sides[1]*height+0.5)
	out := image.NewRGBA(image.Rect(0, 0, max(int((1-sides[2])*width+0.5)-left, 1), max(int((1-sides[3])*height+0.5)-upper, 1)))
	draw.Draw(out, out.Rect, img, image.Pt(left, upper), draw.Src)
	return out
}

func mirrored(img *image.RGBA) *image.RGBA {
	return transposed(img, img.Rect.Dx(), img.Rect.Dy(), func(x, y int) (int, int) { return img.Rect.Dx() - 1 - x, y })
}

// transposed puts at each place the pixel of another.
func transposed(img *image.RGBA, width, height int, from func(x, y int) (int, int)) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			fx, fy := from(x, y)
			copy(out.Pix[y*out.Stride+4*x:][:4], img.Pix[fy*img.Stride+4*fx:][:4])
		}
	}
	return out
}

// toned changes brightness by gamma, then contrast by a factor around the middle, then brightness by an amount.
func toned(img *image.RGBA, contrast, brightness, gamma float64) *image.RGBA {
	var tones [256]byte
	for i := range tones {
		v := 255 * math.Pow(float64(i)/255, gamma)
		tones[i] = byte(min(max((v-128)*contrast+128+brightness, 0), 255) + 0.5)
	}
	out := image.NewRGBA(img.Rect)
	for i, v := range img.Pix {
		if i%4 == 3 {
			out.Pix[i] = v
		} else {
			out.Pix[i] = tones[v]
		}
	}
	return out
}

// tilted turns a picture by some degrees about its middle.
func tilted(img *image.RGBA, degrees float64) *image.RGBA {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	x, y := float64(img.Rect.Dx())/2, float64(img.Rect.Dy())/2
	out := image.NewRGBA(img.Rect)
	scaling.BiLinear.Transform(out, f64.Aff3{cos, -sin, x - cos*x + sin*y, sin, cos, y - sin*x - cos*y}, img, img.Rect, draw.Src, nil)
	return out
}

// quarterTurn stores a picture turned, so that a viewer that heeds the EXIF orientation shows it upright.
type quarterTurn struct {
	orientation byte
	apply       func(*image.RGBA) *image.RGBA
}

func quarterTurns() []quarterTurn {
	return []quarterTurn{
		{3, func(img *image.RGBA) *image.RGBA {
			w, h := img.Rect.Dx(), img.Rect.Dy()
			return transposed(img, w, h, func(x, y int) (int, int) { return w - 1 - x, h - 1 - y })
		}},
		{6, func(img *image.RGBA) *image.RGBA { // its row 0 is the right side as seen
			w, h := img.Rect.Dx(), img.Rect.Dy()
			return transposed(img, h, w, func(x, y int) (int, int) { return w - 1 - y, x })
		}},
		{8, func(img *image.RGBA) *image.RGBA { // its row 0 is the left side as seen
			w, h := img.Rect.Dx(), img.Rect.Dy()
			return transposed(img, h, w, func(x, y int) (int, int) { return y, h - 1 - x })
		}},
	}
}

// marked puts an EXIF orientation behind the first marker of a JPEG.
func marked(content []byte, orientation byte) []byte {
	if len(content) < 2 {
		return content
	}
	exif := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" + string(rune(orientation)) + "\x00\x00\x00\x00\x00\x00\x00")
	out := append([]byte{}, content[:2]...)
	out = append(out, 0xFF, 0xE1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(exif)+2))
	return append(append(out, exif...), content[2:]...)
}
