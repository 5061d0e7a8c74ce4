package barcode

import (
	"math"
	"sort"

	"kycd/vision"
)

// block is the side, in pixels, of the squares in which the texture is measured.
const block = 10

// What a block of a stacked or linear code looks like: strong edges, most of them in one direction.
const (
	minEdgeEnergy   = 120.0 // mean squared gradient of a block, grey levels² (a faint print under glare has about 300)
	minCoherence    = 0.30  // 1 = every edge has the same direction, 0 = every direction alike; text stays below 0.3
	minRegionAcross = 6.0   // blocks along the reading direction
	minRegionDown   = 2.0   // blocks along the bars
	minFill         = 0.45  // share of the enclosing rectangle that is texture
	maxRegions      = 3
)

// region is a rectangle, at any angle, whose texture looks like that of a printed code.
type region struct {
	centre vision.Point
	angle  float64 // of the reading direction to the x axis, radians
	across float64 // extent along the reading direction, pixels
	down   float64 // extent along the bars, pixels
	weight float64
}

// large tells whether the region takes so much of the picture that it is worth more than one attempt: small ones are
// mostly words, whose strokes have one direction as well.
func (r region) large(p plane) bool {
	return r.across >= 0.15*float64(max(p.w, p.h)) && r.down >= 3*block && r.across < 16*r.down
}

// tensor is the structure tensor of a block, summed over its pixels.
type tensor struct{ xx, yy, xy float64 }

func (t tensor) add(o tensor) tensor { return tensor{t.xx + o.xx, t.yy + o.yy, t.xy + o.xy} }

func (t tensor) coherence() float64 {
	energy := t.xx + t.yy
	if energy == 0 {
		return 0
	}
	return math.Hypot(t.xx-t.yy, 2*t.xy) / energy
}

// angle is the direction of the gradient, in -π/2..π/2: it runs across the bars.
func (t tensor) angle() float64 { return 0.5 * math.Atan2(2*t.xy, t.xx-t.yy) }

// regions finds where a code may be, likeliest first. It is one pass over the pixels and knows nothing of
// any symbology, so that a picture without a code is given up early.
func (p plane) regions() []region { return p.texture(minEdgeEnergy, minCoherence) }

// faint finds regions in which noise hides the edges of single blocks: larger blocks of a softened picture, with the
// noise taken off their energy. Noise has no direction.
func (p plane) faint() []region {
	const size = 2 // blocks
	bw, bh := p.w/block/size, p.h/block/size
	if bw < 4 || bh < 4 {
		return nil
	}
	fine := p.softened().tensors(p.w/block, p.h/block)
	tensors := make([]tensor, bw*bh)
	energies := make([]float64, 0, bw*bh)
	for i := range tensors {
		for k := range size * size {
			tensors[i] = tensors[i].add(fine[(i/bw*size+k/size)*(p.w/block)+i%bw*size+k%size])
		}
		energies = append(energies, tensors[i].xx+tensors[i].yy)
	}
	sort.Float64s(energies)
	noise := energies[len(energies)/10]
	member, seen := make([]bool, bw*bh), make([]bool, bw*bh)
	for i := range tensors {
		tensors[i].xx -= noise / 2
		tensors[i].yy -= noise / 2
		member[i] = tensors[i].xx+tensors[i].yy > max(0.3*noise, 4*block*block*size*size) && tensors[i].coherence() > minCoherence
	}
	var out []region
	for i := range member {
		if !member[i] || seen[i] {
			continue
		}
		cells := flood(i, bw, bh, tensors, member, seen)
		if r, ok := enclose(cells, bw, tensors); ok {
			r.centre.X, r.centre.Y, r.across, r.down = r.centre.X*size, r.centre.Y*size, r.across*size, r.down*size
			out = append(out, r)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].weight > out[j].weight })
	return out[:min(len(out), 2)]
}

// texture finds regions whose edges have at least the given energy and agree in direction.
func (p plane) texture(energy, coherence float64) []region {
	bw, bh := p.w/block, p.h/block
	if bw < 2 || bh < 2 {
		return nil
	}
	tensors := p.tensors(bw, bh)
	member := make([]bool, bw*bh)
	for i, t := range tensors {
		member[i] = t.xx+t.yy > energy*block*block && t.coherence() > coherence
	}
	var out []region
	seen := make([]bool, bw*bh)
	for i := range member {
		if !member[i] || seen[i] {
			continue
		}
		cells := flood(i, bw, bh, tensors, member, seen)
		if r, ok := enclose(cells, bw, tensors); ok {
			out = append(out, r)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].weight > out[j].weight })
	return out[:min(len(out), maxRegions)]
}

