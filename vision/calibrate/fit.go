package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"slices"

	"kycd/vision"
	"kycd/vision/binomial"
)

const (
	// secondWeight is the second encoder's share of the squared distance. weighWithinHalves shows what others cost: between
	// 0.2 and 0.5 hardly anything, in either half of the people.
	secondWeight = 0.35
	// promised is what the false match rate is held to, by its one-sided 95 % bound.
	promised = 1e-3
	// ruled is where the common distance breaks that promise: just beyond vision.DefaultFaceTolerance.
	ruled = vision.DefaultFaceTolerance + 0.0005
)

// pair is two pictures and the squared distances of their encodings.
type pair struct {
	same, listed  bool
	half          int  // of the people in both: 0 or 1; -1 if they are in different halves
	fused         bool // both have both encodings
	first, second float64
}

// distance is the fused one; a weight of 0 gives the first encoder's alone. What was not measured is no match.
func (p pair) distance(weight, scale float64) float64 {
	if weight > 0 && !p.fused {
		return math.Inf(1)
	}
	return scale * math.Sqrt((1-weight)*p.first+weight*p.second)
}

// pairsOf compares every picture with every other.
func pairsOf(images []string, templates map[string]vision.Template, listed map[[2]string]bool) []pair {
	squared := func(a, b vision.Template, encoder string) (float64, bool) {
		d, err := vision.Distance(a.By(encoder), b.By(encoder))
		return d * d, err == nil
	}
	var pairs []pair
	for i, a := range images {
		for _, b := range images[i+1:] {
			p := pair{same: person(a) == person(b), listed: listed[[2]string{a, b}], half: -1}
			if half(person(a)) == half(person(b)) {
				p.half = half(person(a))
			}
			var ok bool
			if p.first, ok = squared(templates[a], templates[b], vision.FaceEncoder); !ok {
				p.first = math.Inf(1)
			}
			p.second, p.fused = squared(templates[a], templates[b], vision.SecondFaceEncoder)
			p.fused = p.fused && ok
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// half puts a person into half 0 or 1.
func half(person string) int {
	sum := sha256.Sum256([]byte(person))
	return int(sum[0] & 1)
}

func inBothHalves(pairs []pair) bool {
	var has [2][2]bool
	for _, p := range pairs {
		if p.half >= 0 {
			has[p.half][map[bool]int{false: 0, true: 1}[p.same]] = true
		}
	}
	return has == [2][2]bool{{true, true}, {true, true}}
}

// split gives the distances of pairs of one person and of two, ascending.
func split(pairs []pair, of func(pair) bool, distance func(pair) float64) (same, other []float64) {
	for _, p := range pairs {
		switch {
		case !of(p):
		case p.same:
			same = append(same, distance(p))
		default:
			other = append(other, distance(p))
		}
	}
	slices.Sort(same)
	slices.Sort(other)
	return same, other
}

func anyPair(pair) bool      { return true }
func listedPair(p pair) bool { return p.listed }

func inHalf(which int) func(pair) bool { return func(p pair) bool { return p.half == which } }

// refusedAt is the share of pairs of one person that are refused where a share of strangers pass.
func refusedAt(same, other []float64, share float64) float64 {
	return refused(same, math.Nextafter(other[int(share*float64(len(other))+1e-9)], 0))
}

func refused(same []float64, tolerance float64) float64 {
	return float64(len(same)-upTo(same, tolerance)) / float64(len(same))
}

// upTo counts the values up to and including a tolerance.
func upTo(sorted []float64, tolerance float64) int {
	n, _ := slices.BinarySearch(sorted, math.Nextafter(tolerance, math.Inf(1)))
	return n
}

// weighWithinHalves tells for each half which weight of the second encoder is best there, and what it gives in the other. What
// counts is the mean of the false non-matches where 0.1, 0.3, 1 and 3 % of strangers pass.
func weighWithinHalves(out io.Writer, pairs []pair) {
	shares := []float64{0.001, 0.003, 0.01, 0.03}
	cost := func(which int, weight float64) (mean float64, each []float64) {
		same, other := split(pairs, inHalf(which), func(p pair) float64 { return p.distance(weight, 1) })
		for _, share := range shares {
			each = append(each, refusedAt(same, other, share))
			mean += each[len(each)-1] / float64(len(shares))
		}
		return mean, each
	}
	for which := range 2 {
		fmt.Fprintf(out, "\nhalf %d: false non-matches where 0.1, 0.3, 1 and 3 %% of strangers pass, by the second encoder's weight\n", which+1)
		best, least := 0.0, math.Inf(1)
		for tenth := 0; tenth <= 10; tenth++ {
			weight := float64(tenth) / 10
			mean, each := cost(which, weight)
			fmt.Fprintf(out, "%.1f  %.3f  mean %.4f\n", weight, each, mean)
			if mean < least {
				best, least = weight, mean
			}
		}
		mean, each := cost(1-which, best)
		fmt.Fprintf(out, "best %.1f; in the other half it gives %.3f, mean %.4f\n", best, each, mean)
	}
}

// commonScale brings the fused distance to the scale of the first encoder's: the promise breaks at the same tolerance.
func commonScale(pairs []pair, weight float64) float64 {
	_, other := split(pairs, anyPair, func(p pair) float64 { return p.distance(weight, 1) })
	return ruled / other[allowed(len(other))]
}

// allowed is how many false matches of so many trials keep the promise.
func allowed(trials int) int {
	const tail = 0.05
	errors := 0
	for binomial.Upper(errors+1, trials, tail) <= promised {
		errors++
	}
	return errors
}

// logistic gives the probability 1/(1+exp(slope·(distance−middle))).
type logistic struct{ middle, slope float64 }

func (l logistic) at(distance float64) float64 {
	return 1 / (1 + math.Exp(l.slope*(distance-l.middle)))
}

// observation is a distance and whether it is that of one person.
type observation struct {
	distance float64
	same     bool
}

func observations(pairs []pair, of func(pair) bool, distance func(pair) float64) []observation {
	var all []observation
	for _, p := range pairs {
		if d := distance(p); of(p) && !math.IsInf(d, 0) {
			all = append(all, observation{d, p.same})
		}
	}
	return all
}

// fitLogistic maximises the likelihood with both classes weighing the same, by Newton's method.
func fitLogistic(all []observation) logistic {
	var same, other float64
	for _, o := range all {
		if o.same {
			same++
		} else {
			other++
		}
	}
	a, b := 0.0, 0.0 // log-odds = a + b·(distance−0.5)
	for range 50 {
		var ga, gb, haa, hab, hbb float64
		for _, o := range all {
			x, weight, label := o.distance-0.5, 0.5/other, 0.0
			if o.same {
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

// brier is the mean squared error of the probabilities, both classes weighing the same.
func brier(all []observation, curve logistic) float64 {
	var sum, count [2]float64
	for _, o := range all {
		q, class := curve.at(o.distance), 0
		if o.same {
			q, class = 1-q, 1
		}
		sum[class] += q * q
		count[class]++
	}
	return (sum[0]/count[0] + sum[1]/count[1]) / 2
}

// report prints the curve of the probability, fitted on the listed pairs, and what each tolerance costs among all pairs.
func report(out io.Writer, encoder string, pairs []pair, distance func(pair) float64) {
	fmt.Fprintf(out, "\n%s\n", encoder)
	for which := range 2 {
		listedIn := func(half int) []observation {
			return observations(pairs, func(p pair) bool { return p.listed && p.half == half }, distance)
		}
		fmt.Fprintf(out, "half %d, judged by the curve of the other half: Brier score %.4f\n", which+1, brier(listedIn(which), fitLogistic(listedIn(1-which))))
	}
	curve := fitLogistic(observations(pairs, listedPair, distance))
	fmt.Fprintf(out, "listed pairs: probability = 1/(1+exp(%.3f·(distance−%.4f)))\n", curve.slope, curve.middle)
	same, other := split(pairs, anyPair, distance)
	first := other[allowed(len(other))]
	fmt.Fprintf(out, "%d pairs of one person, %d of strangers, AUC %.4f; the bound of false matches stays below %g up to %.4f, where false non-matches are %.4f\n",
		len(same), len(other), auc(same, other), promised, first, refused(same, math.Nextafter(first, 0)))
	fmt.Fprintln(out, "tolerance  FMR [95 % bounds]                FNMR [95 % bounds]")
	const tail = 0.025 // on each side of 95 %
	for hundredth := 30; hundredth <= 60; hundredth++ {
		t := float64(hundredth) / 100
		matched, missed := upTo(other, t), len(same)-upTo(same, t)
		fmt.Fprintf(out, "%.2f      %3d/%d = %.5f [%.5f, %.5f]   %3d/%d = %.4f [%.4f, %.4f]\n", t,
			matched, len(other), float64(matched)/float64(len(other)), binomial.Lower(matched, len(other), tail), binomial.Upper(matched, len(other), tail),
			missed, len(same), float64(missed)/float64(len(same)), binomial.Lower(missed, len(same), tail), binomial.Upper(missed, len(same), tail))
	}
}

// auc is the probability that a pair of one person is nearer than another; both slices are sorted.
func auc(same, other []float64) float64 {
	sum := 0
	for _, d := range other {
		sum += upTo(same, math.Nextafter(d, 0))
	}
	return float64(sum) / float64(len(same)) / float64(len(other))
}
