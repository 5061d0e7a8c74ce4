package glyphs

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func TestTrainedNetworkIsWhole(t *testing.T) {
	n, err := Trained()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(n.Marshal(), trained) {
		t.Error("the weights do not come back as they were read")
	}
	var blank Cell
	if c, p := n.Classify(&blank).Best(); c != Blank || p < 0.5 {
		t.Errorf("an empty cell reads as %q with %.2f", c, p)
	}
}

func TestUnmarshalRefusesWrongSizes(t *testing.T) {
	for _, raw := range [][]byte{nil, {0}, trained[:len(trained)-1], append(append([]byte(nil), trained...), 0)} {
		if _, err := Unmarshal(raw); !errors.Is(err, ErrWeights) {
			t.Errorf("%d bytes: %v", len(raw), err)
		}
	}
}

func TestScoresAreProbabilities(t *testing.T) {
	n, err := Trained()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		var c Cell
		for i := range c {
			c[i] = random.Float32()
		}
		sum := 0.0
		for _, p := range n.Classify(&c) {
			if p < 0 || p > 1 {
				t.Fatalf("probability %v", p)
			}
			sum += float64(p)
		}
		if math.Abs(sum-1) > 1e-4 {
			t.Fatalf("sum %v", sum)
		}
	}
}

// stripes is a strip with bars of a third of the pitch, columns of them, from left on.
func stripes(columns int, pitch, left float64, width int) Strip {
	s := Strip{Gray: bytes.Repeat([]byte{220}, width*StripHeight), Width: width}
	for k := range columns {
		middle := left + (float64(k)+0.5)*pitch
		for x := int(middle - pitch/6); x <= int(middle+pitch/6); x++ {
			for y := StripHeight/2 - StripLetter/2; y < StripHeight/2+StripLetter/2; y++ {
				s.Gray[y*width+x] = 30
			}
		}
	}
	return s
}

func TestCutFindsTheColumns(t *testing.T) {
	for _, c := range []struct {
		columns int
		pitch   float64
	}{{30, 21}, {36, 24}, {44, 25.3}, {44, 30}} {
		line, ok := Cut(stripes(c.columns, c.pitch, 80, int(float64(c.columns)*c.pitch)+160))
		if !ok {
			t.Errorf("%d columns of %.1f px: not cut", c.columns, c.pitch)
			continue
		}
		if math.Abs(line.Pitch-c.pitch) > 0.2 {
			t.Errorf("pitch %.2f, want %.1f", line.Pitch, c.pitch)
		}
		for k := range c.columns {
			want, near := 80+(float64(k)+0.5)*c.pitch, math.Inf(1)
			for _, x := range line.Centres {
				near = min(near, math.Abs(x-want))
			}
			if near > 2 {
				t.Errorf("%d columns of %.1f px: column %d is off by %.1f px", c.columns, c.pitch, k, near)
			}
		}
	}
}

func TestCutRefusesWhatIsNoLine(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	noise := make([]byte, 900*StripHeight)
	for i := range noise {
		noise[i] = byte(random.IntN(256))
	}
	for name, s := range map[string]Strip{
		"nothing": {}, "short": {Gray: make([]byte, 20*StripHeight), Width: 20}, "cut off": {Gray: make([]byte, 100), Width: 900},
		"blank": {Gray: make([]byte, 900*StripHeight), Width: 900}, "noise": {Gray: noise, Width: 900},
	} {
		if line, ok := Cut(s); ok {
			t.Errorf("%s: %d columns", name, len(line.Cells))
		}
	}
}
