// Package mrzread finds the machine-readable zone of a travel document in a picture and reads it.
//
// The rows are found first, by their shape. Each is then cut into its columns and read by the network of package
// glyphs, which knows the 37 characters of a zone and nothing else. Package mrz says what the rows mean.
package mrzread

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"kycd/kyc/mrz"
	"kycd/vision"
	"kycd/vision/mrzread/glyphs"
)

// ErrSize is returned when the number of bytes is not width times height, or a side is out of range.
var ErrSize = errors.New("mrz_picture_size")

// maxSide bounds what is searched, in pixels.
const maxSide = 16384

// Reader reads zones. It may be used from several goroutines.
type Reader struct{ net *glyphs.Network }

// NewReader loads the network that is part of the program.
func NewReader() (*Reader, error) {
	net, err := glyphs.Trained()
	if err != nil {
		return nil, err
	}
	return &Reader{net: net}, nil
}

// Candidate is a zone as it was read.
type Candidate struct {
	Lines      []string        // all of 30, of 36 or of 44 characters, each column read by itself
	Confidence float64         // geometric mean of the characters' probabilities, 0..1
	Weakest    float64         // probability of the least certain character that no check digit covers, 0..1
	Turned     bool            // the zone stands on its head in the picture
	Corners    [4]vision.Point // of the zone in the picture, clockwise from the upper left of its text
	Document   mrz.Document
	begins     []int // the column of each line, as cut, in which its text begins
}

// minConfidence is the confidence below which rows are taken for other print; above sure, nothing better is looked for.
const (
	minConfidence = 0.35
	sure          = 0.9
)

// maxGroups bounds how many groups of rows of one view are read: a page of prose has hundreds.
const maxGroups = 10

// Read looks for a zone in a grey picture, one byte a pixel, w·h bytes, held in any direction. It returns nil where there
// is none. now settles the century of two-digit years. A zone whose check digits are wrong is returned as read,
// with Valid false.
func (r *Reader) Read(ctx context.Context, gray []byte, w, h int, now time.Time) (*vision.MRZ, error) {
	return r.ReadPlaced(ctx, gray, w, h, now, Place{})
}

// ReadPlaced is Read for a picture in which the document's place is known.
func (r *Reader) ReadPlaced(ctx context.Context, gray []byte, w, h int, now time.Time, place Place) (*vision.MRZ, error) {
	found, err := r.CandidatesPlaced(ctx, gray, w, h, now, place)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	d := found[0].Document
	return &vision.MRZ{
		Lines: d.Lines, Format: string(d.Format), Valid: d.Valid, Fields: fields(d), CheckDigits: d.CheckDigits, Repairs: d.Repairs,
	}, nil
}

// Candidates returns what may be zones, the best first: valid ones, then those with the most right check digits,
// then the most confidently read.
func (r *Reader) Candidates(ctx context.Context, gray []byte, w, h int, now time.Time) ([]Candidate, error) {
	return r.CandidatesPlaced(ctx, gray, w, h, now, Place{})
}

// CandidatesPlaced is Candidates for a picture in which the document's place is known.
func (r *Reader) CandidatesPlaced(ctx context.Context, gray []byte, w, h int, now time.Time, place Place) ([]Candidate, error) {
	if w < 1 || h < 1 || w > maxSide || h > maxSide || len(gray) != w*h {
		return nil, fmt.Errorf("%w: %d bytes for %d×%d", ErrSize, len(gray), w, h)
	}
	if w < 120 && h < 120 || w < 40 || h < 40 {
		return nil, nil
	}
	s := search{reader: r, picture: plane{pix: gray, w: w, h: h}, now: now}
	if err := s.run(ctx, place); err != nil {
		return nil, err
	}
	return s.best, nil
}

func better(a, b Candidate) bool {
	if a.Document.Valid != b.Document.Valid {
		return a.Document.Valid
	}
	if x, y := right(a.Document), right(b.Document); x != y {
		return x > y
	}
	return a.Confidence >= b.Confidence
}

// right counts the right check digits.
func right(d mrz.Document) int {
	n := 0
	for _, ok := range d.CheckDigits {
		if ok {
			n++
		}
	}
	return n
}

