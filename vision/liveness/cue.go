package liveness

import (
	"math"
	"sort"

	"kycd/vision"
	"kycd/vision/imaging"
)

// cueSide is the side, px, to which a face is scaled before it is measured: a power of two, for the
// transform, and about what a face in a selfie's preview has.
const cueSide = 128

// Cues are measurements on the face alone that differ between skin and what is printed or shown.
type Cues struct {
	Sharpness  float64 // logarithm of the variance of the Laplacian: prints and recaptures are softer
	HighBand   float64 // logarithm of the share of spectral energy above a quarter of the sampling rate
	MidBand    float64 // the same between an eighth and a quarter
	Moire      float64 // logarithm of the strongest spectral line over the median of its ring: screen grids
	FlatLBP    float64 // share of pixels whose 3×3 neighbourhood has a uniform local binary pattern
	Redness    float64 // mean of Cr, −1..1: inks and screens shift skin tones
	Blueness   float64 // mean of Cb, −1..1
	Chroma     float64 // standard deviation of Cr and Cb together: inks flatten them
	Contrast   float64 // standard deviation of luma, 0..1
	Highlights float64 // share of pixels near white: glossy paper and glass
}

// Names lists the cues in the order of Values.
func Names() []string {
	return []string{"sharpness", "high_band", "mid_band", "moire", "flat_lbp", "redness", "blueness", "chroma", "contrast", "highlights"}
}

// Values gives the cues as a vector.
func (c Cues) Values() []float64 {
	return []float64{c.Sharpness, c.HighBand, c.MidBand, c.Moire, c.FlatLBP, c.Redness, c.Blueness, c.Chroma, c.Contrast, c.Highlights}
}

// Map gives the cues by name, for vision.Liveness.
func (c Cues) Map() map[string]float64 {
	named := make(map[string]float64)
	values := c.Values()
	for i, name := range Names() {
		named[name] = values[i]
	}
	return named
}

// MeasureCues measures the face in a box of pic. The box must have an area.
func MeasureCues(pic *imaging.Picture, face vision.Box) (Cues, error) {
	side := max(face.Width, face.Height)
	crop, err := pic.CropReflected(vision.Box{
		X:      face.X + face.Width/2 - side/2,
		Y:      face.Y + face.Height/2 - side/2,
		Width:  side,
		Height: side,
	}).Resize(cueSide, cueSide)
	if err != nil {
		return Cues{}, err
	}
	luma := make([]float64, cueSide*cueSide)
	for i, v := range crop.Gray() {
		luma[i] = float64(v) / 255
	}
	var c Cues
	_, c.Contrast = moments(luma)
	c.Sharpness = math.Log(laplacianVariance(luma, cueSide) + 1e-6)
	c.FlatLBP = uniformLBP(luma, cueSide)
	c.spectrum(luma)
	c.colours(crop)
	return c, nil
}

func (c *Cues) colours(crop *imaging.Picture) {
	n := crop.Width * crop.Height
	cr, cb := make([]float64, n), make([]float64, n)
	white := 0
	for i := range n {
		b, g, r := float64(crop.Pix[3*i]), float64(crop.Pix[3*i+1]), float64(crop.Pix[3*i+2])
		y := 0.299*r + 0.587*g + 0.114*b
		cr[i], cb[i] = 0.713*(r-y)/128, 0.564*(b-y)/128
		if math.Min(r, math.Min(g, b)) > 235 {
			white++
		}
	}
	var crSpread, cbSpread float64
	c.Redness, crSpread = moments(cr)
	c.Blueness, cbSpread = moments(cb)
	c.Chroma = math.Hypot(crSpread, cbSpread)
	c.Highlights = float64(white) / float64(n)
}

