package main

import (
	"math"
	"slices"
)

// curve holds what a check measured on those whom it must let in and on those whom it must keep out. A lower number
// is better: a distance as it is, a score with its sign turned. What could not be measured is +Inf, and so is kept out.
type curve struct {
	genuine  []float64 // ascending
	impostor []float64 // ascending
}

func newCurve(genuine, impostor []float64) curve {
	return curve{genuine: slices.Sorted(slices.Values(genuine)), impostor: slices.Sorted(slices.Values(impostor))}
}

// falseAccept is how often an impostor is let in when numbers up to and including tolerance are.
func (c curve) falseAccept(tolerance float64) rate {
	return rate{atMost(c.impostor, tolerance), len(c.impostor)}
}

// falseReject is how often a genuine one is kept out at the same tolerance.
func (c curve) falseReject(tolerance float64) rate {
	return rate{len(c.genuine) - atMost(c.genuine, tolerance), len(c.genuine)}
}

func atMost(sorted []float64, tolerance float64) int {
	n, _ := slices.BinarySearchFunc(sorted, tolerance, func(v, t float64) int {
		if v <= t {
			return -1
		}
		return 1
	})
	return n
}

// auc is the probability that a genuine one has the better number than an impostor; equal ones count half.
func (c curve) auc() float64 {
	sum := 0.0
	for _, v := range c.impostor {
		below := atMost(c.genuine, math.Nextafter(v, math.Inf(-1)))
		sum += float64(below) + float64(atMost(c.genuine, v)-below)/2
	}
	return sum / float64(len(c.genuine)) / float64(len(c.impostor))
}

// toleranceFor is the largest tolerance that lets in no more than a share of the impostors: just below the number of
// the first one too many.
func (c curve) toleranceFor(share float64) float64 {
	allowed := int(math.Floor(share*float64(len(c.impostor)) + 1e-9))
	if allowed >= len(c.impostor) {
		return math.Inf(1)
	}
	return math.Nextafter(c.impostor[allowed], math.Inf(-1))
}

// operating is one point of a curve.
type operating struct{ falseAccept, falseReject float64 }

// points are all operating points, from the strictest on.
func (c curve) points() []operating {
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.genuine, c.impostor))))
	points := []operating{{0, 1}}
	for _, v := range all {
		if math.IsInf(v, 0) {
			continue
		}
		p := operating{c.falseAccept(v).value(), c.falseReject(v).value()}
		points = append(points, p)
	}
	return points
}
