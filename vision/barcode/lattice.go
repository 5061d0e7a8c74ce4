package barcode

import (
	"math"

	"kycd/vision"
	"kycd/vision/projective"
)

// The picture of a symbol on its own modules: perU samples a module, perV a row, with some of the quiet zone around.
const (
	perU    = 2
	perV    = 4
	sideU   = 4 // modules of quiet zone left and right
	sideV   = 1 // rows above and below
	reachU  = 9 // modules beyond which a blurred module is forgotten
	reachV  = 2 // rows, likewise
	tileU   = 17
	tileV   = 3
	minGain = 4.0 // grey levels between paper and bar under which nothing is read
)

// spread is a Gaussian blur, standard deviations in modules and in rows.
type spread struct{ u, v float64 }

// kernels is a blur at the lattice's samples: how much of a module, and of a row, falls on each sample.
type kernels struct {
	spread
	u, v   []float32 // sample − first sample of the module (row), from −reach on
	gu, gv []float32 // overlap of two modules (rows) at a distance of 0, 1, …
}

func newKernels(s spread) kernels {
	k := kernels{spread: s, u: footprint(s.u, perU, reachU), v: footprint(s.v, perV, reachV)}
	k.gu, k.gv = overlap(k.u, perU, 2*reachU), overlap(k.v, perV, 2*reachV)
	return k
}

func footprint(deviation float64, per, reach int) []float32 {
	out := make([]float32, (2*reach+1)*per)
	for i := range out {
		at := (float64(i)+0.5)/float64(per) - float64(reach)
		out[i] = float32(bell(-at, deviation))
	}
	return out
}

func overlap(k []float32, per, reach int) []float32 {
	out := make([]float32, reach+1)
	for d := range out {
		for i := d * per; i < len(k); i++ {
			out[d] += k[i] * k[i-d*per]
		}
	}
	return out
}

// lattice is a symbol's picture and what is believed of its modules.
type lattice struct {
	shape
	n         int            // modules of a row
	toPicture projective.Map // from modules and rows
	seen      field          // grey levels
	dark      field          // seen, 0 for paper and 1 for bars where there is no blur
	noise     []float32      // of dark, variance, for each codeword
	belief    []float32      // [row][module] probability of dark
	known     []bool         // [module] of a row: not data
	kernels
	density float64 // samples to a pixel of the picture, at least 1
}

func newLattice(source plane, sh shape, toPicture projective.Map, k kernels) *lattice {
	l := &lattice{shape: sh, n: sh.modules(), toPicture: toPicture, kernels: k}
	l.belief = make([]float32, sh.rows*l.n)
	l.known = make([]bool, l.n)
	for j := range l.known {
		l.known[j] = j < 2*wordModules || j >= l.n-2*wordModules-1
	}
	for r := range sh.rows {
		row := l.belief[r*l.n : (r+1)*l.n]
		rest := put(row, startPattern, wordModules)
		rest = put(rest, pattern(r%clusters, sh.left(r)), wordModules)
		for range sh.columns {
			for j := range wordModules {
				rest[j] = 0.5
			}
			rest[0], rest[wordModules-1] = 1, 0
			rest = rest[wordModules:]
		}
		rest = put(rest, pattern(r%clusters, sh.right(r)), wordModules)
		put(rest, stopPattern, wordModules+1)
	}
	l.take(source)
	return l
}

// take samples the picture again, after the place was corrected.
func (l *lattice) take(source plane) {
	w, h := (l.n+2*sideU)*perU, (l.rows+2*sideV)*perV
	// The picture's positions are of corners of pixels here, its samples of middles.
	h1 := projective.Map{1, 0, -0.5, 0, 1, -0.5, 0, 0, 1}
	h1 = h1.After(l.toPicture)
	l.seen = source.warp(&h1, w, h, -sideU+0.5/perU, -sideV+0.5/perV, 1.0/perU, 1.0/perV)
	a := l.toPicture.At(float64(l.n)/2, float64(l.rows)/2)
	b := l.toPicture.At(float64(l.n)/2+1, float64(l.rows)/2)
	c := l.toPicture.At(float64(l.n)/2, float64(l.rows)/2+1)
	area := math.Abs((b.X-a.X)*(c.Y-a.Y) - (b.Y-a.Y)*(c.X-a.X))
	l.density = math.Max(perU*perV/math.Max(area, 0.1), 1)
}

// model draws what the picture should look like, from the modules in belief.
func (l *lattice) model() field {
	w, h := l.seen.w, l.seen.h
	across := newField(w, l.rows)
	for r := range l.rows {
		dst := across.row(r)
		for j, b := range l.belief[r*l.n : (r+1)*l.n] {
			if b == 0 {
				continue
			}
			first := (j + sideU - reachU) * perU
			from, to := max(-first, 0), min(len(l.kernels.u), w-first)
			for i := from; i < to; i++ {
				dst[first+i] += b * l.kernels.u[i]
			}
		}
	}
	out := newField(w, h)
	for r := range l.rows {
		src := across.row(r)
		first := (r + sideV - reachV) * perV
		for i, k := range l.kernels.v {
			if y := first + i; y >= 0 && y < h && k > 1e-5 {
				dst := out.row(y)
				for x, s := range src {
					dst[x] += k * s
				}
			}
		}
	}
	return out
}

