package liveness

import (
	"math"
	"slices"

	"kycd/vision"
	"kycd/vision/imaging"
)

// Lines are looked for where the face's longer side is borderFace px and the picture's at most borderSide.
const (
	borderFace = 80
	borderSide = 640
)

// borderLines is how well the face is framed by straight edges: on each side of it, the line between it and the picture's
// edge along which most pixels see brightness rise the same way, as the share of those pixels less those that see it fall,
// 0..1; then the mean of the four. Screens, frames and sheets have such lines on several sides, rooms on one or two.
func borderLines(pic *imaging.Picture, face vision.Box) (float64, error) {
	scale := min(borderFace/float64(max(face.Width, face.Height)), borderSide/float64(max(pic.Width, pic.Height)))
	width, height := int(float64(pic.Width)*scale), int(float64(pic.Height)*scale)
	small, err := pic, error(nil)
	// Halving is several times as fast as the general case.
	for small.Width >= 4*width && small.Height >= 4*height && small.Width%2 == 0 && small.Height%2 == 0 {
		if small, err = small.Resize(small.Width/2, small.Height/2); err != nil {
			return 0, err
		}
	}
	if small, err = small.Resize(width, height); err != nil {
		return 0, err
	}
	across, down := slopes(small)
	scaled := func(v int) int { return int(float64(v) * scale) }
	x0, y0, x1, y1 := scaled(face.X), scaled(face.Y), scaled(face.X+face.Width), scaled(face.Y+face.Height)
	w, h := x1-x0, y1-y0
	// A side's lines run a quarter of the face beyond it at both ends.
	top, bottom, left, right := y0-h/4, y1+h/4, x0-w/4, x1+w/4
	sum := across.line(2, x0-2, top, bottom) + across.line(x1+2, small.Width-3, top, bottom) +
		down.line(2, y0-h/8, left, right) + down.line(y1+2, small.Height-3, left, right)
	return sum / 4, nil
}

// slope holds for each pixel whether brightness rises (1), falls (−1) or neither along one axis, in rows that lie along
// that axis: at[position·length + along], where the lines looked for run along.
type slope struct {
	at                []int8
	positions, length int
}

// slopes gives those across (for lines that run down) and down (for lines that run across).
func slopes(pic *imaging.Picture) (across, down slope) {
	const least = 6 // grey levels over two pixels: less is noise
	gray, w, h := pic.Gray(), pic.Width, pic.Height
	across = slope{make([]int8, w*h), w, h}
	down = slope{make([]int8, w*h), h, w}
	sign := func(rise int) int8 {
		switch {
		case rise > least:
			return 1
		case rise < -least:
			return -1
		}
		return 0
	}
	for y := range h {
		for x := range w {
			i := y*w + x
			if x > 0 && x < w-1 {
				across.at[x*h+y] = sign(int(gray[i+1]) - int(gray[i-1]))
			}
			if y > 0 && y < h-1 {
				down.at[i] = sign(int(gray[i+w]) - int(gray[i-w]))
			}
		}
	}
	return across, down
}

// line gives the best agreement along a line between two positions, tilted by up to 6 in 100, from start to end. A line
// of which less than two thirds lie in the picture is none.
func (s slope) line(from, to, start, end int) float64 {
	best, middle := 0.0, (start+end)/2
	first, last := max(start, 0), min(end, s.length)
	if last <= first || 3*(last-first) < 2*(end-start) {
		return 0
	}
	shift, offset := make([]int, last-first), make([]int, last-first)
	for tilt := -6; tilt <= 6; tilt += 2 {
		for i := range shift {
			shift[i] = int(math.Round(float64(tilt*(first+i-middle)) / 100))
			offset[i] = shift[i]*s.length + first + i
		}
		least, most := slices.Min(shift), slices.Max(shift)
		for position := from; position <= to; position++ {
			agree, n := 0, len(shift)
			if position+least >= 2 && position+most < s.positions-2 { // nearly always
				for _, by := range offset {
					agree += int(s.at[position*s.length+by])
				}
			} else {
				n = 0
				for i, by := range shift {
					if at := position + by; at >= 2 && at < s.positions-2 {
						agree += int(s.at[position*s.length+offset[i]])
						n++
					}
				}
			}
			if 3*n >= 2*(end-start) && n > 0 {
				best = max(best, math.Abs(float64(agree))/float64(n))
			}
		}
	}
	return best
}
