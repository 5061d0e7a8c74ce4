package dlib

// #include <stdlib.h>
// #include "landmarks.h"
import "C"

import (
	"errors"
	"fmt"
	"image"
	"unsafe"

	"kycd/vision/imaging"
)

// Landmarks is dlib's shape predictor. One serves one goroutine at a time.
type Landmarks struct {
	ptr   unsafe.Pointer
	count int // points that it places
}

// OpenLandmarks loads the weights.
func OpenLandmarks(path string) (*Landmarks, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var why *C.char
	ptr := C.kycd_landmarks_new(name, &why)
	if ptr == nil {
		defer C.free(unsafe.Pointer(why))
		return nil, fmt.Errorf("load dlib's shape predictor: %s", C.GoString(why))
	}
	return &Landmarks{ptr: ptr, count: int(C.kycd_landmarks_count(ptr))}, nil
}

// Close frees the predictor.
func (l *Landmarks) Close() {
	C.kycd_landmarks_free(l.ptr)
	l.ptr = nil
}

// Place places the points of a face that a detector of dlib's found, in pixels of pic, and gives the face upright as ResNet
// takes it.
func (l *Landmarks) Place(pic *imaging.Picture, face image.Rectangle) ([]image.Point, []byte, error) {
	box := [4]C.long{C.long(face.Min.X), C.long(face.Min.Y), C.long(face.Max.X), C.long(face.Max.Y)}
	// One more, so that there is a first one also of none.
	at := make([][2]C.long, l.count+1)
	upright := make([]byte, 3*FaceSide*FaceSide)
	if C.kycd_landmarks_place(l.ptr, (*C.uchar)(&pic.Pix[0]), C.int(pic.Width), C.int(pic.Height), &box[0],
		&at[0], FaceSide, (*C.uchar)(&upright[0])) != 0 {
		return nil, nil, errors.New("dlib's shape predictor failed")
	}
	points := make([]image.Point, l.count)
	for i := range points {
		points[i] = image.Pt(int(at[i][0]), int(at[i][1]))
	}
	return points, upright, nil
}
