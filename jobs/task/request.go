package task

import (
	"context"
	"log/slog"
	"regexp"
)

// requestPattern is what the id of a request looks like. REST lets callers choose it, within these bounds.
var requestPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// ValidRequestID reports whether a string can be the id of a request.
func ValidRequestID(id string) bool { return requestPattern.MatchString(id) }

type requestKey struct{}

// WithRequestID notes which request the work was made by that is done under the context.
func WithRequestID(ctx context.Context, id string) context.Context {
	if id == "" {
		return ctx
	}
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID is the id that WithRequestID noted; empty where nothing was.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// Log is a logger whose lines name the request that the context's work was made by, if one did.
func Log(ctx context.Context, log *slog.Logger) *slog.Logger {
	if id := RequestID(ctx); id != "" {
		return log.With("request_id", id)
	}
	return log
}
