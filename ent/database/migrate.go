package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"entgo.io/ent/dialect"

	"kycd/ent/migrate/versions"
)

// Migrate applies what is missing, oldest first, in one transaction, and returns the names of what it
// applied. A folder whose files do not match its checksum file is refused.
func (d *Database) Migrate(ctx context.Context) (applied []string, err error) {
	return d.migrate(ctx, math.MaxInt)
}

// migrate applies at most limit of what is missing.
func (d *Database) migrate(ctx context.Context, limit int) (applied []string, err error) {
	dir, err := readDir(d.Dialect)
	if err != nil {
		return nil, err
	}
	conn, err := d.writer.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if d.Dialect == dialect.SQLite {
		// Changing a table means writing it anew and dropping the old one. Other tables point at it meanwhile; whether
		// they still point at something is checked at the end. SQLite ignores this pragma inside a transaction.
		if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = off"); err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		defer func() {
			_, on := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = on")
			err = errors.Join(err, on)
		}()
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	defer func() { err = errors.Join(err, ignoreDone(tx.Rollback())) }()
	if d.Dialect == dialect.Postgres {
		// Two servers that start together must not both apply; the lock ends with the transaction.
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(7521961)"); err != nil {
			return nil, fmt.Errorf("migrate: lock: %w", err)
		}
	}
	revisions := &revisions{tx: tx, postgres: d.Dialect == dialect.Postgres}
	if err := revisions.create(ctx); err != nil {
		return nil, err
	}
	drv, err := atlasDriver(d.Dialect, tx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	executor, err := migrate.NewExecutor(drv, dir, revisions, migrate.WithAllowDirty(true))
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	pending, err := executor.Pending(ctx)
	if errors.Is(err, migrate.ErrNoPendingFiles) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	pending = pending[:min(limit, len(pending))]
	if err := executor.ExecuteN(ctx, len(pending)); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if d.Dialect == dialect.SQLite {
		if err := checkReferences(ctx, tx); err != nil {
			return nil, err
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	for _, f := range pending {
		applied = append(applied, f.Name())
	}
	return applied, nil
}

// checkReferences fails if a row points at one that is not there.
func checkReferences(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer rows.Close()
	if rows.Next() {
		return errors.New("migrate: a row points at one that is not there")
	}
	return rows.Err()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func atlasDriver(name string, tx schema.ExecQuerier) (migrate.Driver, error) {
	if name == dialect.Postgres {
		return postgres.Open(tx)
	}
	return sqlite.Open(tx)
}

// readDir copies the embedded files of one dialect to where atlas reads them.
func readDir(name string) (migrate.Dir, error) {
	folder := "sqlite"
	if name == dialect.Postgres {
		folder = "postgres"
	}
	mem := &migrate.MemDir{}
	entries, err := fs.ReadDir(versions.Files, folder)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	for _, e := range entries {
		b, err := fs.ReadFile(versions.Files, folder+"/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		if err := mem.WriteFile(e.Name(), b); err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
	}
	return mem, nil
}

// revisions is the table that says which migrations a database has seen.
type revisions struct {
	tx       *sql.Tx
	postgres bool
}

const revisionTable = "schema_revisions"

var _ migrate.RevisionReadWriter = (*revisions)(nil)

func (r *revisions) create(ctx context.Context) error {
	_, err := r.tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS `+revisionTable+` (
		version varchar(64) PRIMARY KEY, description text NOT NULL, applied int NOT NULL, total int NOT NULL,
		executed_at varchar(40) NOT NULL, hash varchar(64) NOT NULL)`)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (r *revisions) Ident() *migrate.TableIdent { return &migrate.TableIdent{Name: revisionTable} }

func (r *revisions) ReadRevisions(ctx context.Context) ([]*migrate.Revision, error) {
	rows, err := r.tx.QueryContext(ctx, `SELECT version, description, applied, total, executed_at, hash FROM `+revisionTable+` ORDER BY version`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []*migrate.Revision
	for rows.Next() {
		rev, err := scanRevision(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, rev)
	}
	return all, rows.Err()
}

func (r *revisions) ReadRevision(ctx context.Context, version string) (*migrate.Revision, error) {
	rev, err := scanRevision(r.tx.QueryRowContext(ctx,
		r.bind(`SELECT version, description, applied, total, executed_at, hash FROM `+revisionTable+` WHERE version = ?`), version))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, migrate.ErrRevisionNotExist
	}
	return rev, err
}

func scanRevision(row interface{ Scan(...any) error }) (*migrate.Revision, error) {
	var rev migrate.Revision
	var executed string
	if err := row.Scan(&rev.Version, &rev.Description, &rev.Applied, &rev.Total, &executed, &rev.Hash); err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, executed)
	if err != nil {
		return nil, err
	}
	rev.Type, rev.ExecutedAt = migrate.RevisionTypeExecute, at
	return &rev, nil
}

func (r *revisions) WriteRevision(ctx context.Context, rev *migrate.Revision) error {
	_, err := r.tx.ExecContext(ctx, r.bind(`INSERT INTO `+revisionTable+` (version, description, applied, total, executed_at, hash)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (version) DO UPDATE SET applied = excluded.applied, total = excluded.total, hash = excluded.hash`),
		rev.Version, rev.Description, rev.Applied, rev.Total, rev.ExecutedAt.UTC().Format(time.RFC3339Nano), rev.Hash)
	return err
}

func (r *revisions) DeleteRevision(ctx context.Context, version string) error {
	_, err := r.tx.ExecContext(ctx, r.bind(`DELETE FROM `+revisionTable+` WHERE version = ?`), version)
	return err
}

// bind writes the placeholders as the dialect wants them.
func (r *revisions) bind(query string) string {
	if !r.postgres {
		return query
	}
	out, n := make([]byte, 0, len(query)+8), 0
	for i := range len(query) {
		if query[i] != '?' {
			out = append(out, query[i])
			continue
		}
		n++
		out = fmt.Appendf(out, "$%d", n)
	}
	return string(out)
}
