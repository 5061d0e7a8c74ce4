package kyc

import (
	"context"
	"maps"
	"strings"

	"kycd/ent"
	"kycd/ent/datakey"
	"kycd/ent/identity"
	"kycd/ent/searchterm"
	"kycd/kyc/seal"
)

// How a verified session came to an identity that was there before.
const (
	joinedByDocument = "identity_joined_by_document" // the same document number and birth date
	joinedByFace     = "identity_joined_by_face"     // the same name and birth date, and the same face
)

// enrolment is the identity that a verified session came to; the reason is empty if it is a new one.
type enrolment struct{ identityID, reason string }

// identityPerson is what an identity remembers of its person.
type identityPerson struct {
	Person
	Street     string `json:"street,omitempty"`
	City       string `json:"city,omitempty"`
	State      string `json:"state,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
}

// enrol gives a verified session its identity: the one that this document belonged to before, or that of the person
// who renewed it, within the user; otherwise a new one. The encoding of the live face becomes the identity's.
func (c *change) enrol(ctx context.Context, row *ent.Session, f *facts, score float64) (enrolment, error) {
	found, err := c.known(ctx, row.UserID, f)
	if err != nil {
		return enrolment{}, err
	}
	if found.identityID == "" {
		id, err := c.newIdentity(ctx, row, f, score)
		return enrolment{identityID: id}, err
	}
	known, err := c.Identity.Get(ctx, found.identityID)
	if err != nil {
		return enrolment{}, Internal(err)
	}
	v, err := c.s.vault(ctx, c.DataKey, known.KeyID)
	if err != nil {
		return enrolment{}, err
	}
	// The latest document is the one that holds: who moved or married is found, and answered, by the new data too.
	person, err := v.seal("identities", "person", known.ID, personOfIdentity(f.merged))
	if err != nil {
		return enrolment{}, err
	}
	if err := c.Identity.UpdateOne(known).SetVerifiedAt(c.now).SetScore(score).SetPersonSealed(person).Exec(ctx); err != nil {
		return enrolment{}, Internal(err)
	}
	if err := c.indexTerms(ctx, row.UserID, searchterm.OwnerIdentity, known.ID, identityTerms(f)); err != nil {
		return enrolment{}, err
	}
	return found, c.enrolFace(ctx, v, row.UserID, known.KeyID, known.ID, f)
}

func (c *change) newIdentity(ctx context.Context, row *ent.Session, f *facts, score float64) (string, error) {
	keyID, v, err := c.newVault(ctx, datakey.PurposeIdentity)
	if err != nil {
		return "", err
	}
	id := c.s.newID()
	person, err1 := v.seal("identities", "person", id, personOfIdentity(f.merged))
	metadata, err2 := v.seal("identities", "metadata", id, f.metadata)
	if err := firstError(err1, err2); err != nil {
		return "", err
	}
	err = c.Identity.Create().SetID(id).SetUserID(row.UserID).SetClientID(row.ClientID).SetKeyID(keyID).SetPersonSealed(person).
		SetMetadataSealed(metadata).SetScore(score).SetCreatedAt(c.now).SetVerifiedAt(c.now).Exec(ctx)
	if err != nil {
		return "", Internal(err)
	}
	terms := identityTerms(f)
	maps.Copy(terms, metadataTerms(f.metadata))
	if err := c.indexTerms(ctx, row.UserID, searchterm.OwnerIdentity, id, terms); err != nil {
		return "", err
	}
	return id, c.enrolFace(ctx, v, row.UserID, keyID, id, f)
}

// known finds the identity of the person whom a session verified. A document's number and birth date together name one
// holder. A renewed document has another number: then name, birth date and face together do. A face alone never joins
// two people's data: among many, strangers look alike.
func (c *change) known(ctx context.Context, userID string, f *facts) (enrolment, error) {
	ids, err := c.identitiesBy(ctx, userID, "holder", holderTerm(f.merged))
	if err != nil {
		return enrolment{}, err
	}
	if len(ids) > 0 {
		return enrolment{identityID: ids[0], reason: joinedByDocument}, nil
	}
	face := f.live.face()
	if face == nil {
		return enrolment{}, nil
	}
	if ids, err = c.identitiesBy(ctx, userID, "namesake", namesakeTerm(f.merged)); err != nil {
		return enrolment{}, err
	}
	best, least := enrolment{}, 0.0
	for _, id := range ids {
		enrolled, err := c.enrolledFaces(ctx, id)
		if err != nil {
			return enrolment{}, err
		}
		near := nearestFace(enrolled, face)
		if near.compared > 0 && near.distance <= f.weights.VerifiedAccountFaceEncodingTolerance && (best.identityID == "" || near.distance < least) {
			best, least = enrolment{identityID: id, reason: joinedByFace}, near.distance
		}
	}
	return best, nil
}

// identitiesBy finds a user's identities by one term, oldest first.
func (c *change) identitiesBy(ctx context.Context, userID, field, value string) ([]string, error) {
	term := c.s.index.Term(userID, field, value)
	if term == "" {
		return nil, nil
	}
	owners, err := c.SearchTerm.Query().Where(searchterm.UserID(userID), searchterm.OwnerEQ(searchterm.OwnerIdentity),
		searchterm.Field(field), searchterm.Term(term)).Select(searchterm.FieldOwnerID).Strings(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	if len(owners) == 0 {
		return nil, nil
	}
	ids, err := c.Identity.Query().Where(identity.IDIn(owners...), identity.AnonymizedAtIsNil()).Order(ent.Asc(identity.FieldCreatedAt, identity.FieldID)).IDs(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	return ids, nil
}

// enrolFace makes the live face one that the identity is recognised by.
func (c *change) enrolFace(ctx context.Context, v vault, userID, keyID, identityID string, f *facts) error {
	if face := f.live.face(); face != nil {
		return c.keepTemplate(ctx, v, userID, keyID, identityID, f.live.id, face, false)
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

// namesakeTerm is what people of one first and last name and birth date share.
func namesakeTerm(fields map[string]string) string {
	first, last, birth := seal.NormalName(fields["first_name"]), seal.NormalName(fields["last_name"]), fields["birth_date"]
	if first == "" || last == "" || birth == "" {
		return ""
	}
	return first + "/" + last + "/" + birth
}

// personTerms are the words by which a person can be searched for.
func personTerms(fields map[string]string) map[string][]string {
	names := strings.Join([]string{fields["first_name"], fields["middle_name"], fields["last_name"]}, " ")
	return map[string][]string{
		"name":            strings.Fields(seal.NormalName(names)),
		"document_number": {seal.NormalNumber(fields["document_number"])},
	}
}

func identityTerms(f *facts) map[string][]string {
	terms := personTerms(f.merged)
	terms["holder"], terms["namesake"] = []string{holderTerm(f.merged)}, []string{namesakeTerm(f.merged)}
	return terms
}

func personOfIdentity(fields map[string]string) identityPerson {
	return identityPerson{
		Person: personOf(fields), Street: fields["street"], City: fields["city"], State: fields["state"], PostalCode: fields["postal_code"],
	}
}
