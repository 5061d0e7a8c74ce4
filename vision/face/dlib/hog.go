// Package dlib calls dlib: its face detector, its shape predictor, and its face encoder. It stands apart because its C++ takes
// a minute to compile, which a change of package face should not cost.
package dlib

// dlib takes its gradients, and the encoder its products, with the vector instructions of the machine that builds.

// #cgo CXXFLAGS: -std=c++17 -O3 -DNDEBUG -march=native
// #cgo LDFLAGS: -ldlib -lblas -llapack
// #include "hog.h"
import "C"

import (
	"errors"
	"image"
	"unsafe"

	"kycd/vision/imaging"
)

// maxFaces bounds what one call gives back.
const maxFaces = 64

// HOG is dlib's frontal face detector: histograms of oriented gradients under a linear filter. Its filters are compiled into dlib.
// One HOG serves one goroutine at a time.
type HOG struct{ ptr unsafe.Pointer }

// NewHOG makes a detector.
func NewHOG() (*HOG, error) {
	ptr := C.kycd_hog_new()
	if ptr == nil {
		return nil, errors.New("dlib's face detector could not be made")
	}
	return &HOG{ptr: ptr}, nil
}

// Close frees the detector.
func (h *HOG) Close() {
	C.kycd_hog_free(h.ptr)
	h.ptr = nil
}

// Found is a face. Right and bottom of its box are inclusive, as dlib counts.
type Found struct {
	Box        image.Rectangle
	Confidence float64 // distance from the decision surface, > 0
}

// Detect finds the faces in the luma of a picture as it is, best first.
func (h *HOG) Detect(pic *imaging.Picture) ([]Found, error) {
	gray, faces := pic.Gray(), make([]C.kycd_hog_face, maxFaces)
	return foundAmong(faces, C.kycd_hog_detect(h.ptr, (*C.uchar)(&gray[0]), C.int(pic.Width), C.int(pic.Height), &faces[0], maxFaces))
}

// Search finds the faces in the colours of a picture as it is, of each pixel the strongest; best first. Right and bottom are
// inclusive, as dlib counts.
func (h *HOG) Search(pic *imaging.Picture) ([]image.Rectangle, error) {
	faces := make([]C.kycd_hog_face, maxFaces)
	found, err := foundAmong(faces, C.kycd_hog_detect_colour(h.ptr, (*C.uchar)(&pic.Pix[0]), C.int(pic.Width), C.int(pic.Height), &faces[0], maxFaces))
	boxes := make([]image.Rectangle, 0, len(found))
	for _, f := range found {
		boxes = append(boxes, f.Box)
	}
	return boxes, err
}

func foundAmong(faces []C.kycd_hog_face, n C.int) ([]Found, error) {
	if n < 0 {
		return nil, errors.New("dlib's face detector failed")
	}
	found := make([]Found, 0, n)
	for _, f := range faces[:n] {
		found = append(found, Found{image.Rect(int(f.left), int(f.top), int(f.right), int(f.bottom)), float64(f.confidence)})
	}
	return found, nil
}
