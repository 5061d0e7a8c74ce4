package barcode

import (
	"context"
	"math"
	"math/bits"
	"sort"

	"kycd/vision/projective"
)

// spareWords is how many error correction codewords must be left over when a symbol is read from doubtful codewords:
// chance passes them once in 929⁶.
const spareWords = 6

// reader reads symbols codeword by codeword with all their doubt: how likely each of the 929 patterns is, given what
// its neighbours are believed to be. The error correction then takes the doubtful ones for erasures.
type reader struct {
	*powers
	patterns [clusters][fieldSize]uint32
}

func newReader() *reader {
	r := &reader{powers: newPowers()}
	for cluster := range r.patterns {
		for word := range r.patterns[cluster] {
			r.patterns[cluster][word] = pattern(cluster, word)
		}
	}
	return r
}

// guess is a codeword and the probability that it is right.
type guess struct {
	word int
	sure float64
}

// sharpness finds the blur that explains the known modules best.
func (l *lattice) sharpness() {
	best := -1.0
	try := func(s spread) bool {
		l.kernels = newKernels(s)
		if c := l.agreement(); c > best {
			best = c
			return true
		}
		return false
	}
	at := l.spread
	try(at)
	for range 2 {
		for _, u := range []float64{0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.6, 1.9, 2.3} {
			if s := (spread{u, at.v}); try(s) {
				at = s
			}
		}
		for _, v := range []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8} {
			if s := (spread{at.u, v}); try(s) {
				at = s
			}
		}
	}
	l.kernels = newKernels(at)
}

// agreement is the correlation of seen and model where modules are known.
func (l *lattice) agreement() float64 {
	model := l.model()
	total := 0.0
	for side := range 2 {
		from, to := (sideU-quiet)*perU, (sideU+2*wordModules-1)*perU
		if side == 1 {
			from, to = model.w-to, model.w-from
		}
		var n, s, m, ss, mm, sm float64
		for y := sideV * perV; y < model.h-sideV*perV; y++ {
			seen, mod := l.seen.row(y), model.row(y)
			for x := from; x < to; x++ {
				a, b := float64(seen[x]), float64(mod[x])
				n, s, m, ss, mm, sm = n+1, s+a, m+b, ss+a*a, mm+b*b, sm+a*b
			}
		}
		va, vb := ss-s*s/n, mm-m*m/n
		if va > 0 && vb > 0 {
			total -= (sm - s*m/n) / math.Sqrt(va*vb)
		}
	}
	return total
}

// matched is the picture's share in each module: [row][module].
func (l *lattice) matched() []float32 {
	down := newField(l.dark.w, l.rows)
	for r := range l.rows {
		dst := down.row(r)
		first := (r + sideV - reachV) * perV
		for i, k := range l.kernels.v {
			if y := first + i; y >= 0 && y < l.dark.h && k > 1e-5 {
				for x, v := range l.dark.row(y) {
					dst[x] += k * v
				}
			}
		}
	}
	out := make([]float32, l.rows*l.n)
	for r := range l.rows {
		src := down.row(r)
		for j := range l.n {
			first := (j + sideU - reachU) * perU
			from, to := max(-first, 0), min(len(l.kernels.u), len(src)-first)
			var sum float32
			for i := from; i < to; i++ {
				sum += l.kernels.u[i] * src[first+i]
			}
			out[r*l.n+j] = sum
		}
	}
	return out
}

// overlapping is what the other modules of a row put into each module of it.
func (l *lattice) overlapping(r int, into []float32) {
	row := l.belief[r*l.n : (r+1)*l.n]
	for j := range into {
		sum := l.gu[0] * row[j]
		for d := 1; d < len(l.gu); d++ {
			if l.gu[d] < 1e-4 {
				break
			}
			if j >= d {
				sum += l.gu[d] * row[j-d]
			}
			if j+d < len(row) {
				sum += l.gu[d] * row[j+d]
			}
		}
		into[j] = sum
	}
}

// energies are what each pattern puts into its own modules: pᵀ·G·p.
func (r *reader) energies(l *lattice) [clusters][fieldSize]float32 {
	var out [clusters][fieldSize]float32
	for cluster := range clusters {
		for word, p := range r.patterns[cluster] {
			var sum float32
			for d := range wordModules {
				count := 0
				for both := p & (p >> d); both != 0; both &= both - 1 {
					count++
				}
				if d > 0 {
					count *= 2
				}
				if d < len(l.gu) {
					sum += float32(count) * l.gu[d]
				}
			}
			out[cluster][word] = sum * l.gv[0]
		}
	}
	return out
}

