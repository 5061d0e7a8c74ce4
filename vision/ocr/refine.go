package ocr

import (
	"context"
	"maps"
	"strings"

	"kycd/vision"
	"kycd/vision/printed"
)

// Bounds of the confidence that Refine gives. A caller that compares documents with one another should leave out what is
// below Doubtful.
const (
	// Doubtful is the confidence below which a value is one that no second reading confirmed.
	Doubtful = 0.5
	// unconfirmed bounds a value of whose readings no two agree.
	unconfirmed = 0.4
	// outvoted bounds a value that two of three readings give.
	outvoted = 0.7
)

// Refine reads the fields that an identity stands on (document number, names, birth and expiry) a second time, each by
// itself and with only the characters that it may have, and a third time where the two differ. gray is the page that the fields were
// read on, w·h bytes, and their boxes are in its pixels; a field without a box is left as it is. The result has the same fields:
// those confirmed keep the higher of the confidences, at least Doubtful; those that two of three readings correct get the new
// value and at most 0.7; where all differ the first value stays with at most 0.4, below Doubtful. fields is not changed. ctx is
// asked before each reading.
func (p *Pool) Refine(ctx context.Context, gray []byte, w, h int, fields map[string]vision.Field) (map[string]vision.Field, error) {
	if err := checkSize(gray, w, h); err != nil {
		return nil, err
	}
	out := maps.Clone(fields)
	e, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { p.idle <- e }()
	s := newSheet(gray, w, h)
	strips := s.strips()
	for _, name := range []string{
		printed.DocumentNumber, printed.LastName, printed.FirstName, printed.BirthDate, printed.ExpiresAt,
	} {
		f, ok := fields[name]
		if !ok || f.Box.Area() == 0 {
			continue
		}
		box, capital, ok := around(strips, f.Box)
		if !ok {
			continue
		}
		if out[name], err = s.refine(ctx, e, name, f, box, capital); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *sheet) refine(ctx context.Context, e engine, name string, first vision.Field, box vision.Box, capital int) (vision.Field, error) {
	second, err := s.again(ctx, e, name, box, capital, manner{margin: 0.42, squeeze: 1})
	if err != nil {
		return first, err
	}
	if strings.EqualFold(second.Value, first.Value) {
		first.Confidence = max(first.Confidence, second.Confidence, Doubtful)
		return first, nil
	}
	third, err := s.again(ctx, e, name, box, capital, manner{margin: 0.3, squeeze: 0.93})
	if err != nil {
		return first, err
	}
	switch {
	case third.Value == "":
	case strings.EqualFold(third.Value, first.Value):
		first.Confidence = max(min(max(first.Confidence, third.Confidence), outvoted), Doubtful)
		return first, nil
	case third.Value == second.Value:
		first.Value = second.Value
		first.Confidence = max(min(max(second.Confidence, third.Confidence), outvoted), Doubtful)
		return first, nil
	}
	first.Confidence = min(first.Confidence, unconfirmed)
	return first, nil
}

// again reads a field once more. Value is empty where what was read does not have the field's form.
func (s *sheet) again(ctx context.Context, e engine, name string, box vision.Box, capital int, how manner) (vision.Field, error) {
	if err := ctx.Err(); err != nil {
		return vision.Field{}, err
	}
	c, ok := s.cut(box, capital, how)
	if !ok {
		return vision.Field{}, nil
	}
	words, err := e.read(c.gray, c.w, c.h, Mode{Segmentation: RawLine, DPI: 300, Whitelist: whitelist(name)})
	if err != nil {
		return vision.Field{}, err
	}
	value, ok := printed.Value(name, text(words))
	if !ok {
		return vision.Field{}, nil
	}
	return vision.Field{Value: value, Confidence: Confidence(words)}, nil
}

// whitelist are the characters that a field may have.
func whitelist(name string) string {
	const capitals, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	switch name {
	case printed.DocumentNumber:
		return capitals + digits + "-"
	case printed.BirthDate, printed.ExpiresAt:
		return capitals + digits + "/-. "
	}
	return "" // names have small letters and accents
}

// around gives the exact place of a field: what the reader says of places is rough, so the box is drawn anew around the
// letters that stand in it.
func around(strips []strip, box vision.Box) (found vision.Box, capital int, ok bool) {
	x0, y0, x1, y1 := 0, 0, 0, 0
	take := func(left, top, right, bottom int) {
		if !ok {
			x0, y0, x1, y1, ok = left, top, right, bottom, true
			return
		}
		x0, y0, x1, y1 = min(x0, left), min(y0, top), max(x1, right), max(y1, bottom)
	}
	for _, t := range strips {
		shared := min(t.y1, box.Y+box.Height) - max(t.y0, box.Y)
		across := min(t.x1, box.X+box.Width) - max(t.x0, box.X)
		if 2*shared < t.y1-t.y0 || across <= 0 {
			continue
		}
		if 5*across >= 4*(t.x1-t.x0) {
			take(t.x0, t.y0, t.x1, t.y1)
			capital = max(capital, t.height)
			continue
		}
		for _, m := range t.marks {
			if middle := (m.x0 + m.x1) / 2; middle >= box.X-t.height/5 && middle < box.X+box.Width+t.height/5 {
				take(m.x0, t.y0, m.x1, t.y1)
				capital = max(capital, t.height)
			}
		}
	}
	return vision.Box{X: x0, Y: y0, Width: x1 - x0, Height: y1 - y0}, capital, ok
}
