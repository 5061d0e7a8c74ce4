package face

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kycd/vision/imaging"
)

// YuNetFile is the name of the optional detector weights in the models folder.
const YuNetFile = "face_detection_yunet_2023mar.onnx"

const (
	// minScore is the lowest score of YuNet that counts as a face by itself. On the development pictures every person
	// scores 0.81 or more in the first pass, faces half hidden in a crowd 0.7, patterns mistaken for faces less.
	minScore = 0.7
	// weakScore is the lowest score that counts where HOG sees the same face: of 140 pictures without people none has
	// one, while a tenth reach the score.
	weakScore = 0.5
	// certainScore is the score from which a face is taken to stand upright without another look. YuNet gives faces that
	// lie or stand on their heads up to 0.91, with landmarks as if they stood; the same faces upright 0.93 and more.
	certainScore    = 0.92
	certainHOGScore = 0.9
	// gain is by how much a face must score more in a turned picture than in the picture as it came.
	gain = 0.02
	// maxConfirmed bounds how many weak faces are looked at again.
	maxConfirmed = 4
)

// The sides, in px, to which a picture is scaled for the detectors, tried until one shows a face. YuNet at
// 320 finds faces as narrow as 4 % of the picture and nearly as wide as all of it; 128 is for tight crops of a
// face, the larger sides are for faces that fill little of the frame. HOG needs a face of 80 px at the side tried.
// Turned pictures are tried at fewer sides.
var (
	yuNetSides       = []int{320, 128, 640, 1280}
	yuNetTurnedSides = []int{320, 640}
	hogSides         = []int{640, 1280}
	hogTurnedSides   = []int{640}
)

// Finder finds faces: with YuNet, cross-checked by dlib's HOG detector, or with HOG alone where YuNet's weights are
// missing. One Finder serves one goroutine at a time.
type Finder struct {
	yunet *yuNet // nil without its weights
	hog   *hog
}

// NewFinder opens the detectors. Only a missing YuNet file leads to the fall-back; a broken one is an error.
func NewFinder(modelsDir string) (*Finder, error) {
	hog, err := newHOG()
	if err != nil {
		return nil, err
	}
	f := &Finder{hog: hog}
	path := filepath.Join(modelsDir, YuNetFile)
	switch _, err = os.Stat(path); {
	case err == nil:
		f.yunet, err = newYuNet(path)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	default:
		err = fmt.Errorf("look for YuNet weights: %w", err)
	}
	if err != nil {
		hog.close()
		return nil, err
	}
	return f, nil
}

// Degraded tells whether the fall-back detector is used alone. It misses small, tilted and half-turned faces.
func (f *Finder) Degraded() bool { return f.yunet == nil }

// Model names the detector in use.
func (f *Finder) Model() string {
	if f.Degraded() {
		return hogModel
	}
	return yuNetModel
}

// Find returns the faces of a picture, in its pixels, the main face first. No face is no error.
func (f *Finder) Find(pic *imaging.Picture) ([]Detection, error) {
	found, err := f.search(pic)
	if err != nil {
		return nil, err
	}
	sortByProminence(found, pic.Width, pic.Height)
	return found, nil
}

// FindTurned is Find for a picture that may lie on its side or stand on its head. The faces are in the pixels of
// pic.Turned(turned); turned is 0, 90, 180 or 270 degrees, clockwise, and 0 where there is no face.
func (f *Finder) FindTurned(pic *imaging.Picture) (found []Detection, turned int, err error) {
	if found, err = f.search(pic); err != nil {
		return nil, 0, err
	}
	if found, turned, err = f.righted(pic, found); err != nil {
		return nil, 0, err
	}
	width, height := pic.Width, pic.Height
	for i, d := range found {
		found[i] = d.turned(turned, pic.Width, pic.Height)
	}
	if turned%180 != 0 {
		width, height = height, width
	}
	sortByProminence(found, width, height)
	return found, turned, nil
}

// search tries one side after the other until a face shows. Where none is sure of itself, those that HOG confirms
// count.
func (f *Finder) search(pic *imaging.Picture) ([]Detection, error) {
	if f.Degraded() {
		return f.searchHOG(pic, hogSides)
	}
	var weak []Detection
	for _, side := range yuNetSides {
		if side > yuNetSides[0] && side > 2*max(pic.Width, pic.Height) {
			break // enlarging further shows nothing new
		}
		found, err := f.yunet.detect(pic, side, weakScore)
		if err != nil {
			return nil, err
		}
		sure := atLeast(found, minScore)
		if len(sure) > 0 {
			return sure, nil
		}
		weak = append(weak, found...)
	}
	return f.confirmed(pic, suppress(weak, maxOverlap))
}

