package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"modernc.org/sqlite"
)

// counter opens connections that count the statements they prepare and close.
type counter struct {
	driver.Connector
	prepared, closed int
}

func (c *counter) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return countingConn{opened.(sqliteConn), c}, nil
}

type countingConn struct {
	sqliteConn
	count *counter
}

func (c countingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	made, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.count.prepared++
	return countingStmt{made.(sqliteStmt), c.count}, nil
}

type countingStmt struct {
	sqliteStmt
	count *counter
}

func (s countingStmt) Close() error {
	s.count.closed++
	return s.sqliteStmt.Close()
}

// openCounting is one connection to a file with the numbers 0 to 9 in the table n.
func openCounting(t *testing.T) (*sql.DB, *counter) {
	t.Helper()
	base, err := sqlite.NewConnector(dsn(filepath.Join(t.TempDir(), "n.db"), "rwc", "immediate"))
	if err != nil {
		t.Fatal(err)
	}
	count := &counter{Connector: base}
	db := sql.OpenDB(connector{count})
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if count.closed != count.prepared {
			t.Errorf("%d of %d statements were closed", count.closed, count.prepared)
		}
	})
	mustExec(t, db, "CREATE TABLE n (i integer PRIMARY KEY)")
	for i := range 10 {
		mustExec(t, db, "INSERT INTO n VALUES (?)", i)
	}
	return db, count
}

type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func mustExec(t *testing.T, db runner, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// numbers reads one column, and calls meanwhile at each row.
func numbers(t *testing.T, db runner, meanwhile func(), query string, args ...any) []int {
	t.Helper()
	found, err := db.QueryContext(context.Background(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer found.Close()
	var all []int
	for found.Next() {
		var i int
		if err := found.Scan(&i); err != nil {
			t.Fatal(err)
		}
		all = append(all, i)
		if meanwhile != nil {
			meanwhile()
		}
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEachTextIsPreparedOnce(t *testing.T) {
	db, count := openCounting(t)
	before := count.prepared
	for i := range 20 {
		if got := numbers(t, db, nil, "SELECT i FROM n WHERE i >= ? AND i < ? ORDER BY i", i%5, i%5+2); !slices.Equal(got, []int{i % 5, i%5 + 1}) {
			t.Errorf("from %d: %v", i%5, got)
		}
		mustExec(t, db, "UPDATE n SET i = i WHERE i = ?", i)
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, tx, "INSERT INTO n VALUES (?)", 1000)
		mustExec(t, tx, "DELETE FROM n WHERE i = ?", 1000)
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := count.prepared-before, 3; got != want { // the INSERT was known
		t.Errorf("%d statements were prepared, want %d", got, want)
	}
}

// TestTheSameTextInsideItself: while rows are being read, the same statement cannot begin anew.
func TestTheSameTextInsideItself(t *testing.T) {
	db, _ := openCounting(t)
	tx, err := db.Begin() // keeps to one connection
	if err != nil {
		t.Fatal(err)
	}
	const query = "SELECT i FROM n WHERE i >= ? ORDER BY i"
	inner := 0
	outer := numbers(t, tx, func() {
		inner += len(numbers(t, tx, func() { inner += len(numbers(t, tx, nil, query, 9)) }, query, 8))
	}, query, 5)
	if want := []int{5, 6, 7, 8, 9}; !slices.Equal(outer, want) || inner != 5*(2+2) {
		t.Errorf("outer %v, %d inner ones; want %v, %d", outer, inner, want, 5*(2+2))
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestPushedOutWhileRunning: a statement that others push out of the memory is still read to its end.
func TestPushedOutWhileRunning(t *testing.T) {
	db, count := openCounting(t)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	other := 0
	got := numbers(t, tx, func() {
		for range rememberedStatements {
			other++
			if one := numbers(t, tx, nil, fmt.Sprintf("SELECT %d", other)); !slices.Equal(one, []int{other}) {
				t.Errorf("SELECT %d gave %v", other, one)
			}
		}
		if open := count.prepared - count.closed; open > rememberedStatements+1 { // one pushed out, and running
			t.Errorf("%d statements are open", open)
		}
	}, "SELECT i FROM n ORDER BY i")
	if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if open := count.prepared - count.closed; open > rememberedStatements {
		t.Errorf("%d statements are still open", open)
	}
}

func TestAStatementSurvivesItsErrors(t *testing.T) {
	db, _ := openCounting(t)
	const insert = "INSERT INTO n VALUES (?)"
	for i := range 3 {
		if _, err := db.Exec(insert, 0); err == nil {
			t.Error("the same key was written twice")
		}
		mustExec(t, db, insert, 100+i)
	}
	gone, cancel := context.WithCancel(context.Background())
	const query = "SELECT i FROM n WHERE i >= ?"
	found, err := db.QueryContext(gone, query, 0)
	if err != nil {
		t.Fatal(err)
	}
	found.Next()
	cancel()
	for found.Next() { // until it notices
	}
	if err := found.Err(); !errors.Is(err, context.Canceled) && err != nil {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := found.Close(); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := numbers(t, db, nil, query, 100); len(got) != 3 {
		t.Errorf("after a cancelled run: %v", got)
	}
	mustExec(t, db, "VACUUM") // which a statement that still ran would keep from
}

// TestAStatementFollowsTheSchema: migrations run on a connection that remembers statements.
func TestAStatementFollowsTheSchema(t *testing.T) {
	db, _ := openCounting(t)
	columns := func() []string {
		found, err := db.Query("SELECT * FROM n")
		if err != nil {
			t.Fatal(err)
		}
		defer found.Close()
		names, err := found.Columns()
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if got := columns(); !slices.Equal(got, []string{"i"}) {
		t.Errorf("columns %v", got)
	}
	mustExec(t, db, "ALTER TABLE n ADD COLUMN j integer")
	if got := columns(); !slices.Equal(got, []string{"i", "j"}) {
		t.Errorf("columns %v after one was added", got)
	}
	mustExec(t, db, "CREATE TABLE m (i integer); INSERT INTO m VALUES (7); DROP TABLE n; ALTER TABLE m RENAME TO n")
	if got := numbers(t, db, nil, "SELECT * FROM n"); !slices.Equal(got, []int{7}) {
		t.Errorf("got %v from the new table", got)
	}
}

func TestWorthRemembering(t *testing.T) {
	for query, want := range map[string]bool{
		"SELECT 1": true, "INSERT INTO n VALUES (1)": true, "UPDATE n SET i = 1": true, "DELETE FROM n": true,
		"PRAGMA foreign_keys = off": false, "CREATE TABLE n (i)": false, "COMMIT": false, "": false, "SELECTED": false,
	} {
		if got := worthRemembering(query); got != want {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
}
