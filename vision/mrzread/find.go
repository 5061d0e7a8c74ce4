package mrzread

import (
	"bytes"
	"image"
	"image/color"
	"math"

	"gocv.io/x/gocv"

	"kycd/vision"
	"kycd/vision/projective"
)

// row is a line of print: a long, thin, slightly tilted patch of dark strokes. Lengths are in pixels.
type row struct {
	centre vision.Point
	angle  float64 // of the line to the x axis, radians
	length float64
	height float64
}

// What a row of a zone looks like: 30 to 44 equal columns, each about as wide as the letters are high.
const (
	workingSide   = 1100 // pixels of the longer side; a letter of a passport's zone is then about 17 pixels high
	minLength     = 0.30 // of the view's width; a zone takes 85 % of its document's
	minElongation = 13.0
	maxElongation = 75.0
	maxTilt       = 0.33 // radians; the views are a twelfth of a turn apart
	minPart       = 4.0  // elongation of a part of a row that a reflection has broken
)

// stage is a picture brought to working size, of which only the thin dark strokes are left: how much darker than the paper
// around them they are, as a share of its brightness, so that shadows and reflections do not matter.
type stage struct {
	strokes   gocv.Mat
	threshold float32
	gaps      [2]int // between letters, pixels: strokes so far apart are joined, closer print first
	thinnest  int    // height of a row, pixels
	coarse    bool   // turned without smoothing, which is enough to tell rows
}

func (s *stage) close() { s.strokes.Close() }

// newStage keeps the strokes of a working picture, which stays the caller's. The caller closes the stage.
func newStage(work gocv.Mat) (*stage, error) {
	soft := gocv.NewMat()
	defer soft.Close()
	gocv.GaussianBlur(work, &soft, image.Pt(3, 3), 0, 0, gocv.BorderReplicate)
	s := &stage{strokes: gocv.NewMat(), gaps: [2]int{19, 33}, thinnest: 5}
	morph(soft, &s.strokes, gocv.MorphClose, 17, 17)
	dark, err := soft.DataPtrUint8()
	if err != nil {
		s.close()
		return nil, err
	}
	light, err := s.strokes.DataPtrUint8()
	if err != nil {
		s.close()
		return nil, err
	}
	var share [256]uint32 // 1/v, so that no pixel is divided
	for v := range share {
		share[v] = uint32(255 << 8 / max(v, 24))
	}
	for i, v := range dark {
		light[i] = byte(min(uint32(light[i]-v)*share[light[i]]>>8, 255))
	}
	mask := gocv.NewMat()
	defer mask.Close()
	s.threshold = gocv.Threshold(s.strokes, &mask, 0, 255, gocv.ThresholdBinary|gocv.ThresholdOtsu)
	return s, nil
}

// halved is the stage at half its size, in which rows are told from other print at a quarter of the cost, but not measured.
// The caller closes it.
func (s *stage) halved() *stage {
	// Thin strokes fade where four pixels become one.
	half := &stage{strokes: gocv.NewMat(), threshold: 0.6 * s.threshold, gaps: [2]int{9, 17}, thinnest: 3, coarse: true}
	gocv.Resize(s.strokes, &half.strokes, image.Pt((s.strokes.Cols()+1)/2, (s.strokes.Rows()+1)/2), 0, 0, gocv.InterpolationArea)
	return half
}

// promising says whether rows that lie about at an angle, radians, may be a zone.
func (s *stage) promising(angle float64) (bool, error) {
	v, err := s.turned(angle)
	if err != nil {
		return false, err
	}
	defer v.strokes.Close()
	rows, err := s.rows(v)
	return len(groups(rows)) > 0, err
}

// view is a stage turned. toStage maps its pixels to the stage's.
type view struct {
	strokes gocv.Mat
	toStage projective.Map
}

// turned is the stage turned back by an angle, radians, so that rows at about this angle lie level. The caller closes
// its strokes.
func (s *stage) turned(angle float64) (view, error) {
	if angle == 0 {
		return view{strokes: s.strokes.Clone(), toStage: projective.Scaling(1, 1)}, nil
	}
	w, h := float64(s.strokes.Cols()), float64(s.strokes.Rows())
	sin, cos := math.Sincos(angle)
	outW := math.Ceil(w*math.Abs(cos) + h*math.Abs(sin))
	outH := math.Ceil(w*math.Abs(sin) + h*math.Abs(cos))
	v := view{strokes: gocv.NewMat(), toStage: projective.Map{
		cos, -sin, w/2 - cos*outW/2 + sin*outH/2,
		sin, cos, h/2 - sin*outW/2 - cos*outH/2,
		0, 0, 1,
	}}
	m := gocv.NewMatWithSize(2, 3, gocv.MatTypeCV64F)
	defer m.Close()
	// OpenCV is given the way there, and the stage's place for each pixel follows from it.
	there := [2][3]float64{
		{cos, sin, outW/2 - cos*w/2 - sin*h/2},
		{-sin, cos, outH/2 + sin*w/2 - cos*h/2},
	}
	for i := range there {
		for j, x := range there[i] {
			m.SetDoubleAt(i, j, x)
		}
	}
	how := gocv.InterpolationLinear
	if s.coarse {
		how = gocv.InterpolationNearestNeighbor
	}
	gocv.WarpAffineWithParams(s.strokes, &v.strokes, m, image.Pt(int(outW), int(outH)), how, gocv.BorderConstant, color.RGBA{})
	return v, nil
}

