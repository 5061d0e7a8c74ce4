package tfjs

import (
	"encoding/json"
	"slices"

	"kycd/models/onnx"
)

// linear is a layer whose result may still be scaled and shifted channel by channel, before it is written: a convolution,
// a product with a matrix, or nothing but the scaling itself.
type linear struct {
	x       onnx.Tensor
	conv    *onnx.Convolution
	product bool
	matrix  []float32 // [in][out]
	factors []float32 // without convolution and matrix
	bias    []float32 // of matrix and scaling
}

func (l *linear) channels() int {
	if l.conv != nil {
		return l.conv.Out
	}
	return len(l.bias)
}

// scale multiplies each channel of the result.
func (l *linear) scale(factors []float32) {
	switch {
	case l.conv != nil:
		l.conv.Scale(factors)
		return
	case l.product:
		for i := range l.matrix {
			l.matrix[i] *= factors[i%len(factors)]
		}
	default:
		for i, f := range factors {
			l.factors[i] *= f
		}
	}
	for i, f := range factors {
		l.bias[i] *= f
	}
}

// shift adds to each channel of the result.
func (l *linear) shift(offsets []float32) {
	if l.conv != nil {
		l.conv.Shift(offsets)
		return
	}
	for i, o := range offsets {
		l.bias[i] += o
	}
}

func (c *converter) write(l linear) onnx.Tensor {
	switch {
	case l.conv != nil:
		return c.graph.Convolve(l.x, *l.conv)
	case l.product:
		return c.graph.FullyConnected(l.x, onnx.Kernel(l.matrix, 1, 1, len(l.matrix)/len(l.bias), len(l.bias)), l.bias)
	}
	return c.graph.Affine(l.x, l.factors, l.bias)
}

// linearLayer writes a linear layer with the activation that is fused to it.
func (c *converter) linearLayer(n *node) (onnx.Tensor, error) {
	l, err := c.linear(n)
	if err != nil {
		return onnx.Tensor{}, err
	}
	y := c.write(l)
	switch fused := n.activation(); fused {
	case "":
		return y, nil
	case "Relu":
		return c.graph.Relu(y), nil
	case "Prelu":
		return c.prelu(n, y, c.constantInput(n, 3))
	default:
		return onnx.Tensor{}, n.refuse("with %s fused to it", fused)
	}
}

// activation is what is fused to a node behind its bias.
func (n *node) activation() string {
	ops := n.Attr["fused_ops"].List.S
	switch {
	case len(ops) == 0, len(ops) == 1 && string(ops[0]) == "BiasAdd":
		return ""
	case len(ops) == 2 && string(ops[0]) == "BiasAdd":
		return string(ops[1])
	}
	return string(slices.Concat(ops...))
}

// linear reads a linear layer without what is fused to it, together with the scalings before it that nobody else needs.
func (c *converter) linear(n *node) (linear, error) {
	if err := c.enter(n); err != nil {
		return linear{}, err
	}
	defer c.leave(n)
	switch n.Op {
	case "Conv2D", "_FusedConv2D", "DepthwiseConv2dNative":
		return c.convolution(n)
	case "MatMul", "_FusedMatMul":
		return c.product(n)
	}
	computed, constant, ok := c.operand(n)
	if !ok || (n.Op == "Sub" && computed != n.Input[0]) {
		return linear{}, n.refuse("is converted only with a constant")
	}
	l, err := c.before(computed)
	if err != nil {
		return linear{}, err
	}
	values := constant.Values
	if len(values) == 1 {
		values = slices.Repeat(values, l.channels())
	}
	if len(values) != l.channels() || (len(constant.Values) > 1 && constant.Shape[len(constant.Shape)-1] != len(values)) {
		return linear{}, n.refuse("a constant of %v for %d channels", constant.Shape, l.channels())
	}
	switch n.Op {
	case "Mul":
		l.scale(values)
	case "Sub":
		values = slices.Clone(values)
		for i := range values {
			values[i] = -values[i]
		}
		l.shift(values)
	default:
		l.shift(values)
	}
	return l, nil
}

