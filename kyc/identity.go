package kyc

import (
	"context"
	"strings"

	"entgo.io/ent/dialect/sql"

	"kycd/ent"
	"kycd/ent/document"
	"kycd/ent/identity"
	"kycd/ent/predicate"
	"kycd/ent/searchterm"
	"kycd/ent/session"
	"kycd/kyc/auth"
	"kycd/kyc/seal"
)

// myIdentities is the tenancy of identities. A person may come to several clients of one organisation; each client sees
// those who came to it. A device sees the one that its session is about.
func myIdentities(p auth.Principal) []predicate.Identity {
	where := []predicate.Identity{identity.UserID(p.UserID)}
	switch {
	case p.SessionID != "":
		where = append(where, identity.HasSessionsWith(mine(p)...))
	case p.ClientID != "":
		where = append(where, identity.Or(identity.ClientID(p.ClientID), identity.HasSessionsWith(mine(p)...)))
	}
	return where
}

// findIdentity gives the caller's identity of that id. Somebody else's does not exist.
func findIdentity(ctx context.Context, identities *ent.IdentityClient, p auth.Principal, id string) (*ent.Identity, error) {
	row, err := identities.Query().Where(myIdentities(p)...).Where(identity.ID(id)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, notFound("identity")
	}
	if err != nil {
		return nil, Internal(err)
	}
	return row, nil
}

// ListIdentities gives the caller's identities, newest first, and how many there are.
func (s *Service) ListIdentities(ctx context.Context, p auth.Principal, q IdentityQuery) (IdentityPage, error) {
	where := myIdentities(p)
	if q.Start != nil {
		where = append(where, identity.CreatedAtGTE(*q.Start))
	}
	if q.End != nil {
		where = append(where, identity.CreatedAtLTE(*q.End))
	}
	if len(q.ClientIDs) > 0 {
		where = append(where, identity.ClientIDIn(q.ClientIDs...))
	}
	if len(q.UserIDs) > 0 {
		where = append(where, identity.UserIDIn(q.UserIDs...))
	}
	where = append(where, s.identitiesWith(p.UserID, q.Metadata)...)
	if q.SearchTerm != "" {
		where = append(where, s.searchIdentities(p.UserID, q.SearchTerm))
	}
	total, err1 := s.db.Ent.Identity.Query().Where(where...).Count(ctx)
	erased, err2 := s.db.Ent.Identity.Query().Where(where...).Where(identity.AnonymizedAtNotNil()).Count(ctx)
	if err := firstError(err1, err2); err != nil {
		return IdentityPage{}, Internal(err)
	}
	take, skip := page(q.Take, q.Skip)
	rows, err := s.db.Ent.Identity.Query().Where(where...).Order(ent.Desc(identity.FieldCreatedAt, identity.FieldID)).Limit(take).Offset(skip).All(ctx)
	if err != nil {
		return IdentityPage{}, Internal(err)
	}
	views, err := s.identityViews(ctx, p, rows)
	return IdentityPage{Identities: views, Counts: map[string]int{"total": total, "verified": total - erased, "anonymized": erased}}, err
}

