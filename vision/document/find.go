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
	workingSide = 640  // longest side, in pixels, of the copy in which the outline is looked for
	minSide     = 64   // a picture smaller than this holds no document that could be read
	minShare    = 0.06 // of the picture that the smallest outline covers

	mostProposals = 200 // outlines of which the best is chosen

	// FoundConfidence is the confidence from which an outline was seen, not assumed.
	FoundConfidence = 0.5
	// frameConfidence is given to a picture that has a document's shape but shows no outline: it is taken
	// for a document that fills the frame.
	frameConfidence = 0.3
)

// Find looks for the outline of a document in a picture of w·h pixels (BGR). Corners are in its pixels.
//
// Where no outline is seen but the picture itself has the shape of a card or page, its own frame is returned with
// a confidence below FoundConfidence. Otherwise found is false. Which way up a document lies cannot be seen in its
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
	if len(all) > 0 {
		all[0] = edges.grow(lines, all[0])
	}
	if len(all) == 0 || all[0].score < FoundConfidence {
		if kind, fit := classify(math.Max(float64(w)/float64(h), float64(h)/float64(w))); kind != TypeUnknown && fit > 0.3 {
			frame := quad{{X: 0, Y: 0}, {X: float64(w), Y: 0}, {X: float64(w), Y: float64(h)}, {X: 0, Y: float64(h)}}
			return vision.Document{Type: kind, Confidence: frameConfidence, Corners: frame.upright(w, h)}, true, nil
		}
		if len(all) == 0 || all[0].score < frameConfidence {
			return doc, false, nil
		}
	}
	best := all[0].quad.upright(ww, wh)
	doc.Type, _ = best.kind(ww, wh)
	doc.Confidence = math.Min(all[0].score, 1)
	for i, p := range best {
		doc.Corners[i] = vision.Point{X: (p.X + 0.5) * float64(w) / float64(ww), Y: (p.Y + 0.5) * float64(h) / float64(wh)}
	}
	return doc, true, nil
}

// Turned is the same outline read with the document on its head.
func Turned(d vision.Document) vision.Document {
	c := d.Corners
	d.Corners = [4]vision.Point{c[2], c[3], c[0], c[1]}
	return d
}
