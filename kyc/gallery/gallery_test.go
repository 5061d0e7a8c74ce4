package gallery

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// number makes the same UUID for the same number.
func number(n int) string {
	var id uuid.UUID
	for i := range 8 {
		id[15-i] = byte(n >> (8 * i))
	}
	return id.String()
}

// naive is the search as one would write it first.
func naive(vectors map[string][]float32, query []float32, radius float64, limit int) []Hit {
	hits := []Hit{}
	for id, v := range vectors {
		var sum float64
		for i := range v {
			d := float64(v[i]) - float64(query[i])
			sum += d * d
		}
		if d := math.Sqrt(sum); d <= radius {
			hits = append(hits, Hit{id, d})
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), strings.Compare(a.ID, b.ID))
	})
	if limit > 0 && len(hits) > limit {
		hits = hits[:limit]
	}
	return hits
}

// scanners are the portable one and that of this machine.
func scanners() map[string]scanner {
	return map[string]scanner{"portable": scanPortable, "fastest": fastest()}
}

// Whatever is added, replaced and removed, a search finds what the naive one does, to the last bit of the distance.
func TestWithinIsExact(t *testing.T) {
	for name, scan := range scanners() {
		t.Run(name, func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { checkExact(t, scan) }) })
	}
}

func checkExact(t *rapid.T, scan scanner) {
	dim := rapid.SampledFrom([]int{1, 3, 16, 17, 128, 129, 384}).Draw(t, "dim")
	// Few different values, some of them hardly different, make ties and radius edges; extremes make overflow and underflow.
	value := rapid.SampledFrom([]float32{0, 0.25, -0.5, 1, 1.0000001, 0.99999994, 3e19, -3e38, 1e-30, 1e-45})
	if rapid.Bool().Draw(t, "ordinary") {
		value = rapid.Float32Range(-1, 1)
	}
	vector := rapid.Custom(func(t *rapid.T) []float32 { return rapid.SliceOfN(value, dim, dim).Draw(t, "values") })
	g, want := newGallery(dim, scan), map[string][]float32{}
	for range rapid.IntRange(0, 60).Draw(t, "steps") {
		id := number(rapid.IntRange(0, 40).Draw(t, "id"))
		if rapid.IntRange(0, 3).Draw(t, "what") > 0 {
			v := vector.Draw(t, "vector")
			if err := g.Add(id, v); err != nil {
				t.Fatal(err)
			}
			want[id] = v
		} else {
			_, there := want[id]
			if got := g.Remove(id); got != there {
				t.Fatalf("removed: %v, want %v", got, there)
			}
			delete(want, id)
		}
	}
	if g.Len() != len(want) {
		t.Fatalf("%d entries, want %d", g.Len(), len(want))
	}
	query := vector.Draw(t, "query")
	radii := []float64{0, 0.5, 1, math.Inf(1)}
	for _, hit := range naive(want, query, math.Inf(1), 0) { // exactly at, just inside and just outside of each entry
		radii = append(radii, hit.Distance, math.Nextafter(hit.Distance, 0), math.Nextafter(hit.Distance, math.Inf(1)))
	}
	limit := rapid.IntRange(0, 5).Draw(t, "limit")
	for _, radius := range radii {
		got, err := g.Within(query, radius, limit)
		if err != nil {
			t.Fatal(err)
		}
		if want := naive(want, query, radius, limit); !slices.Equal(got, want) {
			t.Fatalf("radius %v limit %d: %v, want %v", radius, limit, got, want)
		}
	}
}

// Over several chunks, with holes, on all cores.
func TestWithinOverChunks(t *testing.T) {
	const dim, n = 128, 20000
	rng := rand.New(rand.NewPCG(1, 2))
	g, want := New(dim), map[string][]float32{}
	for i := range n {
		v := unit(rng, dim)
		if err := g.Add(number(i), v); err != nil {
			t.Fatal(err)
		}
		want[number(i)] = v
	}
	for i := 0; i < n; i += 7 {
		g.Remove(number(i))
		delete(want, number(i))
	}
	for range 20 {
		query := unit(rng, dim)
		for _, limit := range []int{0, 1, 10} {
			got, err := g.Within(query, 1.3, limit)
			if err != nil {
				t.Fatal(err)
			}
			if want := naive(want, query, 1.3, limit); !slices.Equal(got, want) || len(want) == 0 {
				t.Fatalf("limit %d: %d hits, want %d", limit, len(got), len(want))
			}
		}
	}
	// What is added fills the holes: no row is lost.
	rows := len(g.chunks)
	for i := 0; i < n; i += 7 {
		if err := g.Add(number(i), unit(rng, dim)); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.chunks) != rows || len(g.free) != 0 {
		t.Errorf("%d chunks and %d free rows, want %d and 0", len(g.chunks), len(g.free), rows)
	}
}

