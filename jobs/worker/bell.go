package worker

import (
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// bell wakes whoever waits for new work. Rings are counted, so that one that comes between a look at the
// empty queue and the wait is not missed.
type bell struct {
	mu     sync.Mutex
	rings  uint64
	next   chan struct{} // closed by the next ring
	closed bool
}

func newBell() *bell { return &bell{next: make(chan struct{})} }

// ring wakes all that wait.
func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.rings++
	close(b.next)
	b.next = make(chan struct{})
}

// heard is the number of rings so far.
func (b *bell) heard() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rings
}

// wait returns when the bell has rung more than heard times, when atMost is over, or when the bell is closed.
func (b *bell) wait(heard uint64, atMost time.Duration) {
	b.mu.Lock()
	next, rung := b.next, b.rings != heard || b.closed
	b.mu.Unlock()
	if rung {
		return
	}
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-next:
	case <-timer.C:
	}
}

// close wakes all that wait, for good.
func (b *bell) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		close(b.next)
	}
}

func (b *bell) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// listen rings the bell for every message of a subscription, and whenever the subscription is made anew:
// what was said while the connection was away is lost. It returns when the subscription is closed.
func (b *bell) listen(subscription *redis.PubSub) {
	for range subscription.ChannelWithSubscriptions() {
		b.ring()
	}
}
