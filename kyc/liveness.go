package kyc

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kycd/ent"
	"kycd/ent/capture"
	"kycd/ent/livenesschallenge"
	"kycd/ent/location"
	"kycd/ent/session"
	"kycd/kyc/active"
	"kycd/kyc/auth"
	"kycd/kyc/scoring"
	"kycd/vision"
)

// coolDown is how long a session, or an identity, is blocked after too many attempts.
const coolDown = 15 * time.Minute

// LivenessInput is what a device hands in to answer a challenge.
type LivenessInput struct {
	Token  string       // of the challenge; empty: the one that the session has open
	Images [][]byte     // the passive frame, then one per step
	Frames []FrameProof // what the device says of each image; empty: nothing
	Digest string       // azure: what its capture library reported to the device; empty: not said
}

// LivenessAnswer is what a device is told of its frames.
type LivenessAnswer struct {
	Token string      // of the challenge to answer next; empty: nothing more is asked for
	Hints []FrameHint // what to do better, where pictures can be taken again
}

// FrameHint says by code what is wrong with one image: a vision.Hint, a code of an image that could not be analysed, or
// hintStepNotShown.
type FrameHint struct {
	Image int
	Code  string
}

// hintStepNotShown says that a frame does not show what its step asked for.
const hintStepNotShown = "step_not_shown"

// livenessAttempt is what became of handed-in frames, before they were measured.
type livenessAttempt struct {
	Blocked bool      `json:"blocked,omitempty"`
	Next    Challenge `json:"next"`  // to be asked if these frames do not do
	Token   string    `json:"token"` // that says so
}

// GenerateLiveness gives the device a token for one liveness check: a signed challenge that it can read and use once, or
// the session token of a provider outside.
func (s *Service) GenerateLiveness(ctx context.Context, p auth.Principal, kind SessionKind, id string, place Place) (token string, err error) {
	if err := place.validate(); err != nil {
		return "", err
	}
	if token, known, err := earlier[string](ctx, s, p); known || err != nil {
		return token, err
	}
	row, err := find(ctx, s.db.Ent.Session, p, kind, id)
	if err != nil {
		return "", err
	}
	if row.LivenessProvider == session.LivenessProviderAzure {
		return s.generateAzure(ctx, p, kind, row)
	}
	return once(ctx, s, p, func(c *change) (string, error) {
		row, err := c.open(ctx, p, kind, id)
		if err != nil {
			return "", err
		}
		claims := c.drawChallenge(row)
		if err := c.openChallenge(ctx, claims, ""); err != nil {
			return "", err
		}
		token, err := c.s.tokens.issuer.SignStatement(challengeType, claims)
		if err != nil {
			return "", Internal(err)
		}
		return token, c.note(ctx, id, actorOf(p), "liveness_generated", "", "", nil)
	})
}

// ProcessLiveness takes the frames that answer a challenge: the passive frame first, then one per step. They are kept and
// measured, and in.Images is emptied; what the device can do better, and whether more is asked for, is the answer. What speaks against the person is
// not told here but weighed in the decision.
func (s *Service) ProcessLiveness(ctx context.Context, p auth.Principal, kind SessionKind, id string, place Place, in LivenessInput) (LivenessAnswer, error) {
	if err := place.validate(); err != nil {
		return LivenessAnswer{}, err
	}
	attempt, known, err := earlier[livenessAttempt](ctx, s, p)
	if err != nil {
		return LivenessAnswer{}, err
	}
	row, err := find(ctx, s.db.Ent.Session, p, kind, id)
	if err != nil {
		return LivenessAnswer{}, err
	}
	if row.LivenessProvider == session.LivenessProviderAzure {
		return LivenessAnswer{}, s.processAzure(ctx, p, kind, row, place, in)
	}
	if !known {
		if attempt, err = s.takeFrames(ctx, p, kind, row, place, in); err != nil {
			return LivenessAnswer{}, err
		}
	}
	clear(in.Images) // they need not lie in memory while they are measured
	if attempt.Blocked {
		return LivenessAnswer{}, tooManyAttempts()
	}
	return s.answerFrames(ctx, p, kind, id, attempt)
}

