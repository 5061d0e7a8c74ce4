// Command plain reads PDF417 codes as zxing-cpp does by itself, for comparison: one call of the library with its defaults on the
// whole upright picture.
//
//	go run ./vision/barcode/plain FILE… > codes.jsonl
//
// It prints one JSON object per file and line: {"file": …, "found": …, "text": …}. A payload that is no UTF-8 is read as
// ISO 8859-1, as kycd-vision analyze does.
package main

/*
#cgo pkg-config: zxing
#cgo CXXFLAGS: -std=c++17 -O2
#include <stdlib.h>
#include "plain.h"
*/
import "C"

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"kycd/vision"
	"kycd/vision/imaging"
)

// code is what was read in one file.
type code struct {
	File  string `json:"file"`
	Found bool   `json:"found"`
	Text  string `json:"text,omitempty"`
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: plain FILE…")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "plain:", err)
		os.Exit(1)
	}
}

func run(files []string) error {
	out := json.NewEncoder(os.Stdout)
	for _, file := range files {
		found, err := read(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := out.Encode(found); err != nil {
			return err
		}
	}
	return nil
}

func read(file string) (code, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return code{}, err
	}
	picture, err := imaging.Decode(data, imaging.Options{})
	if err != nil {
		return code{}, err
	}
	gray := picture.Gray()
	var payload *C.uint8_t
	var size C.size_t
	found := C.kycd_plain_read((*C.uint8_t)(unsafe.Pointer(&gray[0])), C.int(picture.Width), C.int(picture.Height), &payload, &size)
	runtime.KeepAlive(gray)
	if found < 0 {
		return code{}, errors.New("zxing-cpp failed")
	}
	defer C.free(unsafe.Pointer(payload))
	return code{File: file, Found: found == 1, Text: vision.PayloadText(C.GoStringN((*C.char)(unsafe.Pointer(payload)), C.int(size)))}, nil
}
