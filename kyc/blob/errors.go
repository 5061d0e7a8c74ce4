package blob

// Code is a stable snake_case error code. A Code is itself an error, so that callers compare with errors.Is and
// read the code with errors.As.
type Code string

// Error returns the code.
func (c Code) Error() string { return string(c) }

const (
	// ErrNotFound: nothing is stored under the key.
	ErrNotFound Code = "blob_not_found"
	// ErrInvalidKey: the key or prefix is not of the form that ValidKey describes.
	ErrInvalidKey Code = "blob_invalid_key"
	// ErrTooLarge: what is stored is longer than the caller allows.
	ErrTooLarge Code = "blob_too_large"
	// ErrUnavailable: the store failed or did not answer; trying again later may help.
	ErrUnavailable Code = "blob_unavailable"
	// ErrConfig: the store's URL is not understood.
	ErrConfig Code = "blob_config"
)
