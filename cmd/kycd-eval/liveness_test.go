package main

import (
	"math"
	"testing"
)

func someAttempts() livenessResult {
	r := livenessResult{tolerance: 0.5}
	for _, one := range []struct {
		subject, attack string
		score           float64
	}{
		{"p", "", 0.9}, {"p", "", 0.4}, {"q", "", math.Inf(-1)},
		{"p", "replay", 0.5}, {"q", "replay", 0.1}, {"r", "print", math.Inf(-1)},
	} {
		r.attempts = append(r.attempts, attempt{capture{genuine: one.attack == "", attack: one.attack, subject: one.subject}, one.score})
	}
	return r
}

func TestLivenessErrors(t *testing.T) {
	r := someAttempts()
	if got := r.apcer(); got != (rate{1, 3}) {
		t.Errorf("APCER is %v: a score at the tolerance passes, none does not", got)
	}
	if got := r.bpcer(); got != (rate{2, 3}) {
		t.Errorf("BPCER is %v: without a score a person is refused", got)
	}
	if got := r.unmeasured(); got != (rate{2, 6}) {
		t.Errorf("%v have no score", got)
	}
	kinds := r.kinds()
	if len(kinds) != 2 || kinds[0].name != "replay" || kinds[0].right != (rate{1, 2}) || kinds[1].right != (rate{0, 1}) {
		t.Errorf("kinds: %+v, %+v", kinds[0], kinds[1])
	}
	if subject, n := r.frequent(); subject != "p" || n != 3 {
		t.Errorf("%s is in %d captures", subject, n)
	}
}

func TestLeftOutSubjectsAreAllJudged(t *testing.T) {
	apcer, bpcer := someAttempts().leftOut()
	if apcer.N != 3 || bpcer.N != 3 {
		t.Errorf("%d attacks and %d people were judged, want 3 and 3", apcer.N, bpcer.N)
	}
}
