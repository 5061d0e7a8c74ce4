package kyc

import (
	"context"
	"slices"

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
	for some := range slices.Chunk(rows, termsPerStatement) {
		err := c.SearchTerm.CreateBulk(some...).
			OnConflictColumns(searchterm.FieldOwner, searchterm.FieldOwnerID, searchterm.FieldField, searchterm.FieldTerm).Ignore().Exec(ctx)
		if err != nil {
			return Internal(err)
		}
	}
	return nil
}

// termsPerStatement keeps a statement below the 32,766 values that SQLite takes: a term is a row of five.
const termsPerStatement = 1000

// terms are what some values of a field are found by.
func (s *Service) terms(userID, field string, values ...string) []string {
	terms := make([]string, len(values))
	for i, value := range values {
		terms[i] = s.index.Term(userID, field, value)
	}
	return terms
}

// sessionWith matches sessions that were indexed under all of some terms.
func sessionWith(userID, field string, terms []string) predicate.Session {
	return func(s *sql.Selector) { withTerms(s, session.FieldID, userID, searchterm.OwnerSession, field, terms) }
}

// withTerms narrows a selection to owners of all of some terms. However many there are, it is one condition: databases
// bound how deep conditions may be nested.
func withTerms(s *sql.Selector, idColumn, userID string, owner searchterm.Owner, field string, terms []string) {
	terms = slices.Compact(slices.Sorted(slices.Values(terms)))
	values := make([]any, len(terms))
	for i, term := range terms {
		values[i] = term
	}
	t := sql.Table(searchterm.Table)
	owners := sql.Select(t.C(searchterm.FieldOwnerID)).From(t).Where(sql.And(
		sql.EQ(t.C(searchterm.FieldUserID), userID), sql.EQ(t.C(searchterm.FieldOwner), owner),
		sql.EQ(t.C(searchterm.FieldField), field), sql.In(t.C(searchterm.FieldTerm), values...)))
	if len(terms) > 1 { // an owner has a term once
		owners.GroupBy(t.C(searchterm.FieldOwnerID)).Having(sql.EQ(sql.Count("*"), len(terms)))
	}
	s.Where(sql.In(s.C(idColumn), owners))
}
