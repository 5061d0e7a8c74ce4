// Package document finds the outline of an identity card or passport page in a photo and cuts it out
// upright at a fixed scale.
//
// Pixels come and go as bytes: interleaved B, G, R, rows without gaps. OpenCV does the work inside.
package document

import (
	"errors"
	"fmt"
	"math"

	"kycd/vision"
)

var (
	// ErrSize is returned when the number of bytes is not 3 times width times height.
	ErrSize = errors.New("document_picture_size")
	// ErrOutline is returned for corners that are no outline of a document.
	ErrOutline = errors.New("document_outline_invalid")
)

const (
	workingSide = 640   // longest side, in pixels, of the copy in which the outline is looked for
	minSide     = 64    // a picture smaller than this holds no document that could be read
	minShare    = 0.025 // of the picture that the smallest outline covers
	minOther    = 0.06  // the same of a second document: what is smaller is printed on something

	mostProposals = 200 // outlines of which the best is chosen

	// plainScore is the score from which a quadrilateral is taken for an outline. What is seen in photographs of people, animals and rooms
	// scores up to 0.60, documents photographed on busy grounds 0.62 and more.
	plainScore  = 0.615
	surelyScore = 0.75 // from here on nothing else is thought of
	likelyScore = 0.5  // below it the picture's own frame is the better guess
	faintScore  = 0.45 // below this there is nothing to speak of

	// FoundConfidence is the confidence from which an outline was seen, not assumed.
	FoundConfidence = 0.5
	// frameConfidence is given to a picture that has a document's shape but shows no outline: it is taken
	// for a document that fills the frame.
	frameConfidence = 0.3
	// printedConfidence is that of a picture of a document's shape that is printed like one.
	printedConfidence = 0.6

	// Lines of print as textLines counts them, in four strips. Scanned documents have 22 to 48 along their longer side, photographs up to
	// 15 but for few; of scanned letters the lines across are 2.9 to 22 times as many, of documents 0.7 to 3.9 times.
	documentLines = 22
	pageRatio     = 4
)

// Find looks for the outline of a document in a picture of w·h pixels (BGR). Corners are in its pixels.
//
// Where no outline is seen but the picture itself has the shape of a card or page, its own frame is returned, with a confidence below
// FoundConfidence unless it is printed as documents are. Otherwise found is false. Side is left unknown. Which way up a document lies cannot be seen in its
// outline; Turned gives the other reading.
func Find(bgr []byte, w, h int) (doc vision.Document, found bool, err error) {
	if w < 1 || h < 1 || len(bgr) != 3*w*h {
		return doc, false, fmt.Errorf("%w: %d bytes for %d×%d", ErrSize, len(bgr), w, h)
	}
	if w < minSide || h < minSide {
		return doc, false, nil
	}
	scale := max(float64(max(w, h))/workingSide, 1)
	ww, wh := int(float64(w)/scale+0.5), int(float64(h)/scale+0.5)
	work, err := smallCopy(bgr, w, h, ww, wh)
	if err != nil {
		return doc, false, err
	}
	edges := newEdgeMap(work, ww, wh)
	crests := edges.crests()
	lines := edges.straight(crests)
	all := edges.proposals(lines, mostProposals)
	score := 0.0
	if len(all) > 0 {
		score = all[0].score
	}
	guess, framed := vision.Document{}, false
	if len(all) == 0 || score < surelyScore && area(all[0].quad[:]) < 0.5*float64(ww*wh) {
		// A scan shows no outline but its own border, and boxes within that look like one.
		if guess, framed = wholeFrame(work, ww, wh, w, h); framed && guess.Confidence >= FoundConfidence {
			return guess, true, nil
		}
	}
	var best quad
	if part, ok := edges.tornDocument(work, lines, score); ok {
		best = part.quad.upright(ww, wh)
		doc.Confidence = confidence(part.score)
		doc.CutOff = true
	} else if framed && score < likelyScore {
		return guess, true, nil
	} else if score < faintScore {
		return doc, false, nil
	} else {
		chosen := edges.grow(lines, all[0])
		if edges.swallows(chosen, all) {
			chosen = all[0]
		}
		best = chosen.quad.upright(ww, wh)
		doc.Confidence = confidence(max(chosen.score*edges.worth(chosen.quad), score))
		doc.Others = edges.others(best, all)
	}
	doc.Type, _ = best.kind(ww, wh)
	doc.Side = vision.SideUnknown
	for i, p := range best {
		doc.Corners[i] = vision.Point{X: (p.X + 0.5) * float64(w) / float64(ww), Y: (p.Y + 0.5) * float64(h) / float64(wh)}
	}
	doc.CutOff = doc.CutOff || cutOff(doc.Corners, w, h)
	doc.DPI = resolution(doc)
	return doc, true, nil
}

