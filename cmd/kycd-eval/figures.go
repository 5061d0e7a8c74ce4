package main

import (
	"fmt"
	"slices"
)

// facesLine is one curve in the figures of faces.
type facesLine struct {
	label        string
	curve        curve
	colour, dash string
	tolerance    float64 // that is marked; 0 for none
}

func facesLines(r facesResult) []facesLine {
	lines := []facesLine{
		{"both encoders, all pairs of pictures", faceCurve(r.pairs, anyPair), blue, "", r.tolerance},
		{"the first encoder alone", faceCurve(r.first, anyPair), vermilion, "7 4", r.tolerance},
		{"go-face by itself, with its own detector", faceCurve(r.baseline, anyPair), grey, "1 3", customaryTolerance},
		{"both encoders, portrait on a photographed licence against a picture", faceCurve(r.cards, anyPair), green, "9 3 2 3", r.tolerance},
	}
	return slices.DeleteFunc(lines, func(l facesLine) bool { return len(l.curve.genuine) == 0 || len(l.curve.impostor) == 0 })
}

// detFigure shows what each tolerance costs: the error against impostors across, that against the genuine upwards.
func detFigure(r facesResult) string {
	return facesFigure(r, axis{label: "false non-matches", min: 0.003, max: 1, log: true, ticks: []float64{0.003, 0.01, 0.03, 0.1, 0.3, 1}},
		func(falseReject float64) float64 { return falseReject },
		"Face match: false matches against false non-matches for every tolerance, logarithmic axes (DET)")
}

// rocFacesFigure shows the same with those who are recognised upwards.
func rocFacesFigure(r facesResult) string {
	return facesFigure(r, axis{label: "people recognised (1 − false non-matches)", min: 0, max: 1, ticks: []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
		func(falseReject float64) float64 { return 1 - falseReject },
		"Face match: people recognised against false matches for every tolerance (ROC)")
}

func facesFigure(r facesResult, up axis, of func(falseReject float64) float64, title string) string {
	f := newFigure(720, 570)
	c := chart{
		f: f, x: 74, y: 24, width: 616, height: 400,
		across: axis{label: "false matches among pairs of strangers", min: 1e-4, max: 1, log: true, ticks: []float64{1e-4, 1e-3, 1e-2, 1e-1, 1}},
		up:     up,
	}
	c.frame()
	var keys []key
	for _, line := range facesLines(r) {
		var points []point
		for _, p := range line.curve.points() {
			points = append(points, point{p.falseAccept, of(p.falseReject)})
		}
		c.stairs(points, line.colour, line.dash)
		c.dot(point{line.curve.falseAccept(line.tolerance).value(), of(line.curve.falseReject(line.tolerance).value())}, line.colour, line.tolerance != r.tolerance)
		keys = append(keys, key{label: line.label, colour: line.colour, dash: line.dash})
	}
	f.legend(92, 476, append(keys, key{label: fmt.Sprintf("dots: the default tolerance, %.2f; hollow: the customary 0.6", r.tolerance), colour: ink, mark: true})...)
	return f.svg(title)
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
		for k, of := range []struct {
			pairs     []facePair
			tolerance float64
		}{{r.pairs, r.tolerance}, {r.baseline, customaryTolerance}} {
			c, at := faceCurve(of.pairs, within(name)), y-7+14*float64(k)
			if fmr := c.falseAccept(of.tolerance); fmr.N > 0 {
				left.interval(fmr, at, []string{blue, vermilion}[k], k == 1)
			}
			if fnmr := c.falseReject(of.tolerance); fnmr.N > 0 {
				right.interval(fnmr, at, []string{blue, vermilion}[k], k == 1)
			}
		}
	}
	f.legend(188, 16, key{label: fmt.Sprintf("default %.2f", r.tolerance), colour: blue, mark: true})
	f.legend(318, 16, key{label: "go-face by itself at 0.6", colour: vermilion, mark: true, hollow: true})
	f.text(188, height-12, "start", 11, "Lines are exact 95 % bounds. No false match at all stands at the left edge.")
	return f.svg("Face match: both errors within each collection of pictures, at the default tolerance, and of go-face by itself at 0.6")
}
