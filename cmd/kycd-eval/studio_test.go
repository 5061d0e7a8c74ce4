package main

import (
	"image"
	"testing"
)

// TestPortraits gives a document the same portrait in every photograph, and its own where one was asked for.
func TestPortraits(t *testing.T) {
	one, other, own := image.NewRGBA(image.Rect(0, 0, 1, 1)), image.NewRGBA(image.Rect(0, 0, 2, 2)), image.NewRGBA(image.Rect(0, 0, 3, 3))
	s := &studio{portraits: []image.Image{one, other}}
	for seed, want := range map[uint64]image.Image{4: one, 5: other} {
		if got := s.portraitOf(order{seed: seed}); got != want {
			t.Errorf("seed %d: a portrait of %v", seed, got.Bounds())
		}
	}
	if got := s.portraitOf(order{seed: 4, portrait: own}); got != own {
		t.Errorf("its own: a portrait of %v", got.Bounds())
	}
	if got := (&studio{}).portraitOf(order{seed: 4}); got.Bounds().Dx() < 100 {
		t.Errorf("without photographs: a portrait of %v", got.Bounds())
	}
}
