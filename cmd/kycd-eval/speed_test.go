package main

import (
	"fmt"
	"testing"
	"time"
)

func TestHandOvers(t *testing.T) {
	const output = `goos: linux
hand-over, idle (BenchmarkHandOver/embedded): asynq defaults p50 700ms p95 1.2s | kycd p50 1.5ms p95 4ms | ratio 300 (goal 50) | p95 goal 10ms | idle CPU 0.35 %
BenchmarkHandOver/embedded-2         	       1	1e+09 ns/op	 4.0 p95-ms
hand-over, idle (BenchmarkHandOver/redis): asynq defaults p50 40ms p95 1.2s | kycd p50 1ms p95 2ms | ratio 40 (goal 50) | p95 goal 10ms | idle CPU 0.10 %
`
	got := handOvers(output)
	if len(got) != 2 {
		t.Fatalf("%d findings, want 2", len(got))
	}
	if first := got[0]; !first.Met || first.Baseline != "700 ms / 1200 ms" || first.Ours != "1.50 ms / 4.00 ms" || first.Ratio != "300×" {
		t.Errorf("embedded: %+v", first)
	}
	if second := got[1]; second.Met || second.Ratio != "40×" {
		t.Errorf("a ratio of 40 at p50 misses the goal: %+v", second)
	}
	if got := handOvers("FAIL"); got != nil {
		t.Errorf("%+v was read from nothing", got)
	}
}

func TestBenchmarks(t *testing.T) {
	got := benchmarks("BenchmarkFind1080p/yunet-2 \t 100\t  17200000 ns/op\nBenchmarkMiddleware/get-16   \t 30000\t 21345.5 ns/op\t 9000 B/op\t 58 allocs/op\nPASS\n")
	if b := got["Find1080p/yunet"]; b.perOp != 17200*time.Microsecond || b.allocs != -1 {
		t.Errorf("yunet: %+v", b)
	}
	if b := got["Middleware/get"]; b.perOp != 21345*time.Nanosecond || b.allocs != 58 {
		t.Errorf("get: %+v", b)
	}
}

func TestEncodings(t *testing.T) {
	output := func(both, two int) string {
		return fmt.Sprintf(`BenchmarkEncode1080p/both-2 50 %d ns/op
BenchmarkEncode1080p/first-2 50 60000000 ns/op
BenchmarkGoFaceRecognize1080p-2 10 160000000 ns/op
BenchmarkEncoders/one-2 50 30000000 ns/op
BenchmarkEncoders/two-2 50 %d ns/op
BenchmarkEncoders/one_on_two_threads-2 50 25000000 ns/op
BenchmarkEncoders/two_on_two_threads-2 50 20000000 ns/op
`, both, two)
	}
	for _, c := range []struct {
		both, two         int
		fast, manyEncoded bool
	}{{40_000_000, 16_000_000, true, true}, {41_000_000, 17_000_000, false, false}} {
		got := encodings(benchmarks(output(c.both, c.two)))
		if len(got) != 5 {
			t.Fatalf("%d findings, want 5", len(got))
		}
		if got[0].Met != c.fast || got[2].Met != c.manyEncoded {
			t.Errorf("%d and %d ns: %+v, %+v", c.both, c.two, got[0], got[2])
		}
		for _, of := range []finding{got[1], got[3], got[4]} {
			if of.Goal != noGoal || of.Verdict() != "" || !of.Met {
				t.Errorf("a figure without a goal: %+v", of)
			}
		}
	}
	if got := encodings(benchmarks("BenchmarkEncoders/one-2 50 30000000 ns/op\n")); got != nil {
		t.Errorf("%+v was read from one of seven", got)
	}
}

func TestCostliestGuards(t *testing.T) {
	const output = `BenchmarkGuards/backend/bare-2       	 1000000	      1040 ns/op	     392 B/op	       4 allocs/op
BenchmarkGuards/backend/guarded-2    	  108540	     10235 ns/op	        23.00 added-allocs/op	      8696 added-ns/op	    2520 B/op	      27 allocs/op
BenchmarkGuards/a_browser/bare-2     	 1000000	      1140 ns/op	     392 B/op	       4 allocs/op
BenchmarkGuards/a_browser/guarded-2  	   42582	     24649 ns/op	        %s added-allocs/op	     %s added-ns/op	    2737 B/op	      30 allocs/op
`
	for _, c := range []struct {
		allocs, ns, baseline, ours string
		met                        bool
	}{
		{"36.00", "23700", "1.1 µs, 4 allocations", "23.7 µs, 36 allocations", true},
		{"61.00", "23700", "1.1 µs, 4 allocations", "23.7 µs, 61 allocations", false},
		{"36.00", "30001", "1.1 µs, 4 allocations", "30.0 µs, 36 allocations", false},
		{"36.00", "8000", "1.0 µs, 4 allocations", "8.7 µs, 23 allocations", true}, // the backend costs more
	} {
		got, err := costliestGuards(benchmarks(fmt.Sprintf(output, c.allocs, c.ns)))
		if err != nil || got.Ours != c.ours || got.Baseline != c.baseline || got.Met != c.met {
			t.Errorf("%s ns, %s allocations: %+v, %v", c.ns, c.allocs, got, err)
		}
	}
	if _, err := costliestGuards(benchmarks("PASS")); err == nil {
		t.Error("guards were found in nothing")
	}
}

func TestWhyMissing(t *testing.T) {
	for output, want := range map[string]string{
		"    face_test.go:81: needs testdata: faces/x.jpg\nPASS": "needs testdata: faces/x.jpg",
		"PASS": "the benchmark printed no result",
	} {
		if got := whyMissing(output).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	var all []time.Duration
	for i := 100; i > 0; i-- {
		all = append(all, time.Duration(i))
	}
	for q, want := range map[float64]time.Duration{0.5: 50, 0.95: 95, 0.99: 99, 1: 100} {
		if got := quantile(all, q); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestVerdict(t *testing.T) {
	for want, f := range map[string]finding{
		"ok": {Goal: "≤ 1 s", Met: true}, "**miss**": {Goal: "≤ 1 s"}, "": {Goal: noGoal, Met: true},
		"not measured: why": {Goal: noGoal, Missing: "why"},
	} {
		if got := f.Verdict(); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
}

func TestAMissedOrUnmeasuredGoalIsAnError(t *testing.T) {
	met := finding{Met: true}
	for name, c := range map[string]struct {
		findings []finding
		ok       bool
	}{
		"all met":      {[]finding{met, met}, true},
		"one missed":   {[]finding{met, {}}, false},
		"not measured": {[]finding{{Met: true, Missing: "why"}}, false},
	} {
		if err := (speedReport{Findings: c.findings}).err(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
