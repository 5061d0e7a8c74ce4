// Package database opens the store that ent talks to, and brings its tables up to date.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"modernc.org/sqlite"               // driver "sqlite", pure Go

	"kycd/ent"
)

// ErrUnsupported is returned for a database URL of another kind than sqlite: or postgres:.
var ErrUnsupported = errors.New("database URL must begin with sqlite: or postgres:")

// ErrBusy is returned when the write-ahead log cannot be emptied because somebody still reads from it. Trying again helps.
var ErrBusy = errors.New("the write-ahead log is being read")

// Database is one open store.
type Database struct {
	Ent     *ent.Client
	Dialect string // dialect.SQLite or dialect.Postgres

	writer  *sql.DB
	reader  *sql.DB // with PostgreSQL the same pool
	sqlite  *writer // nil with PostgreSQL
	closers []func() error
}

// Open connects to the database that rawURL names: "postgres://…", "sqlite:PATH", or "" for the file
// kycd.db in dataDir. It does not migrate.
func Open(ctx context.Context, rawURL, dataDir string) (*Database, error) {
	switch {
	case rawURL == "":
		return openSQLite(ctx, filepath.Join(dataDir, "kycd.db"))
	case strings.HasPrefix(rawURL, "sqlite:"):
		return openSQLite(ctx, strings.TrimPrefix(strings.TrimPrefix(rawURL, "sqlite:"), "//"))
	case strings.HasPrefix(rawURL, "postgres:"), strings.HasPrefix(rawURL, "postgresql:"):
		return openPostgres(ctx, rawURL)
	default:
		return nil, ErrUnsupported
	}
}

// openSQLite opens one connection that writes and several that read. SQLite has one writer at a time
// whatever a pool pretends: sixteen connections that contend for it wait up to a second, one that takes
// the lock at BEGIN never does. WAL lets the readers go on meanwhile; synchronous=FULL means that what
// was committed is on the disk; secure_delete means that what was deleted is overwritten with zeros.
func openSQLite(ctx context.Context, path string) (*Database, error) {
	writer, err := openPool(dsn(path, "rwc", "immediate"))
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	writer.SetMaxOpenConns(1)
	if err := writer.PingContext(ctx); err != nil { // creates the file, so that readers find it
		return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), writer.Close())
	}
	reader, err := openPool(dsn(path, "ro", "deferred"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), writer.Close())
	}
	reader.SetMaxOpenConns(4 * runtime.NumCPU())
	reader.SetMaxIdleConns(4 * runtime.NumCPU())
	drv := &splitDriver{read: entsql.OpenDB(dialect.SQLite, reader), write: newWriter(writer)}
	return &Database{
		Ent: ent.NewClient(ent.Driver(drv)), Dialect: dialect.SQLite, writer: writer, reader: reader, sqlite: drv.write,
		closers: []func() error{reader.Close, writer.Close},
	}, nil
}

// openPool makes a pool of connections that remember their statements.
func openPool(dsn string) (*sql.DB, error) {
	base, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{base}), nil
}

func dsn(path, mode, lock string) string {
	q := url.Values{"mode": {mode}, "_txlock": {lock}, "_time_format": {"sqlite"}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(on)",
	}}
	if mode == "ro" {
		q["_pragma"] = []string{"busy_timeout(10000)", "query_only(1)"}
	}
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String()
}

func openPostgres(ctx context.Context, rawURL string) (*Database, error) {
	db, err := sql.Open("pgx", rawURL)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", hideURL(err))
	}
	db.SetMaxOpenConns(8 * runtime.NumCPU())
	db.SetMaxIdleConns(8 * runtime.NumCPU())
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open postgres: %w", hideURL(err)), db.Close())
	}
	return &Database{
		Ent: ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, db))), Dialect: dialect.Postgres,
		writer: db, reader: db, closers: []func() error{db.Close},
	}, nil
}

// hideURL keeps a password out of the message: a driver's parse error may repeat the whole URL.
func hideURL(err error) error {
	if strings.Contains(err.Error(), "://") {
		return errors.New("the database URL was not understood")
	}
	return err
}

// Ping asks the database for a sign of life.
func (d *Database) Ping(ctx context.Context) error { return d.writer.PingContext(ctx) }

// QueryRow reads one row with a statement that is written by hand, where to build it would take longer than to run it.
// Its parameters are $1, $2 and so on in every dialect.
func (d *Database) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return d.reader.QueryRowContext(ctx, query, args...)
}

// Checkpoint moves what is in SQLite's write-ahead log into the database file and empties the log. After it, neither
// holds what was deleted before: without it the log keeps old pages until others are written over them. It waits for
// those who read, up to ten seconds, and then answers ErrBusy. With PostgreSQL it does nothing: VACUUM and the archiving of
// its log are the operator's.
func (d *Database) Checkpoint(ctx context.Context) error {
	if d.sqlite == nil {
		return nil
	}
	if err := d.sqlite.truncateLog(ctx); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// Close ends all connections.
func (d *Database) Close() error {
	var errs []error
	for _, c := range d.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}
