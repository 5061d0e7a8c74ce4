package active

import (
	"math"
	"slices"

	"kycd/vision"
)

// Frame is one picture of a check.
type Frame struct {
	Asked    Step             // empty: the passive frame, for which the person just looks into the camera
	Analysis *vision.Analysis // nil: it could not be analysed
}

// Tolerances say how much of a step counts as shown.
type Tolerances struct {
	DirectionDegrees float64 // yaw or pitch that the head must turn from the passive frame, degrees
	Expression       float64 // probability of a smile, 0..1
	FaceDistance     float64 // the most that a face may be away from that of the passive frame
}

// Distance compares two faces. An error means that they cannot be compared.
type Distance func(a, b vision.Template) (float64, error)

// Reason is a stable code that says what speaks against a frame.
type Reason string

// The reasons.
const (
	ReasonFrameNotAnalysed  Reason = "frame_not_analysed"
	ReasonNoFace            Reason = "no_face"
	ReasonSeveralFaces      Reason = "several_faces"
	ReasonStepUnknown       Reason = "step_unknown" // not one of Steps, asked twice, or asked of the passive frame
	ReasonStepNotShown      Reason = "step_not_shown"
	ReasonAnotherFace       Reason = "another_face"
	ReasonImplausibleMotion Reason = "implausible_motion"
	ReasonFrameCopied       Reason = "frame_copied"
	ReasonNotMeasured       Reason = "not_measured"
)

// Finding is what one frame shows. What was not measured is nil, and then a reason says so. The passive frame, which the
// others are compared with, is only looked at for a face that can be compared and looks into the camera.
type Finding struct {
	Asked    Step     `json:"asked,omitempty"`
	Shown    *bool    `json:"shown,omitempty"`     // the step; of the passive frame, that the person looks into the camera
	Measure  *float64 `json:"measure,omitempty"`   // degrees turned as asked; or probability of the smile; or openness of the mouth
	Before   *float64 `json:"before,omitempty"`    // the same in the passive frame: 0 for a turn, which is counted from there
	SameFace *bool    `json:"same_face,omitempty"` // as in the passive frame
	Distance *float64 `json:"distance,omitempty"`  // of the two faces
	Moved    *bool    `json:"moved,omitempty"`     // from the passive frame as a head does before a camera
	CopyOf   *int     `json:"copy_of,omitempty"`   // index of the earlier frame that this one is a copy of
	Reasons  []Reason `json:"reasons,omitempty"`   // what speaks against the frame; none: nothing
}

// Result is the verdict on all frames.
type Result struct {
	Passed bool      `json:"passed"`
	Frames []Finding `json:"frames"`
}

// Judge tells whether the frames answer a challenge: first the passive frame, then one for each step, in the order asked.
// They pass if there is at least one step and nothing speaks against any frame.
func Judge(frames []Frame, t Tolerances, distance Distance) Result {
	result := Result{Passed: len(frames) > 1, Frames: make([]Finding, len(frames))}
	var seen []Step
	for i, frame := range frames {
		finding := judge(frames[:i], frame, t, distance)
		if slices.Contains(seen, frame.Asked) {
			finding.against(ReasonStepUnknown)
		}
		seen = append(seen, frame.Asked)
		result.Frames[i] = finding
		result.Passed = result.Passed && len(finding.Reasons) == 0
	}
	return result
}

// judge looks at one frame, knowing those before it.
func judge(earlier []Frame, frame Frame, t Tolerances, distance Distance) Finding {
	finding := Finding{Asked: frame.Asked}
	if isPassive := len(earlier) == 0; isPassive != (frame.Asked == "") || !(isPassive || frame.Asked.Known()) {
		finding.against(ReasonStepUnknown)
	}
	face, why := mainFace(frame.Analysis)
	if why != "" {
		finding.against(why)
		return finding
	}
	if len(face.Template()) == 0 {
		finding.against(ReasonNotMeasured)
	}
	if len(earlier) == 0 {
		finding.faces(face)
		return finding
	}
	finding.copies(earlier, frame, distance)
	passive, why := mainFace(earlier[0].Analysis)
	if why != "" {
		finding.against(ReasonNotMeasured)
		return finding
	}
	finding.shows(passive, face, t)
	finding.resembles(passive, face, t, distance)
	finding.moves(earlier[0].Analysis, frame.Analysis)
	return finding
}

func (f *Finding) against(why Reason) {
	if !slices.Contains(f.Reasons, why) {
		f.Reasons = append(f.Reasons, why)
	}
}

