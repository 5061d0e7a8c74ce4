// Package document finds the outline of an identity card or passport page in a photo and cuts it out
// upright at a fixed scale.
//
// Pixels come and go as bytes: interleaved B, G, R, rows without gaps. OpenCV does the work inside.
package document

import (
	"errors"
	"fmt"
	"image"
	"math"
	"sort"

	"gocv.io/x/gocv"

	"kycd/vision"
)

var (
	// ErrSize is returned when the number of bytes is not 3 times width times height.
	ErrSize = errors.New("document_picture_size")
	// ErrOutline is returned for corners that are no outline of a document.
	ErrOutline = errors.New("document_outline_invalid")
)

const (
	workingSide = 800  // longest side, in pixels, of the copy in which the outline is looked for
	minSide     = 64   // a picture smaller than this holds no document that could be read
	minShare    = 0.06 // of the picture that the smallest outline covers

	// plainScore is the score of what is plainly an outline: nothing dearer is tried then.
	plainScore = 0.82

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
	work, err := scaled(bgr, w, h, int(float64(w)/scale+0.5), int(float64(h)/scale+0.5))
	if err != nil {
		return doc, false, err
	}
	defer work.Close()
	quads, err := candidates(work)
	if err != nil {
		return doc, false, err
	}
	ww, wh := work.Cols(), work.Rows()
	edges := newEdgeMap(work.ToBytes(), ww, wh)
	best, bestScore := edges.best(quads)
	if bestScore > 0 {
		if refined := edges.refine(best, 5); edges.score(refined) >= bestScore-0.05 {
			best = refined
		}
		bestScore = edges.score(best)
	}
	if bestScore < FoundConfidence {
		if kind, fit := classify(math.Max(float64(w)/float64(h), float64(h)/float64(w))); kind != TypeUnknown && fit > 0.3 {
			frame := quad{{X: 0, Y: 0}, {X: float64(w), Y: 0}, {X: float64(w), Y: float64(h)}, {X: 0, Y: float64(h)}}
			return vision.Document{Type: kind, Confidence: frameConfidence, Corners: frame.upright(w, h)}, true, nil
		}
		if bestScore < frameConfidence {
			return doc, false, nil
		}
	}
	best = best.upright(ww, wh)
	doc.Type, _ = classify(best.aspect(ww, wh))
	doc.Confidence = math.Min(bestScore, 1)
	for i, p := range best {
		doc.Corners[i] = vision.Point{X: p.X * scale, Y: p.Y * scale}
	}
	return doc, true, nil
}

// best is the quadrilateral with the highest score. Where none is plainly an outline, the likeliest few are repaired first; what
// comes of it counts only if it is plain then, for edges can be found to fit anything.
func (m edgeMap) best(quads []quad) (best quad, bestScore float64) {
	const repaired = 4
	type rated struct {
		quad  quad
		score float64
	}
	all := make([]rated, len(quads))
	for i, q := range quads {
		all[i] = rated{q, m.score(q)}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].score > all[j].score })
	if len(all) == 0 || all[0].score == 0 {
		return best, 0
	}
	best, bestScore = all[0].quad, all[0].score
	for _, r := range all[:min(len(all), repaired)] {
		if bestScore >= plainScore {
			break
		}
		if q, s := m.slide(r.quad); r.score > 0 && s >= plainScore {
			best, bestScore = q, s
		}
	}
	return best, bestScore
}

// score says, 0..1, how much a quadrilateral looks like the outline of a document: edges along all
// four sides, a known shape, and a fair share of the picture.
func (m edgeMap) score(q quad) float64 {
	if !q.regular() {
		return 0
	}
	share := area(q[:]) / float64(m.w*m.h)
	if share < minShare || share > 1 {
		return 0
	}
	sides := m.support(q)
	sum, weakest := 0.0, 1.0
	for _, s := range sides {
		sum += s / 4
		weakest = math.Min(weakest, s)
	}
	_, fit := classify(q.upright(m.w, m.h).aspect(m.w, m.h))
	large := math.Min(1, 0.55+0.45*math.Sqrt(share/0.3))
	return (0.6*sum + 0.4*weakest) * (0.55 + 0.45*fit) * large
}

// Turned is the same outline read with the document on its head.
func Turned(d vision.Document) vision.Document {
	c := d.Corners
	d.Corners = [4]vision.Point{c[2], c[3], c[0], c[1]}
	return d
}

