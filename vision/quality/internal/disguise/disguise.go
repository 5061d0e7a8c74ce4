// Package disguise draws over faces what hides them, and what does not, so that it can be measured which of both is noticed.
package disguise

import (
	"math"
	"math/rand/v2"

	"kycd/vision"
	"kycd/vision/imaging"
)

// Kind is something drawn over a face.
type Kind string

// The kinds.
const (
	// These cover both eyes.
	Sunglasses Kind = "sunglasses"
	Bar        Kind = "bar"
	EyesHand   Kind = "hand over the eyes"
	EyesHair   Kind = "hair over the eyes"
	Glare      Kind = "glare on glasses"
	// These cover the mouth.
	Mask      Kind = "mask"
	MouthHand Kind = "hand over the mouth"
	Scarf     Kind = "scarf"
	// These cover neither.
	Glasses Kind = "ordinary glasses"
	Beard   Kind = "beard"
	Dim     Kind = "dim light"
	Grey    Kind = "greyscale"
)

// Kinds lists them all.
func Kinds() []Kind {
	return []Kind{Sunglasses, Bar, EyesHand, EyesHair, Glare, Mask, MouthHand, Scarf, Glasses, Beard, Dim, Grey}
}

// CoversEyes tells whether the eyes cannot be seen under it.
func (k Kind) CoversEyes() bool {
	return k == Sunglasses || k == Bar || k == EyesHand || k == EyesHair || k == Glare
}

// CoversMouth tells whether the mouth cannot be seen under it.
func (k Kind) CoversMouth() bool { return k == Mask || k == MouthHand || k == Scarf }

type colour [3]float64 // B, G, R

func (c colour) times(f float64) colour { return colour{c[0] * f, c[1] * f, c[2] * f} }

// frame measures a face: positions are given in distances between the eyes, from the middle between them, x along the
// line from the person's right eye to the left.
type frame struct {
	middle vision.Point
	right  vision.Point // the unit vector of x, px
	unit   float64      // px
}

func frameOf(shape []vision.Point) frame {
	r, l := mean(shape[36:42]), mean(shape[42:48])
	unit := math.Hypot(l.X-r.X, l.Y-r.Y)
	return frame{
		middle: vision.Point{X: (l.X + r.X) / 2, Y: (l.Y + r.Y) / 2},
		right:  vision.Point{X: (l.X - r.X) / unit, Y: (l.Y - r.Y) / unit},
		unit:   unit,
	}
}

func (f frame) of(p vision.Point) (x, y float64) {
	dx, dy := (p.X-f.middle.X)/f.unit, (p.Y-f.middle.Y)/f.unit
	return dx*f.right.X + dy*f.right.Y, -dx*f.right.Y + dy*f.right.X
}

func mean(points []vision.Point) (m vision.Point) {
	for _, p := range points {
		m.X += p.X / float64(len(points))
		m.Y += p.Y / float64(len(points))
	}
	return m
}

// paint says how much of a pixel is covered, 0..1, and by what; x and y are in the frame, old is the pixel's colour.
type paint func(x, y float64, old colour) (cover float64, c colour)

// Draw draws over the face with the given 68 points; the picture itself is left as it is.
func Draw(pic *imaging.Picture, shape []vision.Point, kind Kind, rng *rand.Rand) *imaging.Picture {
	f := frameOf(shape)
	pix := append([]byte(nil), pic.Pix...)
	out := imaging.New(pix, pic.Width, pic.Height)
	brush := brushOf(pic, shape, f, kind, rng)
	const reach = 3.2
	x0, x1 := clip(f.middle.X-reach*f.unit, pic.Width), clip(f.middle.X+reach*f.unit, pic.Width)
	y0, y1 := clip(f.middle.Y-reach*f.unit, pic.Height), clip(f.middle.Y+reach*f.unit, pic.Height)
	if kind == Dim || kind == Grey { // light falls on everything
		x0, x1, y0, y1 = 0, pic.Width, 0, pic.Height
	}
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			u, v := f.of(vision.Point{X: float64(x), Y: float64(y)})
			px := pix[3*(y*pic.Width+x):][:3]
			cover, c := brush(u, v, colour{float64(px[0]), float64(px[1]), float64(px[2])})
			for k := range px {
				px[k] = byte(math.Max(0, math.Min(255, math.Round(float64(px[k])*(1-cover)+c[k]*cover))))
			}
		}
	}
	return out
}

