package ocr

import (
	"cmp"
	"slices"
	"strings"

	"kycd/vision"
	"kycd/vision/ocr/glyphs"
	"kycd/vision/printed"
)

// spelling is a value read mark by mark: the probabilities of each of its characters, from the left.
type spelling []glyphs.Scores

// spell reads the letters of a place one by one. It is empty where marks are letters that touch and cannot be parted.
func (s *sheet) spell(n *glyphs.Network, at place) spelling {
	letters := slices.Clone(at.marks)
	slices.SortFunc(letters, func(a, b mark) int { return cmp.Compare(a.x0, b.x0) })
	var out spelling
	for _, m := range letters {
		ink, box := s.ink(m)
		cell := glyphs.Cut(ink, box)
		whole := n.Classify(&cell)
		c, p := whole.Best()
		if 10*m.width() <= 11*at.capital || 10*m.width() <= 16*at.capital && p >= plain && (c == 'W' || c == 'M') {
			out = append(out, whole)
			continue
		}
		parts := parted(n, ink, box, at.capital)
		if parts == nil {
			return nil
		}
		out = append(out, parts...)
	}
	return out
}

// parted are the letters of a mark of several that touch, cut where the network is surest of all of them. It is nil where that
// is not sure enough, or where the mark is wider than four.
func parted(n *glyphs.Network, ink glyphs.Ink, box glyphs.Box, capital int) spelling {
	const step = 2 // pixels between possible cuts
	if wide := box.X1 - box.X0; wide > 4*capital {
		return nil
	}
	type way struct {
		letters spelling
		least   float64
		ok      bool
	}
	count := (box.X1 - box.X0 + step - 1) / step
	ways := make([]way, count+1) // the best to the left of each cut
	ways[0] = way{least: 1, ok: true}
	for to := 1; to <= count; to++ {
		end := min(box.X0+to*step, box.X1)
		for from := range to {
			start := box.X0 + from*step
			wide := end - start
			if !ways[from].ok || 20*wide < 9*capital || 20*wide > 19*capital {
				continue
			}
			cell := glyphs.Cut(ink, glyphs.Box{X0: start, Y0: box.Y0, X1: end, Y1: box.Y1})
			scores := n.Classify(&cell)
			_, p := scores.Best()
			if least := min(ways[from].least, p); !ways[to].ok || least > ways[to].least {
				ways[to] = way{append(slices.Clone(ways[from].letters), scores), least, true}
			}
		}
	}
	const least = 0.6
	if last := ways[count]; last.ok && last.least >= least {
		return last.letters
	}
	return nil
}

// ink is the page around a mark, and where the mark stands in it.
func (s *sheet) ink(m mark) (glyphs.Ink, glyphs.Box) {
	const around = 2
	x0, y0 := max(m.x0-around, 0), max(m.y0-around, 0)
	x1, y1 := min(m.x1+around, s.w), min(m.y1+around, s.h)
	ink := glyphs.Ink{W: x1 - x0, H: y1 - y0}
	ink.Pix = make([]float32, ink.W*ink.H)
	paper := make([]float32, s.w)
	for y := y0; y < y1; y++ {
		s.paperRow(y, x0, x1, paper)
		for x := x0; x < x1; x++ {
			ink.Pix[(y-y0)*ink.W+x-x0] = min(max(1-float32(s.gray[y*s.w+x])/paper[x], 0), 1)
		}
	}
	return ink, glyphs.Box{X0: m.x0 - x0, Y0: m.y0 - y0, X1: m.x1 - x0, Y1: m.y1 - y0}
}

// Weights of the vote on a character. A reading of the whole line counts as a factor of its favour over the other characters.
const (
	// favour is how much likelier a character becomes that a reading of the line shows in its place.
	favour = 8
	// misplaced is how much less likely a letter is among digits than in front of them.
	misplaced = 0.1
	// clear is the share of the vote that a character needs to be believed.
	clear = 0.93
	// plain is the probability from which a character seen by itself is believed against all readings of the line.
	plain = 0.9
)

