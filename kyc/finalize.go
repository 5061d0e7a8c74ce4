package kyc

import (
	"context"

	"kycd/ent"
	"kycd/ent/decision"
	"kycd/ent/outbox"
	"kycd/ent/session"
	"kycd/kyc/auth"
)

// Finalize asks for the decision. What was given is checked for completeness first; then the measurements
// that still run are waited for. Asking again gives the same answer and decides nothing twice.
func (s *Service) Finalize(ctx context.Context, p auth.Principal, id string, settings map[string]any) (Outcome, error) {
	return s.finalize(ctx, p, IDV, id, settings)
}

func (s *Service) finalize(ctx context.Context, p auth.Principal, kind SessionKind, id string, settings map[string]any) (Outcome, error) {
	if _, err := ParseSettings(settings); err != nil {
		return Outcome{}, err
	}
	var merged Settings
	err := s.change(ctx, func(c *change) error {
		row, err := c.find(ctx, p, kind, id)
		if err != nil {
			return err
		}
		if finalized(row) {
			merged, err = s.settings(ctx, c.DataKey, row)
			return err
		}
		if err := takesInput(row, c.now); err != nil {
			return err
		}
		v, err := s.vault(ctx, c.DataKey, row.KeyID)
		if err != nil {
			return err
		}
		raw := map[string]any{}
		if err := v.open("sessions", "settings", id, row.SettingsSealed, &raw); err != nil {
			return err
		}
		raw = switchOn(raw, settings)
		if merged, err = ParseSettings(raw); err != nil {
			return err
		}
		if missing := missing(row, merged); len(missing) > 0 {
			return &Error{Code: CodeIncomplete, Message: "not everything that the session needs was given", Fields: missing}
		}
		sealed, err := v.seal("sessions", "settings", id, raw)
		if err != nil {
			return err
		}
		n, err := c.Session.Update().Where(session.ID(id), session.StatusEQ(row.Status), session.FinalizeRequestedAtIsNil()).
			SetFinalizeRequestedAt(c.now).SetSettingsSealed(sealed).Save(ctx)
		if err != nil {
			return Internal(err)
		}
		if n != 1 {
			return nil // another request was faster; this one waits with it
		}
		if err := c.note(ctx, id, actorOf(p), "finalize_requested", "", "", nil); err != nil {
			return err
		}
		// The decision is this request's to make; the row is for the case that it cannot.
		wait := merged.finalizeWait(s.config.FinalizeWait)
		return c.addAt(ctx, WorkDecide, id, id, c.now.Add(wait+lease))
	})
	if err != nil {
		return Outcome{}, err
	}
	ready, err := s.waitAnalysed(ctx, id, merged.finalizeWait(s.config.FinalizeWait))
	if err != nil {
		return Outcome{}, err
	}
	if ready {
		err = s.decide(ctx, id)
	} else {
		err = s.postponeDecision(ctx, id)
	}
	if err != nil {
		return Outcome{}, err
	}
	return s.outcome(ctx, p, kind, id)
}

// finalized says that the session was finalized before, decided or not.
func finalized(row *ent.Session) bool {
	return row.Status == session.StatusComplete || row.Status == session.StatusTemporarilyComplete || row.FinalizeRequestedAt != nil
}

// missing names what a session still needs before it can be finalized, as JSON pointers.
func missing(row *ent.Session, settings Settings) []FieldError {
	var list []FieldError
	need := func(ok bool, what string) {
		if !ok {
			list = append(list, FieldError{Pointer: "/" + what, Code: "missing", Message: "was not given"})
		}
	}
	if row.Kind == session.KindIda {
		need(row.SelfieGivenAt != nil, "liveness")
		return list
	}
	need(row.DocumentType != session.DocumentTypeUnknown, "document_type")
	need(row.DocumentFrontGivenAt != nil, "document_front")
	_, hasBack := fileType(string(row.DocumentType), captureBack)
	if settings.Wants(CheckDocumentBack) && (hasBack || row.DocumentType == session.DocumentTypeUnknown) {
		need(row.DocumentBackGivenAt != nil, "document_back")
	}
	if settings.Wants(CheckLiveness) || settings.Wants(CheckFaceMatch) {
		need(row.SelfieGivenAt != nil, "liveness")
	}
	return list
}

