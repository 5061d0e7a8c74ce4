package quality

import (
	"math"
	"slices"

	"kycd/vision"
	"kycd/vision/imaging"
)

// The bounds behind the hints of documents, measured on specimen cards and passport pages that were photographed from nearly above, made
// worse on purpose, and rectified to 300 dpi.
const (
	// MinDPI is the resolution below which a document is not read with certainty. Sharp and well lit, 3 of 3 barcodes
	// are read from 110 dpi on and none at 90; of zones 1 of 3 at 90 and nearly all from 110. The rest is room for hands that shake.
	MinDPI = 140
	// Defocus of 4 px at 340 dpi leaves 35 to 43 on a front or a passport page, and a third of its values is not read then; at 1 px, and
	// smeared by 6 px, it is 1260 and more. A card with a tenth of the light falls to 40, but is called dark.
	minPageSharpness = 100
	// With a tenth of the light the mean is 20, with a fifth 40. Chosen, not measured against what can be read.
	// Noise is what loses print in the dark. With a deviation of 6 levels, as phones have in the dark, 3 of 16 values of passports are read where
	// the mean is 32, 10 of 16 at 40 and 14 of 16 from 50 on; of cards 12 of 16 at 24 and nearly all from 32 on.
	minPageBrightness = 45
	// Weak reflections blow out nothing, those of a lamp 0.04 to 0.15 of the document. Chosen likewise.
	maxPageGlare = 0.03
)

// pageWidth is the width, px, at which a rectified document is measured.
const pageWidth = 640

// MeasurePage measures a rectified document: what lies around it does not count, neither a bright desk nor a dark one. Sharpness is that of
// the printed parts, for most of a card may be plain. Pixels of value 0 in every channel were not seen and do not count.
func MeasurePage(page *imaging.Picture) (vision.Quality, error) {
	work, err := page.Resize(pageWidth, max(int(math.Round(float64(page.Height)*pageWidth/float64(page.Width))), 1))
	if err != nil {
		return vision.Quality{}, err
	}
	gray, w, h := work.Gray(), work.Width, work.Height
	sum, seen := 0, 0
	for i, v := range gray {
		if px := work.Pix[3*i : 3*i+3 : 3*i+3]; px[0]|px[1]|px[2] != 0 {
			sum, seen = sum+int(v), seen+1
		}
	}
	if seen == 0 {
		return vision.Quality{}, nil
	}
	return vision.Quality{
		Sharpness:  printSharpness(gray, w, h),
		Brightness: float64(sum) / float64(seen),
		Glare:      pageGlare(work),
	}, nil
}

// printSharpness is the variance of the Laplacian in the tiles where it is highest, a quarter of all: where there is print.
func printSharpness(gray []byte, w, h int) float64 {
	const tile = 32
	var tiles []float64
	for top := 1; top+tile < h; top += tile {
		for left := 1; left+tile < w; left += tile {
			sum, squares := 0.0, 0.0
			for y := top; y < top+tile; y++ {
				for x := left; x < left+tile; x++ {
					i := y*w + x
					v := float64(int(gray[i-1]) + int(gray[i+1]) + int(gray[i-w]) + int(gray[i+w]) - 4*int(gray[i]))
					sum, squares = sum+v, squares+v*v
				}
			}
			mean := sum / (tile * tile)
			tiles = append(tiles, squares/(tile*tile)-mean*mean)
		}
	}
	return upperMean(tiles, 0.25)
}

// pageGlare is the share of the document in blown-out blobs that a lamp makes, each at least a thousandth of it. A reflection fades: a
// few pixels outside of it the document is bright still, and around a field that is printed white it is not.
func pageGlare(page *imaging.Picture) float64 {
	w, h := page.Width, page.Height
	blownOut := make([]bool, w*h)
	for i := range blownOut {
		px := page.Pix[3*i : 3*i+3 : 3*i+3]
		blownOut[i] = px[0] >= blown && px[1] >= blown && px[2] >= blown
	}
	glare := 0
	stack := make([]int, 0, 1024)
	for first := range blownOut {
		if !blownOut[first] {
			continue
		}
		area, rim, bright := 0, 0, 0
		stack = append(stack[:0], first)
		blownOut[first] = false
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			area++
			x, y := i%w, i/w
			for _, step := range [4][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
				nx, ny := x+step[0], y+step[1]
				if nx < 0 || ny < 0 || nx >= w || ny >= h {
					continue
				}
				if k := ny*w + nx; blownOut[k] {
					blownOut[k] = false
					stack = append(stack, k)
				} else if fx, fy := x+4*step[0], y+4*step[1]; fx >= 0 && fy >= 0 && fx < w && fy < h {
					rim++
					px := page.Pix[3*(fy*w+fx):]
					if min(px[0], px[1], px[2]) >= fading {
						bright++
					}
				}
			}
		}
		if area*1000 >= w*h && 2*bright >= rim {
			glare += area
		}
	}
	return float64(glare) / float64(w*h)
}

// fading is the level that a reflection still has some pixels from where it is blown out.
const fading = 205

// upperMean is the mean of the highest share of values; 0 without any.
func upperMean(values []float64, share float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := append([]float64(nil), values...)
	slices.Sort(sorted)
	n := max(int(float64(len(sorted))*share), 1)
	sum := 0.0
	for _, v := range sorted[len(sorted)-n:] {
		sum += v
	}
	return sum / float64(n)
}

// PageHints tells what to do better, from the measurements of a rectified document.
func PageHints(q vision.Quality) []vision.Hint {
	var hints []vision.Hint
	dark := q.Brightness < minPageBrightness
	if dark {
		hints = append(hints, vision.HintTooDark)
	}
	if q.Sharpness < minPageSharpness && !dark {
		hints = append(hints, vision.HintBlurred)
	}
	if q.Glare > maxPageGlare {
		hints = append(hints, vision.HintGlare)
	}
	return hints
}

// DocumentHints tells what to do better, from where and how large the document lies in the picture. What counts is the
// resolution of the pixels that are read: pass the outline of the picture as it was decoded, not as it was sent.
func DocumentHints(d vision.Document) []vision.Hint {
	var hints []vision.Hint
	switch {
	case d.CutOff: // of which nobody can say how large it is
		hints = append(hints, vision.HintCutOff)
	case d.DPI < MinDPI:
		hints = append(hints, vision.HintTooSmall)
	}
	if d.Others > 0 {
		hints = append(hints, vision.HintSeveralDocuments)
	}
	return hints
}
