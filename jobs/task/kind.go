// Package task says what lies on the queue: the kinds of work, which queue each takes, and the shape of a
// task, which is two ids and nothing else. Both programs import it; it knows neither the rules nor a C library.
package task

import "time"

// Kind names a sort of work as area:verb. A kind is always compared as a whole: asynq's own mux matches
// bare prefixes, where a handler of "session" would be given "session:decide" as well.
type Kind string

// The kinds.
const (
	VisionAnalyze  Kind = "vision:analyze"  // taken by the sidecar
	SessionDecide  Kind = "session:decide"  // taken by the server
	SessionErase   Kind = "session:erase"   // taken by the server
	WebhookDeliver Kind = "webhook:deliver" // taken by the server
)

// Queue is the name of an asynq queue. Each area has its own, so that an endpoint that lets deliveries hang
// never holds a decision back.
type Queue string

// The queues.
const (
	QueueVision  Queue = "vision"
	QueueSession Queue = "session"
	QueueWebhook Queue = "webhook"
)

// Kinds lists every kind there is.
func Kinds() []Kind { return []Kind{VisionAnalyze, SessionDecide, SessionErase, WebhookDeliver} }

// Queue is where work of this kind lies. It reports false for a kind that does not exist.
func (k Kind) Queue() (Queue, bool) {
	switch k {
	case VisionAnalyze:
		return QueueVision, true
	case SessionDecide, SessionErase:
		return QueueSession, true
	case WebhookDeliver:
		return QueueWebhook, true
	}
	return "", false
}

// Budget is how long one run of this kind may take before it counts as hung: its context ends, and the
// sweeper may give the work to somebody else. It is far above what any healthy run needs.
func (k Kind) Budget() time.Duration {
	switch k {
	case VisionAnalyze:
		return 60 * time.Second
	case WebhookDeliver:
		return 45 * time.Second
	default:
		return 30 * time.Second
	}
}
