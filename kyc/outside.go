package kyc

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"kycd/ent"
	"kycd/ent/livenesschallenge"
	"kycd/ent/session"
	"kycd/kyc/auth"
	"kycd/kyc/azureface"
)

// AzureFace is a provider of liveness outside: the device talks to it, and it tells us what it saw.
type AzureFace interface {
	Create(ctx context.Context, r azureface.SessionRequest) (azureface.Session, error)
	// Wait asks until the session is final, for a while at most; azureface.ErrPending if it is not by then.
	Wait(ctx context.Context, id string, withVerify bool, atMost time.Duration) (azureface.Result, error)
	Image(ctx context.Context, sessionImageID string) ([]byte, error)
	Delete(ctx context.Context, id string, withVerify bool) error
}

// The providers, as settings and configuration name them.
const (
	ProviderLocal = "local"
	ProviderAzure = "azure"
)

// outsideRetry is when a device may ask again for a provider that did not answer, unless it said so itself.
const outsideRetry = 5 * time.Second

// outsideLiveness is what a provider outside said of one liveness session. Nothing of it is a picture.
type outsideLiveness struct {
	Model      string                `json:"model"`
	Score      *float64              `json:"score"`     // nil: it decided nothing
	Identical  *bool                 `json:"identical"` // the face is the one on the document; nil: not asked
	Confidence *float64              `json:"match_confidence"`
	Attempts   []azureface.Attempt   `json:"attempts"`
	References []azureface.Reference `json:"references,omitempty"`
	Code       string                `json:"code,omitempty"` // why there is no answer
}

// Azure's sessions of the two sorts lie under different paths; the sort stands before the id.
const verifyMark = "verify/"

func markSession(session azureface.Session) string {
	if session.WithVerify {
		return verifyMark + session.ID
	}
	return session.ID
}

func sessionMark(mark string) (id string, withVerify bool) {
	id, withVerify = strings.CutPrefix(mark, verifyMark)
	return id, withVerify
}

// generateAzure begins a session at Azure. Where the front of a document was given, Azure compares the face with it too.
func (s *Service) generateAzure(ctx context.Context, p auth.Principal, kind SessionKind, row *ent.Session) (string, error) {
	if err := takesInput(row, s.now()); err != nil {
		return "", err
	}
	if s.azure == nil {
		return "", &Error{Code: CodeUnavailable, Message: "the liveness provider is not configured", RetryAfter: outsideRetry}
	}
	request := azureface.SessionRequest{
		Mode: azureface.Mode(row.LivenessMode), DeviceCorrelationID: s.newID(), EnableSessionImage: true, TTL: s.config.ChallengeLifetime.Truncate(time.Second),
	}
	if s.config.AzureVerify {
		front, err := s.frontOf(ctx, row)
		if err != nil {
			return "", err
		}
		if front != nil {
			request.Verify, request.ReturnVerifyImageHash = front, true
		}
	}
	begun, err := s.azure.Create(ctx, request)
	if err != nil {
		return "", s.outsideError(ctx, "create", err)
	}
	token, err := once(ctx, s, p, func(c *change) (string, error) {
		row, err := c.open(ctx, p, kind, row.ID)
		if err != nil {
			return "", err
		}
		claims := c.drawChallenge(row)
		claims.Steps, claims.Expires = nil, begun.Expires.Unix()
		if request.Verify != nil {
			claims.Nonce = request.Verify.Hash()
		}
		if err := c.openChallenge(ctx, claims, markSession(begun)); err != nil {
			return "", err
		}
		return begun.AuthToken, c.note(ctx, row.ID, actorOf(p), "liveness_generated", "", "", map[string]string{"provider": ProviderAzure})
	})
	if err != nil || replayed(ctx) {
		s.endOutside(ctx, markSession(begun))
	}
	return token, err
}

// frontOf is the front of the document as Azure takes it; nil if there is none, or none that it would take.
func (s *Service) frontOf(ctx context.Context, row *ent.Session) (*azureface.VerifyImage, error) {
	name, ok := fileType(string(row.DocumentType), captureFront)
	if !ok {
		return nil, nil
	}
	front, err := s.picture(ctx, row, name)
	if e := AsError(err); e != nil && e.Code == CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(front.Bytes) > azureface.MaxVerifyImageBytes || (front.ContentType != "image/jpeg" && front.ContentType != "image/png") {
		return nil, nil
	}
	return &azureface.VerifyImage{Bytes: front.Bytes, ContentType: front.ContentType}, nil
}

