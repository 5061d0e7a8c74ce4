package gallery

import (
	"cmp"
	"slices"
	"sync"

	"kycd/vision"
)

// Copies holds the fingerprints of pictures, each under an id, and finds those that a picture is a copy of. A picture
// takes about 4 kB. It may be used from several goroutines: a search hinders an Add or a Remove for no longer than one chunk
// takes.
type Copies struct {
	mutex  sync.RWMutex // guards what follows; taken before a chunk's
	places map[string]place
	chunks []*prints
	free   []place
}

// prints is a block of fingerprints that never move. A row without one has no id.
type prints struct {
	mutex sync.RWMutex
	keys  []vision.Key // what a search reads; the rest only where a key is near
	ids   []string
	whole []vision.Fingerprint
}

// CopyHit is a picture that another one is a copy of.
type CopyHit struct {
	ID       string
	Likeness float64 // vision.CopyLikeness to 1
}

// NewCopies makes an empty collection.
func NewCopies() *Copies { return &Copies{places: map[string]place{}} }

// Len is the number of pictures.
func (c *Copies) Len() int {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	return len(c.places)
}

// Add puts a fingerprint under an id; what was there before is replaced. It tells whether it was kept: one that another
// algorithm made can be compared with nothing here.
func (c *Copies) Add(id string, print vision.Fingerprint) bool {
	key, ok := print.Key()
	if !ok || id == "" {
		return false
	}
	print.Whole = slices.Clone(print.Whole) // ours, to be overwritten when it goes
	c.mutex.Lock()
	defer c.mutex.Unlock()
	p, known := c.places[id]
	if !known {
		if p, ok = c.room(); !ok {
			return false
		}
		c.places[id] = p
	}
	chunk, row := c.chunks[p.chunk()], p.row()
	chunk.mutex.Lock()
	defer chunk.mutex.Unlock()
	if row == len(chunk.ids) {
		chunk.keys, chunk.ids, chunk.whole = append(chunk.keys, key), append(chunk.ids, id), append(chunk.whole, print)
		return true
	}
	clear(chunk.whole[row].Whole)
	chunk.keys[row], chunk.ids[row], chunk.whole[row] = key, id, print
	return true
}

// room finds a free row: one that was removed, or the next.
func (c *Copies) room() (place, bool) {
	if last := len(c.free) - 1; last >= 0 {
		p := c.free[last]
		c.free = c.free[:last]
		return p, true
	}
	last := len(c.chunks) - 1
	if last < 0 || len(c.chunks[last].ids) == mostRows { // rows are added under c.mutex alone
		if len(c.chunks) == mostChunks {
			return 0, false
		}
		c.chunks = append(c.chunks, &prints{})
		last++
	}
	return at(last, len(c.chunks[last].ids)), true
}

// Remove takes a picture out and overwrites its fingerprint; it tells whether there was one. A search that begins after it
// does not find the picture.
func (c *Copies) Remove(id string) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	p, known := c.places[id]
	if !known {
		return false
	}
	delete(c.places, id)
	chunk, row := c.chunks[p.chunk()], p.row()
	chunk.mutex.Lock()
	defer chunk.mutex.Unlock()
	clear(chunk.whole[row].Whole)
	chunk.keys[row], chunk.ids[row], chunk.whole[row] = vision.Key{}, "", vision.Fingerprint{}
	c.free = append(c.free, p)
	return true
}

// Find gives the pictures that this one is a copy of, or that are copies of it, the most alike first, equal ones by id. All
// keys are looked at; the fingerprints whose keys are near are compared.
func (c *Copies) Find(print vision.Fingerprint) []CopyHit {
	keys := print.CopyKeys()
	if len(keys) == 0 {
		return nil
	}
	c.mutex.RLock()
	chunks := c.chunks // only ever appended to
	c.mutex.RUnlock()
	traced := print.Tracing()
	var all []CopyHit
	var merging sync.Mutex
	parallel(len(chunks), len(chunks)*mostRows*len(keys), func(next func() (int, bool)) {
		var found []CopyHit
		for i, more := next(); more; i, more = next() {
			found = append(found, chunks[i].find(keys, traced)...)
		}
		merging.Lock()
		defer merging.Unlock()
		all = append(all, found...)
	})
	slices.SortFunc(all, func(a, b CopyHit) int {
		return cmp.Or(cmp.Compare(b.Likeness, a.Likeness), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (p *prints) find(keys []vision.Key, traced *vision.Tracing) (found []CopyHit) {
	p.mutex.RLock()
	defer p.mutex.RUnlock()
	for row := range p.keys {
		if !near(&p.keys[row], keys) || p.ids[row] == "" {
			continue
		}
		if likeness, is := traced.Copy(p.whole[row]); is {
			found = append(found, CopyHit{p.ids[row], likeness})
		}
	}
	return found
}

func near(key *vision.Key, keys []vision.Key) bool {
	for i := range keys {
		if key.Distance(&keys[i]) <= vision.CopyKeyDistance {
			return true
		}
	}
	return false
}
