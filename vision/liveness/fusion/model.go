// Package fusion turns what was measured on a face into one calibrated probability that a person stood before the
// camera. It needs no cgo, so that the programs that judge the score can fit it anew without the subjects they judge.
package fusion

import "math"

// Input is one measurement that a model weighs.
type Input struct {
	Name  string  // its key in vision.Liveness.Cues
	Sign  int     // of the weight that makes sense: 1 if more of it speaks for a person, −1 if against, 0 if either may be
	Limit float64 // beyond ±Limit it says no more: one sure opinion must not silence the rest; 0 means no limit
	Room  float64 // the least Room at which it is heard; 0 means always
}

// limited reads the input; ok is false if it was not measured or is not heard.
func (in Input) limited(cues map[string]float64) (v float64, ok bool) {
	v, ok = cues[in.Name]
	ok = ok && cues[Room] >= in.Room
	if in.Limit > 0 {
		v = min(max(v, -in.Limit), in.Limit)
	}
	return v, ok
}

// Term is an input with its mean and spread among the training faces, and what one spread above the mean adds to the
// log-odds of a person.
type Term struct {
	Input
	Mean, Spread, Weight float64
}

// standard is the input in spreads above the mean. What was not measured, like the border of a picture that shows
// nothing but the face, speaks neither for nor against a person.
func (t Term) standard(cues map[string]float64) float64 {
	v, ok := t.limited(cues)
	if !ok {
		return 0
	}
	return (v - t.Mean) / t.Spread
}

// Model is a logistic regression.
type Model struct {
	Bias  float64
	Terms []Term
}

// LogOdds is the logarithm of the odds of a person.
func (m Model) LogOdds(cues map[string]float64) float64 {
	sum := m.Bias
	for _, t := range m.Terms {
		sum += t.Weight * t.standard(cues)
	}
	return sum
}

// Score is the probability of a person, 0..1.
func (m Model) Score(cues map[string]float64) float64 { return sigmoid(m.LogOdds(cues)) }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
