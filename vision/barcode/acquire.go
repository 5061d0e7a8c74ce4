package barcode

import (
	"math"
	"sort"

	"kycd/vision"
	"kycd/vision/projective"
)

// chart is a region of a picture laid upright, near enough: the bars stand vertical. Values are grey levels.
type chart struct {
	field
	toPicture   projective.Map
	top, bottom int // the rows that are full of bars
}

// band finds the rows that are full of bars: where the values change across much more than down, all the way.
func (c *chart) band() bool {
	const parts = 12
	score := make([]float64, c.h)
	for y := 1; y < c.h-1; y++ {
		up, row, down := c.row(y-1), c.row(y), c.row(y+1)
		var part [parts]float64
		for k := range part {
			for x := max(c.w*k/parts, 1); x < min(c.w*(k+1)/parts, c.w-1); x++ {
				gx := up[x+1] + 2*row[x+1] + down[x+1] - up[x-1] - 2*row[x-1] - down[x-1]
				gy := down[x-1] + 2*down[x] + down[x+1] - up[x-1] - 2*up[x] - up[x+1]
				part[k] += float64(gx*gx - gy*gy)
			}
		}
		// A glare may hide some parts and a margin takes some; half of them must have bars.
		sort.Float64s(part[:])
		score[y] = math.Sqrt(max(part[parts*5/12], 0))
	}
	smooth := make([]float64, c.h)
	most := 0.0
	for y := range smooth {
		n := 0
		for d := max(y-4, 0); d <= min(y+4, c.h-1); d++ {
			smooth[y] += score[d]
			n++
		}
		smooth[y] /= float64(n)
		most = max(most, smooth[y])
	}
	best, sum, from := 0.0, 0.0, 0
	for y, s := range smooth {
		if sum += s - 0.5*most; sum <= 0 {
			sum, from = 0, y+1
		}
		if sum > best {
			best, c.top, c.bottom = sum, from, y+1
		}
	}
	return c.bottom-c.top >= 8
}

// straighten lays the region that base maps w × h pixels of out upright, and takes out what perspective still does to
// the bars: their direction, which the structure tensor gives block by block, changes evenly across.
func (p plane) straighten(base projective.Map, w, h int) (chart, bool) {
	c := chart{field: p.warp(&base, w, h, 0, 0, 1, 1), toPicture: base}
	for range 2 {
		turn, ok := c.keystone()
		if !ok {
			return c, false
		}
		c.toPicture = c.toPicture.After(turn)
		c.field = p.warp(&c.toPicture, w, h, 0, 0, 1, 1)
	}
	return c, true
}

// keystone is the map from a picture with vertical bars to the chart.
func (c chart) keystone() (projective.Map, bool) {
	flat := newPlane(c.w, c.h)
	for i, v := range c.val {
		flat.pix[i] = byte(v)
	}
	bw, bh := c.w/block, c.h/block
	if bw < 4 || bh < 2 {
		return projective.Map{}, false
	}
	cx, cy := float64(c.w)/2, float64(c.h)/2
	// Least squares of angle = a0 + a1·x + a2·y.
	var normal [3][4]float64
	for i, t := range flat.tensors(bw, bh) {
		strength := t.coherence()
		if strength < minCoherence || math.Abs(t.angle()) > 0.4 {
			continue
		}
		weight := strength * math.Sqrt(t.xx+t.yy)
		row := [3]float64{1, (float64(i%bw)+0.5)*block - cx, (float64(i/bw)+0.5)*block - cy}
		for a := range row {
			for b := range row {
				normal[a][b] += weight * row[a] * row[b]
			}
			normal[a][3] += weight * row[a] * t.angle()
		}
	}
	fit, ok := solve(normal[0][:], normal[1][:], normal[2][:])
	if !ok {
		return projective.Map{}, false
	}
	limit := 0.3 / math.Max(cx, cy)
	k := min(max(-fit[1], -limit), limit)
	lean := -fit[0]
	centre := projective.Map{1, 0, cx, 0, 1, cy, 0, 0, 1}
	back := projective.Map{1, 0, -cx, 0, 1, -cy, 0, 0, 1}
	bend := projective.Map{1, lean, 0, 0, 1, 0, 0, -k, 1}
	centre = centre.After(bend)
	return centre.After(back), true
}

