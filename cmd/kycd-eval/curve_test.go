package main

import (
	"math"
	"testing"
)

func example() curve {
	return newCurve([]float64{0.3, 0.1, 0.5, math.Inf(1)}, []float64{0.5, 0.7, 0.2, 0.9, 0.8})
}

func TestErrorsAtATolerance(t *testing.T) {
	cases := []struct {
		tolerance      float64
		accept, reject int
	}{
		{0, 0, 4}, {0.1, 0, 3}, {0.2, 1, 3}, {0.5, 2, 1}, {0.6, 2, 1}, {1, 5, 1},
	}
	for _, c := range cases {
		if got := example().falseAccept(c.tolerance); got != (rate{c.accept, 5}) {
			t.Errorf("at %v: %+v impostors pass, want %d", c.tolerance, got, c.accept)
		}
		if got := example().falseReject(c.tolerance); got != (rate{c.reject, 4}) {
			t.Errorf("at %v: %+v genuine are refused, want %d", c.tolerance, got, c.reject)
		}
	}
}

func TestAUC(t *testing.T) {
	if got, want := example().auc(), (1.0+2.5+3+3+3)/20; math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := newCurve([]float64{1, 1}, []float64{1, 1}).auc(); got != 0.5 {
		t.Errorf("equal scores give %v, want 0.5", got)
	}
}

func TestToleranceFor(t *testing.T) {
	for share, want := range map[float64]int{0: 0, 0.19: 0, 0.2: 1, 0.4: 2, 0.99: 4} {
		c := example()
		tolerance := c.toleranceFor(share)
		if got := c.falseAccept(tolerance).K; got != want {
			t.Errorf("for %v: %d impostors pass at %v, want %d", share, got, tolerance, want)
		}
	}
}

func TestPointsRunFromStrictToLax(t *testing.T) {
	points := example().points()
	if points[0] != (operating{0, 1}) {
		t.Errorf("the first point is %+v", points[0])
	}
	for i, p := range points[1:] {
		if before := points[i]; p.falseAccept < before.falseAccept || p.falseReject > before.falseReject {
			t.Errorf("%+v follows %+v", p, before)
		}
	}
	if last := points[len(points)-1]; last != (operating{1, 0.25}) {
		t.Errorf("the last point is %+v: what was not measured must stay refused", last)
	}
}

func TestSupported(t *testing.T) {
	// No error up to 0.40, one of 1000 up to 0.45, then ten.
	bound := func(tolerance float64) float64 {
		switch {
		case tolerance <= 0.40:
			return rate{0, 1000}.upper()
		case tolerance <= 0.45:
			return rate{1, 1000}.upper()
		}
		return rate{10, 1000}.upper()
	}
	for target, want := range map[float64]float64{0.004: 0.40, 0.006: 0.45, 0.02: 0.65} {
		if got, ok := supported(target, bound); !ok || got != want {
			t.Errorf("%v allows %v, %v; want %v", target, got, ok, want)
		}
	}
	if got, ok := supported(0.001, bound); ok {
		t.Errorf("1000 trials support a promise of 0.1 %% at %v", got)
	}
}
