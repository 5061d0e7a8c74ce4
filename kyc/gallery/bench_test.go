package gallery

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"kycd/kyc/gallery/sweep"
)

// filled makes a gallery of n faces whose distances are those of strangers.
func filled(tb testing.TB, n int) *Gallery {
	const dim = 128
	g := New(dim)
	rng := rand.New(rand.NewPCG(7, 7))
	v := make([]float32, dim)
	for i := range n {
		for k := range v {
			v[k] = 0.14 * (rng.Float32() - 0.5)
		}
		if err := g.Add(number(i), v); err != nil {
			tb.Fatal(err)
		}
	}
	return g
}

var million = sync.OnceValue(func() *Gallery { return filled(&testing.B{}, 1_000_000) })

func query() []float32 {
	return unit(rand.New(rand.NewPCG(8, 8)), 128)
}

func search(tb testing.TB, g *Gallery, q []float32) {
	if _, err := g.Within(q, 0.4, 10); err != nil {
		tb.Fatal(err)
	}
}

// swept reads what a search reads, and no more, on as many goroutines.
func swept(g *Gallery) float32 {
	var total float32
	var merging sync.Mutex
	words := 0
	for _, c := range g.chunks {
		words += len(c.rows)
	}
	parallel(len(g.chunks), words, func(next func() (int, bool)) {
		var sum float32
		for i, more := next(); more; i, more = next() {
			sum += sweep.Sum(g.chunks[i].rows[:g.chunks[i].used*g.stride])
		}
		merging.Lock()
		total += sum
		merging.Unlock()
	})
	return total
}

func BenchmarkSearchMillion(b *testing.B) {
	g, q := million(), query()
	b.SetBytes(int64(4 * g.Len() * g.stride))
	for b.Loop() {
		search(b, g, q)
	}
}

func BenchmarkSweepMillion(b *testing.B) {
	g := million()
	b.SetBytes(int64(4 * g.Len() * g.stride))
	for b.Loop() {
		swept(g)
	}
}

func BenchmarkSearch100k(b *testing.B) {
	g, q := filled(b, 100_000), query()
	b.SetBytes(int64(4 * g.Len() * g.stride))
	for b.Loop() {
		search(b, g, q)
	}
}

func BenchmarkAddDuringSearch(b *testing.B) {
	g, q := million(), query()
	var stop sync.WaitGroup
	done := make(chan struct{})
	stop.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				search(b, g, q)
			}
		}
	})
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if err := g.Add(number(3), q); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	close(done)
	stop.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs/op")
}

// BenchmarkSearchToSweep measures both in turns, so that whatever else the machine does hits both alike; the ratio of the
// medians is what counts.
func BenchmarkSearchToSweep(b *testing.B) {
	g, q := million(), query()
	var searches, sweeps []time.Duration
	for b.Loop() {
		began := time.Now()
		search(b, g, q)
		between := time.Now()
		swept(g)
		searches, sweeps = append(searches, between.Sub(began)), append(sweeps, time.Since(between))
	}
	slices.Sort(searches)
	slices.Sort(sweeps)
	b.ReportMetric(float64(searches[len(searches)/2])/float64(sweeps[len(sweeps)/2]), "search/sweep")
	b.ReportMetric(float64(searches[0])/float64(sweeps[0]), "best/best")
}
