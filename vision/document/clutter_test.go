package document

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"gocv.io/x/gocv"

	"kycd/kyc/specimen"
	"kycd/vision"
)

// The grounds that a document lies on besides those of the press.
const (
	textPage = "text"     // a printed page
	keyboard = "keyboard" // rows of keys
	cards    = "cards"    // edges of other cards and sheets
)

// view is one case of the grid: the scene, the ground, and what hides a part of the document.
type view struct {
	specimen.Scene
	kind   specimen.Type
	back   bool
	ground string // of the press if it is one of its own
	finger bool   // over a corner
	cut    bool   // a corner lies outside of the picture
}

func (v view) String() string {
	return fmt.Sprintf("%s back=%v %s turned %.0f tilted %.0f/%.0f fill %.2f blur %.1f glare %.1f finger=%v cut=%v",
		v.kind, v.back, v.ground, v.Rotation, v.TiltX, v.TiltY, v.Fill, v.Blur, v.Glare, v.finger, v.cut)
}

// grid draws n views, evenly over everything that makes it hard.
func grid(n int, seed uint64) []view {
	random := rand.New(rand.NewPCG(seed, 99))
	grounds := []string{string(specimen.Desk), string(specimen.Cloth), string(specimen.Stone), textPage, keyboard, cards}
	kinds := []specimen.Type{specimen.DriverLicense, specimen.DriverLicense, specimen.PassportCard, specimen.Passport}
	out := make([]view, n)
	for i := range out {
		spread := func(most float64) float64 { return (2*random.Float64() - 1) * most }
		v := view{kind: kinds[random.IntN(len(kinds))], ground: grounds[i%len(grounds)]}
		v.back = v.kind != specimen.Passport && random.IntN(3) == 0
		v.Scene = specimen.Scene{
			Seed: random.Uint64(), Width: 1200, Height: 900, Fill: 0.55 + 0.4*random.Float64(), Shift: random.Float64(),
			TiltX: spread(30), TiltY: spread(30), Rotation: 360 * random.Float64(),
			Blur: 0.4 + 1.4*random.Float64(), Glare: 0.6 * random.Float64(), Shadow: 0.4 * random.Float64(),
			Noise: 2 + 5*random.Float64(), Brightness: 0.75 + 0.25*random.Float64(), Background: specimen.Desk, Quality: 85,
		}
		if random.IntN(3) == 0 {
			v.Width, v.Height = v.Height, v.Width
		}
		switch specimen.Background(v.ground) {
		case specimen.Desk, specimen.Cloth, specimen.Stone:
			v.Background = specimen.Background(v.ground)
		}
		switch i / len(grounds) % 4 {
		case 2:
			v.finger = true
		case 3:
			v.cut = true
		}
		out[i] = v
	}
	return out
}

// take makes the photograph of a view.
func take(t testing.TB, p *specimen.Press, v view) scene {
	t.Helper()
	random := rand.New(rand.NewPCG(v.Seed, 7))
	d := specimen.RandomDocument(random, v.kind, specimen.RandomPerson(random, today()), today())
	var side image.Image
	var err error
	if v.back {
		side, err = p.Back(d)
	} else {
		side, err = p.Front(d, specimen.Silhouette())
	}
	if err != nil {
		t.Fatal(err)
	}
	blur := v.Blur
	v.Blur = 0
	photo, err := specimen.Photograph(side, v.Scene)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
	if err != nil {
		t.Fatal(err)
	}
	out := scene{bgr: bgrOf(decoded), w: photo.Width, h: photo.Height}
	for i, c := range photo.Corners {
		out.corners[i] = vision.Point{X: c.X, Y: c.Y}
	}
	if v.ground == textPage || v.ground == keyboard || v.ground == cards {
		out = onto(out, clutter(v.ground, out.w, out.h, v.Seed), float64(side.Bounds().Dx())/float64(side.Bounds().Dy()))
	}
	if v.finger {
		out.cover(random.IntN(4), random)
	}
	if v.cut {
		out = out.crop(random.IntN(4))
	}
	m, err := matOf(out.bgr, out.w, out.h, gocv.MatTypeCV8UC3)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	gocv.GaussianBlur(m, &m, image.Point{}, blur, blur, gocv.BorderDefault)
	out.bgr = m.ToBytes()
	return out
}