// zone reads an area. If that does not give a valid document, it lays the area anew by the columns that it has found, which
// know the rows' ends better than the outlines of the rows do, and reads it again.
func (r *Reader) zone(p plane, a area, now time.Time) (Candidate, bool) {
	c, lines, ok := r.read(p, a, now)
	if !ok || c.Document.Valid {
		return c, ok
	}
	if a, ok := a.straightened(lines, c); ok {
		if again, _, ok := r.read(p, a, now); ok && better(again, c) {
			return again, true
		}
	}
	return c, true
}

// read reads an area once, as it lies or on its head, whichever looks more like print, and the other way round too if it
// does not read well. lines are the area's rows as they lie.
func (r *Reader) read(p plane, a area, now time.Time) (best Candidate, lines []glyphs.Line, found bool) {
	lines, ok := glyphs.CutAll(a.strips(p))
	if !ok {
		return best, nil, false
	}
	onHead := make([]glyphs.Line, len(lines))
	for i, line := range lines {
		onHead[len(lines)-1-i] = line.Turned()
	}
	upright, turned := r.glance(lines), r.glance(onHead)
	if max(upright, turned) < minGlance {
		return best, nil, false
	}
	ways := []bool{false, true}
	if turned > upright {
		ways = []bool{true, false}
	}
	for _, way := range ways {
		view := lines
		if way {
			view = onHead
		}
		scores := make([][]glyphs.Scores, len(view))
		for i, line := range view {
			scores[i] = r.net.Read(line)
		}
		c, ok := align(scores, now)
		if ok && c.Confidence >= minConfidence {
			c.Turned, c.Corners = way, a.corners(way)
			if !found || better(c, best) {
				best, found = c, true
			}
		}
		if found && best.Confidence > readable || math.Abs(upright-turned) > apart {
			break
		}
	}
	return best, lines, found
}

// readable is the confidence that print on its head never has. A glance below minGlance is at no zone; where the glances
// at both ways up differ by apart, the lower one is at print on its head.
const (
	readable  = 0.75
	minGlance = 0.4
	apart     = 0.2
)

// glance is the share of the characters, of every third column, that the network is rather sure of.
func (r *Reader) glance(lines []glyphs.Line) float64 {
	good, all := 0, 0
	for _, line := range lines {
		for i := 2; i < len(line.Cells)-2; i += 3 {
			if c, p := r.net.Classify(&line.Cells[i]).Best(); p > 0.6 && c != glyphs.Blank {
				good++
			}
			all++
		}
	}
	return float64(good) / float64(max(all, 1))
}

// align chooses, for every possible length of the rows, where each begins, and of the lengths the one that reads best.
func align(lines [][]glyphs.Scores, now time.Time) (Candidate, bool) {
	lengths := []int{44, 36}
	if len(lines) == 3 {
		lengths = []int{30}
	}
	best, found := Candidate{}, false
	for _, n := range lengths {
		var columns [][]glyphs.Scores
		var begins []int
		penalty := 0.0
		for _, scores := range lines {
			begin, cost, ok := window(scores, n)
			if !ok {
				break
			}
			columns, begins = append(columns, scores[begin:begin+n]), append(begins, begin)
			penalty += cost / float64(len(lines))
		}
		if len(columns) < len(lines) {
			continue
		}
		c, ok := spellAll(columns, n, now)
		if !ok {
			continue
		}
		c.Confidence, c.begins = math.Exp(math.Log(c.Confidence)+penalty), begins
		if !found || better(c, best) {
			best, found = c, true
		}
	}
	return best, found
}

