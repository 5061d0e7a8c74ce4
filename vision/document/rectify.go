package document

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gocv.io/x/gocv"

	"kycd/vision"
)

// CardDPI is the resolution at which a card is 1012×638 pixels.
const CardDPI = 300

// maxRectifiedSide bounds what Rectify makes, in pixels.
const maxRectifiedSide = 4000

// Rectify cuts the document out of a picture of w·h pixels (BGR), upright and without perspective. A card comes out
// as 1012×638 pixels at 300 dpi, a passport page as 1476×1039; an outline of unknown kind keeps its own shape, as long as a card.
// Corners may lie outside the picture; what was not seen is black.
func Rectify(bgr []byte, w, h int, d vision.Document, dpi int) (pix []byte, width, height int, err error) {
	if w < 1 || h < 1 || len(bgr) != 3*w*h {
		return nil, 0, 0, fmt.Errorf("%w: %d bytes for %d×%d", ErrSize, len(bgr), w, h)
	}
	q := quad(d.Corners)
	for _, p := range q {
		if math.IsNaN(p.X+p.Y) || math.IsInf(p.X+p.Y, 0) {
			return nil, 0, 0, ErrOutline
		}
	}
	if !q.regular() || dpi < 1 {
		return nil, 0, 0, ErrOutline
	}
	s, known := sizeOf(d.Type)
	if !known {
		s, _ = sizeOf(TypeID1)
		s.height = s.width / min(max(q.aspect(w, h), 0.25), 4)
	}
	width, height = int(s.width*float64(dpi)/25.4+1), int(s.height*float64(dpi)/25.4+0.5)
	if max(width, height) > maxRectifiedSide {
		return nil, 0, 0, fmt.Errorf("%w: %d dpi", ErrSize, dpi)
	}
	// The warp samples single pixels: a document that comes out much smaller is shrunk by area first.
	shrink := max(distance(q[0], q[1])/float64(width), 1)
	source, err := scaled(bgr, w, h, max(int(float64(w)/shrink+0.5), 1), max(int(float64(h)/shrink+0.5), 1))
	if err != nil {
		return nil, 0, 0, err
	}
	defer source.Close()
	sx, sy := float64(source.Cols())/float64(w), float64(source.Rows())/float64(h)
	for i := range q {
		q[i].X, q[i].Y = q[i].X*sx, q[i].Y*sy
	}
	from := gocv.NewPoint2fVectorFromPoints(corners(q))
	defer from.Close()
	to := gocv.NewPoint2fVectorFromPoints(corners(quad{
		{X: 0, Y: 0}, {X: float64(width), Y: 0}, {X: float64(width), Y: float64(height)}, {X: 0, Y: float64(height)},
	}))
	defer to.Close()
	transform := gocv.GetPerspectiveTransform2f(from, to)
	defer transform.Close()
	out := gocv.NewMat()
	defer out.Close()
	gocv.WarpPerspectiveWithParams(source, &out, transform, image.Pt(width, height),
		gocv.InterpolationLinear, gocv.BorderConstant, color.RGBA{})
	return out.ToBytes(), width, height, nil
}

func corners(q quad) []gocv.Point2f {
	out := make([]gocv.Point2f, len(q))
	for i, p := range q {
		out[i] = gocv.Point2f{X: float32(p.X), Y: float32(p.Y)}
	}
	return out
}
