package document

import "kycd/vision"

// patch is a quadrilateral of a picture brought to a rectangle, grey.
type patch struct {
	w, h int
	gray []byte
}

// patchWidth is the width of a patch, px: small print on a card is still separate lines there.
const patchWidth = 480

// flatten samples a quadrilateral, its first side on top, of interleaved pixels of 3 channels. Perspective within is left as it is.
func flatten(pix []byte, w, h int, q quad) patch {
	aspect := (distance(q[0], q[3]) + distance(q[1], q[2])) / (distance(q[0], q[1]) + distance(q[3], q[2]))
	p := patch{w: patchWidth, h: max(int(patchWidth*aspect), 1)}
	p.gray = make([]byte, p.w*p.h)
	for y := range p.h {
		v := (float64(y) + 0.5) / float64(p.h)
		from, to := mix(q[0], q[3], v), mix(q[1], q[2], v)
		for x := range p.w {
			at := mix(from, to, (float64(x)+0.5)/float64(p.w))
			i := 3 * (min(max(int(at.Y), 0), h-1)*w + min(max(int(at.X), 0), w-1))
			p.gray[y*p.w+x] = byte((int(pix[i]) + 2*int(pix[i+1]) + int(pix[i+2])) / 4)
		}
	}
	return p
}

// turned is the patch with rows and columns exchanged.
func (p patch) turned() patch {
	out := patch{w: p.h, h: p.w, gray: make([]byte, len(p.gray))}
	for y := range p.h {
		for x := range p.w {
			out.gray[x*out.w+y] = p.gray[y*p.w+x]
		}
	}
	return out
}

// textLines counts the lines of print that run along the rows, in each of four strips side by side: bands of many steep edges, as high as
// print, between bands of few.
func (p patch) textLines() (count int) {
	const (
		strips = 4
		step   = 26  // grey levels between pixels two apart that make an edge
		dense  = 0.1 // share of edges in a line of print
	)
	highest := max(p.h/9, 4)
	for s := range strips {
		left, right := p.w*s/strips+2, p.w*(s+1)/strips-2
		density := make([]float64, p.h)
		for y := range p.h {
			n := 0
			row := p.gray[y*p.w : (y+1)*p.w]
			for x := left; x < right; x++ {
				if d := int(row[x+1]) - int(row[x-1]); d > step || d < -step {
					n++
				}
			}
			density[y] = float64(n) / float64(right-left)
		}
		for y := 1; y < p.h-1; {
			if density[y] < dense {
				y++
				continue
			}
			top, peak := y, density[y]
			for y < p.h-1 && density[y] >= max(dense*0.6, 0.35*peak) {
				peak = max(peak, density[y])
				y++
			}
			if height := y - top; height >= 3 && height <= highest {
				count++
			}
			y++
		}
	}
	return count
}

// linesOf says how many lines of print run along a document's upper side, and how many across.
func linesOf(pix []byte, w, h int, corners [4]vision.Point) (along, across int) {
	p := flatten(pix, w, h, corners)
	return p.textLines(), p.turned().textLines()
}
