package webhook

// Code is a stable snake_case error code. A Code is itself an error, so that callers compare with errors.Is and
// read the code with errors.As.
type Code string

// Error returns the code.
func (c Code) Error() string { return string(c) }

const (
	// ErrInvalidURL: the address is not an absolute web address that events may be sent to.
	ErrInvalidURL Code = "webhook_invalid_url"
	// ErrBlockedAddress: the address leads into a network that is not public and that the operator did not allow.
	ErrBlockedAddress Code = "webhook_blocked_address"
	// ErrInvalidSecret: a secret is not "whsec_" and the base64 of 24 to 64 bytes.
	ErrInvalidSecret Code = "webhook_invalid_secret"
	// ErrInvalidEvent: the event's id, type or body is not of the form that Standard Webhooks asks for.
	ErrInvalidEvent Code = "webhook_invalid_event"
	// ErrBadSignature: no signature of the message is by one of the secrets, or a header is missing or malformed.
	ErrBadSignature Code = "webhook_bad_signature"
	// ErrStale: the message's time is too far from the present.
	ErrStale Code = "webhook_stale"
	// ErrUnreachable: the endpoint could not be connected to, or the connection broke.
	ErrUnreachable Code = "webhook_unreachable"
	// ErrTimeout: the endpoint did not answer in time.
	ErrTimeout Code = "webhook_timeout"
	// ErrRefused: the endpoint answered with a status outside 200–299.
	ErrRefused Code = "webhook_refused"
)
