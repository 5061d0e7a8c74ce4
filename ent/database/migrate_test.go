package database_test

import (
	"context"
	"testing"

	"kycd/ent/database"
)

// TestUpgrade: what an older program wrote is there after the migration, with all that points at it.
func TestUpgrade(t *testing.T) {
	each(t, func(t *testing.T, open func() *database.Database) {
		ctx, db := context.Background(), open()
		if _, err := db.MigrateSome(ctx, 1); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			`INSERT INTO users (id, name, created_at) VALUES ('u', 'Borduria Bank', '2026-11-01 09:00:00+00:00')`,
			`INSERT INTO clients (id, user_id, key_id, name, secret_hash, created_at) VALUES ('c', 'u', 'k', 'Borduria Bank', 'h', '2026-11-01 09:00:00+00:00')`,
			`INSERT INTO sessions (id, user_id, client_id, key_id, weights_id, kind, status, document_type, liveness_mode, liveness_provider, dmv_status, ofac_status, attempts, created_at, expires_at)
				VALUES ('s', 'u', 'c', 'k', 'w', 'idv', 'in_progress', 'unknown', 'passive', 'local', 'unknown', 'unknown', 0, '2026-11-01 09:00:00+00:00', '2026-11-02 09:00:00+00:00')`,
			`INSERT INTO outboxes (id, kind, subject_id, session_id, sent, starts, next_at, created_at) VALUES ('o', 'session:decide', 's', 's', 0, 0, '2026-11-01 09:00:00+00:00', '2026-11-01 09:00:00+00:00')`,
		} {
			if err := db.Exec(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		applied, err := db.Migrate(ctx)
		if err != nil || len(applied) == 0 {
			t.Fatalf("applied %v, %v", applied, err)
		}
		session, err := db.Ent.Session.Get(ctx, "s")
		if err != nil {
			t.Fatal(err)
		}
		client, err := session.QueryClient().Only(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if client.Name != "Borduria Bank" || client.Scopes != nil || client.ExternalID != nil || client.RequestsPerSecond != nil {
			t.Errorf("client %+v", client)
		}
		if n, err := db.Ent.Outbox.Query().Count(ctx); err != nil || n != 1 {
			t.Errorf("%d pieces of work, %v", n, err)
		}
		// References are enforced again.
		if err := db.Exec(ctx, `DELETE FROM clients WHERE id = 'c'`); err == nil {
			t.Error("a client that sessions point at could be deleted")
		}
	})
}