// before gives a node as a linear layer that may be changed: itself where it is one and nobody else takes its result,
// else its result times one.
func (c *converter) before(name string) (linear, error) {
	if n := c.nodes[name]; n != nil && c.uses[name] == 1 && n.activation() == "" {
		_, _, constant := c.operand(n)
		switch {
		case n.Op == "Conv2D", n.Op == "_FusedConv2D", n.Op == "DepthwiseConv2dNative", n.Op == "MatMul", n.Op == "_FusedMatMul":
			return c.linear(n)
		case constant && (n.Op == "Mul" || n.Op == "Add" || n.Op == "AddV2" || n.Op == "Sub"):
			return c.linear(n)
		}
	}
	x, err := c.tensor(name)
	if err != nil {
		return linear{}, err
	}
	if x.Channels < 1 || x.Channels > 1<<20 {
		return linear{}, &onnx.Error{Layer: name, Problem: "no number of channels"}
	}
	return linear{x: x, factors: slices.Repeat([]float32{1}, x.Channels), bias: make([]float32, x.Channels)}, nil
}

func (c *converter) convolution(n *node) (linear, error) {
	if len(n.Input) < 2 {
		return linear{}, n.refuse("%d inputs", len(n.Input))
	}
	kernel, ok := c.constants[n.Input[1]]
	if !ok || len(kernel.Shape) != 4 {
		return linear{}, n.refuse("its kernel is no weight of four dimensions")
	}
	if d, ok := n.Attr["dilations"]; ok && slices.ContainsFunc(d.List.I, func(v json.Number) bool { return v != "1" }) {
		return linear{}, n.refuse("dilations %v", d.List.I)
	}
	from, around, err := c.padded(n)
	if err != nil {
		return linear{}, err
	}
	x, err := c.tensor(from)
	if err != nil {
		return linear{}, err
	}
	height, width, in, out := kernel.Shape[0], kernel.Shape[1], kernel.Shape[2], kernel.Shape[3]
	stride, padding, err := n.window(x, height, width)
	if err != nil {
		return linear{}, err
	}
	if around != nil {
		padding = *around
	}
	conv := &onnx.Convolution{In: in, Out: out, Height: height, Width: width, Groups: 1, Stride: stride, Padding: padding}
	if n.Op == "DepthwiseConv2dNative" {
		conv.Groups, conv.Out = in, in*out
		conv.Weights = onnx.DepthwiseKernel(kernel.Values, height, width, in, out)
	} else {
		conv.Weights = onnx.Kernel(kernel.Values, height, width, in, out)
	}
	conv.Bias = make([]float32, conv.Out)
	if err := c.addBias(n, conv.Bias); err != nil {
		return linear{}, err
	}
	return linear{x: x, conv: conv}, nil
}

// padded looks through a Pad of rows and columns in front of a convolution that adds none itself.
func (c *converter) padded(n *node) (string, *onnx.Padding, error) {
	pad := c.nodes[n.Input[0]]
	if pad == nil || pad.Op != "Pad" || string(n.Attr["padding"].S) != "VALID" {
		return n.Input[0], nil, nil
	}
	p := c.constantInput(pad, 1)
	if len(p) != 8 || p[0] != 0 || p[1] != 0 || p[6] != 0 || p[7] != 0 {
		return n.Input[0], nil, nil
	}
	for _, v := range p {
		if !(v >= 0 && v < 1<<12) {
			return "", nil, pad.refuse("pads %v", p)
		}
	}
	return pad.Input[0], &onnx.Padding{Top: int(p[2]), Bottom: int(p[3]), Left: int(p[4]), Right: int(p[5])}, nil
}

func (c *converter) product(n *node) (linear, error) {
	if len(n.Input) < 2 || n.Attr["transpose_a"].B || n.Attr["transpose_b"].B {
		return linear{}, n.refuse("%d inputs, or transposed", len(n.Input))
	}
	matrix, ok := c.constants[n.Input[1]]
	if !ok || len(matrix.Shape) != 2 {
		return linear{}, n.refuse("its right side is no matrix of weights")
	}
	x, err := c.tensor(n.Input[0])
	if err != nil {
		return linear{}, err
	}
	l := linear{x: x, product: true, matrix: slices.Clone(matrix.Values), bias: make([]float32, matrix.Shape[1])}
	return l, c.addBias(n, l.bias)
}

// addBias adds the bias that is fused to a node.
func (c *converter) addBias(n *node, to []float32) error {
	if len(n.Attr["fused_ops"].List.S) == 0 {
		return nil
	}
	bias := c.constantInput(n, 2)
	if len(bias) != len(to) {
		return n.refuse("%d biases for %d channels", len(bias), len(to))
	}
	for i, v := range bias {
		to[i] += v
	}
	return nil
}
