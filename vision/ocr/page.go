package ocr

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"kycd/vision"
)

// ReadPage reads a page cut out upright, one byte a pixel, w·h bytes: faster than Read, because the pieces of text are found
// first and only they are read, each at the size that suits the reader and without the pattern of the paper. Lines of a
// machine-readable zone are left out, and so is white print on dark; what a page of prose holds beyond that which a document
// can is not read. Words of one line have the same number even where they stand far apart. Engines that nobody else needs at the
// moment read beside the first. ctx is asked before each piece.
func (p *Pool) ReadPage(ctx context.Context, gray []byte, w, h int) (string, []vision.Word, error) {
	if err := checkSize(gray, w, h); err != nil {
		return "", nil, err
	}
	first, err := p.take(ctx)
	if err != nil {
		return "", nil, err
	}
	s := newSheet(gray, w, h)
	strips := s.readable()
	found := make([][]vision.Word, len(strips))
	var next atomic.Int64
	var reading errgroup.Group
	read := func(e engine) {
		reading.Go(func() error {
			defer func() { p.idle <- e }()
			for {
				i := int(next.Add(1)) - 1
				if i >= len(strips) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				words, err := s.readStrip(e, strips[i])
				if err != nil {
					return err
				}
				found[i] = words
			}
		})
	}
	read(first)
	for range p.size - 1 {
		select {
		case e := <-p.idle:
			read(e)
		default:
		}
	}
	if err := reading.Wait(); err != nil {
		return "", nil, err
	}
	words := slices.Concat(found...)
	return text(words), words, nil
}

// readable are the strips that are read: as many as mostReading allows, in their order.
func (s *sheet) readable() []strip {
	strips, room := s.strips(), mostReading
	for i, t := range strips {
		if room -= t.reading(); room < 0 {
			return strips[:i]
		}
	}
	return strips
}

// mostReading bounds the lines read on a page, in pixels of their pictures' width; a full licence has about 6500.
const mostReading = 16_000

// reading is the width of a strip's picture, roughly.
func (t strip) reading() int {
	return (t.x1-t.x0)*lineHeight*2/(3*(t.y1-t.y0)) + lineHeight/2
}

// swift is how strips are cut out for the first reading.
func swift() manner { return manner{margin: 0.25, squeeze: 1} }

func (s *sheet) readStrip(e engine, t strip) ([]vision.Word, error) {
	c, ok := s.cut(t.box(), t.height, swift())
	if !ok {
		return nil, nil
	}
	words, err := e.read(c.gray, c.w, c.h, Mode{Segmentation: RawLine, DPI: 300})
	if err != nil {
		return nil, err
	}
	for i := range words {
		if w := words[i].Text; len(t.marks) == 1 && len(w) == 2 && strings.EqualFold(w[:1], w[1:]) {
			words[i].Text = w[:1] // the reader sees a lone letter twice
		}
		words[i].Box = c.onPage(words[i].Box)
		words[i].Line = t.row
	}
	return words, nil
}

func checkSize(gray []byte, w, h int) error {
	if w < 1 || h < 1 || w > maxSide || h > maxSide || len(gray) != w*h {
		return fmt.Errorf("%w: %d bytes for %d×%d", ErrSize, len(gray), w, h)
	}
	return nil
}
