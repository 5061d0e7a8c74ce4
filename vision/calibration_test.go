package vision_test

import (
	"errors"
	"math"
	"testing"

	"kycd/vision"
)

func TestFaceProbabilityFallsWithDistance(t *testing.T) {
	last := 1.0
	for d := 0.0; d <= 2; d += 0.01 {
		p := vision.FaceProbability(d)
		if !(p > 0 && p <= 1 && p < last) {
			t.Fatalf("at %.2f the probability is %v after %v", d, p, last)
		}
		last = p
	}
	if p := vision.FaceProbability(vision.DefaultFaceTolerance); p < 0.8 || p > 0.9 {
		t.Errorf("at the default tolerance the probability is %.3f", p)
	}
	if p := vision.FaceProbability(math.NaN()); p != 0 {
		t.Errorf("NaN gives %v, want 0", p)
	}
}

func TestCompareFaces(t *testing.T) {
	point := func(x float32) []float32 { return append(make([]float32, 127), x) }
	tests := []struct {
		name    string
		b       []float32
		verdict vision.FaceVerdict
		err     error
	}{
		{"equal", point(0), vision.VerdictSame, nil},
		{"at the tolerance", point(0.5), vision.VerdictSame, nil},
		{"beyond it", point(0.501), vision.VerdictDifferent, nil},
		{"other length", point(0)[1:], "", vision.ErrNotComparable},
		{"none", nil, "", vision.ErrNotComparable},
		{"not a number", point(float32(math.NaN())), "", vision.ErrNotComparable},
		{"infinite", point(float32(math.Inf(1))), "", vision.ErrNotComparable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := vision.CompareFaces(point(0), test.b, 0.5)
			if !errors.Is(err, test.err) || c.Verdict != test.verdict {
				t.Fatalf("got %q, %v; want %q, %v", c.Verdict, err, test.verdict, test.err)
			}
			if err == nil && (c.Distance == nil || *c.Probability != vision.FaceProbability(*c.Distance)) {
				t.Errorf("comparison without its figures: %+v", c)
			}
		})
	}
}
