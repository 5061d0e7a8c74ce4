package quality

import (
	"math"

	"kycd/vision"
	"kycd/vision/imaging"
)

// Face rates a face in a box of pic for comparison, 0..1: no better than the worst of its size, sharpness
// and light.
func Face(pic *imaging.Picture, box vision.Box) (float64, error) {
	crop, ok := pic.Crop(box)
	if !ok {
		return 0, nil
	}
	// Size as seen by the source: a reduced decode took nothing away that the encoder would have used.
	size := ramp(float64(box.Width)*pic.Scale, 20, 100)
	scaled, err := crop.Resize(faceSide, faceSide)
	if err != nil {
		return 0, err
	}
	sharpness, err := laplacianVariance(scaled)
	if err != nil {
		return 0, err
	}
	luma := meanLuma(scaled)
	light := math.Min(ramp(luma, 20, 70), ramp(-luma, -250, -200))
	return math.Min(size, math.Min(light, ramp(math.Log(sharpness+1), math.Log(4), math.Log(31)))), nil
}