// solve solves linear equations, each row's last number its right side; the rows are overwritten.
func solve(rows ...[]float64) ([]float64, bool) {
	n := len(rows)
	for i := range n {
		best := i
		for j := i + 1; j < n; j++ {
			if math.Abs(rows[j][i]) > math.Abs(rows[best][i]) {
				best = j
			}
		}
		rows[i], rows[best] = rows[best], rows[i]
		if math.Abs(rows[i][i]) < 1e-12 {
			return nil, false
		}
		for j := range n {
			if j == i {
				continue
			}
			factor := rows[j][i] / rows[i][i]
			for k := i; k <= n; k++ {
				rows[j][k] -= factor * rows[i][k]
			}
		}
	}
	out := make([]float64, n)
	for i := range n {
		out[i] = rows[i][n] / rows[i][i]
	}
	return out, true
}

// edge is where a start or a stop pattern stands in a profile.
type edge struct {
	x      float64 // of the symbol's outer edge, chart pixels
	module float64 // chart pixels of a module there
	score  float64 // correlation with the pattern
	blur   float64 // standard deviation of the blur that fits, modules
}

// mark is a start or a stop pattern with its quiet zone, blurred, of mean 0 and length 1, two samples a module.
type mark struct {
	from  float64 // of the first sample, modules from the symbol's outer edge
	blur  float64
	value []float32
}

const quiet = 2 // modules of margin, the symbology's least

func newMark(stop bool, blur float64) mark {
	modules := make([]float32, 0, 40)
	at := func(n int, v float32) {
		for range n {
			modules = append(modules, v)
		}
	}
	var code [wordModules + 1]float32
	m := mark{blur: blur, from: -quiet}
	first, count := 8, wordModules
	if stop {
		at(8, 0.45)
		put(code[:], stopPattern, wordModules+1)
		modules = append(modules, code[:]...)
		at(8, 0)
		count, m.from = wordModules+1, -(wordModules + 1)
	} else {
		at(8, 0)
		put(code[:], startPattern, wordModules)
		modules = append(modules, code[:wordModules]...)
		at(8, 0.45)
		first -= quiet
	}
	for i := range 2 * (count + quiet) {
		m.value = append(m.value, smeared(modules, float64(first)+(float64(i)+0.5)/2, blur))
	}
	unit(m.value)
	return m
}

// smeared is the value at u of modules, each one wide, after a Gaussian blur.
func smeared(modules []float32, u, blur float64) float32 {
	from, to := max(int(u-4*blur), 0), min(int(u+4*blur)+1, len(modules))
	sum := 0.0
	for j := from; j < to; j++ {
		sum += float64(modules[j]) * bell(float64(j)-u, blur)
	}
	return float32(sum)
}

// bell is the share of a Gaussian between x and x+1.
func bell(x, deviation float64) float64 {
	return 0.5 * (math.Erf((x+1)/(deviation*math.Sqrt2)) - math.Erf(x/(deviation*math.Sqrt2)))
}

// unit brings values to mean 0 and length 1; what is flat becomes 0.
func unit(values []float32) {
	mean := float32(0)
	for _, v := range values {
		mean += v
	}
	mean /= float32(len(values))
	square := float32(0)
	for i := range values {
		values[i] -= mean
		square += values[i] * values[i]
	}
	if square < 1e-9 {
		clear(values)
		return
	}
	scale := 1 / float32(math.Sqrt(float64(square)))
	for i := range values {
		values[i] *= scale
	}
}

