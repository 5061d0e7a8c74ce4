package tfjs

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"kycd/models/onnx"
)

// maxNodes bounds a graph; published ones of faces have below 500.
const maxNodes = 4096

// OpError names an operation that is not converted, or not with those attributes.
type OpError struct{ Op, Node, Problem string }

// Error is one line.
func (e *OpError) Error() string {
	return fmt.Sprintf("operation %s of node %q: %s", e.Op, e.Node, e.Problem)
}

// Spec says what is expected of a graph, and how it is to be given.
type Spec struct {
	Channels, Height, Width int     // of the picture that goes in
	Scale, Offset           float32 // done with its pixels before the graph: v·Scale + Offset
	Outputs                 []Output
}

// Output is a tensor of the graph, the name under which the converted network gives it, and its number of values.
type Output struct {
	Node, Name string
	Size       int
}

type attribute struct {
	S    []byte `json:"s"`
	B    bool   `json:"b"`
	List struct {
		S [][]byte      `json:"s"`
		I []json.Number `json:"i"`
	} `json:"list"`
	Shape struct {
		Dim []struct {
			Size json.Number `json:"size"`
		} `json:"dim"`
	} `json:"shape"`
}

type node struct {
	Name  string               `json:"name"`
	Op    string               `json:"op"`
	Input []string             `json:"input"`
	Attr  map[string]attribute `json:"attr"`
}

// ONNX converts a graph model: TensorFlow's GraphDef as JSON, with the list of the weights. Batch normalisations are folded
// into the convolutions before them, and the channels come first instead of last: input [1][channels][height][width].
func ONNX(model, weights []byte, spec Spec) ([]byte, error) {
	var file struct {
		Topology struct {
			Node []node `json:"node"`
		} `json:"modelTopology"`
		Weights []group `json:"weightsManifest"`
	}
	if err := json.Unmarshal(model, &file); err != nil {
		return nil, fmt.Errorf("graph model: %w", err)
	}
	if len(file.Topology.Node) > maxNodes {
		return nil, fmt.Errorf("graph model: %d nodes", len(file.Topology.Node))
	}
	tensors, err := readGroups(file.Weights, weights)
	if err != nil {
		return nil, err
	}
	c := &converter{
		spec:  spec,
		nodes: map[string]*node{}, constants: map[string]Tensor{}, uses: map[string]int{},
		done: map[string]onnx.Tensor{}, active: map[string]bool{},
	}
	for _, t := range tensors {
		c.constants[t.Name] = t
	}
	for i := range file.Topology.Node {
		n := &file.Topology.Node[i]
		for k, in := range n.Input {
			n.Input[k] = strings.TrimSuffix(in, ":0")
			c.uses[n.Input[k]]++
		}
		c.nodes[n.Name] = n
	}
	for _, out := range spec.Outputs {
		c.uses[out.Node]++
	}
	for _, out := range spec.Outputs {
		t, err := c.tensor(out.Node)
		if err != nil {
			return nil, err
		}
		c.graph.Output(out.Name, t, out.Size)
	}
	return c.graph.Encode()
}

// converter walks a graph from its outputs to its input.
type converter struct {
	graph     onnx.Graph
	spec      Spec
	nodes     map[string]*node
	constants map[string]Tensor
	uses      map[string]int // how many nodes take this one
	done      map[string]onnx.Tensor
	active    map[string]bool // nodes on the way down: meeting one again is a circle
}

// tensor gives what a node computes.
func (c *converter) tensor(name string) (onnx.Tensor, error) {
	if t, ok := c.done[name]; ok {
		return t, nil
	}
	n, ok := c.nodes[name]
	if !ok {
		return onnx.Tensor{}, fmt.Errorf("graph model: no node %q", name)
	}
	t, err := c.layer(n)
	if err != nil {
		return onnx.Tensor{}, err
	}
	c.done[name] = t
	return t, nil
}