// settle writes a verdict down: nil speaks against the frame as not measured, false for the reason given.
func (f *Finding) settle(verdict *bool, otherwise Reason) *bool {
	switch {
	case verdict == nil:
		f.against(ReasonNotMeasured)
	case !*verdict:
		f.against(otherwise)
	}
	return verdict
}

// bystander is the least area of a second face, as a share of the main one's, that makes it unclear who is meant.
const bystander = 0.25

// mainFace finds the person who is checked.
func mainFace(a *vision.Analysis) (*vision.Face, Reason) {
	switch {
	case a == nil || a.Error != "":
		return nil, ReasonFrameNotAnalysed
	case len(a.Faces) == 0:
		return nil, ReasonNoFace
	}
	for _, other := range a.Faces[1:] {
		if float64(other.Box.Area()) >= bystander*float64(a.Faces[0].Box.Area()) {
			return nil, ReasonSeveralFaces
		}
	}
	return &a.Faces[0], ""
}

// mostAskew is how far a head may be turned or tilted in the passive frame, in degrees of yaw, pitch and roll: the turns of
// the other frames are counted from there, and landmarks of a face held askew are not to be relied on.
const mostAskew = 35

// faces asks whether the person looks into the camera, about.
func (f *Finding) faces(face *vision.Face) {
	if p := face.Pose; p != nil {
		f.Shown = f.settle(truth(math.Max(math.Abs(p.Yaw), math.Max(math.Abs(p.Pitch), math.Abs(p.Roll))) <= mostAskew), ReasonStepNotShown)
	}
}

// leastTurn is the least turn, in degrees, that can be told from the noise of landmarks; a smaller tolerance counts as this.
const leastTurn = 8

// The least change of an expression from the passive frame to the one that must show it: who smiles all the time has not
// answered. Openness is height over width of the inner lips (vision.Openness).
const (
	leastSmile   = 0.3 // probability
	openMouth    = 0.35
	leastOpening = 0.2
)

// shows asks whether the step is to be seen.
func (f *Finding) shows(passive, face *vision.Face, t Tolerances) {
	var shown *bool
	switch before, now := passive.Pose, face.Pose; {
	case f.Asked.isDirection() && before != nil && now != nil:
		turned, aside := turn(f.Asked, *before, *now)
		f.Measure, f.Before = finite(turned), new(float64)
		if finite(turned) != nil && finite(aside) != nil && finite(t.DirectionDegrees) != nil {
			shown = truth(turned >= math.Max(t.DirectionDegrees, leastTurn) && turned > math.Abs(aside))
		}
	case f.Asked == Smile:
		f.Before, f.Measure = happiness(passive), happiness(face)
		if f.Before != nil && f.Measure != nil && finite(t.Expression) != nil {
			shown = truth(*f.Measure >= t.Expression && *f.Measure >= *f.Before+leastSmile)
		}
	case f.Asked == OpenMouth:
		f.Before, f.Measure = opening(passive), opening(face)
		if f.Before != nil && f.Measure != nil {
			shown = truth(*f.Measure >= openMouth && *f.Measure >= *f.Before+leastOpening)
		}
	}
	f.Shown = f.settle(shown, ReasonStepNotShown)
}

// turn gives how far the head turned the way it was asked to, and how far about the other axis, in degrees.
func turn(asked Step, before, now vision.Pose) (turned, aside float64) {
	yaw, pitch := now.Yaw-before.Yaw, now.Pitch-before.Pitch
	switch asked {
	case TurnLeft:
		return yaw, pitch
	case TurnRight:
		return -yaw, pitch
	case LookUp:
		return pitch, yaw
	}
	return -pitch, yaw
}

// happiness is the probability of a smile.
func happiness(face *vision.Face) *float64 {
	if face.Attributes == nil {
		return nil
	}
	happy, ok := face.Attributes.Expressions["happy"]
	if !ok {
		return nil
	}
	return finite(happy)
}

// opening is how far the mouth is open.
func opening(face *vision.Face) *float64 {
	if face.Openness == nil {
		return nil
	}
	return finite(face.Openness.Mouth)
}

// resembles asks whether it is the face of the passive frame.
func (f *Finding) resembles(passive, face *vision.Face, t Tolerances, distance Distance) {
	var same *bool
	if away, err := distance(passive.Template(), face.Template()); err == nil && away >= 0 && finite(t.FaceDistance) != nil {
		if f.Distance = finite(away); f.Distance != nil {
			same = truth(away <= t.FaceDistance)
		}
	}
	f.SameFace = f.settle(same, ReasonAnotherFace)
}

func truth(b bool) *bool { return &b }

// finite is nil for what is no number.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
