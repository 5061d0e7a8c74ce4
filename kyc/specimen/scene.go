package specimen

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
)

// Background is what a document lies on.
type Background string

// The backgrounds.
const (
	Desk  Background = "desk"  // brown wood
	Cloth Background = "cloth" // woven, dark blue
	Stone Background = "stone" // light grey, mottled
	// What is cluttered holds edges and letters that are no document's.
	Keys  Background = "keys"  // a keyboard
	Print Background = "print" // a printed page
	Cards Background = "cards" // other cards, of a document's size and printed with lines
)

// Backgrounds lists all of them, the plain ones first.
func Backgrounds() []Background { return []Background{Desk, Cloth, Stone, Keys, Print, Cards} }

// Scene says how a phone sees a document. Angles are in degrees, lengths in pixels of the photograph.
type Scene struct {
	Seed          uint64
	Width, Height int
	Fill          float64 // share of the frame's width or height, whichever is tighter, that the document takes: 0.2 … 0.98
	Shift         float64 // how far off the middle it may lie, as a share of the free room: 0 … 1
	Cut           float64 // how much of the document's width and height lies outside of the picture, at one corner that the seed chooses: 0 … 0.5
	OneSide       bool    // what is cut off is a strip along one side, not a corner
	TiltX, TiltY  float64 // document leaning back, document turned to the side: −50 … 50
	Rotation      float64 // within the picture, clockwise
	Blur          float64 // standard deviation of the defocus
	Motion        float64 // length of the smear of a moving hand, in a direction that the seed chooses
	Glare         float64 // strength of lamp reflections on the surface, 0 … 1
	Shadow        float64 // depth of the photographer's shadow, 0 … 1
	Noise         float64 // standard deviation of the sensor noise, in levels of 255
	Brightness    float64 // factor of exposure, 1 = as printed
	Background    Background
	Quality       int // of the JPEG, 1 … 100
}

// Clean is a careful photograph: nearly from above, sharp, evenly lit.
func Clean(seed uint64) Scene {
	rng := sceneRandom(seed)
	return Scene{
		Seed: seed, Width: 1600, Height: 1200, Fill: 0.88, Shift: 0.4,
		TiltX: spread(rng, 3), TiltY: spread(rng, 3), Rotation: spread(rng, 2),
		Blur: 0.5, Noise: 2, Brightness: 0.97, Background: Desk, Quality: 92,
	}
}

// Handheld is the everyday photograph: some perspective, a little blur, a reflection, a soft shadow.
func Handheld(seed uint64) Scene {
	rng := sceneRandom(seed)
	grounds := []Background{Desk, Cloth, Stone}
	return Scene{
		Seed: seed, Width: 1600, Height: 1200, Fill: 0.84, Shift: 0.8,
		TiltX: spread(rng, 12), TiltY: spread(rng, 10), Rotation: spread(rng, 4),
		Blur: 0.7, Motion: 1.5, Glare: 0.3, Shadow: 0.25, Noise: 4, Brightness: 0.9,
		Background: grounds[rng.IntN(len(grounds))], Quality: 85,
	}
}

// Poor is what a reader may well refuse: strong perspective, blur, glare, little light.
func Poor(seed uint64) Scene {
	rng := sceneRandom(seed)
	grounds := []Background{Desk, Cloth, Stone}
	return Scene{
		Seed: seed, Width: 1280, Height: 960, Fill: 0.68, Shift: 1,
		TiltX: spread(rng, 30), TiltY: spread(rng, 26), Rotation: spread(rng, 15),
		Blur: 1.7, Motion: 5, Glare: 0.85, Shadow: 0.55, Noise: 9, Brightness: 0.62,
		Background: grounds[rng.IntN(len(grounds))], Quality: 60,
	}
}

func sceneRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5ce7e)) }

// spread is evenly distributed in −most … most.
func spread(rng *rand.Rand, most float64) float64 { return (2*rng.Float64() - 1) * most }

// mostPixels bounds a photograph: 50 megapixels are more than phones send.
const mostPixels = 50_000_000

// validate reports the first thing that makes no picture of the document.
func (s Scene) validate(document image.Image) error {
	if document == nil || document.Bounds().Empty() {
		return refuse(CodeImageMissing, "document")
	}
	within := func(value, low, high float64) bool { return value >= low && value <= high } // false for NaN
	switch {
	case s.Width < 64 || s.Height < 64 || s.Width > mostPixels/s.Height:
		return refuse(CodeSceneInvalid, "width, height")
	case !within(s.Fill, 0.2, 0.98):
		return refuse(CodeSceneInvalid, "fill")
	case !within(s.Shift, 0, 1):
		return refuse(CodeSceneInvalid, "shift")
	case !within(s.Cut, 0, 0.5):
		return refuse(CodeSceneInvalid, "cut")
	case !within(s.TiltX, -50, 50) || !within(s.TiltY, -50, 50):
		return refuse(CodeSceneInvalid, "tilt")
	case !within(s.Rotation, -360, 360):
		return refuse(CodeSceneInvalid, "rotation")
	case !within(s.Blur, 0, 12) || !within(s.Motion, 0, 40):
		return refuse(CodeSceneInvalid, "blur")
	case !within(s.Glare, 0, 1) || !within(s.Shadow, 0, 1):
		return refuse(CodeSceneInvalid, "glare, shadow")
	case !within(s.Noise, 0, 64) || !within(s.Brightness, 0.05, 3):
		return refuse(CodeSceneInvalid, "noise, brightness")
	case s.Quality < 1 || s.Quality > 100:
		return refuse(CodeSceneInvalid, "quality")
	case !slices.Contains(Backgrounds(), s.Background):
		return refuse(CodeSceneInvalid, "background")
	}
	return nil
}

