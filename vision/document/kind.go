package document

import "math"

// The kinds of outline, as in vision.Document.
const (
	TypeID1     = "id1"
	TypeID3     = "id3"
	TypeUnknown = "unknown"
)

// size is that of a document, in millimetres (ISO/IEC 7810).
type size struct{ width, height float64 }

func (s size) aspect() float64 { return s.width / s.height }

func sizeOf(kind string) (size, bool) {
	switch kind {
	case TypeID1:
		return size{85.60, 53.98}, true
	case TypeID3:
		return size{125, 88}, true
	}
	return size{}, false
}

// classify names the kind with the nearest aspect and says how well it fits, 0..1.
func classify(aspect float64) (kind string, fit float64) {
	kind = TypeUnknown
	for _, k := range []string{TypeID1, TypeID3} {
		s, _ := sizeOf(k)
		// Corners that are off by 1 % of the side move the logarithm by about 0.02; 0.08 is 1 and a half times the half distance of the two kinds.
		d := math.Log(aspect/s.aspect()) / 0.08
		if f := math.Exp(-d * d / 2); f > fit {
			kind, fit = k, f
		}
	}
	if fit < 0.1 {
		return TypeUnknown, fit
	}
	return kind, fit
}
