package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// benchmark is one line of go test -bench.
type benchmark struct {
	perOp  time.Duration
	allocs int                // −1 if they were not counted
	more   map[string]float64 // what the benchmark measured besides, by unit
}

// goBench runs benchmarks of a package and gives what they print.
func goBench(ctx context.Context, pattern, benchtime, pkg string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchtime", benchtime, pkg)
	out, err := cmd.CombinedOutput()
	if err != nil && !strings.Contains(string(out), "Benchmark") {
		return "", fmt.Errorf("go test %s: %w: %s", pkg, err, lastLine(string(out)))
	}
	return string(out), nil // a benchmark that missed its own goal has printed its figures too
}

// benchmarks reads the lines of results, by name without the prefix and the number of cores.
func benchmarks(output string) map[string]benchmark {
	line := regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op(.*)$`)
	value := regexp.MustCompile(`([\d.]+) (\S+)`)
	found := map[string]benchmark{}
	for _, m := range line.FindAllStringSubmatch(output, -1) {
		ns, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			continue
		}
		b := benchmark{perOp: time.Duration(ns), allocs: -1, more: map[string]float64{}}
		for _, v := range value.FindAllStringSubmatch(m[3], -1) {
			if b.more[v[2]], err = strconv.ParseFloat(v[1], 64); err != nil {
				delete(b.more, v[2])
			}
		}
		if allocs, ok := b.more["allocs/op"]; ok {
			b.allocs = int(allocs)
		}
		found[m[1]] = b
	}
	return found
}

// whyMissing is what a benchmark says of why it did not run.
func whyMissing(output string) error {
	if why := regexp.MustCompile(`needs [a-z ]+: \S+`).FindString(output); why != "" {
		return errors.New(why)
	}
	return errors.New("the benchmark printed no result")
}

// What a hand-over must reach.
const (
	handOverGoal  = 10 * time.Millisecond // p95
	handOverRatio = 50
)

// measureHandOver: how long queued work lies on an idle queue, here and with asynq as it comes.
func measureHandOver(ctx context.Context, _ speedOptions) ([]finding, error) {
	output, err := goBench(ctx, "^BenchmarkHandOver$", "1x", "./jobs")
	if err != nil {
		return nil, err
	}
	findings := handOvers(output)
	if len(findings) == 0 {
		return nil, whyMissing(output)
	}
	return findings, nil
}

func handOvers(output string) []finding {
	line := regexp.MustCompile(`hand-over, idle \(BenchmarkHandOver/(\w+)[^)]*\): asynq defaults p50 (\S+) p95 (\S+) \| kycd p50 (\S+) p95 (\S+) \| ratio .* idle CPU ([\d.]+) %`)
	names := map[string]string{"embedded": "the queue inside the process", "redis": "Redis"}
	var findings []finding
	for _, m := range line.FindAllStringSubmatch(output, -1) {
		var d [4]time.Duration
		var err error
		for i := range d {
			var one time.Duration
			one, e := time.ParseDuration(m[2+i])
			d[i], err = one, errors.Join(err, e)
		}
		if err != nil || d[2] <= 0 || d[3] <= 0 {
			continue
		}
		ratio := min(d[0].Seconds()/d[2].Seconds(), d[1].Seconds()/d[3].Seconds())
		findings = append(findings, finding{
			What:     fmt.Sprintf("hand-over of a queued stage when idle, %s; p50 / p95 (asynq with its defaults; idling takes %s %% of a core)", names[m[1]], m[6]),
			Baseline: millis(d[0]) + " / " + millis(d[1]), Ours: millis(d[2]) + " / " + millis(d[3]),
			Ratio: times(ratio), Goal: fmt.Sprintf("p95 ≤ %s, ≥ %d×", millis(handOverGoal), handOverRatio),
			Met: d[3] <= handOverGoal && ratio >= handOverRatio,
		})
	}
	return findings
}

// faceRatio is how much faster than dlib's detector the face must be found.
const faceRatio = 5

// measureFaceSearch: YuNet against dlib's HOG detector on the same photo.
func measureFaceSearch(ctx context.Context, o speedOptions) ([]finding, error) {
	output, err := goBench(ctx, "^BenchmarkFind1080p$", o.benchtime, "./vision/face")
	if err != nil {
		return nil, err
	}
	found := benchmarks(output)
	ours, base := found["Find1080p/yunet"], found["Find1080p/hog"]
	if ours.perOp == 0 || base.perOp == 0 {
		return nil, whyMissing(output)
	}
	ratio := base.perOp.Seconds() / ours.perOp.Seconds()
	return []finding{{
		What:     "1080p photo → face found (dlib's HOG on the same photo)",
		Baseline: millis(base.perOp), Ours: millis(ours.perOp), Ratio: times(ratio),
		Goal: fmt.Sprintf("≤ 1/%d", faceRatio), Met: ratio >= faceRatio,
	}}, nil
}

// What encoding a face must reach.
const (
	encodeRatio  = 4   // how much faster than go-face's own Recognize
	encodersGain = 1.8 // how many times the encodings of one encoder two must give on two cores
)

// measureEncoding: a selfie to what faces are compared by, against go-face's own Recognize on the same photo; and two
// encoders against one.
func measureEncoding(ctx context.Context, o speedOptions) ([]finding, error) {
	output, err := goBench(ctx, "^Benchmark(Encode1080p|GoFaceRecognize1080p|Encoders)$", o.benchtime, "./vision/face")
	if err != nil {
		return nil, err
	}
	findings := encodings(benchmarks(output))
	if len(findings) == 0 {
		return nil, whyMissing(output)
	}
	return findings, nil
}

// encodings are the findings of measureEncoding; none if a benchmark is missing.
func encodings(found map[string]benchmark) []finding {
	base, one, two := found["GoFaceRecognize1080p"], found["Encoders/one"], found["Encoders/two"]
	oneThreads, twoThreads := found["Encoders/one_on_two_threads"], found["Encoders/two_on_two_threads"]
	both, first := found["Encode1080p/both"], found["Encode1080p/first"]
	for _, b := range []benchmark{base, one, two, oneThreads, twoThreads, both, first} {
		if b.perOp == 0 {
			return nil
		}
	}
	against := func(what string, ours, base benchmark, ratio float64, goal string) finding {
		is := base.perOp.Seconds() / ours.perOp.Seconds()
		return finding{What: what, Baseline: millis(base.perOp), Ours: millis(ours.perOp), Ratio: times(is), Goal: goal, Met: is >= ratio}
	}
	return []finding{
		against("1080p selfie → encoded by both encoders (go-face's own Recognize on the same photo)", both, base, encodeRatio, fmt.Sprintf("≤ 1/%d", encodeRatio)),
		against("the same without the second encoder, mirror image included", first, base, 0, noGoal),
		against("an encoding by two encoders at the same time (by one)", two, one, encodersGain, fmt.Sprintf("≥ %.1f×", encodersGain)),
		against("the same, OpenBLAS with two threads (one encoder, one thread)", twoThreads, one, 0, noGoal),
		against("one encoder, OpenBLAS with two threads (one thread)", oneThreads, one, 0, noGoal),
	}
}

// livenessGoal is what the passive liveness of one frame may take.
const livenessGoal = 40 * time.Millisecond

// measureLivenessSpeed: the score of one face by all networks, against one pass of one of them.
func measureLivenessSpeed(ctx context.Context, o speedOptions) ([]finding, error) {
	output, err := goBench(ctx, "^BenchmarkScore$", o.benchtime, "./vision/liveness")
	if err != nil {
		return nil, err
	}
	found := benchmarks(output)
	pass, all := found["Score/one_pass"], found["Score/all"]
	if pass.perOp == 0 || all.perOp == 0 {
		return nil, whyMissing(output)
	}
	return []finding{{
		What: "passive liveness of a frame, all networks and cues (one pass of MiniFASNetV2-SE)", Baseline: millis(pass.perOp), Ours: millis(all.perOp),
		Ratio: times(pass.perOp.Seconds() / all.perOp.Seconds()), Goal: fmt.Sprintf("≤ %d ms", livenessGoal.Milliseconds()), Met: all.perOp <= livenessGoal,
	}}, nil
}

// searchGoal is how many times the plain sweep of the same memory an exact search may take.
const searchGoal = 1.3

// measureSearch: the nearest faces among a million, exactly, against reading the same memory once. Searches and sweeps
// take turns.
func measureSearch(ctx context.Context, o speedOptions) ([]finding, error) {
	output, err := goBench(ctx, "^Benchmark(SearchToSweep|SearchMillion|SweepMillion)$", o.benchtime, "./kyc/gallery")
	if err != nil {
		return nil, err
	}
	found := benchmarks(output)
	search, sweep := found["SearchMillion"], found["SweepMillion"]
	share, measured := found["SearchToSweep"].more["search/sweep"]
	if search.perOp == 0 || sweep.perOp == 0 || !measured {
		return nil, whyMissing(output)
	}
	return []finding{{
		What: "exact search among 1,000,000 faces of 128 numbers (a plain sweep of the same memory)", Baseline: millis(sweep.perOp), Ours: millis(search.perOp),
		Ratio: fmt.Sprintf("%.2f of its time", share), Goal: fmt.Sprintf("≤ %.1f of its time", searchGoal), Met: share <= searchGoal,
	}}, nil
}

// What a request may cost before the rules begin.
const (
	middlewareGoal   = 30 * time.Microsecond
	middlewareAllocs = 60
)

// measureREST: what stands before every handler, and a request through the whole REST door to a service that does
// nothing.
func measureREST(ctx context.Context, o speedOptions) ([]finding, error) {
	output, err := goBench(ctx, "^Benchmark(Middleware|Guards)$", o.benchtime, "./rest")
	if err != nil {
		return nil, err
	}
	found := benchmarks(output)
	guards, err := costliestGuards(found)
	if err != nil {
		return nil, errors.Join(err, whyMissing(output))
	}
	findings := []finding{guards}
	for _, one := range []struct{ name, what string }{
		{"Middleware/get", "REST door around a service that does nothing: GET, no token"},
		{"Middleware/sdk", "the same: POST with token, body and validation"},
	} {
		b, ok := found[one.name]
		if !ok {
			return nil, whyMissing(output)
		}
		findings = append(findings, doorFinding(one.what, b.perOp, float64(b.allocs)))
	}
	return findings, nil
}

// costliestGuards is the caller for whom the middleware does most.
func costliestGuards(found map[string]benchmark) (finding, error) {
	var worst finding
	cost := -1.0
	for name, b := range found {
		caller, isGuards := strings.CutPrefix(name, "Guards/")
		caller, isGuarded := strings.CutSuffix(caller, "/guarded")
		added, measured := b.more["added-ns/op"]
		if !isGuards || !isGuarded || !measured || added <= cost {
			continue
		}
		cost = added
		worst = doorFinding(fmt.Sprintf("REST middleware: token, tenant, limits, log, metrics, headers; the costliest caller, a %s (a bare chi handler)",
			strings.ReplaceAll(caller, "_", " ")), time.Duration(added), b.more["added-allocs/op"])
		bare := found["Guards/"+caller+"/bare"]
		worst.Baseline = costs(bare.perOp, float64(bare.allocs))
	}
	if cost < 0 {
		return finding{}, errors.New("BenchmarkGuards printed no result")
	}
	return worst, nil
}

func doorFinding(what string, cost time.Duration, allocs float64) finding {
	return finding{
		What: what, Ours: costs(cost, allocs),
		Goal: fmt.Sprintf("≤ %d µs, ≤ %d allocations", middlewareGoal.Microseconds(), middlewareAllocs),
		Met:  cost <= middlewareGoal && allocs >= 0 && allocs <= middlewareAllocs,
	}
}

func costs(d time.Duration, allocs float64) string {
	return fmt.Sprintf("%.1f µs, %.0f allocations", float64(d.Nanoseconds())/1000, allocs)
}

func millis(d time.Duration) string {
	ms := float64(d.Microseconds()) / 1000
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

func times(ratio float64) string {
	if ratio < 10 {
		return fmt.Sprintf("%.1f×", ratio)
	}
	return fmt.Sprintf("%.0f×", ratio)
}