// outsideError is what a caller is told when the provider does not answer. What it said goes to the log, by code.
func (s *Service) outsideError(ctx context.Context, what string, err error) error {
	code, wait := outsideCode(err)
	s.log.WarnContext(ctx, "azure face does not answer", "what", what, "code", code)
	return &Error{Code: CodeUnavailable, Message: "the liveness provider does not answer", RetryAfter: wait, cause: err}
}

func outsideCode(err error) (code string, wait time.Duration) {
	var refused *azureface.Error
	if !errors.As(err, &refused) {
		return string(CodeInternal), outsideRetry
	}
	return string(refused.Code), max(refused.RetryAfter, outsideRetry)
}

// processAzure asks Azure what it saw. A provider that does not answer does not stop the session: the check is then
// unavailable, which is for the decision to weigh.
func (s *Service) processAzure(ctx context.Context, p auth.Principal, kind SessionKind, row *ent.Session, place Place, in LivenessInput) error {
	if _, known, err := earlier[livenessAttempt](ctx, s, p); known || err != nil {
		return err
	}
	if len(in.Images) > 0 {
		return invalid("/images", "belong to the local provider; this session's device sends them to its provider")
	}
	if err := takesInput(row, s.now()); err != nil {
		return err
	}
	challenge, err := s.db.Ent.LivenessChallenge.Query().Where(livenesschallenge.SessionID(row.ID), livenesschallenge.UsedAtIsNil()).
		Order(ent.Desc(livenesschallenge.FieldCreatedAt, livenesschallenge.FieldID)).First(ctx)
	if ent.IsNotFound(err) {
		return Errorf(CodeLivenessNotStarted, "no liveness session is open: generate one first")
	}
	if err != nil {
		return Internal(err)
	}
	said, image, err := s.askAzure(ctx, challenge, in)
	if err != nil {
		return err
	}
	var pic *picture
	if image != nil {
		if container, err := inspect(image, "/images"); err == nil {
			kept, err := s.store(ctx, row, image, container)
			if err != nil {
				return err
			}
			pic = &kept
		}
	}
	_, err = once(ctx, s, p, func(c *change) (attempt livenessAttempt, err error) {
		row, err := c.open(ctx, p, kind, row.ID)
		if err != nil {
			return attempt, err
		}
		if attempt.Blocked, err = c.exhausted(ctx, row); attempt.Blocked || err != nil {
			return attempt, err
		}
		return attempt, c.keepOutside(ctx, p, row, challenge.ID, place, said, pic)
	})
	if pic != nil && (err != nil || replayed(ctx)) {
		s.discard(ctx, *pic)
	}
	if err == nil {
		s.endOutside(ctx, challenge.ProviderSession)
	}
	return err
}

// askAzure asks for the result of a session, and for the frame that it was judged by.
func (s *Service) askAzure(ctx context.Context, challenge *ent.LivenessChallenge, in LivenessInput) (outsideLiveness, []byte, error) {
	if s.azure == nil {
		return outsideLiveness{Code: "not_configured"}, nil, nil
	}
	id, withVerify := sessionMark(challenge.ProviderSession)
	result, err := s.azure.Wait(ctx, id, withVerify, s.config.LivenessWait)
	if errors.Is(err, azureface.ErrPending) {
		return outsideLiveness{}, nil, Errorf(CodeLivenessPending, "the device has not finished its liveness session")
	}
	if err != nil {
		if ctx.Err() != nil {
			return outsideLiveness{}, nil, Internal(ctx.Err())
		}
		code, _ := outsideCode(err)
		s.log.WarnContext(ctx, "azure face does not answer", "what", "result", "code", code)
		return outsideLiveness{Code: code}, nil, nil
	}
	said := outsideLiveness{Model: "azure-face@" + result.Model, Attempts: result.Attempts, References: result.References}
	decided, ok := result.Decided()
	if !ok {
		return said, nil, nil
	}
	if in.Digest != "" && !decided.DigestMatches(in.Digest) {
		return outsideLiveness{}, nil, &Error{
			Code: CodeLivenessProof, Message: "what the device reports is not what its provider saw",
			Fields: []FieldError{{Pointer: "/digest", Code: "digest", Message: "differs from the provider's"}},
		}
	}
	if score, measured := decided.Decision.Score(); measured {
		said.Score = &score
	}
	if withVerify {
		// Compared with another picture than the one that was sent, it says nothing of this person.
		same := decided.VerifyImageHash == "" || decided.VerifyImageHash == challenge.Nonce
		identical := same && decided.Verification != nil && decided.Verification.Identical
		said.Identical = &identical
		if decided.Verification != nil {
			said.Confidence = &decided.Verification.Confidence
		}
	}
	if decided.SessionImageID == "" {
		return said, nil, nil
	}
	image, err := s.azure.Image(ctx, decided.SessionImageID)
	if err != nil {
		code, _ := outsideCode(err)
		s.log.WarnContext(ctx, "azure face does not answer", "what", "image", "code", code)
		return said, nil, nil
	}
	return said, image, nil
}

