package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	originsName = "origins.json"
	lockName    = ".lock"
	tempPrefix  = ".part-"
)

// origin is where a file of the folder came from, and what it was then.
type origin struct {
	Kind  Kind      `json:"kind"`
	Where string    `json:"where"`
	At    time.Time `json:"at"`
	Pin
}

func (o origin) String() string {
	if o.Where == "" {
		return string(o.Kind)
	}
	return string(o.Kind) + " " + o.Where
}

// origins is the folder's diary. Losing it loses no weights, only where they came from, and the
// operator's choice of a predictor, which the next Fetch is told again.
type origins struct {
	Files map[string]origin `json:"files"`
	// Failed holds when a source of an optional weight last failed.
	Failed map[string]time.Time `json:"failed,omitempty"`
}

func readOrigins(dir string) origins {
	var o origins
	if b, err := os.ReadFile(filepath.Join(dir, originsName)); err == nil {
		if json.Unmarshal(b, &o) != nil {
			o = origins{}
		}
	}
	if o.Files == nil {
		o.Files = map[string]origin{}
	}
	if o.Failed == nil {
		o.Failed = map[string]time.Time{}
	}
	return o
}

func (o origins) write(dir string) error {
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	return place(dir, originsName, func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
}

// place writes a file so that it is either there as a whole or not at all, also after a power cut.
func place(dir, name string, write func(io.Writer) error) error {
	temp, err := os.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // fails once renamed
	defer temp.Close()
	if err := write(temp); err != nil {
		return err
	}
	if err := temp.Chmod(0o644); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncFolder(dir)
}

// placeLink is place for a file that stays where it is: the folder gets a symbolic link.
func placeLink(dir, name, target string) error {
	temp := filepath.Join(dir, tempPrefix+name)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temp); err != nil {
		return err
	}
	if err := os.Rename(temp, filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncFolder(dir)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// removeLeftovers deletes what an interrupted fetch left. The caller holds the folder's lock.
func removeLeftovers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure gives the content of a regular file (through symbolic links).
func measure(ctx context.Context, path string) (Pin, error) {
	f, err := os.Open(path)
	if err != nil {
		return Pin{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Pin{}, err
	}
	if !info.Mode().IsRegular() {
		return Pin{}, errors.New("not a file")
	}
	h := sha256.New()
	n, err := io.Copy(h, reader{ctx, f})
	if err != nil {
		return Pin{}, err
	}
	return Pin{SHA256: hex.EncodeToString(h.Sum(nil)), Size: n}, nil
}

// reader ends when its context does.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// copyPinned copies what pin describes and refuses everything else. It reads at most one byte more than
// the pin's size. On error what was written is worthless.
func copyPinned(ctx context.Context, to io.Writer, from io.Reader, subject string, pin Pin) error {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, h), io.LimitReader(reader{ctx, from}, pin.Size+1))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return &Error{Code: CodeSource, Subject: subject, Err: err}
	}
	return pin.check(subject, Pin{SHA256: hex.EncodeToString(h.Sum(nil)), Size: n})
}

// check compares content that was found with the pin.
func (p Pin) check(subject string, found Pin) error {
	switch {
	case found.Size > p.Size:
		return &Error{Code: CodeTruncated, Subject: subject, Detail: "longer than the pinned " + bytesText(p.Size)}
	case found.Size < p.Size:
		return &Error{Code: CodeTruncated, Subject: subject, Detail: "cut off: " + bytesText(found.Size) + " of " + bytesText(p.Size)}
	case found.SHA256 != p.SHA256:
		return &Error{Code: CodeMismatch, Subject: subject, Detail: "wrong content: sha256 " + short(found.SHA256) + ", pinned " + short(p.SHA256)}
	}
	return nil
}

// short is enough of a digest for a person to compare.
func short(digest string) string {
	if len(digest) > 12 {
		return digest[:12]
	}
	return digest
}
