package fusion

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// crowd draws samples whose log-odds of a person are bias + 2·a, with b unrelated.
func crowd(n int) []Sample {
	rng := rand.New(rand.NewPCG(1, 2))
	samples := make([]Sample, n)
	for i := range samples {
		a, b := rng.NormFloat64(), rng.NormFloat64()
		samples[i] = Sample{
			Live:    rng.Float64() < sigmoid(2*a),
			Subject: string(rune('A' + i%40)),
			Cues:    map[string]float64{"a": a, "b": b, Room: 1},
		}
	}
	return samples
}

func TestFitFindsTheOdds(t *testing.T) {
	m := Fit(crowd(4000), []Input{{Name: "a"}, {Name: "b"}}, 1e-6)
	for _, a := range []float64{-1.5, 0, 1.5} {
		if got := m.LogOdds(map[string]float64{"a": a}); math.Abs(got-2*a) > 0.35 {
			t.Errorf("at %.1f the log-odds are %.2f, want %.2f", a, got, 2*a)
		}
	}
	if w := m.Terms[1].Weight; math.Abs(w) > 0.15 {
		t.Errorf("what is unrelated weighs %.2f", w)
	}
}

func TestPenaltyAndSignHoldWeights(t *testing.T) {
	samples := crowd(800)
	free, held := Fit(samples, []Input{{Name: "a"}}, 1e-6), Fit(samples, []Input{{Name: "a"}}, 1)
	if !(held.Terms[0].Weight > 0 && held.Terms[0].Weight < free.Terms[0].Weight/2) {
		t.Errorf("the weight is %.2f under a penalty, %.2f without", held.Terms[0].Weight, free.Terms[0].Weight)
	}
	if w := Fit(samples, []Input{{Name: "a", Sign: -1}}, 1e-6).Terms[0].Weight; w != 0 {
		t.Errorf("evidence for a person weighs %.2f against one", w)
	}
}

func TestWhatIsNotMeasuredSaysNothing(t *testing.T) {
	m := Model{Bias: 0.3, Terms: []Term{{Input: Input{Name: "net", Limit: 4, Room: 2}, Mean: 1, Spread: 2, Weight: 0.5}}}
	for name, test := range map[string]struct {
		cues map[string]float64
		want float64
	}{
		"not measured":    {map[string]float64{Room: 3}, 0.3},
		"no room":         {map[string]float64{Room: 1.9, "net": 3}, 0.3},
		"measured":        {map[string]float64{Room: 2, "net": 3}, 0.8},
		"limited":         {map[string]float64{Room: 2, "net": 300}, 1.05},
		"limited, below":  {map[string]float64{Room: 2, "net": -300}, -0.95},
		"nothing at all":  {nil, 0.3},
		"others are free": {map[string]float64{"other": 9}, 0.3},
	} {
		if got := m.LogOdds(test.cues); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: %.3f, want %.3f", name, got, test.want)
		}
	}
}

// One subject with a hundred pictures has no more weight than one with a single picture.
func TestSubjectsWeighTheSame(t *testing.T) {
	var samples []Sample
	add := func(live bool, subject string, n int) {
		for range n {
			samples = append(samples, Sample{Live: live, Subject: subject})
		}
	}
	add(true, "p", 100)
	add(true, "q", 1)
	add(false, "p", 3)
	of := map[bool]map[string]float64{true: {}, false: {}}
	for i, share := range Shares(samples) {
		of[samples[i].Live][samples[i].Subject] += share
	}
	if p, q, attack := of[true]["p"], of[true]["q"], of[false]["p"]; math.Abs(p-0.25) > 1e-9 || math.Abs(q-0.25) > 1e-9 || math.Abs(attack-0.5) > 1e-9 {
		t.Errorf("shares are %.3f, %.3f and %.3f, want 0.25, 0.25 and 0.5", p, q, attack)
	}
}

func TestLeaveOutNeverSeesTheSubject(t *testing.T) {
	samples := crowd(200)
	fits := 0
	LeaveOut(samples, func(others []Sample) Model {
		fits++
		seen := map[string]bool{}
		for _, o := range others {
			seen[o.Subject] = true
		}
		if len(seen) != 39 {
			t.Errorf("a fit saw %d of 40 subjects", len(seen))
		}
		return Model{}
	}, func(int) bool { return true })
	if fits != 40 {
		t.Errorf("%d fits for 40 subjects", fits)
	}
	LeaveOut(samples, func(others []Sample) Model {
		if len(others) != 0 {
			t.Errorf("%d samples that must not train did", len(others))
		}
		return Model{}
	}, func(int) bool { return false })
}

func TestAUC(t *testing.T) {
	samples := []Sample{{Live: true}, {Live: true}, {}, {}}
	for _, test := range []struct {
		scores []float64
		want   float64
	}{
		{[]float64{0.9, 0.8, 0.1, 0.2}, 1},
		{[]float64{0.1, 0.2, 0.9, 0.8}, 0},
		{[]float64{0.5, 0.5, 0.5, 0.5}, 0.5},
		{[]float64{0.9, 0.2, 0.2, 0.1}, 0.875},
	} {
		if got := AUC(samples, test.scores); got != test.want {
			t.Errorf("%v: %v, want %v", test.scores, got, test.want)
		}
	}
}

// The numbers in the code are of the inputs in the code, with signs that make sense.
func TestFittedNumbersFitTheirInputs(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Combinations() {
		inputs := Inputs(c.Name)
		if len(inputs) == 0 || len(inputs) != len(c.Terms) || names[c.Name] || !strings.HasPrefix(c.Name, "kycd-liveness-") {
			t.Fatalf("%q has %d inputs and %d terms", c.Name, len(inputs), len(c.Terms))
		}
		names[c.Name] = true
		for i, in := range inputs {
			if term := c.Terms[i]; term.Input != in || !(term.Spread > 0) || term.Weight*float64(in.Sign) < 0 {
				t.Errorf("%s: %+v does not fit %+v", c.Name, term, in)
			}
		}
	}
	if For(true, true).Name != All || For(true, false).Name != SE || For(false, true).Name != Elders || For(false, false).Name != Cues {
		t.Error("the weights lead to another combination")
	}
	if Inputs("another") != nil {
		t.Error("an unknown combination has inputs")
	}
}
