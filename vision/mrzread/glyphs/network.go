package glyphs

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The neurons between raster and alphabet.
const (
	First  = 192
	Second = 96
)

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

// Network tells the characters apart: raster → First → Second rectified neurons → Alphabet.
type Network struct {
	In, Middle, Out Layer
}

// Layers are the network's layers in their order.
func (n *Network) Layers() [3]*Layer { return [3]*Layer{&n.In, &n.Middle, &n.Out} }

// Trained is the network that the program in train made.
func Trained() (*Network, error) { return Unmarshal(trained) }

// Marshal writes the weights: for each neuron its scale and bias as float32 little-endian, then its weights as bytes.
func (n *Network) Marshal() []byte {
	var out []byte
	for _, l := range n.Layers() {
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
	if want := First*(8+inputs) + Second*(8+First) + outputs*(8+Second); len(raw) != want {
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
	return &Network{In: read(First, inputs), Middle: read(Second, First), Out: read(outputs, Second)}, nil
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

// forward multiplies by the weights and adds the bias.
func (l *Layer) forward(in, out []float32) {
	for j := range out {
		row := l.Weights[j*len(in) : (j+1)*len(in)]
		x := in[:len(row)]
		// Four sums at once, so that no addition waits for the one before.
		var a, b, c, d float32
		for i := 0; i+3 < len(row); i += 4 {
			w, v := row[i:i+4:i+4], x[i:i+4:i+4]
			a += w[0] * v[0]
			b += w[1] * v[1]
			c += w[2] * v[2]
			d += w[3] * v[3]
		}
		out[j] = l.Bias[j] + (a + b) + (c + d)
	}
}

func rectify(values []float32) {
	for i, v := range values {
		values[i] = max(v, 0)
	}
}

// Classify rates one cell.
func (n *Network) Classify(c *Cell) Scores {
	var first [First]float32
	var second [Second]float32
	var out Scores
	n.In.forward(c[:], first[:])
	rectify(first[:])
	n.Middle.forward(first[:], second[:])
	rectify(second[:])
	n.Out.forward(second[:], out[:])
	out.Normalize()
	return out
}

// Normalize makes probabilities of the network's last sums.
func (s *Scores) Normalize() {
	largest := s[0]
	for _, v := range s {
		largest = max(largest, v)
	}
	var total float32
	for k := range s {
		s[k] = float32(math.Exp(float64(s[k] - largest)))
		total += s[k]
	}
	for k := range s {
		s[k] /= total
	}
}

// Read classifies every cell of a line.
func (n *Network) Read(l Line) []Scores {
	out := make([]Scores, len(l.Cells))
	for i := range l.Cells {
		out[i] = n.Classify(&l.Cells[i])
	}
	return out
}
