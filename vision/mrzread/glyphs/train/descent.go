package main

import (
	"math"
	"math/rand/v2"

	"kycd/vision/mrzread/glyphs"
)

func newNetwork(random *rand.Rand) *glyphs.Network {
	layer := func(neurons, width int) glyphs.Layer {
		l := glyphs.Layer{Weights: make([]float32, neurons*width), Bias: make([]float32, neurons)}
		for i := range l.Weights {
			l.Weights[i] = float32(random.NormFloat64() * math.Sqrt(2/float64(width)))
		}
		return l
	}
	return &glyphs.Network{
		In:  layer(glyphs.Hidden, glyphs.CellWidth*glyphs.CellHeight),
		Out: layer(len(glyphs.Alphabet), glyphs.Hidden),
	}
}

// moments are Adam's running means of the gradient and of its square (Kingma and Ba, 2015).
type moments struct{ grad, mean, square []float32 }

func newMoments(n int) moments {
	return moments{make([]float32, n), make([]float32, n), make([]float32, n)}
}

func (m moments) apply(weights []float32, rate float32, step int) {
	const b1, b2, decay = 0.9, 0.999, 1e-4
	c1 := float32(1 - math.Pow(b1, float64(step)))
	c2 := float32(1 - math.Pow(b2, float64(step)))
	for i, g := range m.grad {
		m.mean[i] = b1*m.mean[i] + (1-b1)*g
		m.square[i] = b2*m.square[i] + (1-b2)*g*g
		weights[i] -= rate * ((m.mean[i]/c1)/(float32(math.Sqrt(float64(m.square[i]/c2)))+1e-8) + decay*weights[i])
		m.grad[i] = 0
	}
}

type trainer struct {
	net                  *glyphs.Network
	inW, inB, outW, outB moments
	step                 int
}

func newTrainer(n *glyphs.Network) *trainer {
	return &trainer{
		net: n,
		inW: newMoments(len(n.In.Weights)), inB: newMoments(len(n.In.Bias)),
		outW: newMoments(len(n.Out.Weights)), outB: newMoments(len(n.Out.Bias)),
	}
}

// epoch goes once over the samples in random order, in batches of 64, and returns the mean loss.
func (t *trainer) epoch(samples []sample, rate float32, random *rand.Rand) float64 {
	const batch = 64
	loss := 0.0
	for n, i := range random.Perm(len(samples)) {
		loss += t.learn(&samples[i])
		if n%batch == batch-1 {
			t.step++
			for _, m := range []struct {
				m moments
				w []float32
			}{{t.inW, t.net.In.Weights}, {t.inB, t.net.In.Bias}, {t.outW, t.net.Out.Weights}, {t.outB, t.net.Out.Bias}} {
				for k := range m.m.grad {
					m.m.grad[k] /= batch
				}
				m.m.apply(m.w, rate, t.step)
			}
		}
	}
	return loss / float64(len(samples))
}

// learn adds the gradient of the cross-entropy for one sample.
func (t *trainer) learn(s *sample) float64 {
	const (
		inputs    = glyphs.CellWidth * glyphs.CellHeight
		smoothing = 0.03
	)
	var hidden, back [glyphs.Hidden]float32
	for j := range hidden {
		sum := t.net.In.Bias[j]
		for i, w := range t.net.In.Weights[j*inputs : (j+1)*inputs] {
			sum += w * s.cell[i]
		}
		hidden[j] = max(sum, 0)
	}
	scores := t.net.Classify(s.cell)
	for k, p := range scores {
		// A little of the truth is spread over the other characters, so that the network does not grow surer than it is right.
		d := p - smoothing/float32(len(scores))
		if k == s.label {
			d -= 1 - smoothing
		}
		t.outB.grad[k] += d
		row := k * glyphs.Hidden
		for j, h := range hidden {
			t.outW.grad[row+j] += d * h
			back[j] += d * t.net.Out.Weights[row+j]
		}
	}
	for j, h := range hidden {
		if h == 0 {
			continue
		}
		t.inB.grad[j] += back[j]
		grad := t.inW.grad[j*inputs : (j+1)*inputs]
		for i, v := range s.cell {
			grad[i] += back[j] * v
		}
	}
	return -math.Log(math.Max(float64(scores[s.label]), 1e-12))
}
