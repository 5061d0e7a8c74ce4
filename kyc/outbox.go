package kyc

import (
	"context"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"kycd/ent"
	"kycd/ent/outbox"
)

// The kinds of work. The queue carries them under the same names.
const (
	WorkAnalyze = "vision:analyze"  // subject: a capture
	WorkDecide  = "session:decide"  // subject: a session
	WorkDeliver = "webhook:deliver" // subject: a delivery
	WorkErase   = "session:erase"   // subject: a session
)

// lease is after how long work that is under way is looked at again. What is still in good hands is only
// looked at once more; what was lost is sent again. A second run has no effect, so a short lease costs little.
const lease = 5 * time.Second

const retrySoon = 2 * time.Second

// add writes work into the transaction, due at once. Its first sending happens right after the commit;
// should that be lost, it is due again when the lease ends.
func (c *change) add(ctx context.Context, kind, subjectID, sessionID string) error {
	return c.addAt(ctx, kind, subjectID, sessionID, c.now)
}

func (c *change) addAt(ctx context.Context, kind, subjectID, sessionID string, due time.Time) error {
	id := c.s.newID()
	request := RequestID(ctx)
	create := c.Outbox.Create().SetID(id).SetKind(kind).SetSubjectID(subjectID).SetCreatedAt(c.now)
	if request != "" {
		create.SetRequestID(request)
	}
	if sessionID != "" {
		create.SetSessionID(sessionID)
	}
	if due.After(c.now) {
		create.SetNextAt(due)
	} else {
		create.SetNextAt(c.now.Add(lease)).SetSent(1)
		c.work = append(c.work, Work{ID: id, Kind: kind, SubjectID: subjectID, Sent: 1, CreatedAt: c.now, RequestID: request})
	}
	if err := create.Exec(ctx); err != nil {
		return Internal(err)
	}
	return nil
}

// findWork gives the row that a task names. An id of another kind is no work of this kind.
func findWork(ctx context.Context, rows *ent.OutboxClient, id, kind string) (*ent.Outbox, error) {
	row, err := rows.Query().Where(outbox.ID(id), outbox.Kind(kind)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, notFound("work")
	}
	if err != nil {
		return nil, Internal(err)
	}
	return row, nil
}

// done finishes work in the transaction that holds its effect. It reports false if it was finished before:
// then this run must have no effect at all.
func (c *change) done(ctx context.Context, id string) (bool, error) {
	n, err := c.Outbox.Update().Where(outbox.ID(id), outbox.DoneAtIsNil()).SetDoneAt(c.now).Save(ctx)
	if err != nil {
		return false, Internal(err)
	}
	return n == 1, nil
}

// later puts unfinished work off, and says why: a row with a code waits on purpose.
func (c *change) later(ctx context.Context, id string, at time.Time, code string) error {
	if err := c.Outbox.Update().Where(outbox.ID(id), outbox.DoneAtIsNil()).SetNextAt(at).SetCode(code).Exec(ctx); err != nil {
		return Internal(err)
	}
	return nil
}

// hurry makes a session's unfinished work of one kind due at once.
func (c *change) hurry(ctx context.Context, kind, subjectID string) error {
	rows, err := c.Outbox.Query().Where(outbox.Kind(kind), outbox.SubjectID(subjectID), outbox.DoneAtIsNil()).All(ctx)
	if err != nil {
		return Internal(err)
	}
	for _, row := range rows {
		if err := c.send(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

func (c *change) send(ctx context.Context, row *ent.Outbox) error {
	err := c.Outbox.UpdateOne(row).AddSent(1).SetNextAt(c.now.Add(lease)).ClearCode().Exec(ctx)
	if err != nil {
		return Internal(err)
	}
	c.work = append(c.work, Work{ID: row.ID, Kind: row.Kind, SubjectID: row.SubjectID, Sent: row.Sent + 1, CreatedAt: row.CreatedAt, RequestID: row.RequestID})
	return nil
}

// DueWork takes up to limit rows that are due, marks them as sent again, and returns them for the queue.
// Several servers may call it at once: each row goes to one of them.
func (s *Service) DueWork(ctx context.Context, limit int) ([]Work, error) {
	now := s.now().UTC()
	waiting, err := s.db.Ent.Outbox.Query().Where(outbox.DoneAtIsNil(), outbox.NextAtLTE(now)).Exist(ctx)
	if err != nil || !waiting { // a plain read: an idle sweep never takes the writer's lock
		return nil, err
	}
	var work []Work
	err = s.change(ctx, func(c *change) error {
		rows, err := c.Outbox.Query().Where(outbox.DoneAtIsNil(), outbox.NextAtLTE(c.now)).
			Order(ent.Asc(outbox.FieldNextAt)).Limit(limit).
			Modify(func(sel *sql.Selector) {
				if sel.Dialect() == dialect.Postgres {
					sel.ForUpdate(sql.WithLockAction(sql.SkipLocked))
				}
			}).All(ctx)
		if err != nil {
			return Internal(err)
		}
		for _, row := range rows {
			if err := c.send(ctx, row); err != nil {
				return err
			}
		}
		work, c.work = c.work, nil // the sweeper enqueues these itself
		return nil
	})
	return work, err
}

// Postpone moves rows that the queue still holds to a later look.
func (s *Service) Postpone(ctx context.Context, ids []string, until time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	return s.change(ctx, func(c *change) error {
		if err := c.Outbox.Update().Where(outbox.IDIn(ids...), outbox.DoneAtIsNil()).SetNextAt(until).Exec(ctx); err != nil {
			return Internal(err)
		}
		return nil
	})
}

// Redrive makes unfinished work of a kind (of every kind, if it is empty) due at once: after the queue was
// lost, or the worker that had it died. Work that waits for its next try on purpose keeps waiting.
func (s *Service) Redrive(ctx context.Context, kind string) error {
	return s.change(ctx, func(c *change) error {
		update := c.Outbox.Update().Where(outbox.DoneAtIsNil(), outbox.CodeIsNil()).SetNextAt(c.now)
		if kind != "" {
			update.Where(outbox.Kind(kind))
		}
		if err := update.Exec(ctx); err != nil {
			return Internal(err)
		}
		return nil
	})
}
