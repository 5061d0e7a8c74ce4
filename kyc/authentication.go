package kyc

import (
	"context"

	"kycd/ent"
	"kycd/ent/faceencoding"
	"kycd/ent/session"
	"kycd/kyc/auth"
	"kycd/kyc/scoring"
	"kycd/vision"
)

// CreateAuthentication begins an authentication: the person of an identity is asked for a live face. Consent was
// given with the verification that made the identity, and covers this.
func (s *Service) CreateAuthentication(ctx context.Context, p auth.Principal, identityID string, in SessionInput) (string, error) {
	return s.createSession(ctx, p, IDA, in, func(c *change, create *ent.SessionCreate) error {
		row, err := findIdentity(ctx, c.Identity, p, identityID)
		if err != nil {
			return err
		}
		if row.AnonymizedAt != nil {
			return notFound("identity")
		}
		enrolled, err := c.FaceEncoding.Query().Where(faceencoding.IdentityID(row.ID)).Exist(ctx)
		if err != nil {
			return Internal(err)
		}
		if !enrolled {
			return Errorf(CodeNotEnrolled, "the identity was verified without a face, so there is none to compare with")
		}
		create.SetIdentityID(row.ID).SetConsented(true).SetConsentedAt(row.CreatedAt)
		return nil
	})
}

// FinalizeAuthentication asks whether the live face is that of the identity. It waits for the measurements as
// Finalize does; asking again gives the same answer.
func (s *Service) FinalizeAuthentication(ctx context.Context, p auth.Principal, id string) (Outcome, error) {
	return s.finalize(ctx, p, IDA, id, nil)
}

// accountFacts are what the decision on an authentication rests on.
type accountFacts struct {
	*facts
	enrolled []enrolledFace
}

// enrolledFace is one encoding of an identity.
type enrolledFace struct {
	id, encoder string
	encoding    []float32
}

// enrolledFaces opens the encodings of an identity; there are none once it was erased.
func (c *change) enrolledFaces(ctx context.Context, identityID string) ([]enrolledFace, error) {
	rows, err := c.FaceEncoding.Query().Where(faceencoding.IdentityID(identityID)).Order(ent.Asc(faceencoding.FieldID)).All(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	faces := make([]enrolledFace, 0, len(rows))
	for _, row := range rows {
		v, err := c.s.vault(ctx, c.DataKey, row.KeyID)
		if e := AsError(err); e != nil && e.Code == CodeErased {
			continue
		}
		if err != nil {
			return nil, err
		}
		face := enrolledFace{id: row.ID, encoder: row.Encoder}
		if err := v.open("face_encodings", "vector", row.ID, row.VectorSealed, &face.encoding); err != nil {
			return nil, err
		}
		faces = append(faces, face)
	}
	return faces, nil
}

// judgeAccount draws the decision on an authentication. It is pure: the same facts give the same decision.
func judgeAccount(f *accountFacts) (verdict, error) {
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
func (f *accountFacts) accountFace() scoring.Signal {
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
	nearest, distance, compared := nearestFace(f.enrolled, live)
	if compared == 0 { // enrolled by another encoder only
		s.State = scoring.StateUnavailable
		return s
	}
	s.Measure = scoring.Number(distance)
	s.Evidence = map[string]any{
		"distance": distance, "encoder": live.Encoder, "compared": compared, "encoding_id": nearest,
		"selfie_quality": live.Quality, "selfie_capture_id": f.live.id,
	}
	return s
}

// nearestFace compares a face with enrolled ones of the same encoder, and says with how many it could.
func nearestFace(enrolled []enrolledFace, face *vision.Face) (id string, distance float64, compared int) {
	for _, known := range enrolled {
		if known.encoder != face.Encoder {
			continue
		}
		d, err := vision.Distance(known.encoding, face.Encoding)
		if err != nil { // of another length: damaged, and no reason to let anybody in
			continue
		}
		if compared == 0 || d < distance {
			id, distance = known.id, d
		}
		compared++
	}
	return id, distance, compared
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
