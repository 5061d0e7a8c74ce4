package barcode

import (
	"math"

	"kycd/vision"
	"kycd/vision/projective"
)

// plane is a grey picture: one byte a pixel, rows without gaps.
type plane struct {
	pix  []byte
	w, h int
}

func newPlane(w, h int) plane { return plane{pix: make([]byte, w*h), w: w, h: h} }

// shrink is the picture at 1/n of its size; each pixel is the mean of n×n.
func (p plane) shrink(n int) plane {
	if n <= 1 {
		return p
	}
	out := newPlane(p.w/n, p.h/n)
	sums := make([]uint32, out.w)
	for y := range out.h {
		clear(sums)
		for dy := range n {
			row := p.pix[(y*n+dy)*p.w:]
			for x := range sums {
				var s uint32
				for _, v := range row[x*n : x*n+n] {
					s += uint32(v)
				}
				sums[x] += s
			}
		}
		row := out.pix[y*out.w:]
		for x, s := range sums {
			row[x] = byte(s / uint32(n*n))
		}
	}
	return out
}

// frame is an upright rectangle laid over a picture: origin is where its upper left pixel falls, dx and dy
// are the steps, in pixels of the picture, for one pixel to the right and one down.
type frame struct {
	origin, dx, dy vision.Point
	w, h           int
}

// at maps a pixel of the frame to the picture.
func (f frame) at(x, y float64) vision.Point {
	return vision.Point{X: f.origin.X + x*f.dx.X + y*f.dy.X, Y: f.origin.Y + x*f.dx.Y + y*f.dy.Y}
}

// homography maps the frame's pixels to the picture.
func (f frame) homography() projective.Map {
	return projective.Map{f.dx.X, f.dy.X, f.origin.X, f.dx.Y, f.dy.Y, f.origin.Y, 0, 0, 1}
}

// cut samples the frame out of the picture, bilinear; outside the picture it repeats the border.
func (p plane) cut(f frame) plane {
	out := newPlane(f.w, f.h)
	for y := range f.h {
		start := f.at(0, float64(y))
		row := out.pix[y*f.w : (y+1)*f.w]
		from, to := f.inside(start, p.w, p.h)
		for x := range row[:from] {
			row[x] = p.sample(start.X+float64(x)*f.dx.X, start.Y+float64(x)*f.dx.Y)
		}
		p.walk(row[from:to], vision.Point{X: start.X + float64(from)*f.dx.X, Y: start.Y + float64(from)*f.dx.Y}, f.dx)
		for x := to; x < len(row); x++ {
			row[x] = p.sample(start.X+float64(x)*f.dx.X, start.Y+float64(x)*f.dx.Y)
		}
	}
	return out
}

// inside says which pixels of a row of the frame lie, with their neighbours, within a picture of w×h.
func (f frame) inside(start vision.Point, w, h int) (from, to int) {
	low, high := 0.0, float64(f.w-1)
	for _, axis := range [2][3]float64{{start.X, f.dx.X, float64(w)}, {start.Y, f.dx.Y, float64(h)}} {
		at, step, size := axis[0], axis[1], axis[2]
		first, last := 0.5-at, size-1.5-at // a little within, for the steps are rounded
		switch {
		case step > 1e-9:
			low, high = math.Max(low, first/step), math.Min(high, last/step)
		case step < -1e-9:
			low, high = math.Max(low, last/step), math.Min(high, first/step)
		case first > 0 || last < 0:
			return 0, 0
		}
	}
	from, to = int(math.Ceil(low)), int(math.Floor(high))+1
	if from >= to {
		return 0, 0
	}
	return from, to
}

