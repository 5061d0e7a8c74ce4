// Package fingerprint measures what copies of a picture are recognised by.
package fingerprint

import (
	"kycd/vision"
	"kycd/vision/imaging"
)

// Of measures the fingerprint of an upright picture.
func Of(pic *imaging.Picture) vision.Fingerprint {
	return vision.NewFingerprint(shrunk(pic.Gray(), pic.Width, pic.Height, vision.FingerprintSide))
}

// shrunk takes the mean of each of side × side equal parts of a picture; pixels that parts share count for each by what lies
// in it. So the result hardly depends on the picture's size, whatever the factor.
func shrunk(gray []byte, width, height, side int) []byte {
	columns, rows := shares(width, side), shares(height, side)
	across := make([]float32, side)
	cells := make([]byte, side*side)
	sums := make([]float32, side)
	for cy, row := range rows {
		clear(sums)
		for i, weight := range row.weights {
			line := gray[(row.first+i)*width:][:width]
			narrow(line, columns, across)
			for cx, v := range across {
				sums[cx] += weight * v
			}
		}
		for cx, v := range sums {
			cells[cy*side+cx] = byte(min(max(v, 0), 255) + 0.5)
		}
	}
	return cells
}

func narrow(line []byte, columns []share, into []float32) {
	for cx, column := range columns {
		var sum float32
		for i, v := range line[column.first:][:len(column.weights)] {
			sum += column.weights[i] * float32(v)
		}
		into[cx] = sum
	}
}

// share is the pixels of one part, and what share of the part each is.
type share struct {
	first   int
	weights []float32
}

// shares divides n pixels into equal parts.
func shares(n, parts int) []share {
	all := make([]share, parts)
	for k := range all {
		// In units of 1/parts pixel, so that borders are whole numbers: part k is from k·n to (k+1)·n.
		from, to := k*n, (k+1)*n
		first, last := from/parts, (to-1)/parts
		s := share{first: first, weights: make([]float32, last-first+1)}
		for i := range s.weights {
			begin, end := max(from, (first+i)*parts), min(to, (first+i+1)*parts)
			s.weights[i] = float32(end-begin) / float32(n)
		}
		all[k] = s
	}
	return all
}
