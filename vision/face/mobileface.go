package face

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"kycd/models"
	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/networks"
)

// mobileFace is the second encoder: 256 values of a face that was aligned by five points. One serves one goroutine at a time.
type mobileFace struct{ net *networks.Network }

// newMobileFace loads the weights; nil without them.
func newMobileFace(modelsDir string) (*mobileFace, error) {
	net, err := networks.Open(modelsDir, models.NetMobileFace)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load second face encoder: %w", err)
	}
	return &mobileFace{net: net}, nil
}

func (m *mobileFace) close() error { return m.net.Close() }

// encode encodes the face at five points: the mean of the face's and its mirror image's, of length 1. It is nil if the points
// or the pixels say nothing.
func (m *mobileFace) encode(pic *imaging.Picture, points [5]vision.Point) (*vision.Encoding, error) {
	aligned, ok, err := align(pic, points)
	if err != nil || !ok {
		return nil, err
	}
	sum := make([]float64, vision.SecondFaceEncodingSize)
	for _, side := range []*imaging.Picture{aligned, aligned.Mirrored()} {
		out, err := m.net.Run(networks.Planes(side, m.net.Layout().Order))
		if err != nil {
			return nil, fmt.Errorf("second face encoding: %w", err)
		}
		if len(out) == 0 || len(out[0]) != len(sum) {
			return nil, errors.New("second face encoding has another length")
		}
		for i, v := range out[0] {
			sum[i] += float64(v)
		}
	}
	length := 0.0
	for _, v := range sum {
		length += v * v
	}
	length = math.Sqrt(length)
	if !(length > 0) || math.IsInf(length, 0) {
		return nil, nil
	}
	values := make([]float32, len(sum))
	for i, v := range sum {
		values[i] = float32(v / length)
	}
	return &vision.Encoding{Encoder: vision.SecondFaceEncoder, Values: values}, nil
}
