package main

import "testing"

func TestSpeedOfPapers(t *testing.T) {
	found := benchmarks(`goos: linux
BenchmarkDecode12MP/to_3000-2         	      10	 260000000 ns/op	         0.2400 ratio	        42.00 own-ms	       175.0 go-ms	         2.1 MB
BenchmarkDecode12MP/to_1000-2         	      10	 220000000 ns/op	         0.1000 ratio	        18.00 own-ms	       175.0 go-ms	         2.1 MB
BenchmarkHit-2    	     100	  12000000 ns/op
BenchmarkMiss-2   	      20	  61000000 ns/op
BenchmarkRead-2   	      20	  90000000 ns/op
BenchmarkSide/front-2 	       5	 410000000 ns/op
BenchmarkSide/back-2  	       5	 200000000 ns/op
`)
	sizes := decodings(found)
	if len(sizes) != 2 || !sizes[0].Met || sizes[0].Goal == noGoal || sizes[0].Ours != "42.0 ms" || sizes[0].Baseline != "175 ms" || sizes[1].Goal != noGoal {
		t.Errorf("decoding: %+v", sizes)
	}
	if codes := codeSpeeds(found); len(codes) != 2 || !codes[0].Met || codes[1].Met {
		t.Errorf("barcode: %+v", codes)
	}
	if zones := zoneSpeeds(found); len(zones) != 1 || !zones[0].Met {
		t.Errorf("zone: %+v", zones)
	}
	if sides := sideSpeeds(found); len(sides) != 2 || !sides[0].Met || sides[1].Met {
		t.Errorf("sides: %+v", sides)
	}
	apart := benchmarks("BenchmarkDecode12MP/stdlib-2 10 200000000 ns/op\nBenchmarkDecode12MP/turbo-2 10 51000000 ns/op\n")
	if got := decodings(apart); len(got) != 1 || got[0].Met {
		t.Errorf("51 of 200 ms: %+v", got)
	}
	none := map[string]benchmark{}
	if decodings(none) != nil || codeSpeeds(none) != nil || len(zoneSpeeds(none)) != 0 || sideSpeeds(none) != nil {
		t.Error("something was read from nothing")
	}
}
