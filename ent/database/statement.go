package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// rememberedStatements is how many prepared statements one connection keeps, the ones used last.
const rememberedStatements = 128

// connector opens connections of SQLite that remember their prepared statements: to parse and plan a short statement
// costs more than to run it, and ent sends the same few over and over as text.
type connector struct{ driver.Connector }

// Connect opens one connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	able, ok := opened.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's %T cannot do enough", opened), opened.Close())
	}
	statements, err := simplelru.NewLRU(rememberedStatements, forget)
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return &conn{sqliteConn: able, statements: statements}, nil
}

// What the driver's own types can do; a wrapper must not hide any of it from database/sql.
type (
	sqliteConn interface {
		driver.Conn
		driver.ConnBeginTx
		driver.ConnPrepareContext
		driver.ExecerContext
		driver.QueryerContext
		driver.Pinger
		driver.SessionResetter
		driver.Validator
	}
	sqliteStmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
	sqliteRows interface {
		driver.Rows
		driver.RowsColumnTypeDatabaseTypeName
		driver.RowsColumnTypeLength
		driver.RowsColumnTypeNullable
		driver.RowsColumnTypePrecisionScale
		driver.RowsColumnTypeScanType
	}
)

// conn is a connection that remembers. Like every driver.Conn it is used by one goroutine at a time.
type conn struct {
	sqliteConn
	statements *simplelru.LRU[string, *statement]
}

// statement is one prepared statement.
type statement struct {
	sqliteStmt
	running   bool // its rows are still being read
	forgotten bool // to be closed as soon as it no longer runs
}

// forget closes a statement that others have pushed out.
func forget(_ string, s *statement) {
	s.forgotten = true
	if !s.running {
		_ = s.Close() // only frees memory; what went wrong, its last run has told
	}
}

// ExecContext runs a statement without rows.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return s.ExecContext(ctx, args)
}

// QueryContext runs a statement that gives rows. Until they are closed the same text is run without the memory.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	found, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	able, ok := found.(sqliteRows)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's %T cannot do enough", found), found.Close())
	}
	s.running = true
	return &rows{sqliteRows: able, of: s}, nil
}

// prepared gives the statement of a text, nil if that one is not to be remembered or is running.
func (c *conn) prepared(ctx context.Context, query string) (*statement, error) {
	if s, ok := c.statements.Get(query); ok {
		if s.running {
			return nil, nil
		}
		return s, nil
	}
	if !worthRemembering(query) {
		return nil, nil
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	able, ok := made.(sqliteStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's %T cannot do enough", made), made.Close())
	}
	s := &statement{sqliteStmt: able}
	c.statements.Add(query, s)
	return s, nil
}

// longStatement is longer than any that is asked twice: only the lists in a request make one.
const longStatement = 4 << 10

// worthRemembering leaves out what is rare (tables are made once, long lists are a request's own) and what must not be
// prepared beforehand (a pragma may take effect while it is prepared).
func worthRemembering(query string) bool {
	if len(query) > longStatement {
		return false
	}
	verb, _, _ := strings.Cut(query, " ")
	switch verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE":
		return true
	}
	return false
}

// Close closes the statements and the connection.
func (c *conn) Close() error {
	c.statements.Purge()
	return c.sqliteConn.Close()
}

// rows are what a remembered statement gives.
type rows struct {
	sqliteRows
	of *statement
}

// Close makes the statement ready for its next run.
func (r *rows) Close() error {
	err := r.sqliteRows.Close()
	r.of.running = false
	if r.of.forgotten {
		err = errors.Join(err, r.of.Close())
	}
	return err
}
