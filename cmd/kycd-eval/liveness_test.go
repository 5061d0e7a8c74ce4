package main

import (
	"math"
	"testing"

	"kycd/vision"
	"kycd/vision/liveness/fusion"
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

func TestBoundsOfAnAUCAreBySubject(t *testing.T) {
	r := livenessResult{tolerance: 0.5}
	add := func(subject, attack string, score float64, times int) {
		for range times {
			r.attempts = append(r.attempts, attempt{capture{genuine: attack == "", attack: attack, subject: subject}, score})
		}
	}
	// One subject with many pictures, all wrong, among three that are right: its pictures are one trial.
	add("p", "", 0.2, 30)
	add("p", "replay", 0.8, 30)
	for _, subject := range []string{"q", "r", "s"} {
		add(subject, "", 0.9, 1)
		add(subject, "replay", 0.1, 1)
	}
	low, high := r.aucBounds()
	if low > 0.05 || high < 0.999 {
		t.Errorf("bounds are %.3f and %.3f; samples without that subject, or of it alone, are not rare", low, high)
	}
}

func TestCalibration(t *testing.T) {
	var r livenessResult
	for i := range 100 { // at 0.8 people are four times as frequent as attacks, at 0.2 the other way round
		kind, score := "", 0.8
		if i%5 == 0 {
			kind = "replay"
		}
		if i >= 50 {
			score = 0.2
			kind = map[string]string{"": "replay", "replay": ""}[kind]
		}
		r.attempts = append(r.attempts, attempt{capture{genuine: kind == "", attack: kind, subject: "p"}, score})
	}
	if _, brier, expected := r.calibration(5); math.Abs(brier-0.16) > 1e-9 || expected > 1e-9 {
		t.Errorf("a calibrated score has Brier %.4f and error %.4f, want 0.16 and 0", brier, expected)
	}
	for i := range r.attempts {
		r.attempts[i].score = math.Round(r.attempts[i].score)
	}
	if _, brier, expected := r.calibration(5); math.Abs(brier-0.2) > 1e-9 || math.Abs(expected-0.2) > 1e-9 {
		t.Errorf("a score too sure of itself has Brier %.4f and error %.4f, want 0.2 and 0.2", brier, expected)
	}
}

// Every picture is judged by numbers fitted without its subject, whatever its own say.
func TestJudgedByOthers(t *testing.T) {
	var all []capture
	var analyses []vision.Analysis
	add := func(subject, attack string, opinion float64) {
		all = append(all, capture{genuine: attack == "", attack: attack, subject: subject})
		cues := map[string]float64{fusion.Room: 1}
		for _, name := range fusion.Combinations() {
			for _, in := range fusion.Inputs(name.Name) {
				cues[in.Name] = opinion * float64(in.Sign)
			}
		}
		analyses = append(analyses, vision.Analysis{Liveness: &vision.Liveness{Model: fusion.All, Cues: cues}})
	}
	for i := range 8 {
		add(string(rune('a'+i)), "", 2+float64(i%3))
		add(string(rune('a'+i)), "replay", -2-float64(i%3))
	}
	add("z", "", -3) // the networks take this person for an attack
	all, analyses = append(all, capture{genuine: true, subject: "none"}), append(analyses, vision.Analysis{})
	var s livenessSection
	if err := s.judge(all, len(all), 0, analyses, 0.5); err != nil {
		t.Fatal(err)
	}
	if len(s.Models) != len(fusion.Combinations()) {
		t.Fatalf("%d combinations were judged", len(s.Models))
	}
	for _, r := range append(s.Models, s.Single) {
		if got := r.bpcer(); got != (rate{2, 10}) {
			t.Errorf("%s: BPCER %v: the one without a face and the one taken for an attack are refused", r.model, got)
		}
		if got := r.apcer(); got != (rate{0, 8}) {
			t.Errorf("%s: APCER %v", r.model, got)
		}
	}
	analyses[0].Liveness.Model = fusion.Cues
	if err := s.judge(all, len(all), 0, analyses, 0.5); err == nil {
		t.Error("weights were missing, and nobody said so")
	}
}
