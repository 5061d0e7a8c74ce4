package mrzread

import (
	"math"

	"kycd/vision/mrzread/glyphs"
	"kycd/vision/projective"
)

// plane is a grey picture: one byte a pixel, rows without gaps.
type plane struct {
	pix  []byte
	w, h int
}

// stripMargin is the room on either side of a row, in pixels of the strip.
const stripMargin = 3 * glyphs.StripLetter

// strip lays out the line that runs along y of a zone's plane, from x = 0 to length, with room for three columns at both
// ends. toPicture maps the zone's plane, whose unit is a pixel of the strip.
func (p plane) strip(toPicture projective.Map, length, y float64) glyphs.Strip {
	width := int(length) + 2*stripMargin
	s := glyphs.Strip{Gray: make([]byte, width*glyphs.StripHeight), Width: width}
	a, b := toPicture.At(0, y), toPicture.At(length, y)
	step := math.Hypot(b.X-a.X, b.Y-a.Y) / length
	// A pixel of the strip that covers several of the picture is their mean; where it covers less than one, a curve
	// through four keeps thin strokes that the straight line between two would wash out.
	fine := min(max(int(step+0.7), 1), 4)
	read := p.sample
	if step < 0.9 {
		read = p.cubic
	}
	for row := range glyphs.StripHeight {
		for x := range width {
			sum := 0
			for k := range fine * fine {
				u := float64(x-stripMargin) + (float64(k%fine)+0.5)/float64(fine)
				v := y + float64(row) - glyphs.StripHeight/2 + (float64(k/fine)+0.5)/float64(fine)
				at := toPicture.At(u, v)
				sum += read(at.X-0.5, at.Y-0.5)
			}
			s.Gray[row*width+x] = byte(sum / (fine * fine))
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

// cubic is a Catmull-Rom spline through 4×4 pixels; near the border it is bilinear.
func (p plane) cubic(x, y float64) int {
	x0, y0 := int(math.Floor(x)), int(math.Floor(y))
	if x0 < 1 || y0 < 1 || x0+2 >= p.w || y0+2 >= p.h {
		return p.sample(x, y)
	}
	wx, wy := catmullRom(float32(x-float64(x0))), catmullRom(float32(y-float64(y0)))
	var sum float32
	for j, v := range wy {
		row := p.pix[(y0-1+j)*p.w+x0-1:]
		sum += v * (wx[0]*float32(row[0]) + wx[1]*float32(row[1]) + wx[2]*float32(row[2]) + wx[3]*float32(row[3]))
	}
	return int(min(max(sum+0.5, 0), 255))
}

func catmullRom(t float32) [4]float32 {
	return [4]float32{
		0.5 * t * (t*(2-t) - 1),
		0.5 * (t*t*(3*t-5) + 2),
		0.5 * t * (t*(4-3*t) + 1),
		0.5 * t * t * (t - 1),
	}
}
