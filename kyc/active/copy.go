package active

import (
	"slices"

	"kycd/vision"
)

// leastDifference is an encoding distance that two pictures never fell below, be they neighbours in a video of somebody
// who holds still: of 12,786 pairs of development pictures the nearest two are 0.105 apart. The same picture encoded
// again, scaled, cropped or mirrored is mostly nearer (median 0.05 to 0.06, in 156 of 204 cases below), for the encoder
// takes the mean of a face and its mirror image.
const leastDifference = 0.08

// copies asks whether the frame is an earlier one again.
func (f *Finding) copies(earlier []Frame, frame Frame) {
	for i, before := range earlier {
		if before.Analysis != nil && copied(before.Analysis, frame.Analysis) {
			f.CopyOf = &i
			f.against(ReasonFrameCopied)
			return
		}
	}
}

// copied tells whether one picture is the other, saved again. Of fingerprints only equal ones count: who smiles before a
// camera that stands leaves most of the picture as it was, and vision.Fingerprint.Copy calls that a copy.
func copied(a, b *vision.Analysis) bool {
	if p, q := a.Fingerprint, b.Fingerprint; p != nil && q != nil && p.Model == q.Model && len(p.Whole) > 0 && slices.Equal(p.Whole, q.Whole) {
		return true
	}
	if len(a.Faces) == 0 || len(b.Faces) == 0 || a.Faces[0].Encoder != b.Faces[0].Encoder {
		return false
	}
	away, err := vision.Distance(a.Faces[0].Encoding, b.Faces[0].Encoding)
	return err == nil && away < leastDifference
}