// onto puts what lies within the document's outline, rounded at the corners, on another ground.
func onto(s scene, ground []byte, aspect float64) scene {
	inverse := planeOf(s.corners)
	radius := 3.18 / 85.6
	if aspect < 1.5 {
		radius = 3.18 / 125
	}
	for y := range s.h {
		for x := range s.w {
			u, v := inverse.at(float64(x)+0.5, float64(y)+0.5)
			dx, dy := math.Abs(u-0.5)-(0.5-radius), (math.Abs(v-0.5)-(0.5-radius*aspect))/aspect
			inside := math.Max(dx, dy) <= radius
			if dx > 0 && dy > 0 {
				inside = math.Hypot(dx, dy) <= radius
			}
			if !inside {
				i := 3 * (y*s.w + x)
				copy(s.bgr[i:i+3], ground[i:i+3])
			}
		}
	}
	return s
}

// plane maps pixels to the document: 0..1 along its width and its height.
type plane [9]float64

func (h plane) at(x, y float64) (u, v float64) {
	w := h[6]*x + h[7]*y + h[8]
	return (h[0]*x + h[1]*y + h[2]) / w, (h[3]*x + h[4]*y + h[5]) / w
}

func planeOf(c [4]vision.Point) plane {
	from := gocv.NewPoint2fVectorFromPoints(corners(quad(c)))
	defer from.Close()
	to := gocv.NewPoint2fVectorFromPoints(corners(quad{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0, Y: 1}}))
	defer to.Close()
	m := gocv.GetPerspectiveTransform2f(from, to)
	defer m.Close()
	var h plane
	for i := range h {
		h[i] = m.GetDoubleAt(i/3, i%3)
	}
	return h
}

// cover lays a fingertip over a corner.
func (s scene) cover(corner int, random *rand.Rand) {
	middle := mix(s.corners[0], s.corners[2], 0.5)
	size := 0.11 * distance(s.corners[0], s.corners[1])
	at := mix(s.corners[corner], middle, 0.04)
	tone := [3]float64{110 + 20*random.Float64(), 140 + 20*random.Float64(), 195 + 20*random.Float64()}
	out := vision.Point{X: at.X - middle.X, Y: at.Y - middle.Y}
	length := math.Hypot(out.X, out.Y)
	ux, uy := out.X/length, out.Y/length
	for y := range s.h {
		for x := range s.w {
			dx, dy := float64(x)-at.X, float64(y)-at.Y
			along, across := dx*ux+dy*uy, dx*uy-dy*ux
			if along < 0 && math.Hypot(along, across) > size*0.6 || along >= 0 && math.Abs(across) > size*0.6 {
				continue
			}
			shade := 1 - 0.35*math.Pow(math.Abs(across)/(0.6*size), 2)
			for c := range 3 {
				s.bgr[3*(y*s.w+x)+c] = byte(tone[c] * shade)
			}
		}
	}
}

// crop cuts the picture so that one corner, and about an eighth of the sides there, lies outside.
func (s scene) crop(corner int) scene {
	at := s.corners[corner]
	middle := mix(s.corners[0], s.corners[2], 0.5)
	x0, y0, x1, y1 := 0, 0, s.w, s.h
	// The corner that is furthest out in one direction is cut off by moving that border inwards.
	dx, dy := at.X-middle.X, at.Y-middle.Y
	inwards := 0.1 * distance(s.corners[0], s.corners[1])
	extreme := func(of func(vision.Point) float64) bool {
		for i, p := range s.corners {
			if i != corner && of(p) > of(at)-inwards*0.5 {
				return false
			}
		}
		return true
	}
	switch {
	case dx > 0 && extreme(func(p vision.Point) float64 { return p.X }):
		x1 = int(at.X - inwards*0.5)
	case dx < 0 && extreme(func(p vision.Point) float64 { return -p.X }):
		x0 = int(at.X + inwards*0.5)
	case dy > 0 && extreme(func(p vision.Point) float64 { return p.Y }):
		y1 = int(at.Y - inwards*0.5)
	case dy < 0 && extreme(func(p vision.Point) float64 { return -p.Y }):
		y0 = int(at.Y + inwards*0.5)
	default:
		return s
	}
	out := scene{w: x1 - x0, h: y1 - y0}
	for y := y0; y < y1; y++ {
		out.bgr = append(out.bgr, s.bgr[3*(y*s.w+x0):3*(y*s.w+x1)]...)
	}
	for i, p := range s.corners {
		out.corners[i] = vision.Point{X: p.X - float64(x0), Y: p.Y - float64(y0)}
	}
	return out
}

