package kyc

import (
	"context"
	"encoding/json"
	"fmt"

	"kycd/ent"
	"kycd/ent/predicate"
	"kycd/ent/weightsversion"
	"kycd/kyc/scoring"
)

// weightsFor is the id of the version that a new session starts with: the client's own over the user's
// over the house's. The house's version is written when it is first needed, or when the program brings
// other defaults than the stored ones.
func (c *change) weightsFor(ctx context.Context, userID, clientID string) (string, error) {
	for _, owner := range [][]predicate.WeightsVersion{
		{weightsversion.ClientID(clientID)},
		{weightsversion.UserID(userID), weightsversion.ClientIDIsNil()},
	} {
		id, err := c.WeightsVersion.Query().Where(owner...).Order(ent.Desc(weightsversion.FieldCreatedAt, weightsversion.FieldID)).FirstID(ctx)
		if err == nil {
			return id, nil
		}
		if !ent.IsNotFound(err) {
			return "", Internal(err)
		}
	}
	defaults, err := json.Marshal(scoring.Defaults())
	if err != nil {
		return "", Internal(err)
	}
	row, err := c.WeightsVersion.Query().Where(weightsversion.UserIDIsNil(), weightsversion.ClientIDIsNil()).
		Order(ent.Desc(weightsversion.FieldCreatedAt, weightsversion.FieldID)).First(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return "", Internal(err)
	}
	if row != nil && string(row.Values) == string(defaults) {
		return row.ID, nil
	}
	id := c.s.newID()
	if err := c.WeightsVersion.Create().SetID(id).SetValues(defaults).SetCreatedAt(c.now).Exec(ctx); err != nil {
		return "", Internal(err)
	}
	return id, nil
}

// weights reads one version. What was stored is validated again: a decision never rests on damaged numbers.
func weights(ctx context.Context, db *ent.WeightsVersionClient, id string) (scoring.Weights, error) {
	row, err := db.Get(ctx, id)
	if err != nil {
		return scoring.Weights{}, Internal(fmt.Errorf("weights: %w", err))
	}
	var w scoring.Weights
	if err := json.Unmarshal(row.Values, &w); err != nil {
		return scoring.Weights{}, Internal(fmt.Errorf("weights %s: %w", id, err))
	}
	if bad := w.Validate(); len(bad) > 0 {
		return scoring.Weights{}, Internal(fmt.Errorf("weights %s: %w", id, bad[0]))
	}
	return w, nil
}
