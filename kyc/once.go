package kyc

import (
	"context"
	"fmt"
	"time"

	"kycd/ent"
	"kycd/ent/idempotencykey"
	"kycd/kyc/auth"
)

// answerLife is how long a repeated request gets the first one's answer.
const answerLife = 24 * time.Hour

// Claim is an idempotency key as a caller gave it with one request. It is good for that request alone; the fields below
// Body are set while the request runs.
type Claim struct {
	Route string // the operation
	Key   string // as the caller chose it
	Body  string // a digest of the body, under which the key may be used again

	Effect   bool // the request had an effect, whose result is kept
	Replayed bool // an earlier request with this key had it
}

type claimKey struct{}

// WithClaim lets what is done under the context happen once only.
func WithClaim(ctx context.Context, claim *Claim) context.Context {
	return context.WithValue(ctx, claimKey{}, claim)
}

func claimOf(ctx context.Context) *Claim {
	claim, _ := ctx.Value(claimKey{}).(*Claim)
	return claim
}

// once runs do in a transaction. Under a claim the result is written in the same transaction, and a later request with
// the same key gets it without a second effect: also when the process died in between. Of several at the same time one
// does it and the others wait for it. An error leaves nothing behind, so the request may be made again.
func once[T any](ctx context.Context, s *Service, p auth.Principal, do func(c *change) (T, error)) (T, error) {
	claim := claimOf(ctx)
	try := func() (result T, taken bool, err error) {
		err = s.change(ctx, func(c *change) error {
			if claim != nil {
				known, err := c.recall(ctx, p, claim, true, &result)
				if err != nil || known {
					return err
				}
			}
			var err error
			if result, err = do(c); err != nil || claim == nil {
				return err
			}
			taken, err = c.remember(ctx, p, claim, true, result)
			return err
		})
		return result, taken, err
	}
	// A plain read first: a repeated request leaves the writer's lock alone.
	if result, known, err := earlier[T](ctx, s, p); known || err != nil {
		return result, err
	}
	result, taken, err := try()
	if taken { // another server did it between our look and our commit: its result is there now
		result, _, err = try()
	}
	if err != nil {
		var none T
		return none, err
	}
	if claim != nil {
		claim.Effect = true
	}
	return result, nil
}

// apply is once for what has no result.
func (s *Service) apply(ctx context.Context, p auth.Principal, do func(c *change) error) error {
	_, err := once(ctx, s, p, func(c *change) (struct{}, error) { return struct{}{}, do(c) })
	return err
}

// earlier gives the result that an earlier request under the same claim had. It is for those who look at the state, or
// store something, before their transaction: what was fit then may not be fit any more.
func earlier[T any](ctx context.Context, s *Service, p auth.Principal) (result T, known bool, err error) {
	claim := claimOf(ctx)
	if claim == nil {
		return result, false, nil
	}
	row, err := s.answer(ctx, s.db.Ent.IdempotencyKey, p, claim)
	if err != nil || row == nil || !row.ExpiresAt.After(s.now()) {
		return result, false, err
	}
	if known, err = s.unseal(ctx, s.db.Ent, row, p, claim, true, &result); known {
		claim.Effect = true
	}
	return result, known, err
}

// unseal opens the answer of a row for a claim. A key that was used for something else is refused.
func (s *Service) unseal(ctx context.Context, db *ent.Client, row *ent.IdempotencyKey, p auth.Principal, claim *Claim, effect bool, into any) (bool, error) {
	if row.BodyHash != s.index.Term(p.UserID, "idempotency_body", claim.Body) || row.Effect != effect {
		return false, Errorf(CodeIdempotencyReused, "this idempotency key was used for another request")
	}
	v, err := s.clientVault(ctx, db, p.ClientID)
	if err != nil {
		return false, err
	}
	claim.Replayed = true
	return true, v.open("idempotency_keys", "answer", row.ID, row.AnswerSealed, into)
}

// replayed says that what was to be done had been done before.
func replayed(ctx context.Context) bool {
	claim := claimOf(ctx)
	return claim != nil && claim.Replayed
}

// recall reads the answer that is kept under a claim.
func (c *change) recall(ctx context.Context, p auth.Principal, claim *Claim, effect bool, into any) (bool, error) {
	row, err := c.s.answer(ctx, c.IdempotencyKey, p, claim)
	if err != nil || row == nil {
		return false, err
	}
	if !row.ExpiresAt.After(c.now) {
		if err := c.IdempotencyKey.DeleteOne(row).Exec(ctx); err != nil {
			return false, Internal(err)
		}
		return false, nil
	}
	return c.s.unseal(ctx, c.Tx.Client(), row, p, claim, effect, into)
}

