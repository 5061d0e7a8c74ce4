// Package imaging turns encoded images into upright pixels, and cuts and scales them.
//
// It decodes with OpenCV, whose decoders parse hostile bytes in C: only the sidecar may import it.
package imaging

import (
	"fmt"
	"image"
	"sync"

	"gocv.io/x/gocv"

	"kycd/vision"
)

// DefaultMaxSide is the longest side, in pixels, of a decoded picture unless Options says otherwise. Small
// print and the bars of a PDF417 on a card that fills the frame are still two to three pixels wide there.
const DefaultMaxSide = 3000

// Options bounds what Decode makes. The zero value asks for the defaults.
type Options struct {
	MaxSide int // px of the longer side; a larger image is scaled down to it, a JPEG to 62 to 102 % of it; 0 means DefaultMaxSide
}

// Picture is a decoded, upright image: 8-bit BGR, interleaved, row-major, without padding. It is not
// changed after it is made, so goroutines may share it.
type Picture struct {
	Pix    []byte // len = 3·Width·Height, in the order B, G, R
	Width  int
	Height int

	// Scale is how many pixels of the upright source image one pixel of this picture stands for, ≥ 1
	// after Decode: multiply a position by it to speak of the source.
	Scale float64

	Format       string // of the source: jpeg, png or webp
	SourceWidth  int    // of the upright source, px
	SourceHeight int

	grayOnce sync.Once
	gray     []byte
}

// New wraps pixels that the caller will not change any more. It panics if pix is not 3·width·height long.
func New(pix []byte, width, height int) *Picture {
	if width <= 0 || height <= 0 || len(pix) != 3*width*height {
		panic(fmt.Sprintf("imaging: %d bytes do not make %d×%d BGR pixels", len(pix), width, height))
	}
	return &Picture{Pix: pix, Width: width, Height: height, Scale: 1, SourceWidth: width, SourceHeight: height}
}

// Gray returns the luma of the picture (BT.601), one byte a pixel, row-major, stride = Width. It is
// computed once and shared: do not change it.
func (p *Picture) Gray() []byte {
	p.grayOnce.Do(func() {
		gray := make([]byte, p.Width*p.Height)
		for i := range gray {
			px := p.Pix[3*i : 3*i+3 : 3*i+3]
			gray[i] = byte((uint32(px[0])*7472 + uint32(px[1])*38470 + uint32(px[2])*19594 + 1<<15) >> 16)
		}
		p.gray = gray
	})
	return p.gray
}

// Crop cuts a box out. The box is clipped to the picture; ok is false if nothing is left.
func (p *Picture) Crop(box vision.Box) (crop *Picture, ok bool) {
	x0, y0 := max(box.X, 0), max(box.Y, 0)
	x1, y1 := min(box.X+box.Width, p.Width), min(box.Y+box.Height, p.Height)
	if x1 <= x0 || y1 <= y0 {
		return nil, false
	}
	width, height := x1-x0, y1-y0
	pix := make([]byte, 3*width*height)
	for y := range height {
		from := 3 * ((y0+y)*p.Width + x0)
		copy(pix[3*y*width:3*(y+1)*width], p.Pix[from:from+3*width])
	}
	return New(pix, width, height), true
}

// Mirrored returns the picture with left and right exchanged.
func (p *Picture) Mirrored() *Picture {
	return p.upright(2)
}

// CropReflected cuts a box that may reach beyond the picture; what lies outside is mirrored at the edge
// without repeating the edge pixel (… 2 1 | 0 1 2 …). It panics on a box without area.
func (p *Picture) CropReflected(box vision.Box) *Picture {
	pix := make([]byte, 3*box.Width*box.Height)
	columns := make([]int, box.Width)
	for x := range columns {
		columns[x] = 3 * reflect101(box.X+x, p.Width)
	}
	to := 0
	for y := range box.Height {
		row := p.Pix[3*p.Width*reflect101(box.Y+y, p.Height):]
		for _, from := range columns {
			copy(pix[to:to+3], row[from:from+3])
			to += 3
		}
	}
	return New(pix, box.Width, box.Height)
}

// reflect101 folds a coordinate into 0..n-1.
func reflect101(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i %= period
	if i < 0 {
		i += period
	}
	if i >= n {
		i = period - i
	}
	return i
}

// Resize scales to the given size: by area when it shrinks, bicubic when it grows. Sizes below 1 are
// taken as 1.
func (p *Picture) Resize(width, height int) (*Picture, error) {
	width, height = max(width, 1), max(height, 1)
	if width == p.Width && height == p.Height {
		return p, nil
	}
	resized, err := p.scaled(width, height)
	if err != nil {
		return nil, err
	}
	resized.Scale = p.Scale * float64(p.Width) / float64(width)
	resized.Format, resized.SourceWidth, resized.SourceHeight = p.Format, p.SourceWidth, p.SourceHeight
	return resized, nil
}

// scaled is the bare picture at another size.
func (p *Picture) scaled(width, height int) (*Picture, error) {
	if shrinks(p.Width, p.Height, width, height) {
		return p.shrink(0, 0, p.Width, p.Height, width, height)
	}
	src, err := gocv.NewMatFromBytes(p.Height, p.Width, gocv.MatTypeCV8UC3, p.Pix)
	if err != nil {
		return nil, fmt.Errorf("wrap pixels: %w", err)
	}
	defer src.Close()
	return resize(src, width, height)
}

// Fit scales the picture so that its longer side is at most maxSide; a smaller one is returned as it is.
func (p *Picture) Fit(maxSide int) (*Picture, error) {
	width, height := fit(p.Width, p.Height, maxSide)
	return p.Resize(width, height)
}

// EncodeJPEG encodes the picture with a quality of 1..100.
func (p *Picture) EncodeJPEG(quality int) ([]byte, error) {
	mat, err := gocv.NewMatFromBytes(p.Height, p.Width, gocv.MatTypeCV8UC3, p.Pix)
	if err != nil {
		return nil, fmt.Errorf("wrap pixels: %w", err)
	}
	defer mat.Close()
	native, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, mat, []int{gocv.IMWriteJpegQuality, quality})
	if err != nil {
		return nil, fmt.Errorf("encode JPEG: %w", err)
	}
	defer native.Close()
	return append([]byte(nil), native.GetBytes()...), nil
}

func resize(src gocv.Mat, width, height int) (*Picture, error) {
	how := gocv.InterpolationArea
	if width > src.Cols() || height > src.Rows() {
		how = gocv.InterpolationCubic
	}
	dst := gocv.NewMat()
	defer dst.Close()
	gocv.Resize(src, &dst, image.Pt(width, height), 0, 0, how)
	return fromMat(dst)
}

func fit(width, height, maxSide int) (int, int) {
	longest := max(width, height)
	if longest <= maxSide {
		return width, height
	}
	scale := float64(maxSide) / float64(longest)
	return max(int(float64(width)*scale+0.5), 1), max(int(float64(height)*scale+0.5), 1)
}
