package kyc

import "context"

type requestIDKey struct{}

// WithRequestID notes which request a context belongs to, so that the log lines of the work that follows from it
// can be found by it.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID is the id that WithRequestID noted; empty where nothing was.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
