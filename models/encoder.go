package models

import (
	"bytes"
	"fmt"

	"kycd/models/dlib"
	"kycd/models/tfjs"
)

// convertEncoder turns face-api's recognition network into the file that dlib loads. face-api publishes
// dlib's own face encoder, most of it rounded to 8 bits, as 117 tensors in network order: per convolution
// filters [row][column][in][out], biases, scales and offsets [out], and at the end the projection.
func convertEncoder(manifest, weights []byte) ([]byte, error) {
	tensors, err := tfjs.ReadTensors(manifest, weights)
	if err != nil {
		return nil, err
	}
	sizes := dlib.FaceResNetSizes()
	if len(tensors) != 4*len(sizes)+1 {
		return nil, fmt.Errorf("face encoder: %d tensors, want %d", len(tensors), 4*len(sizes)+1)
	}
	net := dlib.FaceResNet{Projection: tensors[4*len(sizes)].Values}
	for i, s := range sizes {
		t := tensors[4*i : 4*i+4]
		filters, err := outputFirst(t[0], s)
		if err != nil {
			return nil, err
		}
		net.Convolutions = append(net.Convolutions, dlib.Convolution{
			Weights: filters, Biases: t[1].Values, Scales: t[2].Values, Offsets: t[3].Values,
		})
	}
	var out bytes.Buffer
	out.Grow(23 << 20)
	if err := dlib.WriteFaceResNet(&out, net); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// outputFirst turns filters [row][column][in][out] into dlib's [out][in][row][column].
func outputFirst(t tfjs.Tensor, s dlib.Size) ([]float32, error) {
	if len(t.Shape) != 4 || t.Shape[0] != s.Edge || t.Shape[1] != s.Edge || t.Shape[2] != s.In || t.Shape[3] != s.Out {
		return nil, fmt.Errorf("tensor %q: shape %v, want [%d %d %d %d]", t.Name, t.Shape, s.Edge, s.Edge, s.In, s.Out)
	}
	turned := make([]float32, 0, len(t.Values))
	for out := range s.Out {
		for in := range s.In {
			for position := range s.Edge * s.Edge {
				turned = append(turned, t.Values[(position*s.In+in)*s.Out+out])
			}
		}
	}
	return turned, nil
}
