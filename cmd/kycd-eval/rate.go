package main

import (
	"fmt"
	"math"

	"kycd/vision/binomial"
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
	return binomial.Lower(r.K, r.N, 0.025), binomial.Upper(r.K, r.N, 0.025)
}

// upper is the exact one-sided 95 % bound: a rate above it would have shown more often.
func (r rate) upper() float64 { return binomial.Upper(r.K, r.N, 0.05) }

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
