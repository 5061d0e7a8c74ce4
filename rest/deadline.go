package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"kycd/kyc"
)

// defaultTimeLimit holds for operations without x-timeout-seconds.
const defaultTimeLimit = 30 * time.Second

// How fast a body must arrive: after patience, a second for every paceBytes. Whoever sends slower, and be it on
// purpose, has no claim to the memory that is kept for the body.
const (
	patience  = 10 * time.Second
	paceBytes = 32 << 10
)

// maxURL bounds the request's target, in bytes. What the contract puts there is far shorter.
const maxURL = 8 << 10

// ErrStopping is why the requests under way end that a stopping server does not wait for.
var ErrStopping = errors.New("the server is stopping")

// timeLimit is how long a request of the operation may take, body and all.
func (op *operation) timeLimit() (time.Duration, error) {
	v, ok := op.route.Operation.Extensions["x-timeout-seconds"]
	if !ok {
		return defaultTimeLimit, nil
	}
	seconds, ok := v.(float64)
	if limit := time.Duration(seconds * float64(time.Second)); ok && limit > 0 && limit <= maxTimeLimit {
		return limit, nil
	}
	return 0, fmt.Errorf("x-timeout-seconds must be from 1 to %v, not %v", maxTimeLimit.Seconds(), v)
}

// bound ends a request that takes longer than its operation may: its context, and before that the wait for its body.
func (s *server) bound(within time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), within)
			defer cancel()
			r = r.WithContext(ctx)
			if r.Body != nil && r.Body != http.NoBody {
				ends, _ := ctx.Deadline()
				r.Body = &pacedBody{ReadCloser: r.Body, conn: http.NewResponseController(w), ends: ends}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// pacedBody is a body that must keep arriving. The time is the network's, not the clock that the rules are given.
type pacedBody struct {
	io.ReadCloser
	conn *http.ResponseController
	ends time.Time // at the latest

	began time.Time // zero before the first read: until then it is we who make the caller wait
	read  int64
	due   int64 // bytes after which the deadline is moved again
}

// Read implements io.Reader. The error is os.ErrDeadlineExceeded, or wraps it, if the body was too slow.
func (b *pacedBody) Read(p []byte) (int, error) {
	if b.began.IsZero() {
		b.began = time.Now()
		b.extend()
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	// When all is there the server takes the deadline away and listens on, for the caller's going away. A new one
	// would look like that.
	if err == nil && b.read >= b.due {
		b.extend()
	}
	return n, err
}

// extend moves the deadline to when the next paceBytes must be there. Without a connection, as in a test of a
// handler, there is none.
func (b *pacedBody) extend() {
	b.due = b.read + paceBytes
	deadline := b.began.Add(patience + time.Duration(b.due/paceBytes)*time.Second)
	if deadline.After(b.ends) {
		deadline = b.ends
	}
	_ = b.conn.SetReadDeadline(deadline)
}

// unreadable is the error for a body that could not be read to its end, for a reason that is not its size.
func unreadable(err error, otherwise string) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return refuse(codeRequestTimeout, "the body did not arrive in time")
	}
	return refuse(kyc.CodeInvalid, otherwise)
}
