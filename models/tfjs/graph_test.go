package tfjs

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"kycd/models/onnx"
)

// sketch draws a graph model: constants with their values, and nodes.
type sketch struct {
	nodes   []map[string]any
	entries []entry
	weights []byte
}

// put adds a constant. Whole numbers of one dimension are stored as such when integer is true.
func (s *sketch) put(name string, shape []int, integer bool, values ...float32) {
	e := entry{Name: name, Shape: shape, DType: "float32"}
	if integer {
		e.DType = "int32"
	}
	s.entries = append(s.entries, e)
	for _, v := range values {
		bits := math.Float32bits(v)
		if integer {
			bits = uint32(int32(v))
		}
		s.weights = binary.LittleEndian.AppendUint32(s.weights, bits)
	}
	s.add("Const", name, "")
}

// add adds a node. Attributes are written as name=text, name=1,2,2,1 or name=true.
func (s *sketch) add(op, name, inputs string, attributes ...string) {
	attr := map[string]any{}
	for _, a := range attributes {
		key, value, _ := strings.Cut(a, "=")
		switch {
		case key == "shape":
			var dims []map[string]string
			for _, d := range strings.Split(value, ",") {
				dims = append(dims, map[string]string{"size": d})
			}
			attr[key] = map[string]any{"shape": map[string]any{"dim": dims}}
		case key == "fused_ops":
			var ops []string
			for _, op := range strings.Split(value, ",") {
				ops = append(ops, base64.StdEncoding.EncodeToString([]byte(op)))
			}
			attr[key] = map[string]any{"list": map[string]any{"s": ops}}
		case value == "true":
			attr[key] = map[string]any{"b": true}
		case strings.Contains(value, ","):
			attr[key] = map[string]any{"list": map[string]any{"i": strings.Split(value, ",")}}
		default:
			attr[key] = map[string]any{"s": base64.StdEncoding.EncodeToString([]byte(value))}
		}
	}
	n := map[string]any{"name": name, "op": op, "attr": attr}
	if inputs != "" {
		n["input"] = strings.Split(inputs, " ")
	}
	s.nodes = append(s.nodes, n)
}

func (s *sketch) model() []byte {
	b, err := json.Marshal(map[string]any{
		"modelTopology":   map[string]any{"node": s.nodes},
		"weightsManifest": []any{map[string]any{"weights": s.entries}},
	})
	if err != nil {
		panic(err)
	}
	return b
}

const (
	oneStep = "strides=1,1,1,1"
	nhwc    = "data_format=NHWC"
	same    = "padding=SAME"
	valid   = "padding=VALID"
)

// begin is a picture of 4×4 in two colours, and filters of 3×3.
func begin() *sketch {
	s := &sketch{}
	s.add("Placeholder", "in", "", "shape=-1,4,4,2")
	s.put("filters", []int{3, 3, 2, 2}, false, make([]float32, 36)...)
	s.put("each", []int{3, 3, 2, 1}, false, make([]float32, 18)...)
	s.put("two", []int{2}, false, 3, 4)
	s.put("zero", nil, false, 0)
	s.put("six", nil, false, 6)
	s.put("frame", []int{4, 2}, true, 0, 0, 1, 1, 1, 1, 0, 0)
	return s
}

func spec(size int) Spec {
	return Spec{Channels: 2, Height: 4, Width: 4, Scale: 1, Outputs: []Output{{Node: "out", Name: "answer", Size: size}}}
}

// operators lists what an ONNX model computes.
func operators(t *testing.T, model []byte) []string {
	t.Helper()
	var list []string
	parts := func(m []byte, number protowire.Number, f func([]byte)) {
		for len(m) > 0 {
			got, kind, n := protowire.ConsumeTag(m)
			if n < 0 {
				t.Fatal(protowire.ParseError(n))
			}
			size := protowire.ConsumeFieldValue(got, kind, m[n:])
			if size < 0 {
				t.Fatal(protowire.ParseError(size))
			}
			if got == number && kind == protowire.BytesType {
				b, _ := protowire.ConsumeBytes(m[n:])
				f(b)
			}
			m = m[n+size:]
		}
	}
	const graph, node, operator = 7, 1, 4
	parts(model, graph, func(g []byte) {
		parts(g, node, func(n []byte) { parts(n, operator, func(op []byte) { list = append(list, string(op)) }) })
	})
	return list
}

