package fuzz_test

import (
	"math/bits"

	"pgregory.net/rapid"
)

// below draws a number below n, each as likely as the others. Rapid's own draws prefer small ones, which is good for
// numbers that are sent, and not for choices.
func below(t *rapid.T, n int) int {
	drawn := 0
	for range bits.Len(uint(n)) + 3 {
		drawn <<= 1
		if rapid.Bool().Draw(t, "coin") {
			drawn |= 1
		}
	}
	return drawn % n
}

// chance is true so often of a hundred times. What is left when a failure is made small is false.
func chance(t *rapid.T, percent int) bool { return below(t, 100) >= 100-percent }

// pick draws one of some.
func pick[T any](t *rapid.T, from ...T) T { return from[below(t, len(from))] }

// weighed draws an index, in the proportion of the weights.
func weighed(t *rapid.T, weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := below(t, sum)
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return 0
}
