// Package glyphs reads one line of a machine-readable zone: it cuts the line into its equally wide columns and
// tells the 37 characters apart with a small network, trained on the OCR-B typeface by the program in train.
//
// It is pure Go and knows nothing of documents: package mrzread finds the lines.
package glyphs

import (
	"math"
	"math/cmplx"
	"sort"
)

// Alphabet lists the characters in the order of the network's outputs. The last, a blank, is no character of a
// zone: it stands for a column beyond the line's ends.
const (
	Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ< "
	Blank    = ' '
)

// A strip is laid so that capitals are about StripLetter pixels high in the middle of StripHeight rows.
const (
	StripLetter = 24
	StripHeight = 48
)

// A cell is one column of the line with a quarter of its neighbours on either side, which tells their bleed from its own
// strokes. A pitch is cellPitch pixels of the raster wide; a cell is 1½ pitches wide and 1¼ high.
const (
	CellWidth  = 24
	CellHeight = 20
	cellPitch  = 16
)

// Strip is the picture of one line: StripHeight rows of grey, dark on light, the text running to the right.
type Strip struct {
	Gray  []byte
	Width int
}

// Cell is the ink of one column, 0..1, row by row.
type Cell [CellWidth * CellHeight]float32

// Line is a strip cut into columns. It has a few columns more than there is ink, which should read as blanks.
type Line struct {
	Cells   []Cell
	Centres []float64 // of the cells, pixels of the strip
	Pitch   float64   // pixels of the strip
}

// spare is the number of columns beyond the ink on each side.
const spare = 2

// maxLean is how far strokes may lean, as a share of their height; perspective and italics lean less.
const maxLean = 0.4

// Cut finds the columns of a strip. ok is false where nothing repeats as regularly as print in columns does.
func Cut(s Strip) (line Line, ok bool) {
	lines, ok := CutAll([]Strip{s})
	if !ok {
		return Line{}, false
	}
	return lines[0], true
}

// CutAll finds the columns of strips that were laid side by side with the same scale and are printed with the same pitch,
// as the rows of one zone are. Their pitch and how far their strokes lean are measured on all of them together.
func CutAll(strips []Strip) (lines []Line, ok bool) {
	inks := make([]inkMap, len(strips))
	for i, s := range strips {
		if s.Width < 4*StripLetter || len(s.Gray) != s.Width*StripHeight || s.Width != strips[0].Width {
			return nil, false
		}
		inks[i] = inkOf(s)
	}
	if len(strips) == 0 {
		return nil, false
	}
	lean := leanOf(inks)
	columns := make([][]float64, len(inks))
	ends := make([][2]int, len(inks))
	for i := range inks {
		inks[i].lean = lean
		columns[i] = inks[i].columns(lean)
		from, to, ok := extent(columns[i])
		if !ok {
			return nil, false
		}
		ends[i] = [2]int{from, to}
	}
	pitch, strength := pitchOf(columns, ends)
	if strength < minStrength {
		return nil, false
	}
	for i := range inks {
		// Each line has a grid of its own: the ends by which the lines were laid side by side are only roughly known.
		d := driftOf(columns[i], ends[i][0], ends[i][1], pitch)
		line := Line{Pitch: pitch}
		middle := inks[i].middle(ends[i][0], ends[i][1])
		// The first column is the one whose middle lies nearest behind the left edge of the ink.
		first := d.nearest(float64(ends[i][0]) + 0.28*pitch)
		count := int(math.Round((float64(ends[i][1])-float64(ends[i][0]))/pitch + 0.44))
		for k := first - spare; k < first+count+spare; k++ {
			x := d.centre(k)
			line.Cells = append(line.Cells, inks[i].cell(x, middle(x), (d.centre(k+1)-d.centre(k-1))/2, pitch))
			line.Centres = append(line.Centres, x)
		}
		lines = append(lines, line)
	}
	return lines, true
}

// minStrength is how much of the ink must repeat with the pitch.
const minStrength = 0.10

// minGain is by how much the energy must rise for strokes to be taken as leaning.
const minGain = 1.04

