package dlib

import (
	"fmt"
	"io"
)

// Convolution holds the weights of one convolution and of the affine layer behind it.
type Convolution struct {
	Weights []float32 // [out][in][row][column]
	Biases  []float32 // [out]
	Scales  []float32 // [out], of the affine layer
	Offsets []float32 // [out], of the affine layer
}

// FaceResNet holds the weights of dlib's face encoder: 29 convolutions in the order in which an image
// passes them, and the projection of 256 features onto 128, [256][128].
type FaceResNet struct {
	Convolutions []Convolution
	Projection   []float32
}

const (
	faceFeatures  = 256
	faceEncoding  = 128
	faceImageSize = 150 // pixels, rows and columns of the aligned face
)

// stage is a run of residual blocks with one number of channels. The first block of a stage that shrinks
// halves rows and columns.
type stage struct {
	channels int
	blocks   int
	shrinks  bool
}

func faceStages() []stage {
	return []stage{{32, 3, false}, {64, 4, true}, {128, 3, true}, {256, 3, true}, {256, 1, true}}
}

// Size is the place of one convolution in the network.
type Size struct {
	Out, In int // channels
	Edge    int // rows and columns of a filter
	Stride  int
}

// FaceResNetSizes lists the 29 convolutions in the order in which an image passes them.
func FaceResNetSizes() []Size {
	sizes := []Size{{Out: 32, In: 3, Edge: 7, Stride: 2}}
	channels := 32
	for _, s := range faceStages() {
		for block := range s.blocks {
			stride := 1
			if s.shrinks && block == 0 {
				stride = 2
			}
			sizes = append(sizes,
				Size{Out: s.channels, In: channels, Edge: 3, Stride: stride},
				Size{Out: s.channels, In: s.channels, Edge: 3, Stride: 1})
			channels = s.channels
		}
	}
	return sizes
}

// WriteFaceResNet writes the encoder as the file that dlib's face recognition examples and go-face call
// dlib_face_recognition_resnet_model_v1.dat. It refuses weights of the wrong size before writing a byte.
func WriteFaceResNet(out io.Writer, net FaceResNet) error {
	sizes := FaceResNetSizes()
	if len(net.Convolutions) != len(sizes) {
		return fmt.Errorf("face encoder: %d convolutions, want %d", len(net.Convolutions), len(sizes))
	}
	for i, s := range sizes {
		c := net.Convolutions[i]
		if len(c.Weights) != s.Out*s.In*s.Edge*s.Edge || len(c.Biases) != s.Out ||
			len(c.Scales) != s.Out || len(c.Offsets) != s.Out {
			return fmt.Errorf("face encoder: convolution %d has the wrong size", i)
		}
	}
	if len(net.Projection) != faceFeatures*faceEncoding {
		return fmt.Errorf("face encoder: projection has %d values, want %d", len(net.Projection), faceFeatures*faceEncoding)
	}
	w := newWriter(out)
	faceNetwork(net, sizes).write(w)
	return w.flush()
}

// faceNetwork builds the chain from the input up and turns it round at the end.
func faceNetwork(net FaceResNet, sizes []Size) network {
	var up []layer // input first
	next := 0
	convolve := func() {
		s, c := sizes[next], net.Convolutions[next]
		up = append(up,
			convolution{filters: s.Out, inputs: s.In, size: s.Edge, stride: s.Stride, weights: c.Weights, biases: c.Biases}.layer(),
			affine(c.Scales, c.Offsets))
		next++
	}
	convolve()
	up = append(up, relu(), maxPooling(3, 2))
	for _, s := range faceStages() {
		for block := range s.blocks {
			up = append(up, marker()) // tag1: the block's input
			convolve()
			up = append(up, relu())
			convolve()
			if s.shrinks && block == 0 {
				// The shortcut is shrunk too: tag2 keeps the block's output, skip1 goes back to its input.
				up = append(up, marker(), marker(), averagePooling(2, 2))
			}
			up = append(up, addPrevious(), relu())
		}
	}
	up = append(up, averagePooling(0, 1), fullyConnected(faceFeatures, faceEncoding, net.Projection))

	layers := make([]layer, len(up))
	for i, l := range up {
		layers[len(up)-1-i] = l
	}
	return network{
		setUp:  true,
		layers: layers,
		loss: func(w *writer) {
			w.text("loss_metric_2")
			w.float(0.04) // margin
			w.float(0.6)  // distance threshold
		},
		input: func(w *writer) {
			w.text("input_rgb_image_sized")
			meanColour(w)
			w.integer(faceImageSize)
			w.integer(faceImageSize)
		},
	}
}
