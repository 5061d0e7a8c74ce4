package fusion

import (
	"cmp"
	"math"
	"slices"
)

// Sample is one labelled face with what was measured on it.
type Sample struct {
	Live    bool
	Subject string             // samples of one subject are never on both sides of a judgement
	Cues    map[string]float64 // as vision.Liveness.Cues
}

// Fit maximises the penalised likelihood of a logistic regression over the inputs, by coordinate-wise Newton steps.
// A weight whose sign contradicts what its input means is held at zero, so that a chance of few samples cannot turn
// evidence around. Within its class every subject weighs the same, so that many pictures of one
// person do not outvote the rest; the classes weigh the same, so the score is the probability of a live person
// where people and attacks are equally likely.
func Fit(samples []Sample, inputs []Input, ridge float64) Model {
	shares := Shares(samples)
	rows := make([][]float64, len(inputs)) // input by input, standardised
	m := Model{Terms: make([]Term, len(inputs))}
	for i, in := range inputs {
		t := Term{Input: in}
		t.Mean, t.Spread = moments(samples, shares, in)
		rows[i] = make([]float64, len(samples))
		for j, s := range samples {
			rows[i][j] = t.standard(s.Cues)
		}
		m.Terms[i] = t
	}
	sums := make([]float64, len(samples)) // log-odds so far
	for range maxRounds {
		moved := m.improve(samples, shares, rows, sums, ridge)
		if moved < 1e-9 {
			break
		}
	}
	return m
}

// maxRounds bounds the rounds over all coordinates; a fit takes some dozens.
const maxRounds = 2000

// improve takes one Newton step in each coordinate and tells the largest.
func (m *Model) improve(samples []Sample, shares []float64, rows [][]float64, sums []float64, ridge float64) (moved float64) {
	step := func(row []float64, old, penalty float64, sign int) float64 {
		slope, bend := -penalty*old, penalty+1e-9
		for j, s := range samples {
			p := sigmoid(sums[j])
			x := 1.0
			if row != nil {
				x = row[j]
			}
			label := 0.0
			if s.Live {
				label = 1
			}
			slope += shares[j] * (label - p) * x
			bend += shares[j] * p * (1 - p) * x * x
		}
		value := old + min(max(slope/bend, -1), 1)
		if value*float64(sign) < 0 {
			value = 0
		}
		for j := range sums {
			if row == nil {
				sums[j] += value - old
			} else {
				sums[j] += (value - old) * row[j]
			}
		}
		moved = max(moved, math.Abs(value-old))
		return value
	}
	m.Bias = step(nil, m.Bias, 0, 0)
	for i := range m.Terms {
		m.Terms[i].Weight = step(rows[i], m.Terms[i].Weight, ridge, m.Terms[i].Sign)
	}
	return moved
}

// Shares gives each sample its share of a total of 1: both classes have the same, and within a class every subject.
func Shares(samples []Sample) []float64 {
	type group struct {
		live    bool
		subject string
	}
	count := map[group]int{}
	subjects := map[bool]int{}
	for _, s := range samples {
		g := group{s.Live, s.Subject}
		if count[g] == 0 {
			subjects[s.Live]++
		}
		count[g]++
	}
	shares := make([]float64, len(samples))
	for i, s := range samples {
		shares[i] = 0.5 / float64(subjects[s.Live]) / float64(count[group{s.Live, s.Subject}])
	}
	return shares
}

// moments gives the weighted mean and spread of an input where it was measured; a spread is never 0.
func moments(samples []Sample, shares []float64, in Input) (mean, spread float64) {
	total := 1e-12
	each := func(work func(share, v float64)) {
		for j, s := range samples {
			if v, ok := in.limited(s.Cues); ok {
				work(shares[j], v)
			}
		}
	}
	each(func(share, v float64) { mean, total = mean+share*v, total+share })
	mean /= total
	each(func(share, v float64) { spread += share * (v - mean) * (v - mean) })
	return mean, max(math.Sqrt(spread/total), 1e-9)
}

// LeaveOut scores every sample by a model that never saw its subject. Samples for which trains is false are scored and
// never fitted on.
func LeaveOut(samples []Sample, fit func([]Sample) Model, trains func(i int) bool) []float64 {
	scores := make([]float64, len(samples))
	models := map[string]Model{}
	for i, s := range samples {
		m, ok := models[s.Subject]
		if !ok {
			var others []Sample
			for j, o := range samples {
				if o.Subject != s.Subject && trains(j) {
					others = append(others, o)
				}
			}
			m = fit(others)
			models[s.Subject] = m
		}
		scores[i] = m.Score(s.Cues)
	}
	return scores
}

// AUC is the probability that a live sample scores above an attack, ties counting half.
func AUC(samples []Sample, scores []float64) float64 {
	order := make([]int, len(samples))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	attacks, live, wins := 0.0, 0.0, 0.0
	for i := 0; i < len(order); {
		tiedLive, tiedAttacks, j := 0.0, 0.0, i
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			if samples[order[j]].Live {
				tiedLive++
			} else {
				tiedAttacks++
			}
		}
		wins += tiedLive * (attacks + tiedAttacks/2)
		live, attacks, i = live+tiedLive, attacks+tiedAttacks, j
	}
	return wins / (live * attacks)
}
