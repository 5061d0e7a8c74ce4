// Package minifasnet writes the MiniFASNet networks, which tell a live face from a picture of one, from the weights that
// Minivision published for PyTorch. The weights are a dictionary alone; the order of the layers is here.
package minifasnet

import (
	"fmt"
	"math"
	"strconv"

	"kycd/models/onnx"
	"kycd/models/torch"
)

// Edge is the width and height of the input, px.
const Edge = 80

// Output is the name of the probabilities of the three classes: 1 is the live face, 0 and 2 are attacks.
const Output = "probabilities"

// epsilon keeps a normalisation from dividing by 0; PyTorch's default.
const epsilon = 1e-5

// ONNX writes the network whose weights a file holds, MiniFASNetV2 or V1SE: the widths of the layers, and whether a block
// weighs its channels, follow from the weights. Its input is [1][3][80][80], blue first, values 0 to 255.
func ONNX(file []byte) ([]byte, error) {
	state, err := torch.ReadState(file)
	if err != nil {
		return nil, err
	}
	w := &writer{state: state}
	x := w.graph.Input("input", 3, Edge, Edge)
	x = w.convolve(x, "conv1", 2, 1, 1)
	x = w.convolve(x, "conv2_dw", 1, 1, x.Channels)
	x = w.bottleneck(x, "conv_23", 2)
	x = w.residuals(x, "conv_3")
	x = w.bottleneck(x, "conv_34", 2)
	x = w.residuals(x, "conv_4")
	x = w.bottleneck(x, "conv_45", 2)
	x = w.residuals(x, "conv_5")
	x = w.convolve(x, "conv_6_sep", 1, 0, 1)
	x = w.convolve(x, "conv_6_dw", 1, 0, x.Channels)
	x = w.graph.Flatten(x)
	x = w.connect(x, "linear", "bn")
	x = w.connect(x, "prob", "")
	w.graph.Output(Output, w.graph.Softmax(x), 3)
	if w.err != nil {
		return nil, w.err
	}
	return w.graph.Encode()
}

// writer adds layers by their names in the dictionary. It remembers the first weight that is missing.
type writer struct {
	state map[string]torch.Tensor
	graph onnx.Graph
	err   error
}

// has says whether the dictionary has a tensor. The names are those of a module inside of a module.
func (w *writer) has(name string) bool {
	_, ok := w.state["module."+name]
	return ok
}

// tensor gives a tensor with so many dimensions.
func (w *writer) tensor(name string, dimensions int) torch.Tensor {
	t, ok := w.state["module."+name]
	switch {
	case w.err != nil:
	case !ok:
		w.err = fmt.Errorf("weight %q is missing", name)
	case len(t.Shape) != dimensions:
		w.err = fmt.Errorf("weight %q has %d dimensions instead of %d", name, len(t.Shape), dimensions)
	}
	return t
}

// normalisation gives a batch normalisation of n channels as a factor and an offset for each.
func (w *writer) normalisation(name string, n int) (factors, offsets []float32) {
	scale, shift := w.tensor(name+".weight", 1).Values, w.tensor(name+".bias", 1).Values
	mean, variance := w.tensor(name+".running_mean", 1).Values, w.tensor(name+".running_var", 1).Values
	if w.err != nil {
		return nil, nil
	}
	if len(scale) != n || len(shift) != n || len(mean) != n || len(variance) != n {
		w.err = fmt.Errorf("normalisation %q is not one of %d channels", name, n)
		return nil, nil
	}
	factors, offsets = make([]float32, n), make([]float32, n)
	for i := range n {
		f := float64(scale[i]) / math.Sqrt(float64(variance[i])+epsilon)
		factors[i], offsets[i] = float32(f), float32(float64(shift[i])-float64(mean[i])*f)
	}
	return factors, offsets
}

// filter adds a convolution with the normalisation behind it.
func (w *writer) filter(x onnx.Tensor, conv, bn string, stride, padding, groups int) onnx.Tensor {
	t := w.tensor(conv+".weight", 4)
	if w.err != nil {
		return x
	}
	c := onnx.Convolution{
		Weights: append([]float32(nil), t.Values...), Bias: make([]float32, t.Shape[0]),
		In: t.Shape[1] * groups, Out: t.Shape[0], Height: t.Shape[2], Width: t.Shape[3],
		Groups: groups, Stride: stride,
		Padding: onnx.Padding{Top: padding, Left: padding, Bottom: padding, Right: padding},
	}
	factors, offsets := w.normalisation(bn, c.Out)
	if w.err != nil {
		return x
	}
	c.Scale(factors)
	c.Shift(offsets)
	return w.graph.Convolve(x, c)
}

// convolve adds a convolution, its normalisation and, where the dictionary has slopes, a PReLU.
func (w *writer) convolve(x onnx.Tensor, name string, stride, padding, groups int) onnx.Tensor {
	x = w.filter(x, name+".conv", name+".bn", stride, padding, groups)
	if !w.has(name + ".prelu.weight") {
		return x
	}
	return w.graph.PRelu(x, w.tensor(name+".prelu.weight", 1).Values)
}

// bottleneck widens the channels, filters each alone, and narrows them again.
func (w *writer) bottleneck(x onnx.Tensor, name string, stride int) onnx.Tensor {
	x = w.convolve(x, name+".conv", 1, 0, 1)
	x = w.convolve(x, name+".conv_dw", stride, 1, x.Channels)
	return w.convolve(x, name+".project", 1, 0, 1)
}

// residuals adds bottlenecks to what goes into them, as many as there are.
func (w *writer) residuals(x onnx.Tensor, name string) onnx.Tensor {
	for i := 0; w.has(name + ".model." + strconv.Itoa(i) + ".conv.conv.weight"); i++ {
		block := name + ".model." + strconv.Itoa(i)
		y := w.bottleneck(x, block, 1)
		if w.has(block + ".se_module.fc1.weight") {
			y = w.weigh(y, block+".se_module")
		}
		x = w.graph.Add(x, y)
	}
	return x
}

// weigh multiplies the channels by gates that follow from their means.
func (w *writer) weigh(x onnx.Tensor, name string) onnx.Tensor {
	gate := w.graph.Average(x)
	gate = w.graph.Relu(w.filter(gate, name+".fc1", name+".bn1", 1, 0, 1))
	gate = w.graph.Sigmoid(w.filter(gate, name+".fc2", name+".bn2", 1, 0, 1))
	return w.graph.Weigh(x, gate)
}

// connect adds a fully connected layer without bias, with the normalisation behind it, if that has a name.
func (w *writer) connect(x onnx.Tensor, name, bn string) onnx.Tensor {
	t := w.tensor(name+".weight", 2)
	if w.err != nil {
		return x
	}
	weights, bias := append([]float32(nil), t.Values...), make([]float32, t.Shape[0])
	if bn != "" {
		factors, offsets := w.normalisation(bn, len(bias))
		if w.err != nil {
			return x
		}
		for i := range weights {
			weights[i] *= factors[i/t.Shape[1]]
		}
		bias = offsets
	}
	return w.graph.FullyConnected(x, weights, bias)
}
