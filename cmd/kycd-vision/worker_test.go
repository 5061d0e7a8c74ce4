package main

import (
	"context"
	"maps"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kycd/vision"
)

func TestWorkSettings(t *testing.T) {
	whole := map[string]string{
		"KYCD_REDIS": "redis://:SECRET@127.0.0.1:6379/2", "KYCD_DESK_URL": "http://127.0.0.1:9", "KYCD_DESK_TOKEN": "a-token-of-the-tests",
		"KYCD_MODELS": "models", "KYCD_SLOTS": "3", "KYCD_WORKER": "w", "KYCD_PARENT": "12",
	}
	read := func(env map[string]string) (workSettings, error) {
		return readWorkSettings(func(name string) string { return env[name] })
	}
	s, err := read(whole)
	if err != nil || s.slots != 3 || s.parent != 12 || s.worker != "w" || s.redis.DB != 2 || s.models != "models" {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, name := range []string{"KYCD_REDIS", "KYCD_DESK_URL", "KYCD_DESK_TOKEN", "KYCD_MODELS"} {
		env := maps.Clone(whole)
		delete(env, name)
		if _, err := read(env); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	for name, bad := range map[string]string{"KYCD_SLOTS": "0", "KYCD_PARENT": "x", "KYCD_REDIS": "redis://:SECRET@h:x:y"} {
		env := maps.Clone(whole)
		env[name] = bad
		if _, err := read(env); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s=%s: %v", name, bad, err)
		}
	}
	delete(whole, "KYCD_WORKER")
	first, _ := read(whole)
	second, _ := read(whole)
	if first.worker == "" || first.worker == second.worker {
		t.Errorf("two workers are called %q and %q", first.worker, second.worker)
	}
}

type analyzerFunc func(image []byte) vision.Analysis

func (f analyzerFunc) Analyze(_ context.Context, image []byte, _ vision.Ask) vision.Analysis {
	return f(image)
}

func TestWarmUpReachesEverySlotAndFailsClosed(t *testing.T) {
	var images atomic.Int64
	err := warmUp(context.Background(), analyzerFunc(func(image []byte) vision.Analysis {
		if _, err := vision.Inspect(image); err != nil {
			t.Errorf("the picture is refused: %v", err)
		}
		images.Add(1)
		return vision.Analysis{}
	}), 3)
	if err != nil || images.Load() != 3 {
		t.Errorf("%d images, %v", images.Load(), err)
	}
	err = warmUp(context.Background(), analyzerFunc(func([]byte) vision.Analysis {
		return vision.Analysis{Error: string(vision.CodeFailed)}
	}), 1)
	if err == nil || !strings.Contains(err.Error(), string(vision.CodeFailed)) {
		t.Errorf("%v", err)
	}
}

func TestWatchParent(t *testing.T) {
	gone := make(chan struct{}, 1)
	watch := func(parent int) bool {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		watchParent(ctx, parent, func() { gone <- struct{}{} })
		select {
		case <-gone:
			return true
		default:
			return false
		}
	}
	if watch(0) || watch(os.Getppid()) {
		t.Error("a parent that lives is gone")
	}
	if !watch(os.Getpid()) {
		t.Error("a parent that is gone was not missed")
	}
}