// projection maps the document's plane to the picture and back. A position in the plane is in shares of the document's
// width, from its middle: the left edge is at x = −½, the upper edge at y = −aspect.
type projection struct {
	aspect  float64 // half the height, in widths
	forward [9]float64
	inverse [9]float64
}

// eyeDistance is how far the lens is from the document, in its widths: 19 cm for a card, as people hold phones.
const eyeDistance = 2.2

// project places the document of bounds as the scene wants it. What chance decides comes from rng.
func (s Scene) project(bounds image.Rectangle, rng *rand.Rand) projection {
	p := projection{aspect: float64(bounds.Dy()) / float64(bounds.Dx()) / 2}
	sinZ, cosZ := math.Sincos(s.Rotation * math.Pi / 180)
	sinX, cosX := math.Sincos(s.TiltX * math.Pi / 180)
	sinY, cosY := math.Sincos(s.TiltY * math.Pi / 180)
	// Turn within the plane, lean about the horizontal axis, turn about the vertical one: X, Y and depth Z of a position
	// (u, v) are linear in u and v, and the picture divides X and Y by 1 + Z/distance.
	xu, xv := cosY*cosZ+sinY*sinX*sinZ, -cosY*sinZ+sinY*sinX*cosZ
	yu, yv := cosX*sinZ, cosX*cosZ
	zu, zv := (-sinY*cosZ+cosY*sinX*sinZ)/eyeDistance, (sinY*sinZ+cosY*sinX*cosZ)/eyeDistance
	p.forward = [9]float64{xu, xv, 0, yu, yv, 0, zu, zv, 1}

	low, high := extent(p.corners())
	scale := math.Min(float64(s.Width)*s.Fill/(high.X-low.X), float64(s.Height)*s.Fill/(high.Y-low.Y))
	freeX := (float64(s.Width) - scale*(high.X-low.X)) / 2 * s.Shift
	freeY := (float64(s.Height) - scale*(high.Y-low.Y)) / 2 * s.Shift
	moveX := float64(s.Width)/2 - scale*(low.X+high.X)/2 + spread(rng, 0.9*freeX)
	moveY := float64(s.Height)/2 - scale*(low.Y+high.Y)/2 + spread(rng, 0.9*freeY)
	if s.Cut > 0 {
		moveX = beyond(rng, scale*low.X, scale*high.X, float64(s.Width), s.Cut)
		if y := beyond(rng, scale*low.Y, scale*high.Y, float64(s.Height), s.Cut); !s.OneSide {
			moveY = y
		}
	}
	p.forward = [9]float64{
		scale*xu + moveX*zu, scale*xv + moveX*zv, moveX,
		scale*yu + moveY*zu, scale*yv + moveY*zv, moveY,
		zu, zv, 1,
	}
	p.inverse = invert(p.forward)
	return p
}

// beyond gives by how much what reaches from low to high has to be moved so that a share of it lies outside of 0 … size, at either
// end.
func beyond(rng *rand.Rand, low, high, size, share float64) float64 {
	outside := share * (high - low)
	if rng.IntN(2) == 0 {
		return -outside - low
	}
	return size + outside - high
}

// moved is the projection with the picture moved by whole pixels.
func (p projection) moved(x, y float64) projection {
	for i := range 3 {
		p.forward[i] += x * p.forward[6+i]
		p.forward[3+i] += y * p.forward[6+i]
	}
	p.inverse = invert(p.forward)
	return p
}

// corners are the document's corners in the picture, clockwise from its own upper left.
func (p projection) corners() [4]Point {
	var corners [4]Point
	for i, at := range [4]Point{{-0.5, -p.aspect}, {0.5, -p.aspect}, {0.5, p.aspect}, {-0.5, p.aspect}} {
		corners[i] = apply(&p.forward, at.X, at.Y)
	}
	return corners
}

func extent(corners [4]Point) (low, high Point) {
	low, high = corners[0], corners[0]
	for _, at := range corners[1:] {
		low = Point{math.Min(low.X, at.X), math.Min(low.Y, at.Y)}
		high = Point{math.Max(high.X, at.X), math.Max(high.Y, at.Y)}
	}
	return low, high
}

// apply maps a position by a homography, given row by row.
func apply(h *[9]float64, x, y float64) Point {
	w := 1 / (h[6]*x + h[7]*y + h[8])
	return Point{(h[0]*x + h[1]*y + h[2]) * w, (h[3]*x + h[4]*y + h[5]) * w}
}

// invert gives the inverse of a homography, up to the scale that does not matter.
func invert(h [9]float64) [9]float64 {
	return [9]float64{
		h[4]*h[8] - h[5]*h[7], h[2]*h[7] - h[1]*h[8], h[1]*h[5] - h[2]*h[4],
		h[5]*h[6] - h[3]*h[8], h[0]*h[8] - h[2]*h[6], h[2]*h[3] - h[0]*h[5],
		h[3]*h[7] - h[4]*h[6], h[1]*h[6] - h[0]*h[7], h[0]*h[4] - h[1]*h[3],
	}
}
