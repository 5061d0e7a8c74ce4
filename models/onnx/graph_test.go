package onnx

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of an encoded message.
type field struct {
	number protowire.Number
	value  uint64
	bytes  []byte
}

func fields(t *testing.T, m []byte) []field {
	t.Helper()
	var all []field
	for len(m) > 0 {
		number, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		m = m[n:]
		f := field{number: number}
		switch kind {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(m)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(m)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(m)
			f.value = uint64(v)
		default:
			t.Fatalf("field %d of kind %d", number, kind)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		m = m[n:]
		all = append(all, f)
	}
	return all
}

func TestEncodedModel(t *testing.T) {
	build := func() []byte {
		var g Graph
		x := g.Input("input", 1, 2, 2)
		x = g.Convolve(x, Convolution{Weights: []float32{1, 2}, Bias: []float32{3, 4}, In: 1, Out: 2, Height: 1, Width: 1, Groups: 1, Stride: 1})
		g.Output("answer", g.Softmax(g.Flatten(g.Average(x))), 2)
		m, err := g.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	model := build()
	if !bytes.Equal(model, build()) {
		t.Error("the same network is written differently")
	}
	var operators []string
	var weights []byte
	var ends []string
	for _, f := range fields(t, model) {
		if f.number == modelIRVersion && f.value != irVersion {
			t.Errorf("version %d", f.value)
		}
		if f.number != modelGraph {
			continue
		}
		for _, part := range fields(t, f.bytes) {
			switch part.number {
			case graphNode:
				for _, a := range fields(t, part.bytes) {
					if a.number == nodeType {
						operators = append(operators, string(a.bytes))
					}
				}
			case graphInitializer:
				for _, a := range fields(t, part.bytes) {
					if a.number == tensorRaw && weights == nil {
						weights = a.bytes
					}
				}
			case graphInput, graphOutput:
				ends = append(ends, string(fields(t, part.bytes)[0].bytes))
			}
		}
	}
	if want := []string{"Conv", "GlobalAveragePool", "Flatten", "Softmax", "Identity"}; !slices.Equal(operators, want) {
		t.Errorf("operators %q, want %q", operators, want)
	}
	if want := []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}; !bytes.Equal(weights, want) {
		t.Errorf("weights %x, want %x", weights, want)
	}
	if want := []string{"input", "answer"}; !slices.Equal(ends, want) {
		t.Errorf("ends %q, want %q", ends, want)
	}
}

func filters(in, out, edge, stride int, p Padding) Convolution {
	return Convolution{Weights: make([]float32, in*out*edge*edge), Bias: make([]float32, out), In: in, Out: out, Height: edge, Width: edge, Groups: 1, Stride: stride, Padding: p}
}

func TestShapes(t *testing.T) {
	all := Padding{1, 1, 1, 1}
	for name, c := range map[string]struct {
		layer func(g *Graph, x Tensor) Tensor
		want  Tensor
	}{
		"convolution":      {func(g *Graph, x Tensor) Tensor { return g.Convolve(x, filters(3, 8, 3, 2, all)) }, Tensor{Channels: 8, Height: 5, Width: 4}},
		"odd cells last":   {func(g *Graph, x Tensor) Tensor { return g.Convolve(x, filters(3, 8, 3, 2, Same(10, 8, 3, 3, 2))) }, Tensor{Channels: 8, Height: 5, Width: 4}},
		"pooling":          {func(g *Graph, x Tensor) Tensor { return g.MaxPool(x, 2, 2, Padding{}) }, Tensor{Channels: 3, Height: 5, Width: 4}},
		"average":          {func(g *Graph, x Tensor) Tensor { return g.Average(x) }, Tensor{Channels: 3, Height: 1, Width: 1}},
		"flat":             {func(g *Graph, x Tensor) Tensor { return g.Flatten(x) }, Tensor{Channels: 240, Height: 1, Width: 1, Flat: true}},
		"flat, last first": {func(g *Graph, x Tensor) Tensor { return g.FlattenChannelsLast(x) }, Tensor{Channels: 240, Height: 1, Width: 1, Flat: true}},
		"more channels":    {func(g *Graph, x Tensor) Tensor { return g.PadChannels(x, 5) }, Tensor{Channels: 8, Height: 10, Width: 8}},
		"both":             {func(g *Graph, x Tensor) Tensor { return g.Concat(x, g.Relu(x)) }, Tensor{Channels: 6, Height: 10, Width: 8}},
		"sum":              {func(g *Graph, x Tensor) Tensor { return g.Add(x, g.Sigmoid(x)) }, Tensor{Channels: 3, Height: 10, Width: 8}},
		"weighed":          {func(g *Graph, x Tensor) Tensor { return g.Weigh(x, g.Average(x)) }, Tensor{Channels: 3, Height: 10, Width: 8}},
		"limited":          {func(g *Graph, x Tensor) Tensor { return g.Clip(x, 0, 6) }, Tensor{Channels: 3, Height: 10, Width: 8}},
		"slopes":           {func(g *Graph, x Tensor) Tensor { return g.PRelu(x, make([]float32, 3)) }, Tensor{Channels: 3, Height: 10, Width: 8}},
		"factors":          {func(g *Graph, x Tensor) Tensor { return g.Affine(x, make([]float32, 3), make([]float32, 3)) }, Tensor{Channels: 3, Height: 10, Width: 8}},
		"product of vectors": {func(g *Graph, x Tensor) Tensor {
			return g.FullyConnected(g.Flatten(x), make([]float32, 480), make([]float32, 2))
		}, Tensor{Channels: 2, Height: 1, Width: 1, Flat: true}},
	} {
		var g Graph
		got := c.layer(&g, g.Input("input", 3, 10, 8))
		got.name = ""
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		g.Output("answer", got, got.Channels*got.Height*got.Width)
		if _, err := g.Encode(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLayersRefuse(t *testing.T) {
	infinite := float32(math.Inf(1))
	for name, c := range map[string]struct {
		layer func(g *Graph, x Tensor)
		want  string
	}{
		"other channels": {func(g *Graph, x Tensor) { g.Convolve(x, filters(4, 8, 3, 1, Padding{})) }, "Conv"},
		"weights missing": {func(g *Graph, x Tensor) {
			c := filters(3, 8, 3, 1, Padding{})
			c.Weights = c.Weights[1:]
			g.Convolve(x, c)
		}, "Conv"},
		"bias missing":         {func(g *Graph, x Tensor) { c := filters(3, 8, 3, 1, Padding{}); c.Bias = nil; g.Convolve(x, c) }, "Conv"},
		"uneven groups":        {func(g *Graph, x Tensor) { c := filters(3, 8, 3, 1, Padding{}); c.Groups = 2; g.Convolve(x, c) }, "Conv"},
		"no groups":            {func(g *Graph, x Tensor) { c := filters(3, 8, 3, 1, Padding{}); c.Groups = 0; g.Convolve(x, c) }, "Conv"},
		"no stride":            {func(g *Graph, x Tensor) { g.Convolve(x, filters(3, 8, 3, 0, Padding{})) }, "Conv"},
		"negative padding":     {func(g *Graph, x Tensor) { g.Convolve(x, filters(3, 8, 3, 1, Padding{Top: -1})) }, "Conv"},
		"padding beyond":       {func(g *Graph, x Tensor) { g.Convolve(x, filters(3, 8, 3, 1, Padding{Left: 3})) }, "Conv"},
		"window beyond":        {func(g *Graph, x Tensor) { g.MaxPool(x, 9, 1, Padding{}) }, "MaxPool"},
		"filters on a vector":  {func(g *Graph, x Tensor) { g.Convolve(g.Flatten(x), filters(240, 1, 1, 1, Padding{})) }, "Conv"},
		"mean of a vector":     {func(g *Graph, x Tensor) { g.Average(g.Flatten(x)) }, "GlobalAveragePool"},
		"product of maps":      {func(g *Graph, x Tensor) { g.FullyConnected(x, make([]float32, 6), make([]float32, 2)) }, "Gemm"},
		"matrix too small":     {func(g *Graph, x Tensor) { g.FullyConnected(g.Flatten(x), make([]float32, 6), make([]float32, 2)) }, "Gemm"},
		"factors missing":      {func(g *Graph, x Tensor) { g.Affine(x, make([]float32, 2), make([]float32, 3)) }, "BatchNormalization"},
		"factors of a vector":  {func(g *Graph, x Tensor) { v := g.Flatten(x); g.Affine(v, make([]float32, 240), make([]float32, 240)) }, "BatchNormalization"},
		"slopes missing":       {func(g *Graph, x Tensor) { g.PRelu(x, make([]float32, 1)) }, "PRelu"},
		"empty interval":       {func(g *Graph, x Tensor) { g.Clip(x, 6, 6) }, "Clip"},
		"no interval":          {func(g *Graph, x Tensor) { g.Clip(x, infinite-infinite, 6) }, "Clip"},
		"softmax of maps":      {func(g *Graph, x Tensor) { g.Softmax(x) }, "Softmax"},
		"sum of two shapes":    {func(g *Graph, x Tensor) { g.Add(x, g.Average(x)) }, "Add"},
		"gates of two shapes":  {func(g *Graph, x Tensor) { g.Weigh(x, x) }, "Mul"},
		"maps beside a vector": {func(g *Graph, x Tensor) { g.Concat(x, g.Flatten(x)) }, "Concat"},
		"fewer channels":       {func(g *Graph, x Tensor) { g.PadChannels(x, -1) }, "Pad"},
		"endless channels":     {func(g *Graph, x Tensor) { g.PadChannels(x, 1<<30) }, "Pad"},
		"another output":       {func(g *Graph, x Tensor) { g.Output("answer", g.Flatten(x), 3) }, "Output"},
		"no output":            {func(g *Graph, x Tensor) {}, "Output"},
		"absurd input":         {func(g *Graph, x Tensor) { g.Input("again", 1<<20, 1<<10, 1<<10) }, "Input"},
		"no input":             {func(g *Graph, x Tensor) { g.Input("again", 0, 1, 1) }, "Input"},
	} {
		var g Graph
		x := g.Input("input", 3, 10, 8)
		c.layer(&g, x)
		if name != "no output" {
			g.Output("rest", g.Relu(x), 240)
		}
		var refused *Error
		if _, err := g.Encode(); !errors.As(err, &refused) || refused.Layer != c.want || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one of %s", name, err, c.want)
		}
	}
}

// TensorFlow's rule: ⌈size/stride⌉ positions, the smaller half of the padding first.
func TestSame(t *testing.T) {
	for _, c := range []struct{ size, kernel, stride, before, after int }{
		{112, 3, 2, 0, 1}, {111, 3, 2, 1, 1}, {7, 3, 1, 1, 1}, {5, 1, 2, 0, 0}, {8, 2, 2, 0, 0}, {7, 2, 2, 0, 1}, {6, 5, 3, 1, 1}, {4, 3, 0, 0, 0},
	} {
		p := Same(c.size, c.size, c.kernel, c.kernel, c.stride)
		if want := (Padding{c.before, c.before, c.after, c.after}); p != want {
			t.Errorf("%d cells, window %d, stride %d: %+v, want %+v", c.size, c.kernel, c.stride, p, want)
		}
	}
}

func TestKernelOrder(t *testing.T) {
	// [height 1][width 2][in 2][out 3], numbered as they lie.
	values := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	if got, want := Kernel(values, 1, 2, 2, 3), []float32{0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := DepthwiseKernel(values, 1, 2, 2, 3), []float32{0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11}; !slices.Equal(got, want) {
		t.Errorf("channel by channel: %v, want %v", got, want)
	}
}

func TestScaleAndShift(t *testing.T) {
	c := Convolution{Weights: []float32{1, 2, 3, 4}, Bias: []float32{5, 6}, In: 2, Out: 2, Height: 1, Width: 1, Groups: 1, Stride: 1}
	if !c.Scale([]float32{2, 3}) || !c.Shift([]float32{1, -1}) {
		t.Fatal("refused")
	}
	if !slices.Equal(c.Weights, []float32{2, 4, 9, 12}) || !slices.Equal(c.Bias, []float32{11, 17}) {
		t.Errorf("%v %v", c.Weights, c.Bias)
	}
	if c.Scale([]float32{1}) || c.Shift(nil) {
		t.Error("took factors of other channels")
	}
}
