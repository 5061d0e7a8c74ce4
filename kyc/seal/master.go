// Package seal keeps personal data unreadable at rest. Every session or identity has a data key of its own; a
// master key wraps the data keys; destroying a wrapped data key makes all that it sealed unreadable for good,
// backups included. What must be found by value goes through a keyed blind index.
//
// Randomness comes from the operating system by way of Tink: a nonce must never be predictable, so it is the one
// input that is not taken by parameter.
package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"
	"github.com/tink-crypto/tink-go/v2/tink"
	"gocloud.dev/gcerrors"
	"gocloud.dev/secrets"
	_ "gocloud.dev/secrets/awskms"
	_ "gocloud.dev/secrets/localsecrets"
)

// keyBytes is the length of every symmetric key here: AES-256 and HMAC-SHA-256.
const keyBytes = 32

// Master wraps and unwraps data keys. It is safe for concurrent use.
type Master struct {
	aead  tink.AEADWithContext
	close func() error
}

// OpenMaster opens the master key that source names:
//
//   - "" is the file master.key in dataDir, made with mode 0600 on the first start; a file that its group or the
//     world may read is refused with ErrMasterMode.
//   - "env:NAME" is the value of that environment variable.
//   - "awskms://…" and "base64key://…" are keepers of gocloud.dev/secrets; every unwrap is one call to the service.
//   - anything else is the key itself.
//
// A key in a file, a variable or in source is 32 bytes of base64. Several keys may stand in a row, parted by white
// space or commas: the first wraps, all unwrap, so a master key is rotated by putting the new one in front.
func OpenMaster(ctx context.Context, source, dataDir string) (*Master, error) {
	switch {
	case source == "":
		text, err := readOrCreateMasterFile(dataDir)
		if err != nil {
			return nil, err
		}
		return masterFromText(text)
	case strings.Contains(source, "://"):
		return masterFromKeeper(ctx, source)
	case strings.HasPrefix(source, "env:"):
		name := strings.TrimPrefix(source, "env:")
		text, found := os.LookupEnv(name)
		if !found {
			return nil, fmt.Errorf("%w: environment variable %s is not set", ErrMasterConfig, name)
		}
		return masterFromText(text)
	default:
		return masterFromText(source)
	}
}

// Close releases the connection to a key management service, if there is one.
func (m *Master) Close() error { return m.close() }

// wrap seals key bytes for storage, bound to associated.
func (m *Master) wrap(ctx context.Context, key, associated []byte) ([]byte, error) {
	wrapped, err := m.aead.EncryptWithContext(ctx, key, associated)
	if err != nil {
		return nil, masterError(err)
	}
	return wrapped, nil
}

// unwrap is the inverse of wrap; anything but the very bytes that wrap gave is refused.
func (m *Master) unwrap(ctx context.Context, wrapped, associated []byte) ([]byte, error) {
	if len(wrapped) == 0 {
		return nil, ErrDestroyed
	}
	key, err := m.aead.DecryptWithContext(ctx, wrapped, associated)
	if err != nil {
		return nil, masterError(err)
	}
	if len(key) != keyBytes {
		return nil, fmt.Errorf("%w: a wrapped key has the wrong length", ErrUnreadable)
	}
	return key, nil
}

// masterError keeps our own codes and takes everything else for an outage of the service, because calling an
// outage "unreadable" would invite somebody to delete data that is only out of reach.
func masterError(err error) error {
	var code Code
	if errors.As(err, &code) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrMasterUnavailable, err)
}

// masterFromText makes a local master from base64 keys; its errors never quote the text.
func masterFromText(text string) (*Master, error) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	if len(fields) == 0 {
		return nil, fmt.Errorf("%w: the master key is empty", ErrMasterConfig)
	}
	manager := keyset.NewManager()
	for i, field := range fields {
		raw, err := decodeKey(field)
		if err != nil {
			return nil, err
		}
		key, err := newAESKey(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMasterConfig, err)
		}
		id, err := manager.AddKey(key)
		if err != nil {
			return nil, fmt.Errorf("%w: key %d of %d repeats an earlier one", ErrMasterConfig, i+1, len(fields))
		}
		if i > 0 {
			continue
		}
		if err := manager.SetPrimary(id); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMasterConfig, err)
		}
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMasterConfig, err)
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMasterConfig, err)
	}
	return &Master{aead: localAEAD{primitive}, close: func() error { return nil }}, nil
}