// keepOutside writes what the provider said, and its frame as the selfie.
func (c *change) keepOutside(ctx context.Context, p auth.Principal, row *ent.Session, challengeID string, place Place, said outsideLiveness, pic *picture) error {
	v, err := c.s.vault(ctx, c.DataKey, row.KeyID)
	if err != nil {
		return err
	}
	sealed, err := v.seal("liveness_challenges", "outcome", challengeID, said)
	if err != nil {
		return err
	}
	n, err := c.LivenessChallenge.Update().Where(livenesschallenge.ID(challengeID), livenesschallenge.UsedAtIsNil()).
		SetUsedAt(c.now).SetOutcomeSealed(sealed).Save(ctx)
	if err != nil {
		return Internal(err)
	}
	if n != 1 {
		return Errorf(CodeLivenessUsed, "the liveness session was processed; generate another one")
	}
	if err := c.supersede(ctx, row.ID, captureLiveness); err != nil {
		return err
	}
	if pic != nil {
		if err := c.capture(ctx, row, *pic, shot{side: captureLiveness, fileType: "liveness_passive"}); err != nil {
			return err
		}
	}
	if err := c.selfieGiven(ctx, row, place); err != nil {
		return err
	}
	detail := map[string]string{"provider": ProviderAzure}
	if said.Code != "" {
		detail["code"] = said.Code
	}
	for _, attempt := range said.Attempts {
		prefix := "attempt_" + strconv.Itoa(attempt.ID)
		detail[prefix] = string(attempt.Status)
		if attempt.Digest != "" {
			detail[prefix+"_digest"] = attempt.Digest
		}
		if attempt.VerifyImageHash != "" {
			detail[prefix+"_verify_image_hash"] = attempt.VerifyImageHash
		}
	}
	return c.note(ctx, row.ID, actorOf(p), "liveness_processed", "", "", detail)
}

// endOutside lets the provider remove what it has of a session. It removes it by itself in time, should this fail.
func (s *Service) endOutside(ctx context.Context, mark string) {
	if s.azure == nil || mark == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outsideRetry)
	defer cancel()
	id, withVerify := sessionMark(mark)
	if err := s.azure.Delete(ctx, id, withVerify); err != nil {
		code, _ := outsideCode(err)
		s.log.Warn("a session stays at azure face until its time is over", "code", code)
	}
}

// outsideLiveness is what the provider said last of a session; nil if it was never asked.
func (c *change) outsideLiveness(ctx context.Context, v vault, sessionID string) (*outsideLiveness, error) {
	challenge, err := c.LivenessChallenge.Query().Where(livenesschallenge.SessionID(sessionID), livenesschallenge.OutcomeSealedNotNil()).
		Order(ent.Desc(livenesschallenge.FieldUsedAt, livenesschallenge.FieldID)).First(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Internal(err)
	}
	said := &outsideLiveness{}
	return said, v.open("liveness_challenges", "outcome", challenge.ID, challenge.OutcomeSealed, said)
}

// provider is who measures the liveness of a new session.
func (s *Service) provider(settings Settings) (session.LivenessProvider, error) {
	name := s.config.LivenessProvider
	if settings.LivenessProvider != nil {
		name = *settings.LivenessProvider
	}
	switch name {
	case "", ProviderLocal:
		return session.LivenessProviderLocal, nil
	case ProviderAzure:
		if s.azure == nil {
			return "", invalid("/settings/liveness_provider", "is not configured here")
		}
		return session.LivenessProviderAzure, nil
	}
	return "", invalid("/settings/liveness_provider", "must be local or azure")
}
