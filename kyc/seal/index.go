package seal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
)

// termBytes is the length of a blind index term. 128 bits leave no accidental collisions in one tenant's data.
const termBytes = 16

// Indexer computes blind index terms: equal values of one tenant and field give equal terms, and without the key
// nobody can compute or check a term, not even for a value that is easily guessed. It is safe for concurrent use.
type Indexer struct{ key []byte }

// NewIndexKey makes an index key and its wrapped form, which is stored once for the whole installation: a second
// key would find nothing that the first one indexed.
func (m *Master) NewIndexKey(ctx context.Context) (wrapped []byte, indexer *Indexer, err error) {
	key := make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return nil, nil, err
	}
	if wrapped, err = m.wrap(ctx, key, indexData()); err != nil {
		return nil, nil, err
	}
	return wrapped, &Indexer{key: key}, nil
}

// OpenIndexer opens a stored index key. Because every installation has one, opening it at start also proves that
// the master key is the right one.
func (m *Master) OpenIndexer(ctx context.Context, wrapped []byte) (*Indexer, error) {
	key, err := m.unwrap(ctx, wrapped, indexData())
	if err != nil {
		return nil, err
	}
	return &Indexer{key: key}, nil
}

// Term is the blind index term of a normalised value (NormalName, NormalNumber): HMAC-SHA-256 over tenant, field
// and value, cut to 16 bytes, 32 hex digits. Terms of different tenants or fields have nothing in common. An empty
// value has the empty term, which must not be searched for.
func (x *Indexer) Term(tenant, field, value string) string {
	if value == "" {
		return ""
	}
	mac := hmac.New(sha256.New, x.key)
	mac.Write(joinParts(tenant, field, value))
	return hex.EncodeToString(mac.Sum(nil)[:termBytes])
}

func indexData() []byte { return joinParts("index key") }
