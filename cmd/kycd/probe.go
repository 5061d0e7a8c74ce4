package main

import (
	"context"
	"slices"
	"sync"

	"kycd/jobs"
	"kycd/jobs/desk"
	"kycd/jobs/sidecar"
	"kycd/rest"
)

// probe looks at what the server depends on.
type probe struct {
	store   *store
	queue   *jobs.Queue
	weights []string // what the weights at hand make weaker

	mu     sync.Mutex
	child  *sidecar.Supervisor // nil where the sidecars run elsewhere
	remote *desk.Hello         // the last one that introduced itself
	worked bool                // a sidecar was ready once
	ending bool                // the server was asked to end
}

var _ rest.Probe = (*probe)(nil)

// stop makes balancers send nobody any more.
func (p *probe) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = true
}

func (p *probe) supervise(child *sidecar.Supervisor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.child = child
}

// hello takes a worker's introduction.
func (p *probe) hello(h desk.Hello) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.worked = true
	if p.child != nil && p.child.Report(h.Worker, h.Slots, h.Models, h.Degraded) {
		return
	}
	p.remote = &h
}

func (p *probe) Live(context.Context) error { return nil }

// vision says how the sidecar is doing.
func (p *probe) vision() (status string, details map[string]any, degraded []string) {
	p.mu.Lock()
	child, remote := p.child, p.remote
	p.mu.Unlock()
	switch {
	case child != nil:
		state := child.State()
		status = rest.HealthError
		if state.State == sidecar.Ready {
			status = rest.HealthOK
		}
		return status, map[string]any{
			"state": state.State, "restarts": state.Restarts, "slots": state.Slots, "models": state.Models,
		}, state.Degraded
	case remote != nil:
		return rest.HealthOK, map[string]any{"state": "remote", "slots": remote.Slots, "models": remote.Models}, remote.Degraded
	default:
		return rest.HealthError, map[string]any{"state": "none"}, nil
	}
}

func status(err error) string {
	if err != nil {
		return rest.HealthError
	}
	return rest.HealthOK
}

// Ready says whether requests can be served. While a sidecar restarts they can: what arrives is analysed
// afterwards. Before the first one is ready nobody should be sent here, nor when the server is about to end.
func (p *probe) Ready(ctx context.Context) rest.Readiness {
	vision, _, _ := p.vision()
	p.mu.Lock()
	if vision == rest.HealthError && p.worked {
		vision = rest.HealthDegraded
	}
	ending := p.ending
	p.mu.Unlock()
	checks := map[string]string{
		"database": status(p.store.db.Ping(ctx)), "cache": status(p.queue.Ping(ctx)), "storage": status(p.store.blobs.Ping(ctx)), "vision": vision,
	}
	if ending {
		checks["server"] = rest.HealthError
	}
	ready := true
	for _, state := range checks {
		ready = ready && state != rest.HealthError
	}
	return rest.Readiness{Ready: ready, Checks: checks}
}

func (p *probe) Health(ctx context.Context) rest.Health {
	vision, details, degraded := p.vision()
	h := rest.Health{
		Status: rest.HealthOK, Database: status(p.store.db.Ping(ctx)), Cache: status(p.queue.Ping(ctx)), Storage: status(p.store.blobs.Ping(ctx)),
		ExternalServices: map[string]string{"vision": vision},
		Degraded:         append(slices.Clone(p.weights), degraded...),
		Details: rest.HealthDetails{
			Database: map[string]any{"dialect": p.store.db.Dialect}, Cache: map[string]any{"embedded": p.queue.Embedded()},
			Storage: map[string]any{}, ExternalServices: map[string]any{"vision": details},
		},
	}
	if len(h.Degraded) > 0 {
		h.Status = rest.HealthDegraded
	}
	for _, state := range []string{h.Database, h.Cache, h.Storage, vision} {
		if state == rest.HealthError {
			h.Status, h.Error = rest.HealthError, "a dependency does not work"
		}
	}
	return h
}
