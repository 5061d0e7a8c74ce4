package seal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Overhead is by how many bytes a sealed value is longer than its plaintext: Tink's prefix (5), nonce (12), tag (16).
const Overhead = 5 + 12 + 16

// Key is one unwrapped data key, AES-256-GCM. It is safe for concurrent use.
type Key struct{ aead tink.AEAD }

// NewDataKey makes a data key and its wrapped form for storage. associated names the key's owner ("session/ID");
// the wrapped form opens under the same name alone.
func (m *Master) NewDataKey(ctx context.Context, associated []byte) (wrapped []byte, key *Key, err error) {
	if len(associated) == 0 {
		return nil, nil, ErrUnbound
	}
	raw := make([]byte, keyBytes)
	if _, err := rand.Read(raw); err != nil {
		return nil, nil, err
	}
	if wrapped, err = m.wrap(ctx, raw, associated); err != nil {
		return nil, nil, err
	}
	key, err = newKey(raw)
	return wrapped, key, err
}

// Unwrap opens a wrapped data key. It fails with ErrDestroyed when wrapped is empty, ErrUnreadable when it belongs
// to another master key or owner, ErrMasterUnavailable when a key management service does not answer.
func (m *Master) Unwrap(ctx context.Context, wrapped, associated []byte) (*Key, error) {
	raw, err := m.unwrap(ctx, wrapped, associated)
	if err != nil {
		return nil, err
	}
	return newKey(raw)
}

func newKey(raw []byte) (*Key, error) {
	material, err := newAESKey(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	primitive, err := aesgcm.NewAEAD(material)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return &Key{aead: primitive}, nil
}

// Seal encrypts plain and binds it to associated, for which Row is the usual source. The result is Overhead bytes
// longer than plain and differs every time.
func (k *Key) Seal(plain, associated []byte) ([]byte, error) {
	if len(associated) == 0 {
		return nil, ErrUnbound
	}
	return k.aead.Encrypt(plain, associated)
}

// Open is the inverse of Seal; it answers ErrUnreadable for changed bytes, another key or other associated data.
func (k *Key) Open(sealed, associated []byte) ([]byte, error) {
	plain, err := k.aead.Decrypt(sealed, associated)
	if err != nil {
		return nil, ErrUnreadable
	}
	return plain, nil
}

// SealJSON seals the JSON form of value.
func (k *Key) SealJSON(value any, associated []byte) ([]byte, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		// The cause may quote the value, so it is dropped.
		return nil, fmt.Errorf("%w: %T has no JSON form", ErrEncoding, value)
	}
	return k.Seal(plain, associated)
}

// OpenJSON opens what SealJSON sealed into the variable that into points to.
func (k *Key) OpenJSON(sealed, associated []byte, into any) error {
	plain, err := k.Open(sealed, associated)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return fmt.Errorf("%w: the sealed JSON does not fit %T", ErrEncoding, into)
	}
	return nil
}

// Row is the associated data of one value in one row: a ciphertext that is copied to another table, column or row
// does not open there.
func Row(table, column, id string) []byte {
	return joinParts(table, column, id)
}

// joinParts writes every part behind its length, so that different parts never give equal bytes.
func joinParts(parts ...string) []byte {
	size := 0
	for _, part := range parts {
		size += binary.MaxVarintLen64 + len(part)
	}
	joined := make([]byte, 0, size)
	for _, part := range parts {
		joined = binary.AppendUvarint(joined, uint64(len(part)))
		joined = append(joined, part...)
	}
	return joined
}
