package main

import (
	"context"
	"os"
	"testing"

	"kycd/kyc/specimen"
	"kycd/vision"
	"kycd/vision/printed"
)

func TestZZ(t *testing.T) {
	s, _ := newStudio(t.TempDir(), os.Stderr)
	e := &evaluation{studio: s, full: sidecar{program: "/tmp/evalbin/kycd-vision", models: "/tmp/d1/models", progress: os.Stderr}, out: os.Stderr}
	err := e.shootAndRead(context.Background(), grid(12, true, specimen.PassportCard)[12:], "mrz", func(s sheet, a vision.Analysis) {
		if a.MRZ != nil && a.MRZ.Valid && a.MRZ.Lines[0]+a.MRZ.Lines[1]+a.MRZ.Lines[2] != s.truth.MRZ[0]+s.truth.MRZ[1]+s.truth.MRZ[2] {
			t.Log("\n", a.MRZ.Lines, "\n", s.truth.MRZ)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	err = e.shootAndRead(context.Background(), append(grid(6, false, specimen.Types()...)), "text", func(s sheet, a vision.Analysis) {
		if s.scene == "poor" {
			return
		}
		f := printed.Fields(a.Words, a.Width, a.Height)
		for _, w := range keyFields(s.truth) {
			if f[w.name].Value != w.value {
				t.Logf("%s %s %s: got %q want %q", s.kind, s.scene, w.name, f[w.name].Value, w.value)
			}
		}
	})
	t.Log(err)
}