// tensors are those of bw×bh blocks. Slopes have Scharr's weights: the direction comes out alike at every angle, which a plain difference
// misses by up to 7 degrees on bars of two pixels.
func (p plane) tensors(bw, bh int) []tensor {
	type sums struct{ xx, yy, xy int32 }
	out := make([]tensor, bw*bh)
	acc := make([]sums, bw)
	across, along := make([]int32, p.w), make([]int32, p.w) // of each column: its weighted sum, its difference
	for by := range bh {
		clear(acc)
		for y := max(by*block, 1); y < min((by+1)*block, p.h-1); y++ {
			up, row, down := p.pix[(y-1)*p.w:][:p.w], p.pix[y*p.w:][:p.w], p.pix[(y+1)*p.w:][:p.w]
			for x := range row {
				u, d := int32(up[x]), int32(down[x])
				across[x], along[x] = 3*(u+d)+10*int32(row[x]), d-u
			}
			for bx := range acc {
				from, to := max(bx*block, 1), min((bx+1)*block, p.w-1)
				var s sums
				left, right := across[from-1:to-1], across[from+1:to+1]
				before, here, after := along[from-1:to-1], along[from:to], along[from+1:to+1]
				for i := range left {
					gx := (right[i] - left[i]) >> 4
					gy := (3*(before[i]+after[i]) + 10*here[i]) >> 4
					s.xx += gx * gx
					s.yy += gy * gy
					s.xy += gx * gy
				}
				acc[bx].xx += s.xx
				acc[bx].yy += s.yy
				acc[bx].xy += s.xy
			}
		}
		for bx, s := range acc {
			out[by*bw+bx] = tensor{float64(s.xx), float64(s.yy), float64(s.xy)}
		}
	}
	return out
}

// flood collects the blocks that hang together with the first one, over gaps of one block, and whose edges
// have the direction of the whole within 20 degrees.
func flood(first, bw, bh int, tensors []tensor, member, seen []bool) []int {
	const reach = 2
	cells := []int{first}
	seen[first] = true
	sum := tensors[first]
	angle := sum.angle()
	for k := 0; k < len(cells); k++ {
		cx, cy := cells[k]%bw, cells[k]/bw
		for y := max(cy-reach, 0); y <= min(cy+reach, bh-1); y++ {
			for x := max(cx-reach, 0); x <= min(cx+reach, bw-1); x++ {
				i := y*bw + x
				if seen[i] || !member[i] || turn(angle, tensors[i].angle()) > math.Pi/9 {
					continue
				}
				seen[i] = true
				cells = append(cells, i)
				sum = sum.add(tensors[i])
				angle = sum.angle()
			}
		}
	}
	return cells
}

// turn is the angle between two undirected lines, 0..π/2.
func turn(a, b float64) float64 {
	d := math.Mod(math.Abs(a-b), math.Pi)
	return min(d, math.Pi-d)
}

// enclose is the rectangle, along the edges' common direction, around the blocks.
func enclose(cells []int, bw int, tensors []tensor) (region, bool) {
	var sum tensor
	for _, i := range cells {
		sum = sum.add(tensors[i])
	}
	angle := sum.angle()
	sin, cos := math.Sincos(angle)
	along, beside := make([]float64, len(cells)), make([]float64, len(cells))
	for k, i := range cells {
		x, y := float64(i%bw)+0.5, float64(i/bw)+0.5
		along[k], beside[k] = x*cos+y*sin, y*cos-x*sin
	}
	sort.Float64s(along)
	sort.Float64s(beside)
	// A few stray blocks at the rim must not stretch the rectangle: 1 in 100 is left out on each side.
	cut := len(cells) / 100
	u0, u1 := along[cut]-0.5, along[len(along)-1-cut]+0.5
	v0, v1 := beside[cut]-0.5, beside[len(beside)-1-cut]+0.5
	across, down := u1-u0, v1-v0
	if across < minRegionAcross || down < minRegionDown || float64(len(cells)) < minFill*across*down {
		return region{}, false
	}
	u, v := (u0+u1)/2*block, (v0+v1)/2*block
	return region{
		centre: vision.Point{X: u*cos - v*sin, Y: u*sin + v*cos},
		angle:  angle,
		across: across * block,
		down:   down * block,
		weight: float64(len(cells)) * sum.coherence(),
	}, true
}

// frame lays an upright picture of about the given width over the region, with a margin for the quiet zone
// and for blocks at the rim that hold little of the symbol. All lengths of the region are multiplied by
// scale first, for a region that was found in a smaller copy.
func (r region) frame(scale float64, width int) frame {
	across, down := r.across*scale*1.08+4*block*scale, r.down*scale*1.15+4*block*scale
	step := across / float64(width)
	height := max(int(down/step), 8)
	sin, cos := math.Sincos(r.angle)
	f := frame{
		dx: vision.Point{X: cos * step, Y: sin * step},
		dy: vision.Point{X: -sin * step, Y: cos * step},
		w:  width,
		h:  height,
	}
	f.origin = vision.Point{
		X: r.centre.X*scale - float64(width)/2*f.dx.X - float64(height)/2*f.dy.X,
		Y: r.centre.Y*scale - float64(width)/2*f.dx.Y - float64(height)/2*f.dy.Y,
	}
	return f
}
