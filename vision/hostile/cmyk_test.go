package hostile

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"math/bits"
)

// The kinds of four-component JPEG.
const (
	plainCMYK    = -1 // without Adobe's marker: nobody says whether 0 or 255 means no ink
	adobeCMYK    = 0  // the marker's transform value
	adobeYCCK    = 2
	huffmanSpare = 16 // the code lengths that a Huffman table counts
)

// encodeInk writes a picture as a baseline JPEG of four inks, at the best quality. Go and OpenCV read such files and
// write none. Adobe's are inverted: 255 means no ink.
func encodeInk(img image.Image, kind int) []byte {
	var out bytes.Buffer
	out.Write([]byte{0xFF, 0xD8})
	if kind != plainCMYK {
		out.Write(marked(0xEE, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), byte(kind))))
	}
	out.Write(marked(0xDB, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)))
	size := img.Bounds().Size()
	out.Write(marked(0xC0, []byte{8, byte(size.Y >> 8), byte(size.Y), byte(size.X >> 8), byte(size.X), 4,
		1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0}))
	// One table each for DC and AC: 256 codes of at most nine bits, so that any symbol has one.
	counts := make([]byte, huffmanSpare)
	counts[8] = 255 // nine bits
	symbols := make([]byte, 255)
	for i := range symbols {
		symbols[i] = byte(i)
	}
	dc := make([]byte, huffmanSpare)
	dc[4] = 12 // five bits
	out.Write(marked(0xC4, append(append([]byte{0x00}, dc...), symbols[:12]...)))
	out.Write(marked(0xC4, append(append([]byte{0x10}, counts...), symbols...)))
	out.Write(marked(0xDA, []byte{4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0}))
	w := bitWriter{out: &out}
	var last [4]int
	for y := 0; y < size.Y; y += 8 {
		for x := 0; x < size.X; x += 8 {
			for k := range 4 {
				last[k] = w.block(img, x, y, k, kind, last[k])
			}
		}
	}
	w.flush()
	out.Write([]byte{0xFF, 0xD9})
	return out.Bytes()
}

func marked(marker byte, body []byte) []byte {
	return append([]byte{0xFF, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

// ink is one component of a pixel, as it is stored.
func ink(img image.Image, x, y, k, kind int) float64 {
	b := img.Bounds()
	c := color.RGBAModel.Convert(img.At(min(b.Min.X+x, b.Max.X-1), min(b.Min.Y+y, b.Max.Y-1))).(color.RGBA)
	cyan, magenta, yellow, black := color.RGBToCMYK(c.R, c.G, c.B)
	inks := [4]uint8{cyan, magenta, yellow, black}
	switch kind {
	case plainCMYK:
		return float64(inks[k])
	case adobeCMYK:
		return float64(255 - inks[k])
	}
	if k == 3 {
		return float64(255 - black)
	}
	luma, blue, red := color.RGBToYCbCr(cyan, magenta, yellow) // these three are not inverted
	return float64([3]uint8{luma, blue, red}[k])
}

// zigzag is the order of a block's coefficients (ITU-T T.81, figure 5).
var zigzag = [64]int{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

type bitWriter struct {
	out  *bytes.Buffer
	held uint32
	n    int
}

func (w *bitWriter) write(value uint32, n int) {
	for n--; n >= 0; n-- {
		w.held = w.held<<1 | value>>n&1
		if w.n++; w.n == 8 {
			w.out.WriteByte(byte(w.held))
			if byte(w.held) == 0xFF {
				w.out.WriteByte(0)
			}
			w.held, w.n = 0, 0
		}
	}
}

func (w *bitWriter) flush() {
	for w.n != 0 {
		w.write(1, 1)
	}
}

// block transforms and writes eight by eight samples and gives their DC coefficient.
func (w *bitWriter) block(img image.Image, x0, y0, k, kind, lastDC int) int {
	var samples [64]float64
	for i := range samples {
		samples[i] = ink(img, x0+i%8, y0+i/8, k, kind) - 128
	}
	var coefficients [64]int
	for i := range coefficients {
		coefficients[i] = int(math.Round(cosine(&samples, i%8, i/8)))
	}
	difference := coefficients[0] - lastDC
	size := bits.Len(uint(max(difference, -difference)))
	w.write(uint32(size), 5)
	w.amplitude(difference, size)
	run := 0
	for _, at := range zigzag[1:] {
		value := coefficients[at]
		if value == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			w.write(0xF0, 9)
		}
		size := bits.Len(uint(max(value, -value)))
		w.write(uint32(run<<4|size), 9)
		w.amplitude(value, size)
		run = 0
	}
	if run > 0 {
		w.write(0, 9)
	}
	return coefficients[0]
}

func (w *bitWriter) amplitude(value, size int) {
	if value < 0 {
		value += 1<<size - 1
	}
	w.write(uint32(value), size)
}

// cosine is one coefficient of the discrete cosine transform.
func cosine(samples *[64]float64, u, v int) float64 {
	sum := 0.0
	for i, s := range samples {
		sum += s * math.Cos(float64(2*(i%8)+1)*float64(u)*math.Pi/16) * math.Cos(float64(2*(i/8)+1)*float64(v)*math.Pi/16)
	}
	for _, f := range [2]int{u, v} {
		if f == 0 {
			sum /= math.Sqrt2
		}
	}
	return sum / 4
}