// level finds, tile by tile, which grey is paper and which is bar, from the model, and brings seen onto that scale.
func (l *lattice) level(model field) {
	// Sums over tiles of a codeword by three rows, then over 3 × 3 tiles.
	type sums struct{ n, s, m, ss, mm, sm float64 }
	tw, th := l.columns+4, (l.rows+tileV-1)/tileV
	tiles := make([]sums, tw*th)
	for y := sideV * perV; y < l.seen.h-sideV*perV; y++ {
		ty := (y/perV - sideV) / tileV
		seen, mod := l.seen.row(y), model.row(y)
		for x := sideU * perU; x < l.seen.w-sideU*perU-perU; x++ {
			t := &tiles[ty*tw+min((x/perU-sideU)/tileU, tw-1)]
			s, m := float64(seen[x]), float64(mod[x])
			t.n, t.s, t.m, t.ss, t.mm, t.sm = t.n+1, t.s+s, t.m+m, t.ss+s*s, t.mm+m*m, t.sm+s*m
		}
	}
	paper, gain := make([]float64, tw*th), make([]float64, tw*th)
	noise := make([]float32, tw*th)
	for ty := range th {
		for tx := range tw {
			var t sums
			for dy := max(ty-1, 0); dy <= min(ty+1, th-1); dy++ {
				for dx := max(tx-1, 0); dx <= min(tx+1, tw-1); dx++ {
					weight := 1.0
					if dx != tx {
						weight *= 0.6
					}
					if dy != ty {
						weight *= 0.6
					}
					o := tiles[dy*tw+dx]
					t.n, t.s, t.m = t.n+weight*o.n, t.s+weight*o.s, t.m+weight*o.m
					t.ss, t.mm, t.sm = t.ss+weight*o.ss, t.mm+weight*o.mm, t.sm+weight*o.sm
				}
			}
			vs, vm, cov := t.ss/t.n-t.s*t.s/t.n/t.n, t.mm/t.n-t.m*t.m/t.n/t.n, t.sm/t.n-t.s*t.m/t.n/t.n
			i := ty*tw + tx
			g := minGain
			if vm > 1e-9 {
				g = max(-cov/vm, minGain)
			}
			gain[i], paper[i] = g, t.s/t.n+g*t.m/t.n
			rest := vs + 2*g*cov + g*g*vm
			noise[i] = float32(max(rest, 1) / (g * g))
		}
	}
	l.dark = newField(l.seen.w, l.seen.h)
	for y := range l.seen.h {
		fy := min(max((float64(y)/perV-sideV)/tileV-0.5, 0), float64(th-1))
		y0 := int(fy)
		y1 := min(y0+1, th-1)
		fy -= float64(y0)
		seen, dark := l.seen.row(y), l.dark.row(y)
		for x := range dark {
			fx := min(max((float64(x)/perU-sideU)/tileU-0.5, 0), float64(tw-1))
			x0 := int(fx)
			x1 := min(x0+1, tw-1)
			fx -= float64(x0)
			mix := func(v []float64) float64 {
				a := v[y0*tw+x0] + (v[y0*tw+x1]-v[y0*tw+x0])*fx
				b := v[y1*tw+x0] + (v[y1*tw+x1]-v[y1*tw+x0])*fx
				return a + (b-a)*fy
			}
			dark[x] = float32(min(max((mix(paper)-float64(seen[x]))/mix(gain), -1), 2))
		}
	}
	l.noise = make([]float32, l.words())
	for r := range l.rows {
		for c := range l.columns {
			l.noise[r*l.columns+c] = noise[r/tileV*tw+c+2]
		}
	}
}

// fit moves the four corners by Gauss and Newton so that the model lies on what is seen. Only known modules count if
// knownOnly. It returns how far the place moved, in modules.
func (l *lattice) fit(model field, knownOnly bool) float64 {
	var normal [8][9]float64
	rows := make([][]float64, 8)
	for y := 1; y < model.h-1; y++ {
		v := (float64(y)+0.5)/perV - sideV
		up, mid, down, dark := model.row(y-1), model.row(y), model.row(y+1), l.dark.row(y)
		for x := 1; x < model.w-1; x++ {
			j := x/perU - sideU
			if knownOnly && j >= 2*wordModules-2 && j < l.n-2*wordModules+1 {
				continue
			}
			gu, gv := float64(mid[x+1]-mid[x-1])*perU/2, float64(down[x]-up[x])*perV/2
			if gu*gu+gv*gv < 1e-4 {
				continue
			}
			e := float64(dark[x] - mid[x])
			if e > 0.5 || e < -0.5 {
				continue // glare, or a guess that is wrong
			}
			u := ((float64(x)+0.5)/perU - sideU) / float64(l.n)
			w := v / float64(l.rows)
			// Bilinear in the corners' displacements.
			a, b, c, d := (1-u)*(1-w), u*(1-w), u*w, (1-u)*w
			jac := [9]float64{a * gu, b * gu, c * gu, d * gu, a * gv, b * gv, c * gv, d * gv, e}
			for i := range 8 {
				for k := i; k < 9; k++ {
					normal[i][k] += jac[i] * jac[k]
				}
			}
		}
	}
	for i := range 8 {
		for k := range i {
			normal[i][k] = normal[k][i]
		}
		normal[i][i] += 1e-3*normal[i][i] + 1e-6
		rows[i] = normal[i][:]
	}
	move, ok := solve(rows...)
	if !ok {
		return 0
	}
	n, h := float64(l.n), float64(l.rows)
	places := [4][2]float64{{0, 0}, {n, 0}, {n, h}, {0, h}}
	most := 0.0
	var corners [4]vision.Point
	for i, p := range places {
		du, dv := min(max(move[i], -1), 1), min(max(move[4+i], -0.4), 0.4)
		most = max(most, math.Abs(du), 3*math.Abs(dv))
		corners[i] = l.toPicture.At(p[0]-du, p[1]-dv)
	}
	if moved, ok := projective.Onto(n, h, corners); ok {
		l.toPicture = moved
	}
	return most
}
