package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"kycd/vision/mrzread/glyphs"
)

// glyphPitch is the width of a column, in pixels, in which the glyphs are drawn before they are photographed.
const glyphPitch = 48

// typeface holds the glyphs as masks of glyphPitch × 2·glyphPitch pixels; the middle of a capital is the mask's middle.
type typeface [len(glyphs.Alphabet)][]float32

// loadTypeface draws the glyphs of one font file, and those that x/image cannot draw (the filler of the regular cut
// uses an operator that it does not know) of another.
func loadTypeface(path, reserve string) (face typeface, err error) {
	first, err := openFont(path)
	if err != nil {
		return face, err
	}
	second, err := openFont(reserve)
	if err != nil {
		return face, err
	}
	for i, c := range glyphs.Alphabet { // the blank draws nothing
		face[i] = make([]float32, glyphPitch*2*glyphPitch)
		if c == glyphs.Blank {
			continue
		}
		mask := first.draw(c)
		if mask == nil {
			mask = second.draw(c)
		}
		if mask == nil {
			return face, fmt.Errorf("no glyph for %q", c)
		}
		for k, v := range mask.Pix {
			face[i][k] = float32(v) / 255
		}
	}
	return face, nil
}

// scaledFont is a font in the size in which one column is glyphPitch pixels wide.
type scaledFont struct {
	face   font.Face
	middle fixed.Int26_6 // of a capital, from the base line
}

func openFont(path string) (scaledFont, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return scaledFont{}, err
	}
	parsed, err := opentype.Parse(raw)
	if err != nil {
		return scaledFont{}, err
	}
	probe, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 100, DPI: 72})
	if err != nil {
		return scaledFont{}, err
	}
	advance, _ := probe.GlyphAdvance('H')
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 100 * glyphPitch * 64 / float64(advance), DPI: 72})
	if err != nil {
		return scaledFont{}, err
	}
	bounds, _, _ := face.GlyphBounds('H')
	return scaledFont{face: face, middle: (bounds.Min.Y + bounds.Max.Y) / 2}, nil
}

// draw is nil for a glyph that cannot be drawn.
func (f scaledFont) draw(c rune) *image.Gray {
	if bounds, _, ok := f.face.GlyphBounds(c); !ok || bounds.Empty() {
		return nil
	}
	img := image.NewGray(image.Rect(0, 0, glyphPitch, 2*glyphPitch))
	drawer := font.Drawer{Dst: img, Src: image.White, Face: f.face, Dot: fixed.Point26_6{Y: fixed.I(glyphPitch) - f.middle}}
	drawer.DrawString(string(c))
	return img
}

// ink is how much of the line's print lies at column u (in pitches) and height v (in pitches from its middle); the
// glyphs are made narrower in their columns by a factor.
func (f typeface) ink(text []int, u, v, narrow float64) float32 {
	column := int(math.Floor(u))
	if column < 0 || column >= len(text) {
		return 0
	}
	x, y := ((u-float64(column)-0.5)/narrow+0.5)*glyphPitch-0.5, (v+1)*glyphPitch-0.5
	x0, y0 := int(math.Floor(x)), int(math.Floor(y))
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	at := func(x, y int) float32 {
		if x < 0 || y < 0 || x >= glyphPitch || y >= 2*glyphPitch {
			return 0
		}
		return f[text[column]][y*glyphPitch+x]
	}
	return (at(x0, y0)*(1-fx)+at(x0+1, y0)*fx)*(1-fy) + (at(x0, y0+1)*(1-fx)+at(x0+1, y0+1)*fx)*fy
}

