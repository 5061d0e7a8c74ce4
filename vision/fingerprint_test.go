package vision_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"kycd/vision"
)

// scenery is a picture without pixels: brightness at any place of 0..1 in both directions.
type scenery func(x, y float64) float64

// someScenery is a landscape of blobs, the same for the same seed.
func someScenery(seed uint64) scenery {
	rng := rand.New(rand.NewPCG(seed, 1))
	type blob struct{ x, y, size, height float64 }
	blobs := make([]blob, 120)
	for i := range blobs {
		blobs[i] = blob{1.4*rng.Float64() - 0.2, 1.4*rng.Float64() - 0.2, 0.02 + 0.1*rng.Float64(), 120 * (rng.Float64() - 0.5)}
	}
	return func(x, y float64) float64 {
		v := 128.0
		for _, b := range blobs {
			dx, dy := (x-b.x)/b.size, (y-b.y)/b.size
			v += b.height * math.Exp(-dx*dx-dy*dy)
		}
		return min(max(v, 0), 255)
	}
}

// print is the fingerprint of a part of a scenery.
func (s scenery) print(left, upper, right, lower float64) vision.Fingerprint {
	const side = vision.FingerprintSide
	cells := make([]byte, side*side)
	for y := range side {
		for x := range side {
			v := s(left+(right-left)*(float64(x)+0.5)/side, upper+(lower-upper)*(float64(y)+0.5)/side)
			cells[y*side+x] = byte(v + 0.5)
		}
	}
	return vision.NewFingerprint(cells)
}

func (s scenery) changed(f func(x, y, v float64) float64) scenery {
	return func(x, y float64) float64 { return min(max(f(x, y, s(x, y)), 0), 255) }
}

func TestCopyIsFound(t *testing.T) {
	mirrored := func(s scenery) scenery { return func(x, y float64) float64 { return s(1-x, y) } }
	tests := []struct {
		name string
		of   func(scenery) vision.Fingerprint
	}{
		{"itself", func(s scenery) vision.Fingerprint { return s.print(0, 0, 1, 1) }},
		{"mirrored", func(s scenery) vision.Fingerprint { return mirrored(s).print(0, 0, 1, 1) }},
		{"trimmed left", func(s scenery) vision.Fingerprint { return s.print(0.05, 0, 1, 1) }},
		{"trimmed above", func(s scenery) vision.Fingerprint { return s.print(0, 0.05, 1, 1) }},
		{"trimmed right and below", func(s scenery) vision.Fingerprint { return s.print(0, 0, 0.95, 0.95) }},
		{"trimmed everywhere", func(s scenery) vision.Fingerprint { return s.print(0.05, 0.05, 0.95, 0.95) }},
		{"the whole of a trimmed one", func(s scenery) vision.Fingerprint { return s.print(-0.05, -0.05, 1.05, 1.05) }},
		{"mirrored and trimmed", func(s scenery) vision.Fingerprint { return mirrored(s).print(0.05, 0, 0.97, 0.95) }},
		{"half the contrast", func(s scenery) vision.Fingerprint {
			return s.changed(func(_, _, v float64) float64 { return 90 + v/2 }).print(0, 0, 1, 1)
		}},
		{"gamma", func(s scenery) vision.Fingerprint {
			return s.changed(func(_, _, v float64) float64 { return 255 * math.Pow(v/255, 1.25) }).print(0, 0, 1, 1)
		}},
	}
	for _, test := range tests {
		for seed := range uint64(20) {
			s := someScenery(seed)
			whole, other := s.print(0, 0, 1, 1), test.of(s)
			for _, pair := range [][2]vision.Fingerprint{{whole, other}, {other, whole}} {
				if likeness, is := pair[0].Copy(pair[1]); !is {
					t.Errorf("%s, scenery %d: likeness %.3f", test.name, seed, likeness)
				}
			}
			if d := keyDistance(t, other, whole); d > vision.CopyKeyDistance {
				t.Errorf("%s, scenery %d: keys differ in %d bits", test.name, seed, d)
			}
		}
	}
}

func keyDistance(t *testing.T, query, stored vision.Fingerprint) int {
	t.Helper()
	key, ok := stored.Key()
	if !ok {
		t.Fatal("no key")
	}
	nearest := 256
	for _, k := range query.CopyKeys() {
		nearest = min(nearest, k.Distance(&key))
	}
	return nearest
}

