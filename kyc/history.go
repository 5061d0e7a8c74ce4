package kyc

import (
	"context"

	"kycd/ent"
	"kycd/ent/history"
	"kycd/kyc/auth"
)

// note writes one history row in the transaction of what it tells of. Detail holds codes, ids and counts,
// never anything of the person.
func (c *change) note(ctx context.Context, sessionID, actor, event string, from, to Status, detail map[string]string) error {
	create := c.History.Create().SetID(c.s.newID()).SetSessionID(sessionID).SetAt(c.now).SetActor(actor).SetEvent(event)
	if from != "" {
		create.SetFrom(string(from))
	}
	if to != "" {
		create.SetTo(string(to))
	}
	if len(detail) > 0 {
		create.SetDetail(detail)
	}
	if err := create.Exec(ctx); err != nil {
		return Internal(err)
	}
	return nil
}

// actorSystem did what nobody asked for at that moment.
const actorSystem = "system"

// actorOf names a caller without saying who it is as a person.
func actorOf(p auth.Principal) string {
	if p.SessionID != "" {
		return "sdk:" + p.ClientID
	}
	return "client:" + p.ClientID
}

func (s *Service) history(ctx context.Context, db *ent.Client, sessionID string) ([]HistoryEntry, error) {
	rows, err := db.History.Query().Where(history.SessionID(sessionID)).Order(ent.Asc(history.FieldAt, history.FieldID)).All(ctx)
	if err != nil {
		return nil, Internal(err)
	}
	entries := make([]HistoryEntry, 0, len(rows))
	for _, r := range rows {
		entries = append(entries, HistoryEntry{At: r.At.UTC(), Actor: r.Actor, Event: r.Event, From: r.From, To: r.To, Detail: r.Detail})
	}
	return entries, nil
}
