// Package cover looks at the parts of a face that glasses, hair, hands and masks hide.
package cover

import (
	"math"

	"kycd/vision"
	"kycd/vision/imaging"
)

// patchSide is the side, px, of the square to which a face is turned and scaled before its parts are looked at.
const patchSide = 64

// Patch is an upright face in a fixed place: luma and the two differences of colour, row by row.
type Patch struct {
	y, cr, cb [patchSide * patchSide]float64
}

// places are where the five landmarks lie in a patch: in the order of vision.Face.Landmarks.
func places() [5]vision.Point {
	return [5]vision.Point{{X: 20, Y: 22}, {X: 44, Y: 22}, {X: 32, Y: 36.5}, {X: 22, Y: 48}, {X: 42, Y: 48}}
}

// Five condenses the 68 points of the 300-W mark-up to five; five points stay as they are. ok is false for any other
// number, and for points that are not finite.
func Five(shape []vision.Point) (points [5]vision.Point, ok bool) {
	mean := func(from, to int) (m vision.Point) {
		for _, p := range shape[from:to] {
			m.X += p.X / float64(to-from)
			m.Y += p.Y / float64(to-from)
		}
		return m
	}
	switch len(shape) {
	case 68:
		points = [5]vision.Point{mean(36, 42), mean(42, 48), shape[30], shape[48], shape[54]}
	case 5:
		points = [5]vision.Point(shape)
	default:
		return points, false
	}
	for _, p := range points {
		if math.IsNaN(p.X+p.Y) || math.IsInf(p.X+p.Y, 0) {
			return points, false
		}
	}
	return points, true
}

// leastUnit is the distance between the eyes, px, below which parts of the face cannot be told apart.
const leastUnit = 10

// Cut turns and scales the face to a patch. ok is false for a face that is too small, or lies outside the picture.
func Cut(pic *imaging.Picture, points [5]vision.Point) (*Patch, bool, error) {
	// The similarity that takes the places to the points (Umeyama, without reflection), as complex numbers.
	to := places()
	var from, at vision.Point
	for i := range to {
		from.X, from.Y = from.X+to[i].X/5, from.Y+to[i].Y/5
		at.X, at.Y = at.X+points[i].X/5, at.Y+points[i].Y/5
	}
	var a, b, norm float64
	for i := range to {
		ux, uy := to[i].X-from.X, to[i].Y-from.Y
		vx, vy := points[i].X-at.X, points[i].Y-at.Y
		a, b, norm = a+ux*vx+uy*vy, b+ux*vy-uy*vx, norm+ux*ux+uy*uy
	}
	a, b = a/norm, b/norm
	scale := math.Hypot(a, b)
	if !(scale*(to[1].X-to[0].X) >= leastUnit) {
		return nil, false, nil
	}
	// Shrink by area first what a warp would alias.
	reach := patchSide*scale*0.75 + 2
	crop, ok := pic.Crop(vision.Box{X: int(at.X - reach), Y: int(at.Y - reach), Width: int(2*reach) + 1, Height: int(2*reach) + 1})
	if !ok {
		return nil, false, nil
	}
	left, top := math.Max(math.Trunc(at.X-reach), 0), math.Max(math.Trunc(at.Y-reach), 0)
	shrunk := crop
	if scale > 2 {
		var err error
		if shrunk, err = crop.Resize(int(float64(crop.Width)*2/scale), int(float64(crop.Height)*2/scale)); err != nil {
			return nil, false, err
		}
	}
	kx, ky := float64(shrunk.Width)/float64(crop.Width), float64(shrunk.Height)/float64(crop.Height)
	var p Patch
	for row := range patchSide {
		for column := range patchSide {
			var sum [3]float64
			for sub := range 4 { // the mean of four samples a pixel
				ux, uy := float64(column)+0.25+0.5*float64(sub%2)-from.X, float64(row)+0.25+0.5*float64(sub/2)-from.Y
				x, y := at.X+a*ux-b*uy, at.Y+b*ux+a*uy
				sample(&sum, shrunk, (x-left+0.5)*kx-0.5, (y-top+0.5)*ky-0.5)
			}
			luma := 0.114*sum[0] + 0.587*sum[1] + 0.299*sum[2]
			i := row*patchSide + column
			p.y[i], p.cr[i], p.cb[i] = luma, sum[2]-luma, sum[0]-luma
		}
	}
	return &p, true, nil
}

// sample adds a fourth of the colour between four pixels; beyond the picture it is the nearest pixel's.
func sample(sum *[3]float64, pic *imaging.Picture, x, y float64) {
	x, y = math.Max(0, math.Min(x, float64(pic.Width-1))), math.Max(0, math.Min(y, float64(pic.Height-1)))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, pic.Width-1), min(y0+1, pic.Height-1)
	fx, fy := x-float64(x0), y-float64(y0)
	upper, lower := 3*y0*pic.Width, 3*y1*pic.Width
	for k := range sum {
		a, b := float64(pic.Pix[upper+3*x0+k]), float64(pic.Pix[upper+3*x1+k])
		c, d := float64(pic.Pix[lower+3*x0+k]), float64(pic.Pix[lower+3*x1+k])
		sum[k] += ((a+(b-a)*fx)*(1-fy) + (c+(d-c)*fx)*fy) / 4
	}
}

// Mirrored exchanges left and right.
func (p *Patch) Mirrored() *Patch {
	var m Patch
	for row := range patchSide {
		for column := range patchSide {
			from, to := row*patchSide+column, row*patchSide+patchSide-1-column
			m.y[to], m.cr[to], m.cb[to] = p.y[from], p.cr[from], p.cb[from]
		}
	}
	return &m
}

// Sides gives the mean luma of the cheek on the left of the picture and of that on the right.
func (p *Patch) Sides() (left, right float64) {
	const n = 10 * 14
	for row := 28; row < 42; row++ {
		for column := 12; column < 22; column++ {
			left += p.y[row*patchSide+column] / n
			right += p.y[row*patchSide+patchSide-1-column] / n
		}
	}
	return left, right
}
