package kyc

import (
	"errors"
	"fmt"
	"time"
)

// Code is a stable, public reason. Callers branch on it; three mappers (REST, GraphQL, jobs) translate it.
type Code string

// The codes. Each belongs to exactly one Kind, see kinds.
const (
	CodeInvalid            Code = "invalid_request"
	CodeUnauthorized       Code = "unauthorized"
	CodeForbidden          Code = "forbidden"
	CodeNotFound           Code = "not_found"
	CodeConsentRequired    Code = "consent_required"
	CodeConsentRefused     Code = "consent_refused"
	CodeSessionComplete    Code = "session_complete"
	CodeSessionExpired     Code = "session_expired"
	CodeSessionBlocked     Code = "session_blocked"
	CodeSessionFinalizing  Code = "session_finalizing"
	CodeDocumentType       Code = "document_type_required"
	CodeDocumentSide       Code = "document_side_not_expected"
	CodeIncomplete         Code = "incomplete"
	CodeLivenessNotStarted Code = "liveness_not_started"
	CodeLivenessExpired    Code = "liveness_token_expired"
	CodeLivenessUsed       Code = "liveness_token_used"
	CodeLivenessForeign    Code = "liveness_token_foreign" // of another session, or not signed here
	CodeLivenessFrames     Code = "liveness_frames_mismatch"
	CodeLivenessProof      Code = "liveness_frame_refused" // its nonce, order or timing does not fit
	CodeLivenessPending    Code = "liveness_pending"
	CodeConflict           Code = "conflict"
	CodeImageMissing       Code = "image_missing"
	CodeImageEmpty         Code = "image_empty"
	CodeImageTooLarge      Code = "image_too_large"
	CodeImageUnsupported   Code = "image_unsupported"
	CodeImageTruncated     Code = "image_truncated"
	CodeImageTooManyPixels Code = "image_too_many_pixels"
	CodeImageTooSmall      Code = "image_too_small"
	CodeImageAnimated      Code = "image_animated"
	CodeImageUnreadable    Code = "image_unreadable"
	CodeURLRefused         Code = "url_refused"
	CodeTooManyRequests    Code = "too_many_requests"
	CodeUnavailable        Code = "unavailable"
	CodeErased             Code = "erased"
	CodeIdempotencyReused  Code = "idempotency_key_reused"
	CodeIdempotencyRunning Code = "idempotency_in_progress"
	CodeNotEnrolled        Code = "identity_not_enrolled"
	CodeInternal           Code = "internal"
)

// Kind is what a code means to whoever transports it.
type Kind int

// The kinds.
const (
	KindInternal     Kind = iota // our fault; the message says nothing
	KindInvalid                  // 400 malformed
	KindUnauthorized             // 401
	KindForbidden                // 403
	KindNotFound                 // 404 unknown, or not yours
	KindConflict                 // 409 the state does not allow it
	KindTooLarge                 // 413
	KindUnsupported              // 415
	KindUnusable                 // 422 understood, but of no use
	KindThrottled                // 429
	KindUnavailable              // 503
)

// Kind of the code. The function is total: a code that is not listed is internal.
func (c Code) Kind() Kind {
	switch c {
	case CodeInvalid, CodeImageMissing, CodeImageEmpty:
		return KindInvalid
	case CodeUnauthorized:
		return KindUnauthorized
	case CodeForbidden:
		return KindForbidden
	case CodeNotFound, CodeErased:
		return KindNotFound
	case CodeConsentRequired, CodeConsentRefused, CodeSessionComplete, CodeSessionExpired, CodeSessionBlocked, CodeSessionFinalizing,
		CodeDocumentType, CodeDocumentSide, CodeIncomplete, CodeLivenessNotStarted,
		CodeLivenessExpired, CodeLivenessUsed, CodeLivenessPending, CodeConflict, CodeIdempotencyRunning, CodeNotEnrolled:
		return KindConflict
	case CodeImageTooLarge, CodeImageTooManyPixels:
		return KindTooLarge
	case CodeImageUnsupported:
		return KindUnsupported
	case CodeImageTruncated, CodeImageTooSmall, CodeImageAnimated, CodeImageUnreadable, CodeURLRefused, CodeIdempotencyReused,
		CodeLivenessForeign, CodeLivenessFrames, CodeLivenessProof:
		return KindUnusable
	case CodeTooManyRequests:
		return KindThrottled
	case CodeUnavailable:
		return KindUnavailable
	case CodeInternal:
		return KindInternal
	}
	return KindInternal
}

// FieldError names one bad or missing part of an input by its JSON pointer.
type FieldError struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error is the one error type that leaves this package. Code, Message, Fields and RetryAfter may be shown
// to anybody; the cause is for the log and never reaches a client.
type Error struct {
	Code       Code
	Message    string
	Fields     []FieldError
	RetryAfter time.Duration // for throttled and unavailable
	cause      error
}

// Error says the code and the public message only, so that a log line cannot leak a cause by accident.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Unwrap gives the cause, for errors.Is and for the log.
func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an error with a public message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Internal wraps a cause that the caller must not see.
func Internal(cause error) *Error {
	return &Error{Code: CodeInternal, Message: "an internal error occurred", cause: cause}
}

// AsError gives the *Error in a chain; an error of any other kind becomes an internal one.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Internal(err)
}

func notFound(what string) *Error { return Errorf(CodeNotFound, "no such %s", what) }