// leanOf is how far the strokes of lines lean to the right, in pixels for a pixel downwards: laid upright, they leave
// the most ink in the fewest columns.
func leanOf(inks []inkMap) float64 {
	const steps = 16
	var energy [2*steps + 1]float64
	best := 0
	for i := range energy {
		lean := maxLean * float64(i-steps) / steps
		for _, m := range inks {
			for _, v := range m.columns(lean) {
				energy[i] += v * v
			}
		}
		if energy[i] > energy[best] {
			best = i
		}
	}
	// The legs of fillers lean either way; only what gathers the ink clearly better is no accident of the letters.
	if energy[best] < minGain*energy[steps] {
		return 0
	}
	at := float64(best - steps)
	if best > 0 && best < 2*steps {
		a, b, c := energy[best-1], energy[best], energy[best+1]
		if bend := a - 2*b + c; bend < 0 {
			at += 0.5 * (a - c) / bend
		}
	}
	return maxLean * at / steps
}

// inkMap is how much darker than the paper around it each pixel is, 0..1 of the line's darkest print.
type inkMap struct {
	w    int
	pix  []float32
	lean float64 // of the strokes, pixels to the right for a pixel downwards
}

// inkOf takes away the paper: a closing with a square wider than any stroke.
func inkOf(s Strip) inkMap {
	const radius = 7
	paper := slide(slide(s.Gray, s.Width, radius, true), s.Width, radius, false)
	m := inkMap{w: s.Width, pix: make([]float32, len(s.Gray))}
	var histogram [256]int
	for i, v := range s.Gray {
		histogram[paper[i]-v]++
	}
	// Most of a strip is paper. A closing rides on the tips of its noise: what is no darker than half of the
	// strip is no ink.
	floor := quantile(histogram, len(s.Gray)/2)
	full := quantile(histogram, len(s.Gray)*97/100)
	gain := 1 / float32(max(full-floor, 12))
	for i, v := range s.Gray {
		m.pix[i] = min(max(float32(int(paper[i]-v)-floor), 0)*gain, 1)
	}
	return m
}

// quantile is the value below which count pixels lie.
func quantile(histogram [256]int, count int) int {
	for v, n := range histogram {
		if count -= n; count < 0 {
			return v
		}
	}
	return 255
}

// slide replaces each pixel by the lightest (or darkest) of its neighbours within a square. A window is put together of
// windows of powers of two, so that its width hardly costs.
func slide(pix []byte, w, radius int, lightest bool) []byte {
	if !lightest {
		turned := make([]byte, len(pix))
		for i, v := range pix {
			turned[i] = ^v
		}
		out := slide(turned, w, radius, true)
		for i, v := range out {
			out[i] = ^v
		}
		return out
	}
	h, size := len(pix)/w, 2*radius+1
	out := make([]byte, len(pix))
	widened := make([]byte, w+2*radius)
	for y := range h {
		// Beyond the border nothing is lightest.
		clear(widened)
		copy(widened[radius:], pix[y*w:(y+1)*w])
		for have := 1; have < size; {
			step := min(have, size-have)
			for x := 0; x+step < len(widened); x++ {
				widened[x] = max(widened[x], widened[x+step])
			}
			have += step
		}
		copy(out[y*w:(y+1)*w], widened[:w])
	}
	tall := make([]byte, (h+2*radius)*w)
	copy(tall[radius*w:], out)
	for have := 1; have < size; {
		step := min(have, size-have)
		lower := tall[step*w:]
		for i, v := range lower {
			tall[i] = max(tall[i], v)
		}
		have += step
	}
	copy(out, tall)
	return out
}

// columns is the ink of each column within the rows where letters may be, the strokes laid upright.
func (m inkMap) columns(lean float64) []float64 {
	out := make([]float64, m.w)
	for y := StripHeight/2 - StripLetter*2/3; y < StripHeight/2+StripLetter*2/3; y++ {
		shift := int(math.Round(lean * float64(y-StripHeight/2)))
		row := m.pix[y*m.w : (y+1)*m.w]
		for x := max(-shift, 0); x < min(m.w, m.w-shift); x++ {
			if v := row[x+shift]; v > 0.25 {
				out[x] += float64(v)
			}
		}
	}
	return out
}

// extent is where the ink begins and ends; specks that stand alone do not count.
func extent(columns []float64) (left, right int, ok bool) {
	const window = StripLetter
	sums := make([]float64, len(columns)+1)
	for i, v := range columns {
		sums[i+1] = sums[i] + v
	}
	sorted := make([]float64, 0, len(columns))
	for i := 0; i+window < len(sums); i++ {
		sorted = append(sorted, sums[i+window]-sums[i])
	}
	sort.Float64s(sorted)
	enough := 0.3 * sorted[len(sorted)*3/4]
	left, right = -1, -1
	for i := range columns {
		if columns[i] < 0.8 {
			continue
		}
		if left < 0 && sums[min(i+window, len(columns))]-sums[i] >= enough {
			left = i
		}
		if sums[i+1]-sums[max(i+1-window, 0)] >= enough {
			right = i + 1
		}
	}
	return left, right, left >= 0 && right-left >= 4*StripLetter
}

