package kyc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"kycd/ent"
	"kycd/ent/systemkey"
	"kycd/kyc/auth"
	"kycd/kyc/seal"
)

const (
	// signingKeyAge is when RefreshKeys replaces the signing key.
	signingKeyAge = 90 * 24 * time.Hour
	// signingFresh is how old the keys may be with which a process signs, and which it publishes.
	signingFresh = time.Minute
	// unknownKeyEvery is how often a token that names an unknown key makes a process look for new ones.
	unknownKeyEvery = time.Second
	// keyOverlap is how much longer than the longest life of a token a retired key stays published: processes that
	// have not heard of its retirement still sign with it, and clocks differ.
	keyOverlap = 5 * time.Minute
	// keysWithin bounds a look at the keys, for which other requests wait; a key service may be asked.
	keysWithin = 5 * time.Second
	// rememberedTokens is how many verified tokens are not verified again.
	rememberedTokens = 10_000
)

// tokens signs and reads access tokens.
type tokens struct {
	master   *seal.Master
	issuer   *auth.Issuer
	verifier *auth.Verifier
	external *auth.External // nil: no other issuer is trusted
	clients  register

	mu     sync.Mutex                  // one look at the keys' table at a time
	opened map[string]*auth.SigningKey // by row: opening one may ask a key service
	looked time.Time
}

// SigningKey is one key of the access tokens, as an operator sees it.
type SigningKey struct {
	ID        string     `json:"kid"`
	CreatedAt time.Time  `json:"created_at"`
	RetiredAt *time.Time `json:"retired_at,omitempty"` // since when it signs no more; nil: it signs
	EndsAt    *time.Time `json:"ends_at,omitempty"`    // when it leaves the key set: its last token has ended
}

// openTokens opens, or on the first start makes, the signing keys. They are wrapped by the master key.
func (c *change) openTokens(ctx context.Context, master *seal.Master) (*tokens, error) {
	t := &tokens{master: master, opened: make(map[string]*auth.SigningKey), looked: c.s.now()}
	rows, _, err := c.s.signingRows(ctx, c.SystemKey)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || rows[0].RetiredAt != nil {
		row, err := c.newSigningKey(ctx, master)
		if err != nil {
			return nil, err
		}
		rows = append([]*ent.SystemKey{row}, rows...)
	}
	keys, err := t.open(ctx, rows)
	if err != nil {
		return nil, err
	}
	name := c.s.config.Issuer
	if t.issuer, err = auth.NewIssuer(name, name, keys, c.s.now, rand.Reader); err != nil {
		return nil, err
	}
	t.verifier = auth.NewVerifier(name, name, t.issuer, c.s.now, rememberedTokens)
	if c.s.config.External != nil {
		if c.s.config.External.Issuer == name {
			return nil, fmt.Errorf("%w: the external issuer is this service itself", auth.ErrInvalidIssuer)
		}
		if t.external, err = auth.NewExternal(*c.s.config.External, c.s.now); err != nil {
			return nil, err
		}
		t.verifier.Trust(t.external)
	}
	return t, nil
}

// signingRows are the keys that sign or whose tokens may still live, the one that signs in front, and the ids of
// those that are over.
func (s *Service) signingRows(ctx context.Context, keys *ent.SystemKeyClient) (rows []*ent.SystemKey, over []string, err error) {
	all, err := keys.Query().Where(systemkey.Purpose(purposeSigning)).
		Order(ent.Desc(systemkey.FieldCreatedAt), ent.Desc(systemkey.FieldID)).All(ctx)
	if err != nil {
		return nil, nil, err
	}
	var retired []*ent.SystemKey
	now := s.now()
	for _, row := range all {
		switch {
		case row.RetiredAt == nil:
			rows = append(rows, row)
		case now.Before(s.endOf(*row.RetiredAt)):
			retired = append(retired, row)
		default:
			over = append(over, row.ID)
		}
	}
	return append(rows, retired...), over, nil
}

// endOf is when everything that a key signed has ended, if it was retired then.
func (s *Service) endOf(retired time.Time) time.Time {
	life := max(s.config.TokenLifetime, s.config.SDKTokenLifetime, s.config.ChallengeLifetime)
	return retired.Add(life + keyOverlap)
}

// open opens the keys of the rows, each row once in the life of the process.
func (t *tokens) open(ctx context.Context, rows []*ent.SystemKey) ([]*auth.SigningKey, error) {
	opened := make(map[string]*auth.SigningKey, len(rows))
	keys := make([]*auth.SigningKey, 0, len(rows))
	for _, row := range rows {
		key := t.opened[row.ID]
		if key == nil {
			var err error
			if key, err = openSigningKey(ctx, t.master, row); err != nil {
				return nil, err
			}
		}
		opened[row.ID] = key
		keys = append(keys, key)
	}
	t.opened = opened
	return keys, nil
}

func openSigningKey(ctx context.Context, master *seal.Master, row *ent.SystemKey) (*auth.SigningKey, error) {
	wrapped, sealed, err := unpack(row.Wrapped)
	if err != nil {
		return nil, err
	}
	key, err := master.Unwrap(ctx, wrapped, []byte(purposeSigning+"/"+row.ID))
	if err != nil {
		return nil, err
	}
	jwk, err := key.Open(sealed, []byte(purposeSigning))
	if err != nil {
		return nil, err
	}
	return auth.ParseSigningKey(jwk)
}

