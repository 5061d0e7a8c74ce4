package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What reading a document may take.
const (
	decodeShare = 0.25 // of Go's image/jpeg on the same picture
	hitGoal     = 15 * time.Millisecond
	missGoal    = 60 * time.Millisecond
	zoneGoal    = 100 * time.Millisecond
	sideGoal    = 400 * time.Millisecond
)

// measurePapersSpeed: decoding a large photograph, the barcode, the machine-readable zone, and a whole side. A part whose
// benchmark fails is not measured, and the others are.
func measurePapersSpeed(ctx context.Context, o speedOptions) ([]finding, error) {
	var findings []finding
	var errs []error
	for _, part := range []struct {
		pattern, pkg string
		read         func(map[string]benchmark) []finding
	}{
		{"^BenchmarkDecode12MP$", "./vision/imaging", decodings},
		{"^Benchmark(Hit|Miss)$", "./vision/barcode", codeSpeeds},
		{"^BenchmarkRead$", "./vision/mrzread", zoneSpeeds},
		{"^BenchmarkSide$", "./vision/engine", sideSpeeds},
	} {
		output, err := goBench(ctx, part.pattern, o.benchtime, part.pkg)
		if err == nil {
			if found := part.read(benchmarks(output)); len(found) > 0 {
				findings = append(findings, found...)
				continue
			}
			err = fmt.Errorf("%s: %w", part.pkg, whyMissing(output))
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		errs = append(errs, err)
		findings = append(findings, finding{What: strings.Trim(part.pattern, "^$") + " of " + part.pkg[2:], Goal: noGoal, Missing: err.Error()})
	}
	if len(errs) == 4 {
		return nil, errors.Join(errs...)
	}
	return findings, nil
}

// decodings are the sizes to which a 12 MP JPEG is decoded. The first is the size that the sidecar works at and has the goal.
func decodings(found map[string]benchmark) []finding {
	var findings []finding
	for _, name := range slices.Sorted(maps.Keys(found)) {
		size, is := strings.CutPrefix(name, "Decode12MP/to_")
		own, plain, share := found[name].more["own-ms"], found[name].more["go-ms"], found[name].more["ratio"]
		if !is || own == 0 || plain == 0 {
			continue
		}
		f := finding{
			What:     fmt.Sprintf("12 MP JPEG → upright picture of at most %s px a side (Go's image/jpeg, which stops at 12 MP in YCbCr)", size),
			Baseline: millis(milliseconds(plain)), Ours: millis(milliseconds(own)), Ratio: fmt.Sprintf("%.2f of its time", share), Goal: noGoal, Met: true,
		}
		if size == "3000" {
			f.Goal, f.Met = fmt.Sprintf("≤ %.2f of its time", decodeShare), share <= decodeShare
			findings = slices.Insert(findings, 0, f)
			continue
		}
		findings = append(findings, f)
	}
	if len(findings) > 0 {
		return findings
	}
	// The two decoders as benchmarks of their own.
	base := found["Decode12MP/stdlib"]
	for _, name := range []string{"Decode12MP/turbo", "Decode12MP/decode"} {
		if ours := found[name]; ours.perOp > 0 && base.perOp > 0 {
			share := ours.perOp.Seconds() / base.perOp.Seconds()
			return []finding{{
				What: "12 MP JPEG → upright picture (Go's image/jpeg)", Baseline: millis(base.perOp), Ours: millis(ours.perOp),
				Ratio: fmt.Sprintf("%.2f of its time", share), Goal: fmt.Sprintf("≤ %.2f of its time", decodeShare), Met: share <= decodeShare,
			}}
		}
	}
	return nil
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func codeSpeeds(found map[string]benchmark) []finding {
	hit, miss := found["Hit"], found["Miss"]
	if hit.perOp == 0 || miss.perOp == 0 {
		return nil
	}
	return []finding{
		inTime("PDF417 of a card cut out at 300 dpi → payload", hit, hitGoal),
		inTime("the same search where there is no barcode, in a photograph as 12 MP are decoded", miss, missGoal),
	}
}

func zoneSpeeds(found map[string]benchmark) []finding {
	return slices.DeleteFunc([]finding{inTime("machine-readable zone in a photograph → lines with right check digits", found["Read"], zoneGoal)},
		func(finding) bool { return found["Read"].perOp == 0 })
}

func sideSpeeds(found map[string]benchmark) []finding {
	var findings []finding
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if side, is := strings.CutPrefix(name, "Side/"); is {
			findings = append(findings, inTime(fmt.Sprintf("12 MP photograph of a document's %s → everything that its side is asked for", strings.ReplaceAll(side, "_", " ")), found[name], sideGoal))
		}
	}
	return findings
}

// inTime is the finding of a benchmark that must not take longer than its goal.
func inTime(what string, b benchmark, goal time.Duration) finding {
	return finding{What: what, Ours: millis(b.perOp), Goal: "≤ " + fmt.Sprintf("%d ms", goal.Milliseconds()), Met: b.perOp <= goal}
}
