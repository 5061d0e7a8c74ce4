package vision

import (
	"errors"
	"math"
)

// ErrNotComparable is returned for encodings of different length, or of none.
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
