package kyc

import (
	"context"
	"errors"
	"time"

	"kycd/ent"
	"kycd/ent/capture"
	"kycd/ent/outbox"
	"kycd/ent/predicate"
	"kycd/ent/session"
	"kycd/vision"
)

// maxStarts is how often an analysis may be begun. An image that ended its worker's process twice is not
// given to a third one.
const maxStarts = 2

// codeCrashed is why such an image was not analysed.
const codeCrashed = "analysis_crashed"

// A second try waits for its turn, and looks again after turnWait.
const (
	codeTurn = "waits_its_turn"
	turnWait = 500 * time.Millisecond
)

// askFor says what to measure on a picture. A zone is looked for where documents of the type have one; identity cards may have it
// on either side.
func askFor(kind session.DocumentType, side capture.Side) vision.Ask {
	licence, card := kind == session.DocumentTypeDriverLicense, kind == session.DocumentTypePassportCard
	switch side {
	case captureFront:
		return vision.Ask{Faces: true, Portrait: true, Fingerprint: true, Document: true, MRZ: !licence && !card, Text: true}
	case captureBack:
		return vision.Ask{Fingerprint: true, Document: true, Barcodes: true, MRZ: !licence, Text: true}
	default:
		return vision.Ask{Faces: true, Liveness: true, Attributes: true, Fingerprint: true}
	}
}

// BeginAnalysis gives a worker the image that an outbox row asks to be analysed, and counts the start.
// CodeConflict means that there is nothing to do any more.
func (s *Service) BeginAnalysis(ctx context.Context, outboxID string) (vision.Ask, []byte, error) {
	var pic *ent.Capture
	var row *ent.Session
	crashed, waits := false, false
	err := s.change(ctx, func(c *change) error {
		work, err := findWork(ctx, c.Outbox, outboxID, WorkAnalyze)
		if err != nil {
			return err
		}
		if work.DoneAt != nil {
			return Errorf(CodeConflict, "the image was analysed before")
		}
		if pic, err = c.Capture.Get(ctx, work.SubjectID); err != nil {
			return Internal(err)
		}
		if row, err = c.session(ctx, pic.SessionID); err != nil {
			return err
		}
		if work.Starts >= maxStarts {
			crashed = true
			return c.finishAnalysis(ctx, work.ID, row, pic, nil, codeCrashed)
		}
		if row.DeletedAt != nil || row.AnonymizedAt != nil || pic.Superseded {
			crashed = true // nobody needs it
			return c.finishAnalysis(ctx, work.ID, row, pic, nil, "superseded")
		}
		if work.Starts > 0 {
			if first, err := c.itsTurn(ctx, work.ID); err != nil || !first {
				waits = true
				return err
			}
		}
		err = c.Outbox.UpdateOne(work).AddStarts(1).SetNextAt(c.now.Add(lease)).Exec(ctx)
		if err != nil {
			return Internal(err)
		}
		return nil
	})
	if err != nil {
		return vision.Ask{}, nil, err
	}
	if crashed {
		s.analysed.post(row.ID)
		return vision.Ask{}, nil, Errorf(CodeConflict, "the image is not analysed any more")
	}
	if waits {
		return vision.Ask{}, nil, Errorf(CodeConflict, "the image is analysed later")
	}
	image, err := s.image(ctx, row, pic)
	if e := AsError(err); e != nil && e.Code == CodeUnavailable {
		return vision.Ask{}, nil, errors.Join(e, s.neverBegun(ctx, outboxID))
	}
	if err != nil {
		return vision.Ask{}, nil, err
	}
	return askFor(row.DocumentType, pic.Side), image, nil
}

// neverBegun takes a start back that gave no worker an image: an outage of the storage must not use up the
// tries of innocent images.
func (s *Service) neverBegun(ctx context.Context, workID string) error {
	return s.change(ctx, func(c *change) error {
		if err := c.Outbox.UpdateOneID(workID).AddStarts(-1).Exec(ctx); err != nil {
			return Internal(err)
		}
		return c.later(ctx, workID, c.now.Add(retrySoon), "image_unavailable")
	})
}

// itsTurn says whether an analysis may be begun a second time, and puts it off otherwise. A worker that ends
// takes all images down that it had in its hands, and only one of them is to blame: second tries are made one
// after the other, so that the image that is to blame does not use up the tries of the same others again.
func (c *change) itsTurn(ctx context.Context, workID string) (bool, error) {
	before, err := c.Outbox.Query().Where(outbox.Kind(WorkAnalyze), outbox.DoneAtIsNil(), outbox.StartsGT(0), outbox.IDLT(workID)).Exist(ctx)
	if err != nil {
		return false, Internal(err)
	}
	if before {
		return false, c.later(ctx, workID, c.now.Add(turnWait), codeTurn)
	}
	return true, nil
}