// The search in float32 may take too many for near, never too few: at a threshold that is exact, the portable and the
// machine's scanners agree up to rounding, and with the slack none misses a row that float64 says is near.
func TestScannersAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, dim := range []int{16, 128, 384, 1024} {
		const groups = 64
		rows, query := aligned(groups*groupRows*dim), aligned(dim)
		for i := range rows {
			rows[i] = rng.Float32()
		}
		for i := range query {
			query[i] = rng.Float32()
		}
		for i := range dim { // one row that was removed
			rows[5*dim+i] = float32(math.NaN())
		}
		g := New(dim)
		var distances []float64
		for row := range groups * groupRows {
			distances = append(distances, distance(rows[row*dim:][:dim], query))
		}
		for name, scan := range scanners() {
			for _, radius := range append(distances, math.Inf(1), 0) {
				if math.IsNaN(radius) {
					continue
				}
				masks := make([]byte, groups)
				scan(rows, dim, query, g.threshold(radius), masks)
				found := map[int]bool{}
				eachBit(masks, func(row int) { found[row] = true })
				for row, d := range distances {
					if d <= radius && !found[row] {
						t.Fatalf("%s, %d values: a row at %v is not within %v", name, dim, d, radius)
					}
					if found[row] && !(d <= radius*(1+2*g.slack)) {
						t.Fatalf("%s, %d values: a row at %v is within %v", name, dim, d, radius)
					}
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	g := New(3)
	id, fine := number(1), []float32{1, 2, 3}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	within := func(query []float32, radius float64, limit int) error {
		_, err := g.Within(query, radius, limit)
		return err
	}
	tests := []struct {
		name string
		err  error
		want Code
	}{
		{"too short", g.Add(id, fine[:2]), CodeLengthWrong},
		{"too long", g.Add(id, make([]float32, 4)), CodeLengthWrong},
		{"nothing", g.Add(id, nil), CodeLengthWrong},
		{"NaN", g.Add(id, []float32{0, nan, 0}), CodeNotFinite},
		{"infinite", g.Add(id, []float32{0, 0, -inf}), CodeNotFinite},
		{"no id", g.Add("", fine), CodeIDInvalid},
		{"other id", g.Add("session-7", fine), CodeIDInvalid},
		{"id in another form", g.Add(strings.ToUpper("0198a7e2-7c11-7abc-8def-0123456789ab"), fine), CodeIDInvalid},
		{"query too short", within(fine[:2], 1, 0), CodeLengthWrong},
		{"query of NaN", within([]float32{nan, 0, 0}, 1, 0), CodeNotFinite},
		{"radius below zero", within(fine, -1, 0), CodeRadiusInvalid},
		{"radius NaN", within(fine, math.NaN(), 0), CodeRadiusInvalid},
		{"limit below zero", within(fine, 1, -1), CodeLimitInvalid},
	}
	for _, test := range tests {
		var refused *Error
		if !errors.As(test.err, &refused) || refused.Code != test.want {
			t.Errorf("%s: %v, want %s", test.name, test.err, test.want)
		}
	}
	if g.Len() != 0 || g.Remove(id) || g.Remove("nobody") {
		t.Error("a refused vector was kept")
	}
	if hits, err := g.Within(fine, math.Inf(1), 0); err != nil || len(hits) != 0 {
		t.Errorf("an empty gallery has %v, %v", hits, err)
	}
}

// Nothing of a removed face stays in memory.
func TestRemoveOverwrites(t *testing.T) {
	g := New(128)
	v := make([]float32, 128)
	for i := range v {
		v[i] = 0.123456
	}
	for i := range 10 {
		if err := g.Add(number(i), v); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		g.Remove(number(i))
	}
	for _, c := range g.chunks {
		for _, f := range c.rows {
			if f == f {
				t.Fatal("a value was left behind")
			}
		}
		for _, id := range c.ids {
			if id != (uuid.UUID{}) {
				t.Fatal("an id was left behind")
			}
		}
	}
}

// The caller's slice is the caller's.
func TestAddCopies(t *testing.T) {
	g, v := New(2), []float32{1, 0}
	if err := g.Add(number(1), v); err != nil {
		t.Fatal(err)
	}
	v[0] = 9
	hits, err := g.Within([]float32{1, 0}, 0, 0)
	if err != nil || len(hits) != 1 {
		t.Errorf("%v, %v", hits, err)
	}
}

// While entries come and go, a search finds every one that is there all the time, at its place, and none that is not.
func TestConcurrently(t *testing.T) {
	const dim, staying, writers = 24, 1500, 3
	g := New(dim)
	base := func(n int) []float32 {
		rng := rand.New(rand.NewPCG(uint64(n), 5))
		return unit(rng, dim)
	}
	for i := range staying {
		if err := g.Add(number(i), base(i)); err != nil {
			t.Fatal(err)
		}
	}
	var stop atomic.Bool
	var busy sync.WaitGroup
	for w := range writers {
		busy.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 6))
			for !stop.Load() {
				n := staying + w*1000 + rng.IntN(1000)
				if rng.IntN(2) == 0 {
					g.Remove(number(n))
				} else if err := g.Add(number(n), base(n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for round := range 60 {
		hits, err := g.Within(base(round), math.Inf(1), 0)
		if err != nil {
			t.Fatal(err)
		}
		if hits[0].ID != number(round) || hits[0].Distance != 0 {
			t.Fatalf("round %d: the nearest is %v", round, hits[0])
		}
		seen := map[string]bool{}
		for _, h := range hits {
			seen[h.ID] = true
		}
		for i := range staying {
			if !seen[number(i)] {
				t.Fatalf("round %d: entry %d was missed", round, i)
			}
		}
	}
	stop.Store(true)
	busy.Wait()
}

func unit(rng *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	var sum float64
	for i := range v {
		v[i] = float32(rng.NormFloat64())
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// A face costs little more than its vector.
func TestMemoryPerFace(t *testing.T) {
	const dim, n = 128, 50000
	before := heap()
	g := New(dim)
	v := unit(rand.New(rand.NewPCG(1, 1)), dim)
	for i := range n {
		if err := g.Add(number(i), v); err != nil {
			t.Fatal(err)
		}
	}
	each := float64(heap()-before) / n
	runtime.KeepAlive(g)
	t.Logf("%.0f bytes a face of %d values", each, dim)
	if each > 4*dim*1.2 {
		t.Errorf("%.0f bytes a face, of which %d are its vector", each, 4*dim)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
