// Package dlib writes neural networks in dlib's own serialization format, so that weights published in
// another form can be laid out as the files that a dlib program loads, without compiling or running dlib.
//
// The format is the one that dlib 19.24 writes (dlib/serialize.h, dlib/cuda/tensor.h, dlib/dnn/*.h) and
// that every version since 19.5 reads. Writing is deterministic: the same weights give the same bytes on
// every machine.
package dlib

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"
)

// writer writes dlib's primitive values. The first error sticks and later calls do nothing.
type writer struct {
	out *bufio.Writer
	err error
}

func newWriter(out io.Writer) *writer { return &writer{out: bufio.NewWriterSize(out, 1<<16)} }

func (w *writer) bytes(b ...byte) {
	if w.err == nil {
		_, w.err = w.out.Write(b)
	}
}

// integer writes a control byte (sign in bit 7, number of bytes below) and the magnitude, little-endian
// without leading zeros, at least one byte.
func (w *writer) integer(v int64) {
	var control byte
	magnitude := uint64(v)
	if v < 0 {
		control, magnitude = 0x80, uint64(-v)
	}
	digits := []byte{byte(magnitude)}
	for magnitude >>= 8; magnitude != 0; magnitude >>= 8 {
		digits = append(digits, byte(magnitude))
	}
	w.bytes(control | byte(len(digits)))
	w.bytes(digits...)
}

// boolean is an ASCII '1' or '0'.
func (w *writer) boolean(v bool) {
	if v {
		w.bytes('1')
	} else {
		w.bytes('0')
	}
}

func (w *writer) text(s string) {
	w.integer(int64(len(s)))
	w.bytes([]byte(s)...)
}

// Widths of the mantissa, in bits, of the C++ types that are written as floating point.
const (
	mantissaFloat  = 24
	mantissaDouble = 53
)

func (w *writer) float(v float32)  { w.real(float64(v), mantissaFloat) }
func (w *writer) double(v float64) { w.real(v, mantissaDouble) }

// real writes a finite number as mantissa × 2^exponent, both integers, with the mantissa's low zero bytes
// shifted out. The order in the stream is mantissa, exponent.
func (w *writer) real(v float64, mantissaBits int) {
	fraction, exponent := math.Frexp(v)
	mantissa := int64(math.Ldexp(fraction, mantissaBits))
	exponent -= mantissaBits
	for i := 0; i < 8 && mantissa&0xFF == 0; i++ {
		mantissa >>= 8
		exponent += 8
	}
	w.integer(mantissa)
	w.integer(int64(exponent))
}

// shape is samples × channels × rows × columns.
type shape [4]int

func (w *writer) shape(s shape) {
	for _, n := range s {
		w.integer(int64(n))
	}
}

// tensor writes a dense tensor; the values of all parts follow each other in row-major order of s.
func (w *writer) tensor(s shape, parts ...[]float32) {
	w.integer(2)
	w.shape(s)
	var b [4]byte
	for _, part := range parts {
		for _, v := range part {
			binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
			w.bytes(b[:]...)
		}
	}
}

func (w *writer) emptyTensor() { w.tensor(shape{}) }

// alias writes the shape of a view into a layer's parameters.
func (w *writer) alias(s shape) {
	w.integer(1)
	w.shape(s)
}

func (w *writer) flush() error {
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.err
}
