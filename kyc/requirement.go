package kyc

import (
	"context"
	"slices"

	"kycd/ent"
	"kycd/ent/predicate"
	"kycd/ent/requirement"
)

// defaultRequired are the fields without which nobody is identified.
func defaultRequired(documentType string) []string {
	fields := []string{"document_number", "first_name", "last_name", "birth_date", "expires_at"}
	if documentType == "driver_license" || documentType == "identification_card" {
		fields = append(fields, "issuing_state")
	}
	return fields
}

// required is the set of fields that a document of that type must hold, after merging what all its sources
// say: the client's own rule over the user's over the default.
func required(ctx context.Context, db *ent.RequirementClient, userID, clientID, documentType string) ([]string, error) {
	for _, owner := range [][]predicate.Requirement{
		{requirement.ClientID(clientID)},
		{requirement.UserID(userID), requirement.ClientIDIsNil()},
	} {
		rows, err := db.Query().Where(owner...).Where(requirement.Type(documentType)).All(ctx)
		if err != nil {
			return nil, Internal(err)
		}
		if len(rows) == 0 {
			continue
		}
		var fields []string
		for _, row := range rows {
			fields = append(fields, row.Required...)
		}
		slices.Sort(fields)
		return slices.Compact(fields), nil
	}
	return defaultRequired(documentType), nil
}