// likeness is the correlation of a dark mark with a profile of grey levels; 0 where it does not lie within.
func (m mark) likeness(profile []float32, x, module float64) float64 {
	at, step := x+(m.from+0.25)*module-0.5, module/2
	if at < 0 || at+step*float64(len(m.value)) >= float64(len(profile)-1) {
		return 0
	}
	var dot, sum, square float32
	for _, v := range m.value {
		i := int(at)
		p := profile[i] + (profile[i+1]-profile[i])*float32(at-float64(i))
		dot, sum, square = dot-v*p, sum+p, square+p*p
		at += step
	}
	variance := square - sum*sum/float32(len(m.value))
	if variance < 4*float32(len(m.value)) { // flat: less than two grey levels
		return 0
	}
	return float64(dot) / math.Sqrt(float64(variance))
}

// edges are the places between x0 and x1 that look most like one of the marks.
func edges(profile []float32, marks []mark, x0, x1, least, most float64) []edge {
	var all []edge
	for module := least; module <= most; module *= 1.04 {
		for _, m := range marks {
			for x := x0; x <= x1; x += module / 3 {
				if s := m.likeness(profile, x, module); s > 0.6 {
					all = append(all, edge{x, module, s, m.blur})
				}
			}
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].score > all[j].score })
	var out []edge
	for _, e := range all {
		known := false
		for _, o := range out {
			known = known || math.Abs(e.x-o.x) < 1.5*o.module && math.Abs(math.Log(e.module/o.module)) < 0.07
		}
		if !known {
			out = append(out, e)
		}
		if len(out) == 8 {
			break
		}
	}
	return out
}

// span is a pair of start and stop pattern that fits a number of columns.
type span struct {
	left, right edge
	columns     int
	score       float64
}

// spans finds where symbols may begin and end across the chart, likeliest first.
func (c chart) spans() []span {
	profile := c.profile(c.top+(c.bottom-c.top)/6, c.bottom-(c.bottom-c.top)/6)
	var starts, stops []mark
	for _, blur := range []float64{0.5, 1, 1.6} {
		starts, stops = append(starts, newMark(false, blur)), append(stops, newMark(true, blur))
	}
	w := float64(c.w)
	least, most := w/450, w/95
	left := edges(profile, starts, 0, 0.5*w, least, most)
	if len(left) == 0 {
		return nil
	}
	right := edges(profile, stops, 0.5*w, w, least, most)
	var out []span
	for _, l := range left {
		for _, r := range right {
			n := (r.x - l.x) / math.Sqrt(l.module*r.module)
			columns := int(math.Round((n - 69) / wordModules))
			misfit := math.Abs(n-69-wordModules*float64(columns)) / wordModules
			if columns < 1 || columns > maxColumns || misfit > 0.45 || l.module > 1.7*r.module || r.module > 1.7*l.module {
				continue
			}
			out = append(out, span{l, r, columns, l.score + r.score - 0.5*misfit})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].score > out[j].score })
	var kept []span
	for _, s := range out {
		known := false
		for _, o := range kept {
			known = known || s.columns == o.columns && math.Abs(s.left.x-o.left.x) < 2*o.left.module && math.Abs(s.right.x-o.right.x) < 2*o.right.module
		}
		if !known {
			kept = append(kept, s)
		}
	}
	return kept
}

// profile is the mean of the rows from y0 up to y1.
func (c chart) profile(y0, y1 int) []float32 {
	out := make([]float32, c.w)
	y0, y1 = max(y0, 0), min(y1, c.h)
	for y := y0; y < y1; y++ {
		for x, v := range c.row(y) {
			out[x] += v
		}
	}
	for x := range out {
		out[x] /= float32(max(y1-y0, 1))
	}
	return out
}

// line is a nearly vertical line x = at + slope·y, in chart pixels.
type line struct{ at, slope float64 }

func (l line) x(y float64) float64 { return l.at + l.slope*y }

