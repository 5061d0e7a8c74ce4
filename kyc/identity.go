package kyc

import (
	"context"
	"strings"

	"kycd/ent"
	"kycd/ent/datakey"
	"kycd/ent/faceencoding"
	"kycd/ent/identity"
	"kycd/ent/searchterm"
	"kycd/kyc/seal"
)

// enrol gives a verified session its identity: the one that this document belonged to before (same number
// and birth date, within the user), or a new one. The encoding of the live face becomes the identity's.
func (c *change) enrol(ctx context.Context, row *ent.Session, f *facts, score float64) (id string, joined bool, err error) {
	user, holder := row.UserID, holderTerm(f.merged)
	id, err = c.knownIdentity(ctx, user, holder)
	if err != nil {
		return "", false, err
	}
	var v vault
	if id != "" {
		known, err := c.Identity.Get(ctx, id)
		if err != nil {
			return "", false, Internal(err)
		}
		if v, err = c.s.vault(ctx, c.DataKey, known.KeyID); err != nil {
			return "", false, err
		}
		if err := c.Identity.UpdateOne(known).SetVerifiedAt(c.now).SetScore(score).Exec(ctx); err != nil {
			return "", false, Internal(err)
		}
		return id, true, c.enrolFace(ctx, v, user, known.KeyID, id, f)
	}
	keyID, v, err := c.newVault(ctx, datakey.PurposeIdentity)
	if err != nil {
		return "", false, err
	}
	id = c.s.newID()
	person, err1 := v.seal("identities", "person", id, personOf(f.merged))
	metadata, err2 := v.seal("identities", "metadata", id, f.metadata)
	if err := firstError(err1, err2); err != nil {
		return "", false, err
	}
	err = c.Identity.Create().SetID(id).SetUserID(user).SetClientID(row.ClientID).SetKeyID(keyID).SetPersonSealed(person).
		SetMetadataSealed(metadata).SetScore(score).SetCreatedAt(c.now).SetVerifiedAt(c.now).Exec(ctx)
	if err != nil {
		return "", false, Internal(err)
	}
	terms := personTerms(f.merged)
	terms["holder"] = []string{holder}
	if err := c.indexTerms(ctx, user, searchterm.OwnerIdentity, id, terms); err != nil {
		return "", false, err
	}
	return id, false, c.enrolFace(ctx, v, user, keyID, id, f)
}

// knownIdentity finds who holds this document.
func (c *change) knownIdentity(ctx context.Context, userID, holder string) (string, error) {
	term := c.s.index.Term(userID, "holder", holder)
	if term == "" {
		return "", nil
	}
	ids, err := c.SearchTerm.Query().Where(searchterm.UserID(userID), searchterm.OwnerEQ(searchterm.OwnerIdentity),
		searchterm.Field("holder"), searchterm.Term(term)).Select(searchterm.FieldOwnerID).Strings(ctx)
	if err != nil {
		return "", Internal(err)
	}
	id, err := c.Identity.Query().Where(identity.IDIn(ids...), identity.AnonymizedAtIsNil()).Order(ent.Asc(identity.FieldCreatedAt)).FirstID(ctx)
	if ent.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", Internal(err)
	}
	return id, nil
}

func (c *change) enrolFace(ctx context.Context, v vault, userID, keyID, identityID string, f *facts) error {
	face := f.live.face()
	if face == nil || len(face.Encoding) == 0 {
		return nil
	}
	id := c.s.newID()
	sealed, err := v.seal("face_encodings", "vector", id, face.Encoding)
	if err != nil {
		return err
	}
	err = c.FaceEncoding.Create().SetID(id).SetUserID(userID).SetKeyID(keyID).SetIdentityID(identityID).SetCaptureID(f.live.id).
		SetSource(faceencoding.SourceSelfie).SetEncoder(face.Encoder).SetVectorSealed(sealed).SetCreatedAt(c.now).Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	return nil
}

// holderTerm is what one person's document is recognised by: number and birth date together.
func holderTerm(fields map[string]string) string {
	number, birth := seal.NormalNumber(fields["document_number"]), fields["birth_date"]
	if number == "" || birth == "" {
		return ""
	}
	return number + "/" + birth
}

// personTerms are the words by which a person can be searched for.
func personTerms(fields map[string]string) map[string][]string {
	names := strings.Join([]string{fields["first_name"], fields["middle_name"], fields["last_name"]}, " ")
	return map[string][]string{
		"name":            strings.Fields(seal.NormalName(names)),
		"document_number": {seal.NormalNumber(fields["document_number"])},
	}
}
