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

// minScore is the lowest score of YuNet that counts as a face. On the development pictures every person
// scores 0.81 or more in the first pass, faces half hidden in a crowd 0.7, patterns mistaken for faces less;
// pictures without people give nothing above 0.5.
const minScore = 0.7

// The sides, in px, to which a picture is scaled for the detectors, tried until one shows a face. YuNet at
// 320 finds faces as narrow as 4 % of the picture and nearly as wide as all of it; 128 is for tight crops of a
// face, the larger sides are for portraits on documents that fill little of the frame. HOG needs a face of
// 80 px at the side tried.
var (
	yuNetSides = [4]int{320, 128, 640, 1280}
	hogSides   = [2]int{640, 1280}
)

// Finder finds faces: with YuNet, or with dlib's HOG detector where YuNet's weights are missing. One Finder
// serves one goroutine at a time.
type Finder struct {
	yunet *yuNet // nil without its weights
	hog   *hog
}

// NewFinder opens the detectors. Only a missing YuNet file leads to the fall-back; a broken one is an error.
func NewFinder(modelsDir string) (*Finder, error) {
	path := filepath.Join(modelsDir, YuNetFile)
	switch _, err := os.Stat(path); {
	case err == nil:
		yunet, err := newYuNet(path)
		if err != nil {
			return nil, err
		}
		return &Finder{yunet: yunet}, nil
	case errors.Is(err, fs.ErrNotExist):
		hog, err := newHOG()
		if err != nil {
			return nil, err
		}
		return &Finder{hog: hog}, nil
	default:
		return nil, fmt.Errorf("look for YuNet weights: %w", err)
	}
}

// Degraded tells whether the fall-back detector is used. It misses small, tilted and half-turned faces.
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

func (f *Finder) search(pic *imaging.Picture) ([]Detection, error) {
	if f.Degraded() {
		for _, side := range hogSides {
			found, err := f.hog.detect(pic, side)
			if err != nil || len(found) > 0 {
				return found, err
			}
		}
		return nil, nil
	}
	for _, side := range yuNetSides {
		if side > yuNetSides[0] && side > 2*max(pic.Width, pic.Height) {
			break // enlarging further shows nothing new
		}
		found, err := f.yunet.detect(pic, side, minScore)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
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