func (n *node) refuse(format string, args ...any) error {
	return &OpError{Op: n.Op, Node: n.Name, Problem: fmt.Sprintf(format, args...)}
}

// enter marks a node as being converted; leave takes the mark away.
func (c *converter) enter(n *node) error {
	if c.active[n.Name] {
		return n.refuse("goes in a circle")
	}
	c.active[n.Name] = true
	return nil
}

func (c *converter) leave(n *node) { delete(c.active, n.Name) }

// layer converts one node and what it needs.
func (c *converter) layer(n *node) (onnx.Tensor, error) {
	if from, slopes, ok := c.leaky(n); ok {
		if err := c.enter(n); err != nil {
			return onnx.Tensor{}, err
		}
		defer c.leave(n)
		x, err := c.tensor(from)
		if err != nil {
			return onnx.Tensor{}, err
		}
		return c.prelu(n, x, slopes)
	}
	switch n.Op {
	case "Placeholder":
		return c.placeholder(n)
	case "Conv2D", "_FusedConv2D", "DepthwiseConv2dNative", "MatMul", "_FusedMatMul", "Mul", "Sub":
		return c.linearLayer(n)
	case "Add", "AddV2":
		if _, _, constant := c.operand(n); constant {
			return c.linearLayer(n)
		}
		return c.sum(n)
	case "Relu", "Minimum", "Maximum":
		return c.clip(n)
	case "Identity", "Sigmoid", "Softmax", "Prelu", "MaxPool", "Pad", "Mean", "Reshape", "ConcatV2":
		return c.ofOne(n)
	}
	return onnx.Tensor{}, n.refuse("is not converted")
}

// ofOne converts a node that changes its first input.
func (c *converter) ofOne(n *node) (onnx.Tensor, error) {
	if err := c.enter(n); err != nil {
		return onnx.Tensor{}, err
	}
	defer c.leave(n)
	if len(n.Input) == 0 {
		return onnx.Tensor{}, n.refuse("has no input")
	}
	x, err := c.tensor(n.Input[0])
	if err != nil {
		return onnx.Tensor{}, err
	}
	switch n.Op {
	case "Sigmoid":
		return c.graph.Sigmoid(x), nil
	case "Softmax":
		return c.graph.Softmax(x), nil
	case "Prelu":
		return c.prelu(n, x, c.constantInput(n, 1))
	case "MaxPool":
		return c.maxPool(n, x)
	case "Pad":
		return c.pad(n, x)
	case "Mean":
		return c.mean(n, x)
	case "Reshape":
		return c.reshape(n, x)
	case "ConcatV2":
		return c.concat(n, x)
	}
	return x, nil // Identity
}

// constantInput gives an input that is a weight, or nil.
func (c *converter) constantInput(n *node, i int) []float32 {
	if i >= len(n.Input) {
		return nil
	}
	return c.constants[n.Input[i]].Values
}

// operand splits a node of two inputs into the computed and the constant one.
func (c *converter) operand(n *node) (computed string, constant Tensor, ok bool) {
	if len(n.Input) != 2 {
		return "", Tensor{}, false
	}
	if t, ok := c.constants[n.Input[1]]; ok {
		return n.Input[0], t, true
	}
	t, ok := c.constants[n.Input[0]]
	return n.Input[1], t, ok
}

func (c *converter) placeholder(n *node) (onnx.Tensor, error) {
	dims := n.Attr["shape"].Shape.Dim
	if len(dims) != 4 {
		return onnx.Tensor{}, n.refuse("%d dimensions instead of 4", len(dims))
	}
	var size [4]int
	for i := range dims {
		v, err := dims[i].Size.Int64()
		if err != nil || v < -1 || v > math.MaxInt32 {
			return onnx.Tensor{}, n.refuse("size %q", dims[i].Size)
		}
		size[i] = int(v)
	}
	want := [4]int{-1, c.spec.Height, c.spec.Width, c.spec.Channels}
	if size != want {
		return onnx.Tensor{}, n.refuse("takes %v instead of %v", size, want)
	}
	x := c.graph.Input("input", c.spec.Channels, c.spec.Height, c.spec.Width)
	if c.spec.Scale == 1 && c.spec.Offset == 0 {
		return x, nil
	}
	return c.graph.Affine(x, slices.Repeat([]float32{c.spec.Scale}, x.Channels), slices.Repeat([]float32{c.spec.Offset}, x.Channels)), nil
}

