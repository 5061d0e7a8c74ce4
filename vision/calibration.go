package vision

import "math"

// FaceEncoder is the name and version of the encoder that the figures of this file speak of.
const FaceEncoder = "dlib-resnet-v1@face-api-1.7.15"

// DefaultFaceTolerance is the largest distance that counts as one person unless an operator sets another.
//
// It is the largest hundredth at which the upper 95 % bound (Clopper-Pearson) of the false match rate stays
// below 5 % on 734 different-person pairs, half of them between people of one source: false matches 3.1 % [2.0, 4.7], false
// non-matches 15.5 % of 380 same-person pairs [12.0, 19.6], many of them years apart. The customary 0.6 of
// the library lets 12.0 % [9.7, 14.6] of the same different-person pairs pass. Measured by
// vision/calibrate; docs/accuracy.md has the curve.
const DefaultFaceTolerance = 0.46

// The logistic curve of the probability, fitted on the same 1,114 pairs with both classes weighing the same.
// Each half of the people judged by the curve of the other half: Brier scores 0.025 and 0.063.
const (
	faceCurveMiddle = 0.5498
	faceCurveSlope  = 19.707
)

// FaceProbability is the probability that two faces at a distance are one person's, where one pair in two
// is. It is calibrated for FaceEncoder only. A distance that is no number gives 0.
func FaceProbability(distance float64) float64 {
	if math.IsNaN(distance) {
		return 0
	}
	return 1 / (1 + math.Exp(faceCurveSlope*(distance-faceCurveMiddle)))
}

// FaceVerdict says what a comparison came to.
type FaceVerdict string

// The verdicts. Unknown is not different: nothing was measured.
const (
	VerdictSame      FaceVerdict = "same"
	VerdictDifferent FaceVerdict = "different"
	VerdictUnknown   FaceVerdict = "unknown"
)

// Comparison is what the main faces of two images say of each other.
type Comparison struct {
	A           string      `json:"a,omitempty"` // file, where there is one
	B           string      `json:"b,omitempty"`
	Distance    *float64    `json:"distance"`    // nil if it was not measured
	Probability *float64    `json:"probability"` // of being one person, by FaceProbability
	Tolerance   float64     `json:"tolerance"`   // that the verdict stands on
	Verdict     FaceVerdict `json:"verdict"`
	Error       string      `json:"error,omitempty"` // reason code of an unknown verdict
	Encoder     string      `json:"encoder,omitempty"`
}

// CompareFaces measures the distance of two encodings of FaceEncoder and judges it by a tolerance.
func CompareFaces(a, b []float32, tolerance float64) (Comparison, error) {
	distance, err := Distance(a, b)
	if err != nil {
		return Comparison{}, err
	}
	probability := FaceProbability(distance)
	c := Comparison{
		Distance:    &distance,
		Probability: &probability,
		Tolerance:   tolerance,
		Verdict:     VerdictDifferent,
		Encoder:     FaceEncoder,
	}
	if distance <= tolerance {
		c.Verdict = VerdictSame
	}
	return c, nil
}
