package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"
)

// draftFolder holds files that are being written. Keys never start with a dot, so no key can reach it.
const draftFolder = ".drafts"

// draftLife is after how long a draft counts as left behind by a process that died.
const draftLife = time.Hour

// Folder is a Store in a folder of its own. Package fileblob of gocloud.dev does not sync what it writes, so after a
// loss of power a committed database row could refer to an empty image; hence this one.
type Folder struct{ root *os.Root }

// OpenFolder opens the folder dir, which it makes with mode 0700. All access goes through os.Root: not even a
// symbolic link inside the folder leads out of it.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	folder := &Folder{root: root}
	if err := errors.Join(syncParent(dir), folder.prepare()); err != nil {
		root.Close()
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return folder, nil
}

// prepare makes the draft folder and removes drafts that a dead process left. Their age is measured against the
// time that the file system gives a new file, so a clock that differs from the file server's does no harm.
func (f *Folder) prepare() error {
	if err := f.root.Mkdir(draftFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	probe, err := f.writeDraft(nil)
	if err != nil {
		return err
	}
	defer f.root.Remove(probe)
	now, err := f.root.Stat(probe)
	if err != nil {
		return err
	}
	drafts, err := fs.ReadDir(f.root.FS(), draftFolder)
	if err != nil {
		return err
	}
	for _, draft := range drafts {
		info, err := draft.Info()
		if err != nil || now.ModTime().Sub(info.ModTime()) < draftLife {
			continue // gone already, or perhaps still being written
		}
		if err := f.root.Remove(path.Join(draftFolder, draft.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// syncParent makes the name of the folder itself survive a loss of power.
func syncParent(dir string) error {
	parent, err := os.Open(filepath.Dir(filepath.Clean(dir)))
	if err != nil {
		return err
	}
	defer parent.Close()
	return parent.Sync()
}

// Put implements Store: draft, sync, rename, sync of every folder that leads to the file.
func (f *Folder) Put(ctx context.Context, key string, sealed []byte) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	draft, err := f.writeDraft(sealed)
	if err != nil {
		return unavailable(err)
	}
	if err := f.publish(draft, key); err != nil {
		err = errors.Join(err, f.root.Remove(draft))
		if clash(err) {
			return ErrInvalidKey
		}
		return unavailable(err)
	}
	return unavailable(f.syncFolders(path.Dir(key)))
}

// publish gives the draft its name. It tries again when DeletePrefix takes the parent folder away in between.
func (f *Folder) publish(draft, key string) error {
	for attempt := 0; ; attempt++ {
		if err := f.root.MkdirAll(path.Dir(key), 0o700); err != nil {
			return err
		}
		err := f.root.Rename(draft, key)
		if !errors.Is(err, fs.ErrNotExist) || attempt == 3 {
			return err
		}
	}
}

// writeDraft stores the bytes durably under a fresh name in the draft folder.
func (f *Folder) writeDraft(sealed []byte) (name string, err error) {
	name = path.Join(draftFolder, rand.Text())
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = file.Write(sealed)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, f.root.Remove(name))
	}
	return name, nil
}

// Get implements Store.
func (f *Folder) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	file, err := f.root.Open(key)
	if absent(err) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, unavailable(err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, unavailable(err)
	case !info.Mode().IsRegular():
		return nil, ErrNotFound
	case info.Size() > limit:
		return nil, ErrTooLarge
	}
	sealed := make([]byte, info.Size())
	if _, err := io.ReadFull(file, sealed); err != nil {
		return nil, unavailable(err)
	}
	return sealed, nil
}

// Delete implements Store.
func (f *Folder) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	if info, err := f.root.Lstat(key); absent(err) || err == nil && info.IsDir() {
		return nil // a folder is a part of other keys, not a stored value
	}
	if err := f.root.Remove(key); err != nil && !absent(err) {
		return unavailable(err)
	}
	return unavailable(f.syncFolder(path.Dir(key)))
}

// DeletePrefix implements Store.
func (f *Folder) DeletePrefix(ctx context.Context, prefix string) error {
	if err := check(ctx, prefix); err != nil {
		return err
	}
	if info, err := f.root.Lstat(prefix); absent(err) || err == nil && !info.IsDir() {
		return nil // a file is the key itself, which the prefix does not include
	}
	if err := f.root.RemoveAll(prefix); err != nil {
		return unavailable(err)
	}
	return unavailable(f.syncFolder(path.Dir(prefix)))
}

// Ping implements Store: it writes a file durably and removes it.
func (f *Folder) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	draft, err := f.writeDraft([]byte{0})
	if err != nil {
		return unavailable(err)
	}
	return unavailable(f.root.Remove(draft))
}

// Close implements Store.
func (f *Folder) Close() error { return f.root.Close() }

// syncFolders makes the names from folder up to the root durable. Which of them is new does not matter: another
// process may have made one and not synced it yet, and a sync without changes costs next to nothing.
func (f *Folder) syncFolders(folder string) error {
	for {
		if err := f.syncFolder(folder); err != nil {
			return err
		}
		if folder == "." {
			return nil
		}
		folder = path.Dir(folder)
	}
}

func (f *Folder) syncFolder(name string) error {
	folder, err := f.root.Open(name)
	if absent(err) {
		return nil // deleted in the meantime, together with what was in it
	}
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// absent also covers a key of which a part is a file: nothing is stored there.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// clash tells whether a file stands where the key needs a folder, or the other way round.
func clash(err error) bool {
	return errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) || errors.Is(err, fs.ErrExist)
}

// unavailable wraps a failure of the store; nil stays nil.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