// rows returns the patches of a view that may be rows of a zone, in its pixels: the strokes are joined along the line, and
// measured by their moments.
func (s *stage) rows(v view) ([]row, error) {
	dark, mask := gocv.NewMat(), gocv.NewMat()
	defer dark.Close()
	defer mask.Close()
	gocv.Threshold(v.strokes, &dark, s.threshold, 255, gocv.ThresholdBinary)
	var out []row
	for _, gap := range s.gaps {
		morph(dark, &mask, gocv.MorphClose, gap, 1)
		morph(mask, &mask, gocv.MorphOpen, gap, s.thinnest)
		white, err := mask.DataPtrUint8()
		if err != nil {
			return nil, err
		}
		found := patches(white, mask.Cols(), mask.Rows())
		for _, r := range append(found, joined(found)...) {
			elongation := r.length / max(r.height, 1)
			if r.length >= minLength*float64(mask.Cols()) && elongation >= minElongation && elongation <= maxElongation && !known(out, r) {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// joined puts parts that lie in one line together: a reflection or a shadow's edge breaks rows.
func joined(parts []row) []row {
	var out []row
	for i, a := range parts {
		best, at := math.Inf(1), -1
		for j, b := range parts {
			if gap, ok := continues(a, b); i != j && ok && gap < best {
				best, at = gap, j
			}
		}
		if at >= 0 {
			out = append(out, a.with(parts[at]))
		}
	}
	// A row broken in three is joined from both sides.
	for i := range len(out) {
		for _, b := range parts {
			if _, ok := continues(out[i], b); ok {
				out = append(out, out[i].with(b))
			}
		}
	}
	return out
}

// continues says whether b goes on to the right of a, and after which gap.
func continues(a, b row) (gap float64, ok bool) {
	// The longer part knows the direction better.
	angle := a.angle
	if b.length > a.length {
		angle = b.angle
	}
	sin, cos := math.Sincos(angle)
	dx, dy := b.centre.X-a.centre.X, b.centre.Y-a.centre.Y
	along, across := dx*cos+dy*sin, dy*cos-dx*sin
	gap = along - (a.length+b.length)/2
	height := (a.height + b.height) / 2
	return gap, gap > -height && gap < max(10*height, 0.6*max(a.length, b.length)) &&
		math.Abs(across) < 0.5*height+0.02*along && math.Abs(math.Log(a.height/b.height)) < 0.7 && math.Abs(a.angle-b.angle) < 0.12
}

// with is the row from the left end of r to the right end of o.
func (r row) with(o row) row {
	from := vision.Point{X: r.centre.X - r.length/2*math.Cos(r.angle), Y: r.centre.Y - r.length/2*math.Sin(r.angle)}
	to := vision.Point{X: o.centre.X + o.length/2*math.Cos(o.angle), Y: o.centre.Y + o.length/2*math.Sin(o.angle)}
	return row{
		centre: vision.Point{X: (from.X + to.X) / 2, Y: (from.Y + to.Y) / 2},
		angle:  math.Atan2(to.Y-from.Y, to.X-from.X),
		length: math.Hypot(to.X-from.X, to.Y-from.Y),
		height: (r.height*r.length + o.height*o.length) / (r.length + o.length),
	}
}

func morph(src gocv.Mat, dst *gocv.Mat, op gocv.MorphType, w, h int) {
	kernel := gocv.GetStructuringElement(gocv.MorphRect, image.Pt(w, h))
	defer kernel.Close()
	gocv.MorphologyEx(src, dst, op, kernel)
}

// grayMat copies bytes into a Mat of its own, so that OpenCV never holds Go's memory. The caller closes it.
func grayMat(gray []byte, w, h int) (gocv.Mat, error) {
	m := gocv.NewMatWithSize(h, w, gocv.MatTypeCV8UC1)
	data, err := m.DataPtrUint8()
	if err != nil {
		m.Close()
		return gocv.Mat{}, err
	}
	copy(data, gray)
	return m, nil
}

func known(rows []row, r row) bool {
	for _, o := range rows {
		if math.Abs(o.centre.Y-r.centre.Y) < r.height/2 && math.Abs(o.centre.X-r.centre.X) < r.length/30 &&
			math.Abs(o.length-r.length) < r.length/15 {
			return true
		}
	}
	return false
}

// run is a stretch of white in one row of a mask: the pixels [from, to) of row y.
type run struct{ y, from, to int }

// patches measures the connected white patches of a mask and keeps the long thin ones.
func patches(mask []byte, w, h int) []row {
	var runs []run
	var parent []int
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	above := 0 // first run of the row above
	for y := range h {
		line := mask[y*w : (y+1)*w]
		here := len(runs)
		touching := above
		for x := 0; x < w; {
			skip := bytes.IndexByte(line[x:], 255)
			if skip < 0 {
				break
			}
			from, to := x+skip, w
			if n := bytes.IndexByte(line[from:], 0); n >= 0 {
				to = from + n
			}
			i := len(runs)
			runs, parent = append(runs, run{y, from, to}), append(parent, i)
			for touching < here && (runs[touching].y < y-1 || runs[touching].to <= from) {
				touching++
			}
			for k := touching; k < here && runs[k].from < to; k++ {
				parent[root(k)] = root(i)
			}
			x = to
		}
		above = here
	}
	size := make([]int, len(runs))
	for i, r := range runs {
		size[root(i)] += r.to - r.from
	}
	parts := map[int][]run{}
	var order []int
	for i, r := range runs {
		k := root(i)
		if size[k] < w/4 {
			continue
		}
		if parts[k] == nil {
			order = append(order, k)
		}
		parts[k] = append(parts[k], r)
	}
	var out []row
	for _, k := range order {
		if r, ok := measure(parts[k], w); ok {
			out = append(out, r)
		}
	}
	return out
}

// measure lays a line through the pixels of a patch by their second moments.
func measure(runs []run, w int) (row, bool) {
	var n, sx, sy, sxx, syy, sxy float64
	squares := func(k float64) float64 { return k * (k + 1) * (2*k + 1) / 6 } // 1² + … + k²
	for _, r := range runs {
		count, x, y := float64(r.to-r.from), float64(r.from+r.to-1)/2, float64(r.y)
		n, sx, sy = n+count, sx+count*x, sy+count*y
		sxx += squares(float64(r.to-1)) - squares(float64(r.from-1))
		syy, sxy = syy+count*y*y, sxy+count*x*y
	}
	mx, my := sx/n, sy/n
	cxx, cyy, cxy := sxx/n-mx*mx, syy/n-my*my, sxy/n-mx*my
	angle := 0.5 * math.Atan2(2*cxy, cxx-cyy)
	// A bar of even ink has a length of √12 standard deviations. What is far from one is not measured further.
	apart := math.Hypot(cxx-cyy, 2*cxy)
	long, thin := math.Sqrt(6*(cxx+cyy+apart)), math.Sqrt(6*max(cxx+cyy-apart, 0.1))
	if math.Abs(angle) > maxTilt || long < 0.06*float64(w) || long < 0.8*minPart*thin {
		return row{}, false
	}
	sin, cos := math.Sincos(angle)
	along, across := newSpread(1.5*long), newSpread(2*thin)
	for _, r := range runs {
		y := float64(r.y) - my
		for i := r.from; i < r.to; i++ {
			x := float64(i) - mx
			along.add(x*cos + y*sin)
			across.add(y*cos - x*sin)
		}
	}
	cells := int(n)
	from, to := along.quantile(cells/200), along.quantile(cells-1-cells/200)
	// A patch of even height spreads its pixels evenly across: 90 % of them lie within 0.9 of its height.
	upper, lower := across.quantile(cells*5/100), across.quantile(cells*95/100)
	height, middle := (lower-upper)/0.9, (lower+upper)/2
	r := row{
		centre: vision.Point{X: mx + (from+to)/2*cos - middle*sin, Y: my + (from+to)/2*sin + middle*cos},
		angle:  angle, length: to - from, height: height,
	}
	return r, math.Abs(angle) <= maxTilt && r.length >= minPart*r.height
}

// spread counts values in steps of a quarter, so that their quantiles need no sorting.
type spread struct {
	counts []int
	from   float64
}

func newSpread(reach float64) spread {
	return spread{counts: make([]int, int(8*reach)+3), from: -reach}
}

func (s spread) add(v float64) {
	s.counts[min(max(int((v-s.from)*4), 0), len(s.counts)-1)]++
}

// quantile is the value that count others do not exceed.
func (s spread) quantile(count int) float64 {
	for i, n := range s.counts {
		if count -= n; count < 0 {
			return s.from + (float64(i)+0.5)/4
		}
	}
	return -s.from
}
