package kyc

import (
	"context"

	"kycd/ent"
	"kycd/ent/document"
	"kycd/kyc/auth"
)

// ReadDocument gives the merged best of what was read of a session's document.
func (s *Service) ReadDocument(ctx context.Context, p auth.Principal, sessionID string) (Document, error) {
	docs, err := s.documents(ctx, p, sessionID)
	if err != nil {
		return Document{}, err
	}
	return mergedOf(docs)
}

func mergedOf(docs []Document) (Document, error) {
	for _, d := range docs {
		if d.Merged {
			return d, nil
		}
	}
	return Document{}, notFound("document")
}

// ListDocuments gives one row per source, and the merged one.
func (s *Service) ListDocuments(ctx context.Context, p auth.Principal, sessionID string, take, skip int) (DocumentPage, error) {
	docs, err := s.documents(ctx, p, sessionID)
	if err != nil {
		return DocumentPage{}, err
	}
	counts := map[string]int{"total": len(docs)}
	for _, d := range docs {
		if !d.Merged {
			counts[d.DataSource]++
		}
	}
	take, skip = page(take, skip)
	skip = min(skip, len(docs))
	return DocumentPage{Documents: docs[skip:min(skip+take, len(docs))], Counts: counts}, nil
}

func (s *Service) documents(ctx context.Context, p auth.Principal, sessionID string) ([]Document, error) {
	row, err := find(ctx, s.db.Ent.Session, p, IDV, sessionID)
	if err != nil {
		return nil, err
	}
	return s.documentsOf(ctx, row)
}

func (s *Service) documentsOf(ctx context.Context, row *ent.Session) ([]Document, error) {
	rows, err := s.db.Ent.Document.Query().Where(document.SessionID(row.ID)).Order(ent.Asc(document.FieldCreatedAt, document.FieldID)).All(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	v, err := s.vaultOf(ctx, row)
	if err != nil {
		return nil, err
	}
	docs := make([]Document, 0, len(rows))
	for _, r := range rows {
		d := Document{SessionID: row.ID, ID: r.ID, Type: r.Type, DataSource: string(r.DataSource), Merged: r.Merged, CreatedAt: r.CreatedAt}
		if err := v.open("documents", "fields", r.ID, r.FieldsSealed, &d.Fields); err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	return docs, nil
}

// keepDocument stores what one source says.
func (c *change) keepDocument(ctx context.Context, v vault, row *ent.Session, source document.DataSource, merged bool, fields map[string]string) error {
	id := c.s.newID()
	sealed, err := v.seal("documents", "fields", id, fields)
	if err != nil {
		return err
	}
	err = c.Document.Create().SetID(id).SetSessionID(row.ID).SetType(string(row.DocumentType)).SetDataSource(source).
		SetMerged(merged).SetFieldsSealed(sealed).SetCreatedAt(c.now).Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	return nil
}

// personOf takes the person out of a document's fields.
func personOf(fields map[string]string) Person {
	return Person{
		FirstName: fields["first_name"], MiddleName: fields["middle_name"], LastName: fields["last_name"],
		SuffixName: fields["name_suffix"], Gender: fields["gender"], BirthDate: fields["birth_date"],
	}
}
