package face

import (
	"math"

	"kycd/vision"
	"kycd/vision/imaging"
)

// alignedSide is the side in pixels of a face as second encoders want it.
const alignedSide = 112

// alignedPoints are where eyes, nose tip and mouth corners lie in a picture of alignedSide, in the order of
// vision.Face.Landmarks: the template that ArcFace and its descendants were trained with (Deng et al. 2019).
func alignedPoints() [5]vision.Point {
	return [5]vision.Point{
		{X: 38.2946, Y: 51.6963}, {X: 73.5318, Y: 51.5014}, {X: 56.0252, Y: 71.7366}, {X: 41.5493, Y: 92.3655}, {X: 70.7299, Y: 92.2041},
	}
}

// similarity turns, scales and moves: x' = a·x − b·y + dx, y' = b·x + a·y + dy.
type similarity struct{ a, b, dx, dy float64 }

// fitSimilarity is the one that brings the points of from nearest to those of to, by least squares. It is false if the points of
// from are all one.
func fitSimilarity(from, to [5]vision.Point) (similarity, bool) {
	var f, t vision.Point
	for i := range from {
		f.X, f.Y, t.X, t.Y = f.X+from[i].X/5, f.Y+from[i].Y/5, t.X+to[i].X/5, t.Y+to[i].Y/5
	}
	var a, b, spread float64
	for i := range from {
		x, y, u, v := from[i].X-f.X, from[i].Y-f.Y, to[i].X-t.X, to[i].Y-t.Y
		a, b, spread = a+x*u+y*v, b+x*v-y*u, spread+x*x+y*y
	}
	if !(spread > 0) {
		return similarity{}, false
	}
	a, b = a/spread, b/spread
	return similarity{a: a, b: b, dx: t.X - a*f.X + b*f.Y, dy: t.Y - b*f.X - a*f.Y}, true
}

func (s similarity) apply(p vision.Point) vision.Point {
	return vision.Point{X: s.a*p.X - s.b*p.Y + s.dx, Y: s.b*p.X + s.a*p.Y + s.dy}
}

// align turns and scales a face so that its five points come to lie where alignedPoints wants them. What lies beyond the
// picture is black. It is false if the points are all one, or no numbers.
func align(pic *imaging.Picture, points [5]vision.Point) (*imaging.Picture, bool, error) {
	toPicture, ok := fitSimilarity(alignedPoints(), points)
	scale := math.Hypot(toPicture.a, toPicture.b) // pixels of the picture per pixel of the result
	if !ok || !(scale > 0) || math.IsInf(scale, 0) {
		return nil, false, nil
	}
	// A large face is shrunk by area first, so that few samples see all its pixels.
	if times := math.Floor(scale); times >= 2 {
		box := corners(toPicture, times)
		box = clip(box, pic)
		small, ok, err := pic.Cut(box, int(math.Round(float64(box.Width)/times)), int(math.Round(float64(box.Height)/times)))
		if err != nil || !ok {
			return nil, false, err
		}
		across, down := float64(small.Width)/float64(box.Width), float64(small.Height)/float64(box.Height)
		for i, p := range points {
			points[i] = vision.Point{X: (p.X-float64(box.X)+0.5)*across - 0.5, Y: (p.Y-float64(box.Y)+0.5)*down - 0.5}
		}
		pic = small
		if toPicture, ok = fitSimilarity(alignedPoints(), points); !ok {
			return nil, false, nil
		}
	}
	return sample(pic, toPicture), true, nil
}

// corners is the part of the picture that the aligned face is made of, with some pixels more.
func corners(s similarity, more float64) vision.Box {
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, corner := range []vision.Point{{}, {X: alignedSide}, {Y: alignedSide}, {X: alignedSide, Y: alignedSide}} {
		p := s.apply(corner)
		minX, minY, maxX, maxY = min(minX, p.X), min(minY, p.Y), max(maxX, p.X), max(maxY, p.Y)
	}
	// No picture is larger, and a number beyond would not fit an int.
	const most = 1 << 20
	bound := func(v float64) int { return int(math.Max(-most, math.Min(most, v))) }
	x, y := bound(math.Floor(minX-2*more)), bound(math.Floor(minY-2*more))
	return vision.Box{X: x, Y: y, Width: bound(math.Ceil(maxX+2*more)) - x, Height: bound(math.Ceil(maxY+2*more)) - y}
}

// clip is what of a box lies in the picture; without area if nothing does.
func clip(box vision.Box, pic *imaging.Picture) vision.Box {
	x, y := max(box.X, 0), max(box.Y, 0)
	return vision.Box{X: x, Y: y, Width: min(box.X+box.Width, pic.Width) - x, Height: min(box.Y+box.Height, pic.Height) - y}
}

// sample takes the mean of four bilinear samples for each pixel of the result.
func sample(pic *imaging.Picture, s similarity) *imaging.Picture {
	pix := make([]byte, 3*alignedSide*alignedSide)
	for y := range alignedSide {
		for x := range alignedSide {
			var sum [3]float64
			for _, v := range [2]float64{-0.25, 0.25} {
				for _, u := range [2]float64{-0.25, 0.25} {
					bilinear(pic, s.apply(vision.Point{X: float64(x) + u, Y: float64(y) + v}), &sum)
				}
			}
			for c, total := range sum {
				pix[3*(y*alignedSide+x)+c] = byte(total/4 + 0.5)
			}
		}
	}
	return imaging.New(pix, alignedSide, alignedSide)
}

// bilinear adds the colour between four pixels to sum.
func bilinear(pic *imaging.Picture, at vision.Point, sum *[3]float64) {
	if !(at.X > -1 && at.Y > -1 && at.X < float64(pic.Width) && at.Y < float64(pic.Height)) {
		return
	}
	left, top := math.Floor(at.X), math.Floor(at.Y)
	right, down := at.X-left, at.Y-top
	x0, y0 := int(left), int(top)
	if x0 >= 0 && y0 >= 0 && x0+1 < pic.Width && y0+1 < pic.Height { // nearly always
		from := 3 * (y0*pic.Width + x0)
		upper, lower := pic.Pix[from:from+6:from+6], pic.Pix[from+3*pic.Width:from+3*pic.Width+6:from+3*pic.Width+6]
		for c := range sum {
			above := (1-right)*float64(upper[c]) + right*float64(upper[c+3])
			below := (1-right)*float64(lower[c]) + right*float64(lower[c+3])
			sum[c] += (1-down)*above + down*below
		}
		return
	}
	for _, corner := range [4]struct {
		x, y   int
		weight float64
	}{
		{x0, y0, (1 - right) * (1 - down)}, {x0 + 1, y0, right * (1 - down)}, {x0, y0 + 1, (1 - right) * down}, {x0 + 1, y0 + 1, right * down},
	} {
		if corner.x < 0 || corner.y < 0 || corner.x >= pic.Width || corner.y >= pic.Height {
			continue
		}
		pixel := pic.Pix[3*(corner.y*pic.Width+corner.x):]
		for c := range sum {
			sum[c] += corner.weight * float64(pixel[c])
		}
	}
}
