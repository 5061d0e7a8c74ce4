package dlib

// #include <stdlib.h>
// #include "resnet.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// FaceSide is the side of an aligned face as ResNet takes it, px.
const FaceSide = 150

// encodingSize is how many values ResNet gives.
const encodingSize = 128

// ResNet is dlib's face encoder, computed by this package: it gives dlib's values, but for rounding, in less than half of the
// time. One ResNet serves one goroutine at a time.
type ResNet struct{ ptr unsafe.Pointer }

// OpenResNet loads the weights.
func OpenResNet(path string) (*ResNet, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var why *C.char
	ptr := C.kycd_resnet_new(name, &why)
	if ptr == nil {
		defer C.free(unsafe.Pointer(why))
		return nil, fmt.Errorf("load dlib's face encoder: %s", C.GoString(why))
	}
	return &ResNet{ptr: ptr}, nil
}

// Close frees the weights.
func (n *ResNet) Close() {
	C.kycd_resnet_free(n.ptr)
	n.ptr = nil
}

// Encode encodes an aligned face, FaceSide squared pixels in the order R, G, B.
func (n *ResNet) Encode(rgb []byte) ([]float32, error) {
	if len(rgb) != 3*FaceSide*FaceSide {
		return nil, fmt.Errorf("an aligned face has %d bytes, not %d", 3*FaceSide*FaceSide, len(rgb))
	}
	values := make([]float32, encodingSize)
	if C.kycd_resnet_run(n.ptr, (*C.uchar)(&rgb[0]), (*C.float)(&values[0])) != 0 {
		return nil, errors.New("face encoder failed")
	}
	return values, nil
}
