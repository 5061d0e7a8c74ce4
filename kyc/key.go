package kyc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kycd/ent"
	"kycd/ent/datakey"
	"kycd/ent/systemkey"
	"kycd/kyc/seal"
)

// vault seals and opens the columns of one owner: a session, an identity or a client.
type vault struct{ key *seal.Key }

// seal encrypts the JSON form of v for one column of one row. A nil map or an empty string is stored as
// nothing, so that a null stays a null.
func (v vault) seal(table, column, id string, value any) ([]byte, error) {
	switch x := value.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		if x == nil {
			return nil, nil
		}
	case string:
		if x == "" {
			return nil, nil
		}
	}
	b, err := v.key.SealJSON(value, seal.Row(table, column, id))
	if err != nil {
		return nil, Internal(fmt.Errorf("seal %s.%s: %w", table, column, err))
	}
	return b, nil
}

// open is the inverse of seal; nothing stays nothing.
func (v vault) open(table, column, id string, sealed []byte, into any) error {
	if len(sealed) == 0 {
		return nil
	}
	if err := v.key.OpenJSON(sealed, seal.Row(table, column, id), into); err != nil {
		return Internal(fmt.Errorf("open %s.%s: %w", table, column, err))
	}
	return nil
}

// newVault makes a data key and stores its wrapped form.
func (c *change) newVault(ctx context.Context, purpose datakey.Purpose) (id string, v vault, err error) {
	id = c.s.newID()
	wrapped, key, err := c.s.keys.New(ctx, id)
	if err != nil {
		return "", vault{}, Internal(err)
	}
	if err := c.DataKey.Create().SetID(id).SetPurpose(purpose).SetWrapped(wrapped).SetCreatedAt(c.now).Exec(ctx); err != nil {
		return "", vault{}, Internal(err)
	}
	return id, vault{key}, nil
}

// vault opens the data key with that id. A destroyed key answers CodeErased.
func (s *Service) vault(ctx context.Context, keys *ent.DataKeyClient, id string) (vault, error) {
	row, err := keys.Get(ctx, id)
	if err != nil {
		return vault{}, Internal(fmt.Errorf("data key: %w", err))
	}
	key, err := s.keys.Key(ctx, id, row.Wrapped)
	switch {
	case errors.Is(err, seal.ErrDestroyed):
		return vault{}, Errorf(CodeErased, "the data was erased")
	case errors.Is(err, seal.ErrMasterUnavailable):
		return vault{}, &Error{Code: CodeUnavailable, Message: "the key service does not answer", RetryAfter: retrySoon, cause: err}
	case err != nil:
		return vault{}, Internal(err)
	}
	return vault{key}, nil
}

// keysPerStatement bounds how many keys are asked for at once: databases bound the terms of a statement.
const keysPerStatement = 500

// vaults opens many data keys. Those that were destroyed are left out.
func (s *Service) vaults(ctx context.Context, keys *ent.DataKeyClient, ids []string) (map[string]vault, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	open := make(map[string]vault, len(ids))
	for some := range slices.Chunk(ids, keysPerStatement) {
		rows, err := keys.Query().Where(datakey.IDIn(some...)).All(ctx)
		if err != nil {
			return nil, Internal(fmt.Errorf("data keys: %w", err))
		}
		for _, row := range rows {
			key, err := s.keys.Key(ctx, row.ID, row.Wrapped)
			switch {
			case errors.Is(err, seal.ErrDestroyed):
			case errors.Is(err, seal.ErrMasterUnavailable):
				return nil, &Error{Code: CodeUnavailable, Message: "the key service does not answer", RetryAfter: retrySoon, cause: err}
			case err != nil:
				return nil, Internal(err)
			default:
				open[row.ID] = vault{key}
			}
		}
	}
	return open, nil
}

// vaultOf opens a session's data key. A key that is held already is not looked up again: the session's own row, which was
// just read, says whether it was destroyed, because both are written in one transaction.
func (s *Service) vaultOf(ctx context.Context, row *ent.Session) (vault, error) {
	if row.AnonymizedAt != nil {
		return vault{}, Errorf(CodeErased, "the data was erased")
	}
	if key := s.keys.Held(row.KeyID); key != nil {
		return vault{key}, nil
	}
	return s.vault(ctx, s.db.Ent.DataKey, row.KeyID)
}

const (
	purposeIndex   = "blind_index"
	purposeSigning = "token_signing"
)

// openSystemKeys opens, or on the first start makes, the blind index key and the token signing keys.
func (s *Service) openSystemKeys(ctx context.Context, master *seal.Master) error {
	return s.change(ctx, func(c *change) error {
		row, err := c.SystemKey.Query().Where(systemkey.Purpose(purposeIndex)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			wrapped, indexer, err := master.NewIndexKey(ctx)
			if err != nil {
				return err
			}
			s.index = indexer
			err = c.SystemKey.Create().SetID(s.newID()).SetPurpose(purposeIndex).SetWrapped(wrapped).SetCreatedAt(c.now).Exec(ctx)
			if err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			if s.index, err = master.OpenIndexer(ctx, row.Wrapped); err != nil {
				return fmt.Errorf("the master key does not fit this database: %w", err)
			}
		}
		s.tokens, err = c.openTokens(ctx, master)
		return err
	})
}

// canonicalJSON is one spelling for equal values, for comparing and indexing.
func canonicalJSON(v any) string {
	b, err := json.Marshal(v) // sorts keys
	if err != nil {
		return ""
	}
	return string(b)
}