// clutter draws a busy ground, BGR.
func clutter(kind string, w, h int, seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 5))
	m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(205, 212, 214, 0), h, w, gocv.MatTypeCV8UC3)
	defer m.Close()
	turn := (2*random.Float64() - 1) * 0.5
	sin, cos := math.Sincos(turn)
	at := func(x, y float64) image.Point {
		return image.Pt(int(float64(w)/2+x*cos-y*sin), int(float64(h)/2+x*sin+y*cos))
	}
	box := func(x, y, bw, bh float64, fill, edge color.RGBA) {
		points := gocv.NewPointsVectorFromPoints([][]image.Point{{at(x, y), at(x+bw, y), at(x+bw, y+bh), at(x, y+bh)}})
		defer points.Close()
		gocv.FillPoly(&m, points, fill)
		gocv.Polylines(&m, points, true, edge, 2)
	}
	far := float64(w + h)
	switch kind {
	case textPage:
		flat := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(232, 235, 236, 0), h*3/2, w*3/2, gocv.MatTypeCV8UC3)
		defer flat.Close()
		for y := 10; y < flat.Rows(); y += 20 + random.IntN(2)*8 {
			for x := 30; x < flat.Cols()-60; {
				word := make([]byte, 2+random.IntN(8))
				for i := range word {
					word[i] = byte('a' + random.IntN(26))
				}
				gocv.PutText(&flat, string(word), image.Pt(x, y), gocv.FontHersheySimplex, 0.45, color.RGBA{R: 40, G: 40, B: 44}, 1)
				x += 9*len(word) + 12
			}
		}
		middle := image.Pt(flat.Cols()/2, flat.Rows()/2)
		spin := gocv.GetRotationMatrix2D(middle, turn*180/math.Pi, 1)
		defer spin.Close()
		gocv.WarpAffineWithParams(flat, &flat, spin, image.Pt(flat.Cols(), flat.Rows()), gocv.InterpolationLinear, gocv.BorderReplicate, color.RGBA{})
		part := flat.Region(image.Rect(w/4, h/4, w/4+w, h/4+h))
		defer part.Close()
		part.CopyTo(&m)
	case keyboard:
		m.SetTo(gocv.NewScalar(48, 46, 45, 0))
		for row := -8; row < 9; row++ {
			for key := -10; key < 10; key++ {
				x, y := float64(key)*104+25*float64(row&3), float64(row)*104
				box(x, y, 90, 90, color.RGBA{R: 82, G: 84, B: 88}, color.RGBA{R: 22, G: 22, B: 24})
				gocv.PutText(&m, string(rune('A'+random.IntN(26))), at(x+30, y+50), gocv.FontHersheySimplex, 1, color.RGBA{R: 220, G: 220, B: 220}, 2)
			}
		}
	case cards:
		m.SetTo(gocv.NewScalar(90, 112, 130, 0))
		for range 9 {
			turn = random.Float64() * math.Pi
			sin, cos = math.Sincos(turn)
			shade := func() uint8 { return uint8(60 + random.IntN(190)) }
			bw := 300 + 500*random.Float64()
			box((random.Float64()-0.5)*far-bw/2, (random.Float64()-0.5)*far, bw, bw*(0.5+0.3*random.Float64()),
				color.RGBA{R: shade(), G: shade(), B: shade()}, color.RGBA{R: shade(), G: shade(), B: shade()})
		}
	}
	return m.ToBytes()
}

// overlap is the intersection over the union of two quadrilaterals, counted within the picture and a margin around it.
func overlap(a, b [4]vision.Point, w, h int) float64 {
	inside := func(q [4]vision.Point, x, y float64) bool {
		for i := range q {
			if cross(q[i], q[(i+1)%4], vision.Point{X: x, Y: y}) < 0 {
				return false
			}
		}
		return true
	}
	both, either := 0, 0
	for y := -float64(h) / 2; y < 1.5*float64(h); y += 4 {
		for x := -float64(w) / 2; x < 1.5*float64(w); x += 4 {
			ina, inb := inside(a, x, y), inside(b, x, y)
			if ina && inb {
				both++
			}
			if ina || inb {
				either++
			}
		}
	}
	if either == 0 {
		return 0
	}
	return float64(both) / float64(either)
}
