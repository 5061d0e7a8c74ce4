package kyc

import "sync"

// bulletin tells those in this process who wait for a session that something of it was measured. It is a
// shortcut: whoever waits also looks from time to time, because another process may have done the work.
type bulletin struct {
	mu      sync.Mutex
	waiting map[string]map[chan struct{}]struct{}
}

func newBulletin() *bulletin {
	return &bulletin{waiting: map[string]map[chan struct{}]struct{}{}}
}

// watch returns a channel that gets a token whenever post is called for the id, and a function to stop.
func (b *bulletin) watch(id string) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting[id] == nil {
		b.waiting[id] = map[chan struct{}]struct{}{}
	}
	b.waiting[id][ch] = struct{}{}
	return ch, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.waiting[id], ch)
		if len(b.waiting[id]) == 0 {
			delete(b.waiting, id)
		}
	}
}

func (b *bulletin) post(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ch := range b.waiting[id] {
		select {
		case ch <- struct{}{}:
		default: // it has one already
		}
	}
}
