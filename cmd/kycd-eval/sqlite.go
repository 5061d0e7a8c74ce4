package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"kycd/ent"
	"kycd/ent/database"
)

const (
	writers     = 16                    // clients that write at the same time
	writeRounds = 5                     // of every kind, in turn
	sqliteGoal  = 15 * time.Millisecond // for all writes but one in a hundred; the median of the rounds
)

// measureSQLite: sixteen writers, each committing row after row, through the database as kycd opens it and through
// the pool that database/sql makes by itself, with the same file settings. Then sessions, each begun in a transaction
// of several statements. They take turns, because the disk is not the same from one second to the next.
func measureSQLite(ctx context.Context, o speedOptions) ([]finding, error) {
	kinds := []func(ctx context.Context, folder string, lasting time.Duration) ([]time.Duration, error){writeNaively, writeAsKycd, beginSessions}
	rounds := make([]writeRound, len(kinds))
	for range writeRounds {
		for i, measure := range kinds {
			took, err := inFolder(o.folder, func(folder string) ([]time.Duration, error) { return measure(ctx, folder, o.writeFor/writeRounds) })
			if err != nil {
				return nil, err
			}
			rounds[i].add(took, o.writeFor/writeRounds)
		}
	}
	naive, ours, sessions := rounds[0], rounds[1], rounds[2]
	return []finding{{
		What:     fmt.Sprintf("SQLite, %d writers, each row committed; p99, median / worst of %d, and writes a second (a plain pool)", writers, writeRounds),
		Baseline: naive.String(), Ours: ours.String(), Ratio: times(naive.p99().Seconds() / ours.p99().Seconds()),
		Goal: "p99 ≤ " + millis(sqliteGoal), Met: ours.p99() <= sqliteGoal,
	}, {
		What: fmt.Sprintf("sessions begun by %d clients, each in a transaction of several statements; the same", writers),
		Ours: sessions.String(), Goal: noGoal, Met: true,
	}}, nil
}

// inFolder measures in a folder of its own, which is removed afterwards.
func inFolder(parent string, measure func(folder string) ([]time.Duration, error)) (_ []time.Duration, err error) {
	folder, err := os.MkdirTemp(parent, "kycd-eval")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	return measure(folder)
}

// writeRound is what the rounds of one kind gave.
type writeRound struct {
	p99s  []time.Duration
	rates []float64 // a second
}

func (r *writeRound) add(took []time.Duration, lasting time.Duration) {
	r.p99s = append(r.p99s, quantile(took, 0.99))
	r.rates = append(r.rates, float64(len(took))/lasting.Seconds())
}

// p99 is the median of the rounds.
func (r *writeRound) p99() time.Duration { return quantile(r.p99s, 0.5) }

func (r *writeRound) String() string {
	return fmt.Sprintf("%s / %s (%.0f/s)", millis(r.p99()), millis(slices.Max(r.p99s)), median(r.rates))
}

func writeAsKycd(ctx context.Context, folder string, lasting time.Duration) ([]time.Duration, error) {
	db, err := database.Open(ctx, "", folder)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		return nil, err
	}
	return write(lasting, func(id string) error { return addUser(ctx, db.Ent, id) })
}

// writeNaively uses the same tables, write-ahead log, durability and erasing, and only the pool differs.
func writeNaively(ctx context.Context, folder string, lasting time.Duration) ([]time.Duration, error) {
	db, err := database.Open(ctx, "", folder)
	if err != nil {
		return nil, err
	}
	_, err = db.Migrate(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	settings := url.Values{"_time_format": {"sqlite"}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(on)",
	}}
	pool, err := sql.Open("sqlite", "file:"+url.PathEscape(filepath.Join(folder, "kycd.db"))+"?"+settings.Encode())
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, pool)))
	return write(lasting, func(id string) error { return addUser(ctx, client, id) })
}

func addUser(ctx context.Context, client *ent.Client, id string) error {
	return client.User.Create().SetID(id).SetName("Borduria Bank").SetCreatedAt(time.Now().UTC()).Exec(ctx)
}

// beginSessions goes through the rules: weights, data key, sealed columns, search terms and history.
func beginSessions(ctx context.Context, folder string, lasting time.Duration) (_ []time.Duration, err error) {
	in, err := openInstallation(ctx, folder)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	return write(lasting, func(id string) error {
		_, err := in.begin(ctx, id)
		return err
	})
}

// write lets all writers commit for a while, each what has a name of its own, and gives how long each commit took.
func write(lasting time.Duration, commit func(name string) error) ([]time.Duration, error) {
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
			for i := 0; err == nil && (i == 0 || time.Now().Before(until)); i++ {
				began := time.Now()
				err = commit(fmt.Sprintf("%d-%d", w, i))
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
