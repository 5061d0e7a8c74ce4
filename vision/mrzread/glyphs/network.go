package glyphs

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Hidden is the number of neurons between raster and alphabet.
const Hidden = 96

const (
	inputs  = CellWidth * CellHeight
	outputs = len(Alphabet)
)

// ErrWeights is returned for weights that are not of this network.
var ErrWeights = errors.New("mrz_weights_invalid")

//go:embed weights.bin
var trained []byte

// Layer is a fully connected layer: one row of weights and a bias for each of its neurons.
type Layer struct {
	Weights []float32
	Bias    []float32
}

// Network tells the characters apart: raster → Hidden rectified neurons → Alphabet.
type Network struct {
	In, Out Layer
}

// Trained is the network that the program in train made.
func Trained() (*Network, error) { return Unmarshal(trained) }

// Marshal writes the weights: for each neuron its scale and bias as float32 little-endian, then its weights as bytes.
func (n *Network) Marshal() []byte {
	var out []byte
	for _, l := range []Layer{n.In, n.Out} {
		width := len(l.Weights) / len(l.Bias)
		for j, bias := range l.Bias {
			row := l.Weights[j*width : (j+1)*width]
			largest := float32(1e-9)
			for _, w := range row {
				largest = max(largest, float32(math.Abs(float64(w))))
			}
			scale := largest / 127
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(scale))
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(bias))
			for _, w := range row {
				out = append(out, byte(int8(math.Round(float64(w/scale)))))
			}
		}
	}
	return out
}

// Unmarshal reads what Marshal wrote. The error wraps ErrWeights.
func Unmarshal(raw []byte) (*Network, error) {
	if want := Hidden*(8+inputs) + outputs*(8+Hidden); len(raw) != want {
		return nil, fmt.Errorf("%w: %d bytes, want %d", ErrWeights, len(raw), want)
	}
	read := func(neurons, width int) Layer {
		l := Layer{Weights: make([]float32, 0, neurons*width), Bias: make([]float32, neurons)}
		for j := range neurons {
			scale := math.Float32frombits(binary.LittleEndian.Uint32(raw))
			l.Bias[j] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4:]))
			for _, b := range raw[8 : 8+width] {
				l.Weights = append(l.Weights, scale*float32(int8(b)))
			}
			raw = raw[8+width:]
		}
		return l
	}
	return &Network{In: read(Hidden, inputs), Out: read(outputs, Hidden)}, nil
}

// Scores are the probabilities of the characters of Alphabet.
type Scores [len(Alphabet)]float32

// Best is the likeliest character and its probability.
func (s Scores) Best() (byte, float64) {
	at := 0
	for i, v := range s {
		if v > s[at] {
			at = i
		}
	}
	return Alphabet[at], float64(s[at])
}

// Classify rates one cell.
func (n *Network) Classify(c Cell) Scores {
	var hidden [Hidden]float32
	for j := range hidden {
		sum := n.In.Bias[j]
		for i, w := range n.In.Weights[j*inputs : (j+1)*inputs] {
			sum += w * c[i]
		}
		hidden[j] = max(sum, 0)
	}
	var out Scores
	largest := float32(math.Inf(-1))
	for k := range out {
		sum := n.Out.Bias[k]
		for j, w := range n.Out.Weights[k*Hidden : (k+1)*Hidden] {
			sum += w * hidden[j]
		}
		out[k] = sum
		largest = max(largest, sum)
	}
	var total float32
	for k := range out {
		out[k] = float32(math.Exp(float64(out[k] - largest)))
		total += out[k]
	}
	for k := range out {
		out[k] /= total
	}
	return out
}

// Read classifies every cell of a line.
func (n *Network) Read(l Line) []Scores {
	out := make([]Scores, len(l.Cells))
	for i, c := range l.Cells {
		out[i] = n.Classify(c)
	}
	return out
}
