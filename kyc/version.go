package kyc

import (
	"context"

	"kycd/kyc/auth"
)

// sessionVersion counts what happened to the caller's session. It is written by hand because it is asked before every
// answer that is given from memory; its conditions are those of mine and find.
const sessionVersion = `SELECT count(*) FROM sessions s JOIN histories h ON h.session_id = s.id
	WHERE s.id = $1 AND s.user_id = $2 AND ($3 = '' OR s.client_id = $3) AND s.kind = $4 AND s.deleted_at IS NULL`

// SessionVersion is a number that grows with every change of a verification: each leaves a row in its history, in the same
// transaction. Somebody else's session does not exist. Of an authentication it would not say enough: the names of whom it is
// about are the identity's.
func (s *Service) SessionVersion(ctx context.Context, p auth.Principal, id string) (int, error) {
	if p.SessionID != "" && p.SessionID != id {
		return 0, notFound("session")
	}
	var n int
	if err := s.db.QueryRow(ctx, sessionVersion, id, p.UserID, p.ClientID, string(IDV)).Scan(&n); err != nil {
		return 0, Internal(err)
	}
	if n == 0 { // each has at least the row of its creation
		return 0, notFound("session")
	}
	return n, nil
}
