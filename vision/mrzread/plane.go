package mrzread

import (
	"math"

	"kycd/vision/mrzread/glyphs"
)

// plane is a grey picture: one byte a pixel, rows without gaps.
type plane struct {
	pix  []byte
	w, h int
}

// strip lays a row out straight at the size that package glyphs reads, with room for three columns at both ends.
func (p plane) strip(r row) glyphs.Strip {
	step := r.height / glyphs.StripLetter
	width := int(r.length/step) + 6*glyphs.StripLetter
	sin, cos := math.Sincos(r.angle)
	s := glyphs.Strip{Gray: make([]byte, width*glyphs.StripHeight), Width: width}
	// A pixel of the strip that covers several of the picture is their mean.
	fine := min(max(int(step+0.7), 1), 4)
	for y := range glyphs.StripHeight {
		for x := range width {
			sum := 0
			for k := range fine * fine {
				u := (float64(x) + (float64(k%fine)+0.5)/float64(fine) - float64(width)/2) * step
				v := (float64(y) + (float64(k/fine)+0.5)/float64(fine) - glyphs.StripHeight/2) * step
				sum += p.sample(r.centre.X+u*cos-v*sin-0.5, r.centre.Y+u*sin+v*cos-0.5)
			}
			s.Gray[y*width+x] = byte(sum / (fine * fine))
		}
	}
	return s
}

// sample is bilinear; beyond the picture it repeats the border.
func (p plane) sample(x, y float64) int {
	x = min(max(x, 0), float64(p.w-1))
	y = min(max(y, 0), float64(p.h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, p.w-1), min(y0+1, p.h-1)
	fx, fy := int((x-float64(x0))*256), int((y-float64(y0))*256)
	top := int(p.pix[y0*p.w+x0])*(256-fx) + int(p.pix[y0*p.w+x1])*fx
	bottom := int(p.pix[y1*p.w+x0])*(256-fx) + int(p.pix[y1*p.w+x1])*fx
	return (top*(256-fy) + bottom*fy) >> 16
}
