package gallery

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"kycd/vision"
)

// print is the fingerprint of a picture of blobs, the same for the same seed, trimmed by a share on its left.
func print(seed int, trimmed float64) vision.Fingerprint {
	rng := rand.New(rand.NewPCG(uint64(seed), 9))
	const side = vision.FingerprintSide
	type blob struct{ x, y, size, height float64 }
	blobs := make([]blob, 40)
	for i := range blobs {
		blobs[i] = blob{rng.Float64(), rng.Float64(), 0.03 + 0.1*rng.Float64(), 160 * (rng.Float64() - 0.5)}
	}
	cells := make([]byte, side*side)
	for i := range cells {
		x, y := trimmed+(1-trimmed)*(float64(i%side)+0.5)/side, (float64(i/side)+0.5)/side
		v := 128.0
		for _, b := range blobs {
			dx, dy := (x-b.x)/b.size, (y-b.y)/b.size
			if d := dx*dx + dy*dy; d < 9 {
				v += b.height * math.Exp(-d)
			}
		}
		cells[i] = byte(min(max(v, 0), 255))
	}
	return vision.NewFingerprint(cells)
}

func ids(hits []CopyHit) []string {
	var all []string
	for _, h := range hits {
		all = append(all, h.ID)
	}
	return all
}

func TestFindAmongMany(t *testing.T) {
	c := NewCopies()
	const n = 300
	for i := range n {
		if !c.Add(number(i), print(i, 0)) {
			t.Fatal("not kept")
		}
	}
	for i := 0; i < n; i += 10 {
		hits := c.Find(print(i, 0.05))
		if !slices.Equal(ids(hits), []string{number(i)}) {
			t.Errorf("picture %d: %v", i, hits)
		}
		for _, h := range hits {
			if h.Likeness < vision.CopyLikeness || h.Likeness > 1 {
				t.Errorf("likeness %v", h.Likeness)
			}
		}
	}
	if hits := c.Find(print(n+1, 0)); len(hits) != 0 {
		t.Errorf("a new picture is a copy of %v", hits)
	}
}

func TestCopiesComeAndGo(t *testing.T) {
	c := NewCopies()
	one, other := print(1, 0), print(2, 0)
	c.Add("b", one)
	c.Add("a", one)
	c.Add("c", print(1, 0.05))
	if got := ids(c.Find(one)); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("found %v, want the same ones first", got)
	}
	c.Add("a", other)
	if got := ids(c.Find(one)); !slices.Equal(got, []string{"b", "c"}) || c.Len() != 3 {
		t.Errorf("after a was replaced: %v of %d", got, c.Len())
	}
	whole := c.chunks[0].whole[c.places["b"].row()].Whole
	if !c.Remove("b") || c.Remove("b") || c.Len() != 2 {
		t.Error("b was not removed once")
	}
	if slices.ContainsFunc(whole, func(w uint64) bool { return w != 0 }) {
		t.Error("the removed fingerprint was not overwritten")
	}
	if got := ids(c.Find(one)); !slices.Equal(got, []string{"c"}) {
		t.Errorf("after b was removed: %v", got)
	}
	c.Add("d", one)
	if got := ids(c.Find(one)); !slices.Equal(got, []string{"d", "c"}) || len(c.chunks[0].ids) != 3 {
		t.Errorf("d in b's row: %v in %d rows", got, len(c.chunks[0].ids))
	}
	one.Whole[0] = 1 // the caller's own
	if got := c.Find(print(1, 0)); got[0].Likeness < 1-1e-9 {
		t.Errorf("the caller's change came through: %v", got)
	}
}

func TestCopiesRefuse(t *testing.T) {
	c := NewCopies()
	stranger := print(1, 0)
	stranger.Model = "another"
	if c.Add("a", stranger) || c.Add("a", vision.Fingerprint{}) || c.Add("", print(1, 0)) || c.Len() != 0 {
		t.Error("kept what can be compared with nothing")
	}
	c.Add("a", print(1, 0))
	if hits := c.Find(stranger); len(hits) != 0 {
		t.Errorf("found %v by another algorithm", hits)
	}
}

func TestCopiesConcurrently(t *testing.T) {
	c := NewCopies()
	prints := make([]vision.Fingerprint, 12)
	for i := range prints {
		prints[i] = print(i, 0)
	}
	c.Add("stays", prints[0])
	var busy sync.WaitGroup
	for w := range 3 {
		busy.Go(func() {
			for i := range 60 {
				id := fmt.Sprint(w, "/", i%7)
				if i%3 == 0 {
					c.Remove(id)
				} else {
					c.Add(id, prints[1+(w+i)%11])
				}
			}
		})
	}
	for range 30 {
		if got := ids(c.Find(prints[0])); !slices.Equal(got, []string{"stays"}) {
			t.Errorf("found %v", got)
		}
	}
	busy.Wait()
}

// BenchmarkFindMillion searches among a million keys by chance; those of a real picture are near to about as many.
func BenchmarkFindMillion(b *testing.B) {
	c := NewCopies()
	rng := rand.New(rand.NewPCG(1, 1))
	filler := print(1, 0)
	for len(c.chunks) < 1_000_000/mostRows {
		p := &prints{}
		for range mostRows {
			p.keys = append(p.keys, vision.Key{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64()})
			p.ids, p.whole = append(p.ids, "x"), append(p.whole, filler)
		}
		c.chunks = append(c.chunks, p)
	}
	query := print(2, 0)
	for b.Loop() {
		c.Find(query)
	}
}
