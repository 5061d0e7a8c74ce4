package specimen

import (
	"image"
	"math"
)

// Head says where the face of a picture is, in its pixels: the five points that an analysis gives of every face.
// Right and left are the person's own.
type Head struct {
	RightEye, LeftEye     Point
	Nose                  Point // its tip
	RightMouth, LeftMouth Point // the corners of the mouth
}

// mostTurn is how far a head can be turned, in degrees. Beyond it the picture lacks what would come into sight.
const mostTurn = 35

// TurnHead renders what the camera would have seen had the person turned the head: by yaw towards their own left, by
// pitch upwards, in degrees of at most 35. The picture is laid over the relief of a generic head, which is turned and
// drawn anew; shoulders and background stay. What the camera never saw is stretched from what is next to it. Pose from
// landmarks sees about three quarters of the turn: ask for 30° where 15° must be seen.
//
// It makes frames to test active liveness with. It is at the same time what an attacker with one photograph can make,
// and single frames do not give it away: the relief moves as a head does.
//
// The error is an *Error.
func TurnHead(portrait image.Image, head Head, yaw, pitch float64) (*image.RGBA, error) {
	relief, err := newRelief(portrait, head)
	if err != nil {
		return nil, err
	}
	if !(math.Abs(yaw) <= mostTurn && math.Abs(pitch) <= mostTurn) { // refuses NaN too
		return nil, refuse(CodeMotionOutOfRange, "yaw, pitch")
	}
	picture := toRGBA(portrait)
	turned := copied(picture)
	if yaw == 0 && pitch == 0 {
		return turned, nil
	}
	sheet := newSheet(picture, relief, turning(yaw, pitch))
	sheet.draw(turned, picture)
	return turned, nil
}

// relief is a generic head at its place in a picture. Lengths are in pupil distances (63 mm), from a point between the
// eyes and slightly below: x to the viewer's right along the line of the eyes, y down the face, z towards the camera.
type relief struct {
	origin Point
	across Point   // unit vector of x in the picture; y is a quarter turn clockwise of it
	unit   float64 // pixels of one pupil distance
	nose   Point
	axis   float64 // x of the axis that the head turns about
}

// The head's proportions, in pupil distances, after anthropometric means of adults: a head is 152 mm wide, and its
// front lies about 90 mm before the axis that it turns about.
const (
	headHalfWidth = 1.25
	headDepth     = 1.45
	eyesToMouth   = 1.06
	eyesToOrigin  = 0.15
	noseHeight    = 0.32
	noseReach     = 0.42 // of its tip before the plane of eyes and mouth
	axisShift     = 0.45 // of the axis behind the middle of the face, at a quarter turn
	leastUnit     = 12   // pixels; a smaller face shows no motion that could be measured
)

func newRelief(portrait image.Image, head Head) (relief, error) {
	if portrait == nil || portrait.Bounds().Empty() {
		return relief{}, refuse(CodePortraitMissing, "portrait")
	}
	corner := portrait.Bounds().Min
	at := func(p Point) Point { return Point{p.X - float64(corner.X), p.Y - float64(corner.Y)} }
	eyes := middle(at(head.RightEye), at(head.LeftEye))
	mouth := middle(at(head.RightMouth), at(head.LeftMouth))
	between := math.Hypot(head.LeftEye.X-head.RightEye.X, head.LeftEye.Y-head.RightEye.Y)
	// A turned head shows its eyes closer together, a nodding one the mouth closer to them; the other measure still holds.
	r := relief{unit: math.Max(between, math.Hypot(mouth.X-eyes.X, mouth.Y-eyes.Y)/eyesToMouth)}
	if !(between > 0 && r.unit >= leastUnit && r.unit <= float64(max(portrait.Bounds().Dx(), portrait.Bounds().Dy()))) {
		return relief{}, refuse(CodeFaceUnusable, "the points do not make an upright face of usable size")
	}
	r.across = Point{(head.LeftEye.X - head.RightEye.X) / between, (head.LeftEye.Y - head.RightEye.Y) / between}
	r.origin = Point{eyes.X - r.across.Y*eyesToOrigin*r.unit, eyes.Y + r.across.X*eyesToOrigin*r.unit}
	if r.local(mouth).Y < 0.4 {
		return relief{}, refuse(CodeFaceUnusable, "the mouth is not below the eyes")
	}
	r.nose = r.local(at(head.Nose))
	// A head that is turned already shows its nose off the middle of eyes and mouth, and its axis on the other side.
	r.axis = -axisShift * math.Min(math.Max(r.nose.X/noseReach, -0.5), 0.5)
	return r, nil
}

