package vision

import (
	"errors"
	"math"
)

// ErrNotComparable is returned for encodings that no known encoder made, that no encoder made both of, or that are
// damaged: of another length, or with a number that is none.
var ErrNotComparable = errors.New("face encodings are not comparable")

// Distance is the Euclidean distance of two face encodings of one encoder. It is NaN-free: an encoding
// that holds a NaN or an infinity is refused.
func Distance(a, b []float32) (float64, error) {
	if len(a) == 0 || len(a) != len(b) {
		return 0, ErrNotComparable
	}
	var sum float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return 0, ErrNotComparable
	}
	return math.Sqrt(sum), nil
}

// finite tells whether all values are numbers.
func finite(values []float32) bool {
	for _, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}
