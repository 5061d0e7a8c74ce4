package imaging

import (
	"errors"

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
	pic, err := decodeScaled(b, container, maxSide)
	if err != nil {
		return nil, err
	}
	pic = pic.upright(container.Orientation)
	pic.Format = container.Format
	pic.SourceWidth, pic.SourceHeight = container.Upright()
	pic.Scale = float64(pic.SourceWidth) / float64(pic.Width)
	return pic, nil
}

// decodeScaled decodes to a longest side of about maxSide: a JPEG at a scale of its own transform if one comes near enough, which
// takes a fraction of the time of decoding it whole.
func decodeScaled(b []byte, c vision.Container, maxSide int) (*Picture, error) {
	if c.Format == vision.FormatJPEG {
		n, exact := eighths(max(c.Width, c.Height), maxSide)
		pic, err := decodeJPEG(b, c, n)
		if err == nil && !exact {
			return pic.Fit(maxSide)
		}
		if !errors.Is(err, errUnsuitable) {
			return pic, err
		}
	}
	// Orientation is ours: OpenCV applies it to some formats and not to others.
	mat, err := gocv.IMDecode(b, gocv.IMReadColor|gocv.IMReadIgnoreOrientation)
	if err != nil {
		return nil, unreadable()
	}
	defer mat.Close()
	if mat.Empty() || mat.Type() != gocv.MatTypeCV8UC3 {
		return nil, unreadable()
	}
	if width, height := fit(mat.Cols(), mat.Rows(), maxSide); width != mat.Cols() || height != mat.Rows() {
		return resize(mat, width, height)
	}
	return fromMat(mat)
}

// eighths is the scale at which a JPEG of a longest side is decoded. exact tells that what comes out is near enough to maxSide, else
// it is larger and has to be scaled down: 4032 pixels come out as 2016 and stay so, where 3000 are wanted.
func eighths(longest, maxSide int) (n int, exact bool) {
	scales := [...]int{8, 4, 2, 1} // for which libjpeg-turbo has fast transforms; the others take as long as the whole
	for i, n := range scales {
		side := float64(longest) * float64(n) / 8
		switch {
		case side > 1.02*float64(maxSide):
		case n == 8 || side >= leastOfMax*float64(maxSide):
			return n, true
		default:
			return scales[i-1], false
		}
	}
	return 1, false
}

// leastOfMax is the share of the longest side wanted that is enough: a photograph of twelve megapixels
// comes out as 2000 pixels where 3000 are wanted, in a fraction of the time, and a card on it still has 300 to 500 pixels an inch.
const leastOfMax = 0.625

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
	// In squares that fit the cache: a turned row of a large picture touches a page of memory with every pixel.
	const tile = 32
	for top := 0; top < height; top += tile {
		for left := 0; left < width; left += tile {
			for y := top; y < min(top+tile, height); y++ {
				from := walk.start + y*walk.down + left*walk.right
				to := 3 * (y*width + left)
				for range min(tile, width-left) {
					source, target := p.Pix[from:from+3:from+3], pix[to:to+3:to+3]
					target[0], target[1], target[2] = source[0], source[1], source[2]
					to += 3
					from += walk.right
				}
			}
		}
	}
	return New(pix, width, height)
}
