package ocr

import (
	"cmp"
	"context"
	"math"
	"slices"

	"kycd/vision"
)

const (
	uprightStrips = 3   // are read both ways at most
	uprightWidth  = 300 // pixels of a line's picture: longer lines say no more and take longer
	uprightSure   = 0.3 // is enough to stop after a strip
)

// Upright says whether the page lies on its head: up to three pieces of text are read both ways. sure is by how
// much the mean confidences of the two ways differ, 0..1: below 0.1 it is better not believed, and 0 if nothing was found to
// read. It takes as long as reading two or three lines.
func (p *Page) Upright(ctx context.Context) (turned bool, sure float64, err error) {
	e, err := p.pool.take(ctx)
	if err != nil {
		return false, 0, err
	}
	defer func() { p.pool.idle <- e }()
	var up, down []vision.Word
	for i, t := range telling(p.strips) {
		if i == uprightStrips || sure >= uprightSure {
			break
		}
		if err := ctx.Err(); err != nil {
			return false, 0, err
		}
		c, ok := p.sheet.cut(t.box(), t.height, swift())
		if !ok {
			continue
		}
		asIs, err := e.read(c.gray, c.w, c.h, Mode{Segmentation: RawLine, DPI: 300})
		if err != nil {
			return false, 0, err
		}
		slices.Reverse(c.gray)
		onHead, err := e.read(c.gray, c.w, c.h, Mode{Segmentation: RawLine, DPI: 300})
		if err != nil {
			return false, 0, err
		}
		up, down = append(up, asIs...), append(down, onHead...)
		sure = math.Abs(Confidence(up) - Confidence(down))
	}
	return Confidence(down) > Confidence(up), sure, nil
}

// telling are the strips that tell best which way up they stand, the best first: of as many letters as the width allows, and
// none that may be a machine-readable zone, whose font reads badly either way.
func telling(all []strip) []strip {
	var out []strip
	for _, t := range all {
		if t.letters >= 4 && t.reading() <= uprightWidth {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b strip) int {
		return cmp.Or(cmp.Compare(b.letters, a.letters), cmp.Compare(b.height, a.height))
	})
	return out
}