// ReadIdentities gives those of the ids and of the metadata; all, up to the size of a page, if neither is given. An id
// that is not the caller's is an error: whoever names one wants that one.
func (s *Service) ReadIdentities(ctx context.Context, p auth.Principal, ids []string, metadata map[string]any) ([]Identity, error) {
	if len(ids) > maxTake {
		return nil, invalid("/identity_ids", "has too many entries")
	}
	where := append(myIdentities(p), s.identitiesWith(p.UserID, metadata)...)
	if len(ids) > 0 {
		where = append(where, identity.IDIn(ids...))
	}
	rows, err := s.db.Ent.Identity.Query().Where(where...).Order(ent.Desc(identity.FieldCreatedAt, identity.FieldID)).Limit(maxTake).All(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	found := map[string]bool{}
	for _, row := range rows {
		found[row.ID] = true
	}
	for _, id := range ids {
		if !found[id] {
			return nil, notFound("identity")
		}
	}
	return s.identityViews(ctx, p, rows)
}

// IdentityVerified says whether an identity stands: it was verified, and not erased since.
func (s *Service) IdentityVerified(ctx context.Context, p auth.Principal, id string) (bool, error) {
	row, err := findIdentity(ctx, s.db.Ent.Identity, p, id)
	if err != nil {
		return false, err
	}
	return row.VerifiedAt != nil && row.AnonymizedAt == nil, nil
}

// ReadIdentityDocument gives the merged document of the latest session that verified the identity with a document of
// that type; "unknown" is of any type.
func (s *Service) ReadIdentityDocument(ctx context.Context, p auth.Principal, id, documentType string) (Document, error) {
	row, err := findIdentity(ctx, s.db.Ent.Identity, p, id)
	if err != nil {
		return Document{}, err
	}
	where := verifiedBy(p, row.ID)
	if documentType != "unknown" {
		where = append(where, session.DocumentTypeEQ(session.DocumentType(documentType)))
	}
	of, err := s.db.Ent.Session.Query().Where(where...).Where(session.HasDocumentsWith(document.Merged(true))).
		Order(ent.Desc(session.FieldCompletedAt)).First(ctx)
	if ent.IsNotFound(err) {
		return Document{}, notFound("document")
	}
	if err != nil {
		return Document{}, Internal(err)
	}
	docs, err := s.documentsOf(ctx, of)
	if err != nil {
		return Document{}, err
	}
	return mergedOf(docs)
}

// ReadIdentityImage gives a picture of the latest session that verified the identity and has one of that file type.
func (s *Service) ReadIdentityImage(ctx context.Context, p auth.Principal, id, fileType string) (Image, error) {
	row, err := findIdentity(ctx, s.db.Ent.Identity, p, id)
	if err != nil {
		return Image{}, err
	}
	rows, err := s.db.Ent.Session.Query().Where(verifiedBy(p, row.ID)...).Order(ent.Desc(session.FieldCompletedAt)).Limit(maxTake).All(ctx)
	if err != nil {
		return Image{}, Internal(err)
	}
	for _, of := range rows {
		image, err := s.picture(ctx, of, fileType)
		if e := AsError(err); e != nil && e.Code.Kind() == KindNotFound {
			continue
		}
		return image, err
	}
	return Image{}, notFound("image")
}

// verifiedBy are the caller's sessions that verified an identity and were not erased. A person who came to several clients
// is one identity; what was shown to one client stays with it.
func verifiedBy(p auth.Principal, identityIDs ...string) []predicate.Session {
	return append(mine(p), session.IdentityIDIn(identityIDs...), session.KindEQ(session.KindIdv), session.Verified(true), session.AnonymizedAtIsNil())
}

// identityViews opens identities, and adds what the caller's latest session of each says.
func (s *Service) identityViews(ctx context.Context, p auth.Principal, rows []*ent.Identity) ([]Identity, error) {
	ids := make([]string, 0, len(rows))
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	latest := map[string]*ent.Session{}
	if len(ids) > 0 {
		sessions, err := s.db.Ent.Session.Query().Where(verifiedBy(p, ids...)...).Order(ent.Asc(session.FieldCompletedAt)).All(ctx)
		if err != nil {
			return nil, Internal(err)
		}
		for _, row := range sessions {
			latest[*row.IdentityID] = row
		}
	}
	views := make([]Identity, 0, len(rows))
	for _, row := range rows {
		view := Identity{
			ID: row.ID, UserID: row.UserID, ClientID: row.ClientID, CreatedAt: row.CreatedAt, VerifiedAt: row.VerifiedAt,
			AnonymizedAt: row.AnonymizedAt, Score: row.Score,
		}
		person, metadata, err := s.openIdentity(ctx, s.db.Ent, row)
		if err != nil {
			return nil, err
		}
		view.Person, view.Metadata = person.Person, metadata
		view.Street, view.City, view.State, view.PostalCode = person.Street, person.City, person.State, person.PostalCode
		if of := latest[row.ID]; of != nil {
			view.DocumentFrontGivenAt = of.DocumentFrontGivenAt
			view.LivenessDetected, view.LivenessDetectedAt = of.LivenessDetected, of.LivenessDetectedAt
			view.OFACStatus, view.OFACDetectedAt = string(of.OfacStatus), of.OfacDetectedAt
			view.DMVStatus, view.DMVDetectedAt = string(of.DmvStatus), of.DmvDetectedAt
		}
		views = append(views, view)
	}
	return views, nil
}

// openIdentity opens what is sealed of an identity; an erased one has nothing.
func (s *Service) openIdentity(ctx context.Context, db *ent.Client, row *ent.Identity) (person identityPerson, metadata map[string]any, err error) {
	v, err := s.vault(ctx, db.DataKey, row.KeyID)
	if e := AsError(err); e != nil {
		if e.Code == CodeErased {
			return person, nil, nil
		}
		return person, nil, err
	}
	err = firstError(v.open("identities", "person", row.ID, row.PersonSealed, &person),
		v.open("identities", "metadata", row.ID, row.MetadataSealed, &metadata))
	return person, metadata, err
}

// identitiesWith matches identities of whose metadata every given key has the given value.
func (s *Service) identitiesWith(userID string, metadata map[string]any) []predicate.Identity {
	if len(metadata) == 0 {
		return nil
	}
	return []predicate.Identity{identityWith(userID, "metadata", s.terms(userID, "metadata", metadataTerms(metadata)["metadata"]...))}
}

// searchIdentities matches an id, a document number, or every word of a name.
func (s *Service) searchIdentities(userID, term string) predicate.Identity {
	or := []predicate.Identity{identity.ID(term)}
	if number := seal.NormalNumber(term); number != "" {
		or = append(or, identityWith(userID, "document_number", s.terms(userID, "document_number", number)))
	}
	if words := strings.Fields(seal.NormalName(term)); len(words) > 0 {
		or = append(or, identityWith(userID, "name", s.terms(userID, "name", words...)))
	}
	return identity.Or(or...)
}

// identityWith matches identities that were indexed under all of some terms.
func identityWith(userID, field string, terms []string) predicate.Identity {
	return func(s *sql.Selector) { withTerms(s, identity.FieldID, userID, searchterm.OwnerIdentity, field, terms) }
}
