package active

import (
	"slices"

	"kycd/vision"
)

// leastDifference is a distance that the faces of two frames never fall below if they show different things: in 162 pairs
// of photographs of one person whose pose differs by 15° or more the nearest two are 0.24 apart. The same picture encoded
// again, scaled or cropped is mostly nearer (82 of 105 cases), mirrored seldom (8 of 35). Somebody who holds still before a
// video camera comes to 0.085, and has shown nothing.
const leastDifference = 0.1

// turningShare is the least width of a face, in widths of the picture, at which a turn of the head changes enough of the
// picture to be told from a copy.
const turningShare = 0.25

// copies asks whether the frame is an earlier one again.
func (f *Finding) copies(earlier []Frame, frame Frame, distance Distance) {
	for i, before := range earlier {
		if face, why := mainFace(before.Analysis); why == "" && copied(before, frame, face, &frame.Analysis.Faces[0], distance) {
			f.CopyOf = &i
			f.against(ReasonFrameCopied)
			return
		}
	}
}

// copied tells whether one picture is the other, saved again, trimmed or mirrored. Where nothing but the mouth was asked to
// move, only equal fingerprints count: who smiles before a camera that stands leaves most of the picture as it was, and
// vision.Fingerprint.Copy calls that a copy. A head that turns is none.
func copied(before, frame Frame, a, b *vision.Face, distance Distance) bool {
	if p, q := before.Analysis.Fingerprint, frame.Analysis.Fingerprint; p != nil && q != nil && p.Model == q.Model && len(p.Whole) > 0 {
		if slices.Equal(p.Whole, q.Whole) {
			return true
		}
		large := float64(a.Box.Width) >= turningShare*float64(before.Analysis.Width) && float64(b.Box.Width) >= turningShare*float64(frame.Analysis.Width)
		if large && (before.Asked.isDirection() || frame.Asked.isDirection()) {
			if _, is := p.Copy(*q); is {
				return true
			}
		}
	}
	away, err := distance(a.Template(), b.Template())
	return err == nil && away < leastDifference
}
