package imaging

import "kycd/vision"

// Turned gives the picture turned clockwise by a multiple of 90 degrees. The size of its
// source is that of the source turned.
func (p *Picture) Turned(degrees int) *Picture {
	turned := p.upright(turnOrientation(degrees))
	if turned == p {
		return p
	}
	turned.Scale, turned.Format = p.Scale, p.Format
	turned.SourceWidth, turned.SourceHeight = p.SourceWidth, p.SourceHeight
	if degrees%180 != 0 {
		turned.SourceWidth, turned.SourceHeight = p.SourceHeight, p.SourceWidth
	}
	return turned
}

// turnOrientation is the EXIF orientation that is undone by turning clockwise by so many degrees.
func turnOrientation(degrees int) int {
	switch ((degrees % 360) + 360) % 360 {
	case 90:
		return 6
	case 180:
		return 3
	case 270:
		return 8
	default:
		return 1
	}
}

// Unturned maps a point of a picture that Turned gave back to the picture of width × height pixels that it was made of.
func Unturned(at vision.Point, degrees, width, height int) vision.Point {
	w, h := float64(width), float64(height)
	switch ((degrees % 360) + 360) % 360 {
	case 90:
		return vision.Point{X: at.Y, Y: h - at.X}
	case 180:
		return vision.Point{X: w - at.X, Y: h - at.Y}
	case 270:
		return vision.Point{X: w - at.Y, Y: at.X}
	default:
		return at
	}
}
