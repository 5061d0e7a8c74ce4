package active

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestDraw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(-1, 9).Draw(t, "n")
		steps := Draw(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), n)
		if want := min(max(n, 2), len(Steps())); len(steps) != want {
			t.Errorf("%d steps, want %d", len(steps), want)
		}
		for i, step := range steps {
			if !step.Known() || slices.Contains(steps[:i], step) {
				t.Errorf("%v has %q unknown or twice", steps, step)
			}
		}
		if !slices.ContainsFunc(steps, Step.isDirection) {
			t.Errorf("%v has no direction", steps)
		}
		if !slices.ContainsFunc(steps, func(s Step) bool { return !s.isDirection() }) {
			t.Errorf("%v has no expression", steps)
		}
	})
}

// TestDrawFavoursNoPlace counts which step comes where: an attacker must not gain by guessing.
func TestDrawFavoursNoPlace(t *testing.T) {
	const rounds = 12000
	rng := rand.New(rand.NewPCG(1, 2))
	counts := map[Step][3]int{}
	for range rounds {
		for i, step := range Draw(rng, 3) {
			c := counts[step]
			c[i]++
			counts[step] = c
		}
	}
	for _, step := range Steps() {
		// A direction is drawn with 1/4 + 3/4·1/4, an expression with 1/2 + 1/2·1/4, and stands in each place as often.
		drawn := 1.0/4 + 3.0/4/4
		if !step.isDirection() {
			drawn = 1.0/2 + 1.0/2/4
		}
		for place, n := range counts[step] {
			if want := rounds * drawn / 3; float64(n) < 0.9*want || float64(n) > 1.1*want {
				t.Errorf("%s in place %d: %d times, want about %.0f", step, place, n, want)
			}
		}
	}
}

func TestStepsAreKnown(t *testing.T) {
	if got := len(Steps()); got != 6 {
		t.Errorf("%d steps, want 6", got)
	}
	for step, want := range map[Step]bool{"turn_left": true, "turn_right": true, "look_up": true, "look_down": true, "smile": true, "open_mouth": true, "": false, "wink": false} {
		if step.Known() != want {
			t.Errorf("%q known: %v, want %v", step, !want, want)
		}
	}
}
