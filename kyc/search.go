package kyc

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"kycd/ent"
	"kycd/ent/predicate"
	"kycd/ent/searchterm"
	"kycd/ent/session"
)

// indexTerms writes the blind index of an owner: field → normalised values. Writing a term twice is one term.
func (c *change) indexTerms(ctx context.Context, userID string, owner searchterm.Owner, ownerID string, terms map[string][]string) error {
	var rows []*ent.SearchTermCreate
	for _, field := range sortedKeys(terms) {
		for _, value := range terms[field] {
			term := c.s.index.Term(userID, field, value)
			if term == "" {
				continue
			}
			rows = append(rows, c.SearchTerm.Create().SetUserID(userID).SetOwner(owner).SetOwnerID(ownerID).SetField(field).SetTerm(term))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	err := c.SearchTerm.CreateBulk(rows...).
		OnConflictColumns(searchterm.FieldOwner, searchterm.FieldOwnerID, searchterm.FieldField, searchterm.FieldTerm).Ignore().Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	return nil
}

// sessionTerm matches sessions that were indexed under a term.
func sessionTerm(userID, field, term string) predicate.Session {
	return func(s *sql.Selector) { withTerm(s, session.FieldID, userID, searchterm.OwnerSession, field, term) }
}

func withTerm(s *sql.Selector, idColumn, userID string, owner searchterm.Owner, field, term string) {
	t := sql.Table(searchterm.Table)
	s.Where(sql.In(s.C(idColumn), sql.Select(t.C(searchterm.FieldOwnerID)).From(t).Where(sql.And(
		sql.EQ(t.C(searchterm.FieldUserID), userID), sql.EQ(t.C(searchterm.FieldOwner), owner),
		sql.EQ(t.C(searchterm.FieldField), field), sql.EQ(t.C(searchterm.FieldTerm), term)))))
}
