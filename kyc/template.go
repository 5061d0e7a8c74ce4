package kyc

import (
	"context"
	"time"

	"kycd/ent"
	"kycd/ent/faceencoding"
	"kycd/vision"
)

// The rule by which an identity's template follows its person as the years go by. Only a face that was just authenticated
// is ever added, only one that is like a face of the enrolment itself, so that small steps cannot lead to somebody else,
// and only a good picture. What the enrolment gave is never removed.
const (
	refreshEvery    = 24 * time.Hour // at most one in this time
	refreshKept     = 4              // the newest of them
	refreshQuality  = 0.7            // of vision.Face.Quality
	refreshDistance = 0.85           // of the tolerance
)

// enrolledFace is one face that an identity is recognised by.
type enrolledFace struct {
	captureID string // where it was taken from
	template  vision.Template
	refreshed bool // by an authentication; otherwise of an enrolment
	since     time.Time
}

// enrolledFaces opens the faces of an identity, oldest first; there are none once it was erased.
func (c *change) enrolledFaces(ctx context.Context, identityID string) ([]enrolledFace, error) {
	rows, err := c.FaceEncoding.Query().Where(faceencoding.IdentityID(identityID)).Order(ent.Asc(faceencoding.FieldID)).All(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	var faces []enrolledFace
	for _, row := range rows {
		v, err := c.s.vault(ctx, c.DataKey, row.KeyID)
		if e := AsError(err); e != nil && e.Code == CodeErased {
			continue
		}
		if err != nil {
			return nil, err
		}
		encoding := vision.Encoding{Encoder: row.Encoder}
		if err := v.open("face_encodings", "vector", row.ID, row.VectorSealed, &encoding.Values); err != nil {
			return nil, err
		}
		of := faceKey(row)
		if n := len(faces); n > 0 && faces[n-1].captureID == of {
			faces[n-1].template = append(faces[n-1].template, encoding)
			continue
		}
		faces = append(faces, enrolledFace{captureID: of, template: vision.Template{encoding}, refreshed: row.Refreshed, since: row.CreatedAt})
	}
	return faces, nil
}

// faceKey is what the encodings of one face have in common.
func faceKey(row *ent.FaceEncoding) string {
	if row.CaptureID != nil && *row.CaptureID != "" {
		return *row.CaptureID
	}
	return row.ID
}

// nearest is the enrolled face that a face is least far from.
type nearest struct {
	face     enrolledFace
	distance float64
	encoder  string
	compared int // with how many faces it could be compared
}

// nearestFace compares a face with enrolled ones, each with the encoders that both have.
func nearestFace(enrolled []enrolledFace, face *vision.Face) nearest {
	var best nearest
	for _, known := range enrolled {
		match, err := vision.Compare(known.template, face.Template())
		if err != nil { // of other encoders, or damaged: no reason to let anybody in
			continue
		}
		if best.compared == 0 || match.Distance < best.distance {
			best.face, best.distance, best.encoder = known, match.Distance, match.Encoder
		}
		best.compared++
	}
	return best
}

// keepTemplate makes a face one that the identity is recognised by.
func (c *change) keepTemplate(ctx context.Context, v vault, userID, keyID, identityID, captureID string, face *vision.Face, refreshed bool) error {
	for _, encoding := range face.Template() {
		id := c.s.newID()
		sealed, err := v.seal("face_encodings", "vector", id, encoding.Values)
		if err != nil {
			return err
		}
		err = c.FaceEncoding.Create().SetID(id).SetUserID(userID).SetKeyID(keyID).SetIdentityID(identityID).SetCaptureID(captureID).
			SetSource(faceencoding.SourceSelfie).SetEncoder(encoding.Encoder).SetQuality(face.Quality).SetRefreshed(refreshed).
			SetVectorSealed(sealed).SetCreatedAt(c.now).Exec(ctx)
		if err != nil {
			return Internal(err)
		}
	}
	return nil
}

// mayRefresh says whether an authenticated face becomes one that the identity is recognised by. It is pure.
func mayRefresh(enrolled []enrolledFace, face *vision.Face, tolerance float64, now time.Time) bool {
	if face == nil || face.Quality < refreshQuality {
		return false
	}
	var first []enrolledFace
	for _, known := range enrolled {
		if known.refreshed {
			if now.Sub(known.since) < refreshEvery {
				return false
			}
			continue
		}
		first = append(first, known)
	}
	near := nearestFace(first, face)
	return near.compared > 0 && near.distance <= refreshDistance*tolerance
}

// refreshTemplate adds the face of a person who was just authenticated, and lets go of what is older than the newest few.
func (c *change) refreshTemplate(ctx context.Context, identityID string, f *facts) (bool, error) {
	face := f.live.face()
	if !mayRefresh(f.enrolled, face, f.weights.VerifiedAccountFaceEncodingTolerance, c.now) {
		return false, nil
	}
	known, err := c.Identity.Get(ctx, identityID)
	if err != nil {
		return false, Internal(err)
	}
	v, err := c.s.vault(ctx, c.DataKey, known.KeyID)
	if err != nil {
		return false, err
	}
	var refreshed []enrolledFace
	for _, known := range f.enrolled {
		if known.refreshed {
			refreshed = append(refreshed, known)
		}
	}
	for len(refreshed) >= refreshKept {
		oldest := refreshed[0]
		refreshed = refreshed[1:]
		_, err := c.FaceEncoding.Delete().Where(faceencoding.IdentityID(identityID), faceencoding.CaptureID(oldest.captureID), faceencoding.Refreshed(true)).Exec(ctx)
		if err != nil {
			return false, Internal(err)
		}
	}
	return true, c.keepTemplate(ctx, v, known.UserID, known.KeyID, known.ID, f.live.id, face, true)
}