// candidates collects quadrilaterals from several views of the picture: its colour edges, and where it differs
// from the ground at its border, in brightness and in saturation. No view finds every document; score chooses.
func candidates(work gocv.Mat) ([]quad, error) {
	lab := gocv.NewMat()
	defer lab.Close()
	gocv.CvtColor(work, &lab, gocv.ColorBGRToLab)
	gocv.MedianBlur(lab, &lab, 5)
	channels := gocv.Split(lab)
	defer func() {
		for _, c := range channels {
			c.Close()
		}
	}()
	var out []quad
	for _, strength := range []float32{1, 0.4} {
		out = append(out, fromEdges(channels, strength)...)
	}
	ground, err := againstGround(lab)
	if err != nil {
		return nil, err
	}
	defer ground.Close()
	hsv := gocv.NewMat()
	defer hsv.Close()
	gocv.CvtColor(work, &hsv, gocv.ColorBGRToHSV)
	saturation := gocv.NewMat()
	defer saturation.Close()
	gocv.ExtractChannel(hsv, &saturation, 1)
	for _, view := range []gocv.Mat{ground, channels[0], saturation} {
		for _, kind := range []gocv.ThresholdType{gocv.ThresholdBinary, gocv.ThresholdBinaryInv} {
			out = append(out, fromThreshold(view, kind)...)
		}
	}
	return out, nil
}

// fromEdges closes the gaps in the edges of all channels and takes the outlines of what they enclose.
func fromEdges(channels []gocv.Mat, strength float32) []quad {
	all := gocv.NewMat()
	defer all.Close()
	one := gocv.NewMat()
	defer one.Close()
	for i, c := range channels {
		high := 60 * strength
		if i > 0 { // the colour channels span a smaller range than the brightness
			high = 30 * strength
		}
		gocv.Canny(c, &one, high/2, high)
		if i == 0 {
			one.CopyTo(&all)
		} else {
			gocv.BitwiseOr(all, one, &all)
		}
	}
	kernel := square(5)
	defer kernel.Close()
	gocv.MorphologyEx(all, &all, gocv.MorphClose, kernel)
	return outlines(all, gocv.RetrievalList)
}

// againstGround is how far each pixel's colour is from that of the ground around the document, taken as the
// median of the border.
func againstGround(lab gocv.Mat) (gocv.Mat, error) {
	w, h := lab.Cols(), lab.Rows()
	pix := lab.ToBytes()
	var histograms [3][256]int
	count := 0
	visit := func(x, y int) {
		for c := range 3 {
			histograms[c][pix[3*(y*w+x)+c]]++
		}
		count++
	}
	for d := range 4 {
		for x := range w {
			visit(x, d)
			visit(x, h-1-d)
		}
		for y := range h {
			visit(d, y)
			visit(w-1-d, y)
		}
	}
	var ground [3]int
	for c, histogram := range histograms {
		rest := count / 2
		for v, n := range histogram {
			if rest -= n; rest < 0 {
				ground[c] = v
				break
			}
		}
	}
	out := make([]byte, w*h)
	for i := range out {
		l, a, b := int(pix[3*i])-ground[0], int(pix[3*i+1])-ground[1], int(pix[3*i+2])-ground[2]
		out[i] = byte(min(int(math.Sqrt(float64(l*l+4*(a*a+b*b)))), 255))
	}
	return matOf(out, w, h, gocv.MatTypeCV8UC1)
}

func fromThreshold(view gocv.Mat, kind gocv.ThresholdType) []quad {
	mask := gocv.NewMat()
	defer mask.Close()
	gocv.Threshold(view, &mask, 0, 255, kind|gocv.ThresholdOtsu)
	kernel := square(9)
	defer kernel.Close()
	gocv.MorphologyEx(mask, &mask, gocv.MorphClose, kernel)
	gocv.MorphologyEx(mask, &mask, gocv.MorphOpen, kernel)
	return outlines(mask, gocv.RetrievalExternal)
}

func square(side int) gocv.Mat {
	return gocv.GetStructuringElement(gocv.MorphRect, image.Pt(side, side))
}

// outlines turns the shapes of a mask into quadrilaterals, leaving out what no quadrilateral fits.
func outlines(mask gocv.Mat, mode gocv.RetrievalMode) []quad {
	contours := gocv.FindContours(mask, mode, gocv.ChainApproxSimple)
	defer contours.Close()
	smallest := minShare * float64(mask.Rows()*mask.Cols())
	var out []quad
	for i := range contours.Size() {
		points := contours.At(i).ToPoints()
		if len(points) < 4 {
			continue
		}
		corners := make([]vision.Point, len(points))
		for k, p := range points {
			corners[k] = vision.Point{X: float64(p.X), Y: float64(p.Y)}
		}
		shape := hull(corners)
		within := area(shape)
		if len(shape) < 4 || within < smallest {
			continue
		}
		if q, ok := enclose(shape); ok && area(q[:]) < 1.2*within {
			out = append(out, q)
		}
	}
	return out
}
