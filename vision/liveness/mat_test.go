//go:build matprofile

package liveness

import (
	"testing"

	"gocv.io/x/gocv"

	"kycd/models"
	"kycd/vision"
)

// Run with -tags matprofile: every OpenCV matrix that a score makes is closed again, also where there is nothing to score.
func TestNoMatrixIsLeft(t *testing.T) {
	before := gocv.MatProfile.Count()
	files := append([]string{ModelFile}, models.NetMiniFASNetV2.Files()...)
	scorer, err := NewScorer(only(t, append(files, models.NetMiniFASNetV1SE.Files()...)...))
	if err != nil {
		t.Fatal(err)
	}
	defer scorer.Close()
	pic := drawn(300, 200, func(x, y int) [3]byte { return grey(byte(x ^ y)) })
	for _, box := range []vision.Box{{X: 100, Y: 40, Width: 80, Height: 100}, {X: -20, Y: -20, Width: 400, Height: 400}, {Width: 4, Height: 4}} {
		_, _ = scorer.Score(pic, box)
	}
	if after := gocv.MatProfile.Count(); after != before {
		t.Errorf("%d matrices before, %d left", before, after)
	}
}
