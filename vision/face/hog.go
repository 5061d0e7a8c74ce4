package face

// #cgo CXXFLAGS: -std=c++17 -O3 -DNDEBUG
// #cgo LDFLAGS: -ldlib -lblas -llapack
// #include "hog.h"
import "C"

import (
	"errors"
	"math"
	"unsafe"

	"kycd/vision"
	"kycd/vision/imaging"
)

// hogModel names the detector in Analysis.Models. Its filters are compiled into dlib.
const hogModel = "dlib-frontal-hog"

// maxHOGFaces bounds what one call gives back.
const maxHOGFaces = 64

// hog is dlib's frontal face detector: histograms of oriented gradients under a linear filter. It needs no
// weights file and finds upright frontal faces of 80 px and more, in time linear in the pixels. One hog
// serves one goroutine at a time.
type hog struct{ ptr unsafe.Pointer }

func newHOG() (*hog, error) {
	ptr := C.kycd_hog_new()
	if ptr == nil {
		return nil, errors.New("dlib's face detector could not be made")
	}
	return &hog{ptr: ptr}, nil
}

func (h *hog) close() {
	C.kycd_hog_free(h.ptr)
	h.ptr = nil
}

// detect finds the faces in a picture scaled so that its longer side is side px; 0 leaves it as it is.
// Detections are in pixels of pic, best first.
func (h *hog) detect(pic *imaging.Picture, side int) ([]Detection, error) {
	scale := 1.0
	scaled := pic
	if side > 0 {
		scale = float64(side) / float64(max(pic.Width, pic.Height))
		var err error
		if scaled, err = pic.Resize(int(float64(pic.Width)*scale+0.5), int(float64(pic.Height)*scale+0.5)); err != nil {
			return nil, err
		}
	}
	gray := scaled.Gray()
	faces := make([]C.kycd_hog_face, maxHOGFaces)
	n := int(C.kycd_hog_detect(h.ptr, (*C.uchar)(&gray[0]), C.int(scaled.Width), C.int(scaled.Height), &faces[0], maxHOGFaces))
	if n < 0 {
		return nil, errors.New("dlib's face detector failed")
	}
	found := make([]Detection, 0, n)
	for _, f := range faces[:n] {
		d := Detection{
			X:        float64(f.left),
			Y:        float64(f.top),
			Width:    float64(f.right - f.left + 1),
			Height:   float64(f.bottom - f.top + 1),
			Score:    1 - math.Exp(-2*float64(f.confidence)),
			Detector: DetectorHOG,
		}
		found = append(found, d.scaled(1/scale, 0, 0))
	}
	return found, nil
}

// How a face is shown to HOG to be confirmed: as large as it likes them, with some surroundings.
const (
	confirmFace   = 120 // px of the longer side
	confirmMargin = 2.2 // side of the crop, in longer sides of the face
	confirmShared = 0.2 // intersection over union: the detectors draw their boxes differently
)

// confirms tells whether HOG sees the face too, when the picture is turned clockwise by a multiple of 90 degrees.
func (h *hog) confirms(pic *imaging.Picture, face Detection, degrees int) (bool, error) {
	longer := face.longer()
	if !(longer >= 1) || face.X > float64(pic.Width) || face.Y > float64(pic.Height) || face.X+face.Width < 0 || face.Y+face.Height < 0 {
		return false, nil
	}
	scale := confirmFace / longer
	source := pic
	if scale < 1 { // shrinking first bounds the crop by the size of the picture
		var err error
		if source, err = pic.Resize(int(float64(pic.Width)*scale+0.5), int(float64(pic.Height)*scale+0.5)); err != nil {
			return false, err
		}
		face, scale = face.scaled(scale, 0, 0), 1
	}
	const side = confirmFace * confirmMargin
	crop := source.CropReflected(vision.Box{
		X:     int(math.Round(face.X + face.Width/2 - side/scale/2)),
		Y:     int(math.Round(face.Y + face.Height/2 - side/scale/2)),
		Width: int(math.Round(side / scale)), Height: int(math.Round(side / scale)),
	})
	view, err := crop.Resize(side, side)
	if err != nil {
		return false, err
	}
	found, err := h.detect(view.Turned(degrees), 0)
	if err != nil {
		return false, err
	}
	want := Detection{X: (side - confirmFace) / 2, Y: (side - confirmFace) / 2, Width: confirmFace, Height: confirmFace}
	for _, d := range found {
		if overlap(d, want) > confirmShared {
			return true, nil
		}
	}
	return false, nil
}
