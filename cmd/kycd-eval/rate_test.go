package main

import (
	"math"
	"strings"
	"testing"
)

func TestBounds(t *testing.T) {
	// Reference values: Clopper and Pearson's limits as tabulated, and closed forms for no and only errors.
	cases := []struct {
		rate      rate
		low, high float64
		upper     float64
	}{
		{rate{0, 718}, 0, 1 - math.Pow(0.025, 1.0/718), 1 - math.Pow(0.05, 1.0/718)},
		{rate{10, 10}, math.Pow(0.025, 0.1), 1, 1},
		{rate{5, 100}, 0.016432, 0.112835, 0.102253},
		{rate{1, 10}, 0.002529, 0.445016, 0.394163},
		{rate{50, 100}, 0.398321, 0.601679, 0.586378},
	}
	for _, c := range cases {
		low, high := c.rate.bounds()
		for name, pair := range map[string][2]float64{"low": {low, c.low}, "high": {high, c.high}, "upper": {c.rate.upper(), c.upper}} {
			if math.Abs(pair[0]-pair[1]) > 2e-6 {
				t.Errorf("%+v: %s is %v, want %v", c.rate, name, pair[0], pair[1])
			}
		}
	}
}

func TestRateInWords(t *testing.T) {
	for want, r := range map[string]rate{
		"–":                          {},
		"4.1 % [3.0, 5.4] (49/1200)": {49, 1200},
		"0 % [0, 0.51] (0/718)":      {0, 718},
		"100 % [69.2, 100] (10/10)":  {10, 10},
	} {
		if got := r.String(); got != want {
			t.Errorf("%+v reads %q, want %q", r, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var one table
	one.head = []string{"a", "b"}
	one.row("1", "2")
	if got, want := one.String(), "| a | b |\n| --- | ---: |\n| 1 | 2 |"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if strings.Contains(one.String(), "\n\n") {
		t.Error("an empty line ends a table")
	}
}
