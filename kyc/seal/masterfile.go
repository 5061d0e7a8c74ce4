package seal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// masterFileName is the master key's file inside the data folder.
const masterFileName = "master.key"

// masterFileLimit bounds what is read of the file: some hundred keys.
const masterFileLimit = 16 << 10

// readOrCreateMasterFile gives the text of the master key file, which it makes when there is none.
func readOrCreateMasterFile(dataDir string) (string, error) {
	path := filepath.Join(dataDir, masterFileName)
	text, err := readMasterFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return "", fmt.Errorf("%w: %w", ErrMasterConfig, err)
	}
	if err := createMasterFile(dataDir, path); err != nil {
		return "", fmt.Errorf("%w: %w", ErrMasterConfig, err)
	}
	// Read back even after creating: when two processes start at once, both must use the file that won.
	return readMasterFile(path)
}

// readMasterFile checks the file that it has opened, not its name, so that nobody can exchange it in between.
func readMasterFile(path string) (string, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("%w: %s is not a regular file", ErrMasterMode, masterFileName)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMasterConfig, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMasterConfig, err)
	}
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&0o077 != 0 {
		return "", fmt.Errorf("%w: %s has mode %04o; only its owner may read it (chmod 600)", ErrMasterMode, masterFileName, mode.Perm())
	}
	text, err := io.ReadAll(io.LimitReader(file, masterFileLimit))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMasterConfig, err)
	}
	return string(text), nil
}

// createMasterFile puts a fresh key at path unless a file is there already. The key is written and synced under
// another name and then linked: a link appears whole or not at all and never replaces a file, so a process that
// starts at the same moment can neither read half a key nor lose the one it has begun to use.
func createMasterFile(dataDir, path string) error {
	draft, err := os.CreateTemp(dataDir, ".master-*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	defer draft.Close()

	var key [keyBytes]byte
	if _, err := rand.Read(key[:]); err != nil {
		return err
	}
	// os.CreateTemp made the file with mode 0600.
	if _, err := draft.WriteString(base64.StdEncoding.EncodeToString(key[:]) + "\n"); err != nil {
		return err
	}
	if err := draft.Sync(); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return errors.Join(syncFolder(dataDir), syncFolder(filepath.Dir(filepath.Clean(dataDir))))
}

// syncFolder makes a new name in the folder survive a loss of power.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