// takeFrames keeps the frames and leaves the work of measuring them.
func (s *Service) takeFrames(ctx context.Context, p auth.Principal, kind SessionKind, row *ent.Session, place Place, in LivenessInput) (livenessAttempt, error) {
	var none livenessAttempt
	if len(in.Images) == 0 {
		return none, &Error{Code: CodeImageMissing, Message: "at least the passive frame is needed", Fields: []FieldError{{Pointer: "/images", Code: string(CodeImageMissing), Message: "must hold at least one image"}}}
	}
	if len(in.Images) > 1+len(active.Steps()) {
		return none, invalid("/images", fmt.Sprintf("must hold at most %d images", 1+len(active.Steps())))
	}
	if err := takesInput(row, s.now()); err != nil {
		return none, err
	}
	var pics []picture
	for i, image := range in.Images {
		container, err := inspect(image, fmt.Sprintf("/images/%d", i))
		if err == nil {
			var pic picture
			if pic, err = s.store(ctx, row, image, container); err == nil {
				pics = append(pics, pic)
			}
		}
		if err != nil {
			s.discard(ctx, pics...)
			return none, err
		}
	}
	attempt, err := once(ctx, s, p, func(c *change) (attempt livenessAttempt, err error) {
		row, err := c.open(ctx, p, kind, row.ID)
		if err != nil {
			return attempt, err
		}
		challenge, err := c.spendChallenge(ctx, row, in)
		if err != nil {
			return attempt, err
		}
		if attempt.Blocked, err = c.exhausted(ctx, row); attempt.Blocked || err != nil {
			return attempt, err
		}
		if err := c.supersede(ctx, row.ID, captureLiveness); err != nil {
			return attempt, err
		}
		for i, pic := range pics {
			name, asked := "liveness_passive", ""
			if i > 0 {
				name, asked = fmt.Sprintf("liveness_active_step_%d", i), challenge.Steps[i-1]
			}
			if err := c.capture(ctx, row, pic, shot{side: captureLiveness, fileType: name, step: i, asked: asked}); err != nil {
				return attempt, err
			}
		}
		if err := c.selfieGiven(ctx, row, place); err != nil {
			return attempt, err
		}
		attempt.Next = c.drawChallenge(row)
		if attempt.Token, err = c.s.tokens.issuer.SignStatement(challengeType, attempt.Next); err != nil {
			return attempt, Internal(err)
		}
		return attempt, c.note(ctx, row.ID, actorOf(p), "liveness_processed", "", "", map[string]string{"frames": fmt.Sprint(len(pics))})
	})
	if err != nil || attempt.Blocked || replayed(ctx) {
		s.discard(ctx, pics...)
	}
	return attempt, err
}

// exhausted blocks a session that had all the attempts it may have.
func (c *change) exhausted(ctx context.Context, row *ent.Session) (bool, error) {
	settings, err := c.s.settings(ctx, c.DataKey, row)
	if err != nil || row.Attempts < settings.maxAttempts() {
		return false, err
	}
	return true, c.block(ctx, row, c.now.Add(coolDown), "too_many_liveness_attempts")
}

// block keeps a session from going on for a while.
func (c *change) block(ctx context.Context, row *ent.Session, until time.Time, reason string) error {
	return c.move(ctx, row, EventBlock, actorSystem, map[string]string{"reason": reason},
		func(u *ent.SessionUpdate) { u.SetBlockedUntil(until) })
}

func tooManyAttempts() error { return Errorf(CodeSessionBlocked, "too many attempts; try again later") }

// selfieGiven notes that the person showed a live face, and where.
func (c *change) selfieGiven(ctx context.Context, row *ent.Session, place Place) error {
	if err := c.Session.UpdateOne(row).SetSelfieGivenAt(c.now).AddAttempts(1).Exec(ctx); err != nil {
		return Internal(err)
	}
	return c.locate(ctx, row, location.CaptureTypeSelfieImageCapture, place)
}

// answerFrames waits a little for the measurements and says what the device can do better. Where they take longer, the
// decision will say what became of the frames.
func (s *Service) answerFrames(ctx context.Context, p auth.Principal, kind SessionKind, id string, attempt livenessAttempt) (LivenessAnswer, error) {
	var none LivenessAnswer
	ready, err := s.waitAnalysed(ctx, id, s.config.LivenessWait, capture.SideEQ(captureLiveness))
	if err != nil || !ready {
		return none, err
	}
	row, err := find(ctx, s.db.Ent.Session, p, kind, id)
	if err != nil || unfinished(row, s.now()) != nil {
		return none, err
	}
	v, err := s.vaultOf(ctx, row)
	if err != nil {
		return none, err
	}
	captures, err := measuredCaptures(ctx, s.db.Ent.Capture, v, id, capture.SideEQ(captureLiveness))
	if err != nil {
		return none, err
	}
	w, err := weights(ctx, s.db.Ent.WeightsVersion, row.WeightsID)
	if err != nil {
		return none, err
	}
	frames := liveFrames(captures)
	answer := LivenessAnswer{Hints: frameHints(frames, w)}
	if len(answer.Hints) == 0 && !moreAsked(row, frames, w) {
		return none, nil
	}
	answer.Token = attempt.Token
	return answer, s.change(ctx, func(c *change) error {
		known, err := c.LivenessChallenge.Query().Where(livenesschallenge.ID(attempt.Next.ID)).Exist(ctx)
		if err != nil {
			return Internal(err)
		}
		if known { // the same request, repeated
			return nil
		}
		if err := c.openChallenge(ctx, attempt.Next, ""); err != nil {
			return err
		}
		detail := map[string]string{"steps": fmt.Sprint(len(attempt.Next.Steps))}
		for _, hint := range answer.Hints {
			detail[fmt.Sprintf("hint_%d", hint.Image)] = hint.Code
		}
		return c.note(ctx, id, actorSystem, "liveness_asked_again", "", "", detail)
	})
}

