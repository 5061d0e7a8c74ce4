package engine

import (
	"errors"
	"math"
	"slices"

	"kycd/vision"
	"kycd/vision/face"
	"kycd/vision/imaging"
	"kycd/vision/liveness"
	"kycd/vision/pose"
	"kycd/vision/quality"
)

const (
	// maxEncoded bounds how many faces of a picture are encoded, the main ones first.
	maxEncoded = 4
	// leastSide is the shorter side, px, below which a picture shows no face that could be compared; detectors see some in slivers.
	leastSide = 32
	// companionShare is the share of the main face's area from which another face is a second person in front
	// of the camera, not a passer-by or the small ghost portrait of a document.
	companionShare = 0.25
)

// people are the faces of a picture, in the pixels of the picture turned so that they stand upright.
type people struct {
	pic    *imaging.Picture
	turned int
	found  []face.Detection
	shapes [][]vision.Point // 68 points of each that was encoded
}

// measurePeople finds, encodes and rates the faces, scores the liveness of the main one and reads its attributes.
func (m *measurement) measurePeople() {
	if !m.ask.Faces && !m.ask.Liveness && !m.ask.Attributes {
		return
	}
	var p people
	measured := m.part(vision.PartFaces, func() (err error) {
		p, err = m.findFaces()
		return err
	})
	// onFaces runs a part that cannot be measured where faces could not be looked for, or are not there.
	onFaces := func(name string, work func(*people) error) {
		m.part(name, func() error {
			if !measured {
				return reasonError(vision.ReasonFailed)
			}
			if len(p.found) == 0 {
				return reasonError(vision.ReasonNoFace)
			}
			return work(&p)
		})
	}
	onFaces(vision.PartEncoding, m.encode)
	if measured && !m.part(vision.PartFaces, func() error { return m.rateFaces(&p) }) {
		return
	}
	if m.ask.Liveness {
		onFaces(vision.PartLiveness, m.scoreLiveness)
	}
	if m.ask.Attributes {
		onFaces(vision.PartAttributes, m.readAttributes)
	}
	m.people = faceHints(m.out.Faces, p.turned, m.ask.Portrait)
}

// findFaces finds the faces, the main one first: of a document the portrait, otherwise whoever stands before the camera.
func (m *measurement) findFaces() (people, error) {
	m.model(vision.PartFaces, m.slot.finder.Model(), m.slot.finder.Degraded())
	var p people
	var err error
	if min(m.pic.Width, m.pic.Height) < leastSide {
		return p, nil
	}
	if m.ask.Portrait {
		var outline *vision.Document
		if m.seen != nil {
			outline = &m.seen.outline
		}
		p.found, p.turned, err = m.slot.finder.FindPortrait(m.pic, outline)
	} else {
		p.found, p.turned, err = m.slot.finder.FindTurned(m.pic)
	}
	if err != nil {
		return p, err
	}
	p.pic = m.pic.Turned(p.turned)
	p.shapes = make([][]vision.Point, len(p.found))
	faces := make([]vision.Face, len(p.found))
	for i, d := range p.found {
		faces[i] = vision.Face{
			Box: m.sourceBox(d, p.turned), Confidence: d.Score, Landmarks: m.upright(d.Landmarks, p.turned), Detector: d.Detector,
		}
	}
	m.out.Faces, m.out.Turned = faces, p.turned
	return p, nil
}

// upright maps points of the turned working picture to pixels of the source as it came.
func (m *measurement) upright(points []vision.Point, turned int) []vision.Point {
	mapped := make([]vision.Point, 0, len(points))
	for _, at := range points {
		mapped = append(mapped, imaging.Unturned(at, turned, m.pic.Width, m.pic.Height))
	}
	return m.source(mapped)
}

// sourceBox is where a face is in pixels of the source as it came.
func (m *measurement) sourceBox(d face.Detection, turned int) vision.Box {
	if turned == 0 {
		return d.Box(m.pic.Scale)
	}
	corners := m.upright([]vision.Point{{X: d.X, Y: d.Y}, {X: d.X + d.Width, Y: d.Y + d.Height}}, turned)
	x0, x1 := math.Min(corners[0].X, corners[1].X), math.Max(corners[0].X, corners[1].X)
	y0, y1 := math.Min(corners[0].Y, corners[1].Y), math.Max(corners[0].Y, corners[1].Y)
	return face.Detection{X: x0, Y: y0, Width: x1 - x0, Height: y1 - y0}.Box(1)
}

