package main

import (
	"math"
	"math/rand/v2"

	"kycd/vision/quality/internal/cover"
)

const (
	epochs = 12
	batch  = 32
	rate   = 0.003 // at the start; it falls as a cosine does
	decay  = 0.1   // of weights, per unit of the rate
)

// sample is what the network sees of one side of an example, standardised.
type sample struct {
	x []float64
	y float64
}

// descend fits a network by Adam with decoupled decay (Loshchilov and Hutter, 2019), both classes weighing the same.
func descend(examples []example, use func(example) bool) cover.Network {
	var samples []sample
	positive := 0.0
	for _, e := range examples {
		if !use(e) {
			continue
		}
		y := 0.0
		if e.covered {
			y = 1
		}
		for _, x := range e.inputs {
			samples = append(samples, sample{append([]float64(nil), x...), y})
			positive += y
		}
	}
	mean, spread := standardise(samples)
	weigh := [2]float64{0.5 * float64(len(samples)) / (float64(len(samples)) - positive), 0.5 * float64(len(samples)) / positive}

	// All parameters in one list: inner weights row by row, inner biases, outer weights, bias.
	size := len(mean)
	count := cover.Hidden*size + 2*cover.Hidden + 1
	inner, outer := cover.Hidden*size, cover.Hidden*size+cover.Hidden
	rng := rand.New(rand.NewPCG(1, 7))
	w, gradient, first, second := make([]float64, count), make([]float64, count), make([]float64, count), make([]float64, count)
	for i := range inner {
		w[i] = rng.NormFloat64() / math.Sqrt(float64(size))
	}
	for i := outer; i < count-1; i++ {
		w[i] = rng.NormFloat64() / math.Sqrt(cover.Hidden)
	}
	order := rng.Perm(len(samples))
	step := 0.0
	for epoch := range epochs {
		rng.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
		speed := rate*(1+math.Cos(math.Pi*float64(epoch)/epochs))/2 + 1e-5
		for from := 0; from < len(order); from += batch {
			chosen := order[from:min(from+batch, len(order))]
			clear(gradient)
			for _, k := range chosen {
				s := samples[k]
				var h [cover.Hidden]float64
				z := w[count-1]
				for j := range h {
					a := w[inner+j]
					row := w[j*size : (j+1)*size]
					for i, v := range s.x {
						a += row[i] * v
					}
					h[j] = math.Tanh(a)
					z += w[outer+j] * h[j]
				}
				r := weigh[int(s.y)] * (1/(1+math.Exp(-z)) - s.y) / float64(len(chosen))
				for j := range h {
					back := r * w[outer+j] * (1 - h[j]*h[j])
					row := gradient[j*size : (j+1)*size]
					for i, v := range s.x {
						row[i] += back * v
					}
					gradient[inner+j] += back
					gradient[outer+j] += r * h[j]
				}
				gradient[count-1] += r
			}
			step++
			for i, g := range gradient {
				first[i] = 0.9*first[i] + 0.1*g
				second[i] = 0.999*second[i] + 0.001*g*g
				move := first[i] / (1 - math.Pow(0.9, step)) / (math.Sqrt(second[i]/(1-math.Pow(0.999, step))) + 1e-8)
				if i < inner || i >= outer && i < count-1 {
					move += decay * w[i]
				}
				w[i] -= speed * move
			}
		}
	}

	// The network takes features as they are: the standardisation goes into its weights.
	net := cover.Network{Biases: w[inner:outer], Outer: w[outer : count-1], Bias: w[count-1]}
	for j := range cover.Hidden {
		row := w[j*size : (j+1)*size]
		for i := range row {
			row[i] /= spread[i]
			net.Biases[j] -= row[i] * mean[i]
		}
		net.Inner = append(net.Inner, row)
	}
	return net
}

// standardise brings every feature to a mean of 0 and a spread of 1.
func standardise(samples []sample) (mean, spread []float64) {
	n := float64(len(samples))
	mean, spread = make([]float64, len(samples[0].x)), make([]float64, len(samples[0].x))
	for _, s := range samples {
		for i, v := range s.x {
			mean[i] += v / n
		}
	}
	for _, s := range samples {
		for i, v := range s.x {
			spread[i] += (v - mean[i]) * (v - mean[i]) / n
		}
	}
	for i := range spread {
		spread[i] = math.Sqrt(spread[i]) + 1e-6
	}
	for _, s := range samples {
		for i := range s.x {
			s.x[i] = (s.x[i] - mean[i]) / spread[i]
		}
	}
	return mean, spread
}