func TestGraphs(t *testing.T) {
	for name, c := range map[string]struct {
		draw func(s *sketch)
		size int
		want string
	}{
		"a frame and a normalisation go into the convolution": {func(s *sketch) {
			s.add("Pad", "p", "in frame")
			s.add("Conv2D", "c", "p filters", oneStep, nhwc, valid, "dilations=1,1,1,1")
			s.add("Mul", "m", "c two")
			s.add("AddV2", "out", "two m")
		}, 32, "Conv"},
		"fused bias and slopes": {func(s *sketch) {
			s.add("_FusedConv2D", "out", "in filters two two", oneStep, nhwc, same, "fused_ops=BiasAdd,Prelu")
		}, 32, "Conv PRelu"},
		"a convolution that two need is scaled apart": {func(s *sketch) {
			s.add("DepthwiseConv2dNative", "c", "in each", oneStep, nhwc, same)
			s.add("Mul", "m", "c two")
			s.add("Add", "out", "m c")
		}, 32, "Conv BatchNormalization Add"},
		"slopes written out": {func(s *sketch) {
			s.add("Maximum", "up", "zero in")
			s.add("Minimum", "down", "zero in")
			s.add("Mul", "m", "two down")
			s.add("AddV2", "out", "up m")
		}, 32, "PRelu"},
		"three limits are one": {func(s *sketch) {
			s.add("Relu", "r", "in")
			s.add("Minimum", "m", "r six")
			s.add("Maximum", "out", "m zero")
		}, 32, "Clip"},
		"a limit that two need stays": {func(s *sketch) {
			s.add("Relu", "r", "in")
			s.add("Minimum", "m", "r six")
			s.add("Add", "out", "m r")
		}, 32, "Relu Clip Add"},
		"pixels are moved first": {func(s *sketch) {
			s.add("Sub", "d", "in six")
			s.add("Mul", "out", "d six")
		}, 32, "BatchNormalization"},
		"places become a vector": {func(s *sketch) {
			s.put("line", []int{2}, true, -1, 32)
			s.put("matrix", []int{32, 2}, false, make([]float32, 64)...)
			s.add("Reshape", "v", "in line")
			s.add("MatMul", "p", "v matrix")
			s.add("Mul", "m", "p two")
			s.add("AddV2", "a", "m two")
			s.add("Softmax", "out", "a")
		}, 2, "Transpose Flatten Gemm Softmax"},
		"the rest": {func(s *sketch) {
			s.put("axes", []int{2}, true, 1, 2)
			s.put("last", nil, true, 3)
			s.put("behind", []int{4, 2}, true, 0, 0, 0, 0, 0, 0, 0, 2)
			s.put("matrix", []int{6, 2}, false, make([]float32, 12)...)
			s.add("MaxPool", "h", "in", nhwc, same, "ksize=1,2,2,1", "strides=1,2,2,1")
			s.add("Pad", "w", "h behind")
			s.add("ConcatV2", "c", "w h last")
			s.add("Identity", "i", "c:0")
			s.add("Mean", "v", "i axes")
			s.add("_FusedMatMul", "p", "v matrix two", "fused_ops=BiasAdd,Relu")
			s.add("Sigmoid", "out", "p")
		}, 2, "MaxPool Pad Concat GlobalAveragePool Flatten Gemm Relu Sigmoid"},
	} {
		s := begin()
		c.draw(s)
		model, err := ONNX(s.model(), s.weights, spec(c.size))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := strings.Join(operators(t, model), " "); got != c.want+" Identity" {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// What is folded must say the same: (2·x + b)·factor + offset of a convolution of one cell.
func TestFoldedValues(t *testing.T) {
	s := &sketch{}
	s.add("Placeholder", "in", "", "shape=-1,1,1,1")
	s.put("filters", []int{1, 1, 1, 2}, false, 2, 5)
	s.put("bias", []int{2}, false, 1, -1)
	s.put("factors", []int{2}, false, 10, 100)
	s.put("offsets", []int{1, 1, 2}, false, 7, 8)
	s.add("_FusedConv2D", "c", "in filters bias", oneStep, nhwc, valid, "fused_ops=BiasAdd")
	s.add("Mul", "m", "c factors")
	s.add("Sub", "out", "m offsets")
	c := &converter{spec: Spec{Channels: 1, Height: 1, Width: 1, Scale: 1}, nodes: map[string]*node{}, constants: map[string]Tensor{},
		uses: map[string]int{"c": 1, "m": 1}, done: map[string]onnx.Tensor{}, active: map[string]bool{}}
	var file struct {
		Topology struct {
			Node []node `json:"node"`
		} `json:"modelTopology"`
	}
	if err := json.Unmarshal(s.model(), &file); err != nil {
		t.Fatal(err)
	}
	for i := range file.Topology.Node {
		c.nodes[file.Topology.Node[i].Name] = &file.Topology.Node[i]
	}
	tensors, err := readGroups([]group{{s.entries}}, s.weights)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range tensors {
		c.constants[v.Name] = v
	}
	l, err := c.linear(c.nodes["out"])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.conv.Weights, []float32{20, 500}) || !slices.Equal(l.conv.Bias, []float32{3, -108}) {
		t.Errorf("weights %v, bias %v", l.conv.Weights, l.conv.Bias)
	}
}

func TestGraphsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		draw func(s *sketch)
		op   string
	}{
		"an unknown operation":    {func(s *sketch) { s.add("Einsum", "out", "in") }, "Einsum"},
		"an operation of nothing": {func(s *sketch) { s.add("RandomUniform", "out", "") }, "RandomUniform"},
		"a circle":                {func(s *sketch) { s.add("Identity", "a", "out"); s.add("Identity", "out", "a") }, "Identity"},
		"a circle of limits":      {func(s *sketch) { s.add("Relu", "a", "out"); s.add("Relu", "out", "a") }, "Relu"},
		"a circle of sums":        {func(s *sketch) { s.add("Add", "a", "out in"); s.add("Add", "out", "a in") }, "Add"},
		"a circle of slopes": {func(s *sketch) {
			s.add("Maximum", "a", "out zero")
			s.add("Minimum", "b", "out zero")
			s.add("Mul", "c", "b two")
			s.add("Add", "out", "a c")
		}, "Add"},
		"another fused activation": {func(s *sketch) {
			s.add("_FusedConv2D", "out", "in filters two", oneStep, nhwc, same, "fused_ops=BiasAdd,Elu")
		}, "_FusedConv2D"},
		"slopes that are no weight": {func(s *sketch) { s.add("Prelu", "out", "in in") }, "Prelu"},
		"channels first":            {func(s *sketch) { s.add("Conv2D", "out", "in filters", oneStep, same, "data_format=NCHW") }, "Conv2D"},
		"uneven strides":            {func(s *sketch) { s.add("Conv2D", "out", "in filters", "strides=1,1,2,1", same, nhwc) }, "Conv2D"},
		"unknown padding":           {func(s *sketch) { s.add("Conv2D", "out", "in filters", oneStep, nhwc, "padding=EXPLICIT") }, "Conv2D"},
		"spread filters":            {func(s *sketch) { s.add("Conv2D", "out", "in filters", oneStep, same, nhwc, "dilations=1,2,2,1") }, "Conv2D"},
		"filters that are computed": {func(s *sketch) { s.add("Conv2D", "out", "in in", oneStep, same, nhwc) }, "Conv2D"},
		"a bias of other channels": {func(s *sketch) {
			s.add("_FusedConv2D", "out", "in filters six", oneStep, nhwc, same, "fused_ops=BiasAdd")
		}, "_FusedConv2D"},
		"a matrix that is turned":   {func(s *sketch) { s.add("MatMul", "out", "in filters", "transpose_b=true") }, "MatMul"},
		"a product of two tensors":  {func(s *sketch) { s.add("Mul", "out", "in in") }, "Mul"},
		"a constant less a tensor":  {func(s *sketch) { s.add("Sub", "out", "six in") }, "Sub"},
		"factors of other channels": {func(s *sketch) { s.put("three", []int{3}, false, 1, 2, 3); s.add("Mul", "out", "in three") }, "Mul"},
		"a limit per channel":       {func(s *sketch) { s.add("Minimum", "out", "in two") }, "Minimum"},
		"a frame alone":             {func(s *sketch) { s.add("Pad", "out", "in frame") }, "Pad"},
		"another mean":              {func(s *sketch) { s.put("axes", []int{1}, true, 1); s.add("Mean", "out", "in axes") }, "Mean"},
		"another shape":             {func(s *sketch) { s.put("line", []int{2}, true, -1, 16); s.add("Reshape", "out", "in line") }, "Reshape"},
		"another axis":              {func(s *sketch) { s.put("axis", nil, true, 1); s.add("ConcatV2", "out", "in in axis") }, "ConcatV2"},
		"another picture":           {func(s *sketch) { s.nodes[0]["attr"] = map[string]any{}; s.add("Identity", "out", "in") }, "Placeholder"},
	} {
		s := begin()
		c.draw(s)
		var refused *OpError
		if _, err := ONNX(s.model(), s.weights, spec(32)); !errors.As(err, &refused) || refused.Op != c.op || !strings.Contains(err.Error(), c.op) {
			t.Errorf("%s: %v, want a refusal of %s", name, err, c.op)
		}
	}
}

