// Package binomial bounds a rate of which only counts are known: k times in n trials.
package binomial

import "math"

// Upper is the exact upper bound (Clopper-Pearson) of a rate of k in n, which the true rate exceeds with at most the
// probability tail: 0.025 for a side of a two-sided 95 % interval, 0.05 for a one-sided one. k must lie in 0..n.
func Upper(k, n int, tail float64) float64 {
	if k >= n {
		return 1
	}
	return bisect(func(p float64) bool { return cdf(k, n, p) > tail })
}

// Lower is the exact lower bound, as Upper.
func Lower(k, n int, tail float64) float64 {
	if k <= 0 {
		return 0
	}
	return bisect(func(p float64) bool { return 1-cdf(k-1, n, p) < tail })
}

// bisect finds where in 0..1 a condition that holds near 0 ceases to hold.
func bisect(holds func(float64) bool) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		if middle := (low + high) / 2; holds(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// cdf is the probability of at most k in n trials that each succeed with p.
func cdf(k, n int, p float64) float64 {
	if p <= 0 {
		return 1
	}
	if p >= 1 {
		return 0
	}
	all, _ := math.Lgamma(float64(n + 1))
	sum := 0.0
	for i := range k + 1 {
		a, _ := math.Lgamma(float64(i + 1))
		b, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(all - a - b + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}
