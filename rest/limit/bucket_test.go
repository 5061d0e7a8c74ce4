package limit

import (
	"math"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var start = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

func TestPer(t *testing.T) {
	for _, c := range []struct {
		second, burstSeconds float64
		want                 Rate
	}{
		{100, 2, Rate{100, 200}},
		{0.5, 2, Rate{0.5, 1}},
		{0.1, 1, Rate{0.1, 1}},
		{2.5, 1, Rate{2.5, 3}},
		{0, 2, Rate{}},
		{-1, 2, Rate{}},
		{math.NaN(), 2, Rate{}},
		{1e300, 2, Rate{1e300, math.MaxInt32}},
	} {
		if got := Per(c.second, c.burstSeconds); got != c.want {
			t.Errorf("%v/s, %v s: got %+v, want %+v", c.second, c.burstSeconds, got, c.want)
		}
	}
}

func TestTake(t *testing.T) {
	b := New[string]("client", 10)
	r := Rate{PerSecond: 2, Burst: 3}
	for i, step := range []struct {
		after     time.Duration // since the start
		ok        bool
		remaining int
		wait      time.Duration
	}{
		{0, true, 2, 0},
		{0, true, 1, 0},
		{0, true, 0, 500 * time.Millisecond},
		{0, false, 0, 500 * time.Millisecond},
		{200 * time.Millisecond, false, 0, 300 * time.Millisecond}, // what is refused costs nothing
		{500 * time.Millisecond, true, 0, 500 * time.Millisecond},
		{time.Hour, true, 2, 0}, // never more than the burst
	} {
		got := b.Take("a", r, start.Add(step.after))
		if got.OK != step.ok || got.Remaining != step.remaining || got.Wait.Round(time.Millisecond) != step.wait {
			t.Errorf("step %d: got %+v, want %+v", i, got, step)
		}
	}
	if got := b.Take("b", r, start.Add(time.Hour)); !got.OK || got.Remaining != 2 {
		t.Errorf("another caller: got %+v", got)
	}
	if got := b.Take("b", Rate{}, start.Add(time.Hour)); !got.OK || got.Policy() != "" {
		t.Errorf("without a limit: got %+v", got)
	}
}

func TestLook(t *testing.T) {
	b := New[int]("failures", 10)
	r := Rate{PerSecond: 1, Burst: 2}
	if got := b.Look(1, r, start); !got.OK || got.Remaining != 2 || b.Len() != 0 {
		t.Errorf("an unknown caller: got %+v, %d buckets", got, b.Len())
	}
	b.Take(1, r, start)
	for range 5 {
		if got := b.Look(1, r, start); !got.OK || got.Remaining != 1 {
			t.Errorf("got %+v", got)
		}
	}
	b.Take(1, r, start)
	if got := b.Look(1, r, start); got.OK || got.Wait != time.Second {
		t.Errorf("an empty bucket: got %+v", got)
	}
	if got := b.Look(1, r, start.Add(time.Second)); !got.OK {
		t.Errorf("a second later: got %+v", got)
	}
}

// TestANewRateHolds: a client's limit may be changed while it calls.
func TestANewRateHolds(t *testing.T) {
	b := New[string]("client", 10)
	for range 4 {
		b.Take("a", Rate{PerSecond: 1, Burst: 4}, start)
	}
	if got := b.Take("a", Rate{PerSecond: 100, Burst: 200}, start); got.OK {
		t.Errorf("a higher rate gave back what was used up: %+v", got)
	}
	if got := b.Take("a", Rate{PerSecond: 100, Burst: 200}, start.Add(time.Second)); got.Remaining != 99 {
		t.Errorf("got %+v, want 99 left of the 100 of a second", got)
	}
	if got := b.Take("a", Rate{PerSecond: 1, Burst: 4}, start.Add(time.Second)); got.Remaining != 3 {
		t.Errorf("got %+v, want 3 left of a burst of 4", got)
	}
}

func TestHeaders(t *testing.T) {
	b := New[string]("session", 1)
	r := Rate{PerSecond: 10, Burst: 40}
	state := b.Take("a", r, start)
	if got, want := state.Policy(), `"session";q=40;w=4`; got != want {
		t.Errorf("policy: got %s, want %s", got, want)
	}
	if got, want := b.Field(state), `"session";r=39;t=1`; got != want {
		t.Errorf("field: got %s, want %s", got, want)
	}
	for range 60 {
		state = b.Take("a", r, start)
	}
	if got, want := b.Field(state), `"session";r=0;t=4`; got != want {
		t.Errorf("field: got %s, want %s", got, want)
	}
}

// TestMemoryIsBounded: callers without number leave no more than the room there is, and the busiest stays known.
func TestMemoryIsBounded(t *testing.T) {
	const capacity = 1000
	b := New[netip.Prefix]("address", capacity)
	r := Rate{PerSecond: 1, Burst: 3}
	busy := netip.MustParsePrefix("192.0.2.1/32")
	refused := 0
	for i := range 100_000 {
		raw := netip.MustParseAddr("2001:db8::").As16()
		raw[4], raw[5], raw[6], raw[7] = byte(i>>24), byte(i>>16), byte(i>>8), byte(i)
		b.Take(Network(netip.AddrFrom16(raw)), r, start)
		if i%500 == 0 && !b.Take(busy, r, start).OK {
			refused++
		}
	}
	if b.Len() != capacity {
		t.Errorf("%d buckets, want %d", b.Len(), capacity)
	}
	if want := 200 - r.Burst; refused != want {
		t.Errorf("the busy caller was refused %d times, want %d: it was forgotten in between", refused, want)
	}
}

func TestNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1/32",
		"::ffff:192.0.2.1":     "192.0.2.1/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::":  "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
	} {
		if got := Network(netip.MustParseAddr(text)).String(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if got := Network(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("no address: got %v", got)
	}
}

// TestManyAtOnce: of requests at the same moment exactly the burst gets through.
func TestManyAtOnce(t *testing.T) {
	b := New[string]("client", 100)
	r := Rate{PerSecond: 1, Burst: 50}
	var through atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 1000 {
				if b.Take("a", r, start).OK {
					through.Add(1)
				}
				b.Take(strconv.Itoa(j%10), Rate{PerSecond: 1 + float64(i), Burst: 5}, start) // callers come, and rates change
			}
		})
	}
	wg.Wait()
	if through.Load() != 50 {
		t.Errorf("%d got through, want 50", through.Load())
	}
}

func BenchmarkTake(b *testing.B) {
	buckets := New[string]("client", 1000)
	r := Rate{PerSecond: 1e9, Burst: 1 << 30}
	b.ReportAllocs()
	for b.Loop() {
		buckets.Take("018f4c1e-0000-7000-8000-000000000001", r, start)
	}
}
