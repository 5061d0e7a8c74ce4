package seal

import (
	"container/list"
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// Keyring makes data keys and remembers the ones used last, so that a session's many fields cost one unwrap. It
// holds at most capacity keys, each for at most ttl: a key that another process destroys is therefore forgotten
// here within ttl, and at once where Forget is called. It is safe for concurrent use.
type Keyring struct {
	master   *Master
	capacity int
	ttl      time.Duration
	now      func() time.Time

	mu      sync.Mutex
	entries map[string]*list.Element // values are *ringEntry
	order   *list.List               // most recently used first
	forgets uint64                   // counts Forget, see Key
}

type ringEntry struct {
	id      string
	digest  [sha256.Size]byte // of the wrapped form: a cached key answers for that form only
	key     *Key
	expires time.Time
}

// NewKeyring makes a keyring over master. now is the clock.
func NewKeyring(master *Master, capacity int, ttl time.Duration, now func() time.Time) *Keyring {
	return &Keyring{
		master: master, capacity: max(1, capacity), ttl: ttl, now: now,
		entries: make(map[string]*list.Element), order: list.New(),
	}
}

// New makes a data key for the owner id ("session/ID"); wrapped is what the caller stores.
func (r *Keyring) New(ctx context.Context, id string) (wrapped []byte, key *Key, err error) {
	generation := r.generation()
	wrapped, key, err = r.master.NewDataKey(ctx, ownerData(id))
	if err != nil {
		return nil, nil, err
	}
	r.keep(id, wrapped, key, generation)
	return wrapped, key, nil
}

// Key gives the data key of the owner id from its stored form. An empty wrapped form is ErrDestroyed, also while
// the key is still remembered: the stored row decides.
func (r *Keyring) Key(ctx context.Context, id string, wrapped []byte) (*Key, error) {
	if len(wrapped) == 0 {
		r.Forget(id)
		return nil, ErrDestroyed
	}
	if key := r.cached(id, wrapped); key != nil {
		return key, nil
	}
	generation := r.generation()
	key, err := r.master.Unwrap(ctx, wrapped, ownerData(id))
	if err != nil {
		return nil, err
	}
	r.keep(id, wrapped, key, generation)
	return key, nil
}

// Held gives the owner's key if it is in memory, and nil otherwise. It is for callers who know from elsewhere that the
// key was not destroyed.
func (r *Keyring) Held(id string) *Key {
	r.mu.Lock()
	defer r.mu.Unlock()
	if entry := r.entry(id); entry != nil {
		return entry.key
	}
	return nil
}

// Forget drops the owner's key from memory. Call it after the wrapped form was deleted from storage.
func (r *Keyring) Forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgets++
	r.drop(r.entries[id])
}

// Len is the number of keys held, expired ones included.
func (r *Keyring) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.order.Len()
}

func (r *Keyring) generation() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.forgets
}

func (r *Keyring) cached(id string, wrapped []byte) *Key {
	digest := sha256.Sum256(wrapped)
	r.mu.Lock()
	defer r.mu.Unlock()
	if entry := r.entry(id); entry != nil && entry.digest == digest {
		return entry.key
	}
	return nil
}

// entry needs the lock held. One that is too old is dropped.
func (r *Keyring) entry(id string) *ringEntry {
	element := r.entries[id]
	if element == nil {
		return nil
	}
	entry := element.Value.(*ringEntry)
	if !r.now().Before(entry.expires) {
		r.drop(element)
		return nil
	}
	r.order.MoveToFront(element)
	return entry
}

// keep remembers a key, unless somebody forgot one since generation was read: it might be this one, and a key that
// comes back into memory after Forget would outlive its destruction.
func (r *Keyring) keep(id string, wrapped []byte, key *Key, generation uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forgets != generation {
		return
	}
	r.drop(r.entries[id])
	r.entries[id] = r.order.PushFront(&ringEntry{
		id: id, digest: sha256.Sum256(wrapped), key: key, expires: r.now().Add(r.ttl),
	})
	for r.order.Len() > r.capacity {
		r.drop(r.order.Back())
	}
}

// drop needs the lock held; nil is allowed.
func (r *Keyring) drop(element *list.Element) {
	if element == nil {
		return
	}
	delete(r.entries, element.Value.(*ringEntry).id)
	r.order.Remove(element)
}

func ownerData(id string) []byte { return joinParts("data key", id) }
