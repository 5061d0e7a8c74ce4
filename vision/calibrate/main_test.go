package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Bounds from the closed forms for no and for all successes, and from published tables (Clopper and Pearson, 1934).
func TestClopperPearson(t *testing.T) {
	tests := []struct {
		k, n      int
		low, high float64
	}{
		{0, 100, 0, 1 - math.Pow(0.025, 1.0/100)},
		{100, 100, math.Pow(0.025, 1.0/100), 1},
		{10, 100, 0.0490, 0.1762},
		{1, 20, 0.0013, 0.2487},
	}
	for _, test := range tests {
		low, high := clopperPearson(test.k, test.n)
		if math.Abs(low-test.low) > 1e-4 || math.Abs(high-test.high) > 1e-4 {
			t.Errorf("%d of %d: [%.4f, %.4f], want [%.4f, %.4f]", test.k, test.n, low, high, test.low, test.high)
		}
	}
}

// The fit finds the curve that the labels were drawn from.
func TestFitLogistic(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	truth := logistic{middle: 0.5, slope: 20}
	var pairs []pair
	for range 20000 {
		d := random.Float64()
		pairs = append(pairs, pair{distance: d, same: random.Float64() < truth.at(d)})
	}
	got := fitLogistic(pairs)
	if math.Abs(got.middle-truth.middle) > 0.01 || math.Abs(got.slope-truth.slope) > 1 {
		t.Errorf("fitted %+v, want about %+v", got, truth)
	}
}

func TestAUC(t *testing.T) {
	if got := auc([]float64{0.1, 0.2}, []float64{0.15, 0.3}); got != 0.75 {
		t.Errorf("got %v, want 0.75", got)
	}
}
