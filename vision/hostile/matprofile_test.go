//go:build matprofile

package hostile

import (
	"testing"

	"gocv.io/x/gocv"
)

// checkMatrices wants every OpenCV matrix closed, those of the networks too.
func checkMatrices(t *testing.T) {
	t.Helper()
	if left := gocv.MatProfile.Count(); left != 0 {
		t.Errorf("%d matrices are left", left)
	}
}
