package imaging

/*
#cgo pkg-config: libjpeg
#cgo CFLAGS: -O2
#include "jpeg.h"
*/
import "C"

import (
	"errors"
	"runtime"
	"unsafe"

	"kycd/vision"
)

// errUnsuitable tells that the picture is a JPEG that decodeJPEG does not know: four components, as printers use.
var errUnsuitable = errors.New("jpeg_unsuitable")

// decodeJPEG decodes at a scale of eighths, 1..8. The picture lies as it was stored. C writes into Go's memory and keeps none of it.
func decodeJPEG(b []byte, c vision.Container, eighths int) (*Picture, error) {
	width, height := (c.Width*eighths+7)/8, (c.Height*eighths+7)/8
	pix := make([]byte, 3*width*height)
	rc := C.kycd_jpeg_decode((*C.uint8_t)(unsafe.Pointer(&b[0])), C.size_t(len(b)), C.int(eighths),
		(*C.uint8_t)(unsafe.Pointer(&pix[0])), C.int(width), C.int(height))
	runtime.KeepAlive(b)
	switch rc {
	case C.KYCD_JPEG_OK:
		return New(pix, width, height), nil
	case C.KYCD_JPEG_UNSUITABLE:
		return nil, errUnsuitable
	}
	return nil, unreadable()
}
