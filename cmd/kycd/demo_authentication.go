package main

import (
	"context"
	"encoding/base64"
	"time"
)

// authenticate takes a person who was verified before through a re-authentication: by a live face alone.
func (v demoVerifier) authenticate(ctx context.Context, c demoCase, identityID string) demoOutcome {
	clock := &stopwatch{out: v.progress}
	outcome := demoOutcome{Name: c.name, Title: c.title, IdentityID: identityID, Expected: demoExpectation{Verified: c.reason == "", Reason: c.reason}}
	err := v.show(ctx, c, clock, &outcome)
	outcome.Steps = clock.steps
	if err != nil {
		outcome.Problem = err.Error()
	} else {
		outcome.Problem = c.problem(outcome)
	}
	outcome.OK = outcome.Problem == ""
	return outcome
}

// show is the whole way of a re-authentication, step by step.
func (v demoVerifier) show(ctx context.Context, c demoCase, clock *stopwatch, outcome *demoOutcome) error {
	var backend, device demoCaller
	var session struct {
		ID string `json:"session_id"`
	}
	place := func() map[string]any {
		return map[string]any{"session_id": session.ID, "latitude": 0.0, "longitude": 0.0}
	}
	var sent time.Time
	var decision struct {
		Authenticated bool     `json:"authenticated"`
		Status        string   `json:"status_e"`
		Reasons       []string `json:"reasons"`
	}
	for _, step := range []struct {
		name string
		work func() error
	}{
		{"token", func() (err error) { backend, err = v.api.backend(ctx); return err }},
		{"session", func() error {
			return backend.post(ctx, "/v2/ida/session/create", map[string]any{"identity_id": outcome.IdentityID}, &session)
		}},
		{"device token", func() (err error) { device, err = v.api.device(ctx, session.ID); return err }},
		{"liveness challenge", func() error { return device.post(ctx, "/v2/ida/sdk/liveness/generate", place(), nil) }},
		{"liveness frame", func() error {
			sent = time.Now()
			body := place()
			body["images"] = []string{base64.StdEncoding.EncodeToString(c.selfie)}
			return device.post(ctx, "/v2/ida/sdk/liveness/process", body, nil)
		}},
		{"finalize", func() error {
			err := device.post(ctx, "/v2/ida/sdk/finalize", map[string]any{"session_id": session.ID}, &decision)
			outcome.LastUploadToDecision = demoMillis(time.Since(sent))
			return err
		}},
		{"webhook, signature verified", func() error {
			event, err := v.webhook(ctx, session.ID, decision.Status, decision.Reasons)
			if err != nil {
				return err
			}
			outcome.Webhook = &event
			if decision.Status != event.Status {
				decision.Status, outcome.LastUploadToDecision = event.Status, demoMillis(event.At.Sub(sent))
				decision.Authenticated = event.Verified != nil && *event.Verified
			}
			return nil
		}},
	} {
		if err := clock.step(step.name, step.work); err != nil {
			return err
		}
	}
	outcome.ofIdentity = true
	outcome.SessionID, outcome.Verified, outcome.Status, outcome.Reasons = session.ID, decision.Authenticated, decision.Status, decision.Reasons
	return nil
}