func (c *converter) sum(n *node) (onnx.Tensor, error) {
	if len(n.Input) != 2 {
		return onnx.Tensor{}, n.refuse("%d inputs", len(n.Input))
	}
	if err := c.enter(n); err != nil {
		return onnx.Tensor{}, err
	}
	defer c.leave(n)
	x, err := c.tensor(n.Input[0])
	if err != nil {
		return onnx.Tensor{}, err
	}
	y, err := c.tensor(n.Input[1])
	if err != nil {
		return onnx.Tensor{}, err
	}
	return c.graph.Add(x, y), nil
}

func (c *converter) prelu(n *node, x onnx.Tensor, slopes []float32) (onnx.Tensor, error) {
	if slopes == nil {
		return onnx.Tensor{}, n.refuse("its slopes are no weights")
	}
	return c.graph.PRelu(x, slopes), nil
}

// leaky recognises max(x, 0) + slopes·min(x, 0), which is how some graphs write a PReLU.
func (c *converter) leaky(n *node) (from string, slopes []float32, ok bool) {
	if (n.Op != "Add" && n.Op != "AddV2") || len(n.Input) != 2 {
		return "", nil, false
	}
	for i := range 2 {
		positive, scaled := c.nodes[n.Input[i]], c.nodes[n.Input[1-i]]
		if positive == nil || scaled == nil || positive.Op != "Maximum" || scaled.Op != "Mul" {
			continue
		}
		from, zero, ok := c.operand(positive)
		if !ok || len(zero.Values) != 1 || zero.Values[0] != 0 {
			continue
		}
		below, factors, ok := c.operand(scaled)
		negative := c.nodes[below]
		if !ok || negative == nil || negative.Op != "Minimum" {
			continue
		}
		same, zero, ok := c.operand(negative)
		if !ok || same != from || len(zero.Values) != 1 || zero.Values[0] != 0 {
			continue
		}
		return from, factors.Values, true
	}
	return "", nil, false
}

// clip joins a chain of Relu, Minimum and Maximum into one interval.
func (c *converter) clip(n *node) (onnx.Tensor, error) {
	low, high := math.Inf(-1), math.Inf(1)
	for at := n; ; {
		from, l, h, err := c.interval(at)
		if err != nil {
			return onnx.Tensor{}, err
		}
		// What comes out of the inner interval goes through the outer one.
		low, high = min(max(l, low), high), max(min(h, high), low)
		inner := c.nodes[from]
		if inner == nil || c.uses[from] != 1 || (inner.Op != "Relu" && inner.Op != "Minimum" && inner.Op != "Maximum") {
			if err := c.enter(n); err != nil {
				return onnx.Tensor{}, err
			}
			defer c.leave(n)
			x, err := c.tensor(from)
			if err != nil {
				return onnx.Tensor{}, err
			}
			return c.graph.Clip(x, float32(low), float32(high)), nil
		}
		if inner == n {
			return onnx.Tensor{}, n.refuse("goes in a circle")
		}
		at = inner
	}
}

// interval is where one of the limiting operations moves its input.
func (c *converter) interval(n *node) (from string, low, high float64, err error) {
	low, high = math.Inf(-1), math.Inf(1)
	if n.Op == "Relu" {
		if len(n.Input) != 1 {
			return "", 0, 0, n.refuse("%d inputs", len(n.Input))
		}
		return n.Input[0], 0, high, nil
	}
	from, limit, ok := c.operand(n)
	if !ok || len(limit.Values) != 1 {
		return "", 0, 0, n.refuse("is converted only with one constant number")
	}
	if n.Op == "Minimum" {
		return from, low, float64(limit.Values[0]), nil
	}
	return from, float64(limit.Values[0]), high, nil
}

