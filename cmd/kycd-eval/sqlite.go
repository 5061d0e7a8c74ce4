package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"kycd/ent"
	"kycd/ent/database"
)

// writers is how many clients write at the same time.
const writers = 16

// sqliteGoal is for the slowest write but one in a hundred.
const sqliteGoal = 15 * time.Millisecond

// measureSQLite: sixteen writers, each committing row after row, through the database as kycd opens it and through
// the pool that database/sql makes by itself, with the same file settings.
func measureSQLite(ctx context.Context, o speedOptions) (_ []finding, err error) {
	folder, err := os.MkdirTemp(o.folder, "kycd-eval")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	naive, err := writeNaively(ctx, filepath.Join(folder, "naive.db"), o.writeFor)
	if err != nil {
		return nil, err
	}
	ours, err := writeAsKycd(ctx, filepath.Join(folder, "kycd.db"), o.writeFor)
	if err != nil {
		return nil, err
	}
	base, p99 := quantile(naive, 0.99), quantile(ours, 0.99)
	show := func(all []time.Duration) string {
		return fmt.Sprintf("%s (%.0f/s)", millis(quantile(all, 0.99)), float64(len(all))/o.writeFor.Seconds())
	}
	return []finding{{
		What:     fmt.Sprintf("SQLite, %d writers, each row committed; p99 and writes a second (a plain pool)", writers),
		Baseline: show(naive), Ours: show(ours), Ratio: times(base.Seconds() / p99.Seconds()),
		Goal: fmt.Sprintf("p99 ≤ %s", millis(sqliteGoal)), Met: p99 <= sqliteGoal,
	}}, nil
}

func writeAsKycd(ctx context.Context, path string, lasting time.Duration) ([]time.Duration, error) {
	db, err := database.Open(ctx, "sqlite:"+path, "")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		return nil, err
	}
	return write(ctx, db.Ent, lasting)
}

// writeNaively uses the same tables, write-ahead log and durability, and only the pool differs.
func writeNaively(ctx context.Context, path string, lasting time.Duration) ([]time.Duration, error) {
	db, err := database.Open(ctx, "sqlite:"+path, "")
	if err != nil {
		return nil, err
	}
	_, err = db.Migrate(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	settings := url.Values{"_time_format": {"sqlite"}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}}
	pool, err := sql.Open("sqlite", "file:"+url.PathEscape(path)+"?"+settings.Encode())
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	return write(ctx, ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, pool))), lasting)
}

// write lets all writers commit rows for a while, and gives how long each commit took.
func write(ctx context.Context, client *ent.Client, lasting time.Duration) ([]time.Duration, error) {
	var (
		mu    sync.Mutex
		all   []time.Duration
		errs  []error
		wg    sync.WaitGroup
		until = time.Now().Add(lasting)
	)
	for w := range writers {
		wg.Go(func() {
			var took []time.Duration
			var err error
			for i := 0; err == nil && time.Now().Before(until); i++ {
				began := time.Now()
				err = client.User.Create().SetID(fmt.Sprintf("user-%d-%d", w, i)).SetName("Borduria Bank").SetCreatedAt(began.UTC()).Exec(ctx)
				took = append(took, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			all, errs = append(all, took...), append(errs, err)
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}
