package ocr

/*
#cgo pkg-config: tesseract lept
#cgo CXXFLAGS: -std=c++17 -O2 -fopenmp
#cgo LDFLAGS: -fopenmp
#include <stdlib.h>
#include "tesseract.h"
*/
import "C"

import (
	"runtime"
	"strings"
	"unsafe"

	"kycd/vision"
)

// engine is one Tesseract: a single reader at a time.
type engine struct{ api *C.kycd_engine }

func openEngine(dataDir, language string) (engine, error) {
	var dir *C.char
	if dataDir != "" {
		dir = C.CString(dataDir)
		defer C.free(unsafe.Pointer(dir))
	}
	lang := C.CString(language)
	defer C.free(unsafe.Pointer(lang))
	api := C.kycd_engine_open(dir, lang)
	if api == nil {
		return engine{}, ErrLanguage
	}
	return engine{api: api}, nil
}

func (e engine) close() { C.kycd_engine_close(e.api) }

func (e engine) read(gray []byte, w, h int, m Mode) ([]vision.Word, error) {
	whitelist := C.CString(m.Whitelist)
	defer C.free(unsafe.Pointer(whitelist))
	var found C.kycd_words
	rc := C.kycd_engine_read(e.api, (*C.uint8_t)(unsafe.Pointer(&gray[0])), C.int(w), C.int(h), C.int(m.DPI),
		C.int(m.Segmentation), whitelist, &found)
	runtime.KeepAlive(gray)
	if rc != 0 {
		return nil, ErrLibrary
	}
	defer C.kycd_words_free(&found)
	out := make([]vision.Word, 0, int(found.count))
	for _, word := range unsafe.Slice(found.words, int(found.count)) {
		text := strings.TrimSpace(strings.ToValidUTF8(C.GoString(word.text), ""))
		if text == "" {
			continue
		}
		out = append(out, vision.Word{
			Text: text,
			Box: vision.Box{
				X: int(word.left), Y: int(word.top),
				Width: int(word.right - word.left), Height: int(word.bottom - word.top),
			},
			Confidence: min(max(float64(word.confidence)/100, 0), 1),
			Line:       int(word.line),
		})
	}
	return out, nil
}
