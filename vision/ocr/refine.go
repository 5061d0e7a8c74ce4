package ocr

import (
	"context"
	"maps"
	"math"
	"strings"
	"unicode"

	"kycd/vision"
	"kycd/vision/ocr/glyphs"
	"kycd/vision/printed"
)

// Bounds of the confidence that Refine gives. A caller that compares documents with one another should leave out what is
// below Doubtful.
const (
	// Doubtful is the confidence below which a value is one that no second reading confirmed.
	Doubtful = vision.Doubtful
	// unconfirmed bounds a value of whose readings no two agree.
	unconfirmed = 0.4
	// outvoted bounds a value that two of three readings give.
	outvoted = 0.7
)

// Refine reads the fields that an identity stands on (document number, names, birth and expiry) a second time, each by
// itself and with only the characters that it may have, and a third time where the two differ. The boxes of the fields are in pixels of the
// page; a field without a box is left as it is. The result has the same fields:
// those that the second reading confirms keep the higher of the confidences, at least Doubtful; those on which two of three
// agree get their value, with at most 0.7; all others keep at most 0.4, below Doubtful. So does a last name with fewer
// letters than are seen on the page. A document number is settled letter by letter, between the readings of its line and
// each of its letters seen by itself; where no clear majority is for one of them, the number keeps at most 0.4. fields is not changed. ctx is asked before each reading.
func (p *Page) Refine(ctx context.Context, fields map[string]vision.Field) (map[string]vision.Field, error) {
	names := []string{printed.DocumentNumber, printed.LastName, printed.FirstName, printed.BirthDate, printed.ExpiresAt}
	refined := make([]vision.Field, len(names))
	err := p.pool.each(ctx, len(names), func(e engine, i int) (err error) {
		f := fields[names[i]]
		refined[i] = f
		if f.Value == "" || f.Box.Width < 1 || f.Box.Height < 1 {
			return nil
		}
		place, ok := around(p.strips, f.Box)
		switch {
		case !ok:
		case names[i] == printed.DocumentNumber:
			refined[i], err = p.sheet.refineNumber(ctx, e, p.pool.letters, f, place)
		default:
			refined[i], err = p.sheet.refine(ctx, e, names[i], f, place)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := maps.Clone(fields)
	for i, name := range names {
		if _, ok := fields[name]; ok {
			out[name] = refined[i]
		}
	}
	return out, nil
}

// refineNumber lets the letters seen one by one vote with two readings of the line. Where they cannot be told apart the readings
// of the line are all there is.
func (s *sheet) refineNumber(ctx context.Context, e engine, n *glyphs.Network, first vision.Field, at place) (vision.Field, error) {
	second, err := s.again(ctx, e, printed.DocumentNumber, at, manner{margin: 0.42, squeeze: 1})
	if err != nil {
		return first, err
	}
	if f, ok := s.number(n, at, []vision.Field{first, second}); ok {
		return f, nil
	}
	f, err := s.refine(ctx, e, printed.DocumentNumber, first, at)
	if err != nil || f.Value == "" {
		return f, err
	}
	// The first letter at least is mostly seen by itself: among digits the reader sees a Z as a 2 however often it looks.
	if box := at.first; 10*box.Width <= 11*at.capital {
		ink, place := s.ink(mark{x0: box.X, y0: box.Y, x1: box.X + box.Width, y1: box.Y + box.Height})
		cell := glyphs.Cut(ink, place)
		if c, p := n.Classify(&cell).Best(); p >= plain && c != f.Value[0] {
			if strings.IndexByte(lookalikes(f.Value[0]), c) >= 0 {
				f.Value = string(c) + f.Value[1:]
			}
			f.Confidence = min(f.Confidence, unconfirmed)
		}
	}
	return f, nil
}

func (s *sheet) refine(ctx context.Context, e engine, name string, first vision.Field, at place) (vision.Field, error) {
	second, err := s.again(ctx, e, name, at, manner{margin: 0.42, squeeze: 1})
	if err != nil {
		return first, err
	}
	short := func(f vision.Field) bool { return counted(name) && letters(f.Value) < at.letters }
	if strings.EqualFold(second.Value, first.Value) && !short(first) {
		first.Confidence = max(first.Confidence, second.Confidence, Doubtful)
		return first, nil
	}
	third, err := s.again(ctx, e, name, at, manner{margin: 0.3, squeeze: 0.93})
	if err != nil {
		return first, err
	}
	readings := []vision.Field{first, second, third}
	best, votes := first, 0.0
	for _, r := range readings {
		if r.Value == "" {
			continue
		}
		of := 0.0
		for _, other := range readings {
			if strings.EqualFold(r.Value, other.Value) {
				of++
				r.Confidence = max(r.Confidence, other.Confidence)
			}
		}
		if counted(name) && letters(r.Value) == at.letters {
			of += 0.5
		}
		if of > votes {
			best, votes = r, of
		}
	}
	best.Box = first.Box
	// A letter that begins a number, such as T or S, is what the reader most often takes for a digit, and in the same way twice.
	unsure := name == printed.DocumentNumber && (!sameStart(first, second) || !sameStart(second, third))
	// A name of which the later readings show only a piece was cut, not misread.
	if n := len(second.Value); name == printed.FirstName && n > 0 && n < len(first.Value) && strings.Contains(strings.ToUpper(first.Value), second.Value) {
		first.Confidence = min(first.Confidence, outvoted)
		return first, nil
	}
	if votes < 2 || short(best) || unsure {
		best.Confidence = min(best.Confidence, unconfirmed)
		return best, nil
	}
	best.Confidence = max(min(best.Confidence, outvoted), Doubtful)
	return best, nil
}

// lookalikes are the letters that a digit may be, empty for letters.
func lookalikes(digit byte) string {
	switch digit {
	case '0':
		return "ODQ"
	case '1':
		return "ITLJ"
	case '2':
		return "Z"
	case '4':
		return "A"
	case '5':
		return "S"
	case '6':
		return "G"
	case '7':
		return "TYZ"
	case '8':
		return "BS"
	}
	return ""
}

func sameStart(a, b vision.Field) bool {
	return a.Value != "" && b.Value != "" && a.Value[0] == b.Value[0]
}

// counted says whether the letters of a field can be counted on the page: each is a mark of its own unless it touches its
// neighbour, so that there are never more marks than letters.
func counted(name string) bool {
	return name == printed.DocumentNumber || name == printed.LastName
}

// letters counts the letters and digits of a value.
func letters(value string) int {
	n := 0
	for _, r := range value {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// again reads a field once more. Value is empty where what was read does not have the field's form.
func (s *sheet) again(ctx context.Context, e engine, name string, at place, how manner) (vision.Field, error) {
	if err := ctx.Err(); err != nil {
		return vision.Field{}, err
	}
	c, ok := s.cut(at.box, at.capital, how)
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

// place is where a value stands on the page.
type place struct {
	box     vision.Box
	capital int        // height of its capitals
	letters int        // marks as high as letters
	first   vision.Box // of the first of them
	marks   []mark     // all of them
}

// around gives the exact place of a field: what the reader says of places is rough, so the box is drawn anew around the
// letters that stand in it.
func around(strips []strip, box vision.Box) (place, bool) {
	var at place
	x0, y0, x1, y1 := math.MaxInt, math.MaxInt, math.MinInt, math.MinInt
	for _, t := range strips {
		shared := min(t.y1, box.Y+box.Height) - max(t.y0, box.Y)
		across := min(t.x1, box.X+box.Width) - max(t.x0, box.X)
		if 2*shared < t.y1-t.y0 || across <= 0 {
			continue
		}
		whole := 5*across >= 4*(t.x1-t.x0)
		from, to := t.x0, t.x1
		if !whole {
			from, to = t.words(max(box.X, t.x0), min(box.X+box.Width, t.x1))
		}
		for _, m := range t.marks {
			if middle := (m.x0 + m.x1) / 2; middle < from || middle >= to {
				continue
			}
			x0, y0, x1, y1 = min(x0, m.x0), min(y0, t.y0), max(x1, m.x1), max(y1, t.y1)
			at.capital = max(at.capital, t.height)
			if 10*m.height() >= 7*t.height {
				if at.letters == 0 || m.x0 < at.first.X {
					at.first = vision.Box{X: m.x0, Y: m.y0, Width: m.width(), Height: m.height()}
				}
				at.letters++
				at.marks = append(at.marks, m)
			}
		}
	}
	if at.letters == 0 {
		return place{}, false
	}
	at.box = vision.Box{X: x0, Y: y0, Width: x1 - x0, Height: y1 - y0}
	return at, true
}

// words widens a stretch of a strip so that it begins and ends between words: at gaps of a fifth of the capitals' height.
func (t strip) words(from, to int) (int, int) {
	out0, out1 := to, from
	for i := 0; i < len(t.marks); {
		x0, x1 := t.marks[i].x0, t.marks[i].x1
		for i++; i < len(t.marks) && t.marks[i].x0-x1 <= t.height/5; i++ {
			x1 = max(x1, t.marks[i].x1)
		}
		if 2*(min(x1, to)-max(x0, from)) >= x1-x0 {
			out0, out1 = min(out0, x0), max(out1, x1)
		}
	}
	return out0, out1
}
