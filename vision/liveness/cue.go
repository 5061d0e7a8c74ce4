package liveness

import (
	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/liveness/fusion"
)

// cueSide is the side, px, of what the cues on the face are measured on: all of the face scaled to it, and a part of it
// pixel by pixel as the camera gave it.
const cueSide = 128

// faceScale is the part of the face's longer side that is measured: hair and background stay outside.
const faceScale = 0.9

// measureCues adds what is measured without a network. The box must have an area and lie in the picture.
func measureCues(pic *imaging.Picture, face vision.Box, cues map[string]float64) error {
	whole, err := square(pic, face, faceScale, cueSide)
	if err != nil {
		return err
	}
	cues[fusion.Saturation], cues[fusion.Blueness] = colours(whole)
	part := min(cueSide, pic.Width, pic.Height)
	native, err := square(pic, face, float64(part)/float64(max(face.Width, face.Height)), cueSide)
	if err != nil {
		return err
	}
	cues[fusion.ChromaGrain] = irregular(blueChroma(native), cueSide, 2)
	cues[fusion.Room] = room(pic, face)
	cues[fusion.BorderLines], err = borderLines(pic, face)
	return err
}

// colours gives the mean saturation (HSV, 0..1; ink and screens pale skin) and the mean of Cb (−0.5..0.5; the light of
// screens is bluish).
func colours(crop *imaging.Picture) (saturation, blueness float64) {
	n := crop.Width * crop.Height
	for i := range n {
		b, g, r := float64(crop.Pix[3*i])/255, float64(crop.Pix[3*i+1])/255, float64(crop.Pix[3*i+2])/255
		high, low := max(b, g, r), min(b, g, r)
		saturation += (high - low) / (high + 1e-3)
		blueness += 0.564 * (b - 0.299*r - 0.587*g - 0.114*b)
	}
	return saturation / float64(n), blueness / float64(n)
}

// blueChroma gives Cb as whole numbers, so that equal colours are equal.
func blueChroma(crop *imaging.Picture) []int32 {
	blue := make([]int32, crop.Width*crop.Height)
	for i := range blue {
		b, g, r := int32(crop.Pix[3*i]), int32(crop.Pix[3*i+1]), int32(crop.Pix[3*i+2])
		blue[i] = 886*b - 299*r - 587*g
	}
	return blue
}

// irregular is the share of pixels, 0..1, whose local binary pattern (Ojala 2002: which of eight neighbours, radius px away,
// are at least as large) changes more than twice around the circle: grain, of a screen's cells, of halftone or of noise.
func irregular(values []int32, side, radius int) float64 {
	around := [8]int{-side - 1, -side, -side + 1, 1, side + 1, side, side - 1, -1}
	for i := range around {
		around[i] *= radius
	}
	count := 0
	for y := radius; y < side-radius; y++ {
		for x := radius; x < side-radius; x++ {
			i := y*side + x
			changes := 0
			last := values[i+around[7]] >= values[i]
			for _, d := range around {
				now := values[i+d] >= values[i]
				if now != last {
					changes++
				}
				last = now
			}
			if changes > 2 {
				count++
			}
		}
	}
	return float64(count) / float64((side-2*radius)*(side-2*radius))
}