// pitchOf is the common period of the lines' ink, in pixels, and how strong it is, 0..1.
func pitchOf(columns [][]float64, ends [][2]int) (pitch, strength float64) {
	total := 0.0
	for i, c := range columns {
		for _, v := range c[ends[i][0]:ends[i][1]] {
			total += v
		}
	}
	for p := 0.7 * StripLetter; p < 1.5*StripLetter; p *= 1.004 {
		s := 0.0
		for i, c := range columns {
			s += cmplx.Abs(wave(c, ends[i][0], ends[i][1], p)) / total
		}
		if s > strength {
			pitch, strength = p, s
		}
	}
	return pitch, strength
}

// wave is the Fourier coefficient of columns[from:to] for one period.
func wave(columns []float64, from, to int, period float64) complex128 {
	step := cmplx.Exp(complex(0, -2*math.Pi/period))
	turn := cmplx.Exp(complex(0, -2*math.Pi*float64(from)/period))
	var sum complex128
	for _, v := range columns[from:to] {
		sum += complex(v, 0) * turn
		turn *= step
	}
	return sum
}

// drift gives the middle of each column: a regular grid, bent by a parabola where the paper or the view bends it.
type drift struct {
	pitch   float64
	a, b, c float64 // offset of the grid at t, in pixels: a + b·t + c·t²
	from    float64
	length  float64
}

// driftOf follows the phase of the pitch through overlapping windows along the line.
func driftOf(columns []float64, left, right int, pitch float64) drift {
	const windows = 9
	d := drift{pitch: pitch, from: float64(left), length: float64(right - left)}
	size := min(int(9*pitch), right-left)
	whole := cmplx.Phase(wave(columns, left, right, pitch))
	before := whole
	var rows [windows][3]float64 // t, phase, weight
	// From the middle outwards the phase is unwrapped: it turns little from one window to the next.
	phases := make([]complex128, windows)
	for i := range phases {
		at := left + (right-left-size)*i/(windows-1)
		phases[i] = wave(columns, at, at+size, pitch)
		rows[i][0] = (float64(at) + float64(size)/2 - d.from) / d.length
		rows[i][2] = cmplx.Abs(phases[i])
	}
	for i := windows / 2; i >= 0; i-- {
		before = unwrap(cmplx.Phase(phases[i]), before)
		rows[i][1] = before
	}
	before = rows[windows/2][1]
	for i := windows/2 + 1; i < windows; i++ {
		before = unwrap(cmplx.Phase(phases[i]), before)
		rows[i][1] = before
	}
	a, b, c := parabola(rows[:])
	toPixels := -pitch / (2 * math.Pi)
	d.a, d.b, d.c = a*toPixels, b*toPixels, c*toPixels
	return d
}

func unwrap(phase, near float64) float64 {
	return phase + 2*math.Pi*math.Round((near-phase)/(2*math.Pi))
}

// parabola is the weighted least-squares fit through rows of t, value, weight.
func parabola(rows [][3]float64) (a, b, c float64) {
	var m [3][4]float64
	for _, r := range rows {
		powers := [3]float64{1, r[0], r[0] * r[0]}
		for i := range 3 {
			for j := range 3 {
				m[i][j] += r[2] * powers[i] * powers[j]
			}
			m[i][3] += r[2] * powers[i] * r[1]
		}
	}
	for i := range 3 {
		m[i][i] += 1e-9
		for j := i + 1; j < 3; j++ {
			f := m[j][i] / m[i][i]
			for k := i; k < 4; k++ {
				m[j][k] -= f * m[i][k]
			}
		}
	}
	c = m[2][3] / m[2][2]
	b = (m[1][3] - m[1][2]*c) / m[1][1]
	a = (m[0][3] - m[0][1]*b - m[0][2]*c) / m[0][0]
	return a, b, c
}

// centre is the middle of column k of the endless grid.
func (d drift) centre(k int) float64 {
	x := float64(k) * d.pitch
	for range 3 {
		t := min(max((x-d.from)/d.length, 0), 1)
		x = float64(k)*d.pitch + d.a + d.b*t + d.c*t*t
	}
	return x
}

