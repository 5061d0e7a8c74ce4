//go:build matprofile

package engine

import (
	"context"
	"testing"

	"gocv.io/x/gocv"

	"kycd/vision"
	"kycd/vision/visiontest"
)

// Run with -tags matprofile: every OpenCV matrix that an analysis makes is closed again, also when it is refused.
func TestNoMatrixIsLeft(t *testing.T) {
	e := open(t, 1)
	before := gocv.MatProfile.Count()
	for _, name := range []string{
		"mrz/dev/images/fast_td3.jpg",
		"faces/dev/identities/idols/jimin/jimin5.jpg",
		"faces/dev/counts/photoprism_7.jpg",
		"spoof/dev/images/lbp-03_paper.jpg",
		"faces/dev/counts.csv", // no image
	} {
		e.Analyze(context.Background(), visiontest.Read(t, name), vision.AskAll())
	}
	if after := gocv.MatProfile.Count(); before != 0 || after != 0 {
		t.Errorf("%d matrices before, %d left", before, after)
	}
}
