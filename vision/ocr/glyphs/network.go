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

// ErrWeights is returned for weights that are not of this network.
var ErrWeights = errors.New("print_weights_invalid")

//go:embed weights.bin
var trained []byte

// Layer is fully connected: for each of its neurons a row of weights and a bias.
type Layer struct {
	Weights []float32
	Bias    []float32
}

// NewLayer is a layer of zeros.
func NewLayer(neurons, width int) Layer {
	return Layer{Weights: make([]float32, neurons*width), Bias: make([]float32, neurons)}
}

// Row are the weights of neuron j.
func (l Layer) Row(j int) []float32 {
	width := len(l.Weights) / len(l.Bias)
	return l.Weights[j*width : (j+1)*width]
}

// Network is raster → Hidden rectified neurons → Alphabet.
type Network struct{ In, Out Layer }

// NewNetwork is a network of zeros.
func NewNetwork() *Network {
	return &Network{In: NewLayer(Hidden, Width*Height), Out: NewLayer(len(Alphabet), Hidden)}
}

// Trained is the network that the program in train made.
func Trained() (*Network, error) { return Unmarshal(trained) }

// Marshal writes for each neuron its scale and bias, float32 little-endian, and its weights, a byte each.
func (n *Network) Marshal() []byte {
	var out []byte
	for _, l := range []Layer{n.In, n.Out} {
		for j, bias := range l.Bias {
			largest := float32(1e-9)
			for _, w := range l.Row(j) {
				largest = max(largest, w, -w)
			}
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(largest/127))
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(bias))
			for _, w := range l.Row(j) {
				out = append(out, byte(int8(math.Round(float64(w/largest*127)))))
			}
		}
	}
	return out
}

// Unmarshal reads what Marshal wrote. The error wraps ErrWeights.
func Unmarshal(raw []byte) (*Network, error) {
	if want := Hidden*(8+Width*Height) + len(Alphabet)*(8+Hidden); len(raw) != want {
		return nil, fmt.Errorf("%w: %d bytes, want %d", ErrWeights, len(raw), want)
	}
	n := NewNetwork()
	for _, l := range []Layer{n.In, n.Out} {
		for j := range l.Bias {
			scale := math.Float32frombits(binary.LittleEndian.Uint32(raw))
			l.Bias[j] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4:]))
			row := l.Row(j)
			for i := range row {
				row[i] = scale * float32(int8(raw[8+i]))
			}
			raw = raw[8+len(row):]
		}
	}
	return n, nil
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

// Activate gives the rectified values of the hidden neurons for a cell.
func (n *Network) Activate(c *Cell) (hidden [Hidden]float32) {
	for j := range hidden {
		sum := n.In.Bias[j]
		for i, w := range n.In.Row(j) {
			sum += w * c[i]
		}
		hidden[j] = max(sum, 0)
	}
	return hidden
}

// Classify rates one cell.
func (n *Network) Classify(c *Cell) Scores { return n.Score(n.Activate(c)) }

// Score gives the probabilities from the hidden neurons.
func (n *Network) Score(hidden [Hidden]float32) (out Scores) {
	largest := float32(math.Inf(-1))
	for k := range out {
		sum := n.Out.Bias[k]
		for j, w := range n.Out.Row(k) {
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
