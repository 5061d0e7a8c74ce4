// Package databasetest gives tests a migrated database of their own.
package databasetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"kycd/ent/database"
)

// Each runs a test on SQLite and on PostgreSQL, each time with the URL of an empty, unmigrated database.
func Each(t *testing.T, test func(t *testing.T, url, dataDir string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "", t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t), t.TempDir()) })
}

// Open opens and migrates, and closes when the test ends.
func Open(t testing.TB, url, dataDir string) *database.Database {
	t.Helper()
	db, err := database.Open(context.Background(), url, dataDir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db
}

// Postgres makes an empty database on the server that KYCD_TEST_POSTGRES names, and returns its URL.
// Without that server the test is skipped; in CI it fails.
func Postgres(t testing.TB) string {
	t.Helper()
	base := os.Getenv("KYCD_TEST_POSTGRES")
	if base == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("KYCD_TEST_POSTGRES is not set")
		}
		t.Skip("needs PostgreSQL: KYCD_TEST_POSTGRES is not set (make test starts one)")
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("KYCD_TEST_POSTGRES is not a URL")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := "scratch_" + strings.ToLower(rand.Text())
	if _, err := db.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create scratch database: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}
