//go:build !amd64

package sweep

// whole sums a whole number of lots.
func whole(values []float32) float32 { return portable(values) }
