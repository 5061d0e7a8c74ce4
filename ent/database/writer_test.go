package database

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"kycd/ent"
	"kycd/ent/datakey"
)

// openHere opens and migrates a SQLite file in a folder of the test.
func openHere(t *testing.T, dir string) *Database {
	t.Helper()
	db, err := Open(context.Background(), "", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db
}

func addUser(ctx context.Context, client *ent.Client, id string) error {
	return client.User.Create().SetID(id).SetName("Borduria Bank").SetCreatedAt(time.Unix(0, 0).UTC()).Exec(ctx)
}

// TestFirstComeFirstServed: whatever way they come, those who wait for the writer get it in the order of their coming.
func TestFirstComeFirstServed(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, db := context.Background(), openHere(t, dir)
		held, err := db.Ent.Tx(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var want []string
		for i := range 32 {
			id := fmt.Sprintf("user-%02d", i)
			want = append(want, id)
			wg.Go(func() {
				if err := addInSomeWay(ctx, db, i, id); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait() // until it waits for the writer
		}
		if err := held.Rollback(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		got, err := db.Ent.User.Query().Order(func(s *entsql.Selector) { s.OrderBy("rowid") }).IDs(ctx)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("written in the order %v, %v", got, err)
		}
	})
}

func addInSomeWay(ctx context.Context, db *Database, way int, id string) error {
	switch way % 4 {
	case 0: // one statement
		return addUser(ctx, db.Ent, id)
	case 1: // a statement that gives rows
		_, err := db.Ent.User.Create().SetID(id).SetName("Borduria Bank").SetCreatedAt(time.Unix(0, 0).UTC()).
			OnConflictColumns("id").UpdateNewValues().ID(ctx)
		return err
	case 2:
		tx, err := db.Ent.Tx(ctx)
		if err != nil {
			return err
		}
		return errors.Join(addUser(ctx, tx.Client(), id), tx.Commit())
	default:
		tx, err := db.Ent.BeginTx(ctx, &sql.TxOptions{})
		if err != nil {
			return err
		}
		return errors.Join(addUser(ctx, tx.Client(), id), tx.Commit())
	}
}

// TestWhoGivesUpLeavesTheQueue: a client that goes away while it waits holds up nobody.
func TestWhoGivesUpLeavesTheQueue(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, db := context.Background(), openHere(t, dir)
		held, err := db.Ent.Tx(ctx)
		if err != nil {
			t.Fatal(err)
		}
		impatient, giveUp := context.WithCancel(ctx)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if err := addInSomeWay(impatient, db, i, fmt.Sprintf("impatient-%d", i)); !errors.Is(err, context.Canceled) {
					t.Errorf("way %d: got %v, want %v", i%4, err, context.Canceled)
				}
			})
			synctest.Wait()
		}
		wg.Go(func() {
			if err := db.Checkpoint(impatient); !errors.Is(err, context.Canceled) {
				t.Errorf("checkpoint: got %v, want %v", err, context.Canceled)
			}
		})
		wg.Go(func() {
			if err := addUser(ctx, db.Ent, "patient"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		giveUp()
		synctest.Wait()
		if err := held.Rollback(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if got := db.Ent.User.Query().IDsX(ctx); !slices.Equal(got, []string{"patient"}) {
			t.Errorf("written: %v, want the patient one alone", got)
		}
	})
}

// TestErasedKeysLeaveNoTrace: after Checkpoint neither the database file nor the log holds a wrapped key that was erased,
// whether its row was emptied, overwritten or deleted, alone or so many together that pages got free.
func TestErasedKeysLeaveNoTrace(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db := openHere(t, dir)
	const keys = 3000 // some hundred pages
	wrapped := make(map[string][]byte, keys)
	tx, err := db.Ent.Tx(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range keys {
		id, secret := rand.Text(), make([]byte, 61)
		if _, err := rand.Read(secret); err != nil {
			t.Fatal(err)
		}
		wrapped[id] = secret
		if err := tx.DataKey.Create().SetID(id).SetPurpose(datakey.PurposeSession).SetWrapped(secret).SetCreatedAt(time.Unix(int64(i), 0)).Exec(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := found(t, dir, wrapped); got != keys {
		t.Fatalf("%d of %d keys are found before they are erased", got, keys)
	}
	ids := db.Ent.DataKey.Query().Order(ent.Asc(datakey.FieldCreatedAt)).IDsX(ctx)
	for i, id := range ids[:300] { // one by one
		switch i % 3 {
		case 0:
			err = db.Ent.DataKey.UpdateOneID(id).ClearWrapped().Exec(ctx)
		case 1:
			err = db.Ent.DataKey.UpdateOneID(id).SetWrapped(bytes.Repeat([]byte{1}, 80)).Exec(ctx)
		case 2:
			err = db.Ent.DataKey.DeleteOneID(id).Exec(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := found(t, dir, wrapped); got != keys {
		t.Fatalf("the log has forgotten keys before the checkpoint (%d of %d are left), so this test shows nothing", got, keys)
	}
	if _, err := db.Ent.DataKey.Delete().Where(datakey.IDIn(ids[1000:]...)).Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if err := db.Ent.DataKey.Update().Where(datakey.IDIn(ids[300:1000]...)).ClearWrapped().Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if err := db.Checkpoint(ctx); err != nil {
		t.Fatal(err)
	}
	if got := found(t, dir, wrapped); got != 0 {
		t.Errorf("%d of %d erased keys are still on the disk", got, keys)
	}
}

// found counts the values that are somewhere in the folder's files.
func found(t *testing.T, dir string, values map[string][]byte) int {
	t.Helper()
	var files [][]byte
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, content)
	}
	count := 0
	for _, value := range values {
		if slices.ContainsFunc(files, func(content []byte) bool { return bytes.Contains(content, value) }) {
			count++
		}
	}
	return count
}

func TestCheckpointEmptiesTheLog(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db := openHere(t, dir)
	wal := filepath.Join(dir, "kycd.db-wal")
	if info, err := os.Stat(wal); err != nil || info.Size() == 0 {
		t.Fatalf("there is no log to empty: %v", err)
	}
	for range 2 { // an empty log too
		if err := db.Checkpoint(ctx); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(wal); err != nil || info.Size() != 0 {
			t.Fatalf("the log is not empty: %+v, %v", info, err)
		}
	}
	if err := addUser(ctx, db.Ent, "after"); err != nil {
		t.Fatal(err)
	}
}

// TestCheckpointWaitsForReaders: what somebody still reads stays in the log, and Checkpoint says so.
func TestCheckpointWaitsForReaders(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db := openHere(t, dir)
	if err := addUser(ctx, db.Ent, "u"); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", dsn(filepath.Join(dir, "kycd.db"), "ro", "deferred"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	reading, err := other.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	var users int
	if err := reading.QueryRowContext(ctx, "SELECT count(*) FROM users").Scan(&users); err != nil || users != 1 {
		t.Fatalf("%d users, %v", users, err)
	}
	if _, err := db.writer.ExecContext(ctx, "PRAGMA busy_timeout = 20"); err != nil { // instead of ten seconds
		t.Fatal(err)
	}
	if err := db.Checkpoint(ctx); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want %v", err, ErrBusy)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := db.Checkpoint(ctx); err != nil {
		t.Errorf("nobody reads any more: %v", err)
	}
}