func TestFilesRefused(t *testing.T) {
	s := begin()
	s.add("Relu", "out", "in")
	good := s.model()
	many := begin()
	for i := range maxNodes {
		many.add("Relu", fmt.Sprint(i), "in")
	}
	for name, c := range map[string]struct {
		model, weights []byte
		spec           Spec
	}{
		"no JSON":           {[]byte("{"), s.weights, spec(32)},
		"weights cut off":   {good, s.weights[1:], spec(32)},
		"weights left over": {good, append(slices.Clone(s.weights), 0), spec(32)},
		"no such output":    {good, s.weights, Spec{Channels: 2, Height: 4, Width: 4, Scale: 1, Outputs: []Output{{Node: "other", Name: "answer", Size: 32}}}},
		"another size":      {good, s.weights, spec(31)},
		"no output":         {good, s.weights, Spec{Channels: 2, Height: 4, Width: 4, Scale: 1}},
		"another picture":   {good, s.weights, Spec{Channels: 3, Height: 4, Width: 4, Scale: 1, Outputs: spec(32).Outputs}},
		"too many nodes":    {many.model(), many.weights, spec(32)},
	} {
		if model, err := ONNX(c.model, c.weights, c.spec); err == nil {
			t.Errorf("%s: accepted, %d bytes", name, len(model))
		}
	}
	if _, err := ONNX(good, s.weights, spec(32)); err != nil {
		t.Errorf("the sound one: %v", err)
	}
}

func FuzzONNX(f *testing.F) {
	s := begin()
	s.add("Pad", "p", "in frame")
	s.add("Conv2D", "c", "p filters", oneStep, nhwc, valid)
	s.add("Mul", "m", "c two")
	s.add("Maximum", "up", "zero m")
	s.add("Minimum", "down", "zero m")
	s.add("Mul", "n", "two down")
	s.add("AddV2", "out", "up n")
	f.Add(s.model(), s.weights)
	f.Fuzz(func(t *testing.T, model, weights []byte) {
		b, err := ONNX(model, weights, spec(32))
		if (err == nil) == (len(b) == 0) {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	})
}
