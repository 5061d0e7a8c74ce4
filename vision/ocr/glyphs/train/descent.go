package main

import (
	"math"
	"math/rand/v2"

	"kycd/vision/ocr/glyphs"
)

// moments are Adam's running means of the gradient and of its square (Kingma and Ba, 2015).
type moments struct{ weights, grad, mean, square []float32 }

func (m moments) apply(rate float32, step, batch int) {
	const b1, b2, decay = 0.9, 0.999, 1e-4
	c1 := float32(1 - math.Pow(b1, float64(step)))
	c2 := float32(1 - math.Pow(b2, float64(step)))
	for i, g := range m.grad {
		g /= float32(batch)
		m.mean[i] = b1*m.mean[i] + (1-b1)*g
		m.square[i] = b2*m.square[i] + (1-b2)*g*g
		m.weights[i] -= rate * ((m.mean[i]/c1)/(float32(math.Sqrt(float64(m.square[i]/c2)))+1e-8) + decay*m.weights[i])
		m.grad[i] = 0
	}
}

type trainer struct {
	net, grad *glyphs.Network
	moments   []moments
	step      int
}

func newTrainer(random *rand.Rand) *trainer {
	t := &trainer{net: glyphs.NewNetwork(), grad: glyphs.NewNetwork()}
	layers, grads := []glyphs.Layer{t.net.In, t.net.Out}, []glyphs.Layer{t.grad.In, t.grad.Out}
	for i, l := range layers {
		for k := range l.Weights {
			l.Weights[k] = float32(random.NormFloat64() * math.Sqrt(2/float64(len(l.Weights)/len(l.Bias))))
		}
		for _, p := range [][2][]float32{{l.Weights, grads[i].Weights}, {l.Bias, grads[i].Bias}} {
			t.moments = append(t.moments, moments{p[0], p[1], make([]float32, len(p[0])), make([]float32, len(p[0]))})
		}
	}
	return t
}

// epoch goes once over the samples in random order, in batches, and returns the mean loss.
func (t *trainer) epoch(samples []sample, rate float32, random *rand.Rand) float64 {
	const batch = 64
	loss := 0.0
	for n, i := range random.Perm(len(samples)) {
		loss += t.learn(&samples[i])
		if n%batch == batch-1 {
			t.step++
			for _, m := range t.moments {
				m.apply(rate, t.step, batch)
			}
		}
	}
	return loss / float64(len(samples))
}

// learn adds the gradient of the cross-entropy for one sample and returns the loss.
func (t *trainer) learn(s *sample) float64 {
	const smoothing = 0.02 // spread over the others, so that the network does not grow surer than it is right
	hidden := t.net.Activate(&s.cell)
	scores := t.net.Score(hidden)
	var back [glyphs.Hidden]float32
	for k, p := range scores {
		d := p - smoothing/float32(len(scores))
		if k == s.label {
			d -= 1 - smoothing
		}
		t.grad.Out.Bias[k] += d
		row, grad := t.net.Out.Row(k), t.grad.Out.Row(k)
		for j, h := range hidden {
			grad[j] += d * h
			back[j] += d * row[j]
		}
	}
	for j, h := range hidden {
		if h == 0 {
			continue
		}
		t.grad.In.Bias[j] += back[j]
		grad := t.grad.In.Row(j)
		for i, v := range s.cell {
			grad[i] += back[j] * v
		}
	}
	return -math.Log(math.Max(float64(scores[s.label]), 1e-12))
}