func clip(v float64, most int) int { return int(math.Max(0, math.Min(float64(most), v))) }

func brushOf(pic *imaging.Picture, shape []vision.Point, f frame, kind Kind, rng *rand.Rand) paint {
	between := func(low, high float64) float64 { return low + (high-low)*rng.Float64() }
	soft := 1.5 / f.unit // a pixel and a half
	skin := skinOf(pic, shape)
	grain := noise(rng)
	eyes := [2]point{}
	eyes[0].x, eyes[0].y = f.of(mean(shape[36:42]))
	eyes[1].x, eyes[1].y = f.of(mean(shape[42:48]))

	switch kind {
	case Sunglasses:
		wide, high, power := between(0.36, 0.46), between(0.24, 0.36), between(2, 5)
		tint, dense := darkTint(rng), between(0.88, 1)
		sheen := between(0, 50)
		return func(x, y float64, _ colour) (float64, colour) {
			cover := bridge(x, y, soft)
			for _, e := range eyes {
				cover = math.Max(cover, dense*inside(superellipse(x-e.x, y-e.y-0.04, wide, high, power), soft/high))
			}
			return cover, add(tint, sheen*math.Max(0, 0.5-y-0.4*x))
		}
	case Bar:
		c := colour{between(0, 255), between(0, 255), between(0, 255)}
		if rng.Float64() < 0.6 {
			c = colour{8, 8, 8}
		}
		wide, high := between(0.85, 1.3), between(0.2, 0.35)
		return func(x, y float64, _ colour) (float64, colour) {
			return inside(math.Max(math.Abs(x)/wide, math.Abs(y)/high), soft/high), add(c, 6*grain(40*x, 40*y))
		}
	case EyesHand:
		return fingers(skin, between(-0.5, 0.5), 0, between(0.34, 0.45), between(0.9, 1.4), soft, grain, rng)
	case MouthHand:
		_, my := f.of(mean(shape[48:68]))
		return fingers(skin, between(-0.6, 0.6), my, between(0.36, 0.5), between(0.7, 1.2), soft, grain, rng)
	case EyesHair:
		base := darkTint(rng)
		low := between(0.22, 0.5)
		lean := between(-0.4, 0.4)
		return func(x, y float64, _ colour) (float64, colour) {
			strand := grain(9*(x+lean*y), 0.8*y)
			edge := low + 0.12*grain(6*x, 7)
			if math.Abs(x) > 1.3 || y < -1.6 {
				return 0, base
			}
			return inside(1+(y-edge)/0.2, soft/0.2) * math.Min(1, math.Max(0, 3+4*grain(14*(x+lean*y), 0.5*y+9))), add(base, 28*strand)
		}
	case Glare:
		wide, high := between(0.3, 0.42), between(0.2, 0.3)
		frame := darkTint(rng)
		return func(x, y float64, _ colour) (float64, colour) {
			for _, e := range eyes {
				d := superellipse(x-e.x, y-e.y-0.03, wide, high, 3)
				if d > 1 && d < 1.12 {
					return 1, frame
				}
				if d <= 1 {
					return math.Min(1, 1.1-0.35*d*d+0.2*grain(3*x, 3*y)), colour{252, 253, 255}
				}
			}
			return 0, frame
		}
	case Mask:
		return mask(shape, f, rng, grain, soft)
	case Scarf:
		_, top := f.of(shape[33])
		top -= between(-0.05, 0.25)
		c := colour{between(10, 230), between(10, 230), between(10, 230)}
		size, depth := between(3, 14), between(5, 40)
		return func(x, y float64, _ colour) (float64, colour) {
			if math.Abs(x) > 1.5 {
				return 0, c
			}
			return inside(1+(top-y)/0.2, soft/0.2), add(c, depth*grain(size*x, size*y)+8*math.Sin(40*y+4*x))
		}
	case Glasses:
		wide, high, power := between(0.34, 0.44), between(0.22, 0.33), between(2, 5)
		c, thick := darkTint(rng), between(0.03, 0.07)
		veil := between(0, 0.12) // of the glass
		return func(x, y float64, _ colour) (float64, colour) {
			if b := bridge(x, y, soft); b > 0 && math.Abs(x) < 0.12 {
				return b, c
			}
			for _, e := range eyes {
				d := superellipse(x-e.x, y-e.y-0.04, wide, high, power)
				if math.Abs(d-1)*high < thick/2 {
					return 1, c
				}
				if d < 1 {
					return veil, colour{220, 220, 220}
				}
			}
			return 0, c
		}
	case Beard:
		c, dense := darkTint(rng), between(0.5, 0.95)
		lips := make([]point, 0, 12)
		for _, p := range shape[48:60] {
			x, y := f.of(p)
			lips = append(lips, point{x, y})
		}
		jaw := jawOf(shape, f, 3, 0.05)
		_, top := f.of(shape[33])
		return func(x, y float64, _ colour) (float64, colour) {
			if y < top || !contains(jaw, x, y) || contains(lips, x, y) {
				return 0, c
			}
			return dense * math.Min(1, math.Max(0, 0.75+0.6*grain(60*x, 20*y))), add(c, 14*grain(50*x, 30*y))
		}
	case Dim:
		gain, lean := between(0.35, 0.8), between(-0.25, 0.25)
		return func(x, _ float64, old colour) (float64, colour) {
			return 1, old.times(gain * (1 + lean*math.Max(-1.5, math.Min(1.5, x))))
		}
	default: // Grey
		return func(_, _ float64, old colour) (float64, colour) {
			v := 0.114*old[0] + 0.587*old[1] + 0.299*old[2]
			return 1, colour{v, v, v}
		}
	}
}

