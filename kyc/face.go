package kyc

import (
	"math"
	"slices"
	"time"

	"kycd/kyc/active"
	"kycd/kyc/crosscheck"
	"kycd/kyc/scoring"
	"kycd/vision"
)

// possibleDuplicate is reported where other people's identities have a face like this one. It changes no verdict.
const possibleDuplicate = "possible_duplicate_identity"

// strangersLike are the identities with a near face that are not the session's own.
func (f *facts) strangersLike(own string) []lookalike {
	return slices.DeleteFunc(slices.Clone(f.lookalikes), func(l lookalike) bool { return l.IdentityID == own })
}

// faceMatch compares the portrait on the document with the live face. A picture without a face fails: the
// person was asked for a face and did not show one.
func (f *facts) faceMatch() scoring.Signal {
	s := scoring.Signal{Check: scoring.CheckFaceMatch, Required: f.settings.Wants(CheckFaceMatch)}
	if !s.Required && f.live == nil {
		s.State = scoring.StateNotRun
		return s
	}
	portrait, selfie := f.front.face(), f.live.face()
	switch {
	case f.front.failed(), f.live.failed():
		s.State, s.Reasons = scoring.StateUnavailable, []scoring.Reason{scoring.ReasonAnalysisFailed}
	case f.live == nil && f.outside != nil:
		s.State = scoring.StateUnavailable // the provider gave no picture to compare
	case f.live == nil:
		s.State, s.Reasons = scoring.StateFail, []scoring.Reason{scoring.ReasonSelfieMissing}
	case selfie == nil:
		s.State, s.Reasons = scoring.StateFail, []scoring.Reason{scoring.ReasonSelfieFaceNotFound}
	case portrait == nil:
		s.State, s.Reasons = scoring.StateFail, []scoring.Reason{scoring.ReasonDocumentPortraitNotFound}
	default:
		match, err := vision.Compare(portrait.Template(), selfie.Template())
		if err != nil { // not encoded, or by no encoder that both have; analysed again, they would be
			s.State = scoring.StateUnavailable
			break
		}
		s.Measure = scoring.Number(match.Distance)
		s.Evidence = map[string]any{
			"distance": match.Distance, "probability": match.Probability, "encoder": match.Encoder,
			"portrait_quality": portrait.Quality, "portrait_issues": portrait.Issues,
			"selfie_quality": selfie.Quality, "selfie_issues": selfie.Issues,
			"portrait_capture_id": f.front.id, "selfie_capture_id": f.live.id,
		}
	}
	return s
}

// liveness asks whether a person stood before the camera: by what the provider outside says, or by the frames.
func (f *facts) liveness() scoring.Signal {
	s := scoring.Signal{Check: scoring.CheckLiveness, Required: f.settings.Wants(CheckLiveness)}
	if !s.Required && f.live == nil && f.outside == nil {
		s.State = scoring.StateNotRun
		return s
	}
	if f.outside != nil {
		f.outsideLiveness(&s)
		return s
	}
	for _, frame := range f.frames {
		if copied, ok := f.copies[frame.id]; ok {
			s.State, s.Reasons = scoring.StateFail, []scoring.Reason{scoring.ReasonLivenessReplayed}
			s.Evidence = map[string]any{"capture_id": frame.id, "copy_of": copied}
			return s
		}
	}
	live := fusedLiveness(f.frames)
	switch {
	case f.live == nil:
		s.State, s.Reasons = scoring.StateFail, []scoring.Reason{scoring.ReasonSelfieMissing}
	case f.live.failed():
		s.State, s.Reasons = scoring.StateUnavailable, []scoring.Reason{scoring.ReasonAnalysisFailed}
	case f.live.face() == nil:
		s.State, s.Reasons = scoring.StateFail, []scoring.Reason{scoring.ReasonSelfieFaceNotFound}
	case f.live.analysis.Liveness == nil || live == nil:
		s.State = scoring.StateUnavailable
	case slices.Contains(f.live.analysis.Degraded, vision.PartLiveness) && !f.allowDegraded:
		s.State = scoring.StateUnavailable
		s.Evidence = map[string]any{"model": live.Model, "degraded": true}
	case f.active && live.Score < f.weights.PassiveActiveSkipTolerance:
		f.activeLiveness(&s, live)
	default:
		f.passiveLiveness(&s, live, nil)
	}
	return s
}

// passiveLiveness is the score of the frames.
func (f *facts) passiveLiveness(s *scoring.Signal, live *vision.Liveness, steps []active.Finding) {
	s.Value = scoring.Number(live.Score)
	evidence := map[string]any{
		"score": live.Score, "model": live.Model, "cues": live.Cues, "capture_id": f.live.id, "frames": len(f.frames),
		"degraded": slices.Contains(f.live.analysis.Degraded, vision.PartLiveness),
	}
	if steps != nil {
		evidence["steps"] = steps
	}
	s.Evidence = evidence
}

