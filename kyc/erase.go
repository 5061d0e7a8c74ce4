package kyc

import (
	"context"

	"kycd/ent"
	"kycd/ent/capture"
	"kycd/ent/check"
	"kycd/ent/decision"
	"kycd/ent/delivery"
	"kycd/ent/document"
	"kycd/ent/faceencoding"
	"kycd/ent/fingerprint"
	"kycd/ent/idempotencykey"
	"kycd/ent/identity"
	"kycd/ent/livenesschallenge"
	"kycd/ent/location"
	"kycd/ent/outbox"
	"kycd/ent/searchterm"
	"kycd/ent/session"
	"kycd/kyc/auth"
)

// AnonymizeSession takes the person out of a verification. Its data key is destroyed, so that nothing sealed can ever be
// read again, in backups neither; what was sealed, searchable or stored beside it is removed. What stays is that there was
// a session, its states, times and history. Doing it again changes nothing.
func (s *Service) AnonymizeSession(ctx context.Context, p auth.Principal, id string) error {
	return s.eraseSession(ctx, p, IDV, id, false)
}

// DeleteSession anonymizes a session, and lets nobody read what is left. Doing it again changes nothing.
func (s *Service) DeleteSession(ctx context.Context, p auth.Principal, kind SessionKind, id string) error {
	return s.eraseSession(ctx, p, kind, id, true)
}

func (s *Service) eraseSession(ctx context.Context, p auth.Principal, kind SessionKind, id string, remove bool) error {
	var gone []*ent.Session
	err := s.apply(ctx, p, func(c *change) error {
		gone = nil
		row, err := c.find(ctx, p, kind, id)
		if e := AsError(err); remove && e != nil && e.Code == CodeNotFound {
			return c.deletedBefore(ctx, p, kind, id, err)
		}
		if err != nil {
			return err
		}
		if row.AnonymizedAt == nil {
			if err := c.erase(ctx, row, actorOf(p)); err != nil {
				return err
			}
			gone = append(gone, row)
		}
		if err := c.forgetAnswers(ctx, row.UserID); err != nil || !remove {
			return err
		}
		if err := c.Session.UpdateOneID(id).SetDeletedAt(c.now).Exec(ctx); err != nil {
			return Internal(err)
		}
		return c.note(ctx, id, actorOf(p), "deleted", "", "", nil)
	})
	if err != nil {
		return err
	}
	return s.erased(ctx, gone)
}

// deletedBefore says that the session was the caller's, and is deleted already; otherwise that there is none.
func (c *change) deletedBefore(ctx context.Context, p auth.Principal, kind SessionKind, id string, none error) error {
	where := append(owned(p), session.ID(id), session.KindEQ(session.Kind(kind)), session.DeletedAtNotNil())
	known, err := c.Session.Query().Where(where...).Exist(ctx)
	if err != nil {
		return Internal(err)
	}
	if !known {
		return none
	}
	return nil
}

// AnonymizeIdentity takes a person out of everything that the organisation has of them: the identity, its faces, and all
// sessions that led to it or were about it, of whichever client. Doing it again changes nothing.
func (s *Service) AnonymizeIdentity(ctx context.Context, p auth.Principal, id string) error {
	var gone []*ent.Session
	keyID := ""
	err := s.apply(ctx, p, func(c *change) error {
		gone, keyID = nil, ""
		row, err := findIdentity(ctx, c.Identity, p, id)
		if err != nil || row.AnonymizedAt != nil {
			return err
		}
		ids, err := c.Session.Query().Where(session.IdentityID(id), session.AnonymizedAtIsNil()).IDs(ctx)
		if err != nil {
			return Internal(err)
		}
		for _, sessionID := range ids {
			of, err := c.session(ctx, sessionID)
			if err != nil {
				return err
			}
			if of.AnonymizedAt != nil {
				continue
			}
			if err := c.erase(ctx, of, actorOf(p)); err != nil {
				return err
			}
			gone = append(gone, of)
		}
		_, err1 := c.FaceEncoding.Delete().Where(faceencoding.IdentityID(id)).Exec(ctx)
		_, err2 := c.SearchTerm.Delete().Where(searchterm.OwnerEQ(searchterm.OwnerIdentity), searchterm.OwnerID(id)).Exec(ctx)
		err3 := c.Identity.UpdateOneID(id).Where(identity.AnonymizedAtIsNil()).SetAnonymizedAt(c.now).
			ClearPersonSealed().ClearMetadataSealed().Exec(ctx)
		if err := firstError(err1, err2, err3); err != nil {
			return Internal(err)
		}
		keyID = row.KeyID
		if err := c.destroyKey(ctx, row.KeyID); err != nil {
			return err
		}
		return c.forgetAnswers(ctx, row.UserID)
	})
	if err != nil {
		return err
	}
	if keyID != "" {
		s.keys.Forget(keyID)
		s.lineup.forget(p.UserID, id)
	}
	return s.erased(ctx, gone)
}

