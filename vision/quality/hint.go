package quality

import "kycd/vision"

// The bounds behind the hints, from the development pictures and copies of them blurred on purpose.
const (
	// Sharp photos lie above 25 but for a drawing without texture; blurred by a Gaussian of 3 px at the
	// working width, which no small print survives, all 110 fall to 7 or less.
	minSharpness = 10
	// The darkest picture whose face was found and compared has a mean luma of 49.
	minBrightness = 40
	// 2 of 110 pictures without a reflection reach more, through white clothes.
	maxGlare = 0.03
	// MinFaceWidth is the width in px below which an encoding suffers: scaled down to 60 px the same
	// face moves by 0.08 in the median, to 40 px by 0.18, to 20 px by 0.41.
	MinFaceWidth = 60
)

// Hints tells what to do better, from the whole picture's measurements.
func Hints(q vision.Quality) []vision.Hint {
	var hints []vision.Hint
	dark := q.Brightness < minBrightness
	if dark {
		hints = append(hints, vision.HintTooDark)
	}
	// A picture in the dark has no contrast, however sharp: one hint, the true one.
	if q.Sharpness < minSharpness && !dark {
		hints = append(hints, vision.HintBlurred)
	}
	if q.Glare > maxGlare {
		hints = append(hints, vision.HintGlare)
	}
	return hints
}