// wholeFrame takes the picture itself for a document if it has the shape of one. It is sure only where print runs along its longer side in
// as many lines as documents have; photographs have few, and letters have theirs the other way.
func wholeFrame(work []byte, ww, wh, w, h int) (doc vision.Document, ok bool) {
	kind, fit := classify(math.Max(float64(w)/float64(h), float64(h)/float64(w)))
	if kind == TypeUnknown || fit <= 0.3 {
		return doc, false
	}
	doc = vision.Document{Type: kind, Confidence: frameConfidence, Corners: frame(w, h).upright(w, h), Side: vision.SideUnknown}
	doc.DPI = resolution(doc)
	// Four by three is the shape of photographs.
	if along, across := linesOf(work, ww, wh, frame(ww, wh).upright(ww, wh)); fit > 0.8 && along >= documentLines && across <= pageRatio*along {
		doc.Confidence = printedConfidence
	}
	return doc, true
}

func frame(w, h int) quad {
	return quad{{X: 0, Y: 0}, {X: float64(w), Y: 0}, {X: float64(w), Y: float64(h)}, {X: 0, Y: float64(h)}}
}

// confidence of a score: FoundConfidence for plainScore, 1 for 1.
func confidence(score float64) float64 {
	slope := (1 - FoundConfidence) / (1 - plainScore)
	return min(max(1-slope*(1-score), 0.05), 1)
}

// swallows tells that a quadrilateral grown from the best of all lies around a second document as large as that: two cards side by side have
// the shape of a passport page.
func (m edgeMap) swallows(grown proposal, all []proposal) bool {
	first := all[0].quad
	size := area(first[:])
	if area(grown.quad[:]) < 1.6*size {
		return false
	}
	for _, p := range all {
		if p.score < plainScore {
			break
		}
		own := area(p.quad[:])
		_, fit := p.quad.kind(m.w, m.h)
		if fit > 0.5 && own > 0.7*size && own < 1.4*size && shared(p.quad, first) < 0.05*size && shared(p.quad, grown.quad) > 0.9*own {
			return true
		}
	}
	return false
}

// others counts the quadrilaterals that are documents too: of a document's shape, and apart from the first and from each other.
func (m edgeMap) others(first quad, all []proposal) int {
	taken := []quad{first}
	for _, p := range all {
		if p.score < plainScore {
			break
		}
		apart := true
		for _, t := range taken {
			if shared(p.quad, t) > 0.05*math.Min(area(p.quad[:]), area(t[:])) {
				apart = false
				break
			}
		}
		if _, fit := p.quad.kind(m.w, m.h); apart && fit > 0.5 && area(p.quad[:]) >= minOther*float64(m.w*m.h) {
			taken = append(taken, p.quad)
		}
	}
	return len(taken) - 1
}

// cutOff tells that a part of the outline lies outside of a w×h picture, or that a side, but not every one, runs along its border.
func cutOff(q quad, w, h int) bool {
	near := 0.012 * float64(max(w, h))
	within := func(p vision.Point, by float64) bool {
		return p.X > by && p.Y > by && p.X < float64(w)-by && p.Y < float64(h)-by
	}
	along := 0
	for i, p := range q {
		if !within(p, -near) {
			return true
		}
		a, b := q[i], q[(i+1)%4]
		switch {
		case max(a.X, b.X) < near, max(a.Y, b.Y) < near, min(a.X, b.X) > float64(w)-near, min(a.Y, b.Y) > float64(h)-near:
			along++
		}
	}
	return along > 0 && along < 4
}

// resolution is the number of pixels per inch at which the picture shows the document, over its whole outline; one of unknown kind
// is taken for a card.
func resolution(d vision.Document) float64 {
	s, known := sizeOf(d.Type)
	if !known {
		s, _ = sizeOf(TypeID1)
	}
	return 25.4 * math.Sqrt(math.Abs(area(d.Corners[:]))/(s.width*s.height))
}

// Turned is the same outline read with the document on its head.
func Turned(d vision.Document) vision.Document {
	c := d.Corners
	d.Corners = [4]vision.Point{c[2], c[3], c[0], c[1]}
	return d
}
