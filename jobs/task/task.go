package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/hibiken/asynq"
)

// ErrMalformed is returned for a task that this package did not make.
var ErrMalformed = errors.New("malformed task")

// timeout is asynq's own limit of a run. When it is reached, asynq gives the slot away while the handler
// runs on, so it lies far beyond every Budget and is there only because asynq wants one.
const timeout = time.Hour

// maxPayload is more than any payload needs, in bytes.
const maxPayload = 256

// idPattern is what an outbox id looks like. It holds no colon, which parts id and number in a task's id.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,36}$`)

// ValidID reports whether a string can be an outbox id.
func ValidID(outboxID string) bool { return idPattern.MatchString(outboxID) }

// Payload is what a task carries.
type Payload struct {
	OutboxID  string `json:"outbox_id"`
	RequestID string `json:"request_id,omitempty"` // of the request that made the work, for the log
}

// ID is the task's id on the queue. Each sending has its own: an earlier one may still lie in asynq's
// archive, or among tasks whose worker died, and would block an equal id.
func ID(outboxID string, sent int) string { return outboxID + ":" + strconv.Itoa(sent) }

// New makes the task of one sending. To asynq every run succeeds, there is no retry and nothing is kept:
// when work is tried again is decided by the database alone. A request's id that is none is left out: it is
// no reason not to do the work.
func New(kind Kind, p Payload, sent int) (*asynq.Task, error) {
	queue, ok := kind.Queue()
	if !ok {
		return nil, fmt.Errorf("%w: unknown kind %q", ErrMalformed, kind)
	}
	if !ValidID(p.OutboxID) {
		return nil, fmt.Errorf("%w: bad outbox id", ErrMalformed)
	}
	if !ValidRequestID(p.RequestID) {
		p.RequestID = ""
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return asynq.NewTask(string(kind), body,
		asynq.Queue(string(queue)), asynq.TaskID(ID(p.OutboxID, sent)),
		asynq.MaxRetry(0), asynq.Retention(0), asynq.Timeout(timeout)), nil
}

// Decode gives what a task carries. The error is ErrMalformed.
func Decode(body []byte) (Payload, error) {
	if len(body) > maxPayload {
		return Payload{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(body))
	}
	var p Payload
	if err := json.Unmarshal(body, &p); err != nil {
		return Payload{}, fmt.Errorf("%w: not JSON", ErrMalformed)
	}
	if !ValidID(p.OutboxID) {
		return Payload{}, fmt.Errorf("%w: bad outbox id", ErrMalformed)
	}
	if p.RequestID != "" && !ValidRequestID(p.RequestID) {
		return Payload{}, fmt.Errorf("%w: bad request id", ErrMalformed)
	}
	return p, nil
}
