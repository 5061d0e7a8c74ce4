package imaging

import (
	"gocv.io/x/gocv"

	"kycd/vision"
)

// Decode turns the bytes of a JPEG, PNG or WebP into an upright picture. The container is inspected first,
// so the number of pixels is bounded before a decoder sees a byte. Every error is a *vision.ImageError;
// image_unreadable is the one that only decoding can find.
func Decode(b []byte, opt Options) (*Picture, error) {
	container, err := vision.Inspect(b)
	if err != nil {
		return nil, err
	}
	maxSide := opt.MaxSide
	if maxSide <= 0 {
		maxSide = DefaultMaxSide
	}
	// Orientation is ours: OpenCV applies it to some formats and not to others.
	mat, err := gocv.IMDecode(b, readFlag(container, maxSide)|gocv.IMReadIgnoreOrientation)
	if err != nil {
		return nil, unreadable()
	}
	defer mat.Close()
	if mat.Empty() || mat.Type() != gocv.MatTypeCV8UC3 {
		return nil, unreadable()
	}

	var pic *Picture
	if width, height := fit(mat.Cols(), mat.Rows(), maxSide); width != mat.Cols() || height != mat.Rows() {
		pic, err = resize(mat, width, height)
	} else {
		pic, err = fromMat(mat)
	}
	if err != nil {
		return nil, err
	}
	pic = pic.upright(container.Orientation)
	pic.Format = container.Format
	pic.SourceWidth, pic.SourceHeight = container.Upright()
	pic.Scale = float64(pic.SourceWidth) / float64(pic.Width)
	return pic, nil
}

// readFlag lets libjpeg decode a large JPEG at half, quarter or eighth size, which halves the time, while
// the result is still at least 0.6·maxSide long; other formats are decoded whole.
func readFlag(c vision.Container, maxSide int) gocv.IMReadFlag {
	if c.Format != vision.FormatJPEG {
		return gocv.IMReadColor
	}
	switch enough := 0.6 * float64(maxSide); {
	case float64(max(c.Width, c.Height)) >= 8*enough:
		return gocv.IMReadReducedColor8
	case float64(max(c.Width, c.Height)) >= 4*enough:
		return gocv.IMReadReducedColor4
	case float64(max(c.Width, c.Height)) >= 2*enough:
		return gocv.IMReadReducedColor2
	default:
		return gocv.IMReadColor
	}
}

func unreadable() error {
	return &vision.ImageError{Code: vision.CodeUnreadable, Detail: "the picture cannot be decoded"}
}

// fromMat copies the pixels out of an 8-bit BGR matrix.
func fromMat(mat gocv.Mat) (*Picture, error) {
	if mat.Empty() || mat.Type() != gocv.MatTypeCV8UC3 {
		return nil, unreadable()
	}
	return New(mat.ToBytes(), mat.Cols(), mat.Rows()), nil
}

// upright undoes an EXIF orientation (1..8, TIFF 6.0): the result is what a viewer shows.
func (p *Picture) upright(orientation int) *Picture {
	if orientation <= 1 || orientation > 8 {
		return p
	}
	width, height := p.Width, p.Height
	if orientation >= 5 {
		width, height = height, width
	}
	pix := make([]byte, len(p.Pix))
	// Per orientation: the source offset of the result's first pixel, and the steps in bytes to the source
	// pixels of its right and its lower neighbour.
	pixel, row := 3, 3*p.Width
	lastX, lastY := pixel*(p.Width-1), row*(p.Height-1)
	walk := [9]struct{ start, right, down int }{
		2: {lastX, -pixel, row},
		3: {lastX + lastY, -pixel, -row},
		4: {lastY, pixel, -row},
		5: {0, row, pixel},
		6: {lastY, -row, pixel},
		7: {lastX + lastY, -row, -pixel},
		8: {lastX, row, -pixel},
	}[orientation]
	to := 0
	for y := range height {
		from := walk.start + y*walk.down
		for range width {
			copy(pix[to:to+3], p.Pix[from:from+3])
			to += 3
			from += walk.right
		}
	}
	return New(pix, width, height)
}
