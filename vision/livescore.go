package vision

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// surestFrame bounds, in log-odds, what one frame can say: a single sure frame must not outvote the others.
const surestFrame = 6

// FuseLiveness combines the frames of one session: the mean of their log-odds, each bounded. The model names every model
// that scored a frame; the cues are those of the frame that looks least like a person. Without frames, and if a score is
// no number, the result scores 0.
func FuseLiveness(scores []Liveness) Liveness {
	if len(scores) == 0 {
		return Liveness{}
	}
	sum, worst := 0.0, 0
	var models []string
	for i, s := range scores {
		if math.IsNaN(s.Score) {
			return Liveness{Model: s.Model, Cues: maps.Clone(s.Cues)}
		}
		odds := math.Log(s.Score) - math.Log1p(-s.Score) // ±Inf at 1 and 0
		sum += min(max(odds, -surestFrame), surestFrame)
		if s.Score < scores[worst].Score {
			worst = i
		}
		if !slices.Contains(models, s.Model) {
			models = append(models, s.Model)
		}
	}
	slices.Sort(models)
	return Liveness{
		Score: 1 / (1 + math.Exp(-sum/float64(len(scores)))),
		Model: strings.Join(models, " and "),
		Cues:  maps.Clone(scores[worst].Cues),
	}
}
