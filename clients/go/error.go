package kycd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is a refusal by the server (RFC 9457). Branch on Code; /docs of the server explains each.
type Error struct {
	// Status is the HTTP status.
	Status int
	// Code is stable, in snake_case; CodeUnexpectedAnswer if the answer was none of this server's.
	Code          string
	Title, Detail string
	// RequestID is what to name when asking the operator.
	RequestID string
	// Fields are those that are wrong, where that is the reason.
	Fields []FieldError
	// RetryAfter is how long the server asks to wait, 0 if it does not.
	RetryAfter time.Duration
}

// FieldError is what is wrong with one field.
type FieldError struct {
	// Pointer is a JSON pointer into the body; for a header /header/ and its name.
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

const (
	// CodeUnexpectedAnswer: what answered is not this server, but a proxy, say.
	CodeUnexpectedAnswer = "unexpected_answer"
	// codeInProgress: the first try of the same request is still at work.
	codeInProgress = "idempotency_in_progress"
)

func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	return fmt.Sprintf("kycd: %d %s: %s", e.Status, e.Code, text)
}

// refusal reads problem details, or the token endpoint's error (RFC 6749 §5.2).
func refusal(status int, header http.Header, body []byte, now time.Time) *Error {
	var problem struct {
		Code        string       `json:"code"`
		Title       string       `json:"title"`
		Detail      string       `json:"detail"`
		RequestID   string       `json:"request_id"`
		Errors      []FieldError `json:"errors"`
		OAuth       string       `json:"error"`
		Description string       `json:"error_description"`
	}
	e := &Error{
		Status: status, Code: CodeUnexpectedAnswer, Title: http.StatusText(status),
		RequestID: header.Get("X-Request-Id"), RetryAfter: parseRetryAfter(header.Get("Retry-After"), now),
	}
	if json.Unmarshal(body, &problem) != nil {
		return e
	}
	e.Fields = problem.Errors
	e.Detail = firstOf(problem.Detail, problem.Description)
	e.Code = firstOf(problem.Code, problem.OAuth, e.Code)
	e.Title = firstOf(problem.Title, e.Title)
	e.RequestID = firstOf(problem.RequestID, e.RequestID)
	return e
}

// firstOf is the first that is not empty.
func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// parseRetryAfter reads both forms of the header (RFC 9110 §10.2.3), seconds and a date; anything else is 0.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
