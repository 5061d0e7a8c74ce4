package document

import (
	"math"

	"kycd/vision"
)

// edgeMap holds, for each pixel of a picture, how steep the steepest of its channels is, and which way it rises.
type edgeMap struct {
	w, h   int
	slope  []uint16
	gx, gy []int16
	index  []int32 // of the crest at each pixel, counted from 1
	strong uint16  // a slope that stands out of this picture's texture
}

// newEdgeMap measures interleaved pixels of 3 channels.
func newEdgeMap(pix []byte, w, h int) edgeMap {
	m := edgeMap{w: w, h: h, slope: make([]uint16, w*h), gx: make([]int16, w*h), gy: make([]int16, w*h), index: make([]int32, w*h)}
	row := 3 * w
	for y := 1; y < h-1; y++ {
		above, here, below := pix[(y-1)*row:y*row], pix[y*row:(y+1)*row], pix[(y+1)*row:(y+2)*row]
		for x := 1; x < w-1; x++ {
			steepest, bestX, bestY := 0, 0, 0
			for c := 3 * x; c < 3*x+3; c++ {
				gx := int(here[c+3]) - int(here[c-3])
				gy := int(below[c]) - int(above[c])
				if s := gx*gx + gy*gy; s > steepest {
					steepest, bestX, bestY = s, gx, gy
				}
			}
			i := y*w + x
			m.slope[i] = uint16(math.Sqrt(float64(steepest)))
			m.gx[i], m.gy[i] = int16(bestX), int16(bestY)
		}
	}
	var histogram [512]int
	for _, v := range m.slope {
		histogram[min(v, 511)]++
	}
	// Above the median, but no less than what noise makes and no more than a weak outline has.
	count := len(m.slope) / 2
	for v, n := range histogram {
		if count -= n; count < 0 {
			m.strong = uint16(min(max(2*v, 9), 20))
			break
		}
	}
	return m
}

func (m edgeMap) at(p vision.Point) uint16 {
	x, y := int(p.X+0.5), int(p.Y+0.5)
	if x < 0 || y < 0 || x >= m.w || y >= m.h {
		return 0
	}
	return m.slope[y*m.w+x]
}

// normal is the unit vector across a–b.
func normal(a, b vision.Point) (float64, float64) {
	length := math.Max(distance(a, b), 1e-9)
	return -(b.Y - a.Y) / length, (b.X - a.X) / length
}
