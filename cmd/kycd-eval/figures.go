package main

import (
	"fmt"
)

// detFigure shows what each tolerance costs: the error against impostors across, that against the genuine upwards.
func detFigure(r facesResult) string {
	f := newFigure(720, 570)
	c := chart{
		f: f, x: 74, y: 24, width: 616, height: 400,
		across: axis{label: "false matches among pairs of strangers", min: 1e-4, max: 1, log: true, ticks: []float64{1e-4, 1e-3, 1e-2, 1e-1, 1}},
		up:     axis{label: "false non-matches", min: 0.003, max: 1, log: true, ticks: []float64{0.003, 0.01, 0.03, 0.1, 0.3, 1}},
	}
	c.frame()
	for _, one := range []struct {
		pairs        []facePair
		of           func(facePair) bool
		colour, dash string
	}{
		{r.pairs, anyPair, blue, ""},
		{r.pairs, listedPair, vermilion, "7 4"},
		{r.cards, anyPair, green, "2 3"},
	} {
		curve := faceCurve(one.pairs, one.of)
		if len(curve.genuine) == 0 || len(curve.impostor) == 0 {
			continue
		}
		var points []point
		for _, p := range curve.points() {
			points = append(points, point{p.falseAccept, p.falseReject})
		}
		c.stairs(points, one.colour, one.dash)
		for _, t := range []float64{customaryTolerance, r.tolerance} {
			c.dot(point{curve.falseAccept(t).value(), curve.falseReject(t).value()}, one.colour, t == customaryTolerance)
		}
	}
	f.legend(92, 476,
		key{label: "all pairs of pictures", colour: blue},
		key{label: "listed pairs: a third of the strangers look alike", colour: vermilion, dash: "7 4"},
		key{label: "portrait on a photographed licence against a picture", colour: green, dash: "2 3"},
		key{label: fmt.Sprintf("the default tolerance, %.2f", r.tolerance), colour: ink, mark: true},
		key{label: "the library's customary 0.6", colour: ink, mark: true, hollow: true})
	return f.svg("Face match: false matches against false non-matches for every tolerance, logarithmic axes")
}

// setsFigure shows both errors of each collection with their bounds.
func setsFigure(r facesResult) string {
	names, people := r.sets()
	const row, top = 40.0, 48.0
	height := top + row*float64(len(names)) + 90
	f := newFigure(720, height)
	lines := row * float64(len(names))
	left := chart{
		f: f, x: 188, y: top, width: 226, height: lines,
		across: axis{label: "false matches within the collection", min: 1e-3, max: 1, log: true, ticks: []float64{1e-3, 1e-2, 1e-1, 1}},
		up:     axis{min: 0, max: 1},
	}
	right := left
	right.x = 470
	right.across = axis{label: "false non-matches", min: 0, max: 1, ticks: []float64{0, 0.25, 0.5, 0.75, 1}}
	left.frame()
	right.frame()
	for i, name := range names {
		y := top + row*(float64(i)+0.5)
		f.text(178, y+4, "end", 12, fmt.Sprintf("%s (%d people)", name, people[name]))
		c := faceCurve(r.pairs, within(name))
		for k, t := range []float64{r.tolerance, customaryTolerance} {
			at := y - 7 + 14*float64(k)
			if fmr := c.falseAccept(t); fmr.N > 0 {
				left.interval(fmr, at, []string{blue, vermilion}[k], k == 1)
			}
			if fnmr := c.falseReject(t); fnmr.N > 0 {
				right.interval(fnmr, at, []string{blue, vermilion}[k], k == 1)
			}
		}
	}
	f.legend(188, 16, key{label: fmt.Sprintf("default %.2f", r.tolerance), colour: blue, mark: true})
	f.legend(318, 16, key{label: "customary 0.6", colour: vermilion, mark: true, hollow: true})
	f.text(188, height-12, "start", 11, "Lines are exact 95 % bounds. No false match at all stands at the left edge.")
	return f.svg("Face match: both errors within each collection of pictures, at the default tolerance and at 0.6")
}