// liveFrames are the pictures of a liveness check that count, the passive frame first.
func liveFrames(captures []*measured) []*measured {
	var frames []*measured
	for _, m := range captures {
		if m.side == captureLiveness {
			frames = append(frames, m)
		}
	}
	slices.SortStableFunc(frames, func(a, b *measured) int { return a.step - b.step })
	return frames
}

// moreAsked says that the passive frame alone does not do: the steps are asked for, unless it is so clearly a live face
// that they may be skipped.
func moreAsked(row *ent.Session, frames []*measured, w scoring.Weights) bool {
	if row.LivenessMode != session.LivenessModePassiveActive || len(frames) != 1 {
		return false
	}
	live := fusedLiveness(frames)
	return live == nil || live.Score < w.PassiveActiveSkipTolerance
}

// fusedLiveness is the passive score over all frames that have one; nil if none has.
func fusedLiveness(frames []*measured) *vision.Liveness {
	var scores []vision.Liveness
	for _, m := range frames {
		if m.analysis != nil && m.analysis.Liveness != nil {
			scores = append(scores, *m.analysis.Liveness)
		}
	}
	if len(scores) == 0 {
		return nil
	}
	live := vision.FuseLiveness(scores)
	return &live
}

// frameHints say what a person can do better. A frame that was to show a step may be turned; the passive one may not.
func frameHints(frames []*measured, w scoring.Weights) []FrameHint {
	var hints []FrameHint
	for i, m := range frames {
		if m.analysis == nil {
			hints = append(hints, FrameHint{i, m.code})
			continue
		}
		for _, hint := range m.analysis.Hints {
			if frameHint(hint, m.asked != "") {
				hints = append(hints, FrameHint{i, string(hint)})
			}
		}
	}
	if len(hints) > 0 || len(frames) < 2 {
		return hints
	}
	for i, finding := range judgeSteps(frames, w).Frames {
		if finding.Shown != nil && !*finding.Shown {
			hints = append(hints, FrameHint{i, hintStepNotShown})
		}
	}
	return hints
}

// frameHint says whether a hint is one about a face, and about one that shows a step.
func frameHint(hint vision.Hint, step bool) bool {
	switch hint {
	case vision.HintNoFace, vision.HintSeveralFaces, vision.HintFaceTooSmall, vision.HintTooDark, vision.HintBlurred,
		vision.HintEyesCovered, vision.HintUpsideDown:
		return true
	case vision.HintFaceTurned, vision.HintMouthCovered:
		return !step
	}
	return false
}

// turnedFaceTolerance is how far the face of a step may be from that of the passive frame: a turned or grimacing face is
// farther from itself than a resting one, up to 0.518 in 162 pairs of development pictures. Who the person is, the passive
// frame says, by the tolerances of the weights.
const turnedFaceTolerance = 0.52

// judgeSteps asks whether the frames show what they were asked for.
func judgeSteps(frames []*measured, w scoring.Weights) active.Result {
	shown := make([]active.Frame, 0, len(frames))
	for _, m := range frames {
		shown = append(shown, active.Frame{Asked: active.Step(m.asked), Analysis: m.analysis})
	}
	return active.Judge(shown, active.Tolerances{
		DirectionDegrees: w.DirectionTolerance, Expression: w.ExpressionTolerance, FaceDistance: turnedFaceTolerance,
	}, templateDistance)
}

// templateDistance is how far two faces are from each other.
func templateDistance(a, b vision.Template) (float64, error) {
	match, err := vision.Compare(a, b)
	return match.Distance, err
}
