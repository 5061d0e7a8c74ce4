package engine

import (
	"errors"

	"kycd/vision"
	"kycd/vision/face"
	"kycd/vision/liveness"
	"kycd/vision/quality"
)

const (
	// maxEncoded bounds how many faces of a picture are encoded, the main ones first.
	maxEncoded = 4
	// companionShare is the share of the main face's area from which another face is a second person in front
	// of the camera, not a passer-by or the small ghost portrait of a document.
	companionShare = 0.25
)

// measurePeople finds, rates and encodes the faces, and scores the liveness of the main one.
func (m *measurement) measurePeople() {
	if !m.ask.Faces && !m.ask.Liveness {
		return
	}
	var found []face.Detection
	measured := m.part(vision.PartFaces, func() (err error) {
		found, err = m.findFaces()
		return err
	})
	// onFaces runs a part that cannot be measured where faces could not be looked for, or are not there.
	onFaces := func(name string, work func([]face.Detection) error) {
		m.part(name, func() error {
			if !measured {
				return reasonError(vision.ReasonFailed)
			}
			if len(found) == 0 {
				return reasonError(vision.ReasonNoFace)
			}
			return work(found)
		})
	}
	onFaces(vision.PartEncoding, m.encode)
	if m.ask.Liveness {
		onFaces(vision.PartLiveness, m.scoreLiveness)
	}
}

// findFaces finds and rates the faces, the main one first.
func (m *measurement) findFaces() ([]face.Detection, error) {
	m.model(vision.PartFaces, m.slot.finder.Model(), m.slot.finder.Degraded())
	found, err := m.slot.finder.Find(m.pic)
	if err != nil {
		return nil, err
	}
	faces := make([]vision.Face, len(found))
	for i, d := range found {
		if faces[i], err = m.face(d); err != nil {
			return nil, err
		}
	}
	m.out.Faces = faces
	m.people = faceHints(faces)
	return found, nil
}

// face describes a detection in pixels of the source.
func (m *measurement) face(d face.Detection) (vision.Face, error) {
	rating, err := quality.Face(m.pic, d.Box(1))
	if err != nil {
		return vision.Face{}, err
	}
	return vision.Face{
		Box:        d.Box(m.pic.Scale),
		Confidence: d.Score,
		Quality:    rating,
		Landmarks:  m.source(d.Landmarks),
		Detector:   d.Detector,
	}, nil
}

// source maps points of the working picture to pixels of the source.
func (m *measurement) source(points []vision.Point) []vision.Point {
	mapped := make([]vision.Point, 0, len(points))
	for _, p := range points {
		mapped = append(mapped, vision.Point{X: p.X * m.pic.Scale, Y: p.Y * m.pic.Scale})
	}
	return mapped
}

func (m *measurement) encode(found []face.Detection) error {
	m.model(vision.PartEncoding, vision.FaceEncoder, false)
	for i, d := range found[:min(len(found), maxEncoded)] {
		encoding, err := m.slot.encoder.Encode(m.pic, d)
		switch {
		case errors.Is(err, face.ErrNotEncoded):
			if i == 0 {
				return reasonError(vision.ReasonFaceNotEncoded)
			}
			continue
		case err != nil:
			return err
		}
		f := &m.out.Faces[i]
		f.Encoder, f.Encoding = vision.FaceEncoder, encoding.Values
		if len(f.Landmarks) == 0 {
			f.Landmarks = m.source(encoding.Landmarks)
		}
	}
	return nil
}

func (m *measurement) scoreLiveness(found []face.Detection) error {
	m.model(vision.PartLiveness, m.slot.scorer.Model(), m.slot.scorer.Degraded())
	live, err := m.slot.scorer.Score(m.pic, found[0].Box(1))
	if errors.Is(err, liveness.ErrFaceTooSmall) {
		return reasonError(vision.ReasonFaceTooSmall)
	}
	if err != nil {
		return err
	}
	m.out.Liveness = &live
	return nil
}

// faceHints tells what the faces, in pixels of the source and main first, leave to wish for.
func faceHints(faces []vision.Face) []vision.Hint {
	if len(faces) == 0 {
		return []vision.Hint{vision.HintNoFace}
	}
	var hints []vision.Hint
	main := faces[0].Box
	if main.Width < quality.MinFaceWidth {
		hints = append(hints, vision.HintFaceTooSmall)
	}
	for _, other := range faces[1:] {
		if float64(other.Box.Area()) >= companionShare*float64(main.Area()) {
			return append(hints, vision.HintSeveralFaces)
		}
	}
	return hints
}
