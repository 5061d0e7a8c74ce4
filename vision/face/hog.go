package face

import (
	"math"

	"kycd/vision"
	"kycd/vision/face/dlib"
	"kycd/vision/imaging"
)

// hogModel names the detector in Analysis.Models. Its filters are compiled into dlib.
const hogModel = "dlib-frontal-hog"

// hog is dlib's frontal face detector. It needs no weights file and finds upright frontal faces of 80 px and more, in time linear
// in the pixels. One hog serves one goroutine at a time.
type hog struct{ dlib *dlib.HOG }

func newHOG() (*hog, error) {
	detector, err := dlib.NewHOG()
	if err != nil {
		return nil, err
	}
	return &hog{detector}, nil
}

func (h *hog) close() { h.dlib.Close() }

// detect finds the faces in a picture scaled so that its longer side is side px; 0 leaves it as it is.
// Detections are in pixels of pic, best first.
func (h *hog) detect(pic *imaging.Picture, side int) ([]Detection, error) {
	scale := 1.0
	scaled := pic
	if side > 0 {
		scale = float64(side) / float64(max(pic.Width, pic.Height))
		var err error
		if scaled, err = pic.Resize(int(float64(pic.Width)*scale+0.5), int(float64(pic.Height)*scale+0.5)); err != nil {
			return nil, err
		}
	}
	faces, err := h.dlib.Detect(scaled)
	if err != nil {
		return nil, err
	}
	found := make([]Detection, 0, len(faces))
	for _, f := range faces {
		d := Detection{
			X:        float64(f.Box.Min.X),
			Y:        float64(f.Box.Min.Y),
			Width:    float64(f.Box.Dx() + 1),
			Height:   float64(f.Box.Dy() + 1),
			Score:    1 - math.Exp(-2*f.Confidence),
			Detector: DetectorHOG,
		}
		found = append(found, d.scaled(1/scale, 0, 0))
	}
	return found, nil
}

// How a face is shown to HOG to be confirmed: as large as it likes them, with some surroundings.
const (
	confirmFace   = 120 // px of the longer side
	confirmMargin = 2.2 // side of the crop, in longer sides of the face
	confirmShared = 0.2 // intersection over union: the detectors draw their boxes differently
)

// confirms tells whether HOG sees the face too, when the picture is turned clockwise by a multiple of 90 degrees.
func (h *hog) confirms(pic *imaging.Picture, face Detection, degrees int) (bool, error) {
	longer := face.longer()
	if !(longer >= 1) || face.X > float64(pic.Width) || face.Y > float64(pic.Height) || face.X+face.Width < 0 || face.Y+face.Height < 0 {
		return false, nil
	}
	scale := confirmFace / longer
	source := pic
	if scale < 1 { // shrinking first bounds the crop by the size of the picture
		var err error
		if source, err = pic.Resize(int(float64(pic.Width)*scale+0.5), int(float64(pic.Height)*scale+0.5)); err != nil {
			return false, err
		}
		face, scale = face.scaled(scale, 0, 0), 1
	}
	const side = confirmFace * confirmMargin
	crop := source.CropReflected(vision.Box{
		X:     int(math.Round(face.X + face.Width/2 - side/scale/2)),
		Y:     int(math.Round(face.Y + face.Height/2 - side/scale/2)),
		Width: int(math.Round(side / scale)), Height: int(math.Round(side / scale)),
	})
	view, err := crop.Resize(side, side)
	if err != nil {
		return false, err
	}
	found, err := h.detect(view.Turned(degrees), 0)
	if err != nil {
		return false, err
	}
	want := Detection{X: (side - confirmFace) / 2, Y: (side - confirmFace) / 2, Width: confirmFace, Height: confirmFace}
	for _, d := range found {
		if overlap(d, want) > confirmShared {
			return true, nil
		}
	}
	return false, nil
}
