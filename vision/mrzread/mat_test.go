//go:build matprofile

package mrzread

import (
	"context"
	"testing"

	"gocv.io/x/gocv"

	"kycd/kyc/specimen"
)

// Every Mat is closed by the function that made it. Run with -tags matprofile.
func TestNoMatIsLeft(t *testing.T) {
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	gray, w, h, _ := flatPicture(t, specimen.Passport, 1)
	before := gocv.MatProfile.Count()
	for _, at := range []Place{{}, {Page: true}} {
		for _, pix := range [][]byte{gray, make([]byte, w*h)} {
			if _, err := reader.ReadPlaced(context.Background(), pix, w, h, today(), at); err != nil {
				t.Fatal(err)
			}
		}
	}
	if after := gocv.MatProfile.Count(); after != before {
		t.Errorf("%d Mats before, %d after", before, after)
	}
}
