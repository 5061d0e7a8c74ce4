package main

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"golang.org/x/image/draw"
)

// What a picture is drawn as, held before a camera.
const (
	drawnScreen = "screen, drawn"
	drawnPrint  = "print, drawn"
)

// The frame of the camera, px, upright.
const (
	frameWidth  = 600
	frameHeight = 800
)

// carrier is the screen or sheet that shows a picture: where it is, and what it does to the picture's light.
type carrier struct {
	kind          string
	picture       *image.RGBA
	cx, cy        float64 // centre in the frame
	width, height float64 // px of the frame
	sin, cos      float64 // how it is turned in the frame
	tilt          float64 // how much larger its lower edge is than its middle, as a share
	border        float64 // of a screen's bezel or a sheet's margin, share of the width
	cells         float64 // pixels of the screen, or dots of the print, along the width
	dark, light   float64 // what black and white become, 0..1
	gamma         float64
	tint          [3]float64
	saturation    float64
	glareX        float64 // of a reflection, in shares of the carrier
	glareY        float64
	glare         float64
}

// recapture draws how a camera sees a picture on a screen or as a print: the carrier's edges and background, its cells or
// dots, its range of light and colour, a reflection, blur and noise. It is a drawing, not a measurement: it has what is
// known to give recaptures away, as strong as its author thought right.
func recapture(picture image.Image, kind string, rng *rand.Rand) *image.RGBA {
	between := func(low, high float64) float64 { return low + (high-low)*rng.Float64() }
	// Nothing finer than a pixel of the frame is needed, and a plain layout is read fast.
	b := picture.Bounds()
	shrink := min(1, 2*frameWidth/float64(max(b.Dx(), b.Dy())))
	plain := image.NewRGBA(image.Rect(0, 0, max(int(float64(b.Dx())*shrink), 1), max(int(float64(b.Dy())*shrink), 1)))
	draw.ApproxBiLinear.Scale(plain, plain.Bounds(), picture, b, draw.Src, nil)
	c := carrier{
		kind: kind, picture: plain, cx: frameWidth / 2 * between(0.92, 1.08), cy: frameHeight / 2 * between(0.92, 1.08),
		tilt: between(-0.06, 0.06), gamma: between(0.85, 1.15), glareX: rng.Float64(), glareY: rng.Float64(), saturation: 1,
	}
	c.sin, c.cos = math.Sincos(between(-0.1, 0.1))
	size := picture.Bounds()
	c.width = between(0.62, 0.85) * frameWidth
	c.height = c.width * float64(size.Dy()) / float64(size.Dx())
	if most := 0.85 * frameHeight; c.height > most {
		c.width, c.height = c.width*most/c.height, most
	}
	if kind == drawnScreen {
		c.border, c.cells = between(0.02, 0.07), between(700, 1400)
		c.dark, c.light = between(0.02, 0.1), between(0.85, 1)
		c.tint, c.glare = [3]float64{between(0.92, 1), 1, between(1, 1.1)}, between(0, 0.35)
	} else {
		c.border, c.cells = between(0.03, 0.09), between(150, 300)
		c.dark, c.light = between(0.1, 0.2), between(0.7, 0.92)
		c.tint, c.glare = [3]float64{1, between(0.96, 1), between(0.88, 1)}, between(0, 0.1)
		c.saturation = between(0.4, 0.85)
	}
	return c.photograph(room(rng), between(0.006, 0.02), rng)
}

// room is a background: a wall's gradient with a few large, unsharp things.
func room(rng *rand.Rand) func(x, y float64) [3]float64 {
	type thing struct{ x, y, rx, ry, level float64 }
	things := make([]thing, 5)
	for i := range things {
		things[i] = thing{rng.Float64() * frameWidth, rng.Float64() * frameHeight, 60 + 160*rng.Float64(), 60 + 220*rng.Float64(), 0.5*rng.Float64() - 0.25}
	}
	base, slope := 0.25+0.4*rng.Float64(), 0.3*(rng.Float64()-0.5)
	warm := 0.1 * rng.Float64()
	return func(x, y float64) [3]float64 {
		v := base + slope*(y/frameHeight-0.5)
		for _, t := range things {
			d := math.Hypot((x-t.x)/t.rx, (y-t.y)/t.ry)
			v += t.level / (1 + math.Exp(12*(d-1)))
		}
		return [3]float64{v + warm, v, v - warm}
	}
}

