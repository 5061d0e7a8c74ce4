package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

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