type point struct{ x, y float64 }

// fingers is a hand held across the face at a height: fingers side by side, of the face's own skin.
func fingers(skin colour, angle, height, across, along, soft float64, grain func(x, y float64) float64, rng *rand.Rand) paint {
	c := skin.times(0.8 + 0.3*rng.Float64())
	width := 0.2 + 0.08*rng.Float64()
	shift := rng.Float64() * width
	sin, cos := math.Sincos(angle)
	return func(x, y float64, _ colour) (float64, colour) {
		u, v := x*cos+(y-height)*sin, -x*sin+(y-height)*cos
		inFinger := math.Mod(v+shift+10*width, width)/width*2 - 1 // -1..1 across one finger
		shade := 1 - 0.25*inFinger*inFinger - 0.45*math.Exp(-math.Pow((1-math.Abs(inFinger))/0.12, 2))
		tip := along + 0.08*math.Cos(9*v)
		cover := math.Min(inside(math.Abs(v)/across, soft/across), inside(1+(math.Abs(u)-tip)/0.2, soft/0.2))
		return cover, add(c.times(shade), 5*grain(45*x, 45*y)+6*grain(4*x, 4*y))
	}
}

// mask is a surgical mask: from the bridge of the nose along the cheeks to below the chin, pleated.
func mask(shape []vision.Point, f frame, rng *rand.Rand, grain func(x, y float64) float64, soft float64) paint {
	choice := []colour{{225, 205, 170}, {235, 235, 232}, {25, 25, 25}, {200, 190, 90}, {150, 150, 155}, {190, 175, 225}}
	c := choice[rng.IntN(len(choice))].times(0.75 + 0.3*rng.Float64())
	outline := jawOf(shape, f, 2, 0.12)
	bridge := 28 + rng.IntN(2)
	x, y := f.of(shape[bridge])
	outline = append(outline, point{x + 0.18, y + 0.08}, point{x, y}, point{x - 0.18, y + 0.08})
	pleats, depth := 10+6*rng.Float64(), 10+12*rng.Float64()
	return func(x, y float64, _ colour) (float64, colour) {
		if !contains(outline, x, y) {
			return 0, c
		}
		shade := depth*math.Pow(math.Sin(pleats*y), 3) - 25*math.Abs(x) + 4*grain(50*x, 50*y)
		return 1, add(c, shade)
	}
}

