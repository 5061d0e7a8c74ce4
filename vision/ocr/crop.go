package ocr

import (
	"math"

	"kycd/vision"
)

// crop is a line of text cut out for the reader: dark on white, stretched to full contrast.
type crop struct {
	gray  []byte
	w, h  int
	x, y  float64 // upper left corner on the page
	scale float64 // crop pixels per page pixel, downwards
	along float64 // the same along the line
}

// lineHeight is the height of the picture of a line, in pixels: that which the network was trained on, so that the
// library need not scale again.
const lineHeight = 36

// manner is one way to cut a line out.
type manner struct {
	margin  float64 // room around the box, as a share of the capitals' height
	squeeze float64 // how much narrower than tall letters are made: the time of a reading goes with the width
}

// cut makes the picture of a line from the box around its letters, whose capitals are as high as capital pixels. What is as
// bright as paper becomes white, so that a guilloche vanishes; the ink is what the darkest pixels of the box show.
func (s *sheet) cut(box vision.Box, capital int, how manner) (crop, bool) {
	if box.Width < 1 || box.Height < 1 || capital < 1 {
		return crop{}, false
	}
	room := how.margin * float64(capital)
	x0, y0 := float64(box.X)-room, float64(box.Y)-room
	x1, y1 := float64(box.X+box.Width)+room, float64(box.Y+box.Height)+room
	scale := lineHeight / (y1 - y0)
	along := scale * how.squeeze
	inner := int(math.Ceil((x1 - x0) * along))
	if inner < 2 || inner > maxCrop {
		return crop{}, false
	}
	c := crop{w: inner, h: lineHeight, x: x0, y: y0, scale: scale, along: along}
	// The brightness relative to the paper, over the source pixels that the crop covers and two around for the filter.
	left, top := int(math.Floor(x0))-2, int(math.Floor(y0))-2
	right, bottom := int(math.Ceil(x1))+2, int(math.Ceil(y1))+2
	w, h := right-left, bottom-top
	share := make([]float32, w*h)
	paper := make([]float32, s.w)
	from, to := min(max(left, 0), s.w-1), min(max(right, 1), s.w)
	for y := range h {
		py := min(max(top+y, 0), s.h-1)
		s.paperRow(py, from, to, paper)
		for x := range w {
			px := min(max(left+x, 0), s.w-1)
			share[y*w+x] = min(float32(s.gray[py*s.w+px])/paper[px], mostShare)
		}
	}
	ink, white := levels(share)
	scaled := resample(share, w, h, x0-float64(left), y0-float64(top), 1/along, 1/scale, inner, c.h)
	c.gray = make([]byte, c.w*c.h)
	for i, v := range scaled {
		c.gray[i] = byte(min(max((v-ink)/(white-ink), 0), 1)*255 + 0.5)
	}
	return c, true
}

// maxCrop bounds the width of a line's picture.
const maxCrop = 4000

// mostShare is the brightness beyond which a pixel is no brighter than paper.
const mostShare = 1.2

// levels are the brightness of the ink and that from which a pixel is paper, as shares of the paper's: the darkest
// twentieth, and a little below the middle of the brighter half.
func levels(share []float32) (ink, white float32) {
	var histogram [256]int
	for _, v := range share {
		histogram[int(v*(255/mostShare))]++
	}
	quantile := func(rest int) float32 {
		for level, n := range histogram {
			if rest -= n; rest < 0 {
				return (float32(level) + 0.5) * (mostShare / 255)
			}
		}
		return mostShare
	}
	ink, paper := quantile(len(share)/20), quantile(len(share)*3/4)
	white = paper - 0.18*(paper-ink)
	return ink, max(white, ink+0.15)
}

// resample brings w·h values to tw·th, stepX and stepY source pixels apart, from (x, y) on: bicubic where it enlarges, with a
// filter as wide as the step where it shrinks.
func resample(v []float32, w, h int, x, y, stepX, stepY float64, tw, th int) []float32 {
	across := weights(w, x, stepX, tw)
	down := weights(h, y, stepY, th)
	middle := make([]float32, tw*h)
	for r := range h {
		row := v[r*w : (r+1)*w]
		for c, k := range across {
			sum := float32(0)
			for i, f := range k.factors {
				sum += f * row[k.from+i]
			}
			middle[r*tw+c] = sum
		}
	}
	out := make([]float32, tw*th)
	for r, k := range down {
		to := out[r*tw : (r+1)*tw]
		for i, f := range k.factors {
			from := middle[(k.from+i)*tw : (k.from+i+1)*tw]
			for c := range to {
				to[c] += f * from[c]
			}
		}
	}
	return out
}

type kernel struct {
	from    int
	factors []float32
}

// weights are those of the Catmull-Rom filter for n positions.
func weights(size int, start, step float64, n int) []kernel {
	wide := max(step, 1)
	out := make([]kernel, n)
	for i := range out {
		centre := start + (float64(i)+0.5)*step - 0.5
		from := min(max(int(math.Ceil(centre-2*wide)), 0), size-1)
		to := min(max(int(math.Floor(centre+2*wide)), from), size-1)
		k := kernel{from: from, factors: make([]float32, to-from+1)}
		sum := float32(0)
		for j := range k.factors {
			k.factors[j] = float32(catmullRom((float64(from+j) - centre) / wide))
			sum += k.factors[j]
		}
		if sum == 0 {
			k.factors[0], sum = 1, 1
		}
		for j := range k.factors {
			k.factors[j] /= sum
		}
		out[i] = k
	}
	return out
}

func catmullRom(t float64) float64 {
	switch t = math.Abs(t); {
	case t < 1:
		return (1.5*t-2.5)*t*t + 1
	case t < 2:
		return ((-0.5*t+2.5)*t-4)*t + 2
	}
	return 0
}

// onPage brings a box within the crop back to the page.
func (c crop) onPage(b vision.Box) vision.Box {
	x0, y0 := c.x+float64(b.X)/c.along, c.y+float64(b.Y)/c.scale
	x1, y1 := c.x+float64(b.X+b.Width)/c.along, c.y+float64(b.Y+b.Height)/c.scale
	left, top := int(math.Round(x0)), int(math.Round(y0))
	return vision.Box{X: left, Y: top, Width: int(math.Round(x1)) - left, Height: int(math.Round(y1)) - top}
}
