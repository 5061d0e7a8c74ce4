package rest

import "context"

// Probe knows how the whole installation is doing. The utility operations ask it; it must answer within
// the context, also when what it looks at hangs.
type Probe interface {
	// Live is an error when only a restart can help.
	Live(ctx context.Context) error
	// Ready says whether requests can be served now, and by name what was looked at.
	Ready(ctx context.Context) Readiness
	Health(ctx context.Context) Health
}

// The words for how a part, or the whole, is doing.
const (
	HealthOK       = "ok"
	HealthDegraded = "degraded" // works, below its best
	HealthError    = "error"    // does not work
)

// Readiness is the answer to whether requests can be served.
type Readiness struct {
	Ready  bool
	Checks map[string]string // name → HealthOK, HealthDegraded or HealthError
}

// Health is how each dependency is doing.
type Health struct {
	Status                   string // HealthOK, HealthDegraded or HealthError
	Database, Cache, Storage string
	ExternalServices         map[string]string
	Details                  HealthDetails
	Degraded                 []string // names of what runs below its best
	Error                    string   // one public sentence, empty when nothing is wrong
}

// HealthDetails says more about each. It is shown to anybody: no addresses, no secrets, no error texts.
type HealthDetails struct {
	Database, Cache, Storage, ExternalServices map[string]any
}