// trace follows an edge up and down the chart.
func (c chart) trace(e edge, m mark) line {
	const strips = 14
	type point struct{ y, x, weight float64 }
	var points []point
	for k := range strips {
		y0, y1 := c.top+(c.bottom-c.top)*k/strips, c.top+(c.bottom-c.top)*(k+1)/strips
		profile := c.profile(y0, y1)
		best, at := 0.0, 0.0
		for d := -5.0; d <= 5; d += 0.1 {
			if s := m.likeness(profile, e.x+d*e.module, e.module) * (1 - 0.01*math.Abs(d)); s > best {
				best, at = s, e.x+d*e.module
			}
		}
		if best > 0.6 {
			points = append(points, point{float64(y0+y1) / 2, at, best * best})
		}
	}
	l := line{at: e.x}
	if len(points) < 3 {
		return l
	}
	// Least squares, thrice, with less and less heed to what lies off.
	for round := range 4 {
		var s, sy, syy, sx, sxy float64
		for _, p := range points {
			w := p.weight
			if round > 0 {
				d := (p.x - l.x(p.y)) / e.module
				w /= 1 + 4*d*d
			}
			s, sy, syy, sx, sxy = s+w, sy+w*p.y, syy+w*p.y*p.y, sx+w*p.x, sxy+w*p.y*p.x
		}
		det := s*syy - sy*sy
		if math.Abs(det) < 1e-6 {
			return l
		}
		l.slope = (s*sxy - sy*sx) / det
		l.at = (sx - l.slope*sy) / s
	}
	return l
}

// extent is from where to where an edge's pattern is seen, chart pixels, and on which share of the band's rows.
func (c chart) extent(l line, e edge, m mark) (top, bottom, share float64) {
	score := make([]float64, c.h)
	margin := (c.bottom - c.top) / 5
	thin := make([]float32, c.w)
	for y := max(c.top-margin, 1); y < min(c.bottom+margin, c.h-1); y++ {
		x := l.x(float64(y))
		from := min(max(int(x+(m.from-1)*e.module), 0), c.w-1)
		to := min(max(int(x+(m.from+float64(len(m.value))/2+1)*e.module), from), c.w-1)
		up, row, down := c.row(y-1), c.row(y), c.row(y+1)
		for i := from; i <= to; i++ {
			thin[i] = (up[i] + row[i] + down[i]) / 3
		}
		score[y] = m.likeness(thin, x, e.module)
	}
	sorted := append([]float64(nil), score[c.top:c.bottom]...)
	for _, v := range sorted {
		if v > 0.5 {
			share += 1 / float64(len(sorted))
		}
	}
	sort.Float64s(sorted)
	limit := 0.6 * sorted[len(sorted)*75/100]
	best, sum, from := 0.0, 0.0, 0
	for y, s := range score {
		if sum += s - limit; sum <= 0 {
			sum, from = 0, y+1
		}
		if sum > best {
			best, top, bottom = sum, float64(from), float64(y+1)
		}
	}
	return top, bottom, share
}

// placed is a symbol of known size at a place in the chart.
type placed struct {
	shape
	corners [4]vision.Point // in the chart
	blur    float64
	score   float64
}