// spectrum reads bands and lines off the power spectrum of the windowed luma.
func (c *Cues) spectrum(luma []float64) {
	mean, _ := moments(luma)
	grid := make([]complex128, len(luma))
	for y := range cueSide {
		for x := range cueSide {
			grid[y*cueSide+x] = complex((luma[y*cueSide+x]-mean)*hann(x)*hann(y), 0)
		}
	}
	fft2(grid, cueSide)

	const rings = cueSide / 2
	var byRing [rings][]float64
	total, mid, high := 1e-12, 1e-12, 1e-12
	for y := range cueSide {
		for x := range cueSide {
			radius := math.Hypot(float64(centred(x)), float64(centred(y)))
			v := grid[y*cueSide+x]
			power := real(v)*real(v) + imag(v)*imag(v)
			total += power
			switch {
			case radius >= cueSide/4:
				high += power
			case radius >= cueSide/8:
				mid += power
			}
			if ring := int(radius); ring >= cueSide/8 && ring < rings {
				byRing[ring] = append(byRing[ring], power)
			}
		}
	}
	c.HighBand, c.MidBand = math.Log(high/total), math.Log(mid/total)
	strongest := 1.0
	for _, powers := range byRing {
		if len(powers) == 0 {
			continue
		}
		sort.Float64s(powers)
		if median := powers[len(powers)/2]; median > 0 {
			strongest = math.Max(strongest, powers[len(powers)-1]/median)
		}
	}
	c.Moire = math.Log(strongest)
}

func hann(i int) float64 { return 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/cueSide) }

// centred maps an index of the transform to its signed frequency.
func centred(i int) int {
	if i >= cueSide/2 {
		return i - cueSide
	}
	return i
}

// fft2 transforms a square grid in place; its side must be a power of two.
func fft2(grid []complex128, side int) {
	line := make([]complex128, side)
	for y := range side {
		fft(grid[y*side : (y+1)*side])
	}
	for x := range side {
		for y := range side {
			line[y] = grid[y*side+x]
		}
		fft(line)
		for y := range side {
			grid[y*side+x] = line[y]
		}
	}
}

// fft is the radix-2 transform of Cooley and Tukey, in place.
func fft(a []complex128) {
	n := len(a)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j |= bit
		if i < j {
			a[i], a[j] = a[j], a[i]
		}
	}
	for size := 2; size <= n; size <<= 1 {
		sin, cos := math.Sincos(-2 * math.Pi / float64(size))
		step := complex(cos, sin)
		for start := 0; start < n; start += size {
			w := complex(1, 0)
			for k := start; k < start+size/2; k++ {
				odd := a[k+size/2] * w
				a[k], a[k+size/2] = a[k]+odd, a[k]-odd
				w *= step
			}
		}
	}
}

// uniformLBP is the share of inner pixels whose local binary pattern (8 neighbours, radius 1) changes at
// most twice around the circle.
func uniformLBP(luma []float64, side int) float64 {
	around := [8]int{-side - 1, -side, -side + 1, 1, side + 1, side, side - 1, -1}
	uniform := 0
	for y := 1; y < side-1; y++ {
		for x := 1; x < side-1; x++ {
			i := y*side + x
			changes := 0
			last := luma[i+around[7]] >= luma[i]
			for _, d := range around {
				now := luma[i+d] >= luma[i]
				if now != last {
					changes++
				}
				last = now
			}
			if changes <= 2 {
				uniform++
			}
		}
	}
	return float64(uniform) / float64((side-2)*(side-2))
}

func laplacianVariance(luma []float64, side int) float64 {
	edges := make([]float64, 0, len(luma))
	for y := 1; y < side-1; y++ {
		for x := 1; x < side-1; x++ {
			i := y*side + x
			edges = append(edges, luma[i-side]+luma[i+side]+luma[i-1]+luma[i+1]-4*luma[i])
		}
	}
	_, spread := moments(edges)
	return spread * spread
}

// moments gives mean and standard deviation.
func moments(values []float64) (mean, spread float64) {
	for _, v := range values {
		mean += v
	}
	mean /= float64(len(values))
	for _, v := range values {
		spread += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(spread / float64(len(values)))
}
