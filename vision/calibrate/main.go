// Command calibrate fits the probability that two faces belong to one person to their distance, and tells
// what each tolerance costs.
//
//	kycd-vision compare --pairs pairs.csv --root DIR --json > distances.jsonl
//	go run ./vision/calibrate pairs.csv distances.jsonl
//
// pairs.csv has the columns image_a, image_b, same_person (1 or 0); a person is the folder of an image. The
// people are split in two by a hash of their name: each half is judged by the curve fitted on the other, so
// that nobody is in both. The curve fitted on all, which it prints last, stands in vision/calibration.go.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"sort"

	"kycd/vision/binomial"
)

type pair struct {
	distance   float64
	same       bool
	halfA      int // of the person in the first picture: 0 or 1
	halfB      int
	comparable bool
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: calibrate pairs.csv distances.jsonl")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "calibrate:", err)
		os.Exit(1)
	}
}

func run(pairsPath, distancesPath string) error {
	pairs, err := readPairs(pairsPath, distancesPath)
	if err != nil {
		return err
	}
	var halves [2][]pair
	var all []pair
	for _, p := range pairs {
		if !p.comparable {
			continue
		}
		all = append(all, p)
		if p.halfA == p.halfB {
			halves[p.halfA] = append(halves[p.halfA], p)
		}
	}
	if len(halves[0]) == 0 || len(halves[1]) == 0 {
		return errors.New("too few people to split")
	}
	fmt.Printf("%d of %d pairs could be compared\n", len(all), len(pairs))
	for i, fitted := range halves {
		curve := fitLogistic(fitted)
		report(fmt.Sprintf("half %d, judged by the curve of the other half", 2-i), halves[1-i], curve)
	}
	report("all pairs, with the curve fitted on all of them", all, fitLogistic(all))
	return nil
}

// readPairs joins the labels with the distances, line by line.
func readPairs(pairsPath, distancesPath string) ([]pair, error) {
	labels, err := os.Open(pairsPath)
	if err != nil {
		return nil, err
	}
	defer labels.Close()
	rows, err := csv.NewReader(labels).ReadAll()
	if err != nil {
		return nil, err
	}
	distances, err := os.Open(distancesPath)
	if err != nil {
		return nil, err
	}
	defer distances.Close()

	var pairs []pair
	lines := bufio.NewScanner(distances)
	for _, row := range rows[1:] {
		if len(row) < 3 || !lines.Scan() {
			return nil, fmt.Errorf("%s and %s do not belong together", pairsPath, distancesPath)
		}
		var line struct {
			A        string   `json:"a"`
			B        string   `json:"b"`
			Distance *float64 `json:"distance"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, err
		}
		if line.A != row[0] || line.B != row[1] {
			return nil, fmt.Errorf("%s and %s are not in the same order", pairsPath, distancesPath)
		}
		p := pair{same: row[2] == "1", halfA: half(row[0]), halfB: half(row[1])}
		if line.Distance != nil {
			p.distance, p.comparable = *line.Distance, true
		}
		pairs = append(pairs, p)
	}
	return pairs, lines.Err()
}

// half puts a person into half 0 or 1.
func half(image string) int {
	sum := sha256.Sum256([]byte(path.Dir(image)))
	return int(sum[0] & 1)
}

// logistic gives the probability 1/(1+exp(slope·(distance−middle))).
type logistic struct{ middle, slope float64 }

func (l logistic) at(distance float64) float64 {
	return 1 / (1 + math.Exp(l.slope*(distance-l.middle)))
}

// fitLogistic maximises the likelihood with both classes weighing the same, by Newton's method.
func fitLogistic(pairs []pair) logistic {
	var same, other float64
	for _, p := range pairs {
		if p.same {
			same++
		} else {
			other++
		}
	}
	a, b := 0.0, 0.0 // log-odds = a + b·(distance−0.5)
	for range 50 {
		var ga, gb, haa, hab, hbb float64
		for _, p := range pairs {
			x, weight, label := p.distance-0.5, 0.5/other, 0.0
			if p.same {
				weight, label = 0.5/same, 1.0
			}
			q := 1 / (1 + math.Exp(-(a + b*x)))
			ga += weight * (label - q)
			gb += weight * (label - q) * x
			h := weight * q * (1 - q)
			haa, hab, hbb = haa+h, hab+h*x, hbb+h*x*x
		}
		det := haa*hbb - hab*hab
		a += (hbb*ga - hab*gb) / det
		b += (haa*gb - hab*ga) / det
	}
	return logistic{middle: 0.5 - a/b, slope: -b}
}

func report(name string, pairs []pair, curve logistic) {
	var same, other []float64
	brier := 0.0
	for _, p := range pairs {
		probability := curve.at(p.distance)
		if p.same {
			same = append(same, p.distance)
			brier += (1 - probability) * (1 - probability)
		} else {
			other = append(other, p.distance)
			brier += probability * probability
		}
	}
	sort.Float64s(same)
	sort.Float64s(other)
	fmt.Printf("\n%s\nprobability = 1/(1+exp(%.3f·(distance−%.4f))); %d same, %d different, AUC %.4f, Brier score %.4f\n", name, curve.slope, curve.middle, len(same), len(other), auc(same, other), brier/float64(len(pairs)))
	fmt.Println("tolerance  FMR [95 % bounds]                FNMR [95 % bounds]")
	const tail = 0.025 // on each side of 95 %
	for t := 0.30; t < 0.605; t += 0.01 {
		falseMatch := sort.SearchFloat64s(other, math.Nextafter(t, 1))
		falseNon := len(same) - sort.SearchFloat64s(same, math.Nextafter(t, 1))
		fmLow, fmHigh := binomial.Lower(falseMatch, len(other), tail), binomial.Upper(falseMatch, len(other), tail)
		fnLow, fnHigh := binomial.Lower(falseNon, len(same), tail), binomial.Upper(falseNon, len(same), tail)
		fmt.Printf("%.3f      %3d/%d = %.4f [%.4f, %.4f]   %3d/%d = %.4f [%.4f, %.4f]\n", t,
			falseMatch, len(other), float64(falseMatch)/float64(len(other)), fmLow, fmHigh,
			falseNon, len(same), float64(falseNon)/float64(len(same)), fnLow, fnHigh)
	}
}

// auc is the probability that a same-person pair is nearer than another; both slices are sorted.
func auc(same, other []float64) float64 {
	sum := 0
	for _, d := range other {
		sum += sort.SearchFloat64s(same, d)
	}
	return float64(sum) / float64(len(same)) / float64(len(other))
}