// photograph prints a line and takes a bad picture of it, as a strip such as the reader cuts out. columnAt tells
// which column, in pitches from the line's beginning, lies at a pixel of the strip.
func photograph(f typeface, text []int, random *rand.Rand) (strip glyphs.Strip, columnAt func(x float64) float64) {
	between := func(a, b float64) float64 { return a + (b-a)*random.Float64() }
	often := func(share float64) bool { return random.Float64() < share }
	// Most pictures are fair, some are bad in every way: what no one could read teaches nothing.
	bad := math.Pow(random.Float64(), 1.3)
	// The picture is taken at its own resolution first: blur and noise belong to the camera, not to the strip.
	pitch := math.Exp(between(math.Log(6.5), math.Log(30))) // pixels of the camera
	stretch := between(0.9, 1.12)                           // of the height against the width
	tilt := between(-0.012, 0.012)
	bend := between(-0.8, 0.8)
	lean := between(-0.22, 0.22)
	narrow := between(0.86, 1.14)
	thick := between(-0.3, 0.3)
	middle := between(-0.14, 0.14)
	margin := between(1.5, 3.5)
	rule := between(-4, 2.6) // distance of a ruled edge before and behind the text; mostly there is none
	// No two printers draw a letter alike: each is bent a little, all in the same way.
	warp, warpTurn := between(0, 0.02), between(0, 2*math.Pi)
	neighbour := between(1.55, 3.2) // distance of the lines above and below, in pitches
	above, below := randomText(random), randomText(random)
	w := int((float64(len(text)) + 2*margin) * pitch)
	h := int(2 * pitch * 1.05)
	blur := math.Max(between(0.25, 0.8), pitch*between(0, 0.15)*bad)
	cells := float64(len(text))
	picture := make([]float32, w*h)
	fine := 2
	if pitch > 15 {
		fine = 1
	}
	for y := range h {
		for x := range w {
			var sum float32
			for s := range fine * fine {
				px := (float64(x) + (float64(s%fine)+0.5)/float64(fine)) / pitch
				py := (float64(y)+(float64(s/fine)+0.5)/float64(fine))/pitch - float64(h)/pitch/2
				t := (px - margin) / cells
				v := (py - middle - tilt*(px-cells/2)) / stretch
				u := px - margin + bend*(t*t-t) + lean*v
				inner := u - math.Floor(u)
				du := u + warp*math.Sin(2*math.Pi*v+warpTurn)
				dv := v + warp*math.Sin(2*math.Pi*inner+2*warpTurn)
				sum += f.ink(text, du, dv, narrow)
				if off := neighbour - 0.55; v < -off {
					sum += f.ink(above, u, v+neighbour, narrow)
				} else if v > off {
					sum += f.ink(below, u, v-neighbour, narrow)
				}
				if rule > 0.5 && (math.Abs(u+rule) < 0.06 || math.Abs(u-cells-rule) < 0.06) {
					sum++
				}
			}
			picture[y*w+x] = sum / float32(fine*fine)
		}
	}
	picture = soften(picture, w, h, blur)
	if often(0.4) {
		picture = smeared(picture, w, h, pitch*between(0.05, 0.45)*bad, between(0, math.Pi))
	}
	paper := between(45, 250)
	ink := paper * between(0.05, 0.5)
	if paper-ink < 28 {
		ink = paper - 28
	}
	noise := math.Max(0.4, (paper-ink)*between(0, 0.16)*bad)
	shadeX, shadeY := between(-0.35, 0.35)*paper, between(-0.1, 0.1)*paper
	waves, waveLength, waveAngle := between(0, 0.08)*paper, between(3, 14), between(0, math.Pi)
	lamp, lampX, lampWide := 0.0, between(0, float64(w)), between(1.5, 8)*pitch
	if often(0.1) {
		lamp = between(20, 200)
	}
	for y := range h {
		for x := range w {
			i := y*w + x
			// A blur followed by a curve makes strokes thinner or thicker.
			v := float64(picture[i])
			v = math.Pow(v, math.Exp(-2*thick))
			ground := paper + shadeX*(float64(x)/float64(w)-0.5) + shadeY*(float64(y)/float64(h)-0.5) +
				waves*math.Sin(2*math.Pi*(float64(x)*math.Cos(waveAngle)+float64(y)*math.Sin(waveAngle))/waveLength)
			grey := ground*(1-v) + ink*v + random.NormFloat64()*noise
			if lamp > 0 {
				d := (float64(x) - lampX) / lampWide
				grey += lamp * math.Exp(-d*d)
			}
			picture[i] = float32(math.Min(math.Max(grey, 0), 255))
		}
	}
	sharpened(picture, w, h, between(-1.2, 1.2))
	if often(0.7) {
		picture = compressed(picture, w, h, 25+random.IntN(70))
	}
	strip, scale := lay(picture, w, h, pitch, between(0.86, 1.18))
	return strip, func(x float64) float64 {
		px := (x + 0.5) * scale / pitch
		t := (px - margin) / cells
		return px - margin + bend*(t*t-t)
	}
}

