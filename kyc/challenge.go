package kyc

import (
	"context"
	cryptorand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"time"

	"kycd/ent"
	"kycd/ent/livenesschallenge"
	"kycd/ent/session"
	"kycd/kyc/active"
)

// Challenge is what a liveness token says, readable by the SDK.
type Challenge struct {
	ID        string   `json:"jti"`
	Nonce     string   `json:"nonce"`
	SessionID string   `json:"session_id"`
	Mode      string   `json:"mode"`
	Steps     []string `json:"steps"`
	Expires   int64    `json:"exp"` // Unix seconds
}

// challengeType is the typ of liveness tokens.
const challengeType = "liveness+jwt"

// activeStepCount is how many steps one challenge asks for.
const activeStepCount = 3

// leastStepTime is less than anybody needs to read a step and show it.
const leastStepTime = 300 * time.Millisecond

// clockSkew is how far the clock of a device may be off.
const clockSkew = 2 * time.Minute

// drawChallenge invents a challenge for a session; it is not open before open writes it.
func (c *change) drawChallenge(row *ent.Session) Challenge {
	claims := Challenge{
		ID: c.s.newID(), Nonce: cryptorand.Text(), SessionID: row.ID, Mode: string(row.LivenessMode), Steps: []string{},
		Expires: c.now.Add(c.s.config.ChallengeLifetime).Unix(),
	}
	if row.LivenessMode == session.LivenessModePassiveActive {
		for _, step := range active.Draw(unpredictable(), activeStepCount) {
			claims.Steps = append(claims.Steps, string(step))
		}
	}
	return claims
}

// unpredictable is randomness that nobody outside can foresee.
func unpredictable() *rand.Rand {
	var seed [32]byte
	_, _ = cryptorand.Read(seed[:]) // it never fails
	return rand.New(rand.NewChaCha8(seed))
}

// openChallenge lets a device answer a challenge. It ends every earlier one: a device has one at a time.
func (c *change) openChallenge(ctx context.Context, claims Challenge, providerSession string) error {
	err := c.LivenessChallenge.Update().Where(livenesschallenge.SessionID(claims.SessionID), livenesschallenge.UsedAtIsNil()).SetUsedAt(c.now).Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	err = c.LivenessChallenge.Create().SetID(claims.ID).SetSessionID(claims.SessionID).SetSteps(claims.Steps).SetNonce(claims.Nonce).
		SetProviderSession(providerSession).SetCreatedAt(c.now).SetExpiresAt(time.Unix(claims.Expires, 0).UTC()).Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	return nil
}

// FrameProof is what a device says of one frame that it hands in: which step it shows, the nonce of the challenge, and
// when it was taken. A device that says it can be held to it.
type FrameProof struct {
	Step  string     // empty for the passive frame
	Nonce string     // empty: not said
	At    *time.Time // nil: not said
}

// spendChallenge takes the challenge that frames answer, once. With a token it is that token's; without one it is the
// session's open one.
func (c *change) spendChallenge(ctx context.Context, row *ent.Session, in LivenessInput) (*ent.LivenessChallenge, error) {
	challenge, err := c.answered(ctx, row, in.Token)
	if err != nil {
		return nil, err
	}
	switch {
	case challenge.UsedAt != nil:
		return nil, Errorf(CodeLivenessUsed, "the liveness token was used; generate another one")
	case !c.now.Before(challenge.ExpiresAt):
		return nil, Errorf(CodeLivenessExpired, "the liveness token expired; generate another one")
	}
	if err := fits(challenge, in, c.now); err != nil {
		return nil, err
	}
	n, err := c.LivenessChallenge.Update().Where(livenesschallenge.ID(challenge.ID), livenesschallenge.UsedAtIsNil()).SetUsedAt(c.now).Save(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	if n != 1 {
		return nil, Errorf(CodeLivenessUsed, "the liveness token was used; generate another one")
	}
	return challenge, nil
}

// answered finds the challenge that is answered.
func (c *change) answered(ctx context.Context, row *ent.Session, token string) (*ent.LivenessChallenge, error) {
	mine := c.LivenessChallenge.Query().Where(livenesschallenge.SessionID(row.ID))
	if token == "" {
		latest, err := mine.Order(ent.Desc(livenesschallenge.FieldCreatedAt, livenesschallenge.FieldID)).First(ctx)
		if ent.IsNotFound(err) || (err == nil && latest.UsedAt != nil) {
			return nil, Errorf(CodeLivenessNotStarted, "no liveness challenge is open: generate one first")
		}
		if err != nil {
			return nil, Internal(err)
		}
		return latest, nil
	}
	var claims Challenge
	foreign := Errorf(CodeLivenessForeign, "the liveness token is not one of this session")
	if err := c.s.tokens.issuer.ReadStatement(challengeType, token, &claims); err != nil || claims.SessionID != row.ID {
		return nil, foreign
	}
	known, err := mine.Where(livenesschallenge.ID(claims.ID)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, foreign
	}
	if err != nil {
		return nil, Internal(err)
	}
	return known, nil
}

// fits says whether frames can be the answer to a challenge: their number, and what the device says of each. The passive
// frame may come alone; whether more is needed is then said in the answer.
func fits(challenge *ent.LivenessChallenge, in LivenessInput, now time.Time) error {
	steps := challenge.Steps
	if n := len(in.Images); n != 1 && n != 1+len(steps) {
		return &Error{
			Code: CodeLivenessFrames, Message: "the images do not answer the challenge",
			Fields: []FieldError{{Pointer: "/images", Code: string(CodeLivenessFrames), Message: fmt.Sprintf("must hold the passive frame, or %d: that and one for each step", 1+len(steps))}},
		}
	}
	if len(in.Images) > 1 && now.Sub(challenge.CreatedAt) < time.Duration(len(steps))*leastStepTime {
		return unfit("/images", "time", "were handed in faster than anybody can show the steps")
	}
	if len(in.Frames) == 0 {
		return nil
	}
	if len(in.Frames) != len(in.Images) {
		return &Error{
			Code: CodeLivenessFrames, Message: "the frames do not describe the images",
			Fields: []FieldError{{Pointer: "/frames", Code: string(CodeLivenessFrames), Message: "must have one entry for each image"}},
		}
	}
	var last time.Time
	for i, frame := range in.Frames {
		pointer := fmt.Sprintf("/frames/%d", i)
		asked := ""
		if i > 0 {
			asked = steps[i-1]
		}
		switch {
		case frame.Step != asked:
			return unfit(pointer+"/step", "order", "is not the step that was asked for at this place")
		case frame.Nonce != "" && frame.Nonce != challenge.Nonce:
			return unfit(pointer+"/nonce", "nonce", "is not the challenge's")
		}
		if frame.At == nil {
			continue
		}
		tooOld, ahead := frame.At.Before(challenge.CreatedAt.Add(-clockSkew)), frame.At.After(now.Add(clockSkew))
		if tooOld || ahead || (!last.IsZero() && frame.At.Sub(last) < leastStepTime) {
			return unfit(pointer+"/at", "time", "does not fit the challenge or the frame before")
		}
		last = *frame.At
	}
	return nil
}

func unfit(pointer, code, message string) *Error {
	return &Error{
		Code: CodeLivenessProof, Message: "a frame does not fit the challenge",
		Fields: []FieldError{{Pointer: pointer, Code: code, Message: message}},
	}
}
