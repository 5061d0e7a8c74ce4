package active

import (
	"math"

	"kycd/vision"
)

// A camera held by hand before a person who turns the head: how far the face may go between the passive frame and another.
const (
	mostStretch = 0.02 // by which the proportions of two pictures of one camera may differ
	mostZoom    = 1.7  // factor between the sizes of the face
	mostShift   = 1.0  // of the face's middle, in sizes of the face
)

// How far the tip of the nose must move against the plane of eyes and mouth, in pupil distances, for a turn of the head by
// a quarter circle; for less, by the sine of it. It stands about 0.4 before that plane, of which landmarks show more, for
// they take the plane with them: in pairs of photographs of one person whose pose differs by 15° or more it moves by 0.41
// to 0.85 (118 pairs that turned) and by 0.30 to 0.90 (44 that nodded; an open mouth moves the plane). These lie below all
// of them. Photographs of photographs, tilted by 20° to 45°, of eight people, passed for a head that moved in 3 of 320
// judgements, all of one bowed head whose landmarks jump. These pairs served to choose the numbers, so they prove no rate.
const (
	yawRelief   = 0.35
	pitchRelief = 0.28
)

// moves asks whether the face came from one frame to the other as a head does.
func (f *Finding) moves(passive, frame *vision.Analysis) {
	moved := steady(passive, frame)
	if moved != nil && *moved && f.Asked.isDirection() {
		moved = f.hasRelief(&passive.Faces[0], &frame.Faces[0])
	}
	f.Moved = f.settle(moved, ReasonImplausibleMotion)
}

// steady asks whether both pictures may be of one camera that saw the face go from one place to the other.
func steady(passive, frame *vision.Analysis) *bool {
	before, okBefore := placeOf(passive)
	now, okNow := placeOf(frame)
	if !okBefore || !okNow {
		return nil
	}
	stretch := math.Abs(now.proportion/before.proportion - 1)
	zoom := math.Max(now.size/before.size, before.size/now.size)
	shift := math.Hypot(now.x-before.x, now.y-before.y) / ((now.size + before.size) / 2)
	return truth(passive.Turned == frame.Turned && stretch <= mostStretch && zoom <= mostZoom && shift <= mostShift)
}

// place is where the main face is, in widths of the picture.
type place struct {
	x, y, size float64
	proportion float64 // height of the picture
}

func placeOf(a *vision.Analysis) (place, bool) {
	box := a.Faces[0].Box
	if a.Width <= 0 || a.Height <= 0 || box.Width <= 0 || box.Height <= 0 {
		return place{}, false
	}
	width := float64(a.Width)
	return place{
		x: (float64(box.X) + float64(box.Width)/2) / width, y: (float64(box.Y) + float64(box.Height)/2) / width,
		size: math.Sqrt(float64(box.Width)*float64(box.Height)) / width, proportion: float64(a.Height) / width,
	}, true
}

// hasRelief asks whether the landmarks moved as those of a head that turns. Eyes and the corners of the mouth lie nearly in
// a plane, whose turn an affine map of the picture explains; the nose stands out and leaves it. A photograph has no nose
// that could. It does not tell a head from a sculpture of one, from a photograph bent round something, or from a picture rendered
// in three dimensions; and the five landmarks must be those of a predictor that follows the face: of the people who nod, a
// detector's own landmarks show one in four.
func (f *Finding) hasRelief(passive, face *vision.Face) *bool {
	if f.Measure == nil || len(passive.Landmarks) != 5 || len(face.Landmarks) != 5 {
		return nil
	}
	right, down, ok := noseShift([5]vision.Point(passive.Landmarks), [5]vision.Point(face.Landmarks))
	if !ok {
		return nil
	}
	turned := math.Sin(math.Min(math.Max(*f.Measure, leastTurn), 90) * math.Pi / 180)
	switch f.Asked {
	case TurnLeft: // towards the viewer's right
		return truth(right >= yawRelief*turned)
	case TurnRight:
		return truth(-right >= yawRelief*turned)
	case LookUp:
		return truth(-down >= pitchRelief*turned)
	}
	return truth(down >= pitchRelief*turned)
}

// The landmarks in the order of vision.Face.Landmarks.
const (
	rightEye = iota
	leftEye
	noseTip
	rightMouth
	leftMouth
)

// eyesToMouth is the distance from the eyes to the mouth in pupil distances, of a face seen from the front.
const eyesToMouth = 1.06

// noseShift is how far the tip of the nose is from where the map of eyes and mouth would have taken it: along the line of
// the eyes to the viewer's right, and down from it, in pupil distances. ok is false for points that span no face.
func noseShift(before, now [5]vision.Point) (right, down float64, ok bool) {
	mapped, ok := affine(before, now)
	if !ok {
		return 0, 0, false
	}
	expected := mapped(before[noseTip])
	dx, dy := now[noseTip].X-expected.X, now[noseTip].Y-expected.Y

	acrossX, acrossY := now[leftEye].X-now[rightEye].X, now[leftEye].Y-now[rightEye].Y
	between := math.Hypot(acrossX, acrossY)
	height := math.Hypot(
		(now[rightEye].X+now[leftEye].X-now[rightMouth].X-now[leftMouth].X)/2,
		(now[rightEye].Y+now[leftEye].Y-now[rightMouth].Y-now[leftMouth].Y)/2)
	// A head that turns shows its eyes closer together, one that nods the mouth closer to them; the other measure holds.
	unit := math.Max(between, height/eyesToMouth)
	right, down = (dx*acrossX+dy*acrossY)/between/unit, (dy*acrossX-dx*acrossY)/between/unit
	return right, down, finite(right) != nil && finite(down) != nil
}

// affine is the affine map that takes eyes and mouth of one face to those of the other, by least squares: what a flat
// picture that is turned does to its points, but for perspective, which is small over the width of a face.
func affine(before, now [5]vision.Point) (mapped func(vision.Point) vision.Point, ok bool) {
	plane := [4]int{rightEye, leftEye, rightMouth, leftMouth}
	var from, to vision.Point
	for _, i := range plane {
		from.X, from.Y = from.X+before[i].X/4, from.Y+before[i].Y/4
		to.X, to.Y = to.X+now[i].X/4, to.Y+now[i].Y/4
	}
	var xx, xy, yy, xu, yu, xv, yv float64
	for _, i := range plane {
		x, y := before[i].X-from.X, before[i].Y-from.Y
		u, v := now[i].X-to.X, now[i].Y-to.Y
		xx, xy, yy = xx+x*x, xy+x*y, yy+y*y
		xu, yu, xv, yv = xu+x*u, yu+y*u, xv+x*v, yv+y*v
	}
	area := xx*yy - xy*xy
	if !(area > leastSpread*(xx+yy)*(xx+yy)) { // refuses NaN too
		return nil, false
	}
	a, b := (xu*yy-yu*xy)/area, (yu*xx-xu*xy)/area
	c, d := (xv*yy-yv*xy)/area, (yv*xx-xv*xy)/area
	return func(p vision.Point) vision.Point {
		x, y := p.X-from.X, p.Y-from.Y
		return vision.Point{X: to.X + a*x + b*y, Y: to.Y + c*x + d*y}
	}, true
}

// leastSpread tells four points of a face from points on a line: a face has about 0.2.
const leastSpread = 0.005