func (c *converter) maxPool(n *node, x onnx.Tensor) (onnx.Tensor, error) {
	edge, err := n.square("ksize")
	if err != nil {
		return onnx.Tensor{}, err
	}
	stride, padding, err := n.window(x, edge, edge)
	if err != nil {
		return onnx.Tensor{}, err
	}
	return c.graph.MaxPool(x, edge, stride, padding), nil
}

// pad adds channels; rows and columns are added by the convolution that follows.
func (c *converter) pad(n *node, x onnx.Tensor) (onnx.Tensor, error) {
	p := c.constantInput(n, 1)
	if len(p) != 8 || p[0] != 0 || p[1] != 0 || p[2] != 0 || p[3] != 0 || p[4] != 0 || p[5] != 0 || p[6] != 0 || !(p[7] >= 0 && p[7] < 1<<16) {
		return onnx.Tensor{}, n.refuse("pads %v", p)
	}
	return c.graph.PadChannels(x, int(p[7])), nil
}

func (c *converter) mean(n *node, x onnx.Tensor) (onnx.Tensor, error) {
	axes := c.constantInput(n, 1)
	if len(axes) != 2 || axes[0] != 1 || axes[1] != 2 || n.Attr["keep_dims"].B {
		return onnx.Tensor{}, n.refuse("over the axes %v", axes)
	}
	return c.graph.Flatten(c.graph.Average(x)), nil
}

func (c *converter) reshape(n *node, x onnx.Tensor) (onnx.Tensor, error) {
	shape := c.constantInput(n, 1)
	if len(shape) != 2 || shape[0] != -1 || (shape[1] != -1 && float64(shape[1]) != float64(x.Channels)*float64(x.Height)*float64(x.Width)) {
		return onnx.Tensor{}, n.refuse("to %v", shape)
	}
	return c.graph.FlattenChannelsLast(x), nil
}

func (c *converter) concat(n *node, x onnx.Tensor) (onnx.Tensor, error) {
	axis := c.constantInput(n, 2)
	if len(n.Input) != 3 || len(axis) != 1 || (axis[0] != 3 && axis[0] != -1) {
		return onnx.Tensor{}, n.refuse("of %d inputs on axis %v", len(n.Input)-1, axis)
	}
	y, err := c.tensor(n.Input[1])
	if err != nil {
		return onnx.Tensor{}, err
	}
	return c.graph.Concat(x, y), nil
}

// square reads an attribute [1, v, v, 1].
func (n *node) square(name string) (int, error) {
	v := n.Attr[name].List.I
	if len(v) != 4 || v[0] != "1" || v[3] != "1" || v[1] != v[2] {
		return 0, n.refuse("%s %v", name, v)
	}
	i, err := v[1].Int64()
	if err != nil || i < 1 || i > 4096 {
		return 0, n.refuse("%s %v", name, v)
	}
	return int(i), nil
}

// window reads stride and padding of an operation that moves a window over x.
func (n *node) window(x onnx.Tensor, height, width int) (int, onnx.Padding, error) {
	if f := string(n.Attr["data_format"].S); f != "NHWC" {
		return 0, onnx.Padding{}, n.refuse("data format %q", f)
	}
	stride, err := n.square("strides")
	if err != nil {
		return 0, onnx.Padding{}, err
	}
	switch p := string(n.Attr["padding"].S); p {
	case "VALID":
		return stride, onnx.Padding{}, nil
	case "SAME":
		return stride, onnx.Same(x.Height, x.Width, height, width, stride), nil
	default:
		return 0, onnx.Padding{}, n.refuse("padding %q", p)
	}
}
