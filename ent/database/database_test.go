package database_test

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"

	"kycd/ent/database"
	"kycd/ent/database/databasetest"
	"kycd/ent/migrate"
)

// each runs a test on both databases, with a function that opens the same one again and again.
func each(t *testing.T, test func(t *testing.T, open func() *database.Database)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, url, dir string) {
		test(t, func() *database.Database {
			db, err := database.Open(context.Background(), url, dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			return db
		})
	})
}

func TestMigrateTwice(t *testing.T) {
	each(t, func(t *testing.T, open func() *database.Database) {
		ctx, db := context.Background(), open()
		first, err := db.Migrate(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(first) == 0 {
			t.Fatal("an empty database needed no migration")
		}
		second, err := db.Migrate(ctx)
		if err != nil || len(second) != 0 {
			t.Fatalf("second run applied %v, %v; want nothing", second, err)
		}
	})
}

func TestMigrationsBuildTheSchema(t *testing.T) {
	each(t, func(t *testing.T, open func() *database.Database) {
		ctx, db := context.Background(), open()
		if _, err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		var out countingWriter
		if err := db.Ent.Schema.WriteTo(ctx, &out, schema.WithDropColumn(true), schema.WithDropIndex(true)); err != nil {
			t.Fatal(err)
		}
		if out.statements != "" {
			t.Fatalf("the migrations and ent/schema differ (make migration NAME=…):\n%s", out.statements)
		}
		if len(migrate.Tables) < 20 {
			t.Fatalf("%d tables", len(migrate.Tables))
		}
	})
}

type countingWriter struct{ statements string }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.statements += string(p)
	return len(p), nil
}

// TestConcurrentMigrate: two servers that start together apply each migration once.
func TestConcurrentMigrate(t *testing.T) {
	each(t, func(t *testing.T, open func() *database.Database) {
		a, b := open(), open()
		var wg sync.WaitGroup
		applied := make([]int, 2)
		for i, db := range []*database.Database{a, b} {
			wg.Go(func() {
				names, err := db.Migrate(context.Background())
				if err != nil {
					t.Error(err)
				}
				applied[i] = len(names)
			})
		}
		wg.Wait()
		if applied[0]*applied[1] != 0 || applied[0]+applied[1] == 0 {
			t.Fatalf("applied %v; want all by one of the two", applied)
		}
	})
}

// TestTimesComeBackAsTheyWent guards the text format SQLite stores times in.
func TestTimesComeBackAsTheyWent(t *testing.T) {
	each(t, func(t *testing.T, open func() *database.Database) {
		ctx, db := context.Background(), open()
		if _, err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 3, 1, 12, 30, 15, 123456000, time.UTC)
		db.Ent.User.Create().SetID("u1").SetName("Borduria Bank").SetCreatedAt(at).SaveX(ctx)
		got := db.Ent.User.GetX(ctx, "u1").CreatedAt
		if !got.Equal(at) {
			t.Fatalf("got %v, want %v", got, at)
		}
	})
}

// TestQueryRow: a parameter may stand in several places.
func TestQueryRow(t *testing.T) {
	each(t, func(t *testing.T, open func() *database.Database) {
		ctx, db := context.Background(), open()
		if _, err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"u1", "u2"} {
			db.Ent.User.Create().SetID(id).SetName("Bank of " + id).SetCreatedAt(time.Unix(0, 0).UTC()).ExecX(ctx)
		}
		const query = "SELECT count(*) FROM users WHERE name <> $2 AND ($1 = '' OR id = $1)"
		for _, c := range []struct {
			id, name string
			want     int
		}{{"", "", 2}, {"u1", "", 1}, {"u1", "Bank of u1", 0}, {"", "Bank of u1", 1}, {"u3", "", 0}} {
			var got int
			if err := db.QueryRow(ctx, query, c.id, c.name).Scan(&got); err != nil || got != c.want {
				t.Errorf("id %q, name %q: %d, %v; want %d", c.id, c.name, got, err, c.want)
			}
		}
		if db.Dialect == dialect.SQLite {
			var none string
			if err := db.QueryRow(ctx, "DELETE FROM users RETURNING id").Scan(&none); err == nil {
				t.Error("a reader has changed something")
			}
		}
	})
}

// TestCheckpoint has nothing to do with PostgreSQL, and says so by not failing.
func TestCheckpoint(t *testing.T) {
	each(t, func(t *testing.T, open func() *database.Database) {
		if err := open().Checkpoint(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, url := range []string{"mysql://x", "http://x", "kycd.db"} {
		if _, err := database.Open(context.Background(), url, t.TempDir()); err == nil {
			t.Errorf("%s was opened", url)
		}
	}
	if _, err := database.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "no", "such", "dir.db"), ""); err == nil {
		t.Error("a file in a missing folder was opened")
	}
	if _, err := database.Open(context.Background(), "postgres://u:hunter2@127.0.0.1:1/x?connect_timeout=1", ""); err == nil {
		t.Error("a dead server was opened")
	} else if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is in the error: %v", err)
	}
}
