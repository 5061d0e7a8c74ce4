// Package barcode reads printed codes, the PDF417 of American licences first, with zxing-cpp.
//
// Around the library it adds what phone photos need: it looks for the code's texture before it decodes,
// cuts that place out upright and at a size that suits the decoder, and tries contrast and sharpening
// there, where an attempt costs a millisecond or two, instead of on the whole picture.
//
// What the library still cannot read is read here, codeword by codeword with all doubt: the start and stop patterns and
// the row indicators tell where each module lies and how blurred it is, each of the 929 patterns gets a probability
// given what its neighbours are believed to be, and doubtful codewords are erasures for the error correction.
package barcode

import (
	"context"
	"errors"
	"fmt"

	"kycd/vision"
)

var (
	// ErrLibrary is returned when zxing-cpp threw an exception.
	ErrLibrary = errors.New("barcode_library_failed")
	// ErrSize is returned when the number of bytes is not width times height, or a side is out of range.
	ErrSize = errors.New("barcode_picture_size")
)

// maxSide is the longest side that zxing-cpp's 16-bit run lengths hold safely.
const maxSide = 16384

// PDF417 is the Format of the symbols on American driver's licences.
const PDF417 = "PDF417"

// Options choose what is looked for. The zero value looks for PDF417 at the price of a live preview.
type Options struct {
	Any      bool // every symbology that zxing-cpp reads, where there is no PDF417
	Thorough bool // on a miss, go on to the whole picture, at its full size as well, even if nothing there looks like a code

	// Page are the corners of the document in the picture, pixels, clockwise from its own upper left or lower right, if
	// they are known; they may lie outside of the picture. They help where blur hides the symbol's texture.
	Page *[4]vision.Point
}

// Decode reads the symbols of a grey picture, one byte a pixel, w·h bytes. Text holds the payload's bytes as
// printed, control characters included and in the symbol's own character set: it is not always UTF-8. Corners are in
// pixels of the picture, clockwise from the symbol's own upper left. A picture without a readable code gives
// none and no error. ctx ends the search between two attempts.
func Decode(ctx context.Context, gray []byte, w, h int, opt Options) ([]vision.Barcode, error) {
	if w < 1 || h < 1 || w > maxSide || h > maxSide || len(gray) != w*h {
		return nil, fmt.Errorf("%w: %d bytes for %d×%d", ErrSize, len(gray), w, h)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	search := &search{ctx: ctx, full: plane{pix: gray, w: w, h: h}}
	found, err := search.code(opt)
	if err != nil {
		return nil, err
	}
	if opt.Any && !has(found, PDF417) || len(found) == 0 && (opt.Thorough || search.textured) {
		more, err := search.whole(workingSide, attempt{any: opt.Any, downscale: true})
		if err != nil {
			return nil, err
		}
		found = merge(found, more)
	}
	if opt.Thorough && !has(found, PDF417) {
		more, err := search.whole(maxSide, attempt{downscale: true})
		if err != nil {
			return nil, err
		}
		found = merge(found, more)
	}
	return found, nil
}

func has(found []vision.Barcode, format string) bool {
	for _, f := range found {
		if f.Format == format {
			return true
		}
	}
	return false
}

// The sizes, in pixels, at which the search works.
const (
	textureSide = 1000 // longest side of the copy in which the texture is measured
	workingSide = 1800 // longest side of the copy that the library sees whole
)

// treatment is one way to prepare a cut-out region.
type treatment struct {
	width  int // of the cut, pixels: 90 to 350 modules
	radius int // of the sharpening; 0 for none
	amount float64
}

// treatments are tried in this order. On a grid of module widths from 1.3 to 2.6 px, angles and blurs, the
// first read 40 of 80 photos, the second 15 more and the third another 4; no fourth of 48 tried added one.
func treatments() []treatment {
	return []treatment{{width: 1120}, {width: 1120, radius: 3, amount: 3}, {width: 1440, radius: 5, amount: 4}}
}

func (t treatment) apply(p plane) plane {
	if t.radius == 0 {
		return p
	}
	return p.levelled().sharpen(t.radius, t.amount)
}

// code looks for PDF417 where the texture of one is, cheap attempts first, and stops at the first hit.
func (s *search) code(opt Options) ([]vision.Barcode, error) {
	n := ratio(s.full, textureSide)
	small := s.full.shrink(n)
	regions := small.regions()
	if found, err := s.plainly(regions, small, n); err != nil || len(found) > 0 {
		return found, err
	}
	if opt.Page != nil {
		if found, err := s.page(*opt.Page); err != nil || len(found) > 0 {
			return found, err
		}
	}
	for _, r := range append(regions, small.faint()...) {
		if !r.large(small) {
			continue
		}
		s.textured = true
		if found, err := s.doubtful(r, n); err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// plainly has the library read regions, found in a copy n times smaller; small ones but once.
func (s *search) plainly(regions []region, small plane, n int) ([]vision.Barcode, error) {
	for i, t := range treatments() {
		for _, r := range regions {
			if i > 0 && !r.large(small) {
				continue
			}
			if found, err := s.region(r, n, t); err != nil || len(found) > 0 {
				return found, err
			}
		}
	}
	return nil, nil
}

// region reads one place, found in a copy n times smaller, in the full picture.
func (s *search) region(r region, n int, t treatment) ([]vision.Barcode, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	// A region that is much larger than the cut is taken from a smaller copy, or the sampling would skip pixels.
	level := max(int(r.across*float64(n)/float64(t.width)), 1)
	source := s.full.shrink(level)
	f := r.frame(float64(n)/float64(level), t.width)
	found, err := t.apply(source.cut(f)).read(attempt{})
	if err != nil {
		return nil, err
	}
	for i := range found {
		for k, c := range found[i].Corners {
			c = f.at(c.X, c.Y)
			found[i].Corners[k] = vision.Point{X: c.X * float64(level), Y: c.Y * float64(level)}
		}
	}
	return found, nil
}

// whole reads the picture at no more than the given side. At the full side nothing is read that the smaller side has been read at.
func (s *search) whole(side int, a attempt) ([]vision.Barcode, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	n := ratio(s.full, side)
	if side == maxSide && ratio(s.full, workingSide) == 1 {
		return nil, nil
	}
	found, err := s.full.shrink(n).read(a)
	for i := range found {
		for k, c := range found[i].Corners {
			found[i].Corners[k] = vision.Point{X: c.X * float64(n), Y: c.Y * float64(n)}
		}
	}
	return found, err
}

// ratio is the whole number by which a picture is shrunk to bring its longest side to about the given one.
func ratio(p plane, side int) int { return max((max(p.w, p.h)+side/2)/side, 1) }

// merge adds the symbols that are not there yet.
func merge(have, more []vision.Barcode) []vision.Barcode {
	for _, m := range more {
		known := false
		for _, h := range have {
			known = known || h.Format == m.Format && h.Text == m.Text
		}
		if !known {
			have = append(have, m)
		}
	}
	return have
}
