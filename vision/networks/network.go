// Package networks runs the converted networks of the models folder in OpenCV's DNN module.
package networks

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"kycd/models"
)

// The errors. What the models package says of missing or broken weights is passed on.
var (
	ErrInput  = errors.New("input does not fit the network") // of the wrong size, not finite, or after Close
	ErrEngine = errors.New("network cannot be run")          // OpenCV does not read it, or answers with something else
)

// Network is one network, ready to run. It serves one goroutine at a time.
type Network struct {
	name    models.Net
	layout  models.Layout
	outputs []string
	net     gocv.Net
	closed  bool
}

// Open converts a network's published weights and loads them. A missing file is fs.ErrNotExist.
func Open(dir string, name models.Net) (*Network, error) {
	model, err := models.ONNX(dir, name)
	if err != nil {
		return nil, err
	}
	layout, _ := name.Layout()
	net, err := gocv.ReadNetFromONNXBytes(model)
	if err != nil || net.Empty() {
		return nil, errors.Join(fmt.Errorf("load network %s: %w", name, ErrEngine), err)
	}
	n := &Network{name: name, layout: layout, net: net}
	for _, out := range layout.Outputs {
		n.outputs = append(n.outputs, out.Name)
	}
	return n, nil
}

// Layout says what goes in and what comes out.
func (n *Network) Layout() models.Layout { return n.layout }

// Close frees the network. A second call does nothing.
func (n *Network) Close() error {
	if n.closed {
		return nil
	}
	n.closed = true
	return n.net.Close()
}

// Run gives the outputs in the order of the layout for one picture: float32 [channels][height][width]. Wrong numbers of
// values and values that are not finite are ErrInput.
func (n *Network) Run(input []float32) ([][]float32, error) {
	l := n.layout
	if n.closed || len(input) != l.Channels*l.Height*l.Width {
		return nil, fmt.Errorf("%s takes %d×%d×%d values, not %d: %w", n.name, l.Channels, l.Height, l.Width, len(input), ErrInput)
	}
	for _, v := range input {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("%s takes finite values: %w", n.name, ErrInput)
		}
	}
	blob := gocv.NewMatWithSizes([]int{1, l.Channels, l.Height, l.Width}, gocv.MatTypeCV32F)
	defer blob.Close()
	in, err := blob.DataPtrFloat32()
	if err != nil || len(in) != len(input) {
		return nil, errors.Join(fmt.Errorf("%s: an input matrix of %d values: %w", n.name, len(in), ErrEngine), err)
	}
	copy(in, input)
	n.net.SetInput(blob, "")
	mats := n.net.ForwardLayers(n.outputs)
	defer func() {
		for i := range mats {
			mats[i].Close()
		}
	}()
	if len(mats) != len(n.outputs) {
		return nil, fmt.Errorf("%s gave %d of %d outputs: %w", n.name, len(mats), len(n.outputs), ErrEngine)
	}
	results := make([][]float32, len(mats))
	for i := range mats {
		values, err := mats[i].DataPtrFloat32()
		if err != nil || len(values) != l.Outputs[i].Size {
			return nil, errors.Join(fmt.Errorf("%s gave %d values of %s instead of %d: %w", n.name, len(values), n.outputs[i], l.Outputs[i].Size, ErrEngine), err)
		}
		results[i] = slices.Clone(values)
	}
	return results, nil
}
