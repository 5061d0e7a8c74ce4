package specimen

import "math"

// raster is a picture of red, green and blue in levels of 255, not limited to that range.
type raster struct {
	width, height int
	pix           []float32 // three values a pixel, row by row
}

func newRaster(width, height int) *raster {
	return &raster{width: width, height: height, pix: make([]float32, 3*width*height)}
}

func (r *raster) row(y int) []float32 { return r.pix[3*r.width*y : 3*r.width*(y+1)] }

// blurred is the picture under a Gaussian of the given standard deviation; beyond the edge the edge repeats.
func (r *raster) blurred(deviation float64) *raster {
	radius := int(math.Ceil(3 * deviation))
	kernel := make([]float32, 2*radius+1)
	var total float32
	for i := range kernel {
		d := float64(i-radius) / deviation
		kernel[i] = float32(math.Exp(-d * d / 2))
		total += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= total
	}
	across := newRaster(r.width, r.height)
	eachRow(r.height, func(y int) {
		from, to := r.row(y), across.row(y)
		for x := range r.width {
			var sum [3]float32
			for i, weight := range kernel {
				at := 3 * clampInt(x+i-radius, r.width)
				sum[0] += weight * from[at]
				sum[1] += weight * from[at+1]
				sum[2] += weight * from[at+2]
			}
			copy(to[3*x:], sum[:])
		}
	})
	down := newRaster(r.width, r.height)
	eachRow(r.height, func(y int) {
		to := down.row(y)
		for i, weight := range kernel {
			for x, value := range across.row(clampInt(y+i-radius, r.height)) {
				to[x] += weight * value
			}
		}
	})
	return down
}

// smeared is the mean of the picture along a line of the given length and direction (radians).
func (r *raster) smeared(length, direction float64) *raster {
	taps := 2*int(math.Ceil(length)) + 1
	sin, cos := math.Sincos(direction)
	smear := newRaster(r.width, r.height)
	share := 1 / float32(taps)
	eachRow(r.height, func(y int) {
		to := smear.row(y)
		for tap := range taps {
			offset := length * (float64(tap)/float64(taps-1) - 0.5)
			shift := 3 * int(math.Round(offset*cos))
			from := r.row(clampInt(y+int(math.Round(offset*sin)), r.height))
			for x := range to {
				to[x] += share * from[min(max(x+shift, x%3), len(from)-3+x%3)]
			}
		}
	})
	return smear
}
