package vision_test

import (
	"errors"
	"testing"

	"kycd/vision"
)

// The probability falls with the distance, by every combination of encoders, and is what the default tolerance is worth.
func TestProbabilityFallsWithDistance(t *testing.T) {
	for _, with := range []struct {
		name     string
		template func(x float32) vision.Template
	}{
		{vision.FaceEncoder, func(x float32) vision.Template { return vision.Template{encoding(vision.FaceEncoder, x)} }},
		{vision.FusedFaceEncoder, func(x float32) vision.Template {
			return vision.Template{encoding(vision.FaceEncoder, x), encoding(vision.SecondFaceEncoder, x)}
		}},
	} {
		last, lastDistance := 1.1, -1.0
		for x := float32(0); x <= 2; x += 0.01 {
			match, err := vision.Compare(with.template(0), with.template(x))
			if err != nil || match.Encoder != with.name {
				t.Fatalf("%s: %+v, %v", with.name, match, err)
			}
			if !(match.Probability > 0 && match.Probability <= 1 && match.Probability < last && match.Distance > lastDistance) {
				t.Fatalf("%s: at %v the probability is %v after %v", with.name, match.Distance, match.Probability, last)
			}
			if match.Distance <= vision.DefaultFaceTolerance && match.Probability < 0.9 {
				t.Errorf("%s: at %.2f, within the default tolerance, the probability is %.3f", with.name, match.Distance, match.Probability)
			}
			last, lastDistance = match.Probability, match.Distance
		}
		if last > 0.01 {
			t.Errorf("%s: far away the probability is still %v", with.name, last)
		}
	}
}

func TestCompareFaces(t *testing.T) {
	tests := []struct {
		name    string
		b       vision.Template
		verdict vision.FaceVerdict
		err     error
	}{
		{"equal", vision.Template{encoding(vision.FaceEncoder, 0)}, vision.VerdictSame, nil},
		{"at the tolerance", vision.Template{encoding(vision.FaceEncoder, 0.5)}, vision.VerdictSame, nil},
		{"beyond it", vision.Template{encoding(vision.FaceEncoder, 0.501)}, vision.VerdictDifferent, nil},
		{"by another encoder", vision.Template{encoding(vision.SecondFaceEncoder, 0)}, "", vision.ErrNotComparable},
		{"none", nil, "", vision.ErrNotComparable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := vision.Template{encoding(vision.FaceEncoder, 0)}
			c, err := vision.CompareFaces(a, test.b, 0.5)
			if !errors.Is(err, test.err) || c.Verdict != test.verdict {
				t.Fatalf("got %q, %v; want %q, %v", c.Verdict, err, test.verdict, test.err)
			}
			if err != nil {
				return
			}
			match, err := vision.Compare(a, test.b)
			if err != nil || *c.Distance != match.Distance || *c.Probability != match.Probability || c.Encoder != vision.FaceEncoder || c.Tolerance != 0.5 {
				t.Errorf("comparison %+v of match %+v, %v", c, match, err)
			}
		})
	}
}
