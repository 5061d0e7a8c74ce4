package liveness

import (
	"math"

	"kycd/vision"
	"kycd/vision/imaging"
)

// within is a box around a face, scale times as large, that stays in the picture: it is moved, and where it must be
// made smaller in proportion, until nothing of it lies outside. An invented surrounding (mirrored, repeated or
// black) is what the networks take for the border of a screen: on tight crops they refuse people for it.
func within(pic *imaging.Picture, width, height, scale float64, face vision.Box) vision.Box {
	width, height = width*scale, height*scale
	fits := min(1, float64(pic.Width)/width, float64(pic.Height)/height)
	width, height = width*fits, height*fits
	place := func(from, size, wanted, limit int) int {
		return min(max(int(math.Round(float64(from)+float64(size)/2-float64(wanted)/2)), 0), limit-wanted)
	}
	w := min(max(int(math.Round(width)), 1), pic.Width)
	h := min(max(int(math.Round(height)), 1), pic.Height)
	return vision.Box{X: place(face.X, face.Width, w, pic.Width), Y: place(face.Y, face.Height, h, pic.Height), Width: w, Height: h}
}

// square cuts a square of scale times the face's longer side and scales it to side px.
func square(pic *imaging.Picture, face vision.Box, scale float64, side int) (*imaging.Picture, error) {
	longer := float64(max(face.Width, face.Height))
	return cut(pic, within(pic, longer, longer, scale, face), side)
}

// stretched cuts scale times the face's box and scales it, whatever its shape, to a square of side px.
func stretched(pic *imaging.Picture, face vision.Box, scale float64, side int) (*imaging.Picture, error) {
	return cut(pic, within(pic, float64(face.Width), float64(face.Height), scale, face), side)
}

func cut(pic *imaging.Picture, box vision.Box, side int) (*imaging.Picture, error) {
	crop, ok, err := pic.Cut(box, side, side)
	if err == nil && !ok {
		err = ErrFaceTooSmall // a face wholly outside of the picture
	}
	return crop, err
}

// room is how many times the face's box fits into the picture, in the tighter direction.
func room(pic *imaging.Picture, face vision.Box) float64 {
	return min(float64(pic.Width)/float64(face.Width), float64(pic.Height)/float64(face.Height))
}