func middle(a, b Point) Point { return Point{(a.X + b.X) / 2, (a.Y + b.Y) / 2} }

// local gives a position of the picture in the head's lengths.
func (r *relief) local(p Point) Point {
	dx, dy := (p.X-r.origin.X)/r.unit, (p.Y-r.origin.Y)/r.unit
	return Point{dx*r.across.X + dy*r.across.Y, dy*r.across.X - dx*r.across.Y}
}

// pixel is the inverse of local.
func (r *relief) pixel(p Point) Point {
	return Point{r.origin.X + r.unit*(p.X*r.across.X-p.Y*r.across.Y), r.origin.Y + r.unit*(p.X*r.across.Y+p.Y*r.across.X)}
}

// depth is how far the surface lies before the axis.
func (r *relief) depth(at Point) float64 {
	across, down := (at.X-r.axis)/headHalfWidth, at.Y/2.5
	skull := headDepth * math.Sqrt(math.Max(0, 1-across*across)) * math.Sqrt(math.Max(0, 1-down*down))
	bump := func(x, y, wide, high float64) float64 {
		dx, dy := (at.X-x)/wide, (at.Y-y)/high
		return math.Exp(-(dx*dx + dy*dy) / 2)
	}
	nose := noseHeight*bump(r.nose.X, r.nose.Y, 0.17, 0.17) + 0.45*noseHeight*bump(r.nose.X, r.nose.Y-0.32, 0.13, 0.25)
	eyes := 0.07 * (bump(-0.5, -eyesToOrigin, 0.2, 0.14) + bump(0.5, -eyesToOrigin, 0.2, 0.14))
	chin := 0.1 * bump(0, 1.6, 0.35, 0.25)
	return skull + nose - eyes + chin
}

// hold is the share of the motion that a place takes part in: all of it on the face, none on shoulders and background.
func (r *relief) hold(at Point) float64 {
	sideways := (math.Abs(at.X-r.axis) - 1.9) / 0.6
	above, below := (-at.Y-2.4)/0.6, (at.Y-2.2)/0.5
	return (1 - smoothstep(sideways)) * (1 - smoothstep(math.Max(above, below)))
}

// turning is the rotation matrix, row by row, of a head that turns by yaw and pitch degrees.
func turning(yaw, pitch float64) [9]float64 {
	sinY, cosY := math.Sincos(yaw * math.Pi / 180)
	sinP, cosP := math.Sincos(pitch * math.Pi / 180)
	// Nod first, then turn: both about axes through the head's middle.
	return [9]float64{
		cosY, sinY * sinP, sinY * cosP,
		0, cosP, -sinP,
		-sinY, cosY * sinP, cosY * cosP,
	}
}

// sheet is a picture as a net of small triangles, moved in space.
type sheet struct {
	step       int
	cols, rows int
	knots      []knot
}

// knot is a corner of the net: its place after the motion, in pixels, and its nearness to the camera.
type knot struct {
	Point
	near float64
}

func newSheet(picture *image.RGBA, r relief, turn [9]float64) *sheet {
	s := &sheet{step: max(1, int(r.unit/48))}
	s.cols, s.rows = knotCount(picture.Rect.Dx(), s.step), knotCount(picture.Rect.Dy(), s.step)
	s.knots = make([]knot, s.cols*s.rows)
	eachRow(s.rows, func(row int) {
		for col := range s.cols {
			from := s.source(picture, col, row)
			at := r.local(from)
			hold := r.hold(at)
			if hold == 0 {
				s.knots[row*s.cols+col] = knot{from, -1e6}
				continue
			}
			z := r.depth(at)
			x := at.X - r.axis
			to := Point{turn[0]*x + turn[1]*at.Y + turn[2]*z + r.axis, turn[3]*x + turn[4]*at.Y + turn[5]*z}
			near := turn[6]*x + turn[7]*at.Y + turn[8]*z
			moved := r.pixel(Point{at.X + hold*(to.X-at.X), at.Y + hold*(to.Y-at.Y)})
			s.knots[row*s.cols+col] = knot{moved, hold * near}
		}
	})
	return s
}

