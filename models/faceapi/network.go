// Package faceapi writes the networks of face-api, whose layers its published weights only name: the order of the layers
// is here, as its programs have it.
package faceapi

import (
	"fmt"
	"strconv"

	"kycd/models/onnx"
	"kycd/models/tfjs"
)

// Edge is the width and height of the input of all three networks, px.
const Edge = 112

// AgeGender writes the network of apparent age and gender. Its input is [1][3][112][112], red first, values 0 to 255; its
// outputs are age, in years, and gender, the probabilities of male and female.
func AgeGender(manifest, weights []byte) ([]byte, error) {
	w, x, err := begin(manifest, weights)
	if err != nil {
		return nil, err
	}
	x = w.graph.Relu(w.convolve(x, "entry_flow/conv_in", 2))
	x = w.reduce(x, "entry_flow/reduction_block_0", false)
	x = w.reduce(x, "entry_flow/reduction_block_1", true)
	for i := range 2 {
		y := x
		for k := range 3 {
			y = w.separable(w.graph.Relu(y), fmt.Sprintf("middle_flow/main_block_%d/separable_conv%d", i, k), 1)
		}
		x = w.graph.Add(y, x)
	}
	x = w.reduce(x, "exit_flow/reduction_block", true)
	x = w.graph.Relu(w.separable(x, "exit_flow/separable_conv", 1))
	x = w.graph.Flatten(w.graph.Average(x))
	w.graph.Output("age", w.connect(x, "fc/age"), 1)
	w.graph.Output("gender", w.graph.Softmax(w.connect(x, "fc/gender")), 2)
	return w.encode()
}

// Expression writes the network of seven expressions: neutral, happy, sad, angry, fearful, disgusted, surprised. Its input
// is that of AgeGender, its output expression their probabilities.
func Expression(manifest, weights []byte) ([]byte, error) {
	w, x, err := begin(manifest, weights)
	if err != nil {
		return nil, err
	}
	w.graph.Output("expression", w.graph.Softmax(w.connect(w.features(x), "fc")), 7)
	return w.encode()
}

// Landmarks writes the network of 68 points. Its input is that of AgeGender, its output points x and y of each in turn,
// as parts of the input's edge.
func Landmarks(manifest, weights []byte) ([]byte, error) {
	w, x, err := begin(manifest, weights)
	if err != nil {
		return nil, err
	}
	w.graph.Output("points", w.connect(w.features(x), "fc"), 2*68)
	return w.encode()
}

// writer adds layers by their names in the manifest. It remembers the first weight that is missing.
type writer struct {
	weights map[string]tfjs.Tensor
	graph   onnx.Graph
	err     error
}

// begin reads the weights and adds the input: the mean colour of faces is taken off, and the rest divided by 255.
func begin(manifest, weights []byte) (*writer, onnx.Tensor, error) {
	tensors, err := tfjs.ReadTensors(manifest, weights)
	if err != nil {
		return nil, onnx.Tensor{}, err
	}
	w := &writer{weights: map[string]tfjs.Tensor{}}
	for _, t := range tensors {
		w.weights[t.Name] = t
	}
	x := w.graph.Input("input", 3, Edge, Edge)
	const scale = 1.0 / 255
	return w, w.graph.Affine(x, []float32{scale, scale, scale}, []float32{-122.782 * scale, -117.001 * scale, -104.298 * scale}), nil
}

func (w *writer) encode() ([]byte, error) {
	if w.err != nil {
		return nil, w.err
	}
	return w.graph.Encode()
}

// tensor gives a weight with so many dimensions.
func (w *writer) tensor(name string, dimensions int) tfjs.Tensor {
	t, ok := w.weights[name]
	switch {
	case w.err != nil:
	case !ok:
		w.err = fmt.Errorf("weight %q is missing", name)
	case len(t.Shape) != dimensions:
		w.err = fmt.Errorf("weight %q has %d dimensions instead of %d", name, len(t.Shape), dimensions)
	}
	return t
}

// filter adds a convolution that keeps the size, but for its stride.
func (w *writer) filter(x onnx.Tensor, kernel tfjs.Tensor, bias []float32, stride int, depthwise bool) onnx.Tensor {
	if w.err != nil {
		return x
	}
	height, width, in, out := kernel.Shape[0], kernel.Shape[1], kernel.Shape[2], kernel.Shape[3]
	c := onnx.Convolution{In: in, Out: out, Height: height, Width: width, Groups: 1, Stride: stride, Bias: bias,
		Padding: onnx.Same(x.Height, x.Width, height, width, stride)}
	if depthwise {
		c.Groups, c.Out = in, in*out
		c.Weights = onnx.DepthwiseKernel(kernel.Values, height, width, in, out)
		c.Bias = make([]float32, c.Out)
	} else {
		c.Weights = onnx.Kernel(kernel.Values, height, width, in, out)
	}
	return w.graph.Convolve(x, c)
}

// convolve adds a convolution with its bias.
func (w *writer) convolve(x onnx.Tensor, name string, stride int) onnx.Tensor {
	return w.filter(x, w.tensor(name+"/filters", 4), w.tensor(name+"/bias", 1).Values, stride, false)
}

// separable filters each channel alone and then mixes them.
func (w *writer) separable(x onnx.Tensor, name string, stride int) onnx.Tensor {
	x = w.filter(x, w.tensor(name+"/depthwise_filter", 4), nil, stride, true)
	return w.filter(x, w.tensor(name+"/pointwise_filter", 4), w.tensor(name+"/bias", 1).Values, 1, false)
}

// connect adds a fully connected layer with its bias.
func (w *writer) connect(x onnx.Tensor, name string) onnx.Tensor {
	matrix, bias := w.tensor(name+"/weights", 2), w.tensor(name+"/bias", 1)
	if w.err != nil {
		return x
	}
	return w.graph.FullyConnected(x, onnx.Kernel(matrix.Values, 1, 1, matrix.Shape[0], matrix.Shape[1]), bias.Values)
}

// reduce adds a block of the Xception kind: two separable convolutions and a pooling, beside one convolution.
func (w *writer) reduce(x onnx.Tensor, name string, activate bool) onnx.Tensor {
	y := x
	if activate {
		y = w.graph.Relu(y)
	}
	y = w.separable(y, name+"/separable_conv0", 1)
	y = w.separable(w.graph.Relu(y), name+"/separable_conv1", 1)
	y = w.graph.MaxPool(y, 3, 2, onnx.Same(y.Height, y.Width, 3, 3, 2))
	return w.graph.Add(y, w.convolve(x, name+"/expansion_conv", 2))
}

// features adds four blocks whose convolutions each see the sum of all before them, and gives the mean of each map.
func (w *writer) features(x onnx.Tensor) onnx.Tensor {
	for i := range 4 {
		block := "dense" + strconv.Itoa(i)
		if i == 0 {
			x = w.graph.Relu(w.convolve(x, block+"/conv0", 2))
		} else {
			x = w.graph.Relu(w.separable(x, block+"/conv0", 2))
		}
		sum := x
		for k := range 3 {
			y := w.separable(x, block+"/conv"+strconv.Itoa(k+1), 1)
			sum = w.graph.Add(sum, y)
			x = w.graph.Relu(sum)
		}
	}
	return w.graph.Flatten(w.graph.Average(x))
}