// remember writes an answer under a claim. It reports taken, with an error that undoes the transaction, if another
// request was faster.
func (c *change) remember(ctx context.Context, p auth.Principal, claim *Claim, effect bool, answer any) (taken bool, err error) {
	v, err := c.s.clientVault(ctx, c.Tx.Client(), p.ClientID)
	if err != nil {
		return false, err
	}
	id := c.s.newID()
	sealed, err := v.seal("idempotency_keys", "answer", id, answer)
	if err != nil {
		return false, err
	}
	err = c.IdempotencyKey.Create().SetID(id).SetUserID(p.UserID).SetClientID(p.ClientID).SetRoute(claim.Route).
		SetKeyHash(c.s.keyTerm(p, claim)).SetBodyHash(c.s.index.Term(p.UserID, "idempotency_body", claim.Body)).
		SetEffect(effect).SetAnswerSealed(sealed).SetCreatedAt(c.now).SetExpiresAt(c.now.Add(answerLife)).Exec(ctx)
	if ent.IsConstraintError(err) {
		return true, Errorf(CodeIdempotencyRunning, "a request with this idempotency key is under way")
	}
	if err != nil {
		return false, Internal(err)
	}
	return false, nil
}

// answer finds what is kept under a claim; nil if there is nothing. Another client's key is another key.
func (s *Service) answer(ctx context.Context, rows *ent.IdempotencyKeyClient, p auth.Principal, claim *Claim) (*ent.IdempotencyKey, error) {
	row, err := rows.Query().Where(idempotencykey.ClientID(p.ClientID), idempotencykey.Route(claim.Route),
		idempotencykey.KeyHash(s.keyTerm(p, claim))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Internal(err)
	}
	return row, nil
}

// keyTerm is what a key is found by. A device's keys are its session's own: it cannot ask for another's answers.
func (s *Service) keyTerm(p auth.Principal, claim *Claim) string {
	return s.index.Term(p.UserID, "idempotency_key", p.SessionID+"/"+claim.Key)
}

// clientVault seals what belongs to a client rather than to a person.
func (s *Service) clientVault(ctx context.Context, db *ent.Client, clientID string) (vault, error) {
	client, err := db.OAuthClient.Get(ctx, clientID)
	if err != nil {
		return vault{}, Internal(fmt.Errorf("client: %w", err))
	}
	return s.vault(ctx, db.DataKey, client.KeyID)
}

// Recall gives the answer that a question was given before under the claim; nil if there is none. The claim of a
// request that had an effect has none here: doing it again gives its result.
func (s *Service) Recall(ctx context.Context, p auth.Principal, claim *Claim) ([]byte, error) {
	row, err := s.answer(ctx, s.db.Ent.IdempotencyKey, p, claim)
	if err != nil || row == nil || !row.ExpiresAt.After(s.now()) {
		return nil, err
	}
	if row.Effect {
		return nil, nil
	}
	var answer []byte
	_, err = s.unseal(ctx, s.db.Ent, row, p, claim, false, &answer)
	return answer, err
}

// Remember keeps the answer to a question under the claim, and gives the one to send: this one, or that of a request
// with the same key that was faster. It holds what was asked for, so an erasure removes it.
func (s *Service) Remember(ctx context.Context, p auth.Principal, claim *Claim, answer []byte) ([]byte, error) {
	kept := answer
	keep := func() (taken bool, err error) {
		err = s.change(ctx, func(c *change) error {
			known, err := c.recall(ctx, p, claim, false, &kept)
			if err != nil || known {
				return err
			}
			taken, err = c.remember(ctx, p, claim, false, answer)
			return err
		})
		return taken, err
	}
	taken, err := keep()
	if taken {
		_, err = keep()
	}
	return kept, err
}

// PruneAnswers removes answers that are kept no longer, and returns how many.
func (s *Service) PruneAnswers(ctx context.Context) (int, error) {
	late := idempotencykey.ExpiresAtLT(s.now().UTC())
	waiting, err := s.db.Ent.IdempotencyKey.Query().Where(late).Exist(ctx)
	if err != nil || !waiting { // a plain read: without need the writer's lock is left alone
		return 0, err
	}
	n, err := s.db.Ent.IdempotencyKey.Delete().Where(late).Exec(ctx)
	if err != nil {
		return n, Internal(err)
	}
	return n, nil
}
