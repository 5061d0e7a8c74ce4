package seal

// Code is a stable snake_case error code. A Code is itself an error, so that callers compare with
// errors.Is and read the code with errors.As; the wrapped cause never holds key material or plaintext.
type Code string

// Error returns the code.
func (c Code) Error() string { return string(c) }

const (
	// ErrMasterConfig: the master key's source is malformed, missing or of the wrong length.
	ErrMasterConfig Code = "seal_master_config"
	// ErrMasterMode: the master key file is not a regular file that its owner alone may read.
	ErrMasterMode Code = "seal_master_mode"
	// ErrMasterUnavailable: the key management service did not answer; trying again later may help.
	ErrMasterUnavailable Code = "seal_master_unavailable"
	// ErrUnreadable: the bytes were changed, or belong to another key or another row.
	ErrUnreadable Code = "seal_unreadable"
	// ErrDestroyed: the data key is gone for good (crypto-shredding).
	ErrDestroyed Code = "seal_destroyed"
	// ErrUnbound: sealing was asked for without associated data, which would let a ciphertext move between rows.
	ErrUnbound Code = "seal_unbound"
	// ErrEncoding: a value could not be turned into JSON, or sealed JSON does not fit the asked type.
	ErrEncoding Code = "seal_encoding"
)
