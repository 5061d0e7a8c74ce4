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
	Lines      []string // all of 30, of 36 or of 44 characters
	Confidence float64  // geometric mean of the characters' probabilities, 0..1
	Turned     bool     // the zone stands on its head in the picture
	Document   mrz.Document
}

// minConfidence is the confidence below which rows are taken for other print; above sure, nothing better is looked for.
const (
	minConfidence = 0.35
	sure          = 0.97
)

// Read looks for a zone in a grey picture, one byte a pixel, w·h bytes, upright or upside down. It returns nil where there
// is none. now settles the century of two-digit years. A zone whose check digits are wrong is returned as read,
// with Valid false.
func (r *Reader) Read(ctx context.Context, gray []byte, w, h int, now time.Time) (*vision.MRZ, error) {
	found, err := r.Candidates(ctx, gray, w, h, now)
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
	if w < 1 || h < 1 || w > maxSide || h > maxSide || len(gray) != w*h {
		return nil, fmt.Errorf("%w: %d bytes for %d×%d", ErrSize, len(gray), w, h)
	}
	if w < 120 || h < 40 {
		return nil, nil
	}
	rows, err := findRows(gray, w, h)
	if err != nil {
		return nil, err
	}
	picture := plane{pix: gray, w: w, h: h}
	var best []Candidate
	for _, zone := range zones(rows) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c, ok := r.zone(picture, zone, now)
		if !ok {
			continue
		}
		if len(best) > 0 && better(best[0], c) {
			best = append(best, c)
		} else {
			best = append([]Candidate{c}, best...)
		}
		if c.Document.Valid && c.Confidence > sure {
			break
		}
	}
	return best, nil
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

// zone reads a group of rows, as it lies and on its head, and keeps the reading that is surer of itself.
func (r *Reader) zone(p plane, rows []row, now time.Time) (Candidate, bool) {
	best, found := Candidate{}, false
	for _, turned := range []bool{false, true} {
		var lines [][]glyphs.Scores
		for i := range rows {
			row := rows[i]
			if turned {
				row = rows[len(rows)-1-i]
				row.angle += math.Pi
			}
			line, ok := glyphs.Cut(p.strip(row))
			if !ok {
				return best, found
			}
			lines = append(lines, r.net.Read(line))
		}
		c, ok := align(lines, now)
		if !ok || c.Confidence < minConfidence {
			continue
		}
		c.Turned = turned
		if !found || better(c, best) {
			best, found = c, true
		}
		if c.Confidence > sure {
			break
		}
	}
	return best, found
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
		penalty := 0.0
		for _, scores := range lines {
			cut, cost, ok := window(scores, n)
			if !ok {
				break
			}
			columns = append(columns, cut)
			penalty += cost / float64(len(lines))
		}
		if len(columns) < len(lines) {
			continue
		}
		c := Candidate{}
		first, _ := choose(columns[0][0], letter)
		kinds := typed(len(lines), n, first)
		sum := penalty
		for i, scores := range columns {
			text, confidence := spell(scores, kinds[i])
			c.Lines = append(c.Lines, text)
			sum += confidence / float64(len(lines))
		}
		c.Confidence = math.Exp(sum)
		document, err := mrz.Parse(c.Lines, now)
		if err != nil {
			continue
		}
		c.Document = document
		if !found || better(c, best) {
			best, found = c, true
		}
	}
	return best, found
}

// floor is the least probability that counts: one hopeless character does not outweigh a whole row.
const floor = 1e-4

// window finds the n columns that read best as characters with blanks on both sides. cost, not above 0, is what print beyond
// the row's ends, or blanks within it, speak against this length.
func window(scores []glyphs.Scores, n int) (cut []glyphs.Scores, cost float64, ok bool) {
	if len(scores) < n || len(scores) > n+14 {
		return nil, 0, false
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
	return scores[at : at+n], min(best/float64(n)+0.1, 0), true
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
