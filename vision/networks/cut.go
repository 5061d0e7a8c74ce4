package networks

// The machine's own instructions are not asked for: a product that is not rounded before it is added would give other bytes.

// #cgo CXXFLAGS: -std=c++17 -O3
// #include "cut.h"
import "C"

import (
	"errors"

	"kycd/vision"
	"kycd/vision/imaging"
)

// Cut cuts a box out of a picture and scales it: what Crop and Resize give, to the byte, in a fraction of the time where a large
// box is scaled down, for nothing is copied. The box is clipped to the picture; ok is false if nothing is left. Sizes below 1 are
// taken as 1.
func Cut(pic *imaging.Picture, box vision.Box, width, height int) (cut *imaging.Picture, ok bool, err error) {
	width, height = max(width, 1), max(height, 1)
	x0, y0 := max(box.X, 0), max(box.Y, 0)
	x1, y1 := min(box.X+box.Width, pic.Width), min(box.Y+box.Height, pic.Height)
	if x1 <= x0 || y1 <= y0 {
		return nil, false, nil
	}
	w, h := x1-x0, y1-y0
	grows, whole := width > w || height > h, w%width == 0 && h%height == 0
	if grows || whole { // which OpenCV does another way
		crop, _ := pic.Crop(box)
		cut, err = crop.Resize(width, height)
		return cut, err == nil, err
	}
	part, pix := pic.Pix[3*(y0*pic.Width+x0):], make([]byte, 3*width*height)
	if C.kycd_shrink((*C.uchar)(&part[0]), C.int(w), C.int(h), C.long(3*pic.Width), C.long(len(part)),
		(*C.uchar)(&pix[0]), C.int(width), C.int(height)) != 0 {
		return nil, false, errors.New("no memory to scale a picture")
	}
	return imaging.New(pix, width, height), true, nil
}
