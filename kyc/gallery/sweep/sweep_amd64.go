package sweep

import "golang.org/x/sys/cpu"

// whole sums a whole number of lots.
func whole(values []float32) float32 {
	switch {
	case len(values) == 0:
		return 0
	case cpu.X86.HasAVX512F:
		return sumAVX512(&values[0], len(values)/lot)
	case cpu.X86.HasAVX2:
		return sumAVX2(&values[0], len(values)/lot)
	default:
		return portable(values)
	}
}

//go:noescape
func sumAVX2(values *float32, lots int) float32

//go:noescape
func sumAVX512(values *float32, lots int) float32
