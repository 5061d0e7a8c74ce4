// Package onnx writes neural networks in the Open Neural Network Exchange format, as far as the networks of faces need it:
// one picture in, convolutions, a few activations, vectors out. Each layer is checked against the shape of what goes into
// it, because a reader in C++ answers a contradiction with the end of the process.
package onnx

import (
	"fmt"
	"strconv"
)

// Limits; published networks of faces stay far below.
const (
	maxEdge     = 4096    // px, and cells of a kernel
	maxElements = 1 << 24 // values
	maxModel    = 1 << 26 // bytes of the whole
)

// Tensor is a value inside a graph: feature maps [1][channels][height][width], or a vector [1][channels].
type Tensor struct {
	name                    string
	Channels, Height, Width int
	Flat                    bool // a vector; Height and Width are 1
}

func (t Tensor) shape() []int {
	if t.Flat {
		return []int{1, t.Channels}
	}
	return []int{1, t.Channels, t.Height, t.Width}
}

func (t Tensor) sameShape(u Tensor) bool {
	return t.Channels == u.Channels && t.Height == u.Height && t.Width == u.Width && t.Flat == u.Flat
}

// Error says which layer does not fit its input.
type Error struct{ Layer, Problem string }

// Error is one line.
func (e *Error) Error() string { return e.Layer + ": " + e.Problem }

// Graph is a network under construction. The first layer that does not fit is remembered and given by Encode; what is
// added after it has no effect.
type Graph struct {
	body    message // fields of GraphProto
	nodes   int
	outputs int
	err     error
}

// Input adds the picture that goes in.
func (g *Graph) Input(name string, channels, height, width int) Tensor {
	t := Tensor{name: name, Channels: channels, Height: height, Width: width}
	if g.bounded("Input", t) {
		g.body = g.body.bytes(graphInput, value(name, t.shape()))
	}
	return t
}

// Output names a tensor of so many values for whoever runs the network.
func (g *Graph) Output(name string, t Tensor, size int) {
	if n := t.Channels * t.Height * t.Width; g.err == nil && n != size {
		g.fail("Output", "%s has %d values instead of %d", name, n, size)
	}
	if g.err != nil {
		return
	}
	g.emit("Identity", name, []string{t.name})
	g.body = g.body.bytes(graphOutput, value(name, t.shape()))
	g.outputs++
}

// Encode gives the network as a ModelProto.
func (g *Graph) Encode() ([]byte, error) {
	if g.outputs == 0 {
		g.fail("Output", "the network has none")
	}
	if g.err != nil {
		return nil, g.err
	}
	m := make(message, 0, len(g.body)+64)
	m = m.number(modelIRVersion, irVersion)
	m = m.bytes(modelGraph, g.body.text(graphName, "network"))
	return m.bytes(modelOpset, message(nil).number(opsetVersion, operatorSet)), nil
}

// fail remembers the first problem.
func (g *Graph) fail(layer, format string, args ...any) {
	if g.err == nil {
		g.err = &Error{Layer: layer, Problem: fmt.Sprintf(format, args...)}
	}
}

// bounded refuses tensors without extent and those of absurd size.
func (g *Graph) bounded(layer string, t Tensor) bool {
	if t.Channels < 1 || t.Channels > maxElements || t.Height < 1 || t.Height > maxEdge || t.Width < 1 || t.Width > maxEdge ||
		t.Channels*t.Height*t.Width > maxElements {
		g.fail(layer, "%d×%d×%d values are out of bounds", t.Channels, t.Height, t.Width)
	}
	return g.err == nil
}

// emit writes a node whose only output has its name.
func (g *Graph) emit(operator, name string, inputs []string, attributes ...attribute) {
	var m message
	for _, in := range inputs {
		m = m.text(nodeInput, in)
	}
	m = m.text(nodeOutput, name).text(nodeName, name).text(nodeType, operator)
	for _, a := range attributes {
		m = m.bytes(nodeAttribute, a)
	}
	g.body = g.body.bytes(graphNode, m)
}

// layer adds a node that makes a tensor of the shape of out.
func (g *Graph) layer(operator string, out Tensor, inputs []string, attributes ...attribute) Tensor {
	if !g.bounded(operator, out) {
		return out
	}
	out.name = g.fresh(operator)
	g.emit(operator, out.name, inputs, attributes...)
	return out
}

// constant adds values known beforehand. Their number must fit the shape.
func (g *Graph) constant(shape []int, values []float32) string {
	if len(g.body)+4*len(values) > maxModel {
		g.fail("constant", "the network is too large")
	}
	if g.err != nil {
		return ""
	}
	name := g.fresh("constant")
	g.body = g.body.bytes(graphInitializer, floats(name, shape, values))
	return name
}

func (g *Graph) fresh(kind string) string {
	g.nodes++
	return kind + "_" + strconv.Itoa(g.nodes)
}
