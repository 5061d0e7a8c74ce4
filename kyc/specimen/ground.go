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
}

func newGround(kind Background, seed uint64) ground {
	switch kind {
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
	return colour
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
