package main

import (
	"fmt"
	"math"
)

// rate is how often something happened: K times in N trials.
type rate struct{ K, N int }

// add counts one more trial.
func (r *rate) add(happened bool) {
	r.N++
	if happened {
		r.K++
	}
}

func (r rate) plus(other rate) rate { return rate{r.K + other.K, r.N + other.N} }

// value is NaN without trials.
func (r rate) value() float64 { return float64(r.K) / float64(r.N) }

// bounds are the exact two-sided 95 % bounds of the rate behind the trials (Clopper and Pearson 1934). They hold
// for independent trials.
func (r rate) bounds() (low, high float64) {
	return r.lowest(0.025), r.highest(0.025)
}

// upper is the exact one-sided 95 % bound: a rate above it would have shown more often.
func (r rate) upper() float64 { return r.highest(0.05) }

// highest is the rate at which K or fewer have the probability tail.
func (r rate) highest(tail float64) float64 {
	if r.K >= r.N {
		return 1
	}
	return bisect(func(p float64) bool { return binomialCDF(r.K, r.N, p) > tail })
}

// lowest is the rate at which K or more have the probability tail.
func (r rate) lowest(tail float64) float64 {
	if r.K <= 0 {
		return 0
	}
	return bisect(func(p float64) bool { return 1-binomialCDF(r.K-1, r.N, p) < tail })
}

// String writes the rate with its bounds and counts, in percent.
func (r rate) String() string {
	if r.N == 0 {
		return "–"
	}
	low, high := r.bounds()
	return fmt.Sprintf("%s %% [%s, %s] (%d/%d)", percent(r.value()), percent(low), percent(high), r.K, r.N)
}

// percent writes a share in percent with two figures that mean something.
func percent(share float64) string {
	p := 100 * share
	switch {
	case math.IsNaN(p):
		return "–"
	case p == 0 || p >= 99.95:
		return fmt.Sprintf("%.0f", p)
	case p < 0.1:
		return fmt.Sprintf("%.3f", p)
	case p < 1:
		return fmt.Sprintf("%.2f", p)
	default:
		return fmt.Sprintf("%.1f", p)
	}
}

// bisect finds in 0..1 where a condition that holds near 0 ceases to hold.
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

// binomialCDF is the probability of at most k in n trials that each succeed with p.
func binomialCDF(k, n int, p float64) float64 {
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
