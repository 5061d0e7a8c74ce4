// Package gallery finds among many faces those near to one, and among many pictures those that one is a copy of.
//
// Both searches are exact: every entry is looked at, none is skipped by an index that guesses. They live in memory
// alone; whoever keeps the truth fills them at start and tells them of every change.
package gallery

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Gallery holds vectors of one length, each under the id of its owner. It may be used from several goroutines: a search
// hinders an Add or a Remove for no longer than one chunk takes, tens of microseconds.
type Gallery struct {
	dim    int
	stride int // floats from one vector to the next: dim, filled up with zeros to whole cache lines
	scan   scanner
	slack  float64 // what rounding may add to or take from a squared distance in float32, as a share of it

	mutex  sync.RWMutex // guards what follows; taken before a chunk's
	places map[uuid.UUID]place
	chunks []*chunk
	free   []place // rows that were removed
}

// place is where a vector lies: its chunk, and its row in the lower rowBits.
type place uint32

const (
	rowBits = 12
	// mostRows of a chunk make 2 MB of 128 values each: long enough to read at full speed, short enough to wait for.
	mostRows = 1 << rowBits
	// leastRows are in the first chunk, so that a tenant with a few faces costs little; each further one has twice as many.
	leastRows = 64
	// mostChunks is how many a place can tell apart.
	mostChunks = 1 << (32 - rowBits)
)

func at(chunk, row int) place { return place(chunk<<rowBits | row) }

func (p place) chunk() int { return int(p >> rowBits) }

func (p place) row() int { return int(p & (mostRows - 1)) }

// chunk is a block of vectors that never moves. A row without a vector is NaN throughout, and so near to nothing.
type chunk struct {
	mutex sync.RWMutex
	rows  []float32 // the vectors, each stride long; begins on a cache line
	ids   []uuid.UUID
	used  int // rows that ever held a vector
}

// Hit is an entry that a search found.
type Hit struct {
	ID       string
	Distance float64 // Euclidean
}

// New makes an empty gallery of vectors of dim values. It panics if dim is not positive: the length is a property of
// the program's encoder, not of any input.
func New(dim int) *Gallery {
	if dim <= 0 {
		panic("gallery: vectors need a length")
	}
	return newGallery(dim, fastest())
}

func newGallery(dim int, scan scanner) *Gallery {
	return &Gallery{
		dim: dim, stride: (dim + lineFloats - 1) / lineFloats * lineFloats, scan: scan, slack: slack(dim),
		places: map[uuid.UUID]place{},
	}
}

// Len is the number of vectors.
func (g *Gallery) Len() int {
	g.mutex.RLock()
	defer g.mutex.RUnlock()
	return len(g.places)
}

// Has tells whether there is a vector under an id.
func (g *Gallery) Has(id string) bool {
	key, err := parse(id)
	if err != nil {
		return false
	}
	g.mutex.RLock()
	defer g.mutex.RUnlock()
	_, has := g.places[key]
	return has
}

