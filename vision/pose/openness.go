package pose

import (
	"math"

	"kycd/vision"
)

// Openness tells from the 68 points of the 300-W mark-up how far eyes and mouth are open. Heights and widths are those
// in the picture, so they hold for a face turned by less than about 30°. ok is false for another number of points, for
// such as are not finite, and where an eye or the mouth has no width.
func Openness(shape []vision.Point) (open vision.Openness, ok bool) {
	if len(shape) != shapePoints {
		return vision.Openness{}, false
	}
	// The eye aspect ratio of Soukupová and Čech, 2016, and the same of the inner contour of the lips.
	open.RightEye = aspect(shape[36], shape[39], [][2]vision.Point{{shape[37], shape[41]}, {shape[38], shape[40]}})
	open.LeftEye = aspect(shape[42], shape[45], [][2]vision.Point{{shape[43], shape[47]}, {shape[44], shape[46]}})
	open.Mouth = aspect(shape[60], shape[64], [][2]vision.Point{{shape[61], shape[67]}, {shape[62], shape[66]}, {shape[63], shape[65]}})
	for _, v := range [3]float64{open.RightEye, open.LeftEye, open.Mouth} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return vision.Openness{}, false
		}
	}
	return open, true
}

// aspect is the mean height of the pairs over the distance of the corners.
func aspect(corner, other vision.Point, pairs [][2]vision.Point) float64 {
	sum := 0.0
	for _, p := range pairs {
		sum += math.Hypot(p[0].X-p[1].X, p[0].Y-p[1].Y)
	}
	return sum / float64(len(pairs)) / math.Hypot(corner.X-other.X, corner.Y-other.Y)
}
