// Package liveness measures whether a face in a single picture is a person's or a picture's of a person:
// printed, shown on a screen, worn as a mask.
package liveness

import (
	"errors"
	"fmt"

	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/liveness/fusion"
)

// ErrFaceTooSmall is returned for a face too small to show what gives an attack away.
var ErrFaceTooSmall = errors.New("face too small for liveness")

// minFaceSide is the least longer side of a face, px of the source.
const minFaceSide = 32

// Scorer scores faces with the networks whose weights are present, or with cues of its own where none is. One Scorer
// serves one goroutine at a time.
type Scorer struct {
	se          *seNet  // nil without its weights
	elders      []elder // both or none
	combination fusion.Combination
}

// NewScorer opens the networks. Only a missing file leads to another combination; a broken one is an error, or ends the
// process where OpenCV finds it out: weights are verified when they are fetched.
func NewScorer(modelsDir string) (*Scorer, error) {
	se, err := openSE(modelsDir)
	if err != nil {
		return nil, err
	}
	s := &Scorer{se: se}
	if s.elders, err = openElders(modelsDir); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.combination = fusion.For(s.se != nil, s.elders != nil)
	return s, nil
}

// Degraded tells whether no network has a say.
func (s *Scorer) Degraded() bool { return s.combination.Name == fusion.Cues }

// Model names what gives the score, with its version.
func (s *Scorer) Model() string { return s.combination.Name }

// Score scores the face in a box of pic. Cues holds everything that was measured, also what the combination does not weigh.
func (s *Scorer) Score(pic *imaging.Picture, face vision.Box) (vision.Liveness, error) {
	if max(face.Width, face.Height) < minFaceSide || min(face.Width, face.Height) <= 0 {
		return vision.Liveness{}, ErrFaceTooSmall
	}
	cues := map[string]float64{}
	if err := measureCues(pic, face, cues); err != nil {
		return vision.Liveness{}, fmt.Errorf("measure cues: %w", err)
	}
	if s.se != nil {
		if err := s.se.measure(pic, face, cues); err != nil {
			return vision.Liveness{}, err
		}
	}
	for _, e := range s.elders {
		if err := e.measure(pic, face, cues); err != nil {
			return vision.Liveness{}, err
		}
	}
	return vision.Liveness{Score: s.combination.Score(cues), Model: s.Model(), Cues: cues}, nil
}

// Close frees the networks. A second call does nothing.
func (s *Scorer) Close() error {
	var err error
	if s.se != nil {
		err = s.se.close()
		s.se = nil
	}
	err = errors.Join(err, closeElders(s.elders))
	s.elders = nil
	return err
}