// jawOf is the outline of the jaw from one cheek to the other, moved outwards.
func jawOf(shape []vision.Point, f frame, from int, out float64) []point {
	cx, cy := f.of(shape[33])
	jaw := make([]point, 0, 20)
	for _, p := range shape[from : 17-from] {
		x, y := f.of(p)
		jaw = append(jaw, point{x + out*(x-cx), y + out*(y-cy)})
	}
	return jaw
}

// contains tells whether a polygon does (even-odd rule).
func contains(polygon []point, x, y float64) bool {
	in := false
	for i, a := range polygon {
		b := polygon[(i+1)%len(polygon)]
		if (a.y > y) != (b.y > y) && x < (b.x-a.x)*(y-a.y)/(b.y-a.y)+a.x {
			in = !in
		}
	}
	return in
}

// superellipse is below 1 inside, 1 on the outline.
func superellipse(x, y, wide, high, power float64) float64 {
	return math.Pow(math.Pow(math.Abs(x)/wide, power)+math.Pow(math.Abs(y)/high, power), 1/power)
}

// inside is 1 where d is below 1, and falls to 0 over the edge.
func inside(d, edge float64) float64 { return math.Max(0, math.Min(1, (1-d)/math.Max(edge, 1e-6)+0.5)) }

// bridge joins two glasses over the nose.
func bridge(x, y, soft float64) float64 {
	return inside(math.Max(math.Abs(x)/0.16, math.Abs(y+0.02)/0.035), soft/0.035)
}

func darkTint(rng *rand.Rand) colour {
	level := 8 + 45*rng.Float64()
	return colour{level * (0.7 + 0.3*rng.Float64()), level * (0.8 + 0.3*rng.Float64()), level * (0.9 + 0.5*rng.Float64())}
}

func add(c colour, v float64) colour { return colour{c[0] + v, c[1] + v, c[2] + v} }

// skinOf is the mean colour of small patches on both cheeks.
func skinOf(pic *imaging.Picture, shape []vision.Point) colour {
	var sum colour
	n := 0.0
	for _, at := range [2]vision.Point{mean([]vision.Point{shape[31], shape[2], shape[40]}), mean([]vision.Point{shape[35], shape[14], shape[47]})} {
		side := math.Max(1, math.Hypot(shape[39].X-shape[36].X, shape[39].Y-shape[36].Y)/4)
		for y := clip(at.Y-side, pic.Height); y < clip(at.Y+side, pic.Height); y++ {
			for x := clip(at.X-side, pic.Width); x < clip(at.X+side, pic.Width); x++ {
				for k := range 3 {
					sum[k] += float64(pic.Pix[3*(y*pic.Width+x)+k])
				}
				n++
			}
		}
	}
	return sum.times(1 / math.Max(n, 1))
}

// noise is smooth value noise of -1..1 over a lattice of step 1.
func noise(rng *rand.Rand) func(x, y float64) float64 {
	const side = 64
	lattice := make([]float64, side*side)
	for i := range lattice {
		lattice[i] = 2*rng.Float64() - 1
	}
	at := func(x, y int) float64 { return lattice[(y&(side-1))*side+(x&(side-1))] }
	return func(x, y float64) float64 {
		x0, y0 := math.Floor(x), math.Floor(y)
		fx, fy := x-x0, y-y0
		fx, fy = fx*fx*(3-2*fx), fy*fy*(3-2*fy)
		i, j := int(x0), int(y0)
		return (at(i, j)*(1-fx)+at(i+1, j)*fx)*(1-fy) + (at(i, j+1)*(1-fx)+at(i+1, j+1)*fx)*fy
	}
}
