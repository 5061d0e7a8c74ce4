// Package tfjs reads networks published for TensorFlow.js: their weights, and the graphs of those that carry one.
package tfjs

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Tensor is one array of a published network, in row-major order. Integers are given as float32, which holds the axes,
// shapes and paddings of a network exactly.
type Tensor struct {
	Name   string
	Shape  []int
	Values []float32
}

type entry struct {
	Name         string `json:"name"`
	Shape        []int  `json:"shape"`
	DType        string `json:"dtype"`
	Quantization *struct {
		DType string  `json:"dtype"`
		Scale float64 `json:"scale"`
		Min   float64 `json:"min"`
	} `json:"quantization"`
}

type group struct {
	Weights []entry `json:"weights"`
}

// ReadTensors reads a weights file: the manifest lists name, shape and storage of each tensor, and the weights are their
// concatenation. Stored are float32, int32, float16, or bytes b with value b·scale+min.
func ReadTensors(manifest, weights []byte) ([]Tensor, error) {
	var groups []group
	if err := json.Unmarshal(manifest, &groups); err != nil {
		return nil, fmt.Errorf("weights manifest: %w", err)
	}
	return readGroups(groups, weights)
}

func readGroups(groups []group, weights []byte) ([]Tensor, error) {
	var tensors []Tensor
	for _, g := range groups {
		for _, e := range g.Weights {
			t, rest, err := e.read(weights)
			if err != nil {
				return nil, fmt.Errorf("tensor %q: %w", e.Name, err)
			}
			tensors, weights = append(tensors, t), rest
		}
	}
	if len(weights) != 0 {
		return nil, fmt.Errorf("weights: %d bytes belong to no tensor", len(weights))
	}
	return tensors, nil
}

// read takes the tensor off the front of the weights.
func (e entry) read(weights []byte) (Tensor, []byte, error) {
	stored := e.DType
	if e.Quantization != nil {
		stored = e.Quantization.DType
		if e.DType != "float32" {
			return Tensor{}, nil, fmt.Errorf("unknown quantization %q of %q", stored, e.DType)
		}
	}
	size, ok := map[string]int{"float32": 4, "int32": 4, "float16": 2, "uint8": 1}[stored]
	if !ok || (e.Quantization == nil) != (size == 4) {
		if e.Quantization != nil {
			return Tensor{}, nil, fmt.Errorf("unknown quantization %q", stored)
		}
		return Tensor{}, nil, fmt.Errorf("unknown type %q", stored)
	}
	n, err := elements(e.Shape, len(weights))
	if err != nil {
		return Tensor{}, nil, err
	}
	if len(weights) < size*n {
		return Tensor{}, nil, errors.New("weights end too early")
	}
	t := Tensor{Name: e.Name, Shape: e.Shape, Values: make([]float32, n)}
	switch stored {
	case "float32":
		for i := range t.Values {
			t.Values[i] = math.Float32frombits(binary.LittleEndian.Uint32(weights[4*i:]))
		}
	case "int32":
		for i := range t.Values {
			t.Values[i] = float32(int32(binary.LittleEndian.Uint32(weights[4*i:])))
		}
	case "float16":
		for i := range t.Values {
			t.Values[i] = half(binary.LittleEndian.Uint16(weights[2*i:]))
		}
	case "uint8":
		for i := range t.Values {
			// The inner conversion forbids a fused multiply-add: every machine rounds alike.
			t.Values[i] = float32(float64(float64(weights[i])*e.Quantization.Scale) + e.Quantization.Min)
		}
	}
	return t, weights[size*n:], nil
}

// half is the value of an IEEE 754 binary16.
func half(b uint16) float32 {
	sign, exponent, fraction := uint32(b>>15)<<31, uint32(b>>10)&0x1F, uint32(b)&0x3FF
	switch exponent {
	case 0: // zero, or subnormal: fraction · 2⁻²⁴
		return math.Float32frombits(math.Float32bits(float32(fraction)/(1<<24)) | sign)
	case 0x1F: // infinity, or not a number
		return math.Float32frombits(sign | 0xFF<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// elements is the product of a shape. It refuses more than limit, the number of bytes that are left.
func elements(shape []int, limit int) (int, error) {
	n := 1
	for _, d := range shape {
		if d <= 0 || n > limit/d {
			return 0, errors.New("shape does not fit the weights")
		}
		n *= d
	}
	if n > limit {
		return 0, errors.New("shape does not fit the weights")
	}
	return n, nil
}
