package kyc

import (
	"context"

	"kycd/ent"
	"kycd/ent/faceencoding"
	"kycd/ent/session"
	"kycd/kyc/auth"
	"kycd/kyc/scoring"
)

// CreateAuthentication begins an authentication: the person of an identity is asked for a live face. Consent was
// given with the verification that made the identity, and covers this.
func (s *Service) CreateAuthentication(ctx context.Context, p auth.Principal, identityID string, in SessionInput) (string, error) {
	return s.createSession(ctx, p, IDA, in, func(c *change, create *ent.SessionCreate) (then func(*ent.Session) error, err error) {
		row, err := findIdentity(ctx, c.Identity, p, identityID)
		if err != nil {
			return nil, err
		}
		if row.AnonymizedAt != nil {
			return nil, notFound("identity")
		}
		enrolled, err := c.FaceEncoding.Query().Where(faceencoding.IdentityID(row.ID)).Exist(ctx)
		if err != nil {
			return nil, Internal(err)
		}
		if !enrolled {
			return nil, Errorf(CodeNotEnrolled, "the identity was verified without a face, so there is none to compare with")
		}
		create.SetIdentityID(row.ID).SetConsented(true).SetConsentedAt(row.CreatedAt)
		if until := row.BlockedUntil; until != nil && until.After(c.now) {
			return func(made *ent.Session) error { return c.block(ctx, made, *until, tooManyFailures) }, nil
		}
		return nil, nil
	})
}

// An identity whose authentications fail so often in a row is not asked for its face for a while: whoever tries may be
// trying photographs.
const (
	mostFailures    = 5
	tooManyFailures = "too_many_failed_authentications"
)

// countFailure notes that an authentication of an identity failed. After too many in a row its open sessions, and those
// that are begun in the next minutes, are blocked.
func (c *change) countFailure(ctx context.Context, row *ent.Session) error {
	known, err := c.Identity.UpdateOneID(*row.IdentityID).AddFailedAuthentications(1).Save(ctx)
	if err != nil {
		return Internal(err)
	}
	if known.FailedAuthentications < mostFailures {
		return nil
	}
	until := c.now.Add(coolDown)
	if err := c.Identity.UpdateOne(known).SetFailedAuthentications(0).SetBlockedUntil(until).Exec(ctx); err != nil {
		return Internal(err)
	}
	others, err := c.Session.Query().Where(session.IdentityID(known.ID), session.KindEQ(session.KindIda), session.StatusEQ(session.StatusInProgress),
		session.FinalizeRequestedAtIsNil(), session.IDNEQ(row.ID)).All(ctx)
	if err != nil {
		return Internal(err)
	}
	for _, other := range others {
		if err := c.block(ctx, other, until, tooManyFailures); err != nil && AsError(err).Code != CodeConflict {
			return err
		}
	}
	return nil
}

// FinalizeAuthentication asks whether the live face is that of the identity. It waits for the measurements as
// Finalize does; asking again gives the same answer.
func (s *Service) FinalizeAuthentication(ctx context.Context, p auth.Principal, id string) (Outcome, error) {
	return s.finalize(ctx, p, IDA, id, nil)
}

// judgeAccount draws the decision on an authentication. It is pure: the same facts give the same decision.
func judgeAccount(f *facts) (verdict, error) {
	v := verdict{signals: []scoring.Signal{f.consent(), f.accountFace(), f.liveness()}}
	for i := range v.signals {
		v.signals[i].Required = true // an authentication has no check to spare
	}
	decision, err := scoring.ScoreAccount(f.weights, v.signals)
	if err != nil {
		return v, Internal(err)
	}
	v.Decision = decision
	return v, nil
}

// accountFace compares the live face with the identity's, and takes the nearest.
func (f *facts) accountFace() scoring.Signal {
	s := scoring.Signal{Check: scoring.CheckAccountFaceMatch}
	live := f.live.face()
	switch {
	case f.live == nil:
		s.State, s.Reasons = scoring.StateFail, []scoring.Reason{scoring.ReasonSelfieMissing}
		return s
	case f.live.failed():
		s.State, s.Reasons = scoring.StateUnavailable, []scoring.Reason{scoring.ReasonAnalysisFailed}
		return s
	case live == nil:
		s.State, s.Reasons = scoring.StateFail, []scoring.Reason{scoring.ReasonSelfieFaceNotFound}
		return s
	}
	near := nearestFace(f.enrolled, live)
	if near.compared == 0 { // enrolled by other encoders only, or the live face could not be encoded
		s.State = scoring.StateUnavailable
		return s
	}
	s.Measure = scoring.Number(near.distance)
	s.Evidence = map[string]any{
		"distance": near.distance, "encoder": near.encoder, "compared": near.compared, "enrolled_capture_id": near.face.captureID,
		"selfie_quality": live.Quality, "selfie_capture_id": f.live.id,
	}
	return s
}

// authenticated does what follows from a decided authentication: a face that was recognised may become one that the
// identity is recognised by, a failure counts.
func (c *change) authenticated(ctx context.Context, row *ent.Session, f *facts, verified bool) error {
	if !verified {
		return c.countFailure(ctx, row)
	}
	if err := c.Identity.UpdateOneID(*row.IdentityID).SetFailedAuthentications(0).ClearBlockedUntil().Exec(ctx); err != nil {
		return Internal(err)
	}
	refreshed, err := c.refreshTemplate(ctx, *row.IdentityID, f)
	if err != nil || !refreshed {
		return err
	}
	return c.note(ctx, row.ID, actorSystem, "template_refreshed", "", "", nil)
}

// DownloadSelfie gives the live picture of an authentication.
func (s *Service) DownloadSelfie(ctx context.Context, p auth.Principal, sessionID string) (Image, error) {
	return s.download(ctx, p, IDA, sessionID, "selfie")
}

// personOfIdentity gives the name of whom an authentication is about to recognise. An erased identity has none.
func (s *Service) personOfIdentity(ctx context.Context, row *ent.Session) (Person, error) {
	if row.Kind != session.KindIda || row.IdentityID == nil {
		return Person{}, nil
	}
	known, err := s.db.Ent.Identity.Get(ctx, *row.IdentityID)
	if err != nil {
		return Person{}, Internal(err)
	}
	person, _, err := s.openIdentity(ctx, s.db.Ent, known)
	return person.Person, err
}
