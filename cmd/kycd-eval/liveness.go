package main

import (
	"context"
	"math"
	"slices"

	"kycd/vision"
)

// attempt is one capture and what the liveness check said. Its score is −Inf where there is none.
type attempt struct {
	capture
	score float64
}

// livenessResult is how well one model tells people from pictures of people.
type livenessResult struct {
	model     string
	tolerance float64 // that the default lets in
	attempts  []attempt
	everyday  []attempt // ordinary photographs of people, which are no captures
}

// measureLiveness scores the captures and, as further people who must be let in, the ordinary photographs.
func measureLiveness(ctx context.Context, measuring sidecar, captures []capture, photos []photo, tolerance float64) (livenessResult, error) {
	r := livenessResult{tolerance: tolerance}
	all := slices.Clone(captures)
	for _, p := range photos {
		all = append(all, capture{file: p.file, genuine: true, subject: p.person})
	}
	files := make([]string, len(all))
	for i, c := range all {
		files[i] = c.file
	}
	analyses, err := measuring.analyze(ctx, "liveness", files)
	if err != nil {
		return r, err
	}
	for i, a := range analyses {
		one := attempt{all[i], scoreOf(a)}
		if a.Liveness != nil {
			r.model = a.Liveness.Model
		}
		if i < len(captures) {
			r.attempts = append(r.attempts, one)
		} else {
			r.everyday = append(r.everyday, one)
		}
	}
	return r, nil
}

func scoreOf(a vision.Analysis) float64 {
	if a.Liveness == nil {
		return math.Inf(-1)
	}
	return a.Liveness.Score
}

// curveOf is the curve of some attempts; scores are turned so that lower is better.
func curveOf(attempts []attempt) curve {
	var genuine, impostor []float64
	for _, a := range attempts {
		if a.genuine {
			genuine = append(genuine, -a.score)
		} else {
			impostor = append(impostor, -a.score)
		}
	}
	return newCurve(genuine, impostor)
}

func (r livenessResult) curve() curve { return curveOf(r.attempts) }

// bpcer is how often a genuine capture is refused at the default.
func (r livenessResult) bpcer() rate { return r.curve().falseReject(-r.tolerance) }

// apcer is how often an attack of any kind passes at the default.
func (r livenessResult) apcer() rate { return r.curve().falseAccept(-r.tolerance) }

// everydayRefused is how often an ordinary photograph would be refused at the default.
func (r livenessResult) everydayRefused() rate { return curveOf(r.everyday).falseReject(-r.tolerance) }

// unmeasured counts captures without a score: no face, or one too small.
func (r livenessResult) unmeasured() rate {
	var u rate
	for _, a := range r.attempts {
		u.add(math.IsInf(a.score, -1))
	}
	return u
}

// kinds gives APCER by kind of attack, most frequent kind first.
func (r livenessResult) kinds() readings {
	var kinds readings
	for _, a := range r.attempts {
		if !a.genuine {
			kinds.of(a.attack).right.add(a.score >= r.tolerance)
		}
	}
	slices.SortStableFunc(kinds, func(a, b *reading) int { return b.right.N - a.right.N })
	return kinds
}

// framed are the attempts of one framing.
func (r livenessResult) framed(framing string) []attempt {
	var of []attempt
	for _, a := range r.attempts {
		if a.framing == framing {
			of = append(of, a)
		}
	}
	return of
}

// without leaves out one subject.
func without(attempts []attempt, subject string) (rest, left []attempt) {
	for _, a := range attempts {
		if a.subject == subject {
			left = append(left, a)
		} else {
			rest = append(rest, a)
		}
	}
	return rest, left
}

// frequent is the subject with the most captures.
func (r livenessResult) frequent() (subject string, captures int) {
	count := map[string]int{}
	for _, a := range r.attempts {
		count[a.subject]++
		if count[a.subject] > captures {
			subject, captures = a.subject, count[a.subject]
		}
	}
	return subject, captures
}

// leftOut judges each subject by the tolerance at which the errors of all others are equal.
func (r livenessResult) leftOut() (apcer, bpcer rate) {
	seen := map[string]bool{}
	for _, a := range r.attempts {
		if seen[a.subject] {
			continue
		}
		seen[a.subject] = true
		others, own := without(r.attempts, a.subject)
		tolerance := curveOf(others).equalError()
		c := curveOf(own)
		apcer, bpcer = apcer.plus(c.falseAccept(tolerance)), bpcer.plus(c.falseReject(tolerance))
	}
	return apcer, bpcer
}
