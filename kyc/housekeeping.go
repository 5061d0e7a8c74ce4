package kyc

import (
	"context"
	"errors"
)

// Housekeep removes what is kept no longer, and renews what grows old. Any number of servers may do it at any time.
func (s *Service) Housekeep(ctx context.Context) error {
	_, err := s.PruneAnswers(ctx)
	if !s.logEmptied.Load() {
		err = errors.Join(err, s.emptyLog(ctx))
	}
	return errors.Join(err, s.RefreshKeys(ctx))
}