func knotCount(size, step int) int { return (size-1+step-1)/step + 1 }

// source is where a knot lies in the picture; the last of a row or column lies on its edge.
func (s *sheet) source(picture *image.RGBA, col, row int) Point {
	return Point{float64(min(col*s.step, picture.Rect.Dx()-1)), float64(min(row*s.step, picture.Rect.Dy()-1))}
}

// draw draws the net's texture; what is nearer to the camera hides what is behind it.
func (s *sheet) draw(onto, texture *image.RGBA) {
	width, height := onto.Rect.Dx(), onto.Rect.Dy()
	nearest := make([]float64, width*height)
	for i := range nearest {
		nearest[i] = math.Inf(-1)
	}
	for row := range s.rows - 1 {
		for col := range s.cols - 1 {
			i := row*s.cols + col
			corners := [4]knot{s.knots[i], s.knots[i+1], s.knots[i+s.cols], s.knots[i+s.cols+1]}
			sources := [4]Point{s.source(texture, col, row), s.source(texture, col+1, row), s.source(texture, col, row+1), s.source(texture, col+1, row+1)}
			for _, t := range [2][3]int{{0, 1, 2}, {1, 3, 2}} {
				triangle{
					to:   [3]knot{corners[t[0]], corners[t[1]], corners[t[2]]},
					from: [3]Point{sources[t[0]], sources[t[1]], sources[t[2]]},
				}.draw(onto, texture, nearest)
			}
		}
	}
}

// triangle is a piece of a texture and where it goes.
type triangle struct {
	to   [3]knot
	from [3]Point
}

func (t triangle) draw(onto, texture *image.RGBA, nearest []float64) {
	a, b, c := t.to[0], t.to[1], t.to[2]
	area := (b.X-a.X)*(c.Y-a.Y) - (c.X-a.X)*(b.Y-a.Y)
	if math.Abs(area) < 1e-9 {
		return
	}
	width, height := onto.Rect.Dx(), onto.Rect.Dy()
	const edge = -1e-9 // a pixel on the border of two triangles belongs to both: no seams
	left, right := clampInt(int(math.Ceil(min(a.X, b.X, c.X)+edge)), width), clampInt(int(max(a.X, b.X, c.X)-edge), width)
	top, bottom := clampInt(int(math.Ceil(min(a.Y, b.Y, c.Y)+edge)), height), clampInt(int(max(a.Y, b.Y, c.Y)-edge), height)
	for y := top; y <= bottom; y++ {
		for x := left; x <= right; x++ {
			px, py := float64(x), float64(y)
			wb := ((px-a.X)*(c.Y-a.Y) - (c.X-a.X)*(py-a.Y)) / area
			wc := ((b.X-a.X)*(py-a.Y) - (px-a.X)*(b.Y-a.Y)) / area
			wa := 1 - wb - wc
			if wa < edge || wb < edge || wc < edge {
				continue
			}
			near := wa*a.near + wb*b.near + wc*c.near
			if near <= nearest[y*width+x] {
				continue
			}
			nearest[y*width+x] = near
			put(onto, x, y, bilinear(texture, wa*t.from[0].X+wb*t.from[1].X+wc*t.from[2].X, wa*t.from[0].Y+wb*t.from[1].Y+wc*t.from[2].Y))
		}
	}
}

func put(onto *image.RGBA, x, y int, colour [3]float32) {
	to := onto.Pix[y*onto.Stride+4*x:]
	for k, tone := range colour {
		to[k] = clampByte(float64(tone))
	}
	to[3] = 255
}

// copied is the picture once more, without transparency.
func copied(picture *image.RGBA) *image.RGBA {
	again := image.NewRGBA(picture.Rect)
	copy(again.Pix, picture.Pix)
	for i := 3; i < len(again.Pix); i += 4 {
		again.Pix[i] = 255
	}
	return again
}
