package worker

import (
	"testing"
	"time"
)

func TestBell(t *testing.T) {
	t.Run("a ring before the wait is not missed", func(t *testing.T) {
		b := newBell()
		heard := b.heard()
		b.ring()
		if took := timed(func() { b.wait(heard, time.Minute) }); took > time.Second {
			t.Errorf("waited %v", took)
		}
	})
	t.Run("a ring ends every wait", func(t *testing.T) {
		b := newBell()
		done := make(chan struct{}, 3)
		for range 3 {
			heard := b.heard()
			go func() { b.wait(heard, time.Minute); done <- struct{}{} }()
		}
		time.Sleep(20 * time.Millisecond)
		b.ring()
		for range 3 {
			select {
			case <-done:
			case <-time.After(2 * time.Second):
				t.Fatal("one slept on")
			}
		}
	})
	t.Run("silence ends too", func(t *testing.T) {
		b := newBell()
		took := timed(func() { b.wait(b.heard(), 30*time.Millisecond) })
		if took < 30*time.Millisecond || took > 2*time.Second {
			t.Errorf("waited %v", took)
		}
	})
	t.Run("a closed bell never waits", func(t *testing.T) {
		b := newBell()
		b.close()
		b.close()
		b.ring()
		if took := timed(func() { b.wait(b.heard(), time.Minute) }); took > time.Second || !b.isClosed() {
			t.Errorf("waited %v", took)
		}
	})
}

func timed(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}
