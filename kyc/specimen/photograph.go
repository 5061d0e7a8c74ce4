package specimen

import (
	"bytes"
	"image"
	"image/draw"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// Photo is a rendered photograph and what is known of it.
type Photo struct {
	JPEG          []byte
	Width, Height int
	Corners       [4]Point // of the document, clockwise from its own upper left, in pixels
}

// View is the photograph's part of a truth.
func (p Photo) View(file string) View {
	return View{File: file, Width: p.Width, Height: p.Height, Corners: p.Corners}
}

// Photograph renders a flat document as a phone would see it in the scene. Equal arguments give equal bytes. The error
// is an *Error.
func Photograph(document image.Image, s Scene) (Photo, error) {
	if err := s.validate(document); err != nil {
		return Photo{}, err
	}
	rng := rand.New(rand.NewPCG(s.Seed, 0xca3e7a))
	plane := s.project(document.Bounds(), rng)
	return s.take(rng, placed{shrunk(toRGBA(document), plane), plane})
}

// PhotographTwo renders two documents in one picture, one above the other, or beside each other where the picture is more than
// twice as wide as high. Fill, Shift and Cut are of the half that each lies in. The photo's corners are those of the first. The
// error is an *Error.
func PhotographTwo(first, second image.Image, s Scene) (Photo, error) {
	for _, document := range []image.Image{first, second} {
		if err := s.validate(document); err != nil {
			return Photo{}, err
		}
	}
	half, right, down := s, 0, s.Height/2
	half.Height /= 2
	if s.Width > 2*s.Height {
		half, right, down = s, s.Width/2, 0
		half.Width /= 2
	}
	rng := rand.New(rand.NewPCG(s.Seed, 0xca3e7a))
	plane := half.project(first.Bounds(), rng)
	other := half.project(second.Bounds(), rng).moved(float64(right), float64(down))
	return s.take(rng, placed{shrunk(toRGBA(first), plane), plane}, placed{shrunk(toRGBA(second), other), other})
}

// placed is a document where it lies in the picture.
type placed struct {
	flat  *image.RGBA
	plane projection
}

// take renders what lies there. Lamps shine on the first.
func (s Scene) take(rng *rand.Rand, documents ...placed) (Photo, error) {
	first := documents[0].plane
	light := s.light(first, rng)
	corners := first.corners()
	ground := newGround(s.Background, s.Seed, math.Hypot(corners[1].X-corners[0].X, corners[1].Y-corners[0].Y))

	picture := newRaster(s.Width, s.Height)
	eachRow(s.Height, func(y int) {
		row := picture.row(y)
		for x := range s.Width {
			colour, surface := pixel(documents, &ground, float64(x), float64(y), row[3*x:3*x+3])
			light.shine(float64(x), float64(y), surface, colour)
		}
	})
	if s.Motion > 0 {
		picture = picture.smeared(s.Motion, rng.Float64()*math.Pi)
	}
	if s.Blur > 0 {
		picture = picture.blurred(s.Blur)
	}
	encoded, err := picture.encode(s.Seed, s.Noise, s.Quality)
	return Photo{JPEG: encoded, Width: s.Width, Height: s.Height, Corners: corners}, err
}

// offsets are where a pixel is sampled: four points, no two in line, so that edges of every direction come out smooth.
func offsets() [4]Point {
	return [4]Point{{0.375, 0.125}, {0.875, 0.375}, {0.125, 0.625}, {0.625, 0.875}}
}

// pixel writes the colour that the scene has at a pixel, and says how much of it is a document's surface.
func pixel(documents []placed, ground *ground, x, y float64, into []float32) (colour []float32, surface float32) {
	var sum [3]float32
	lift := float32(1)
	for _, offset := range offsets() {
		on := false
		for i := range documents {
			flat, plane := documents[i].flat, &documents[i].plane
			at := apply(&plane.inverse, x+offset.X, y+offset.Y)
			inside, distance := plane.cover(at)
			if !inside {
				lift = min(lift, contactShadow(distance))
				continue
			}
			sample := bilinear(flat, (at.X+0.5)*float64(flat.Rect.Dx())-0.5, (at.Y+plane.aspect)/(2*plane.aspect)*float64(flat.Rect.Dy())-0.5)
			for k := range sum {
				sum[k] += sample[k] / 4
			}
			on = true
			break
		}
		if on {
			surface += 0.25
		}
	}
	if surface < 1 {
		below := ground.at(x, y)
		for k := range sum {
			sum[k] += below[k] * lift * (1 - surface)
		}
	}
	copy(into, sum[:])
	return into, surface
}

// cornerRadius is that of ISO/IEC 7810, in document widths.
const cornerRadius = 3.18 / cardWidth

// cover tells whether a position in the plane is on the document with its rounded corners, and how far outside it is.
func (p *projection) cover(at Point) (inside bool, distance float64) {
	x := math.Abs(at.X) - (0.5 - cornerRadius)
	y := math.Abs(at.Y) - (p.aspect - cornerRadius)
	if x <= 0 || y <= 0 { // not in a corner's square, as nearly everything
		distance = max(x, y) - cornerRadius
	} else {
		distance = math.Sqrt(x*x+y*y) - cornerRadius
	}
	return distance <= 0, distance
}

// contactShadow darkens the ground close to the document's edge.
func contactShadow(distance float64) float32 {
	const reach = 0.035
	if distance >= reach {
		return 1
	}
	near := 1 - distance/reach
	return float32(1 - 0.45*near*near)
}

// shrunk halves the flat document until the picture no longer skips its pixels; sampling does the rest.
func shrunk(flat *image.RGBA, plane projection) *image.RGBA {
	corners := plane.corners()
	width := math.Hypot(corners[1].X-corners[0].X, corners[1].Y-corners[0].Y)
	for float64(flat.Rect.Dx()) > 2.2*width && flat.Rect.Dx() > 64 && flat.Rect.Dy() > 64 {
		flat = halved(flat)
	}
	return flat
}

func halved(img *image.RGBA) *image.RGBA {
	half := image.NewRGBA(image.Rect(0, 0, img.Rect.Dx()/2, img.Rect.Dy()/2))
	for y := range half.Rect.Dy() {
		upper, lower := img.Pix[2*y*img.Stride:], img.Pix[(2*y+1)*img.Stride:]
		for x := range half.Rect.Dx() {
			for k := range 4 {
				sum := int(upper[8*x+k]) + int(upper[8*x+4+k]) + int(lower[8*x+k]) + int(lower[8*x+4+k])
				half.Pix[y*half.Stride+4*x+k] = uint8((sum + 2) / 4)
			}
		}
	}
	return half
}

// toRGBA gives the picture with its origin at (0, 0).
func toRGBA(img image.Image) *image.RGBA {
	if rgba, ok := img.(*image.RGBA); ok && rgba.Rect.Min == (image.Point{}) {
		return rgba
	}
	rgba := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(rgba, rgba.Rect, img, img.Bounds().Min, draw.Src)
	return rgba
}

// bilinear samples between pixel centres; beyond the edge the edge repeats.
func bilinear(img *image.RGBA, x, y float64) [3]float32 {
	left, upper := math.Floor(x), math.Floor(y)
	fx, fy := float32(x-left), float32(y-upper)
	x0, x1 := clampInt(int(left), img.Rect.Dx()), clampInt(int(left)+1, img.Rect.Dx())
	y0, y1 := clampInt(int(upper), img.Rect.Dy()), clampInt(int(upper)+1, img.Rect.Dy())
	a, b := img.Pix[y0*img.Stride+4*x0:], img.Pix[y0*img.Stride+4*x1:]
	c, d := img.Pix[y1*img.Stride+4*x0:], img.Pix[y1*img.Stride+4*x1:]
	var colour [3]float32
	for k := range colour {
		top := float32(a[k]) + (float32(b[k])-float32(a[k]))*fx
		bottom := float32(c[k]) + (float32(d[k])-float32(c[k]))*fx
		colour[k] = top + (bottom-top)*fy
	}
	return colour
}

func clampInt(at, size int) int { return min(max(at, 0), size-1) }

// light is how the scene is lit: a slope of brightness, a shadow's edge, and reflections of lamps.
type light struct {
	exposure       float64
	centre         Point
	slope          Point // change of brightness per pixel
	tint           [3]float64
	shadow         float64
	shadowNormal   Point // unit vector; the shadow lies where the position along it exceeds shadowAt
	shadowAt, soft float64
	lamps          []lamp
}

// lamp is the reflection of one lamp: a bright ellipse.
type lamp struct {
	centre   Point
	across   Point // unit vector along the shorter axis
	rx, ry   float64
	strength float64
}

func (s Scene) light(plane projection, rng *rand.Rand) light {
	w, h := float64(s.Width), float64(s.Height)
	angle := rng.Float64() * 2 * math.Pi
	warmth := spread(rng, 0.04)
	l := light{
		exposure: s.Brightness, centre: Point{w / 2, h / 2},
		slope: Point{0.12 * math.Cos(angle) / w, 0.12 * math.Sin(angle) / w},
		tint:  [3]float64{1 + warmth, 1, 1 - warmth},
	}
	side := rng.Float64() * 2 * math.Pi
	l.shadow, l.shadowNormal = s.Shadow, Point{math.Cos(side), math.Sin(side)}
	l.shadowAt, l.soft = (0.05+0.25*rng.Float64())*w, 0.09*w
	lamps := 0
	if s.Glare > 0 {
		lamps = 1 + rng.IntN(2)
	}
	for range lamps {
		turn := rng.Float64() * math.Pi
		at := apply(&plane.forward, spread(rng, 0.42), spread(rng, 0.84*plane.aspect))
		l.lamps = append(l.lamps, lamp{
			centre: at, across: Point{math.Cos(turn), math.Sin(turn)},
			rx: (0.03 + 0.05*s.Glare*rng.Float64()) * w, ry: (0.05 + 0.12*s.Glare*rng.Float64()) * w,
			strength: 330 * s.Glare,
		})
	}
	return l
}

// shine lights a colour in place. Reflections show on the document's glossy surface, hardly on the ground.
func (l *light) shine(x, y float64, surface float32, colour []float32) {
	dx, dy := x-l.centre.X, y-l.centre.Y
	gain := l.exposure * (1 + dx*l.slope.X + dy*l.slope.Y - 0.10*(dx*dx+dy*dy)/(l.centre.X*l.centre.X+l.centre.Y*l.centre.Y))
	if l.shadow > 0 {
		depth := (dx*l.shadowNormal.X + dy*l.shadowNormal.Y - l.shadowAt) / l.soft
		gain *= 1 - l.shadow*smoothstep(depth)
	}
	var gleam float64
	for _, lamp := range l.lamps {
		lx, ly := x-lamp.centre.X, y-lamp.centre.Y
		across := (lx*lamp.across.X + ly*lamp.across.Y) / lamp.rx
		along := (ly*lamp.across.X - lx*lamp.across.Y) / lamp.ry
		if square := across*across + along*along; square < 16 {
			gleam += lamp.strength * math.Exp(-square)
		}
	}
	gleam *= 0.05 + 0.95*float64(surface)
	for k := range colour {
		colour[k] = float32(float64(colour[k])*gain*l.tint[k] + gleam)
	}
}

// smoothstep rises from 0 at −1 to 1 at 1.
func smoothstep(t float64) float64 {
	t = math.Min(1, math.Max(0, (t+1)/2))
	return t * t * (3 - 2*t)
}

// encode adds the sensor's noise and writes a JPEG.
func (r *raster) encode(seed uint64, noise float64, quality int) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, r.width, r.height))
	grain := newGrain(seed, noise)
	eachRow(r.height, func(y int) {
		rng := rand.New(rand.NewPCG(seed, uint64(y)<<1|1))
		from, to := r.row(y), img.Pix[y*img.Stride:]
		for x := range r.width {
			bits := rng.Uint64()
			luma := grain[bits&grainMask]
			for k := range 3 {
				bits >>= 16
				to[4*x+k] = clampByte(float64(from[3*x+k] + luma + 0.5*grain[bits&grainMask]))
			}
			to[4*x+3] = 255
		}
	})
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, &Error{Code: CodeEncodingFailed, Detail: "jpeg", cause: err}
	}
	return out.Bytes(), nil
}

// grainMask selects from a table of normally distributed numbers, which is much faster than drawing each.
const grainMask = 1<<12 - 1

func newGrain(seed uint64, deviation float64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0x9ea1))
	grain := make([]float32, grainMask+1)
	for i := range grain {
		grain[i] = float32(rng.NormFloat64() * deviation)
	}
	return grain
}

// eachRow calls work for every row, on all cores. Rows must not depend on each other.
func eachRow(rows int, work func(y int)) {
	workers := min(runtime.GOMAXPROCS(0), rows)
	var done sync.WaitGroup
	for worker := range workers {
		done.Go(func() {
			for y := worker; y < rows; y += workers {
				work(y)
			}
		})
	}
	done.Wait()
}
