package liveness

import (
	"fmt"
	"image"
	"math"

	"gocv.io/x/gocv"

	"kycd/vision"
	"kycd/vision/imaging"
)

// miniFASNetModel names the weights in Analysis.Models: facenox' training of MiniFASNetV2-SE, 128 px.
const miniFASNetModel = "minifasnet-v2-se-128"

// Of the network's input: a square of 1.5 times the face's longer side, scaled to 128 px.
const (
	miniFASNetSide  = 128
	miniFASNetScale = 1.5
)

type miniFASNet struct{ net gocv.Net }

func newMiniFASNet(path string) (*miniFASNet, error) {
	net := gocv.ReadNetFromONNX(path)
	if net.Empty() {
		return nil, fmt.Errorf("read MiniFASNet weights %s", path)
	}
	return &miniFASNet{net: net}, nil
}

func (m *miniFASNet) close() error { return m.net.Close() }

// score is the softmax probability of the class "real".
func (m *miniFASNet) score(pic *imaging.Picture, face vision.Box) (float64, error) {
	side := max(int(math.Round(miniFASNetScale*float64(max(face.Width, face.Height)))), 1)
	crop, err := pic.CropReflected(vision.Box{
		X:      face.X + face.Width/2 - side/2,
		Y:      face.Y + face.Height/2 - side/2,
		Width:  side,
		Height: side,
	}).Resize(miniFASNetSide, miniFASNetSide)
	if err != nil {
		return 0, err
	}
	mat, err := gocv.NewMatFromBytes(crop.Height, crop.Width, gocv.MatTypeCV8UC3, crop.Pix)
	if err != nil {
		return 0, fmt.Errorf("wrap pixels: %w", err)
	}
	defer mat.Close()
	blob := gocv.BlobFromImage(mat, 1.0/255, image.Pt(miniFASNetSide, miniFASNetSide), gocv.NewScalar(0, 0, 0, 0), true, false)
	defer blob.Close()
	m.net.SetInput(blob, "")
	out := m.net.Forward("")
	defer out.Close()
	logits, err := out.DataPtrFloat32()
	if err != nil || len(logits) != 2 {
		return 0, fmt.Errorf("MiniFASNet gave %d values instead of 2", len(logits))
	}
	return sigmoid(float64(logits[0]) - float64(logits[1])), nil
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
