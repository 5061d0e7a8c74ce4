package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kycd/kyc"
	api "kycd/rest/generated"
)

// Codes that only HTTP has; all others are kyc's.
const (
	codeMethodNotAllowed     kyc.Code = "method_not_allowed"
	codeUnsupportedMediaType kyc.Code = "unsupported_media_type"
	codePayloadTooLarge      kyc.Code = "payload_too_large"
	codeUnsupportedGrantType kyc.Code = "unsupported_grant_type"
	codeURITooLong           kyc.Code = "uri_too_long"
	codeRequestTimeout       kyc.Code = "request_timeout"
)

// statusClientGone is what the log and the metrics call a request whose caller went away before the answer.
const statusClientGone = 499

// statusOf is the HTTP status of a code.
func statusOf(code kyc.Code) int {
	switch code {
	case codeMethodNotAllowed:
		return http.StatusMethodNotAllowed
	case codeUnsupportedMediaType:
		return http.StatusUnsupportedMediaType
	case codePayloadTooLarge:
		return http.StatusRequestEntityTooLarge
	case codeUnsupportedGrantType:
		return http.StatusBadRequest
	case codeURITooLong:
		return http.StatusRequestURITooLong
	case codeRequestTimeout:
		return http.StatusRequestTimeout
	}
	switch code.Kind() {
	case kyc.KindInvalid:
		return http.StatusBadRequest
	case kyc.KindUnauthorized:
		return http.StatusUnauthorized
	case kyc.KindForbidden:
		return http.StatusForbidden
	case kyc.KindNotFound:
		return http.StatusNotFound
	case kyc.KindConflict:
		return http.StatusConflict
	case kyc.KindTooLarge:
		return http.StatusRequestEntityTooLarge
	case kyc.KindUnsupported:
		return http.StatusUnsupportedMediaType
	case kyc.KindUnusable:
		return http.StatusUnprocessableEntity
	case kyc.KindThrottled:
		return http.StatusTooManyRequests
	case kyc.KindUnavailable:
		return http.StatusServiceUnavailable
	case kyc.KindInternal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// titles say what each code means; /docs lists them too.
func titles() map[kyc.Code]string {
	return map[kyc.Code]string{
		kyc.CodeInvalid:            "The request is malformed",
		kyc.CodeUnauthorized:       "A valid access token is needed",
		kyc.CodeForbidden:          "The access token does not allow this",
		kyc.CodeNotFound:           "There is no such thing, or it is not yours",
		kyc.CodeConsentRequired:    "The person has not consented yet",
		kyc.CodeConsentRefused:     "The person refused consent",
		kyc.CodeSessionComplete:    "The session is decided and takes nothing more",
		kyc.CodeSessionExpired:     "The session was not finalized in time",
		kyc.CodeSessionBlocked:     "The session is blocked for a while after too many attempts",
		kyc.CodeSessionFinalizing:  "The session is being decided",
		kyc.CodeDocumentType:       "The document type must be set first",
		kyc.CodeDocumentSide:       "A document of this type has no such side",
		kyc.CodeIncomplete:         "Something that the decision needs was not given yet",
		kyc.CodeLivenessNotStarted: "A liveness session must be generated first",
		kyc.CodeLivenessExpired:    "The liveness token has expired",
		kyc.CodeLivenessUsed:       "The liveness token was used before",
		kyc.CodeLivenessForeign:    "The liveness token is not one of this session",
		kyc.CodeLivenessFrames:     "The images do not answer the challenge",
		kyc.CodeLivenessProof:      "A frame does not fit the challenge",
		kyc.CodeLivenessPending:    "The device has not finished its liveness session",
		kyc.CodeConflict:           "The present state does not allow this",
		kyc.CodeImageMissing:       "There is no image",
		kyc.CodeImageEmpty:         "The image is empty",
		kyc.CodeImageTooLarge:      "The image has too many bytes",
		kyc.CodeImageUnsupported:   "The image is of no format that is taken",
		kyc.CodeImageTruncated:     "The image is cut off",
		kyc.CodeImageTooManyPixels: "The image has too many pixels",
		kyc.CodeImageTooSmall:      "The image has too few pixels",
		kyc.CodeImageAnimated:      "The image is animated",
		kyc.CodeImageUnreadable:    "The image cannot be read",
		kyc.CodeURLRefused:         "The URL is not one that may be called",
		kyc.CodeTooManyRequests:    "Too many requests",
		kyc.CodeUnavailable:        "Not available at the moment",
		kyc.CodeErased:             "The data was erased",
		kyc.CodeIdempotencyReused:  "The idempotency key was used for another request",
		kyc.CodeIdempotencyRunning: "A request with this idempotency key is under way",
		kyc.CodeNotEnrolled:        "The identity has no face to compare with",
		kyc.CodeInternal:           "An internal error",
		codeMethodNotAllowed:       "The method is not allowed here",
		codeUnsupportedMediaType:   "The body is of a media type that is not taken here",
		codePayloadTooLarge:        "The body is too large",
		codeUnsupportedGrantType:   "The grant type is not supported",
		codeURITooLong:             "The URL is too long",
		codeRequestTimeout:         "The request did not arrive in time",
	}
}

// refuse makes an error of this side of the door. It is kyc's type, so that there is one mapper.
func refuse(code kyc.Code, message string, fields ...kyc.FieldError) *kyc.Error {
	return &kyc.Error{Code: code, Message: message, Fields: fields}
}

// fail answers with an error. Only what a *kyc.Error has to show reaches the caller; causes go to the log.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r.Context())
	shown := publicError(err)
	if over := r.Context().Err(); over != nil && (statusOf(shown.Code) == http.StatusInternalServerError || errors.Is(err, over)) {
		if shown = interruption(r.Context()); shown == nil {
			x.status = statusClientGone
			// Whoever closed only its own direction still reads, and would take an empty answer for a success. The
			// connection ends without one.
			_ = http.NewResponseController(x.ResponseWriter).SetWriteDeadline(time.Unix(1, 0))
			return
		}
	}
	status := statusOf(shown.Code)
	if status == http.StatusInternalServerError {
		s.log.LogAttrs(r.Context(), slog.LevelError, "request failed",
			slog.String("request_id", x.requestID), slog.String("operation", x.operationID()), slog.String("cause", causeOf(err)))
	}
	if x.status != 0 {
		return // the answer had begun when the error came; the connection ends short
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		wait := int64(math.Ceil(max(shown.RetryAfter, time.Second).Seconds()))
		w.Header().Set("Retry-After", strconv.FormatInt(wait, 10))
	}
	if x.operation != nil && x.operation.oauthErrors {
		writeOAuthError(w, shown)
		return
	}
	body := api.Problem{
		Type:      "/docs#" + string(shown.Code),
		Title:     s.titles[shown.Code],
		Status:    status,
		Detail:    shown.Message,
		Code:      string(shown.Code),
		RequestId: x.requestID,
	}
	if body.Title == "" {
		body.Title = http.StatusText(status)
	}
	if len(shown.Fields) > 0 {
		fields := make([]api.FieldError, len(shown.Fields))
		for i, f := range shown.Fields {
			fields[i] = api.FieldError{Pointer: f.Pointer, Code: f.Code, Message: f.Message}
		}
		body.Errors = &fields
	}
	writeJSON(w, status, "application/problem+json", body)
}

// interruption is the error of a request whose context is over, whatever it was that failed for it; nil if the caller
// went away.
func interruption(ctx context.Context) *kyc.Error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, ErrStopping):
		return refuse(kyc.CodeUnavailable, "the server is stopping")
	case errors.Is(cause, context.DeadlineExceeded):
		return refuse(kyc.CodeUnavailable, "the request took too long")
	}
	return nil
}