// activeLiveness asks for the steps too: the score counts only if every step was shown, by one and the same face that moved
// as faces do.
func (f *facts) activeLiveness(s *scoring.Signal, live *vision.Liveness) {
	s.Required = true
	if len(f.frames) < 2 {
		s.State, s.Reasons = scoring.StateFail, []scoring.Reason{scoring.ReasonActiveStepsMissing}
		return
	}
	result := judgeSteps(f.frames, f.weights)
	if result.Passed {
		f.passiveLiveness(s, live, result.Frames)
		return
	}
	s.State = scoring.StateFail
	s.Evidence = map[string]any{"score": live.Score, "model": live.Model, "steps": result.Frames}
	for _, finding := range result.Frames {
		for _, why := range finding.Reasons {
			reason, unavailable := activeReason(why)
			if unavailable {
				s.State = scoring.StateUnavailable
			}
			if !slices.Contains(s.Reasons, reason) {
				s.Reasons = append(s.Reasons, reason)
			}
		}
	}
}

// activeReason is what speaks against a frame in the words of a decision; unavailable means that nothing is known.
func activeReason(why active.Reason) (reason scoring.Reason, unavailable bool) {
	switch why {
	case active.ReasonStepNotShown, active.ReasonStepUnknown, active.ReasonNoFace, active.ReasonSeveralFaces:
		return scoring.ReasonActiveStepNotShown, false
	case active.ReasonAnotherFace:
		return scoring.ReasonActiveAnotherFace, false
	case active.ReasonImplausibleMotion:
		return scoring.ReasonActiveMotion, false
	case active.ReasonFrameCopied:
		return scoring.ReasonActiveFrameCopied, false
	}
	return scoring.NotMeasured(scoring.CheckLiveness, scoring.StateUnavailable), true
}

// outsideLiveness is what the provider outside says, by the mapping of azureface.Decision.Score.
func (f *facts) outsideLiveness(s *scoring.Signal) {
	said := f.outside
	s.Evidence = said
	switch {
	case said.Score == nil: // it did not answer, or decided nothing
		s.State = scoring.StateUnavailable
	case said.Identical != nil && !*said.Identical:
		s.State, s.Reasons = scoring.StateFail, []scoring.Reason{scoring.ReasonFaceMismatch}
	default:
		s.Value = said.Score
	}
}

// seenBefore says whether a picture of a document was seen in an earlier session.
func (f *facts) seenBefore(check scoring.Check, side *measured) scoring.Signal {
	s := scoring.Signal{Check: check, Required: f.settings.Wants(CheckOnlineDuplication) && check == scoring.CheckFrontOnlineDuplication}
	if side == nil {
		s.State = scoring.StateNotRun
		return s
	}
	copied, seen := f.copies[side.id]
	switch {
	case seen:
		s.Value, s.Evidence = scoring.Number(1-copied.Likeness), copied
	case side.analysis == nil || side.analysis.Fingerprint == nil:
		s.State = scoring.StateUnavailable
	default:
		s.Value = truth(true)
	}
	return s
}

// gender compares what the live face looks like with what the document says, where the classifier is sure enough.
func (f *facts) gender() scoring.Signal {
	s := scoring.Signal{Check: scoring.CheckGender, State: scoring.StateNotRun}
	seen := f.attributes()
	documented := f.merged["gender"]
	if documented != "male" && documented != "female" {
		return s // not read, or not one of the two that the classifier knows
	}
	if seen == nil {
		s.State = scoring.StateUnavailable
		return s
	}
	s.State = ""
	s.Value, s.Measure = truth(seen.Gender == documented), scoring.Number(seen.GenderProbability)
	s.Evidence = map[string]any{"apparent": seen.Gender, "documented": documented, "probability": seen.GenderProbability, "model": seen.Model}
	return s
}

// age compares the apparent age with the documented one.
func (f *facts) age() scoring.Signal {
	s := scoring.Signal{Check: scoring.CheckAge, State: scoring.StateNotRun}
	years, known := ageOn(f.merged["birth_date"], f.now)
	if !known {
		return s
	}
	age, _ := crosscheck.Age(f.merged["birth_date"], f.now)
	seen := f.attributes()
	if seen == nil {
		s.State, s.Evidence = scoring.StateUnavailable, map[string]any{"age": age}
		return s
	}
	s.State = ""
	s.Measure = scoring.Number(math.Min(math.Abs(seen.Age-years), mostYears))
	s.Evidence = map[string]any{"age": age, "apparent": seen.Age, "documented": years, "model": seen.Model}
	return s
}

// mostYears bounds a difference of ages.
const mostYears = 120

// attributes are those of the live face; nil if they were not measured.
func (f *facts) attributes() *vision.Attributes {
	if face := f.live.face(); face != nil {
		return face.Attributes
	}
	return nil
}

// ageOn is how old somebody is, in years and parts of them.
func ageOn(birthDate string, day time.Time) (years float64, known bool) {
	born, err := time.Parse(time.DateOnly, birthDate)
	if err != nil || born.After(day) {
		return 0, false
	}
	return day.Sub(born).Hours() / 24 / 365.2425, true
}