func (f *Finder) searchHOG(pic *imaging.Picture, sides []int) ([]Detection, error) {
	for _, side := range sides {
		found, err := f.hog.detect(pic, side)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// confirmed keeps the faces that HOG sees too.
func (f *Finder) confirmed(pic *imaging.Picture, weak []Detection) ([]Detection, error) {
	var kept []Detection
	for _, d := range weak[:min(len(weak), maxConfirmed)] {
		ok, err := f.hog.confirms(pic, d, 0)
		if err != nil {
			return nil, err
		}
		if ok {
			d.Confirmed = true
			kept = append(kept, d)
		}
	}
	return kept, nil
}

// righted looks whether the faces found in a picture as it came, of which there may be none, stand upright: if they are
// not certain, the picture is looked at from other sides, and what the best view shows is given, in pixels of pic.
// turned is by how many degrees that view is turned clockwise, 0 for the picture as it came.
//
// Three more looks at every picture without a face must not make three times the false alarms: a face in a turned
// picture must be confirmed, or certain.
func (f *Finder) righted(pic *imaging.Picture, found []Detection) (_ []Detection, turned int, err error) {
	degrees, least := []int{180, 90, 270}, minScore
	if len(found) > 0 {
		best := suppress(found, 1)[0]
		if best.Score >= f.certain() {
			return found, 0, nil
		}
		least = best.Score + gain
		upright := f.Degraded()
		if !upright {
			if upright, err = f.hog.confirms(pic, best, 0); err != nil {
				return nil, 0, err
			}
		}
		if upright { // HOG takes one in ten that stand on their heads for upright, none that lie
			degrees = degrees[:1]
		}
	}
	sides := yuNetTurnedSides
	if f.Degraded() {
		sides = hogTurnedSides
	}
	// Turning a small copy is cheap, and the detectors see no more of a large one.
	small, err := pic.Fit(sides[len(sides)-1])
	if err != nil {
		return nil, 0, err
	}
	for _, side := range sides {
		for _, by := range degrees {
			seen, err := f.view(pic, small, by, side, least)
			if err != nil {
				return nil, 0, err
			}
			if len(seen) > 0 {
				found, turned, least = seen, by, bestScore(seen)+gain
			}
		}
		if turned != 0 {
			break
		}
	}
	return found, turned, nil
}

// view gives the faces, in pixels of pic, that show when its small copy is turned clockwise, if the best of them scores
// least or more and is sure enough.
func (f *Finder) view(pic, small *imaging.Picture, degrees, side int, least float64) ([]Detection, error) {
	turned := small.Turned(degrees)
	var seen []Detection
	var err error
	if f.Degraded() {
		seen, err = f.hog.detect(turned, side)
	} else {
		seen, err = f.yunet.detect(turned, side, minScore)
	}
	if err != nil || bestScore(seen) < least {
		return nil, err
	}
	scale := float64(max(pic.Width, pic.Height)) / float64(max(small.Width, small.Height))
	for i, d := range seen {
		seen[i] = d.Unturned(degrees, small.Width, small.Height).scaled(scale, 0, 0)
	}
	best := suppress(seen, 1)[0]
	if f.Degraded() || best.Score >= certainScore {
		return seen, nil
	}
	if ok, err := f.hog.confirms(pic, best, degrees); err != nil || !ok {
		return nil, err
	}
	return seen, nil
}

func (f *Finder) certain() float64 {
	if f.Degraded() {
		return certainHOGScore
	}
	return certainScore
}

func atLeast(found []Detection, score float64) []Detection {
	var kept []Detection
	for _, d := range found {
		if d.Score >= score {
			kept = append(kept, d)
		}
	}
	return kept
}

func bestScore(found []Detection) float64 {
	best := 0.0
	for _, d := range found {
		best = max(best, d.Score)
	}
	return best
}

// Close frees the detectors.
func (f *Finder) Close() error {
	if f.hog != nil {
		f.hog.close()
		f.hog = nil
	}
	if f.yunet != nil {
		yunet := f.yunet
		f.yunet = nil
		return yunet.close()
	}
	return nil
}
