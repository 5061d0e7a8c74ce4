package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestAxis(t *testing.T) {
	cases := []struct {
		axis  axis
		value float64
		want  float64
	}{
		{axis{min: 0, max: 2}, 0.5, 0.25},
		{axis{min: 0, max: 2}, 3, 1},
		{axis{min: 1e-4, max: 1, log: true}, 1e-2, 0.5},
		{axis{min: 1e-4, max: 1, log: true}, 0, 0},
	}
	for _, c := range cases {
		if got := c.axis.share(c.value); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%+v puts %v at %v, want %v", c.axis, c.value, got, c.want)
		}
	}
}

// TestFigures: every figure is well-formed, small, without a number that is none, and within its frame.
func TestFigures(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	faces := facesResult{tolerance: 0.5}
	for i := range 40 {
		faces.photos = append(faces.photos, photo{person: string(rune('a' + i/4)), set: []string{"x", "y", "z"}[i%3]})
	}
	for i, a := range faces.photos {
		for _, b := range faces.photos[i+1:] {
			one := facePair{a: a, b: b, same: a.person == b.person, listed: i%2 == 0, distance: rng.Float64()}
			faces.pairs = append(faces.pairs, one)
		}
	}
	faces.cards = faces.pairs[:200]
	live := someAttempts()
	live.model = "net <1> & co"
	for name, svg := range map[string]string{"det": detFigure(faces), "sets": setsFigure(faces), "roc": livenessFigure(&livenessSection{Single: live, Models: []livenessResult{live, someAttempts()}})} {
		decoder := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s has a number that is none", name)
		}
		if len(svg) > 40_000 {
			t.Errorf("%s has %d bytes", name, len(svg))
		}
	}
}
