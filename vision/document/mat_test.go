//go:build matprofile

package document

import (
	"testing"

	"gocv.io/x/gocv"
)

// Every Mat is closed by the function that made it. Run with -tags matprofile.
func TestNoMatIsLeft(t *testing.T) {
	before := gocv.MatProfile.Count()
	bgr := make([]byte, 3*320*200)
	for i := range bgr {
		if x, y := i/3%320, i/960; x > 40 && x < 280 && y > 30 && y < 170 {
			bgr[i] = 200
		}
	}
	d, found, err := Find(bgr, 320, 200)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if _, _, _, err := Rectify(bgr, 320, 200, d, CardDPI); err != nil {
		t.Fatal(err)
	}
	if after := gocv.MatProfile.Count(); after != before {
		t.Errorf("%d Mats before, %d after", before, after)
	}
}