// decodeKey reads one base64 key, standard or URL-safe, with or without padding.
func decodeKey(text string) ([]byte, error) {
	plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: the master key is not base64", ErrMasterConfig)
	}
	if len(raw) != keyBytes {
		return nil, fmt.Errorf("%w: the master key has %d bytes instead of %d", ErrMasterConfig, len(raw), keyBytes)
	}
	return raw, nil
}

// newAESKey makes a Tink AES-256-GCM key whose id is derived from the key itself: equal bytes are the same key on
// every machine, and a ciphertext of another key is refused by its prefix before any decryption.
func newAESKey(raw []byte) (*aesgcm.Key, error) {
	parameters, err := aesgcm.NewParameters(aesgcm.ParametersOpts{
		KeySizeInBytes: keyBytes, IVSizeInBytes: 12, TagSizeInBytes: 16, Variant: aesgcm.VariantTink,
	})
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(append([]byte("kycd key id\x00"), raw...))
	id := max(1, binary.BigEndian.Uint32(digest[:4])) // Tink reserves id 0
	return aesgcm.NewKey(secretdata.NewBytesFromData(raw, insecuresecretdataaccess.Token{}), id, parameters)
}

// localAEAD gives a key held in memory the shape of a remote one.
type localAEAD struct{ tink.AEAD }

func (l localAEAD) EncryptWithContext(_ context.Context, plain, associated []byte) ([]byte, error) {
	return l.Encrypt(plain, associated)
}

func (l localAEAD) DecryptWithContext(_ context.Context, sealed, associated []byte) ([]byte, error) {
	plain, err := l.Decrypt(sealed, associated)
	if err != nil {
		return nil, fmt.Errorf("%w: the wrapped key does not belong to this master key or row", ErrUnreadable)
	}
	return plain, nil
}

// masterFromKeeper opens a key management service. A base64key URL holds its key, so no error quotes the URL.
func masterFromKeeper(ctx context.Context, source string) (*Master, error) {
	scheme, _, _ := strings.Cut(source, "://")
	keeper, err := secrets.OpenKeeper(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("%w: no keeper for a %s URL of this form", ErrMasterConfig, scheme)
	}
	return &Master{aead: keeperAEAD{keeper: keeper, local: scheme == "base64key"}, close: keeper.Close}, nil
}

// keeperAEAD adds associated data to a keeper, which has none: the digest of the associated data is sealed in
// front of the key and compared when the key is opened.
type keeperAEAD struct {
	keeper *secrets.Keeper
	local  bool
}

func (k keeperAEAD) EncryptWithContext(ctx context.Context, plain, associated []byte) ([]byte, error) {
	binding := sha256.Sum256(associated)
	return k.keeper.Encrypt(ctx, append(binding[:], plain...))
}

func (k keeperAEAD) DecryptWithContext(ctx context.Context, sealed, associated []byte) ([]byte, error) {
	bound, err := k.keeper.Decrypt(ctx, sealed)
	switch {
	case err != nil && (k.local || gcerrors.Code(err) == gcerrors.InvalidArgument):
		return nil, fmt.Errorf("%w: the wrapped key does not belong to this master key", ErrUnreadable)
	case err != nil:
		return nil, err
	}
	binding := sha256.Sum256(associated)
	if len(bound) < len(binding) || subtle.ConstantTimeCompare(bound[:len(binding)], binding[:]) != 1 {
		return nil, fmt.Errorf("%w: the wrapped key belongs to another row", ErrUnreadable)
	}
	return bytes.Clone(bound[len(binding):]), nil
}