// locate finds rows and size of a symbol between two edges, from its row indicators.
func (c chart) locate(s span) []placed {
	startMark, stopMark := newMark(false, s.left.blur), newMark(true, s.right.blur)
	left, right := c.trace(s.left, startMark), c.trace(s.right, stopMark)
	// The scale at the edges as the size wants it, the ratio as measured.
	middle := float64(c.top+c.bottom) / 2
	n := float64(wordModules*(s.columns+4) + 1)
	width := right.x(middle) - left.x(middle)
	ratio := math.Sqrt(s.right.module / s.left.module)
	s.left.module, s.right.module = width/n/ratio, width/n*ratio
	t0, b0, share0 := c.extent(left, s.left, startMark)
	t1, b1, share1 := c.extent(right, s.right, stopMark)
	// Text may look like a pattern on the whole, not row by row; a glare may hide much of one side.
	if max(share0, share1) < 0.5 || min(share0, share1) < 0.2 {
		return nil
	}
	if b0-t0 < 0.6*(b1-t1) {
		t0, b0 = t1, b1
	} else if b1-t1 < 0.6*(b0-t0) {
		t1, b1 = t0, b0
	}
	if b0-t0 < 8 || b1-t1 < 8 {
		return nil
	}
	slope := (t1 + b1 - t0 - b0) / 2 / width
	ladders := [2]ladder{
		c.ladder(left, s.left, slope, t0, b0, true, s.columns),
		c.ladder(right, s.right, slope, t1, b1, false, s.columns),
	}
	module := math.Sqrt(s.left.module * s.right.module)
	height := ((b0 - t0) + (b1 - t1)) / 2
	var out []placed
	for rows := max(minRows, int(height/module/6.5)); rows <= min(maxRows, int(height/module/1.4)); rows++ {
		if rows*s.columns > mostWords {
			break
		}
		l, r := ladders[0].best(rows), ladders[1].best(rows)
		for level := range levels {
			sh := shape{s.columns, rows, level}
			if sh.correction()+1 > sh.words() {
				break
			}
			out = append(out, placed{
				shape: sh, blur: (s.left.blur + s.right.blur) / 2,
				score: (l[level].score + r[level].score) / 2,
				corners: [4]vision.Point{
					{X: left.x(l[level].top), Y: l[level].top}, {X: right.x(r[level].top), Y: r[level].top},
					{X: right.x(r[level].bottom), Y: r[level].bottom}, {X: left.x(l[level].bottom), Y: l[level].bottom},
				},
			})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].score > out[j].score })
	return out[:min(len(out), 2)]
}

// ladder holds, for many heights along an edge, how much the row indicator there looks like each word.
type ladder struct {
	isLeft      bool
	columns     int
	first, step float64 // height of the first rung and from one to the next, chart pixels
	rungs       int
	top, bottom float64 // where the symbol seems to begin and to end
	reach       float64 // how far that may be off
	words       int
	score       []float32 // [rung][cluster][word]
}

func (c chart) ladder(l line, e edge, slope, top, bottom float64, isLeft bool, columns int) ladder {
	out := ladder{isLeft: isLeft, columns: columns, top: top, bottom: bottom, reach: max(6*e.module, 0.05*(bottom-top)), step: max(0.6*e.module, (bottom-top)/300)}
	out.first = top - out.reach
	out.rungs = int((bottom+out.reach-out.first)/out.step) + 1
	out.words = min(30*(int((bottom-top)/e.module/1.4)/3+1), 900)
	templates := out.templates(e.blur)
	out.score = make([]float32, out.rungs*clusters*out.words)
	var seen [wordModules]float32
	for k := range out.rungs {
		y := out.first + float64(k)*out.step
		for j := range seen {
			u := float64(wordModules+j) + 0.5
			if !isLeft {
				u = float64(j-2*wordModules-1) + 0.5
			}
			dx := u * e.module
			seen[j] = -c.near(l.x(y)+dx-0.5, y+slope*dx-0.5)
		}
		unit(seen[:])
		scores := out.score[k*clusters*out.words : (k+1)*clusters*out.words]
		for i := range scores {
			t := templates[i*wordModules : (i+1)*wordModules]
			var dot float32
			for j, v := range seen {
				dot += v * t[j]
			}
			scores[i] = dot
		}
	}
	return out
}

// near is the mean of the chart around a place: over a pixel and a half downwards, as an indicator's row is three modules high.
func (c chart) near(x, y float64) float32 {
	return (c.sample(x, y-0.5) + c.sample(x, y+0.5)) / 2
}