// photograph samples the scene twice along each axis of a pixel, adds noise and rounds.
func (c carrier) photograph(background func(x, y float64) [3]float64, noise float64, rng *rand.Rand) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, frameWidth, frameHeight))
	for y := range frameHeight {
		for x := range frameWidth {
			var sum [3]float64
			for _, at := range [4][2]float64{{0.25, 0.25}, {0.75, 0.25}, {0.25, 0.75}, {0.75, 0.75}} {
				px, py := float64(x)+at[0], float64(y)+at[1]
				light, ok := c.light3(px, py)
				if !ok {
					light = background(px, py)
				}
				for k := range sum {
					sum[k] += light[k] / 4
				}
			}
			var level [3]uint8
			for k := range sum {
				level[k] = uint8(255*min(max(sum[k]+noise*rng.NormFloat64(), 0), 1) + 0.5)
			}
			out.SetRGBA(x, y, color.RGBA{level[0], level[1], level[2], 255})
		}
	}
	return out
}

// light3 is the light that comes from the carrier at a point of the frame; ok is false beside it.
func (c carrier) light3(x, y float64) (light [3]float64, ok bool) {
	dx, dy := x-c.cx, y-c.cy
	dx, dy = dx*c.cos+dy*c.sin, dy*c.cos-dx*c.sin
	wider := 1 + c.tilt*2*dy/c.height
	u, v := 0.5+dx/(c.width*wider), 0.5+dy/c.height
	edgeX, edgeY := c.border, c.border*c.width/c.height
	if u < -edgeX || u > 1+edgeX || v < -edgeY || v > 1+edgeY {
		return light, false
	}
	if u < 0 || u >= 1 || v < 0 || v >= 1 {
		if c.kind == drawnScreen {
			return [3]float64{0.03, 0.03, 0.035}, true
		}
		return [3]float64{c.light * c.tint[0], c.light * c.tint[1], c.light * c.tint[2]}, true
	}
	light = sample(c.picture, u, v)
	inks := [3][2]float64{{0.2588, 0.9659}, {0.5, 0.8660}, {0.7071, 0.7071}} // sine and cosine of 15°, 30° and 45°
	mean := (light[0] + light[1] + light[2]) / 3
	cell, row := u*c.cells, v*c.cells*c.height/c.width
	glare := c.glare * math.Exp(-8*((u-c.glareX)*(u-c.glareX)+(v-c.glareY)*(v-c.glareY)))
	for k := range light {
		value := mean + c.saturation*(light[k]-mean)
		value = math.Pow(min(max(value, 0), 1), c.gamma)
		if c.kind == drawnScreen {
			// A pixel has a third for each colour and a dark line below.
			if int(3*(cell-math.Floor(cell))) == k {
				value *= 1.5
			} else {
				value *= 0.75
			}
			if row-math.Floor(row) > 0.85 {
				value *= 0.6
			}
		} else {
			// Dots whose size follows the tone, on a grid that is turned differently for each ink.
			sin, cos := inks[k][0], inks[k][1]
			dot := 0.5 + 0.25*(math.Cos(2*math.Pi*(cell*cos+row*sin))+math.Cos(2*math.Pi*(row*cos-cell*sin)))
			value = 0.65*value + 0.35/(1+math.Exp(10*(dot-value)))
		}
		light[k] = (c.dark+(c.light-c.dark)*value)*c.tint[k] + glare
	}
	return light, true
}

// sample reads a picture at a share of its sides, bilinearly, 0..1.
func sample(picture *image.RGBA, u, v float64) [3]float64 {
	w, h := picture.Rect.Dx(), picture.Rect.Dy()
	x, y := u*float64(w)-0.5, v*float64(h)-0.5
	x0, y0 := math.Floor(x), math.Floor(y)
	var sum [3]float64
	for j := range 2 {
		for i := range 2 {
			share := math.Abs(float64(1-i)-(x-x0)) * math.Abs(float64(1-j)-(y-y0)) / 255
			at := picture.PixOffset(min(max(int(x0)+i, 0), w-1), min(max(int(y0)+j, 0), h-1))
			for k := range sum {
				sum[k] += share * float64(picture.Pix[at+k])
			}
		}
	}
	return sum
}
