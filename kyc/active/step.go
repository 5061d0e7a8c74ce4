// Package active judges the frames of an active liveness check: pictures of one person who was asked to do something
// that nobody could foresee.
//
// It is pure: it sees measurements, never pictures. What was not measured is never passed.
//
// What it can and cannot tell. It refuses pictures that were taken before the challenge was known, unless they happen to
// show its steps; a photograph that is tilted or shown to the camera instead of a head that turns; the same picture
// twice, also mirrored; and frames of several people. It does not recognise motion that was rendered from a photograph
// after the challenge was read, nor a mask that is worn: kyc/specimen renders such frames for the tests, and they pass.
// Against those stand the lifetime of the challenge, the passive score of every frame, and a camera that can be trusted.
package active

import (
	"math/rand/v2"
	"slices"
)

// Step is something a person is asked to show.
type Step string

// The steps. Left and right are the person's own.
const (
	TurnLeft  Step = "turn_left"
	TurnRight Step = "turn_right"
	LookUp    Step = "look_up"
	LookDown  Step = "look_down"
	Smile     Step = "smile"
	OpenMouth Step = "open_mouth"
)

func directions() []Step { return []Step{TurnLeft, TurnRight, LookUp, LookDown} }

func expressions() []Step { return []Step{Smile, OpenMouth} }

// Steps are all steps that a person can be asked for.
func Steps() []Step { return append(directions(), expressions()...) }

// Known tells whether there is such a step.
func (s Step) Known() bool { return slices.Contains(Steps(), s) }

// isDirection tells whether the head is turned in this step.
func (s Step) isDirection() bool { return slices.Contains(directions(), s) }

// Draw chooses n steps in random order: no two the same, at least one direction and at least one expression. Fewer than
// two are two; more than there are, are all. The randomness must be one that nobody can foresee.
func Draw(rng *rand.Rand, n int) []Step {
	shuffled := func(steps []Step) []Step {
		rng.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		return steps
	}
	turns, faces := shuffled(directions()), shuffled(expressions())
	rest := shuffled(slices.Concat(turns[1:], faces[1:]))
	drawn := append([]Step{turns[0], faces[0]}, rest[:min(max(n, 2)-2, len(rest))]...)
	return shuffled(drawn)
}
