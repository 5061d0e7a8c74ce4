package main

import (
	"math/rand/v2"
	"slices"

	"kycd/kyc/specimen"
)

// gridAxis is one way in which photographs differ, with its named levels from the easiest to the hardest.
type gridAxis struct {
	name   string
	levels []gridLevel
}

type gridLevel struct {
	name  string
	value float64
}

// level is a photograph's place on an axis.
type level struct{ axis, name string }

// The axes' names.
const (
	axisBlur        = "blur"
	axisRotation    = "rotation"
	axisPerspective = "perspective"
	axisGlare       = "glare"
	axisQuality     = "JPEG quality"
	axisSize        = "size"
	axisGround      = "ground"
)

// gridAxes are those of which every combination is photographed.
func gridAxes() []gridAxis {
	return []gridAxis{
		{axisBlur, []gridLevel{{"sharp", 0.5}, {"soft", 1}, {"blurred", 1.8}}},                             // standard deviation in px of a picture 1280 px wide
		{axisRotation, []gridLevel{{"upright", 0}, {"askew", 25}, {"sideways", 90}, {"upside down", 180}}}, // degrees, ± 4
		{axisPerspective, []gridLevel{{"flat", 2}, {"leaning", 15}, {"strong", 30}}},                       // degrees, in both directions
		{axisGlare, []gridLevel{{"none", 0}, {"reflection", 0.5}}},
		{axisQuality, []gridLevel{{"high", 92}, {"low", 40}}},
	}
}

// gridSizes are the photographs' sizes: the wider side, and how many of a hundred have it. Most are small so that many can be made.
func gridSizes() []gridLevel {
	return []gridLevel{{"1280 × 960", 1280}, {"1600 × 1200", 1600}, {"4000 × 3000", 4000}}
}

func sizeOf(rng *rand.Rand) gridLevel {
	sizes := gridSizes()
	switch share := rng.IntN(100); {
	case share < 3:
		return sizes[2]
	case share < 20:
		return sizes[1]
	}
	return sizes[0]
}

// cell is one combination of levels, by its number: 0 … cells−1.
func cell(number int) []gridLevel {
	var picked []gridLevel
	for _, a := range gridAxes() {
		picked = append(picked, a.levels[number%len(a.levels)])
		number /= len(a.levels)
	}
	return picked
}

func cells() int {
	n := 1
	for _, a := range gridAxes() {
		n *= len(a.levels)
	}
	return n
}

// cellsOfADocument is how many photographs are made of one document before the next one is drawn.
const cellsOfADocument = 12

// firstGridSeed keeps the documents of the grid apart from those of the named scenes.
const firstGridSeed = 2 * firstSeed

// gridPart is a side of a kind of document, and how often every cell is photographed of it.
type gridPart struct {
	kind  specimen.Type
	back  bool
	times int
}

// gridParts: reading text takes longest, so of fronts there are fewer.
func gridParts() []gridPart {
	return []gridPart{
		{specimen.DriverLicense, false, 1}, {specimen.IdentificationCard, false, 1}, {specimen.PassportCard, false, 1}, {specimen.Passport, false, 2},
		{specimen.DriverLicense, true, 4}, {specimen.IdentificationCard, true, 2}, {specimen.PassportCard, true, 3},
	}
}

// gridOrders orders a part of the grid.
func gridOrders(part gridPart, number int) []order {
	var orders []order
	for round := range part.times {
		// Shuffled, so that the levels of one document are not all those of one axis.
		shuffled := rand.New(rand.NewPCG(uint64(number), uint64(round))).Perm(cells())
		for i, at := range shuffled {
			n := round*cells() + i
			seed := firstGridSeed + uint64(1000*number+n/cellsOfADocument)
			orders = append(orders, cellOrder(part, seed, uint64(n), at))
		}
	}
	return orders
}

// cellOrder is the photograph of a document in a cell. What no axis decides comes from the photograph's own number.
func cellOrder(part gridPart, seed, number uint64, at int) order {
	rng := rand.New(rand.NewPCG(seed, number))
	picked, size := cell(at), sizeOf(rng)
	ground := specimen.Backgrounds()[rng.IntN(len(specimen.Backgrounds()))]
	either := func(v float64) float64 {
		if rng.IntN(2) == 0 {
			return -v
		}
		return v
	}
	blur, rotation, perspective, glare, quality := picked[0].value, picked[1].value, picked[2].value, picked[3].value, picked[4].value
	s := specimen.Scene{
		Seed: seed<<16 + number, Width: int(size.value), Height: int(size.value) * 3 / 4, Fill: 0.85, Shift: 0.8,
		TiltX: either(perspective), TiltY: either(0.8 * perspective), Rotation: either(rotation) + 8*rng.Float64() - 4,
		Blur: blur * size.value / 1280, Glare: glare, Shadow: 0.15, Noise: 3, Brightness: 0.95, Background: ground, Quality: int(quality),
	}
	if rotation == 90 { // as one turns the phone with the document
		s.Width, s.Height = s.Height, s.Width
	}
	o := order{kind: part.kind, back: part.back, seed: seed, scene: scene{gridScene, func(uint64) specimen.Scene { return s }}}
	for i, a := range gridAxes() {
		o.levels = append(o.levels, level{a.name, picked[i].name})
	}
	o.levels = append(o.levels, level{axisSize, size.name}, level{axisGround, string(ground)})
	return o
}

// gridScene is the name of the grid among the scenes.
const gridScene = "grid"

// byLevel counts on each level of each axis.
type byLevel map[level]*rate

func (b byLevel) add(levels []level, happened bool) {
	for _, l := range levels {
		if b[l] == nil {
			b[l] = &rate{}
		}
		b[l].add(happened)
	}
}

func (b byLevel) of(l level) rate {
	if r := b[l]; r != nil {
		return *r
	}
	return rate{}
}

// shownAxes are all axes of the tables and figures.
func shownAxes() []gridAxis {
	grounds := gridAxis{name: axisGround}
	for _, g := range specimen.Backgrounds() {
		grounds.levels = append(grounds.levels, gridLevel{name: string(g)})
	}
	return slices.Concat(gridAxes(), []gridAxis{{axisSize, gridSizes()}, grounds})
}