// smeared is the picture taken by a hand that moved: the mean along a short path, pixels, at an angle.
func smeared(in []float32, w, h int, length, angle float64) []float32 {
	steps := max(int(2*length), 2)
	sin, cos := math.Sincos(angle)
	out := make([]float32, len(in))
	for s := range steps {
		d := length * (float64(s)/float64(steps-1) - 0.5)
		dx, dy := d*cos, d*sin
		x0, y0 := int(math.Floor(dx)), int(math.Floor(dy))
		fx, fy := float32(dx-float64(x0)), float32(dy-float64(y0))
		for y := range h {
			upper := in[min(max(y+y0, 0), h-1)*w:]
			lower := in[min(max(y+y0+1, 0), h-1)*w:]
			for x := range w {
				a, b := min(max(x+x0, 0), w-1), min(max(x+x0+1, 0), w-1)
				out[y*w+x] += ((upper[a]*(1-fx)+upper[b]*fx)*(1-fy) + (lower[a]*(1-fx)+lower[b]*fx)*fy) / float32(steps)
			}
		}
	}
	return out
}

// lay brings the picture to the scale of a strip, as the reader does, and says how many of its pixels make one of the strip.
func lay(picture []float32, w, h int, pitch, error float64) (glyphs.Strip, float64) {
	scale := pitch / (glyphs.StripLetter * 1.03 * error) // pixels of the camera for one of the strip
	s := glyphs.Strip{Width: int(float64(w) / scale)}
	s.Gray = make([]byte, s.Width*glyphs.StripHeight)
	for y := range glyphs.StripHeight {
		for x := range s.Width {
			px := (float64(x)+0.5)*scale - 0.5
			py := (float64(y)+0.5-glyphs.StripHeight/2)*scale + float64(h)/2 - 0.5
			x0 := min(max(int(px), 0), w-2)
			y0 := min(max(int(py), 0), h-2)
			fx := float32(math.Min(math.Max(px-float64(x0), 0), 1))
			fy := float32(math.Min(math.Max(py-float64(y0), 0), 1))
			i := y0*w + x0
			top := picture[i]*(1-fx) + picture[i+1]*fx
			bottom := picture[i+w]*(1-fx) + picture[i+w+1]*fx
			s.Gray[y*s.Width+x] = byte(top*(1-fy) + bottom*fy)
		}
	}
	return s, scale
}

// sharpened does what cameras do to a picture: edges get a rim. Amounts below 0 do nothing.
func sharpened(picture []float32, w, h int, amount float64) {
	if amount <= 0 {
		return
	}
	soft := soften(picture, w, h, 1)
	for i, v := range picture {
		picture[i] = min(max(v+float32(amount)*(v-soft[i]), 0), 255)
	}
}

// compressed is the picture as a JPEG gives it back.
func compressed(picture []float32, w, h, quality int) []float32 {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i, v := range picture {
		img.Pix[i] = byte(v)
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: quality}); err != nil {
		return picture
	}
	decoded, err := jpeg.Decode(&file)
	if err != nil {
		return picture
	}
	out := make([]float32, w*h)
	for i := range out {
		out[i] = float32(color.GrayModel.Convert(decoded.At(i%w, i/w)).(color.Gray).Y)
	}
	return out
}

// soften is a Gaussian blur, as three box blurs would be, by its kernel.
func soften(in []float32, w, h int, sigma float64) []float32 {
	r := int(math.Ceil(2.5 * sigma))
	kernel := make([]float32, 2*r+1)
	var total float32
	for i := range kernel {
		kernel[i] = float32(math.Exp(-float64((i-r)*(i-r)) / (2 * sigma * sigma)))
		total += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= total
	}
	rows := make([]float32, len(in))
	for y := range h {
		for x := range w {
			var s float32
			for k, g := range kernel {
				s += g * in[y*w+min(max(x+k-r, 0), w-1)]
			}
			rows[y*w+x] = s
		}
	}
	out := make([]float32, len(in))
	for y := range h {
		for k, g := range kernel {
			row := rows[min(max(y+k-r, 0), h-1)*w:]
			for x := range w {
				out[y*w+x] += g * row[x]
			}
		}
	}
	return out
}
