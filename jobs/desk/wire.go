// Package desk is the counter between the server and its vision sidecar. The sidecar has neither database
// credentials nor keys: it asks here for the image of a piece of work, and hands in what it measured. Images
// and results never go through the queue.
package desk

import "time"

// The routes, all POST, all with the shared token as bearer.
const (
	pathHello  = "/desk/hello"              // Hello as JSON → 204
	pathBegin  = "/desk/{outbox_id}/begin"  // → 200, the ask in askHeader, the image as body; 410 nothing to do
	pathFinish = "/desk/{outbox_id}/finish" // vision.Analysis as JSON → 204; 410 nothing to do
	askHeader  = "X-Kycd-Ask"               // vision.Ask as JSON
	nameHeader = "X-Request-Id"             // of the request that made the work, if one did; for the log
	bearer     = "Bearer "
	imageType  = "application/octet-stream"
	jsonType   = "application/json"
)

// The bounds of what is sent either way, in bytes.
const (
	maxHello    = 64 << 10
	maxAnalysis = 8 << 20
	maxImage    = 16 << 20
)

// The shared token has at least this many characters.
const minToken = 16

// Hello is what a worker says of itself when it is ready to work.
type Hello struct {
	Worker   string            `json:"worker"` // its name, which it also marks its tasks with
	PID      int               `json:"pid"`
	Slots    int               `json:"slots"`    // images analysed at the same time
	Models   map[string]string `json:"models"`   // part → name and version of the weights
	Degraded []string          `json:"degraded"` // parts that a weaker fall-back measures
}

const (
	// requestTimeout bounds one request, image and all.
	requestTimeout = 30 * time.Second
	headerTimeout  = 5 * time.Second
	idleTimeout    = 2 * time.Minute
)