// spellAll reads the columns of all rows. Where the check digits do not hold, it asks for the likeliest reading in which
// they do, and takes it if that is likely enough.
func spellAll(columns [][]glyphs.Scores, n int, now time.Time) (c Candidate, ok bool) {
	head, _ := spell(columns[0][:5], string(first)+strings.Repeat(string(letter), 4))
	rule := ruleOf(len(columns), n, head)
	sum := 0.0
	for i, scores := range columns {
		text, confidence := spell(scores, rule.kinds[i])
		c.Lines = append(c.Lines, text)
		sum += confidence / float64(len(columns))
	}
	c.Confidence = math.Exp(sum)
	c.Weakest = weakest(columns, rule)
	document, err := mrz.Parse(c.Lines, now)
	if err != nil {
		return c, false
	}
	c.Document = document
	if document.Valid {
		return c.doubted(), true
	}
	// A number of more than nine characters has a filler for its check digit.
	long := func(f check) bool { return c.Lines[f.row][f.to] == '<' && c.Lines[f.row][f.to-1] != '<' }
	d, found := decode(columns, c.Lines, rule, long)
	if !found || d.holding < minHolding || d.share < minShare {
		return c, true
	}
	repairs := changes(c.Lines, d.lines)
	if len(repairs) > maxChanges {
		return c, true
	}
	if better, err := mrz.Parse(d.lines, now); err == nil && better.Valid {
		better.Repairs = append(repairs, better.Repairs...)
		c.Document = better
	}
	return c.doubted(), true
}

// minWeakest is how sure a reader must be of a name's letters, which no check digit covers.
const minWeakest = 0.5

// doubted is the candidate with a document that is not valid where a character that no check digit covers may be another.
func (c Candidate) doubted() Candidate {
	c.Document.Valid = c.Document.Valid && c.Weakest >= minWeakest
	return c
}

// changes tells which columns two readings of one zone differ in.
func changes(from, to []string) []mrz.Repair {
	var out []mrz.Repair
	for i := range from {
		for k := range from[i] {
			if from[i][k] != to[i][k] {
				out = append(out, mrz.Repair{
					Kind: mrz.RepairCharacter, Row: i, Column: k,
					From: from[i][k : k+1], To: to[i][k : k+1], Confirmed: true,
				})
			}
		}
	}
	return out
}

// weakest is the probability of the least certain character that no check digit covers.
func weakest(columns [][]glyphs.Scores, r rule) float64 {
	covered := map[place]bool{}
	for _, c := range r.checks {
		for k := c.from; k <= c.to; k++ {
			covered[place{c.row, k}] = true
		}
	}
	for _, s := range r.composite {
		for k := s.from; k < s.to; k++ {
			covered[place{s.row, k}] = true
		}
	}
	covered[r.at] = r.composite != nil
	least := 1.0
	for i, scores := range columns {
		for k, s := range scores {
			if !covered[place{i, k}] {
				_, p := choose(s, r.kinds[i][k])
				least = min(least, p)
			}
		}
	}
	return least
}

// floor is the least probability that counts: one hopeless character does not outweigh a whole row.
const floor = 1e-4

// window finds where the n columns begin that read best as characters with blanks on both sides. cost, not above 0, is what
// print beyond the row's ends, or blanks within it, speak against this length.
func window(scores []glyphs.Scores, n int) (begin int, cost float64, ok bool) {
	if len(scores) < n || len(scores) > n+14 {
		return 0, 0, false
	}
	blank := strings.IndexByte(glyphs.Alphabet, glyphs.Blank)
	best, at := math.Inf(-1), 0
	for start := 0; start+n <= len(scores); start++ {
		sum := 0.0
		for i, s := range scores {
			p := float64(s[blank])
			if i >= start && i < start+n {
				p = 1 - p
			}
			sum += math.Log(max(p, floor))
		}
		if sum > best {
			best, at = sum, start
		}
	}
	return at, min(best/float64(n)+0.1, 0), true
}

// spell reads the columns of one row. confidence is the mean logarithm of the probabilities.
func spell(scores []glyphs.Scores, kinds string) (text string, confidence float64) {
	out := make([]byte, len(scores))
	for i, s := range scores {
		c, p := choose(s, kinds[i])
		out[i] = c
		confidence += math.Log(max(p, floor)) / float64(len(scores))
	}
	return string(out), confidence
}

// fields names what a zone says as the API does. Empty values are left out.
func fields(d mrz.Document) map[string]string {
	out := map[string]string{
		"type": d.Type, "issuing_country": d.Issuer, "document_number": d.Number, "nationality": d.Nationality,
		"birth_date": d.BirthDate, "sex": d.Sex, "expires_at": d.ExpiresAt, "last_name": d.Surname,
		"first_name": d.GivenNames, "optional": d.Optional, "optional_2": d.Optional2,
	}
	for k, v := range out {
		if v == "" {
			delete(out, k)
		}
	}
	return out
}
