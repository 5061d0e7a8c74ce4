// Command train fits the texture model that stands in for MiniFASNet, and judges both.
//
//	go run ./vision/liveness/train --models data/models --labels DIR/labels.csv
//
// labels.csv has the columns image, label (genuine or attack; others are left out), attack_type, subject;
// images are named relative to its folder. The judgement is by cross-validation that leaves whole subjects
// out. It prints the table that stands in vision/liveness/texture.go.
package main

import (
	"encoding/csv"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"

	"kycd/vision/face"
	"kycd/vision/imaging"
	"kycd/vision/liveness"
)

// sample is one labelled face.
type sample struct {
	live    bool
	kind    string // of attack
	subject string
	cues    []float64
	network float64 // score of the network
}

func main() {
	models := flag.String("models", "data/models", "folder of the weights")
	labels := flag.String("labels", "", "labels.csv")
	ridge := flag.Float64("ridge", 1, "strength of the penalty on weights")
	flag.Parse()
	if err := run(*models, *labels, *ridge); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(models, labels string, ridge float64) error {
	samples, networkMeasured, err := measure(models, labels)
	if err != nil {
		return err
	}
	held := crossValidate(samples, ridge)
	fmt.Printf("texture cues, subjects left out: AUC %.3f\n", auc(samples, func(i int) float64 { return held[i] }))
	if networkMeasured {
		fmt.Printf("network: AUC %.3f\n", auc(samples, func(i int) float64 { return samples[i].network }))
	}
	for i, name := range liveness.Names() {
		fmt.Printf("  %s alone: AUC %.3f\n", name, auc(samples, func(s int) float64 { return samples[s].cues[i] }))
	}
	printKinds(samples, held)
	m := fit(samples, ridge)
	fmt.Printf("\nbias %.4f\n", m.bias)
	for i, name := range liveness.Names() {
		fmt.Printf("\t{%.5g, %.5g, %.4f}, // %s\n", m.mean[i], m.spread[i], m.weight[i], name)
	}
	return nil
}

// measure finds the main face of every labelled picture and measures it.
func measure(models, labels string) (samples []sample, networkMeasured bool, err error) {
	file, err := os.Open(labels)
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, false, err
	}
	finder, err := face.NewFinder(models)
	if err != nil {
		return nil, false, err
	}
	defer finder.Close()
	scorer, err := liveness.NewScorer(models)
	if err != nil {
		return nil, false, err
	}
	defer scorer.Close()

	for _, row := range rows[1:] {
		if row[1] != "genuine" && row[1] != "attack" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(filepath.Dir(labels), row[0]))
		if err != nil {
			return nil, false, err
		}
		pic, err := imaging.Decode(data, imaging.Options{})
		if err != nil {
			return nil, false, fmt.Errorf("%s: %w", row[0], err)
		}
		found, err := finder.Find(pic)
		if err != nil {
			return nil, false, err
		}
		if len(found) == 0 {
			fmt.Fprintln(os.Stderr, "no face:", row[0])
			continue
		}
		box := found[0].Box(1)
		cues, err := liveness.MeasureCues(pic, box)
		if err != nil {
			return nil, false, err
		}
		live, err := scorer.Score(pic, box)
		if err != nil {
			return nil, false, fmt.Errorf("%s: %w", row[0], err)
		}
		samples = append(samples, sample{
			live:    row[1] == "genuine",
			kind:    row[2],
			subject: row[3],
			cues:    cues.Values(),
			network: live.Score,
		})
	}
	return samples, !scorer.Degraded(), nil
}

// model is a logistic regression over standardised values.
type model struct {
	bias                 float64
	mean, spread, weight []float64
}

func (m model) score(values []float64) float64 {
	sum := m.bias
	for i, v := range values {
		sum += m.weight[i] * (v - m.mean[i]) / m.spread[i]
	}
	return 1 / (1 + math.Exp(-sum))
}

// crossValidate scores every sample by a model that never saw its subject.
func crossValidate(samples []sample, ridge float64) []float64 {
	held := make([]float64, len(samples))
	models := map[string]model{}
	for i, s := range samples {
		m, ok := models[s.subject]
		if !ok {
			var others []sample
			for _, o := range samples {
				if o.subject != s.subject {
					others = append(others, o)
				}
			}
			m = fit(others, ridge)
			models[s.subject] = m
		}
		held[i] = m.score(s.cues)
	}
	return held
}

// fit maximises the penalised likelihood by gradient ascent. Every subject weighs the same within its
// class, and both classes weigh the same, so that many pictures of one person do not outvote the rest.
func fit(samples []sample, ridge float64) model {
	n := len(samples[0].cues)
	m := model{mean: make([]float64, n), spread: make([]float64, n), weight: make([]float64, n)}
	weights := balance(samples)
	for i := range n {
		for j, s := range samples {
			m.mean[i] += weights[j] * s.cues[i]
		}
		for j, s := range samples {
			m.spread[i] += weights[j] * (s.cues[i] - m.mean[i]) * (s.cues[i] - m.mean[i])
		}
		m.spread[i] = math.Max(math.Sqrt(m.spread[i]), 1e-9)
	}
	gradient := make([]float64, n)
	for range 5000 {
		clear(gradient)
		bias := 0.0
		for j, s := range samples {
			label := 0.0
			if s.live {
				label = 1
			}
			miss := weights[j] * (label - m.score(s.cues))
			bias += miss
			for i, v := range s.cues {
				gradient[i] += miss * (v - m.mean[i]) / m.spread[i]
			}
		}
		const rate = 0.5
		m.bias += rate * bias
		for i := range gradient {
			m.weight[i] += rate * (gradient[i] - ridge*m.weight[i])
		}
	}
	return m
}

// balance gives each sample its share of a total of 1.
func balance(samples []sample) []float64 {
	type class struct {
		live    bool
		subject string
	}
	count := map[class]int{}
	subjects := map[bool]int{}
	for _, s := range samples {
		c := class{s.live, s.subject}
		if count[c] == 0 {
			subjects[s.live]++
		}
		count[c]++
	}
	weights := make([]float64, len(samples))
	for i, s := range samples {
		weights[i] = 0.5 / float64(subjects[s.live]) / float64(count[class{s.live, s.subject}])
	}
	return weights
}

// auc is the probability that a live sample scores above an attack, ties counting half.
func auc(samples []sample, score func(int) float64) float64 {
	wins, pairs := 0.0, 0
	for i, live := range samples {
		if !live.live {
			continue
		}
		for j, attack := range samples {
			if attack.live {
				continue
			}
			pairs++
			switch a, b := score(i), score(j); {
			case a > b:
				wins++
			case a == b:
				wins += 0.5
			}
		}
	}
	return wins / float64(pairs)
}

func printKinds(samples []sample, held []float64) {
	mean := map[string][3]float64{}
	for i, s := range samples {
		kind := s.kind
		if s.live {
			kind = "genuine"
		}
		m := mean[kind]
		mean[kind] = [3]float64{m[0] + 1, m[1] + held[i], m[2] + s.network}
	}
	var kinds []string
	for kind := range mean {
		kinds = append(kinds, kind)
	}
	sort.Strings(kinds)
	for _, kind := range kinds {
		m := mean[kind]
		fmt.Printf("  %-15s %2.0f pictures, mean score: cues %.2f, network %.2f\n", kind, m[0], m[1]/m[0], m[2]/m[0])
	}
}