// settle brings the readings of a number and its spelling together, character by character. The count of the marks says how
// many characters there are: a reading that dropped some votes for those that it fits best. sure is false where a character
// has no clear majority, or is seen neither plainly by itself nor in a reading of the line.
func settle(letters spelling, readings []vision.Field) (value string, sure bool) {
	votes := make([][]float64, len(letters))
	shown := make([]string, len(letters)) // what the readings of the line show at each place
	for i, s := range letters {
		votes[i] = make([]float64, len(s))
		for k, p := range s {
			votes[i][k] = max(float64(p), 1e-4)
		}
	}
	for _, r := range readings {
		text := alphanumeric(r.Value)
		at, ok := letters.align(text)
		if !ok {
			continue
		}
		for i := range text {
			if place := i + at; place >= 0 && place < len(letters) {
				shown[place] += text[i : i+1]
				votes[place][strings.IndexByte(glyphs.Alphabet, text[i])] *= favour
			}
		}
	}
	// Behind the first character most numbers have digits only.
	digits := 0
	for _, s := range letters {
		if c, _ := s.Best(); c <= '9' {
			digits++
		}
	}
	out := make([]byte, len(letters))
	sure = true
	for i, v := range votes {
		sum := 0.0
		for k := range v {
			if letter := k >= 10; letter && i > 0 && 3*digits >= 2*len(letters) {
				v[k] *= misplaced
			}
			sum += v[k]
		}
		best := slices.Index(v, slices.Max(v))
		out[i] = glyphs.Alphabet[best]
		own := float64(letters[i][best])
		confirmed := strings.IndexByte(shown[i], out[i]) >= 0
		if v[best] < clear*sum || own < 0.3 || !confirmed && own < plain {
			sure = false
		}
	}
	return string(out), sure
}

// align gives the place at which a text begins in the spelling: where the most characters agree, at most two off.
func (l spelling) align(text string) (at int, ok bool) {
	best := -1
	for shift := min(0, len(l)-len(text)); shift <= max(0, len(l)-len(text)); shift++ {
		same := 0
		for i := range text {
			if place := i + shift; place >= 0 && place < len(l) {
				if c, _ := l[place].Best(); c == text[i] {
					same++
				}
			}
		}
		if same > best {
			best, at = same, shift
		}
	}
	return at, 2*best >= len(l) && len(text) >= len(l)-2 && len(text) <= len(l)+2
}

// alphanumeric keeps the characters that the network knows.
func alphanumeric(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && strings.IndexByte(glyphs.Alphabet, byte(r)) >= 0 {
			return r
		}
		return -1
	}, strings.ToUpper(s))
}

// joined puts the hyphens of a reading between the characters of a value of as many.
func joined(value, like string) string {
	if len(alphanumeric(like)) != len(value) {
		return value
	}
	var b strings.Builder
	next := 0
	for _, r := range like {
		if alphanumeric(string(r)) != "" {
			b.WriteByte(value[next])
			next++
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// number settles a document number by its readings and its letters one by one. ok is false where the letters are not seen
// apart or make no number; then what the readings say stands.
func (s *sheet) number(n *glyphs.Network, at place, readings []vision.Field) (f vision.Field, ok bool) {
	letters := s.spell(n, at)
	if len(letters) == 0 {
		return f, false
	}
	value, sure := settle(letters, readings)
	form, ok := printed.Value(printed.DocumentNumber, value)
	if !ok || alphanumeric(form) != value {
		return f, false
	}
	f = readings[0]
	f.Value = value
	for _, r := range readings {
		if len(alphanumeric(r.Value)) == len(value) {
			f.Value = joined(value, r.Value)
			break
		}
	}
	f.Confidence = max(f.Confidence, Doubtful)
	if !strings.EqualFold(f.Value, readings[0].Value) {
		f.Confidence = min(f.Confidence, outvoted)
	}
	if !sure {
		f.Confidence = min(f.Confidence, unconfirmed)
	}
	return f, true
}
