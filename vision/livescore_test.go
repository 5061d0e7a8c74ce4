package vision

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestFuseLiveness(t *testing.T) {
	frame := func(score float64, model string) Liveness {
		return Liveness{Score: score, Model: model, Cues: map[string]float64{"score": score}}
	}
	for name, test := range map[string]struct {
		frames []Liveness
		score  float64
		model  string
		worst  float64
	}{
		"one frame is itself":             {[]Liveness{frame(0.7, "a")}, 0.7, "a", 0.7},
		"opposite frames cancel":          {[]Liveness{frame(0.9, "a"), frame(0.1, "a")}, 0.5, "a", 0.1},
		"one sure frame is no proof":      {[]Liveness{frame(1, "a"), frame(0.05, "a"), frame(0.05, "a")}, 0.5093, "a", 0.05},
		"a frame that is surely none":     {[]Liveness{frame(0, "a"), frame(0.5, "a")}, 1 / (1 + math.Exp(3)), "a", 0},
		"two models are both named, once": {[]Liveness{frame(0.5, "b"), frame(0.5, "a"), frame(0.5, "b")}, 0.5, "a and b", 0.5},
	} {
		got := FuseLiveness(test.frames)
		if math.Abs(got.Score-test.score) > 1e-4 || got.Model != test.model || got.Cues["score"] != test.worst {
			t.Errorf("%s: got %.4f by %q with the cues of %.2f, want %.4f by %q with those of %.2f",
				name, got.Score, got.Model, got.Cues["score"], test.score, test.model, test.worst)
		}
	}
	if got := FuseLiveness(nil); got.Score != 0 || got.Model != "" {
		t.Errorf("no frame gives %+v", got)
	}
	if got := FuseLiveness([]Liveness{frame(0.9, "a"), frame(math.NaN(), "a")}); got.Score != 0 {
		t.Errorf("a frame without a number gives %v, want 0", got.Score)
	}
}

func TestFusedLivenessLiesBetweenTheFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 6).Draw(t, "scores")
		frames := make([]Liveness, len(scores))
		low, high := 1.0, 0.0
		for i, s := range scores {
			frames[i] = Liveness{Score: s}
			low, high = min(low, s), max(high, s)
		}
		const surest = 0.997528 // of surestFrame
		if got := FuseLiveness(frames).Score; got < min(low, surest)-1e-6 || got > max(high, 1-surest)+1e-6 {
			t.Fatalf("%v gives %v", scores, got)
		}
	})
}
