package auth

// Code is a stable snake_case error code. A Code is itself an error, so that callers compare with errors.Is and
// read the code with errors.As. No error quotes a token or a secret.
type Code string

// Error returns the code.
func (c Code) Error() string { return string(c) }

const (
	// ErrInvalidToken: the token is malformed, tampered with, not ours, or not meant for us.
	ErrInvalidToken Code = "invalid_token"
	// ErrExpiredToken: the token was good once.
	ErrExpiredToken Code = "expired_token"
	// ErrInvalidScope: an unknown scope, or scopes that cannot stand together.
	ErrInvalidScope Code = "invalid_scope"
	// ErrInvalidGrant: a token without a user, a client or a positive life was asked for.
	ErrInvalidGrant Code = "invalid_grant"
	// ErrInvalidKey: signing keys are missing, repeated or malformed.
	ErrInvalidKey Code = "invalid_key"
	// ErrUnknownKey: the token names a key that is not known here. It comes with ErrInvalidToken; another server may
	// have made the key a moment ago.
	ErrUnknownKey Code = "unknown_key"
	// ErrInvalidIssuer: an external issuer is not described well enough to be trusted.
	ErrInvalidIssuer Code = "invalid_issuer"
	// ErrIssuerUnavailable: the external issuer does not answer, so its tokens can be neither accepted nor refused.
	ErrIssuerUnavailable Code = "issuer_unavailable"
)