// publicError is what of an error may be shown.
func publicError(err error) *kyc.Error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return refuse(codePayloadTooLarge, fmt.Sprintf("the body may have at most %d bytes", tooLarge.Limit))
	}
	shown := kyc.AsError(err)
	if shown.Code.Kind() == kyc.KindInternal && statusOf(shown.Code) == http.StatusInternalServerError {
		if errors.Is(err, context.DeadlineExceeded) {
			return refuse(kyc.CodeUnavailable, "the request took too long")
		}
		return refuse(kyc.CodeInternal, "an internal error occurred")
	}
	return shown
}

// causeOf is what the log says of an internal error.
func causeOf(err error) string {
	if shown, ok := errors.AsType[*kyc.Error](err); ok {
		if cause := shown.Unwrap(); cause != nil {
			return cause.Error()
		}
	}
	return err.Error()
}

// writeOAuthError answers as RFC 6749 §5.2 has it.
func writeOAuthError(w http.ResponseWriter, e *kyc.Error) {
	status, name := statusOf(e.Code), "invalid_request"
	switch e.Code.Kind() {
	case kyc.KindUnauthorized:
		name = "invalid_client"
		w.Header().Set("WWW-Authenticate", `Basic realm="kycd", charset="UTF-8"`)
	case kyc.KindForbidden:
		name, status = "invalid_scope", http.StatusBadRequest
	case kyc.KindThrottled, kyc.KindUnavailable:
		name = "temporarily_unavailable"
	case kyc.KindNotFound, kyc.KindConflict:
		status = http.StatusBadRequest // the session of an sdk token
	case kyc.KindInternal:
		if e.Code == codeUnsupportedGrantType {
			name = "unsupported_grant_type"
		} else if status == http.StatusInternalServerError {
			name = "server_error"
		}
	}
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, status, "application/json", api.OAuthError{Error: name, ErrorDescription: oauthText(describe(e))})
}

// describe is the message and what is wrong with which field, in one line.
func describe(e *kyc.Error) string {
	text := e.Message
	for _, f := range e.Fields {
		text += "; " + strings.TrimPrefix(f.Pointer, "/") + " " + f.Message
	}
	return text
}

// oauthText keeps what RFC 6749 allows in an error_description.
func oauthText(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '"':
			return '\''
		case c < 0x20 || c > 0x7e || c == '\\':
			return '?'
		}
		return c
	}, s)
}

// writeJSON writes an answer that is known to be encodable.
func writeJSON(w http.ResponseWriter, status int, contentType string, body any) {
	data, err := json.Marshal(body)
	if err != nil { // only strings and numbers get here
		panic(err)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)+1))
	w.WriteHeader(status)
	w.Write(append(data, '\n')) //nolint:errcheck // the caller may have gone
}
