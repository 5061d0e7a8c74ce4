package live_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// store reads the database beside the server, as a stranger to it.
type store struct {
	db     *sql.DB
	tables []string
	data   string // the folder of the images
}

// openStore opens the database at a URL, or the SQLite file in data.
func openStore(t testing.TB, url, data string) *store {
	t.Helper()
	driver, address, list := "sqlite", "file:"+filepath.Join(data, "kycd.db")+"?mode=ro", "SELECT name FROM sqlite_master WHERE type = 'table'"
	if url != "" {
		driver, address, list = "pgx", url, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	}
	db, err := sql.Open(driver, address)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	s := &store{db: db, data: data}
	rows, err := db.Query(list)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		must(t, rows.Scan(&name))
		s.tables = append(s.tables, name)
	}
	must(t, rows.Err())
	if len(s.tables) < 20 {
		t.Fatalf("only the tables %v", s.tables)
	}
	return s
}

// dump is the number of rows of every table and a hash of all of them, and the same of the images.
type dump map[string]string

// dump reads everything.
func (s *store) dump(t testing.TB) dump {
	t.Helper()
	all := dump{"(images)": s.images(t)}
	for _, table := range s.tables {
		all[table] = s.table(t, table)
	}
	return all
}

func (s *store) table(t testing.TB, name string) string {
	t.Helper()
	rows, err := s.db.Query(`SELECT * FROM "` + name + `"`)
	must(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	must(t, err)
	var hashes []string
	for rows.Next() {
		values, targets := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		must(t, rows.Scan(targets...))
		hash := sha256.New()
		for i, value := range values {
			fmt.Fprintf(hash, "%s=%T:%v\n", columns[i], value, value)
		}
		hashes = append(hashes, hex.EncodeToString(hash.Sum(nil)))
	}
	must(t, rows.Err())
	return sum(hashes)
}

func (s *store) images(t testing.TB) string {
	t.Helper()
	var hashes []string
	err := filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "kycd.db") {
			return err
		}
		content, err := os.ReadFile(path)
		hashes = append(hashes, fmt.Sprintf("%s %x", path, sha256.Sum256(content)))
		return err
	})
	must(t, err)
	return sum(hashes)
}

// sum is the number of hashes and one hash of all, in whatever order they came.
func sum(hashes []string) string {
	slices.Sort(hashes)
	return fmt.Sprintf("%d %x", len(hashes), sha256.Sum256([]byte(strings.Join(hashes, "\n"))))
}

// sameAs complains of every table that is not what it was.
func (d dump) sameAs(t testing.TB, before dump) {
	t.Helper()
	for _, table := range slices.Sorted(maps.Keys(before)) {
		if d[table] != before[table] {
			t.Errorf("%s changed: %.12s, before %.12s", table, d[table], before[table])
		}
	}
}
