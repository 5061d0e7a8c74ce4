// Package limit bounds how often somebody may call. Each caller has a token bucket, and the number of buckets
// is bounded too, so that callers without number cannot fill the memory.
package limit

import (
	"math"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// Rate is a sustained number of requests, and how many may come at once after a silence. The zero Rate does not
// limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Per makes a Rate whose burst is what some seconds of it come to, and at least one request.
func Per(second, burstSeconds float64) Rate {
	if !(second > 0) {
		return Rate{}
	}
	return Rate{PerSecond: second, Burst: max(1, int(math.Ceil(min(second*burstSeconds, math.MaxInt32))))}
}

// Unlimited tells whether the rate bounds nothing.
func (r Rate) Unlimited() bool { return r == Rate{} }

// State is a bucket after a request was let through or refused.
type State struct {
	OK        bool
	Remaining int           // requests that would be let through now
	Wait      time.Duration // until the next one would be; 0 if one would now
	Full      time.Duration // until the bucket is as if nobody had ever called
	policy    string
}

// Buckets are the buckets of one kind of callers. If there are more callers than buckets, the one that has been
// silent for longest starts anew when it comes again. It is safe for concurrent use.
type Buckets[K comparable] struct {
	name string

	mu      sync.Mutex
	buckets *simplelru.LRU[K, *bucket]
}

type bucket struct {
	rate    Rate
	limiter *rate.Limiter
	policy  string
}

// New makes room for a number of buckets, 1 or more. name is what answers call them.
func New[K comparable](name string, capacity int) *Buckets[K] {
	buckets, err := simplelru.NewLRU[K, *bucket](max(1, capacity), nil)
	if err != nil { // only a capacity below 1
		panic(err)
	}
	return &Buckets[K]{name: name, buckets: buckets}
}

// Take lets one request of a caller through, or not. A rate that differs from the caller's last holds from now on;
// what the caller has used up stays used up.
func (b *Buckets[K]) Take(key K, r Rate, now time.Time) State {
	if r.Unlimited() {
		return State{OK: true}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k, found := b.buckets.Get(key)
	if !found {
		k = &bucket{rate: r, limiter: rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst), policy: policy(b.name, r)}
		b.buckets.Add(key, k)
	}
	k.adapt(b.name, r, now)
	ok := k.limiter.AllowN(now, 1)
	return k.state(ok, now)
}

// Look is what Take would answer, without counting a request.
func (b *Buckets[K]) Look(key K, r Rate, now time.Time) State {
	if r.Unlimited() {
		return State{OK: true}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k, found := b.buckets.Get(key)
	if !found {
		return State{OK: true, Remaining: r.Burst}
	}
	k.adapt(b.name, r, now)
	return k.state(k.limiter.TokensAt(now) >= 1, now)
}

// Len is the number of callers that have a bucket.
func (b *Buckets[K]) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buckets.Len()
}

func (k *bucket) adapt(name string, r Rate, now time.Time) {
	if k.rate == r {
		return
	}
	k.limiter.SetLimitAt(now, rate.Limit(r.PerSecond))
	k.limiter.SetBurstAt(now, r.Burst)
	k.rate, k.policy = r, policy(name, r)
}

func (k *bucket) state(ok bool, now time.Time) State {
	tokens := k.limiter.TokensAt(now)
	return State{
		OK: ok, Remaining: max(0, int(tokens)), policy: k.policy,
		Wait: seconds((1 - tokens) / k.rate.PerSecond), Full: seconds((float64(k.rate.Burst) - tokens) / k.rate.PerSecond),
	}
}

// seconds is a number of seconds that is not negative and not more than an hour, after which nobody waits.
func seconds(s float64) time.Duration {
	return time.Duration(min(max(s, 0), 3600) * float64(time.Second))
}

// Policy is the value of the header RateLimit-Policy: how many requests in how many seconds
// (draft-ietf-httpapi-ratelimit-headers-10 §3). It is empty where nothing is limited.
func (s State) Policy() string { return s.policy }

func policy(name string, r Rate) string {
	window := max(1, int(math.Ceil(float64(r.Burst)/r.PerSecond)))
	return `"` + name + `";q=` + strconv.Itoa(r.Burst) + ";w=" + strconv.Itoa(window)
}

// Field is the value of the header RateLimit: how many requests are left, and in how many seconds all are there
// again (same draft, §4).
func (b *Buckets[K]) Field(s State) string {
	out := make([]byte, 0, 40)
	out = append(append(append(out, '"'), b.name...), `";r=`...)
	out = append(strconv.AppendInt(out, int64(s.Remaining), 10), ";t="...)
	return string(strconv.AppendInt(out, int64(math.Ceil(s.Full.Seconds())), 10))
}

// Network is what stands for the caller at an address: the address itself, and of IPv6 the first 64 bits, since
// whoever has one such address has all that begin like it.
func Network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil { // the zero Addr: all callers without an address are one
		return netip.Prefix{}
	}
	return prefix
}
