package fusion

import (
	"slices"
	"strings"
)

// The measurements, as vision.Liveness.Cues names them. Those of the networks are log-odds of a person.
const (
	SENear    = "minifasnet_v2_se_near" // on a square of 1.5 times the face
	SEFar     = "minifasnet_v2_se_far"  // on a square of 2.2 times the face, mirrored
	ElderV2   = "minifasnet_v2"
	ElderV1SE = "minifasnet_v1_se"

	Saturation  = "saturation"   // of the face, mean, 0..1
	Blueness    = "blueness"     // mean of Cb, −0.5..0.5
	ChromaGrain = "chroma_grain" // share of pixels of irregular pattern in Cb, two pixels apart, at the camera's resolution
	BorderLines = "border_lines" // straight edges around the face, 0..1

	// Room is how many times the face's box fits into the picture, in the tighter direction.
	Room = "room"
)

// The combinations, best first. A change of inputs, numbers or networks is a new version.
const (
	All    = "kycd-liveness-1 (minifasnet-v2-se-128 + minifasnet-v2-80 + minifasnet-v1-se-80 + cues)"
	SE     = "kycd-liveness-1 (minifasnet-v2-se-128 + cues)"
	Elders = "kycd-liveness-1 (minifasnet-v2-80 + minifasnet-v1-se-80 + cues)"
	Cues   = "kycd-liveness-1 (cues)"
)

// Ridge is the strength of the penalty on weights, in units of the mean log-likelihood.
const Ridge = 0.02

const (
	surest   = 8   // log-odds beyond which a network says no more
	leastFor = 1.5 // room that the older networks and the border need: they look at what is around the face
)

// Inputs are what a combination weighs; nil for a name that is none.
func Inputs(combination string) []Input {
	se := []Input{{Name: SENear, Sign: 1, Limit: surest}, {Name: SEFar, Sign: 1, Limit: surest}}
	elders := func(room float64) []Input {
		return []Input{{Name: ElderV2, Sign: 1, Limit: surest, Room: room}, {Name: ElderV1SE, Sign: 1, Limit: surest, Room: room}}
	}
	cues := []Input{
		{Name: Saturation, Sign: 1}, {Name: Blueness, Sign: -1}, {Name: ChromaGrain, Sign: -1},
		{Name: BorderLines, Sign: -1, Room: leastFor},
	}
	switch combination {
	case All:
		return slices.Concat(se, elders(leastFor), cues)
	case SE:
		return slices.Concat(se, cues)
	case Elders:
		return slices.Concat(elders(0), cues)
	case Cues:
		return cues
	}
	return nil
}

// Combination is a model for the networks that are there.
type Combination struct {
	Name string
	Model
}

// Combinations are the fitted ones, best first.
func Combinations() []Combination {
	return []Combination{{All, fittedAll()}, {SE, fittedSE()}, {Elders, fittedElders()}, {Cues, fittedCues()}}
}

// For chooses by the weights that are present: MiniFASNetV2-SE's, and both older networks'.
func For(se, elders bool) Combination {
	all := Combinations()
	switch {
	case se && elders:
		return all[0]
	case se:
		return all[1]
	case elders:
		return all[2]
	}
	return all[3]
}

// Trains tells whether attacks of a kind belong into a fit. A generated face is injected instead of shown to the camera:
// there is nothing in it for a passive check to see, and a fit would unlearn what it knows for its sake.
func Trains(kind string) bool { return kind != "generated" }

// Fold names the group of subjects that is left out together. The collections name the same person differently.
func Fold(subject string) string { return strings.ReplaceAll(subject, "/", "-") }