// walk samples a row that lies within the picture, from a place on, a step for each pixel.
func (p plane) walk(row []byte, at, step vision.Point) {
	const one = 1 << 32
	x, y, dx, dy := int64(at.X*one), int64(at.Y*one), int64(step.X*one), int64(step.Y*one)
	for i := range row {
		top := int(y>>32)*p.w + int(x>>32)
		upper, lower := p.pix[top:top+2:top+2], p.pix[top+p.w:top+p.w+2:top+p.w+2]
		fx, fy := int(x>>24)&255, int(y>>24)&255
		a := int(upper[0])<<8 + (int(upper[1])-int(upper[0]))*fx
		b := int(lower[0])<<8 + (int(lower[1])-int(lower[0]))*fx
		row[i] = byte((a<<8 + (b-a)*fy) >> 16)
		x += dx
		y += dy
	}
}

func (p plane) sample(x, y float64) byte {
	x = min(max(x, 0), float64(p.w-1))
	y = min(max(y, 0), float64(p.h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, p.w-1), min(y0+1, p.h-1)
	fx, fy := int((x-float64(x0))*256), int((y-float64(y0))*256)
	top := int(p.pix[y0*p.w+x0])*(256-fx) + int(p.pix[y0*p.w+x1])*fx
	bottom := int(p.pix[y1*p.w+x0])*(256-fx) + int(p.pix[y1*p.w+x1])*fx
	return byte((top*(256-fy) + bottom*fy) >> 16)
}

// sharpen undoes part of a blur across the bars: each pixel moves away from the mean of its 2r+1
// neighbours on the row by amount times the difference. Rows of the symbol are not mixed.
func (p plane) sharpen(r int, amount float64) plane {
	out := newPlane(p.w, p.h)
	gain := int(amount * 256)
	for y := range p.h {
		src, dst := p.pix[y*p.w:(y+1)*p.w], out.pix[y*p.w:(y+1)*p.w]
		sum, n := 0, 0
		for x := 0; x < min(r, p.w); x++ {
			sum, n = sum+int(src[x]), n+1
		}
		for x := range src {
			if x+r < p.w {
				sum, n = sum+int(src[x+r]), n+1
			}
			if x-r-1 >= 0 {
				sum, n = sum-int(src[x-r-1]), n-1
			}
			v := int(src[x]) + ((int(src[x])-sum/n)*gain)>>8
			dst[x] = byte(min(max(v, 0), 255))
		}
	}
	return out
}

// levelled spreads the contrast so that the darkest and the lightest percent of the pixels become black and white.
func (p plane) levelled() plane {
	var histogram [256]int
	for _, v := range p.pix {
		histogram[v]++
	}
	low, high := quantile(histogram, len(p.pix)/100), quantile(histogram, len(p.pix)-len(p.pix)/100)
	if high-low < 8 || (low == 0 && high == 255) {
		return p
	}
	var table [256]byte
	for v := range table {
		table[v] = byte(math.Round(255 * float64(min(max(v-low, 0), high-low)) / float64(high-low)))
	}
	out := newPlane(p.w, p.h)
	for i, v := range p.pix {
		out.pix[i] = table[v]
	}
	return out
}

// quantile is the grey value below which count pixels lie.
func quantile(histogram [256]int, count int) int {
	for v, n := range histogram {
		if count -= n; count < 0 {
			return v
		}
	}
	return 255
}

// softened is the picture under the weights 1 2 1 in both directions, which takes most of the noise out.
func (p plane) softened() plane {
	if p.w < 3 || p.h < 3 {
		return p
	}
	out := newPlane(p.w, p.h)
	sums := make([]uint16, p.w)
	for y := range p.h {
		up, row, down := p.pix[max(y-1, 0)*p.w:][:p.w], p.pix[y*p.w:][:p.w], p.pix[min(y+1, p.h-1)*p.w:][:p.w]
		for x := range sums {
			sums[x] = uint16(up[x]) + 2*uint16(row[x]) + uint16(down[x])
		}
		dst := out.pix[y*p.w:][:p.w]
		for x := range dst {
			dst[x] = byte((sums[max(x-1, 0)] + 2*sums[x] + sums[min(x+1, p.w-1)] + 8) >> 4)
		}
	}
	return out
}
