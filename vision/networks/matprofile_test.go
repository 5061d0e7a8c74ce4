//go:build matprofile

package networks

import (
	"testing"

	"gocv.io/x/gocv"

	"kycd/models"
	"kycd/vision/visiontest"
)

// Run with -tags matprofile: every OpenCV matrix that a network makes is closed again, also when its input is refused.
func TestNoMatrixIsLeft(t *testing.T) {
	before := gocv.MatProfile.Count()
	for _, name := range models.Nets() {
		n, err := Open(visiontest.Models(t, name.Files()...), name)
		if err != nil {
			t.Fatal(err)
		}
		l := n.Layout()
		for range 3 {
			if _, err := n.Run(pixels(1, l.Width, l.Channels)); err != nil {
				t.Error(err)
			}
		}
		if _, err := n.Run(nil); err == nil {
			t.Errorf("%s runs on nothing", name)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
	if after := gocv.MatProfile.Count(); before != 0 || after != 0 {
		t.Errorf("%d matrices before, %d left", before, after)
	}
}