// postponeDecision tells the world that everything was given and the decision waits. Losing the race against the
// decision is fine: then there is nothing to defer.
func (s *Service) postponeDecision(ctx context.Context, id string) error {
	return s.change(ctx, func(c *change) error {
		row, err := c.session(ctx, id)
		if err != nil {
			return err
		}
		if row.Status != session.StatusInProgress {
			return nil
		}
		if err := c.move(ctx, row, EventDefer, actorSystem, map[string]string{"reason": "analysis_pending"}, nil); err != nil {
			return err
		}
		// Should the last measurement have arrived in this very moment, nobody else would ask.
		err = c.Outbox.Update().Where(outbox.Kind(WorkDecide), outbox.SubjectID(id), outbox.DoneAtIsNil()).SetNextAt(c.now.Add(retrySoon)).Exec(ctx)
		if err != nil {
			return Internal(err)
		}
		return nil
	})
}

// DecideSession is the job: it decides if everything was measured, and otherwise looks again later.
func (s *Service) DecideSession(ctx context.Context, outboxID string) error {
	work, err := findWork(ctx, s.db.Ent.Outbox, outboxID, WorkDecide)
	if err != nil {
		return err
	}
	if work.DoneAt != nil {
		return nil
	}
	pending, err := pendingAnalyses(ctx, s.db.Ent.Capture, work.SubjectID)
	if err != nil {
		return err
	}
	if pending > 0 {
		return s.change(ctx, func(c *change) error {
			return c.later(ctx, outboxID, c.now.Add(retrySoon), "analysis_pending")
		})
	}
	return s.decide(ctx, work.SubjectID)
}

// decide computes and writes the decision of a finalized session: once. Everything that follows from it
// (documents, checks, history, identity, webhooks) is in the same transaction.
func (s *Service) decide(ctx context.Context, id string) error {
	if err := s.prepareSearches(ctx, id); err != nil {
		return err
	}
	err := s.change(ctx, func(c *change) error {
		row, err := c.session(ctx, id)
		if err != nil {
			return err
		}
		if row.FinalizeRequestedAt == nil || row.Status == session.StatusComplete || row.AnonymizedAt != nil || row.DeletedAt != nil {
			return c.finishDecide(ctx, id)
		}
		facts, err := c.facts(ctx, row)
		if err != nil {
			return err
		}
		result, err := c.judge(ctx, row, facts)
		if err != nil {
			return err
		}
		if err := c.record(ctx, row, facts, result); err != nil {
			return err
		}
		return c.finishDecide(ctx, id)
	})
	if e := AsError(err); e != nil && e.Code == CodeConflict {
		return nil // decided by another process at the same moment
	}
	return err
}

// judge draws the decision as the session's kind has it.
func (c *change) judge(ctx context.Context, row *ent.Session, f *facts) (verdict, error) {
	if row.Kind == session.KindIdv {
		return judge(f)
	}
	var err error
	if f.enrolled, err = c.enrolledFaces(ctx, *row.IdentityID); err != nil {
		return verdict{}, err
	}
	return judgeAccount(f)
}

func (c *change) finishDecide(ctx context.Context, sessionID string) error {
	err := c.Outbox.Update().Where(outbox.Kind(WorkDecide), outbox.SubjectID(sessionID), outbox.DoneAtIsNil()).SetDoneAt(c.now).Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	return nil
}

// outcome reads the answer to finalize from what is stored.
func (s *Service) outcome(ctx context.Context, p auth.Principal, kind SessionKind, id string) (Outcome, error) {
	row, err := find(ctx, s.db.Ent.Session, p, kind, id)
	if err != nil {
		return Outcome{}, err
	}
	verified := row.Verified
	if kind == IDA {
		verified = row.Authenticated
	}
	out := Outcome{Verified: verified != nil && *verified, OnSanctionList: row.OnSanctionList, Status: string(row.Status), Score: row.Score}
	d, err := s.db.Ent.Decision.Query().Where(decision.SessionID(id)).Only(ctx)
	switch {
	case err == nil:
		out.Reasons = d.Reasons
	case ent.IsNotFound(err):
		out.Reasons = []string{"analysis_pending"}
	default:
		return Outcome{}, Internal(err)
	}
	return out, nil
}
