package webhook

import (
	"math/rand/v2"
	"time"
)

// MaxAttempts is how often an event is sent before its delivery counts as failed, 75 h 35 min 5 s and jitter after
// the first attempt.
const MaxAttempts = 10

const (
	// maxWait bounds what an endpoint can ask for by Retry-After.
	maxWait = 24 * time.Hour
	// throttleWait is the least wait after an endpoint said that it is overloaded.
	throttleWait = time.Minute
)

// delays are the waits before each attempt, from Standard Webhooks 1.0.0, "Deliverability and reliability".
func delays() [MaxAttempts]time.Duration {
	return [...]time.Duration{
		0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
		5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// Next gives how long to wait for the next attempt after the given number of attempts (0 before the first one), and
// false when there is none. Up to a tenth is added at random, so that the events of an outage do not come back
// all at once.
func Next(attempts int, rng *rand.Rand) (time.Duration, bool) {
	if attempts < 0 || attempts >= MaxAttempts {
		return 0, false
	}
	delay := delays()[attempts]
	return delay + time.Duration(rng.Float64()*float64(delay)/10), true
}

// NextAfter is Next after an attempt that ended in result, the attempts-th one. It is false when the event was
// delivered, when the endpoint is gone, and after the last attempt. An endpoint may ask by Retry-After for a longer
// wait than the schedule's, up to a day, and for no shorter one; one that is overloaded gets a minute at least.
func NextAfter(result Result, attempts int, rng *rand.Rand) (time.Duration, bool) {
	if result.Outcome == Delivered || result.Outcome == Gone {
		return 0, false
	}
	delay, more := Next(attempts, rng)
	if !more {
		return 0, false
	}
	if result.Outcome == Throttled {
		delay = max(delay, throttleWait)
	}
	return max(delay, min(result.RetryAfter, maxWait)), true
}
