// Package liveness measures whether a face in a single picture is a person's or a picture's of a person:
// printed, shown on a screen, worn as a mask.
package liveness

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kycd/vision"
	"kycd/vision/imaging"
)

// ModelFile is the name of the optional network's weights in the models folder.
const ModelFile = "minifasnet_v2_se_128.onnx"

// ErrFaceTooSmall is returned for a face too small to show what gives an attack away.
var ErrFaceTooSmall = errors.New("face too small for liveness")

// minFaceSide is the least longer side of a face, px of the source.
const minFaceSide = 32

// Scorer scores faces: with MiniFASNet, or with texture cues where its weights are missing. One Scorer
// serves one goroutine at a time.
type Scorer struct{ net *miniFASNet }

// NewScorer opens the network. Only a missing file leads to the fall-back; a broken one is an error.
func NewScorer(modelsDir string) (*Scorer, error) {
	path := filepath.Join(modelsDir, ModelFile)
	switch _, err := os.Stat(path); {
	case err == nil:
		net, err := newMiniFASNet(path)
		if err != nil {
			return nil, err
		}
		return &Scorer{net: net}, nil
	case errors.Is(err, fs.ErrNotExist):
		return &Scorer{}, nil
	default:
		return nil, err
	}
}

// Degraded tells whether the texture cues alone decide.
func (s *Scorer) Degraded() bool { return s.net == nil }

// Model names what gives the score.
func (s *Scorer) Model() string {
	if s.Degraded() {
		return textureModel
	}
	return miniFASNetModel
}

// Score scores the face in a box of pic. The cues are measured in both cases; only without the network do
// they make the score.
func (s *Scorer) Score(pic *imaging.Picture, face vision.Box) (vision.Liveness, error) {
	if max(face.Width, face.Height) < minFaceSide || min(face.Width, face.Height) <= 0 {
		return vision.Liveness{}, ErrFaceTooSmall
	}
	cues, err := MeasureCues(pic, face)
	if err != nil {
		return vision.Liveness{}, err
	}
	live := vision.Liveness{Model: s.Model(), Cues: cues.Map()}
	if s.Degraded() {
		live.Score = textureScore(cues)
		return live, nil
	}
	live.Score, err = s.net.score(pic, face)
	return live, err
}

// Close frees the network.
func (s *Scorer) Close() error {
	if s.net == nil {
		return nil
	}
	net := s.net
	s.net = nil
	return net.close()
}
