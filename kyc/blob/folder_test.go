package blob

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestFolderModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	store := open(t, "", dir)
	if err := store.Put(context.Background(), "sessions/1/front", []byte("sealed")); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if !entry.IsDir() {
			files++
		}
		return nil
	})
	if err != nil || files != 1 {
		t.Errorf("%d files left, want the stored one alone; %v", files, err)
	}
}

func TestFolderLinks(t *testing.T) {
	ctx, dir, outside := context.Background(), t.TempDir(), t.TempDir()
	store := open(t, "", dir)
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "blobs", "out")); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Get(ctx, "out/secret", 100); err == nil {
		t.Errorf("a link leads out: %q", got)
	}
	if err := store.Put(ctx, "out/planted", []byte("x")); err == nil {
		t.Error("put follows a link out")
	}
	if err := store.Delete(ctx, "out/secret"); err == nil {
		t.Error("delete follows a link out")
	}
	if names, err := os.ReadDir(outside); err != nil || len(names) != 1 {
		t.Errorf("outside: %v, %v", names, err)
	}
}

func TestFolderClash(t *testing.T) {
	ctx, store := context.Background(), open(t, "", t.TempDir())
	if err := store.Put(ctx, "a/b", []byte("file")); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "a/b/c"} {
		if err := store.Put(ctx, key, []byte("x")); !errors.Is(err, ErrInvalidKey) {
			t.Errorf("put %s beside a/b: %v", key, err)
		}
	}
	if got, err := store.Get(ctx, "a/b", 10); err != nil || string(got) != "file" {
		t.Errorf("a/b is now %q, %v", got, err)
	}
}

// Drafts of a process that died go at the next start; those of a process at work stay.
func TestFolderDrafts(t *testing.T) {
	dir := t.TempDir()
	open(t, "", dir)
	old, young := filepath.Join(dir, "blobs", draftFolder, "old"), filepath.Join(dir, "blobs", draftFolder, "young")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(young)
	if err != nil {
		t.Fatal(err)
	}
	before := info.ModTime().Add(-draftLife - time.Minute)
	if err := os.Chtimes(old, before, before); err != nil {
		t.Fatal(err)
	}
	open(t, "", dir)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old draft: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young draft: %v", err)
	}
}

// Readers and writers of one key, and an erasure of its folder in between: a reader sees one writer's bytes or
// nothing, never a mixture, and no writer fails.
func TestFolderRaces(t *testing.T) {
	ctx, store := context.Background(), open(t, "", t.TempDir())
	var workers sync.WaitGroup
	for writer := range byte(4) {
		workers.Go(func() {
			for range 25 {
				if err := store.Put(ctx, "sessions/1/front", bytes.Repeat([]byte{writer}, 10_000)); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
		workers.Go(func() {
			for range 100 {
				got, err := store.Get(ctx, "sessions/1/front", 1<<20)
				if errors.Is(err, ErrNotFound) {
					continue
				}
				if err != nil || len(got) != 10_000 || bytes.Count(got, got[:1]) != len(got) {
					t.Errorf("get: %d bytes, %v", len(got), err)
				}
			}
		})
	}
	workers.Go(func() {
		for range 10 {
			if err := store.DeletePrefix(ctx, "sessions/1"); err != nil {
				t.Errorf("delete prefix: %v", err)
			}
		}
	})
	workers.Wait()
}

func BenchmarkFolderPut4MB(b *testing.B) {
	store, err := Open(context.Background(), "", b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	sealed := make([]byte, 4<<20)
	b.SetBytes(int64(len(sealed)))
	for b.Loop() {
		if err := store.Put(context.Background(), "sessions/1/front", sealed); err != nil {
			b.Fatal(err)
		}
	}
}
