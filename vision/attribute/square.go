package attribute

import (
	"math"

	"kycd/vision"
	"kycd/vision/imaging"
)

// edge is the side, px, of the square that the networks take.
const edge = 112

// margin is what is added to the box around the landmarks, as a share of its sides: the networks were trained on crops
// that reach a tenth beyond on each side.
const margin = 0.2

// region is the part of the picture that the networks are shown: around the 68 landmarks where they are known, else
// the detector's box. It lies within the picture; ok is false if nothing is left of it.
func region(width, height int, box vision.Box, shape []vision.Point) (vision.Box, bool) {
	x0, y0 := float64(box.X), float64(box.Y)
	x1, y1 := x0+float64(box.Width), y0+float64(box.Height)
	if len(shape) == 68 {
		x0, y0, x1, y1 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
		for _, p := range shape {
			x0, y0 = math.Min(x0, p.X), math.Min(y0, p.Y)
			x1, y1 = math.Max(x1, p.X), math.Max(y1, p.Y)
		}
		padX, padY := margin/2*(x1-x0), margin/2*(y1-y0)
		x0, y0, x1, y1 = x0-padX, y0-padY, x1+padX, y1+padY
	}
	x0, y0 = math.Max(x0, 0), math.Max(y0, 0)
	x1, y1 = math.Min(x1, float64(width)), math.Min(y1, float64(height))
	// NaN fails every comparison.
	if !(x1-x0 >= 1 && y1-y0 >= 1) {
		return vision.Box{}, false
	}
	return vision.Box{X: int(x0), Y: int(y0), Width: int(x1 - x0), Height: int(y1 - y0)}, true
}

// square pads a crop with black to a square and scales it to the networks' input, in planes of red, green and blue. It
// does so as face-api 1.7.15 does with a tensor: half of the padding on each side, the odd line after the picture;
// bilinear between the pixels' upper left corners, without smoothing.
func square(crop *imaging.Picture) []float32 {
	side := max(crop.Width, crop.Height)
	left, top := (side-crop.Width)/2, (side-crop.Height)/2
	at := func(x, y, channel int) float32 {
		x, y = x-left, y-top
		if x < 0 || y < 0 || x >= crop.Width || y >= crop.Height {
			return 0
		}
		return float32(crop.Pix[3*(y*crop.Width+x)+2-channel])
	}
	step := float64(side) / edge
	planes := make([]float32, 3*edge*edge)
	for row := range edge {
		y := step * float64(row)
		y0, y1 := int(math.Floor(y)), min(side-1, int(math.Ceil(y)))
		down := y - float64(y0)
		for column := range edge {
			x := step * float64(column)
			x0, x1 := int(math.Floor(x)), min(side-1, int(math.Ceil(x)))
			right := x - float64(x0)
			for c := range 3 {
				upper := float64(at(x0, y0, c)) + float64(at(x1, y0, c)-at(x0, y0, c))*right
				lower := float64(at(x0, y1, c)) + float64(at(x1, y1, c)-at(x0, y1, c))*right
				planes[(c*edge+row)*edge+column] = float32(upper + (lower-upper)*down)
			}
		}
	}
	return planes
}
