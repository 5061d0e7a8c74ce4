package kyc

import (
	"context"
	"encoding/json"
	"fmt"

	"kycd/ent"
	"kycd/ent/predicate"
	"kycd/ent/weightsversion"
	"kycd/kyc/auth"
	"kycd/kyc/scoring"
)

// Weights gives those that a new session starts with: of a client, or, if only the user is named, of the user's
// clients that have none of their own.
func (s *Service) Weights(ctx context.Context, p auth.Principal, clientID, userID string) (WeightsVersion, error) {
	var view WeightsVersion
	err := s.change(ctx, func(c *change) error { // it may write the house's version for the first time
		user, client, err := owner(ctx, c.OAuthClient, p, clientID, userID)
		if err != nil {
			return err
		}
		id, err := c.weightsFor(ctx, user, client)
		if err != nil {
			return err
		}
		row, err := c.WeightsVersion.Get(ctx, id)
		if err != nil {
			return Internal(err)
		}
		view, err = weightsView(row)
		return err
	})
	return view, err
}

// WeightsByID gives one version, also one that holds no more: of the caller, of its user, or of the house.
func (s *Service) WeightsByID(ctx context.Context, p auth.Principal, id string) (WeightsVersion, error) {
	house := weightsversion.And(weightsversion.UserIDIsNil(), weightsversion.ClientIDIsNil())
	own := []predicate.WeightsVersion{weightsversion.UserID(p.UserID)}
	if p.ClientID != "" {
		own = append(own, weightsversion.Or(weightsversion.ClientIDIsNil(), weightsversion.ClientID(p.ClientID)))
	}
	row, err := s.db.Ent.WeightsVersion.Query().Where(weightsversion.ID(id), weightsversion.Or(house, weightsversion.And(own...))).Only(ctx)
	if ent.IsNotFound(err) {
		return WeightsVersion{}, notFound("weights")
	}
	if err != nil {
		return WeightsVersion{}, Internal(err)
	}
	return weightsView(row)
}

// UpdateWeights makes a new version, for the client or the user that it names. Sessions that have begun keep theirs.
func (s *Service) UpdateWeights(ctx context.Context, p auth.Principal, clientID, userID string, w scoring.Weights) (WeightsVersion, error) {
	if bad := w.Validate(); len(bad) > 0 {
		fields := make([]FieldError, 0, len(bad))
		for _, f := range bad {
			fields = append(fields, FieldError{Pointer: f.Pointer, Code: "range", Message: f.Message})
		}
		return WeightsVersion{}, &Error{Code: CodeInvalid, Message: "the weights are not valid", Fields: fields}
	}
	values, err := json.Marshal(w)
	if err != nil {
		return WeightsVersion{}, Internal(err)
	}
	var view WeightsVersion
	err = s.change(ctx, func(c *change) error {
		user, client, err := owner(ctx, c.OAuthClient, p, clientID, userID)
		if err != nil {
			return err
		}
		create := c.WeightsVersion.Create().SetID(s.newID()).SetUserID(user).SetValues(values).SetCreatedAt(c.now)
		if client != "" {
			create.SetClientID(client)
		}
		row, err := create.Save(ctx)
		if err != nil {
			return Internal(err)
		}
		view, err = weightsView(row)
		return err
	})
	return view, err
}

// weightsFor is the id of the version that a new session starts with: the client's own over the user's
// over the house's. The house's version is written when it is first needed, or when the program brings
// other defaults than the stored ones.
func (c *change) weightsFor(ctx context.Context, userID, clientID string) (string, error) {
	owners := [][]predicate.WeightsVersion{{weightsversion.UserID(userID), weightsversion.ClientIDIsNil()}}
	if clientID != "" {
		owners = append([][]predicate.WeightsVersion{{weightsversion.ClientID(clientID)}}, owners...)
	}
	for _, owner := range owners {
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

// weights reads the version that a session is judged by.
func weights(ctx context.Context, db *ent.WeightsVersionClient, id string) (scoring.Weights, error) {
	row, err := db.Get(ctx, id)
	if err != nil {
		return scoring.Weights{}, Internal(fmt.Errorf("weights: %w", err))
	}
	view, err := weightsView(row)
	return view.Weights, err
}

// weightsView opens a version. What was stored is validated again: a decision never rests on damaged numbers.
func weightsView(row *ent.WeightsVersion) (WeightsVersion, error) {
	view := WeightsVersion{ID: row.ID, UserID: row.UserID, ClientID: row.ClientID, CreatedAt: row.CreatedAt}
	if err := json.Unmarshal(row.Values, &view.Weights); err != nil {
		return view, Internal(fmt.Errorf("weights %s: %w", row.ID, err))
	}
	if bad := view.Weights.Validate(); len(bad) > 0 {
		return view, Internal(fmt.Errorf("weights %s: %w", row.ID, bad[0]))
	}
	return view, nil
}
