package sweep

import "golang.org/x/sys/cpu"

// whole sums a whole number of lots. Wider registers would not make it faster: it waits for the memory.
func whole(values []float32) float32 {
	if len(values) == 0 || !cpu.X86.HasAVX2 {
		return portable(values)
	}
	return sumAVX2(&values[0], len(values)/lot)
}

//go:noescape
func sumAVX2(values *float32, lots int) float32
