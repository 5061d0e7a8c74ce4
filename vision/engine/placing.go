package engine

import (
	"math"

	"kycd/vision"
	"kycd/vision/projective"
)

// placing moves boxes from the page cut out to the pixels of the source; a tilted box becomes the upright one around it.
func (p *page) placing(scale float64) func(vision.Box) vision.Box {
	toPicture, ok := projective.Onto(float64(p.picture.Width), float64(p.picture.Height), p.outline.Corners)
	return func(box vision.Box) vision.Box {
		if !ok {
			return vision.Box{} // seen from its edge, it has no places
		}
		left, top := float64(box.X), float64(box.Y)
		right, bottom := float64(box.X+box.Width), float64(box.Y+box.Height)
		corners := []vision.Point{toPicture.At(left, top), toPicture.At(right, top), toPicture.At(right, bottom), toPicture.At(left, bottom)}
		for j := range corners {
			corners[j].X, corners[j].Y = corners[j].X*scale, corners[j].Y*scale
		}
		return boxAround(corners)
	}
}

// boxAround is the smallest upright box around points.
func boxAround(points []vision.Point) vision.Box {
	left, top := math.Inf(1), math.Inf(1)
	right, bottom := math.Inf(-1), math.Inf(-1)
	for _, p := range points {
		left, right = math.Min(left, p.X), math.Max(right, p.X)
		top, bottom = math.Min(top, p.Y), math.Max(bottom, p.Y)
	}
	x, y := int(math.Floor(left)), int(math.Floor(top))
	return vision.Box{X: x, Y: y, Width: int(math.Ceil(right)) - x, Height: int(math.Ceil(bottom)) - y}
}