// FinishAnalysis takes what was measured. The first result counts; a second one has no effect.
func (s *Service) FinishAnalysis(ctx context.Context, outboxID string, analysis vision.Analysis) error {
	sessionID := ""
	err := s.change(ctx, func(c *change) error {
		work, err := findWork(ctx, c.Outbox, outboxID, WorkAnalyze)
		if err != nil {
			return err
		}
		if work.DoneAt != nil {
			return nil
		}
		pic, err := c.Capture.Get(ctx, work.SubjectID)
		if err != nil {
			return Internal(err)
		}
		row, err := c.session(ctx, pic.SessionID)
		if err != nil {
			return err
		}
		sessionID = row.ID
		return c.finishAnalysis(ctx, work.ID, row, pic, &analysis, analysis.Error)
	})
	if err == nil && sessionID != "" {
		s.analysed.post(sessionID)
	}
	return err
}

// finishAnalysis ends one piece of work: with a result, or with the code of why there is none. If it was
// the last one that a finalized session waited for, the decision becomes due.
func (c *change) finishAnalysis(ctx context.Context, workID string, row *ent.Session, pic *ent.Capture, analysis *vision.Analysis, code string) error {
	first, err := c.done(ctx, workID)
	if err != nil || !first {
		return err
	}
	update := c.Capture.UpdateOne(pic).SetAnalyzedAt(c.now)
	if analysis != nil && code == "" {
		v, err := c.s.vault(ctx, c.DataKey, row.KeyID)
		if AsError(err) != nil && AsError(err).Code == CodeErased {
			return nil // erased meanwhile: nothing of it is kept
		}
		if err != nil {
			return err
		}
		sealed, err := v.seal("captures", "analysis", pic.ID, analysis)
		if err != nil {
			return err
		}
		hints := make([]string, 0, len(analysis.Hints))
		for _, h := range analysis.Hints {
			hints = append(hints, string(h))
		}
		update.SetAnalysisStatus(capture.AnalysisStatusDone).SetAnalysisSealed(sealed).SetHints(hints)
		if err := c.keepFingerprint(ctx, v, row, pic, analysis.Fingerprint); err != nil {
			return err
		}
	} else {
		update.SetAnalysisStatus(capture.AnalysisStatusFailed).SetAnalysisCode(code)
	}
	if err := update.Exec(ctx); err != nil {
		return Internal(err)
	}
	detail := map[string]string{"capture_id": pic.ID, "side": string(pic.Side)}
	if code != "" {
		detail["code"] = code
	}
	if err := c.note(ctx, row.ID, actorSystem, "image_analysed", "", "", detail); err != nil {
		return err
	}
	if row.FinalizeRequestedAt == nil || row.Status == session.StatusComplete {
		return nil
	}
	pending, err := pendingAnalyses(ctx, c.Capture, row.ID)
	if err != nil || pending > 0 {
		return err
	}
	return c.hurry(ctx, WorkDecide, row.ID)
}

// pendingAnalyses counts the pictures of a session that count and are not measured yet.
func pendingAnalyses(ctx context.Context, captures *ent.CaptureClient, sessionID string, which ...predicate.Capture) (int, error) {
	n, err := captures.Query().Where(capture.SessionID(sessionID), capture.Superseded(false),
		capture.AnalysisStatusEQ(capture.AnalysisStatusPending)).Where(which...).Count(ctx)
	if err != nil {
		return 0, Internal(err)
	}
	return n, nil
}

// waitAnalysed waits until no picture of a session, or none of those that are meant, is being measured any more, or for at
// most wait. It reports whether everything is there.
func (s *Service) waitAnalysed(ctx context.Context, sessionID string, wait time.Duration, which ...predicate.Capture) (bool, error) {
	news, stop := s.analysed.watch(sessionID)
	defer stop()
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	look := time.NewTicker(100 * time.Millisecond) // another process may have taken the result
	defer look.Stop()
	for {
		pending, err := pendingAnalyses(ctx, s.db.Ent.Capture, sessionID, which...)
		if err != nil || pending == 0 {
			return pending == 0 && err == nil, err
		}
		select {
		case <-news:
		case <-look.C:
		case <-deadline.C:
			return false, nil
		case <-ctx.Done():
			return false, nil
		}
	}
}
