package database

import (
	"context"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// splitDriver sends plain reads to the readers, and everything else (statements that change something,
// and every transaction) to the one writer.
type splitDriver struct {
	read  *entsql.Driver
	write *writer
}

var _ dialect.Driver = (*splitDriver)(nil)

func (d *splitDriver) Exec(ctx context.Context, query string, args, v any) error {
	return d.write.Exec(ctx, query, args, v)
}

func (d *splitDriver) Query(ctx context.Context, query string, args, v any) error {
	if strings.HasPrefix(query, "SELECT") {
		return d.read.Query(ctx, query, args, v)
	}
	return d.write.Query(ctx, query, args, v) // INSERT … RETURNING and the like
}

func (d *splitDriver) Tx(ctx context.Context) (dialect.Tx, error) { return d.write.Tx(ctx) }

// BeginTx is what ent asks for when options are given.
func (d *splitDriver) BeginTx(ctx context.Context, opts *entsql.TxOptions) (dialect.Tx, error) {
	return d.write.BeginTx(ctx, opts)
}

func (d *splitDriver) Dialect() string { return d.write.Dialect() }

func (d *splitDriver) Close() error { return nil } // Database closes what it opened