// source maps points of the working picture to pixels of the source.
func (m *measurement) source(points []vision.Point) []vision.Point {
	mapped := make([]vision.Point, 0, len(points))
	for _, p := range points {
		mapped = append(mapped, vision.Point{X: p.X * m.pic.Scale, Y: p.Y * m.pic.Scale})
	}
	return mapped
}

func (m *measurement) encode(p *people) error {
	m.model(vision.PartEncoding, m.slot.encoder.Model(), false)
	for i, d := range p.found[:min(len(p.found), maxEncoded)] {
		encoding, err := m.slot.encoder.Encode(p.pic, d)
		switch {
		case errors.Is(err, face.ErrNotEncoded):
			if i == 0 {
				return reasonError(vision.ReasonFaceNotEncoded)
			}
			continue
		case err != nil:
			return err
		}
		p.shapes[i] = encoding.Shape
		f := &m.out.Faces[i]
		f.Encoder, f.Encoding, f.Second = vision.FaceEncoder, encoding.Values, encoding.Second
		if len(encoding.Landmarks) == 5 { // these follow the face; a detector's are those of a mean face laid over it
			f.Landmarks = m.upright(encoding.Landmarks, p.turned)
		}
	}
	return nil
}

// rateFaces says how the heads are held, and how well the faces can be compared.
func (m *measurement) rateFaces(p *people) error {
	for i, d := range p.found {
		f := &m.out.Faces[i]
		shape := p.shapes[i]
		held, ok := pose.Estimate(shape)
		if len(shape) == 0 {
			held, ok = pose.FromFive(d.Landmarks)
		}
		if ok {
			f.Pose = &held
		}
		if open, ok := pose.Openness(shape); ok {
			f.Openness = &open
		}
		if len(shape) == 0 {
			shape = d.Landmarks
		}
		rating, err := m.engine.rate.Face(p.pic, d.Box(1), shape, f.Pose)
		if err != nil {
			return err
		}
		f.Quality, f.Issues = rating.Score, rating.Issues
	}
	return nil
}

func (m *measurement) scoreLiveness(p *people) error {
	m.model(vision.PartLiveness, m.slot.scorer.Model(), m.slot.scorer.Degraded())
	live, err := m.slot.scorer.Score(p.pic, p.found[0].Box(1))
	if errors.Is(err, liveness.ErrFaceTooSmall) {
		return reasonError(vision.ReasonFaceTooSmall)
	}
	if err != nil {
		return err
	}
	m.out.Liveness = &live
	return nil
}

func (m *measurement) readAttributes(p *people) error {
	if m.slot.attributes == nil {
		return reasonError(vision.ReasonModelMissing)
	}
	seen, err := m.slot.attributes.Read(p.pic, p.found[0].Box(1), p.shapes[0])
	if err != nil {
		return err
	}
	m.model(vision.PartAttributes, seen.Model, false)
	m.out.Faces[0].Attributes = &seen
	return nil
}

// faceHints tells what the faces, in pixels of the source and main first, leave to wish for. A document may lie as it
// likes, and its portrait was taken by somebody else.
func faceHints(faces []vision.Face, turned int, portrait bool) []vision.Hint {
	if len(faces) == 0 {
		return []vision.Hint{vision.HintNoFace}
	}
	var hints []vision.Hint
	main := faces[0]
	if turned != 0 && !portrait {
		hints = append(hints, vision.HintUpsideDown)
	}
	if min(main.Box.Width, main.Box.Height) < quality.MinFaceWidth {
		hints = append(hints, vision.HintFaceTooSmall)
	}
	for issue, hint := range map[vision.FaceIssue]vision.Hint{
		vision.IssueTurned: vision.HintFaceTurned, vision.IssueEyesCovered: vision.HintEyesCovered, vision.IssueMouthCovered: vision.HintMouthCovered,
	} {
		if slices.Contains(main.Issues, issue) && !portrait {
			hints = append(hints, hint)
		}
	}
	slices.Sort(hints)
	for _, other := range faces[1:] {
		if float64(other.Box.Area()) >= companionShare*float64(main.Box.Area()) {
			return append(hints, vision.HintSeveralFaces)
		}
	}
	return hints
}
