package models

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// tensor is one array of a published network, in row-major order.
type tensor struct {
	name   string
	shape  []int
	values []float32
}

// readTensors reads a weights file of TensorFlow.js: the manifest lists name, shape and storage of each
// tensor, and the weights are their concatenation. Stored are float32, or bytes b with value b·scale+min.
func readTensors(manifest, weights []byte) ([]tensor, error) {
	var groups []struct {
		Weights []struct {
			Name         string `json:"name"`
			Shape        []int  `json:"shape"`
			DType        string `json:"dtype"`
			Quantization *struct {
				DType string  `json:"dtype"`
				Scale float64 `json:"scale"`
				Min   float64 `json:"min"`
			} `json:"quantization"`
		} `json:"weights"`
	}
	if err := json.Unmarshal(manifest, &groups); err != nil {
		return nil, fmt.Errorf("weights manifest: %w", err)
	}
	var tensors []tensor
	for _, g := range groups {
		for _, e := range g.Weights {
			n, err := elements(e.Shape, len(weights))
			if err != nil {
				return nil, fmt.Errorf("tensor %q: %w", e.Name, err)
			}
			t := tensor{name: e.Name, shape: e.Shape, values: make([]float32, n)}
			switch {
			case e.DType != "float32":
				return nil, fmt.Errorf("tensor %q: unknown type %q", e.Name, e.DType)
			case e.Quantization == nil:
				if len(weights) < 4*n {
					return nil, fmt.Errorf("tensor %q: weights end too early", e.Name)
				}
				for i := range t.values {
					t.values[i] = math.Float32frombits(binary.LittleEndian.Uint32(weights[4*i:]))
				}
				weights = weights[4*n:]
			case e.Quantization.DType == "uint8":
				for i, b := range weights[:n] {
					// The inner conversion forbids a fused multiply-add: every machine rounds alike.
					t.values[i] = float32(float64(float64(b)*e.Quantization.Scale) + e.Quantization.Min)
				}
				weights = weights[n:]
			default:
				return nil, fmt.Errorf("tensor %q: unknown quantization %q", e.Name, e.Quantization.DType)
			}
			tensors = append(tensors, t)
		}
	}
	if len(weights) != 0 {
		return nil, fmt.Errorf("weights: %d bytes belong to no tensor", len(weights))
	}
	return tensors, nil
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
