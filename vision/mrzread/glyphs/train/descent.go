package main

import (
	"math"
	"math/rand/v2"
	"sync"

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
		In:     layer(glyphs.First, glyphs.CellWidth*glyphs.CellHeight),
		Middle: layer(glyphs.Second, glyphs.First),
		Out:    layer(len(glyphs.Alphabet), glyphs.Second),
	}
}

// moments are Adam's running means of the gradient and of its square (Kingma and Ba, 2015).
type moments struct{ mean, square []float32 }

func (m moments) apply(weights, grad []float32, rate float32, step int) {
	const b1, b2, decay = 0.9, 0.999, 1e-4
	c1 := float32(1 - math.Pow(b1, float64(step)))
	c2 := float32(1 - math.Pow(b2, float64(step)))
	for i, g := range grad {
		m.mean[i] = b1*m.mean[i] + (1-b1)*g
		m.square[i] = b2*m.square[i] + (1-b2)*g*g
		weights[i] -= rate * ((m.mean[i]/c1)/(float32(math.Sqrt(float64(m.square[i]/c2)))+1e-8) + decay*weights[i])
	}
}

// gradients of the three layers' weights and biases.
type gradients [6][]float32

func newGradients(n *glyphs.Network) (g gradients) {
	for i, l := range n.Layers() {
		g[2*i], g[2*i+1] = make([]float32, len(l.Weights)), make([]float32, len(l.Bias))
	}
	return g
}

type trainer struct {
	net     *glyphs.Network
	moments [6]moments
	step    int
}

func newTrainer(n *glyphs.Network) *trainer {
	t := &trainer{net: n}
	mean, square := newGradients(n), newGradients(n)
	for i := range t.moments {
		t.moments[i] = moments{mean[i], square[i]}
	}
	return t
}

// A batch is parted among workers; its parts, and so the sums, do not depend on how many cores there are.
const (
	workers = 2
	part    = 64
)

// epoch goes once over the samples in random order and returns the mean loss.
func (t *trainer) epoch(samples []sample, rate float32, random *rand.Rand) float64 {
	order := random.Perm(len(samples))
	loss := 0.0
	var grads [workers]gradients
	for k := range grads {
		grads[k] = newGradients(t.net)
	}
	for len(order) >= workers*part {
		var losses [workers]float64
		var done sync.WaitGroup
		for k := range workers {
			mine := order[k*part : (k+1)*part]
			done.Go(func() { losses[k] = t.learn(samples, mine, grads[k]) })
		}
		done.Wait()
		order = order[workers*part:]
		t.step++
		for _, l := range losses {
			loss += l
		}
		for i, l := range t.net.Layers() {
			for side, weights := range [][]float32{l.Weights, l.Bias} {
				sum := grads[0][2*i+side]
				for _, g := range grads[1:] {
					for j, v := range g[2*i+side] {
						sum[j] += v
					}
					clear(g[2*i+side])
				}
				for j := range sum {
					sum[j] /= workers * part
				}
				t.moments[2*i+side].apply(weights, sum, rate, t.step)
				clear(sum)
			}
		}
	}
	return loss / float64(len(samples))
}

// smoothing spreads a little of the truth over the other characters, so that the network does not grow surer than it is right.
const smoothing = 0.02

// learn adds the gradient of the cross-entropy of some samples and returns their loss.
func (t *trainer) learn(samples []sample, chosen []int, g gradients) float64 {
	const outputs = len(glyphs.Alphabet)
	n, batch := t.net, len(chosen)
	x := make([]float32, 0, batch*glyphs.CellWidth*glyphs.CellHeight)
	for _, i := range chosen {
		for _, v := range samples[i].cell {
			x = append(x, float32(v)/255)
		}
	}
	first, second := make([]float32, batch*glyphs.First), make([]float32, batch*glyphs.Second)
	sums := make([]float32, batch*outputs)
	forward(&n.In, x, first)
	rectify(first)
	forward(&n.Middle, first, second)
	rectify(second)
	forward(&n.Out, second, sums)
	loss := 0.0
	for b, i := range chosen {
		scores := glyphs.Scores(sums[b*outputs : (b+1)*outputs])
		scores.Normalize()
		loss -= math.Log(math.Max(float64(scores[samples[i].label]), 1e-12))
		for k, p := range scores {
			d := p - smoothing/float32(outputs)
			if k == samples[i].label {
				d -= 1 - smoothing
			}
			sums[b*outputs+k] = d
		}
	}
	dSecond, dFirst := make([]float32, len(second)), make([]float32, len(first))
	backward(&n.Out, second, sums, g[4], g[5], dSecond)
	silence(dSecond, second)
	backward(&n.Middle, first, dSecond, g[2], g[3], dFirst)
	silence(dFirst, first)
	backward(&n.In, x, dFirst, g[0], g[1], nil)
	return loss
}

func rectify(values []float32) {
	for i, v := range values {
		values[i] = max(v, 0)
	}
}

// silence lets no gradient through neurons that did not fire.
func silence(grad, values []float32) {
	for i, v := range values {
		if v == 0 {
			grad[i] = 0
		}
	}
}
