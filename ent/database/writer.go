package database

import (
	"context"
	"database/sql"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"golang.org/x/sync/semaphore"
)

// writer is the one connection that changes something in SQLite. Those who want it queue here, first come, first
// served, and only the first of them asks the pool of database/sql, which gives a connection that gets free to one of
// those who ask by lot. Without the queue the unluckiest one in a hundred of sixteen who always want it would wait
// for 71 others, not for 15.
type writer struct {
	*entsql.Driver
	first *semaphore.Weighted // of weight 1; its waiting list is first in, first out
}

var _ dialect.Driver = (*writer)(nil)

func newWriter(db *sql.DB) *writer {
	return &writer{Driver: entsql.OpenDB(dialect.SQLite, db), first: semaphore.NewWeighted(1)}
}

func (w *writer) Exec(ctx context.Context, query string, args, v any) error {
	if err := w.first.Acquire(ctx, 1); err != nil {
		return err
	}
	defer w.first.Release(1)
	return w.Driver.Exec(ctx, query, args, v)
}

// Query gives rows that hold the connection until they are closed.
func (w *writer) Query(ctx context.Context, query string, args, v any) error {
	if err := w.first.Acquire(ctx, 1); err != nil {
		return err
	}
	defer w.first.Release(1)
	return w.Driver.Query(ctx, query, args, v)
}

// Tx gives a transaction that holds the connection until its end.
func (w *writer) Tx(ctx context.Context) (dialect.Tx, error) { return w.BeginTx(ctx, nil) }

// BeginTx is Tx with options.
func (w *writer) BeginTx(ctx context.Context, opts *entsql.TxOptions) (dialect.Tx, error) {
	if err := w.first.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer w.first.Release(1)
	return w.Driver.BeginTx(ctx, opts)
}

// truncateLog moves the write-ahead log into the database file and empties it.
func (w *writer) truncateLog(ctx context.Context) error {
	if err := w.first.Acquire(ctx, 1); err != nil {
		return err
	}
	defer w.first.Release(1)
	var busy, frames, moved int
	if err := w.DB().QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return ErrBusy
	}
	return nil
}
