package vision

// The names and versions of the encoders that the figures of this file speak of. Another version of an encoder is another
// encoder: it needs figures of its own.
const (
	FaceEncoder       = "dlib-resnet-v1@face-api-1.7.15"
	SecondFaceEncoder = "mobileface@human-models-3.0.4"
)

// FusedFaceEncoder names the two together.
const FusedFaceEncoder = FaceEncoder + "+" + SecondFaceEncoder

// The lengths of the encodings.
const (
	FaceEncodingSize       = 128
	SecondFaceEncodingSize = 256
)

// DefaultFaceTolerance is the largest distance that counts as one person unless an operator sets another, whatever the
// combination of encoders.
//
// It is the largest hundredth at which the one-sided upper 95 % bound (Clopper-Pearson) of the false match rate is at most
// 1e-3 among 8,665 pairs of pictures of strangers: three of them match with both encoders, two with the first alone. Of 380 pairs
// of pictures of one person, many of them years apart, 25 % are then refused with both encoders, 51 % with the first alone. At 0.6,
// customary for the first encoder alone, 1.3 % of strangers match; both encoders must not be used with it: half of them do.
// Measured by vision/calibrate; docs/accuracy.md has the curves, and what bound so few people support.
const DefaultFaceTolerance = 0.39

// combinations are the ways to compare two templates, the strongest first.
//
// With both encoders, the second one has 0.35 of the squared distance: best is 0.3 on one half of the people and 0.4 on the other.
// The whole is scaled by 0.5320, which lets the promise of DefaultFaceTolerance break at the same distance as with the first
// encoder alone. The curves of the probability are fitted on 1,114 pairs, a third of whose strangers look alike, with both classes
// weighing the same. Each half of the people judged by the curve of the other half: Brier scores 0.020 and 0.066 with both
// encoders, 0.025 and 0.064 with the first alone.
func combinations() []combination {
	return []combination{
		{
			name: FusedFaceEncoder,
			parts: []part{
				{FaceEncoder, FaceEncodingSize, 0.1840},
				{SecondFaceEncoder, SecondFaceEncodingSize, 0.0991},
			},
			middle: 0.4524, slope: 45.540,
		},
		{
			name:   FaceEncoder,
			parts:  []part{{FaceEncoder, FaceEncodingSize, 1}},
			middle: 0.5503, slope: 19.665,
		},
	}
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
	Probability *float64    `json:"probability"` // of being one person, as Match.Probability
	Tolerance   float64     `json:"tolerance"`   // that the verdict stands on
	Verdict     FaceVerdict `json:"verdict"`
	Error       string      `json:"error,omitempty"`   // reason code of an unknown verdict
	Encoder     string      `json:"encoder,omitempty"` // the combination of encoders, as Match.Encoder
}

// CompareFaces compares two templates and judges their distance by a tolerance.
func CompareFaces(a, b Template, tolerance float64) (Comparison, error) {
	match, err := Compare(a, b)
	if err != nil {
		return Comparison{}, err
	}
	c := Comparison{
		Distance:    &match.Distance,
		Probability: &match.Probability,
		Tolerance:   tolerance,
		Verdict:     VerdictDifferent,
		Encoder:     match.Encoder,
	}
	if match.Distance <= tolerance {
		c.Verdict = VerdictSame
	}
	return c, nil
}