func (f field) sample(x, y float64) float32 {
	x = min(max(x, 0), float64(f.w-1))
	y = min(max(y, 0), float64(f.h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, f.w-1), min(y0+1, f.h-1)
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	a, b := f.val[y0*f.w+x0], f.val[y0*f.w+x1]
	c, d := f.val[y1*f.w+x0], f.val[y1*f.w+x1]
	top, bottom := a+(b-a)*fx, c+(d-c)*fx
	return top + (bottom-top)*fy
}

// templates are the blurred indicators, [cluster][word][module].
func (l ladder) templates(blur float64) []float32 {
	out := make([]float32, 0, clusters*l.words*wordModules)
	modules := make([]float32, 3*wordModules+1)
	kernel := make([]float32, 13)
	for i := range kernel {
		kernel[i] = float32(bell(float64(i)-6-0.5, blur))
	}
	for cluster := range clusters {
		for word := range l.words {
			if l.isLeft {
				rest := put(modules, startPattern, wordModules)
				rest = put(rest, pattern(cluster, word), wordModules)
				for i := range rest {
					rest[i] = 0.5
				}
				rest[0] = 1
			} else {
				for i := range wordModules - 1 {
					modules[i] = 0.5
				}
				modules[wordModules-1] = 0
				rest := put(modules[wordModules:], pattern(cluster, word), wordModules)
				put(rest, stopPattern, wordModules+1)
			}
			from := len(out)
			for j := range wordModules {
				var sum float32
				for i, k := range kernel {
					sum += k * modules[wordModules+j+i-6]
				}
				out = append(out, sum)
			}
			unit(out[from:])
		}
	}
	return out
}

// rungs that a symbol's first and last row border on.
type fit struct{ top, bottom, score float64 }

// best finds, for a number of rows and each level of error correction, where the symbol lies along the ladder: by halves
// of a row first, then more closely around the likeliest place.
func (l ladder) best(rows int) [levels]fit {
	var out [levels]fit
	for i := range out {
		out[i].score = -1
	}
	row := (l.bottom - l.top) / float64(rows)
	l.around(&out, rows, l.top, l.bottom, row/2, int(math.Ceil(2*l.reach/row)))
	first := out[0]
	for _, f := range out {
		if f.score > first.score {
			first = f
		}
	}
	l.around(&out, rows, first.top, first.bottom, row/6, 2)
	return out
}

func (l ladder) around(out *[levels]fit, rows int, top, bottom, step float64, most int) {
	for a := -most; a <= most; a++ {
		for b := -most; b <= most; b++ {
			t, d := top+float64(a)*step, bottom+float64(b)*step
			for level, s := range l.total(rows, t, d) {
				if s > out[level].score {
					out[level] = fit{t, d, s}
				}
			}
		}
	}
}

// total is the mean likeness of all rows' indicators, for each level.
func (l ladder) total(rows int, top, bottom float64) [levels]float64 {
	sh := shape{l.columns, rows, 0}
	var common float32
	var byLevel [levels]float32
	pitch := (bottom - top) / float64(rows) / l.step
	first := (top-l.first)/l.step + 0.5*pitch + 0.5 // half a rung more, to round
	for r := range rows {
		rung := int(first + float64(r)*pitch)
		if rung < 0 || rung >= l.rungs {
			continue
		}
		kind := r % clusters
		word := sh.left(r)
		if !l.isLeft {
			kind, word = (r+2)%clusters, sh.right(r)
		}
		scores := l.score[(rung*clusters+r%clusters)*l.words:][:l.words]
		if kind != 1 {
			if word < l.words {
				common += scores[word]
			}
			continue
		}
		for level := range byLevel {
			if w := word + 3*level; w < l.words {
				byLevel[level] += scores[w]
			}
		}
	}
	var out [levels]float64
	for level, s := range byLevel {
		out[level] = float64(common+s) / float64(rows)
	}
	return out
}
