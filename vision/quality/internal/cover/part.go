package cover

import (
	"math"
	"slices"
)

// Part is a part of the face that can be covered: a grid of cells in a patch, and where the skin is that it is compared
// with.
type Part struct {
	left, top, columns, rows int
	skin                     [3]rectangle
}

type rectangle struct{ left, top, right, bottom int }

const (
	cell         = 4 // px of a patch
	cellFeatures = 5
)

// Eye is the person's right eye with its brow, compared with cheeks and nose. The left one is looked at in the mirror.
func Eye() Part {
	return Part{left: 8, top: 12, columns: 6, rows: 5, skin: [3]rectangle{{16, 34, 26, 42}, {38, 34, 48, 42}, {28, 28, 36, 40}}}
}

// Mouth is the mouth with what is around it, compared with the skin below the eyes and between them.
func Mouth() Part {
	return Part{left: 18, top: 38, columns: 7, rows: 6, skin: [3]rectangle{{14, 28, 26, 34}, {38, 28, 50, 34}, {29, 20, 35, 32}}}
}

// Size is the number of features.
func (t Part) Size() int { return t.columns * t.rows * cellFeatures }

// Features describe the part cell by cell: how much lighter or darker and of what other colour it is than the skin, and
// how much structure it shows across and down. They hardly change with the light.
func (t Part) Features(p *Patch) []float64 {
	var ys, crs, cbs []float64
	for _, r := range t.skin {
		for y := r.top; y < r.bottom; y++ {
			for x := r.left; x < r.right; x++ {
				i := y*patchSide + x
				ys, crs, cbs = append(ys, p.y[i]), append(crs, p.cr[i]), append(cbs, p.cb[i])
			}
		}
	}
	light, cr, cb := median(ys)+16, median(crs), median(cbs)
	out := make([]float64, 0, t.Size())
	for row := range t.rows {
		for column := range t.columns {
			var luma, red, blue, across, down float64
			const n = cell * cell
			for k := range n {
				i := (t.top+row*cell+k/cell)*patchSide + t.left + column*cell + k%cell
				luma += p.y[i] / n
				red += p.cr[i] / n
				blue += p.cb[i] / n
				across += math.Abs(p.y[i+1]-p.y[i-1]) / n
				down += math.Abs(p.y[i+patchSide]-p.y[i-patchSide]) / n
			}
			out = append(out,
				math.Log((luma+16)/light), 8*(red-cr)/light, 8*(blue-cb)/light,
				math.Log((across+1)/light), math.Log((down+1)/light))
		}
	}
	return out
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
