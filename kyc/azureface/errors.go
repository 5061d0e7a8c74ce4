package azureface

import (
	"fmt"
	"strings"
	"time"
)

// Code is a stable snake_case error code. A Code is itself an error, so that callers compare with errors.Is.
type Code string

// Error returns the code.
func (c Code) Error() string { return string(c) }

const (
	// ErrInvalidConfig: the client is not described well enough, or not safely.
	ErrInvalidConfig Code = "invalid_config"
	// ErrBadRequest: Azure cannot accept the request; with status 0 it was not even sent.
	ErrBadRequest Code = "bad_request"
	// ErrUnauthorised: the key or token is not accepted (401), or there is none to send.
	ErrUnauthorised Code = "unauthorised"
	// ErrForbidden: the key is good, but its resource may not do this (403). Liveness needs Microsoft's approval.
	ErrForbidden Code = "forbidden"
	// ErrNotFound: there is no such session or image, or not any more.
	ErrNotFound Code = "not_found"
	// ErrThrottled: too many requests (429), also after the retries.
	ErrThrottled Code = "throttled"
	// ErrUnavailable: Azure answered 5xx, also after the retries.
	ErrUnavailable Code = "unavailable"
	// ErrUnreachable: Azure could not be connected to, or the connection broke.
	ErrUnreachable Code = "unreachable"
	// ErrTimeout: Azure did not answer in time.
	ErrTimeout Code = "timeout"
	// ErrCanceled: the caller ended the call; the error is context.Canceled too.
	ErrCanceled Code = "canceled"
	// ErrMalformedAnswer: the answer is too large, not what the protocol says, or has a value that is not known here.
	ErrMalformedAnswer Code = "malformed_answer"
	// ErrPending: Azure answers, but the device has not finished.
	ErrPending Code = "pending"
)

// Error is the one error that this package gives. It never quotes a key, a token, an address, an image or a text of the answer.
type Error struct {
	Code Code
	// Status is the HTTP status, 0 without an answer.
	Status int
	// RetryAfter is the wait that Azure asked for, 0 if none, an hour at most.
	RetryAfter time.Duration
	// RequestID is Azure's own id of the request, for its support; empty if it gave none.
	RequestID string
	// Reason is Azure's own error code, such as InvalidRequest; empty if it gave none.
	Reason string

	cause error // context.Canceled, context.DeadlineExceeded or nil
	what  string
}

// Error gives the code and what may be told of the circumstances.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("azureface: " + string(e.Code))
	if e.what != "" {
		b.WriteString(": " + e.what)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ", status %d", e.Status)
	}
	if e.Reason != "" {
		b.WriteString(", reason " + e.Reason)
	}
	if e.RequestID != "" {
		b.WriteString(", request " + e.RequestID)
	}
	return b.String()
}

// Unwrap gives the code, and the context's error where one ended the call.
func (e *Error) Unwrap() []error {
	if e.cause != nil {
		return []error{e.Code, e.cause}
	}
	return []error{e.Code}
}

// Transient tells whether the same call may succeed later.
func (e *Error) Transient() bool {
	switch e.Code {
	case ErrThrottled, ErrUnavailable, ErrUnreachable, ErrTimeout, ErrPending:
		return true
	}
	return false
}

func refuse(what string) *Error    { return &Error{Code: ErrBadRequest, what: what} }
func malformed(what string) *Error { return &Error{Code: ErrMalformedAnswer, what: what} }
