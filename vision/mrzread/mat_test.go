//go:build matprofile

package mrzread

import (
	"testing"

	"gocv.io/x/gocv"
)

// Every Mat is closed by the function that made it. Run with -tags matprofile.
func TestNoMatIsLeft(t *testing.T) {
	before := gocv.MatProfile.Count()
	if _, err := findRows(make([]byte, 640*480), 640, 480); err != nil {
		t.Fatal(err)
	}
	if after := gocv.MatProfile.Count(); after != before {
		t.Errorf("%d Mats before, %d after", before, after)
	}
}
