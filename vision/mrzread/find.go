package mrzread

import (
	"image"
	"math"
	"sort"

	"gocv.io/x/gocv"

	"kycd/vision"
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
	workingWidth  = 1100 // pixels; a letter of a passport's zone is then 22 pixels high, one of a card's 32
	minLength     = 0.30 // of the picture's width; a zone takes 85 % of its document's
	minElongation = 15.0
	maxElongation = 75.0
	maxTilt       = 0.35 // radians
)

// findRows returns the patches that may be rows of a zone, in a picture of w·h grey pixels. Positions are its pixels.
//
// Thin dark strokes are kept by a black-hat, joined along the line, and measured by their moments.
func findRows(gray []byte, w, h int) ([]row, error) {
	scale := float64(w) / workingWidth
	sw, sh := workingWidth, max(int(float64(h)/scale+0.5), 1)
	full, err := grayMat(gray, w, h)
	if err != nil {
		return nil, err
	}
	defer full.Close()
	work := gocv.NewMat()
	defer work.Close()
	how := gocv.InterpolationArea
	if scale < 1 {
		how = gocv.InterpolationLinear
	}
	gocv.Resize(full, &work, image.Pt(sw, sh), 0, 0, how)
	gocv.GaussianBlur(work, &work, image.Pt(3, 3), 0, 0, gocv.BorderReplicate)
	strokes := gocv.NewMat()
	defer strokes.Close()
	morph(work, &strokes, gocv.MorphBlackhat, 15, 15)
	var out []row
	for _, gap := range []int{21, 33} {
		mask := gocv.NewMat()
		gocv.Threshold(strokes, &mask, 0, 255, gocv.ThresholdBinary|gocv.ThresholdOtsu)
		morph(mask, &mask, gocv.MorphClose, gap, 1)
		morph(mask, &mask, gocv.MorphOpen, gap, 5)
		for _, r := range patches(mask.ToBytes(), sw, sh) {
			r.centre.X, r.centre.Y = r.centre.X*scale, r.centre.Y*scale
			r.length, r.height = r.length*scale, r.height*scale
			if !known(out, r) {
				out = append(out, r)
			}
		}
		mask.Close()
	}
	return out, nil
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

// patches measures the connected white patches of a mask and keeps the long thin ones.
func patches(mask []byte, w, h int) []row {
	var out []row
	var stack []int
	for start, v := range mask {
		if v == 0 {
			continue
		}
		stack = append(stack[:0], start)
		mask[start] = 0
		var cells []int
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			cells = append(cells, i)
			x, y := i%w, i/w
			for _, n := range [4]struct {
				at   int
				here bool
			}{{i - 1, x > 0}, {i + 1, x < w-1}, {i - w, y > 0}, {i + w, y < h-1}} {
				if n.here && mask[n.at] != 0 {
					mask[n.at] = 0
					stack = append(stack, n.at)
				}
			}
		}
		if len(cells) < w*2 {
			continue
		}
		if r, ok := measure(cells, w); ok {
			out = append(out, r)
		}
	}
	return out
}

// measure lays a line through the pixels of a patch by their second moments.
func measure(cells []int, w int) (row, bool) {
	var n, sx, sy, sxx, syy, sxy float64
	for _, i := range cells {
		x, y := float64(i%w), float64(i/w)
		n, sx, sy = n+1, sx+x, sy+y
		sxx, syy, sxy = sxx+x*x, syy+y*y, sxy+x*y
	}
	mx, my := sx/n, sy/n
	cxx, cyy, cxy := sxx/n-mx*mx, syy/n-my*my, sxy/n-mx*my
	angle := 0.5 * math.Atan2(2*cxy, cxx-cyy)
	sin, cos := math.Sincos(angle)
	along, across := make([]float64, len(cells)), make([]float64, len(cells))
	for k, i := range cells {
		x, y := float64(i%w)-mx, float64(i/w)-my
		along[k], across[k] = x*cos+y*sin, y*cos-x*sin
	}
	sort.Float64s(along)
	sort.Float64s(across)
	edge := len(cells) / 200
	from, to := along[edge], along[len(along)-1-edge]
	// A patch of even height spreads its pixels evenly across: 90 % of them lie within 0.9 of its height.
	height := (across[len(across)*95/100] - across[len(across)*5/100]) / 0.9
	middle := (across[len(across)*95/100] + across[len(across)*5/100]) / 2
	r := row{
		centre: vision.Point{X: mx + (from+to)/2*cos - middle*sin, Y: my + (from+to)/2*sin + middle*cos},
		angle:  angle, length: to - from, height: height,
	}
	elongation := r.length / max(r.height, 1)
	ok := r.length >= minLength*float64(w) && math.Abs(angle) <= maxTilt &&
		elongation >= minElongation && elongation <= maxElongation
	return r, ok
}

// zones groups rows into what may be zones: two or three rows of the same length and slope, one under the other,
// their letters as far apart as a zone's are. The upper row is first.
func zones(rows []row) [][]row {
	sort.Slice(rows, func(i, j int) bool { return rows[i].centre.Y < rows[j].centre.Y })
	var out [][]row
	for i, a := range rows {
		for j := i + 1; j < len(rows); j++ {
			b := rows[j]
			if !follows(a, b) {
				continue
			}
			out = append(out, []row{a, b})
			for _, c := range rows[j+1:] {
				if follows(b, c) && math.Abs(c.centre.Y-2*b.centre.Y+a.centre.Y) < 0.5*(b.centre.Y-a.centre.Y) {
					out = append(out, []row{a, b, c})
				}
			}
		}
	}
	// Three rows before two: the two are part of them.
	sort.SliceStable(out, func(i, j int) bool { return len(out[i]) > len(out[j]) })
	return out
}

func follows(a, b row) bool {
	sin, cos := math.Sincos((a.angle + b.angle) / 2)
	dx, dy := b.centre.X-a.centre.X, b.centre.Y-a.centre.Y
	along, down := dx*cos+dy*sin, dy*cos-dx*sin
	height := (a.height + b.height) / 2
	return math.Abs(a.angle-b.angle) < 0.06 &&
		math.Abs(math.Log(a.length/b.length)) < 0.25 &&
		math.Abs(math.Log(a.height/b.height)) < 0.6 &&
		math.Abs(along) < 0.13*a.length &&
		down > 1.1*height && down < 4.2*height
}
