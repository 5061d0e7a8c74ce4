package mrzread

import (
	"context"
	"image"
	"image/color"
	"math"
	"time"

	"gocv.io/x/gocv"

	"kycd/vision"
	"kycd/vision/projective"
)

// Place is what is known of a document before its zone is looked for. The zero value knows nothing.
type Place struct {
	// Corners of the document in the picture, clockwise from the upper left of its print, in pixels. The zone is then looked
	// for in the lower part of the document first, then in the upper part on its head, then, if either has rows of print that
	// might be a zone's, everywhere.
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
	toPicture := projective.Scaling(w/float64(work.Cols()), h/float64(work.Rows()))
	if place.Corners != nil {
		done, rows, err := s.bands(ctx, work, toPicture, *place.Corners)
		if done || err != nil || place.Page || !rows {
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
		done, _, err := s.look(ctx, stage, small, degrees*math.Pi/180, toPicture)
		if done || err != nil {
			return err
		}
	}
	return nil
}

// working is a picture brought to working size. The caller closes it.
func working(full gocv.Mat) gocv.Mat {
	w, h := float64(full.Cols()), float64(full.Rows())
	scale := math.Max(w, h) / workingSide
	if scale >= 2 {
		// Halves are made much faster than other shares.
		half := gocv.NewMat()
		defer half.Close()
		gocv.Resize(full, &half, image.Pt(full.Cols()/2, full.Rows()/2), 0, 0, gocv.InterpolationArea)
		return working(half)
	}
	how := gocv.InterpolationArea
	if scale < 1.5 {
		how = gocv.InterpolationLinear
	}
	work := gocv.NewMat()
	gocv.Resize(full, &work, image.Pt(max(int(w/scale+0.5), 1), max(int(h/scale+0.5), 1)), 0, 0, how)
	return work
}

// band is the share of a document's height in which its zone lies: 23 of a passport's 88 mm, 24 of a card's 54.
const band = 0.52

// bands looks in the lower part of a document, and in its upper part. rows says that there are rows of print that might be a
// zone's, or that the parts cannot be cut out.
func (s *search) bands(ctx context.Context, work gocv.Mat, toPicture projective.Map, corners [4]vision.Point) (done, rows bool, err error) {
	side := func(a, b vision.Point) float64 { return math.Hypot(b.X-a.X, b.Y-a.Y) }
	wide := side(corners[0], corners[1]) + side(corners[3], corners[2])
	tall := side(corners[1], corners[2]) + side(corners[0], corners[3])
	if wide < 80 || tall < 80 {
		return false, true, nil
	}
	width := float64(workingSide)
	height := width * tall / wide
	if height > 2*width {
		return false, true, nil
	}
	page, ok := projective.Onto(width, height, corners)
	if !ok {
		return false, true, nil
	}
	for _, top := range []float64{1 - band, 0} {
		shift := projective.Map{1, 0, 0, 0, 1, top * height, 0, 0, 1}
		done, here, err := s.band(ctx, work, toPicture.Inverse().After(page).After(shift), image.Pt(int(width), int(band*height)), page.After(shift))
		rows = rows || here
		if done || err != nil {
			return done, rows, err
		}
	}
	return false, rows, nil
}

// band looks in a part of a document of a size in pixels. toWork maps its pixels to those of the working picture.
func (s *search) band(ctx context.Context, work gocv.Mat, toWork projective.Map, size image.Point, toPicture projective.Map) (done, rows bool, err error) {
	flat, err := warped(work, toWork, size.X, size.Y)
	if err != nil {
		return false, false, err
	}
	defer flat.Close()
	stage, err := newStage(flat)
	if err != nil {
		return false, false, err
	}
	defer stage.close()
	small := stage.halved()
	defer small.close()
	return s.look(ctx, stage, small, 0, toPicture)
}

// warped is a part of a picture laid straight; there maps its pixels to the picture's. The caller closes it.
func warped(picture gocv.Mat, there projective.Map, w, h int) (gocv.Mat, error) {
	m := gocv.NewMatWithSize(3, 3, gocv.MatTypeCV64F)
	defer m.Close()
	for i, v := range there.Inverse() {
		m.SetDoubleAt(i/3, i%3, v)
	}
	out := gocv.NewMat()
	gocv.WarpPerspectiveWithParams(picture, &out, m, image.Pt(w, max(h, 1)), gocv.InterpolationLinear, gocv.BorderReplicate, color.RGBA{})
	return out, nil
}

// look reads what may be zones in a stage turned by an angle, and says whether one was surely read. rows says that there are
// rows of print that might be a zone's. small is the stage at half its size.
func (s *search) look(ctx context.Context, stage, small *stage, angle float64, toPicture projective.Map) (done, rows bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, false, err
	}
	if rows, err = small.promising(angle); err != nil || !rows {
		return false, false, err
	}
	v, err := stage.turned(angle)
	if err != nil {
		return false, rows, err
	}
	defer v.strokes.Close()
	found, err := stage.rows(v)
	if err != nil {
		return false, rows, err
	}
	candidates := groups(found)
	ink, err := v.strokes.DataPtrUint8()
	if err != nil {
		return false, rows, err
	}
	for _, g := range candidates[:min(len(candidates), maxGroups)] {
		if err := ctx.Err(); err != nil {
			return false, rows, err
		}
		a, ok := areaOf(g)
		if !ok || !a.regular(ink, v.strokes.Cols(), stage.threshold) {
			continue
		}
		a.toPicture = toPicture.After(v.toStage).After(a.toPicture)
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
			return true, rows, nil
		}
	}
	return len(s.best) > 0 && s.best[0].Document.Valid, rows, nil
}