// Add puts a vector under an id, a UUID in its usual form of 36 characters; what was there before is replaced. The
// vector is copied. The error is an *Error.
func (g *Gallery) Add(id string, vector []float32) error {
	key, err := parse(id)
	if err != nil {
		return err
	}
	if err := g.check(vector); err != nil {
		return err
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	p, known := g.places[key]
	if !known {
		if p, err = g.room(); err != nil {
			return err
		}
		g.places[key] = p
	}
	c := g.chunks[p.chunk()]
	c.mutex.Lock()
	defer c.mutex.Unlock()
	row := c.rows[p.row()*g.stride:][:g.stride]
	clear(row[copy(row, vector):])
	c.ids[p.row()] = key
	c.used = max(c.used, p.row()+1)
	return nil
}

// room finds a free row: one that was removed, the next of the last chunk, or the first of a new one.
func (g *Gallery) room() (place, error) {
	if last := len(g.free) - 1; last >= 0 {
		p := g.free[last]
		g.free = g.free[:last]
		return p, nil
	}
	last := len(g.chunks) - 1
	if last >= 0 && g.chunks[last].used < len(g.chunks[last].ids) { // used changes under g.mutex alone
		return at(last, g.chunks[last].used), nil
	}
	if len(g.chunks) == mostChunks {
		return 0, refuse(CodeFull, "gallery")
	}
	rows := mostRows
	if last+1 < rowBits {
		rows = min(rows, leastRows<<(last+1))
	}
	g.chunks = append(g.chunks, &chunk{rows: aligned(rows * g.stride), ids: make([]uuid.UUID, rows)})
	return at(last+1, 0), nil
}

// aligned makes n floats that begin on a cache line and are all NaN.
func aligned(n int) []float32 {
	padded := make([]float32, n+lineFloats)
	floats := padded[misaligned(padded):][:n:n]
	nan := float32(math.NaN())
	for i := range floats {
		floats[i] = nan
	}
	return floats
}

// Remove takes an entry out and overwrites its memory; it tells whether there was one. A search that begins after it
// does not find the entry.
func (g *Gallery) Remove(id string) bool {
	key, err := parse(id)
	if err != nil {
		return false
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	p, known := g.places[key]
	if !known {
		return false
	}
	delete(g.places, key)
	c := g.chunks[p.chunk()]
	c.mutex.Lock()
	defer c.mutex.Unlock()
	row, nan := c.rows[p.row()*g.stride:][:g.stride], float32(math.NaN())
	for i := range row {
		row[i] = nan
	}
	c.ids[p.row()] = uuid.UUID{}
	g.free = append(g.free, p)
	return true
}

// Within gives the entries that are no further than radius from the query, the nearest first, equal ones by id; at most
// limit of them, or all if limit is 0. Distances are those that float64 arithmetic gives: no entry is in or out by a
// rounding of the faster search. What is added or removed meanwhile may be among them or not. The error is an *Error.
func (g *Gallery) Within(query []float32, radius float64, limit int) ([]Hit, error) {
	if err := g.check(query); err != nil {
		return nil, err
	}
	if !(radius >= 0) {
		return nil, refuse(CodeRadiusInvalid, "radius")
	}
	if limit < 0 {
		return nil, refuse(CodeLimitInvalid, "limit")
	}
	g.mutex.RLock()
	chunks := g.chunks // only ever appended to
	g.mutex.RUnlock()

	padded := aligned(g.stride)
	clear(padded[copy(padded, query):])
	var all nearest
	var merging sync.Mutex
	words := 0
	for _, c := range chunks {
		words += len(c.rows)
	}
	parallel(len(chunks), words, func(next func() (int, bool)) {
		found := nearest{radius: radius, limit: limit}
		masks := make([]byte, mostRows/groupRows)
		for i, more := next(); more; i, more = next() {
			g.search(chunks[i], padded, masks, &found)
		}
		merging.Lock()
		defer merging.Unlock()
		all.hits = append(all.hits, found.hits...)
	})
	all.radius, all.limit = radius, limit
	all.trim()
	hits := make([]Hit, len(all.hits))
	for i, h := range all.hits {
		hits[i] = Hit{ID: h.id.String(), Distance: h.distance}
	}
	return hits, nil
}

// search looks at one chunk: float32 arithmetic says which rows may be near enough, float64 which are.
func (g *Gallery) search(c *chunk, query []float32, masks []byte, found *nearest) {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	groups := (c.used + groupRows - 1) / groupRows
	masks = masks[:groups]
	g.scan(c.rows, g.stride, query, g.threshold(found.radius), masks)
	eachBit(masks, func(row int) {
		d := distance(c.rows[row*g.stride:][:g.dim], query)
		found.add(entry{c.ids[row], d})
	})
}

// check refuses what has no distance to anything.
func (g *Gallery) check(vector []float32) error {
	if len(vector) != g.dim {
		return refuse(CodeLengthWrong, "vector")
	}
	for _, v := range vector {
		if v-v != 0 {
			return refuse(CodeNotFinite, "vector")
		}
	}
	return nil
}

// parse reads an id in the one form in which it is given back.
func parse(id string) (uuid.UUID, error) {
	key, err := uuid.Parse(id)
	if err != nil || key.String() != id {
		return uuid.UUID{}, refuse(CodeIDInvalid, "id")
	}
	return key, nil
}

// distance is exact but for the rounding of float64.
func distance(a, b []float32) float64 {
	var sum float64
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}

// slack bounds the relative error of a squared distance in float32. A difference is rounded once, so its square is off by
// two roundings at most, a product by one and each of the sums that a term takes part in by one, in whatever order they
// are made: at most dim of them, and a few to put lanes together. All terms are positive, so errors do not grow beyond that.
func slack(dim int) float64 {
	const rounding = 1.0 / (1 << 24)
	n := float64(dim+lineFloats+4) * rounding
	return n / (1 - n)
}

// threshold is the least float32 that the computed square of no distance within the radius exceeds. Products below the
// normal numbers are off by a share of the smallest number instead.
func (g *Gallery) threshold(radius float64) float32 {
	square := radius*radius*(1+2*g.slack) + 2*float64(g.stride)*math.SmallestNonzeroFloat32
	if square > math.MaxFloat32 {
		return float32(math.Inf(1))
	}
	t := float32(square)
	if float64(t) < square {
		t = math.Nextafter32(t, float32(math.Inf(1)))
	}
	return t
}

// entry is a hit before its id is written out.
type entry struct {
	id       uuid.UUID
	distance float64
}

// nearest collects the hits of one worker. With a limit its radius shrinks to what can still be among them.
type nearest struct {
	radius float64
	limit  int
	hits   []entry
}

func (n *nearest) add(e entry) {
	if !(e.distance <= n.radius) {
		return
	}
	n.hits = append(n.hits, e)
	if n.limit > 0 && len(n.hits) >= 2*n.limit+groupRows {
		n.trim()
	}
}

// trim sorts, and cuts off what is beyond the limit. The radius keeps those that are as far as the last one, because
// the id decides between them.
func (n *nearest) trim() {
	slices.SortFunc(n.hits, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), slices.Compare(a.id[:], b.id[:]))
	})
	if n.limit > 0 && len(n.hits) >= n.limit {
		n.hits = n.hits[:n.limit]
		n.radius = n.hits[n.limit-1].distance
	}
}