// nearest is the column whose middle is nearest to x.
func (d drift) nearest(x float64) int {
	k := int(math.Round((x - d.a) / d.pitch))
	for _, other := range []int{k - 2, k - 1, k + 1, k + 2} {
		if math.Abs(d.centre(other)-x) < math.Abs(d.centre(k)-x) {
			k = other
		}
	}
	return k
}

// middle gives the height of the line's middle at x: a straight line through the middles of the ink in a few windows.
func (m inkMap) middle(left, right int) func(x float64) float64 {
	const windows = 5
	var rows [][3]float64
	for i := range windows {
		from := left + (right-left)*i/windows
		to := left + (right-left)*(i+1)/windows
		var profile [StripHeight]float64
		most := 0.0
		for y := range profile {
			for _, v := range m.pix[y*m.w+from : y*m.w+to] {
				if v > 0.25 {
					profile[y] += float64(v)
				}
			}
			if y >= StripHeight/6 && y < StripHeight-StripHeight/6 {
				most = max(most, profile[y])
			}
		}
		if most == 0 {
			continue
		}
		// From the middle outwards, to where the rows empty: the lines above and below stay outside.
		top, bottom := StripHeight/2, StripHeight/2
		for top > 0 && profile[top-1] > 0.16*most {
			top--
		}
		for bottom < StripHeight-1 && profile[bottom] > 0.16*most {
			bottom++
		}
		if bottom-top > StripLetter/2 {
			rows = append(rows, [3]float64{float64(from+to) / 2, float64(top+bottom) / 2, most})
		}
	}
	offset, slope := straight(rows)
	return func(x float64) float64 { return offset + slope*x }
}

// straight is the weighted least-squares line through rows of x, value, weight; the strip's own middle without rows.
func straight(rows [][3]float64) (offset, slope float64) {
	var n, sx, sy, sxx, sxy float64
	for _, r := range rows {
		n += r[2]
		sx += r[2] * r[0]
		sy += r[2] * r[1]
		sxx += r[2] * r[0] * r[0]
		sxy += r[2] * r[0] * r[1]
	}
	if n == 0 {
		return StripHeight / 2, 0
	}
	if det := n*sxx - sx*sx; len(rows) > 2 && det > 1e-6*n*sxx {
		slope = (n*sxy - sx*sy) / det
	}
	return (sy - slope*sx) / n, slope
}

// cell samples the ink around a column's middle, scaled so that its darkest tenth is 1. wide is the pitch where the column
// stands, pitch that of the line.
func (m inkMap) cell(cx, cy, wide, pitch float64) Cell {
	var c Cell
	step, stepY := wide/cellPitch, pitch/cellPitch
	var histogram [256]int
	for y := range CellHeight {
		v := (float64(y) - CellHeight/2 + 0.5) * stepY
		for x := range CellWidth {
			ink := m.sample(cx+(float64(x)-CellWidth/2+0.5)*step+m.lean*(cy+v-StripHeight/2), cy+v)
			c[y*CellWidth+x] = ink
			// The neighbours have no say in how dark this column is.
			if x >= (CellWidth-cellPitch)/2 && x < (CellWidth+cellPitch)/2 {
				histogram[byte(ink*255)]++
			}
		}
	}
	gain := 1 / max(float32(quantile(histogram, CellHeight*cellPitch*93/100))/255, 0.35)
	for i := range c {
		c[i] = min(c[i]*gain, 1)
	}
	return c
}

// turned is the cell on its head.
func (c *Cell) turned() Cell {
	var out Cell
	for i, v := range c {
		out[len(c)-1-i] = v
	}
	return out
}

// Turned is the line read on its head.
func (l Line) Turned() Line {
	out := Line{Pitch: l.Pitch}
	for i := len(l.Cells) - 1; i >= 0; i-- {
		out.Cells = append(out.Cells, l.Cells[i].turned())
		out.Centres = append(out.Centres, l.Centres[i])
	}
	return out
}

func (m inkMap) sample(x, y float64) float32 {
	x0, y0 := int(math.Floor(x)), int(math.Floor(y))
	if x0 < 0 || y0 < 0 || x0+1 >= m.w || y0+1 >= StripHeight {
		return 0
	}
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	i := y0*m.w + x0
	top := m.pix[i]*(1-fx) + m.pix[i+1]*fx
	bottom := m.pix[i+m.w]*(1-fx) + m.pix[i+m.w+1]*fx
	return top*(1-fy) + bottom*fy
}
