package barcode

/*
#cgo pkg-config: zxing
#cgo CXXFLAGS: -std=c++17 -O2
#include "zxing.h"
*/
import "C"

import (
	"runtime"
	"unsafe"

	"kycd/vision"
)

// attempt is one call of the library.
type attempt struct {
	any       bool // every format instead of PDF417 alone
	downscale bool // the library tries smaller copies of its own making as well
}

// read is the whole use of zxing-cpp: one grey picture in, the valid symbols out, positions in pixels of p.
func (p plane) read(a attempt) ([]vision.Barcode, error) {
	var found C.kycd_symbols
	rc := C.kycd_symbols_read((*C.uint8_t)(unsafe.Pointer(&p.pix[0])), C.int(p.w), C.int(p.h),
		flag(a.any), flag(a.downscale), &found)
	runtime.KeepAlive(p.pix)
	if rc != 0 {
		return nil, ErrLibrary
	}
	defer C.kycd_symbols_free(&found)
	if found.count == 0 {
		return nil, nil
	}
	symbols := unsafe.Slice(found.symbols, int(found.count))
	out := make([]vision.Barcode, len(symbols))
	for i, s := range symbols {
		out[i].Format = C.GoString(&s.format[0])
		out[i].Text = C.GoStringN((*C.char)(unsafe.Pointer(s.bytes)), C.int(s.size))
		for k := range out[i].Corners {
			out[i].Corners[k] = vision.Point{X: float64(s.corners[2*k]), Y: float64(s.corners[2*k+1])}
		}
	}
	return out, nil
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