// decide weighs all patterns for every codeword, once, and takes over what it finds into the belief. heat above 1
// makes it less sure: the neighbours are not known yet.
func (r *reader) decide(l *lattice, heat float64) []guess {
	matched, energy := l.matched(), r.energies(l)
	field := make([][]float32, l.rows)
	for row := range field {
		field[row] = make([]float32, l.n)
		l.overlapping(row, field[row])
	}
	out := make([]guess, l.words())
	metric := make([]float32, fieldSize)
	for row := range l.rows {
		cluster := row % clusters
		for c := range l.columns {
			first := (c + 2) * wordModules
			own := l.belief[row*l.n+first:][:wordModules]
			// What is left of this place when all others are taken away; cumulated, as bars are runs.
			var sum [wordModules + 1]float32
			for j := range wordModules {
				m := matched[row*l.n+first+j]
				for other := max(row-2*reachV, 0); other <= min(row+2*reachV, l.rows-1); other++ {
					d := other - row
					if d < 0 {
						d = -d
					}
					m -= l.gv[d] * field[other][first+j]
				}
				for i, b := range own {
					d := i - j
					if d < 0 {
						d = -d
					}
					m += l.gv[0] * l.gu[d] * b
				}
				sum[j+1] = sum[j] + m
			}
			most, word := float32(math.Inf(-1)), 0
			for w, p := range r.patterns[cluster] {
				var dot float32
				// The changes between dark and light, from the left: module j is bit 16−j.
				for change := (p ^ p>>1) & 0xffff; change != 0; change &= change - 1 {
					bit := bits.TrailingZeros32(change)
					if p>>bit&1 == 0 { // a bar ends to the left of this module
						dot += sum[wordModules-1-bit]
					} else {
						dot -= sum[wordModules-1-bit]
					}
				}
				m := 2*dot - energy[cluster][w]
				metric[w] = m
				if m > most {
					most, word = m, w
				}
			}
			scale := 1 / (2 * float64(l.noise[row*l.columns+c]) * l.density * heat)
			var soft [wordModules]float32
			total := float32(0)
			for w, m := range metric {
				x := float64(m-most) * scale
				if x < -12 {
					continue
				}
				weight := float32(math.Exp(x))
				total += weight
				p := r.patterns[cluster][w]
				for j := range soft {
					if p>>(wordModules-1-j)&1 == 1 {
						soft[j] += weight
					}
				}
			}
			for j := range soft {
				soft[j] /= total
			}
			// At once: what follows already reckons with it.
			r.replace(l, field[row], row, first, soft)
			out[row*l.columns+c] = guess{word, 1 / float64(total)}
		}
	}
	return out
}

// replace puts a codeword's new belief in and corrects its row's overlaps.
func (r *reader) replace(l *lattice, field []float32, row, first int, soft [wordModules]float32) {
	own := l.belief[row*l.n+first:][:wordModules]
	for i := range own {
		change := soft[i] - own[i]
		own[i] = soft[i]
		if change > -1e-4 && change < 1e-4 {
			continue
		}
		for d, g := range l.gu {
			if g < 1e-4 {
				break
			}
			if j := first + i + d; j < l.n {
				field[j] += change * g
			}
			if j := first + i - d; d > 0 && j >= 0 {
				field[j] += change * g
			}
		}
	}
}

// correctAll takes more and more of the least sure codewords for erasures until the rest agrees.
func (r *reader) correctAll(sh shape, guesses []guess) ([]int, bool) {
	k := sh.correction()
	if k < spareWords+2 {
		return nil, false // too little to tell a right reading from a wrong one
	}
	words := make([]int, len(guesses))
	order := make([]int, len(guesses))
	for i, g := range guesses {
		words[i], order[i] = g.word, i
	}
	sort.Slice(order, func(a, b int) bool { return guesses[order[a]].sure < guesses[order[b]].sure })
	for part := range 9 {
		erased := min((k-spareWords)*part/8, len(order))
		fixed, _, ok := r.correct(words, k, order[:erased], spareWords)
		if ok && fixed[0] == len(words)-k {
			return fixed, true
		}
	}
	return nil, false
}

// leastSure is the share of codewords that must be nearly certain for another round: with fewer none has helped.
const leastSure = 0.25

func sure(guesses []guess) float64 {
	n := 0
	for _, g := range guesses {
		if g.sure > 0.8 {
			n++
		}
	}
	return float64(n) / float64(len(guesses))
}

// read reads the symbol at a place of the source. ctx ends it between two rounds.
func (r *reader) read(ctx context.Context, source plane, sh shape, toPicture projective.Map, blur float64) ([]int, projective.Map, bool) {
	l := newLattice(source, sh, toPicture, newKernels(spread{blur, 0.3}))
	l.sharpness()
	for range 4 {
		model := l.model()
		l.level(model)
		if l.fit(model, true) < 0.02 {
			break
		}
		l.take(source)
	}
	l.sharpness()
	var guesses []guess
	for round := 0; round < 8 && ctx.Err() == nil; round++ {
		l.level(l.model())
		guesses = r.decide(l, max(4/float64(round+1), 1))
		if words, ok := r.correctAll(sh, guesses); ok {
			return words, l.toPicture, true
		}
		if round >= 2 && sure(guesses) < leastSure {
			break
		}
		if round == 2 || round == 4 {
			model := l.model()
			l.fit(model, false)
			l.take(source)
		}
	}
	return nil, l.toPicture, false
}
