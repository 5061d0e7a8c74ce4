package specimen

import "math"

// ground is the texture under a document: a colour, two scales of stains, and a grain that has a direction.
type ground struct {
	seed             uint64
	light, dark      [3]float32
	stain            float64 // pixels of a stain
	grainX, grainY   float64 // pixels of the grain, across and along
	stainPart, grain float32
	weave            float64 // pixels of a thread; 0 has none
	clutter          Background
	unit             float64 // width of a card in pixels: the size of what lies around
}

// newGround makes the ground of a picture in which a document is unit pixels wide.
func newGround(kind Background, seed uint64, unit float64) ground {
	switch kind {
	case Keys, Print, Cards:
		return ground{seed: seed, light: [3]float32{206, 204, 198}, dark: [3]float32{176, 174, 170},
			stain: 160, grainX: 4, grainY: 4, stainPart: 0.6, grain: 0.4, clutter: kind, unit: unit}
	case Cloth:
		return ground{seed: seed, light: [3]float32{74, 88, 118}, dark: [3]float32{34, 42, 64},
			stain: 190, grainX: 3, grainY: 3, stainPart: 0.35, grain: 0.35, weave: 5}
	case Stone:
		return ground{seed: seed, light: [3]float32{186, 184, 178}, dark: [3]float32{112, 112, 110},
			stain: 90, grainX: 5, grainY: 5, stainPart: 0.55, grain: 0.45}
	}
	return ground{seed: seed, light: [3]float32{156, 112, 74}, dark: [3]float32{78, 50, 30},
		stain: 240, grainX: 110, grainY: 4, stainPart: 0.35, grain: 0.65}
}

// at is the ground's colour at a pixel.
func (g *ground) at(x, y float64) [3]float32 {
	tone := g.stainPart*valueNoise(g.seed, x/g.stain, y/g.stain) +
		g.grain*(0.65*valueNoise(g.seed+1, x/g.grainX, y/g.grainY)+0.35*valueNoise(g.seed+2, x/g.grainX*2.3, y/g.grainY*2.3))
	if g.weave > 0 {
		tone += 0.15 * float32(1+math.Sin(x*2*math.Pi/g.weave)*math.Sin(y*2*math.Pi/g.weave))
	}
	var colour [3]float32
	for k := range colour {
		colour[k] = g.dark[k] + (g.light[k]-g.dark[k])*tone
	}
	if g.clutter != "" {
		shade := g.shade(x, y)
		for k := range colour {
			colour[k] *= shade[k]
		}
	}
	return colour
}

// shade is what the clutter leaves of the light, by colour.
func (g *ground) shade(x, y float64) [3]float32 {
	grey := func(v float32) [3]float32 { return [3]float32{v, v, v} }
	mm := g.unit / cardWidth
	switch g.clutter {
	case Keys: // keys of 16 mm every 19 mm, rows shifted, with a letter each
		const pitch, gap = 19, 1.5
		row := math.Floor(y / mm / pitch)
		u, v := x/mm+5*row, y/mm
		column := math.Floor(u / pitch)
		u, v = u-column*pitch, v-row*pitch
		switch {
		case u < gap || v < gap || u > pitch-gap || v > pitch-gap:
			return grey(0.12)
		case g.letter(column, row, (u-4)/4, (v-4)/5):
			return grey(0.95)
		}
		return grey(0.3)
	case Print: // lines of letters of 2 mm, every 4.5 mm
		const pitch, high, wide = 4.5, 2.2, 1.6
		row := math.Floor(y / mm / pitch)
		column := math.Floor(x / mm / wide)
		u, v := x/mm-column*wide, y/mm-row*pitch
		blank := lattice(g.seed+3, int64(column), int64(row)) < 0.17
		if !blank && v < high && g.letter(column, row, u/(0.8*wide), v/high) {
			return grey(0.15)
		}
		return grey(1.1)
	case Cards: // cards close to each other, in rows that are shifted
		const pitchX, pitchY = cardWidth + 7, cardHeight + 6
		row := math.Floor(y / mm / pitchY)
		u, v := x/mm+31*row+17, y/mm+9
		column := math.Floor(u / pitchX)
		u = u - column*pitchX
		v = v - math.Floor(v/pitchY)*pitchY
		if u > cardWidth || v > cardHeight {
			return grey(0.4)
		}
		hue := lattice(g.seed+4, int64(column), int64(row))
		colour := [3]float32{0.55 + 0.6*hue, 0.85, 1.15 - 0.6*hue}
		if line := math.Floor(v / 6); v-6*line < 2.4 && u > 30 && u < 78 && line > 1 && g.letter(math.Floor(u/2)+line*50, row*9+column, (u-2*math.Floor(u/2))/1.6, (v-6*line)/2.4) {
			return grey(0.2)
		}
		return colour
	}
	return grey(1)
}

// letter tells whether ink is at a place of a letter's box, both 0..1: marks of three by five strokes that a number chooses.
func (g *ground) letter(column, row, u, v float64) bool {
	if u < 0 || v < 0 || u >= 1 || v >= 1 {
		return false
	}
	return lattice(g.seed+5, int64(column)*15+int64(u*3), int64(row)*5+int64(v*5)) > 0.45
}

// valueNoise interpolates smoothly between random values 0..1 at whole positions.
func valueNoise(seed uint64, x, y float64) float32 {
	left, upper := math.Floor(x), math.Floor(y)
	fx, fy := float32(x-left), float32(y-upper)
	fx, fy = fx*fx*(3-2*fx), fy*fy*(3-2*fy)
	ix, iy := int64(left), int64(upper)
	top := lattice(seed, ix, iy) + (lattice(seed, ix+1, iy)-lattice(seed, ix, iy))*fx
	bottom := lattice(seed, ix, iy+1) + (lattice(seed, ix+1, iy+1)-lattice(seed, ix, iy+1))*fx
	return top + (bottom-top)*fy
}

// lattice is a random value 0..1 for a whole position: the finalizer of SplitMix64.
func lattice(seed uint64, x, y int64) float32 {
	h := seed*0x9e3779b97f4a7c15 + uint64(x)*0xbf58476d1ce4e5b9 + uint64(y)*0x94d049bb133111eb
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return float32((h^h>>31)>>40) / (1 << 24)
}
