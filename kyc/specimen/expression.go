package specimen

import (
	"image"
	"math"
)

// Smile renders the face with the corners of the mouth drawn outwards and up, and the cheeks with them: amount 1 is a
// broad smile with closed lips, amount 0 changes nothing. A smile cannot be taken back: begin with a face at rest. What
// TurnHead's comment says of attackers holds here too. The error is an *Error.
func Smile(portrait image.Image, head Head, amount float64) (*image.RGBA, error) {
	relief, mouth, err := newMouth(portrait, head)
	if err != nil {
		return nil, err
	}
	if !(amount >= 0 && amount <= 1) { // refuses NaN too
		return nil, refuse(CodeMotionOutOfRange, "amount")
	}
	return relief.moved(toRGBA(portrait), func(at Point) Point { return mouth.smiled(at, amount) }), nil
}

// OpenMouth renders the face with the jaw dropped and the lips apart: amount 1 is a mouth as for "ah", amount 0 changes
// nothing. The error is an *Error.
func OpenMouth(portrait image.Image, head Head, amount float64) (*image.RGBA, error) {
	relief, mouth, err := newMouth(portrait, head)
	if err != nil {
		return nil, err
	}
	if !(amount >= 0 && amount <= 1) { // refuses NaN too
		return nil, refuse(CodeMotionOutOfRange, "amount")
	}
	picture := toRGBA(portrait)
	mouth.sag = mouth.lipLine(picture, &relief)
	opened := relief.moved(picture, func(at Point) Point { return mouth.parted(at, amount) })
	mouth.darken(opened, &relief, amount)
	return opened, nil
}

// mouth is where the lips meet: a parabola through both corners. Lengths are those of a relief.
type mouth struct {
	middle Point
	half   float64 // half the distance of the corners
	slope  float64 // of the line through the corners
	sag    float64 // how far the middle of the line lies below the corners
}

func newMouth(portrait image.Image, head Head) (relief, mouth, error) {
	r, err := newRelief(portrait, head)
	if err != nil {
		return relief{}, mouth{}, err
	}
	corner := portrait.Bounds().Min
	right := r.local(Point{head.RightMouth.X - float64(corner.X), head.RightMouth.Y - float64(corner.Y)})
	left := r.local(Point{head.LeftMouth.X - float64(corner.X), head.LeftMouth.Y - float64(corner.Y)})
	m := mouth{middle: middle(right, left), half: (left.X - right.X) / 2}
	if !(m.half > 0.1 && m.half < 1) {
		return relief{}, mouth{}, refuse(CodeFaceUnusable, "the corners of the mouth")
	}
	m.slope = (left.Y - right.Y) / (left.X - right.X)
	return r, m, nil
}

// line is the height at which the lips meet.
func (m mouth) line(x float64) float64 {
	t := (x - m.middle.X) / m.half
	return m.middle.Y + m.slope*(x-m.middle.X) + m.sag*(1-t*t)
}

// smiled says where the picture of a place on a smiling face comes from.
func (m mouth) smiled(at Point, amount float64) Point {
	from := at
	pull := func(x, y, dx, dy, wide, high float64) {
		u, v := (at.X-x-dx*amount/2)/wide, (at.Y-y-dy*amount/2)/high
		share := amount * math.Exp(-(u*u+v*v)/2)
		from.X -= dx * share
		from.Y -= dy * share
	}
	for _, side := range [2]float64{-1, 1} {
		x := m.middle.X + side*m.half
		y := m.middle.Y + side*m.half*m.slope
		pull(x, y, side*0.13, -0.15, 0.26, 0.2)                   // the corner
		pull(x+side*0.12, y-0.5, side*0.02, -0.07, 0.25, 0.18)    // the cheek
		pull(side*0.5, -eyesToOrigin+0.17, 0, -0.035, 0.22, 0.09) // the lower lid
	}
	pull(m.middle.X, m.middle.Y+0.12, 0, 0.04, 0.22, 0.14) // the lower lip, stretched
	return from
}

