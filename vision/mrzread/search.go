package mrzread

import (
	"context"
	"image"
	"image/color"
	"math"
	"time"

	"gocv.io/x/gocv"

	"kycd/vision"
)

// Place is what is known of a document before its zone is looked for. The zero value knows nothing.
type Place struct {
	// Corners of the document in the picture, clockwise from the upper left of its print, in pixels. The zone is then looked
	// for in the lower part of the document first, then in the upper part on its head, then everywhere.
	Corners *[4]vision.Point
	// Page says that the picture is the document itself, cut out and laid straight: its corners are the picture's, and
	// nothing else is searched.
	Page bool
}

// search is one look for zones.
type search struct {
	reader  *Reader
	picture plane
	now     time.Time
	best    []Candidate
}

// run looks where the place says, then level, then in the other directions, until a zone is surely read.
func (s *search) run(ctx context.Context, place Place) error {
	w, h := float64(s.picture.w), float64(s.picture.h)
	if place.Page {
		place.Corners = &[4]vision.Point{{X: 0, Y: 0}, {X: w, Y: 0}, {X: w, Y: h}, {X: 0, Y: h}}
	}
	full, err := grayMat(s.picture.pix, s.picture.w, s.picture.h)
	if err != nil {
		return err
	}
	defer full.Close()
	work := working(full)
	defer work.Close()
	toPicture := scaling(w/float64(work.Cols()), h/float64(work.Rows()))
	if place.Corners != nil {
		done, err := s.bands(ctx, work, toPicture, *place.Corners)
		if done || err != nil || place.Page {
			return err
		}
	}
	stage, err := newStage(work)
	if err != nil {
		return err
	}
	defer stage.close()
	small := stage.halved()
	defer small.close()
	for _, degrees := range []float64{0, 90, 30, 150, 60, 120} {
		angle := degrees * math.Pi / 180
		promising, err := small.promising(angle)
		if err != nil {
			return err
		}
		if !promising {
			continue
		}
		done, err := s.look(ctx, stage, angle, toPicture)
		if done || err != nil {
			return err
		}
	}
	return nil
}

// working is a picture brought to working size. The caller closes it.
func working(full gocv.Mat) gocv.Mat {
	// Halves are made much faster than other shares.
	half := full.Clone()
	for max(half.Cols(), half.Rows()) >= 2*workingSide {
		next := gocv.NewMat()
		gocv.Resize(half, &next, image.Pt(half.Cols()/2, half.Rows()/2), 0, 0, gocv.InterpolationArea)
		half.Close()
		half = next
	}
	defer half.Close()
	w, h := float64(half.Cols()), float64(half.Rows())
	scale := math.Max(w, h) / workingSide
	how := gocv.InterpolationArea
	if scale < 1 {
		how = gocv.InterpolationLinear
	}
	work := gocv.NewMat()
	gocv.Resize(half, &work, image.Pt(max(int(w/scale+0.5), 1), max(int(h/scale+0.5), 1)), 0, 0, how)
	return work
}

// band is the share of a document's height in which its zone lies: 23 of a passport's 88 mm, 24 of a card's 54.
const band = 0.52

// bands looks in the lower part of a document, and in its upper part.
func (s *search) bands(ctx context.Context, work gocv.Mat, toPicture homography, corners [4]vision.Point) (done bool, err error) {
	side := func(a, b vision.Point) float64 { return math.Hypot(b.X-a.X, b.Y-a.Y) }
	wide := side(corners[0], corners[1]) + side(corners[3], corners[2])
	tall := side(corners[1], corners[2]) + side(corners[0], corners[3])
	if wide < 80 || tall < 80 {
		return false, nil
	}
	width := float64(workingSide)
	height := width * tall / wide
	if height > 2*width {
		return false, nil
	}
	page, ok := ontoQuad(width, height, corners)
	if !ok {
		return false, nil
	}
	for _, top := range []float64{1 - band, 0} {
		shift := homography{1, 0, 0, 0, 1, top * height, 0, 0, 1}
		flat, err := warped(work, inverse(toPicture).after(page).after(shift), int(width), int(band*height))
		if err != nil {
			return false, err
		}
		stage, err := newStage(flat)
		flat.Close()
		if err != nil {
			return false, err
		}
		done, err := s.look(ctx, stage, 0, page.after(shift))
		stage.close()
		if done || err != nil {
			return done, err
		}
	}
	return false, nil
}

// warped is a part of a picture laid straight; there maps its pixels to the picture's. The caller closes it.
func warped(picture gocv.Mat, there homography, w, h int) (gocv.Mat, error) {
	m := gocv.NewMatWithSize(3, 3, gocv.MatTypeCV64F)
	defer m.Close()
	for i, v := range inverse(there) {
		m.SetDoubleAt(i/3, i%3, v)
	}
	out := gocv.NewMat()
	gocv.WarpPerspectiveWithParams(picture, &out, m, image.Pt(w, max(h, 1)), gocv.InterpolationLinear, gocv.BorderReplicate, color.RGBA{})
	return out, nil
}

// look reads what may be zones in a stage turned by an angle, and says whether one was surely read.
func (s *search) look(ctx context.Context, stage *stage, angle float64, toPicture homography) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	v, err := stage.turned(angle)
	if err != nil {
		return false, err
	}
	defer v.strokes.Close()
	candidates := groups(stage.rows(v))
	ink, err := v.strokes.DataPtrUint8()
	if err != nil {
		return false, err
	}
	for _, g := range candidates[:min(len(candidates), maxGroups)] {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		a, ok := areaOf(g)
		if !ok || !a.regular(ink, v.strokes.Cols(), stage.threshold) {
			continue
		}
		a.toPicture = toPicture.after(v.toStage).after(a.toPicture)
		c, ok := s.reader.zone(s.picture, a, s.now)
		if !ok {
			continue
		}
		if len(s.best) > 0 && better(s.best[0], c) {
			s.best = append(s.best, c)
		} else {
			s.best = append([]Candidate{c}, s.best...)
		}
		if c.Document.Valid && c.Confidence > sure {
			return true, nil
		}
	}
	return len(s.best) > 0 && s.best[0].Document.Valid, nil
}