func TestDifferentIsNotACopy(t *testing.T) {
	for seed := range uint64(20) {
		s := someScenery(seed)
		whole := s.print(0, 0, 1, 1)
		// Alike everywhere but in the middle: another face in the same place, another name on the same form.
		other := someScenery(seed + 1000)
		elsewhere := s.changed(func(x, y, v float64) float64 {
			if math.Abs(x-0.5) < 0.2 && math.Abs(y-0.5) < 0.2 {
				return other(x, y)
			}
			return v
		})
		for name, f := range map[string]vision.Fingerprint{
			"another picture":           other.print(0, 0, 1, 1),
			"another middle":            elsewhere.print(0, 0, 1, 1),
			"negative":                  s.changed(func(_, _, v float64) float64 { return 255 - v }).print(0, 0, 1, 1),
			"a part of it, far smaller": s.print(0.15, 0.15, 0.85, 0.85),
			"moved by a fifth":          s.print(0.2, 0, 1.2, 1),
			"nothing to see":            vision.NewFingerprint(make([]byte, vision.FingerprintSide*vision.FingerprintSide)),
		} {
			if likeness, is := whole.Copy(f); is {
				t.Errorf("%s, scenery %d: likeness %.3f", name, seed, likeness)
			}
		}
	}
}

func TestFingerprintsOfOtherAlgorithms(t *testing.T) {
	f := someScenery(1).print(0, 0, 1, 1)
	other, short := f, f
	other.Model = "grid64@0"
	short.Whole = f.Whole[:100]
	for name, g := range map[string]vision.Fingerprint{"another model": other, "too short": short, "empty": {}} {
		for _, pair := range [][2]vision.Fingerprint{{f, g}, {g, f}, {g, g}} {
			if likeness, is := pair[0].Copy(pair[1]); is || likeness != 0 {
				t.Errorf("%s: %v %v", name, likeness, is)
			}
		}
		if _, ok := g.Key(); ok || g.CopyKeys() != nil {
			t.Errorf("%s: has keys", name)
		}
	}
}

func TestFingerprintThroughJSON(t *testing.T) {
	f := someScenery(2).print(0, 0, 1, 1)
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var g vision.Fingerprint
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	if likeness, is := f.Copy(g); !is || likeness < 0.999 {
		t.Errorf("likeness %v", likeness)
	}
}

// Whatever cells a picture has: a likeness is a number of 0..1, and hardly depends on who is asked first.
func TestLikenessOfAnything(t *testing.T) {
	const n = vision.FingerprintSide * vision.FingerprintSide
	cells := rapid.Custom(func(t *rapid.T) []byte {
		out := make([]byte, n)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		period := rapid.IntRange(1, n).Draw(t, "period")
		for i := range out {
			if i < period {
				out[i] = byte(rng.IntN(1 + rapid.SampledFrom([]int{0, 1, 255}).Draw(t, "most")))
			} else {
				out[i] = out[i-period]
			}
			if i > 20 && i < period {
				out[i] = byte(rng.IntN(256))
			}
		}
		return out
	})
	rapid.Check(t, func(t *rapid.T) {
		f, g := vision.NewFingerprint(cells.Draw(t, "one")), vision.NewFingerprint(cells.Draw(t, "other"))
		likeness, is := f.Copy(g)
		if math.IsNaN(likeness) || likeness < 0 || likeness > 1 || is != (likeness >= vision.CopyLikeness) {
			t.Fatalf("likeness %v, copy %v", likeness, is)
		}
	})
}

func BenchmarkCopy(b *testing.B) {
	f, g := someScenery(1).print(0, 0, 1, 1), someScenery(1).print(0.05, 0, 1, 0.95)
	stranger := someScenery(2).print(0, 0, 1, 1)
	traced := f.Tracing()
	b.Run("copy", func(b *testing.B) {
		for b.Loop() {
			traced.Copy(g)
		}
	})
	b.Run("stranger", func(b *testing.B) {
		for b.Loop() {
			traced.Copy(stranger)
		}
	})
	b.Run("keys", func(b *testing.B) {
		for b.Loop() {
			f.CopyKeys()
		}
	})
}
