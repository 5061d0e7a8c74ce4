package kyc

import (
	"context"
	cryptorand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"time"

	"kycd/ent"
	"kycd/ent/livenesschallenge"
	"kycd/ent/location"
	"kycd/ent/session"
	"kycd/kyc/auth"
)

// activeSteps are what a person can be asked to show.
func activeSteps() []string { return []string{"turn_left", "turn_right", "look_up", "smile"} }

// activeStepCount is how many of them one challenge asks for.
const activeStepCount = 3

// coolDown is how long a session is blocked after too many attempts.
const coolDown = 15 * time.Minute

// GenerateLiveness gives the device a signed challenge that it can read and use once.
func (s *Service) GenerateLiveness(ctx context.Context, p auth.Principal, kind SessionKind, id string, place Place) (token string, err error) {
	if err := place.validate(); err != nil {
		return "", err
	}
	return once(ctx, s, p, func(c *change) (string, error) {
		row, err := c.open(ctx, p, kind, id)
		if err != nil {
			return "", err
		}
		token, err := c.challenge(ctx, row)
		if err != nil {
			return "", err
		}
		return token, c.note(ctx, id, actorOf(p), "liveness_generated", "", "", nil)
	})
}

func (c *change) challenge(ctx context.Context, row *ent.Session) (string, error) {
	id, expires := c.s.newID(), c.now.Add(c.s.config.ChallengeLifetime)
	claims := Challenge{
		ID: id, Nonce: cryptorand.Text(), SessionID: row.ID, Mode: string(row.LivenessMode), Steps: []string{}, Expires: expires.Unix(),
	}
	if row.LivenessMode == session.LivenessModePassiveActive {
		steps := activeSteps()
		rand.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		claims.Steps = steps[:activeStepCount]
	}
	// A new challenge ends every earlier one: a device has one at a time.
	err := c.LivenessChallenge.Update().Where(livenesschallenge.SessionID(row.ID), livenesschallenge.UsedAtIsNil()).SetUsedAt(c.now).Exec(ctx)
	if err != nil {
		return "", Internal(err)
	}
	err = c.LivenessChallenge.Create().SetID(id).SetSessionID(row.ID).SetSteps(claims.Steps).
		SetCreatedAt(c.now).SetExpiresAt(expires).Exec(ctx)
	if err != nil {
		return "", Internal(err)
	}
	token, err := c.s.tokens.issuer.SignStatement(challengeType, claims)
	if err != nil {
		return "", Internal(err)
	}
	return token, nil
}

// ProcessLiveness takes the frames of the challenge that the session has open: the passive frame first,
// then one per active step. They are stored and analysed. The returned token is empty: nothing more is
// asked for.
func (s *Service) ProcessLiveness(ctx context.Context, p auth.Principal, kind SessionKind, id string, place Place, images [][]byte) (string, error) {
	if err := place.validate(); err != nil {
		return "", err
	}
	if len(images) == 0 {
		return "", &Error{Code: CodeImageMissing, Message: "at least the passive frame is needed", Fields: []FieldError{{Pointer: "/images", Code: string(CodeImageMissing), Message: "must hold at least one image"}}}
	}
	if len(images) > 1+len(activeSteps()) {
		return "", invalid("/images", fmt.Sprintf("must hold at most %d images", 1+len(activeSteps())))
	}
	if blocked, known, err := earlier[bool](ctx, s, p); known || err != nil {
		return "", firstError(err, tooManyAttempts(blocked))
	}
	row, err := find(ctx, s.db.Ent.Session, p, kind, id)
	if err != nil {
		return "", err
	}
	if err := takesInput(row, s.now()); err != nil {
		return "", err
	}
	var pics []picture
	for i, image := range images {
		container, err := inspect(image, fmt.Sprintf("/images/%d", i))
		if err == nil {
			var pic picture
			if pic, err = s.store(ctx, row, image, container); err == nil {
				pics = append(pics, pic)
			}
		}
		if err != nil {
			s.discard(ctx, pics...)
			return "", err
		}
	}
	blocked, err := once(ctx, s, p, func(c *change) (blocked bool, err error) {
		row, err := c.open(ctx, p, kind, id)
		if err != nil {
			return false, err
		}
		if err := c.useChallenge(ctx, row); err != nil {
			return false, err
		}
		settings, err := s.settings(ctx, c.DataKey, row)
		if err != nil {
			return false, err
		}
		if row.Attempts >= settings.maxAttempts() {
			return true, c.move(ctx, row, EventBlock, actorSystem, map[string]string{"reason": "too_many_liveness_attempts"},
				func(u *ent.SessionUpdate) { u.SetBlockedUntil(c.now.Add(coolDown)) })
		}
		if err := c.supersede(ctx, id, captureLiveness); err != nil {
			return false, err
		}
		for i, pic := range pics {
			name := "liveness_passive"
			if i > 0 {
				name = fmt.Sprintf("liveness_active_step_%d", i)
			}
			if err := c.capture(ctx, row, pic, captureLiveness, name, i); err != nil {
				return false, err
			}
		}
		if err := c.Session.UpdateOne(row).SetSelfieGivenAt(c.now).AddAttempts(1).Exec(ctx); err != nil {
			return false, Internal(err)
		}
		if err := c.locate(ctx, row, location.CaptureTypeSelfieImageCapture, place); err != nil {
			return false, err
		}
		return false, c.note(ctx, id, actorOf(p), "liveness_processed", "", "", map[string]string{"frames": fmt.Sprint(len(pics))})
	})
	if err != nil || blocked || replayed(ctx) {
		s.discard(ctx, pics...)
	}
	return "", firstError(err, tooManyAttempts(blocked))
}

func tooManyAttempts(blocked bool) error {
	if !blocked {
		return nil
	}
	return Errorf(CodeSessionBlocked, "too many attempts; try again later")
}

// useChallenge spends the session's open challenge. There is none, or it is too old: the device must ask
// for a new one.
func (c *change) useChallenge(ctx context.Context, row *ent.Session) error {
	n, err := c.LivenessChallenge.Update().Where(livenesschallenge.SessionID(row.ID), livenesschallenge.UsedAtIsNil(),
		livenesschallenge.ExpiresAtGT(c.now)).SetUsedAt(c.now).Save(ctx)
	if err != nil {
		return Internal(err)
	}
	if n == 0 {
		return Errorf(CodeLivenessNotStarted, "no liveness challenge is open: generate one first")
	}
	return nil
}
