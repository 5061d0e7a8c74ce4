package dlib

// #include <stdlib.h>
// #include "landmarks.h"
import "C"

import (
	"errors"
	"fmt"
	"image"
	"sync/atomic"
	"unsafe"

	"kycd/vision/imaging"
)

// Landmarks is dlib's shape predictor. It is only read, and may be used from several goroutines.
type Landmarks struct {
	ptr    unsafe.Pointer
	count  int // points that it places
	owners atomic.Int32
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
	l := &Landmarks{ptr: ptr, count: int(C.kycd_landmarks_count(ptr))}
	l.owners.Store(1)
	return l, nil
}

// Shared is the predictor for one more owner, who closes it too: its weights are a hundred megabytes.
func (l *Landmarks) Shared() *Landmarks {
	l.owners.Add(1)
	return l
}

// Close frees the predictor when its last owner has closed it.
func (l *Landmarks) Close() {
	if l.owners.Add(-1) == 0 {
		C.kycd_landmarks_free(l.ptr)
		l.ptr = nil
	}
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
