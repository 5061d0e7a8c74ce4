package dlib

// #include <stdlib.h>
// #include "cnn.h"
import "C"

import (
	"errors"
	"fmt"
	"image"
	"unsafe"

	"kycd/vision/imaging"
)

// CNN is dlib's CNN face detector: slow, but it sees turned faces. One CNN serves one goroutine at a time.
type CNN struct{ ptr unsafe.Pointer }

// OpenCNN loads the weights. To search with an empty network would end the process.
func OpenCNN(path string) (*CNN, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var why *C.char
	ptr := C.kycd_cnn_new(name, &why)
	if ptr == nil {
		defer C.free(unsafe.Pointer(why))
		return nil, fmt.Errorf("load dlib's CNN face detector: %s", C.GoString(why))
	}
	return &CNN{ptr: ptr}, nil
}

// Close frees the detector.
func (d *CNN) Close() {
	C.kycd_cnn_free(d.ptr)
	d.ptr = nil
}

// Search finds the faces in a picture as it is. Right and bottom are inclusive, as dlib counts.
func (d *CNN) Search(pic *imaging.Picture) ([]image.Rectangle, error) {
	faces := make([][4]C.long, maxFaces)
	n := int(C.kycd_cnn_detect(d.ptr, (*C.uchar)(&pic.Pix[0]), C.int(pic.Width), C.int(pic.Height), &faces[0], maxFaces))
	if n < 0 {
		return nil, errors.New("dlib's CNN face detector failed")
	}
	found := make([]image.Rectangle, 0, n)
	for _, f := range faces[:n] {
		found = append(found, image.Rect(int(f[0]), int(f[1]), int(f[2]), int(f[3])))
	}
	return found, nil
}
