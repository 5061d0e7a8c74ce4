// Package blob keeps the large sealed values (images, evidence) outside the database. It is given sealed bytes only,
// so neither a folder nor a bucket ever holds a readable image.
package blob

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// maxKeyBytes bounds a key: file systems and S3 both take more, nothing here needs it.
const maxKeyBytes = 512

// Store holds sealed bytes under keys such as "sessions/ID/front". Every method answers ErrInvalidKey for a key of
// another form and ErrUnavailable for a store that fails. A Store is safe for concurrent use, also by several
// processes.
type Store interface {
	// Put stores sealed under key, in place of what was there: readers see the old or the new bytes, never a
	// mixture. When it returns nil, the bytes survive a loss of power, so a database row may now refer to them.
	Put(ctx context.Context, key string, sealed []byte) error
	// Get gives what is stored, ErrNotFound where nothing is, ErrTooLarge where it is longer than limit bytes.
	Get(ctx context.Context, key string, limit int64) ([]byte, error)
	// Delete removes what is stored; to remove nothing is no error, so that an erasure may be repeated.
	Delete(ctx context.Context, key string) error
	// DeletePrefix removes every key that continues prefix after a slash: "sessions/1" takes "sessions/1/front"
	// and leaves "sessions/12/front". To remove nothing is no error.
	DeletePrefix(ctx context.Context, prefix string) error
	// Ping finds out whether the store can be written and read at present.
	Ping(ctx context.Context) error
	// Close ends the use of the store.
	Close() error
}

// Open opens the store that address names: "" is the folder blobs in dataDir, "file:///path" another folder,
// "s3://bucket?region=…&endpoint=…&prefix=…" a bucket of S3 or of a compatible service, with credentials from the
// usual AWS sources. The query keys are those of gocloud.dev/blob/s3blob; with an endpoint of one's own, path style
// addressing and checksums only where required are preset, because most compatible services need them.
//
// A bucket must not keep old versions: they would outlive an erasure (the destroyed data key still makes them
// unreadable).
func Open(ctx context.Context, address, dataDir string) (Store, error) {
	if address == "" {
		return OpenFolder(filepath.Join(dataDir, "blobs"))
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: the address of the blob store is no URL", ErrConfig)
	}
	switch parsed.Scheme {
	case "file":
		if parsed.Host != "" || !filepath.IsAbs(parsed.Path) {
			return nil, fmt.Errorf("%w: a folder is written file:///absolute/path", ErrConfig)
		}
		return OpenFolder(parsed.Path)
	case "s3":
		return openBucket(ctx, parsed)
	default:
		return nil, fmt.Errorf("%w: no blob store for scheme %q", ErrConfig, parsed.Scheme)
	}
}

// ValidKey tells whether key consists of parts joined by single slashes, each part of 1 or more of the characters
// a–z A–Z 0–9 . _ - and not starting with a dot, at most 512 bytes in all. Such keys cannot leave a folder, mean the
// same on every store and need no escaping.
func ValidKey(key string) bool {
	if key == "" || len(key) > maxKeyBytes {
		return false
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part[0] == '.' || strings.ContainsFunc(part, notKeyRune) {
			return false
		}
	}
	return true
}

func notKeyRune(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
		return false
	}
	return true
}

// check refuses a bad key without quoting it: what is wrong with it came from outside.
func check(ctx context.Context, key string) error {
	if !ValidKey(key) {
		return ErrInvalidKey
	}
	return ctx.Err()
}
