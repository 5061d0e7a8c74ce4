package barcode

import (
	"context"
	"math"
	"sort"

	"kycd/vision"
	"kycd/vision/projective"
)

// likely is the mean correlation of the row indicators from which a place is taken for a symbol's. Wrong sizes and wrong
// places of symbols reach 0.6, right ones that can be read have more than 0.7.
const likely = 0.62

// chartSide is the most pixels that a chart is wide.
const chartSide = 1200

// The most that is tried on one chart.
const (
	mostSpans = 6
	mostReads = 3
)

type search struct {
	ctx    context.Context
	full   plane
	reader *reader // nil until it is needed

	textured bool // something in the picture looks like bars
}

// soft reads a symbol with all doubt about its codewords, in the rectangle of w × h that base maps to the source. The
// source is the picture shrunk n times.
func (s *search) soft(source plane, n int, base projective.Map, w, h int, crooked bool) ([]vision.Barcode, error) {
	c := chart{field: source.warp(&base, w, h, 0, 0, 1, 1), toPicture: base}
	if crooked {
		var ok bool
		if c, ok = source.straighten(base, w, h); !ok {
			return nil, nil
		}
	}
	if !c.band() {
		return nil, nil
	}
	type trial struct {
		chart
		span
	}
	var trials []trial
	for _, t := range []chart{c, c.turned()} {
		for _, sp := range t.spans() {
			trials = append(trials, trial{t, sp})
		}
	}
	sort.SliceStable(trials, func(i, j int) bool { return trials[i].score > trials[j].score })
	reads := 0
	for _, t := range trials[:min(len(trials), mostSpans)] {
		for _, p := range t.locate(t.span) {
			if p.score < likely || reads == mostReads {
				break
			}
			reads++
			if err := s.ctx.Err(); err != nil {
				return nil, err
			}
			found, err := s.believe(source, n, t.chart, p)
			if err != nil || len(found) > 0 {
				return found, err
			}
		}
	}
	return nil, nil
}

// believe reads the symbol at a place. What its corrected codewords mean is the library's to say: it gets them as a drawing.
func (s *search) believe(source plane, n int, c chart, p placed) ([]vision.Barcode, error) {
	width, height := float64(p.modules()), float64(p.rows)
	place, ok := projective.Onto(width, height, p.corners)
	if !ok {
		return nil, nil
	}
	if s.reader == nil {
		s.reader = newReader()
	}
	words, place, ok := s.reader.read(s.ctx, source, p.shape, c.toPicture.After(place), p.blur)
	if !ok {
		return nil, nil
	}
	found, err := p.render(words).read(attempt{})
	if err != nil || len(found) != 1 {
		return nil, err
	}
	for i, at := range [4][2]float64{{0, 0}, {width, 0}, {width, height}, {0, height}} {
		corner := place.At(at[0], at[1])
		found[0].Corners[i] = vision.Point{X: corner.X * float64(n), Y: corner.Y * float64(n)}
	}
	return found, nil
}

// turned is the chart on its head.
func (c chart) turned() chart {
	out := chart{field: newField(c.w, c.h), toPicture: c.toPicture, top: c.h - c.bottom, bottom: c.h - c.top}
	for i, v := range c.val {
		out.val[len(c.val)-1-i] = v
	}
	out.toPicture = out.toPicture.After(projective.Map{-1, 0, float64(c.w), 0, -1, float64(c.h), 0, 0, 1})
	return out
}

// page reads the symbol of the document whose corners are known.
func (s *search) page(corners [4]vision.Point) ([]vision.Barcode, error) {
	across := (distance(corners[0], corners[1]) + distance(corners[3], corners[2])) / 2
	down := (distance(corners[0], corners[3]) + distance(corners[1], corners[2])) / 2
	if !(across >= 100 && down >= 50 && across < 2*maxSide && down < 2*maxSide) {
		return nil, nil
	}
	n := max(int(across/chartSide), 1)
	source := s.full.shrink(n)
	for i := range corners {
		corners[i].X /= float64(n)
		corners[i].Y /= float64(n)
	}
	w := min(int(across/float64(n)), chartSide)
	h := min(int(float64(w)*down/across), chartSide)
	base, ok := projective.Onto(float64(w), float64(h), corners)
	if !ok {
		return nil, nil
	}
	return s.soft(source, n, base, w, h, false)
}

func distance(a, b vision.Point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

// doubtful reads a region, found in a copy n times smaller, with all doubt.
func (s *search) doubtful(r region, n int) ([]vision.Barcode, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	across := r.across*float64(n)*1.08 + 4*block*float64(n)
	level := max(int(across/chartSide), 1)
	f := r.frame(float64(n)/float64(level), min(int(across/float64(level)), chartSide))
	if f.w < 100 || f.h > 2*chartSide {
		return nil, nil
	}
	return s.soft(s.full.shrink(level), level, f.homography(), f.w, f.h, true)
}
