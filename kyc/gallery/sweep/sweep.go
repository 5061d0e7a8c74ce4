// Package sweep reads memory as fast as the machine can and does nothing else: what a search through all of it is
// measured against.
package sweep

// Sum reads every value once and adds up what it read, so that nothing can be left out; the order is the machine's own.
func Sum(values []float32) float32 {
	n := len(values) / lot * lot
	sum := whole(values[:n])
	for _, v := range values[n:] {
		sum += v
	}
	return sum
}

// lot is how many values are read in one go.
const lot = 128

func portable(values []float32) float32 {
	var sums [8]float32
	for i := 0; i+8 <= len(values); i += 8 {
		for lane := range sums {
			sums[lane] += values[i+lane]
		}
	}
	return sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7]
}