func (c *change) newSigningKey(ctx context.Context, master *seal.Master) (*ent.SystemKey, error) {
	id := c.s.newID()
	signing, err := auth.NewSigningKey()
	if err != nil {
		return nil, err
	}
	jwk, err := signing.PrivateJWK()
	if err != nil {
		return nil, err
	}
	wrapped, key, err := master.NewDataKey(ctx, []byte(purposeSigning+"/"+id))
	if err != nil {
		return nil, err
	}
	sealed, err := key.Seal(jwk, []byte(purposeSigning))
	if err != nil {
		return nil, err
	}
	return c.SystemKey.Create().SetID(id).SetPurpose(purposeSigning).SetWrapped(pack(wrapped, sealed)).SetCreatedAt(c.now).Save(ctx)
}

// pack puts a wrapped key and what it sealed into one column.
func pack(wrapped, sealed []byte) []byte {
	out := []byte{byte(len(wrapped) >> 8), byte(len(wrapped))}
	return append(append(out, wrapped...), sealed...)
}

func unpack(b []byte) (wrapped, sealed []byte, err error) {
	if len(b) < 2 || len(b) < 2+int(b[0])<<8+int(b[1]) {
		return nil, nil, errors.New("a system key is cut off")
	}
	n := int(b[0])<<8 + int(b[1])
	return b[2 : 2+n], b[2+n:], nil
}

// reloadKeys looks for keys that other processes made or retired, unless this one looked less than every ago.
func (s *Service) reloadKeys(ctx context.Context, every time.Duration) error {
	t := s.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	began := s.now()
	if began.Sub(t.looked) < every {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	rows, _, err := s.signingRows(ctx, s.db.Ent.SystemKey)
	if err != nil {
		return unavailable(err)
	}
	if len(rows) == 0 || rows[0].RetiredAt != nil {
		return Internal(errors.New("there is no signing key"))
	}
	keys, err := t.open(ctx, rows)
	if err != nil {
		return unavailable(fmt.Errorf("signing keys: %w", err))
	}
	if err := t.issuer.SetKeys(keys); err != nil {
		return Internal(err)
	}
	t.looked = began
	return nil
}

// unavailable is the answer to who cannot be told yet whether they may.
func unavailable(cause error) *Error {
	return &Error{Code: CodeUnavailable, Message: "access tokens cannot be checked at the moment", RetryAfter: retrySoon, cause: cause}
}

// RefreshKeys is called now and then by every server: it takes over the keys that others made, replaces a signing key
// that has grown old, removes those that are over, and looks at the keys of the external issuer. An issuer that does
// not answer is an error, after everything else was done.
func (s *Service) RefreshKeys(ctx context.Context) error {
	if err := s.reloadKeys(ctx, 0); err != nil {
		return err
	}
	rows, over, err := s.signingRows(ctx, s.db.Ent.SystemKey)
	if err != nil {
		return Internal(err)
	}
	if len(over) > 0 {
		if _, err := s.db.Ent.SystemKey.Delete().Where(systemkey.IDIn(over...)).Exec(ctx); err != nil {
			return Internal(err)
		}
	}
	if len(rows) > 0 && s.now().Sub(rows[0].CreatedAt) >= signingKeyAge {
		if err := s.replace(ctx, rows[0].ID); err != nil {
			return err
		}
	}
	if s.tokens.external != nil {
		if err := s.tokens.external.Refresh(ctx); err != nil {
			return &Error{Code: CodeUnavailable, Message: "the external issuer does not answer", RetryAfter: retrySoon, cause: err}
		}
	}
	return nil
}

// RotateSigningKey makes a new key, which signs from now on. The one before stays published until every token that
// it signed has ended.
func (s *Service) RotateSigningKey(ctx context.Context) (SigningKey, error) {
	rows, _, err := s.signingRows(ctx, s.db.Ent.SystemKey)
	if err != nil {
		return SigningKey{}, Internal(err)
	}
	if len(rows) == 0 {
		return SigningKey{}, Internal(errors.New("there is no signing key"))
	}
	if err := s.replace(ctx, rows[0].ID); err != nil {
		return SigningKey{}, err
	}
	keys, err := s.SigningKeys(ctx)
	if err != nil {
		return SigningKey{}, err
	}
	return keys[0], nil
}

// replace puts a new key in the place of that row's, unless somebody else did: of several servers that find a key
// too old, one makes a new one.
func (s *Service) replace(ctx context.Context, id string) error {
	err := s.change(ctx, func(c *change) error {
		n, err := c.SystemKey.Update().Where(systemkey.ID(id), systemkey.RetiredAtIsNil()).SetRetiredAt(c.now).Save(ctx)
		if err != nil {
			return Internal(err)
		}
		if n == 0 {
			return nil
		}
		// Two servers that started at once on an empty database made one each.
		err = c.SystemKey.Update().Where(systemkey.Purpose(purposeSigning), systemkey.RetiredAtIsNil()).SetRetiredAt(c.now).Exec(ctx)
		if err != nil {
			return Internal(err)
		}
		if _, err := c.newSigningKey(ctx, s.tokens.master); err != nil {
			return Internal(err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.reloadKeys(ctx, 0)
}

// SigningKeys are the published keys; the first one signs.
func (s *Service) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	if err := s.reloadKeys(ctx, 0); err != nil {
		return nil, err
	}
	rows, _, err := s.signingRows(ctx, s.db.Ent.SystemKey)
	if err != nil {
		return nil, Internal(err)
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	var keys []SigningKey
	for _, row := range rows {
		opened := s.tokens.opened[row.ID]
		if opened == nil { // made since the look
			continue
		}
		key := SigningKey{ID: opened.ID(), CreatedAt: row.CreatedAt.UTC()}
		if row.RetiredAt != nil {
			retired, ends := row.RetiredAt.UTC(), s.endOf(*row.RetiredAt).UTC()
			key.RetiredAt, key.EndsAt = &retired, &ends
		}
		keys = append(keys, key)
	}
	return keys, nil
}
