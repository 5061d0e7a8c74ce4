package binomial

import (
	"math"
	"testing"
)

// Bounds from the closed forms for no and for all successes, and from published tables (Clopper and Pearson, 1934).
func TestBounds(t *testing.T) {
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
		low, high := Lower(test.k, test.n, 0.025), Upper(test.k, test.n, 0.025)
		if math.Abs(low-test.low) > 1e-4 || math.Abs(high-test.high) > 1e-4 {
			t.Errorf("%d of %d: [%.4f, %.4f], want [%.4f, %.4f]", test.k, test.n, low, high, test.low, test.high)
		}
	}
}