// The way of the lips at amount 1, in pupil distances (63 mm): together 28 mm.
const (
	jawDrop = 0.38
	lipLift = 0.06
)

// gap is how far the lips are apart along x, 1 in the middle and 0 at the corners.
func (m mouth) gap(x float64) float64 {
	t := (x - m.middle.X) / m.half
	return math.Sqrt(math.Max(0, 1-t*t))
}

// parted says where the picture of a place on a face with an open mouth comes from.
func (m mouth) parted(at Point, amount float64) Point {
	line, gap := m.line(at.X), m.gap(at.X)
	drop, lift := amount*jawDrop, amount*lipLift
	// The jaw moves as a whole, but fades into cheeks and neck.
	aside := (at.X - m.middle.X) / (2.4 * m.half)
	jaw := drop * math.Exp(-aside*aside)
	switch upper, lower := line-lift*gap, line+drop*gap; {
	case at.Y < upper: // the upper lip, fading upwards
		above := (upper - at.Y) / 0.25
		return Point{at.X, at.Y + lift*gap*math.Exp(-above*above)}
	case at.Y <= lower && gap > 0: // between the lips
		return Point{at.X, line}
	default:
		// Just below the lip the skin has moved by the gap; further down by what the jaw moves; the neck not at all.
		below := math.Max(0, at.Y-line-drop*gap)
		blend := smoothstep(below/0.25 - 1)
		moved := drop*gap*(1-blend) + jaw*blend
		return Point{at.X, at.Y - moved*(1-smoothstep((below-0.9)/0.6))}
	}
}

// lipLine finds the sag of the line between the lips: the darkest parabola through the corners.
func (m mouth) lipLine(picture *image.RGBA, r *relief) float64 {
	best, darkest := 0.0, math.Inf(1)
	for sag := -0.12; sag <= 0.301; sag += 0.01 {
		m.sag = sag
		var luma float64
		for t := -0.8; t <= 0.801; t += 0.05 {
			x := m.middle.X + t*m.half
			at := r.pixel(Point{x, m.line(x)})
			colour := bilinear(picture, at.X, at.Y)
			luma += 0.299*float64(colour[0]) + 0.587*float64(colour[1]) + 0.114*float64(colour[2])
		}
		if luma < darkest {
			best, darkest = sag, luma
		}
	}
	return best
}

// darken paints what is to be seen between open lips: the dark of the mouth, darker towards the throat.
func (m mouth) darken(picture *image.RGBA, r *relief, amount float64) {
	width := picture.Rect.Dx()
	eachRow(picture.Rect.Dy(), func(y int) {
		for x := range width {
			at := r.local(Point{float64(x), float64(y)})
			gap := m.gap(at.X)
			if gap == 0 {
				continue
			}
			upper, lower := m.line(at.X)-amount*lipLift*gap, m.line(at.X)+amount*jawDrop*gap
			inside := math.Min(at.Y-upper, lower-at.Y)
			if inside <= -0.02 {
				continue
			}
			cover := float32(smoothstep(inside/0.02) * math.Min(1, amount*gap*4))
			deep := float32(0.5 + 0.5*smoothstep((at.Y-upper)/(lower-upper+1e-9)*2-1))
			colour := [3]float32{58 - 34*deep, 22 - 12*deep, 22 - 12*deep}
			below := bilinear(picture, float64(x), float64(y))
			for k := range colour {
				colour[k] = below[k] + (colour[k]-below[k])*cover
			}
			put(picture, x, y, colour)
		}
	})
}

// moved draws the picture anew: each place shows what was where from says.
func (r *relief) moved(picture *image.RGBA, from func(at Point) Point) *image.RGBA {
	result := copied(picture)
	eachRow(picture.Rect.Dy(), func(y int) {
		for x := range picture.Rect.Dx() {
			at := r.local(Point{float64(x), float64(y)})
			if source := from(at); source != at {
				p := r.pixel(source)
				put(result, x, y, bilinear(picture, p.X, p.Y))
			}
		}
	})
	return result
}
