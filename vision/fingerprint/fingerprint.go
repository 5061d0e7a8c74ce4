// Package fingerprint measures what copies of a picture are recognised by.
package fingerprint

import (
	"math"

	"kycd/vision"
	"kycd/vision/imaging"
)

// Of measures the fingerprint of an upright picture.
func Of(pic *imaging.Picture) vision.Fingerprint {
	return vision.NewFingerprint(shrunk(pic.Gray(), pic.Width, pic.Height, vision.FingerprintSide))
}

// shrunk gives side × side values evenly spread over a picture, each the mean around its place, weighted by a tent that
// reaches to the places beside it. Plain means of parts would let fine patterns, such as a barcode's, come out differently
// in a trimmed copy.
func shrunk(gray []byte, width, height, side int) []byte {
	columns, rows := tents(width, side), tents(height, side)
	across := make([]float32, height*side) // each row of the picture, narrowed
	y := 0
	for ; y+4 <= height; y += 4 {
		narrowFour(gray[y*width:][:4*width], columns, across[y*side:][:4*side])
	}
	for ; y < height; y++ {
		narrow(gray[y*width:][:width], columns, across[y*side:][:side])
	}
	cells := make([]byte, side*side)
	sums := make([]float32, side)
	for cy, row := range rows {
		clear(sums)
		for i, weight := range row.weights {
			for cx, v := range across[(row.first+i)*side:][:side] {
				sums[cx] += weight * v
			}
		}
		for cx, v := range sums {
			cells[cy*side+cx] = byte(min(max(v, 0), 255) + 0.5)
		}
	}
	return cells
}

func narrow(line []byte, columns []tent, into []float32) {
	for cx, column := range columns {
		var sum float32
		for i, v := range line[column.first:][:len(column.weights)] {
			sum += column.weights[i] * float32(v)
		}
		into[cx] = sum
	}
}

// narrowFour narrows four rows side by side: a sum alone waits for itself at each step.
func narrowFour(lines []byte, columns []tent, into []float32) {
	width, side := len(lines)/4, len(into)/4
	for cx, column := range columns {
		weights := column.weights
		first := lines[column.first:][:len(weights)]
		second := lines[width+column.first:][:len(weights)]
		third := lines[2*width+column.first:][:len(weights)]
		fourth := lines[3*width+column.first:][:len(weights)]
		var a, b, c, d float32
		for i, weight := range weights {
			a += weight * float32(first[i])
			b += weight * float32(second[i])
			c += weight * float32(third[i])
			d += weight * float32(fourth[i])
		}
		into[cx], into[side+cx], into[2*side+cx], into[3*side+cx] = a, b, c, d
	}
}

// tent is the pixels that a value is made of, and the weight of each.
type tent struct {
	first   int
	weights []float32
}

// tents spreads so many places over n pixels. Where pixels are fewer than places, values lie between two pixels.
func tents(n, places int) []tent {
	all := make([]tent, places)
	step := float64(n) / float64(places)
	reach := max(step, 1)
	for k := range all {
		middle := (float64(k) + 0.5) * step
		first, last := max(int(middle-reach), 0), min(int(middle+reach), n-1)
		weights, sum := make([]float64, last-first+1), 0.0
		for i := range weights {
			weights[i] = max(1-math.Abs(float64(first+i)+0.5-middle)/reach, 0)
			sum += weights[i]
		}
		all[k] = tent{first: first, weights: make([]float32, len(weights))}
		for i, w := range weights {
			all[k].weights[i] = float32(w / sum)
		}
	}
	return all
}