// erase removes what a session holds of its person. Its pictures, which lie elsewhere, are work; they cannot be opened
// from here on.
func (c *change) erase(ctx context.Context, row *ent.Session, actor string) error {
	if err := c.destroyKey(ctx, row.KeyID); err != nil {
		return err
	}
	var errs []error
	drop := func(_ int, err error) { errs = append(errs, err) }
	drop(c.SearchTerm.Delete().Where(searchterm.OwnerEQ(searchterm.OwnerSession), searchterm.OwnerID(row.ID)).Exec(ctx))
	drop(c.Document.Delete().Where(document.SessionID(row.ID)).Exec(ctx))
	drop(c.Location.Delete().Where(location.SessionID(row.ID)).Exec(ctx))
	drop(c.Fingerprint.Delete().Where(fingerprint.SessionID(row.ID)).Exec(ctx))
	drop(c.LivenessChallenge.Delete().Where(livenesschallenge.SessionID(row.ID)).Exec(ctx))
	drop(c.FaceEncoding.Delete().Where(faceencoding.SessionID(row.ID)).Exec(ctx))
	drop(c.Check.Update().Where(check.SessionID(row.ID)).ClearEvidenceSealed().Save(ctx))
	drop(c.Decision.Update().Where(decision.SessionID(row.ID)).ClearPiecesSealed().Save(ctx))
	drop(c.Capture.Update().Where(capture.SessionID(row.ID)).SetSuperseded(true).ClearAnalysisSealed().ClearHints().Save(ctx))
	drop(c.Outbox.Update().Where(outbox.SessionID(row.ID), outbox.KindIn(WorkAnalyze, WorkDecide), outbox.DoneAtIsNil()).SetDoneAt(c.now).Save(ctx))
	errs = append(errs, c.Session.UpdateOneID(row.ID).SetAnonymizedAt(c.now).ClearPersonSealed().ClearMetadataSealed().
		ClearSdkMetadataSealed().ClearSettingsSealed().ClearWebhookURLSealed().Exec(ctx))
	if err := firstError(errs...); err != nil {
		return Internal(err)
	}
	row.WebhookURLSealed = nil // nobody is called at an address that was part of what is gone
	if err := c.giveUp(ctx, delivery.SessionID(row.ID), delivery.WebhookIDIsNil()); err != nil {
		return err
	}
	status := Status(row.Status)
	if to, ok := Next(status, EventErase); ok {
		if err := c.move(ctx, row, EventErase, actor, nil, nil); err != nil {
			return err
		}
		status = to
	}
	if err := c.note(ctx, row.ID, actor, "anonymized", "", "", nil); err != nil {
		return err
	}
	if err := c.announce(ctx, row, "anonymized", status, nil); err != nil {
		return err
	}
	return c.add(ctx, WorkErase, row.ID, row.ID)
}

// destroyKey makes everything sealed with a key unreadable.
func (c *change) destroyKey(ctx context.Context, id string) error {
	if err := c.DataKey.UpdateOneID(id).ClearWrapped().SetDestroyedAt(c.now).Exec(ctx); err != nil {
		return Internal(err)
	}
	return nil
}

// forgetAnswers removes the kept answers to a user's questions: any of them may tell of the person.
func (c *change) forgetAnswers(ctx context.Context, userID string) error {
	_, err := c.IdempotencyKey.Delete().Where(idempotencykey.UserID(userID), idempotencykey.Effect(false)).Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	return nil
}

// erased does after the commit what makes an erasure complete at once. What fails here is done by the work that the
// transaction left; the keys are gone in any case.
func (s *Service) erased(ctx context.Context, gone []*ent.Session) error {
	for _, row := range gone {
		s.keys.Forget(row.KeyID)
		s.analysed.post(row.ID) // whoever waits for it need not
		s.albums.forget(row.UserID, row.ID)
		if err := s.erasePictures(ctx, row.ID); err != nil {
			s.log.Warn("pictures of an anonymized session are still to be removed", "session_id", row.ID, "code", string(AsError(err).Code))
		}
	}
	if err := s.emptyLog(ctx); err != nil {
		s.log.Warn("the database's log is still to be emptied after an erasure", "code", string(CodeInternal))
	}
	return nil
}

// emptyLog takes the destroyed keys out of the database's log too. What fails, or is kept from happening by a crash, is
// left to Housekeep.
func (s *Service) emptyLog(ctx context.Context) error {
	s.logEmptied.Store(false)
	err := s.db.Checkpoint(ctx)
	s.logEmptied.Store(err == nil)
	if err != nil {
		return Internal(err)
	}
	return nil
}

// erasePictures removes the pictures of an anonymized session, and then their rows: while a row is there, the picture
// may be.
func (s *Service) erasePictures(ctx context.Context, sessionID string) error {
	pics, err := s.db.Ent.Capture.Query().Where(capture.SessionID(sessionID)).All(ctx)
	if err != nil {
		return Internal(err)
	}
	for _, pic := range pics {
		if err := s.blobs.Delete(ctx, pic.BlobKey); err != nil {
			return &Error{Code: CodeUnavailable, Message: "the image could not be removed", RetryAfter: retrySoon, cause: err}
		}
	}
	return s.change(ctx, func(c *change) error {
		if _, err := c.Capture.Delete().Where(capture.SessionID(sessionID)).Exec(ctx); err != nil {
			return Internal(err)
		}
		err := c.Outbox.Update().Where(outbox.Kind(WorkErase), outbox.SubjectID(sessionID), outbox.DoneAtIsNil()).SetDoneAt(c.now).Exec(ctx)
		if err != nil {
			return Internal(err)
		}
		return nil
	})
}

// EraseSession is the job: it removes the pictures that the request could not remove itself.
func (s *Service) EraseSession(ctx context.Context, outboxID string) error {
	work, err := findWork(ctx, s.db.Ent.Outbox, outboxID, WorkErase)
	if err != nil || work.DoneAt != nil {
		return err
	}
	if err := s.erasePictures(ctx, work.SubjectID); err != nil {
		return err
	}
	return s.emptyLog(ctx)
}
