package webhook

import (
	"math/rand/v2"
	"testing"
	"time"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }

// TestSchedule lets a virtual clock run through a delivery that fails every time.
func TestSchedule(t *testing.T) {
	// The times of the ten attempts without jitter.
	plan := []string{"0s", "5s", "5m5s", "35m5s", "2h35m5s", "7h35m5s", "17h35m5s", "31h35m5s", "51h35m5s", "75h35m5s"}
	for seed := range uint64(200) {
		rng, clock, attempts := seeded(seed), time.Duration(0), 0
		for {
			wait, more := Next(attempts, rng)
			if !more {
				break
			}
			clock += wait
			earliest, err := time.ParseDuration(plan[attempts])
			if err != nil {
				t.Fatal(err)
			}
			if latest := earliest + earliest/10; clock < earliest || clock > latest {
				t.Fatalf("seed %d: attempt %d at %v, not between %v and %v", seed, attempts+1, clock, earliest, latest)
			}
			attempts++
		}
		if attempts != len(plan) {
			t.Fatalf("seed %d: %d attempts, want %d", seed, attempts, len(plan))
		}
	}
	if _, more := Next(-1, seeded(1)); more {
		t.Error("an attempt before the first")
	}
	one, _ := Next(5, seeded(1))
	two, _ := Next(5, seeded(2))
	same, _ := Next(5, seeded(1))
	if one == two || one != same {
		t.Errorf("waits %v, %v, %v: no jitter, or not by the given source", one, two, same)
	}
}

func TestNextAfter(t *testing.T) {
	tests := []struct {
		name        string
		result      Result
		attempts    int
		least, most time.Duration
		more        bool
	}{
		{"delivered", Result{Outcome: Delivered}, 1, 0, 0, false},
		{"gone", Result{Outcome: Gone, RetryAfter: time.Minute}, 1, 0, 0, false},
		{"first failure", Result{Outcome: Retry}, 1, 5 * time.Second, 5500 * time.Millisecond, true},
		{"longer wait asked", Result{Outcome: Retry, RetryAfter: time.Hour}, 1, time.Hour, time.Hour, true},
		{"shorter wait asked", Result{Outcome: Retry, RetryAfter: time.Second}, 2, 5 * time.Minute, 330 * time.Second, true},
		{"absurd wait asked", Result{Outcome: Retry, RetryAfter: 1000 * time.Hour}, 1, maxWait, maxWait, true},
		{"overloaded", Result{Outcome: Throttled}, 1, time.Minute, time.Minute, true},
		{"overloaded later", Result{Outcome: Throttled}, 3, 30 * time.Minute, 33 * time.Minute, true},
		{"last but one", Result{Outcome: Retry}, 9, 24 * time.Hour, 26*time.Hour + 24*time.Minute, true},
		{"last", Result{Outcome: Retry, RetryAfter: time.Hour}, 10, 0, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wait, more := NextAfter(test.result, test.attempts, seeded(1))
			if more != test.more || wait < test.least || wait > test.most {
				t.Errorf("%v, %v; want %v to %v, %v", wait, more, test.least, test.most, test.more)
			}
		})
	}
}
