package face

import (
	"fmt"
	"image"
	"os"
	"path/filepath"

	goface "github.com/Kagami/go-face"

	"kycd/vision/imaging"
)

// turned encodes the faces that dlib's HOG detector does not see, through go-face: its CNN detector is slow and sees turned ones too.
// It is loaded with the first such face, for it holds another 130 MB and most pictures need none of it.
type turned struct {
	modelsDir  string
	recognizer *goface.Recognizer
}

const (
	cnnFile  = "mmod_human_face_detector.dat"
	cnnLeast = 500_000 // bytes; the true one has 729,940
)

// newTurned is nil where the CNN detector's weights are missing. An empty network may stand in for them, because go-face does not start
// without the file; to search with that one would end the process.
func newTurned(modelsDir string) *turned {
	if info, err := os.Stat(filepath.Join(modelsDir, cnnFile)); err != nil || info.Size() < cnnLeast {
		return nil
	}
	return &turned{modelsDir: modelsDir}
}

// recognize searches a square crop for the face of the given side in its middle.
func (t *turned) recognize(crop *imaging.Picture, faceSide int) (recognized, bool, error) {
	var none recognized
	if t.recognizer == nil {
		recognizer, err := goface.NewRecognizer(t.modelsDir)
		if err != nil {
			return none, false, fmt.Errorf("load go-face: %w", err)
		}
		t.recognizer = recognizer
	}
	jpeg, err := crop.EncodeJPEG(95) // the one format that go-face takes
	if err != nil {
		return none, false, err
	}
	faces, err := t.recognizer.RecognizeCNN(jpeg)
	if err != nil {
		return none, false, fmt.Errorf("encode face: %w", err)
	}
	boxes := make([]image.Rectangle, len(faces))
	for i, f := range faces {
		boxes[i] = f.Rectangle
	}
	i, ok := central(boxes, crop.Width, faceSide)
	if !ok {
		return none, false, nil
	}
	return recognized{values: faces[i].Descriptor[:], points: faces[i].Shapes}, true, nil
}

func (t *turned) close() {
	if t.recognizer != nil {
		t.recognizer.Close()
		t.recognizer = nil
	}
}
