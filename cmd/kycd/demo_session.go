package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"time"

	"kycd/kyc/specimen"
)

// Where the demo's devices say they are: Null Island.
const (
	demoLatitude  = "0.0"
	demoLongitude = "0.0"
)

// demoWebhookTime is how long the webhook of a decided session may take. One of a session that is still being
// analysed may take longer, see demoDecisionTime.
const (
	demoWebhookTime  = 30 * time.Second
	demoDecisionTime = 3 * time.Minute
)

// demoVerifier does verifications.
type demoVerifier struct {
	api      *demoAPI
	receiver *demoReceiver
	// photograph takes the pictures of a licence's sides, other ones for every seed.
	photograph func(licence specimen.Document, seed uint64) (front, back []byte, err error)
	pause      time.Duration
	progress   io.Writer
}

// stopwatch shows what is done and how long it took.
type stopwatch struct {
	out   io.Writer
	steps []demoStep
}

// demoStep is one step and its time.
type demoStep struct {
	Name   string  `json:"name"`
	Millis float64 `json:"ms"`
}

func (w *stopwatch) step(name string, work func() error) error {
	started := time.Now()
	err := work()
	took := demoMillis(time.Since(started))
	w.steps = append(w.steps, demoStep{name, took})
	if err != nil {
		fmt.Fprintf(w.out, "    %-28s %7.0f ms  %v\n", name, took, err)
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(w.out, "    %-28s %7.0f ms\n", name, took)
	return nil
}

func demoMillis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// verify takes one person from session to signed webhook. What went wrong is in the outcome's Problem.
// The seed is that of the photographs.
func (v demoVerifier) verify(ctx context.Context, c demoCase, seed uint64) demoOutcome {
	clock := &stopwatch{out: v.progress}
	outcome := demoOutcome{Name: c.name, Title: c.title, Expected: demoExpectation{Verified: c.reason == "", Reason: c.reason}}
	err := v.walk(ctx, c, seed, clock, &outcome)
	outcome.Steps = clock.steps
	if err != nil {
		outcome.Problem = err.Error()
	} else {
		outcome.Problem = c.problem(outcome)
	}
	outcome.OK = outcome.Problem == ""
	return outcome
}

// walk is the whole way, step by step.
func (v demoVerifier) walk(ctx context.Context, c demoCase, seed uint64, clock *stopwatch, outcome *demoOutcome) error {
	var front, back []byte
	err := clock.step("photographs of the licence", func() (err error) {
		front, back, err = v.photograph(c.licence, seed)
		return err
	})
	if err != nil {
		return err
	}
	var backend, device demoCaller
	var session struct {
		ID string `json:"session_id"`
	}
	inSession := func(more map[string]any) map[string]any {
		body := map[string]any{"session_id": session.ID}
		for field, value := range more {
			body[field] = value
		}
		return body
	}
	here := map[string]any{"latitude": 0.0, "longitude": 0.0}
	var lastUpload time.Time
	var decision struct {
		Verified bool     `json:"verified"`
		Status   string   `json:"status_e"`
		Reasons  []string `json:"reasons"`
		Score    *float64 `json:"score"`
	}
	for _, step := range []struct {
		name    string
		picture bool // a person needs time to take it
		work    func() error
	}{
		{"token", false, func() (err error) { backend, err = v.api.backend(ctx); return err }},
		{"session", false, func() error {
			return backend.post(ctx, "/v2/idv/session/create", map[string]any{"metadata": map[string]string{"demo": c.name}}, &session)
		}},
		{"device token", false, func() (err error) { device, err = v.api.device(ctx, session.ID); return err }},
		{"consent", false, func() error {
			return device.post(ctx, "/v2/idv/sdk/consent/add", inSession(map[string]any{"consented": true}), nil)
		}},
		{"document type", false, func() error {
			return device.post(ctx, "/v2/idv/sdk/document/type/update", inSession(map[string]any{"document_type_e": "driver_license"}), nil)
		}},
		{"front of the licence", true, func() error {
			return device.upload(ctx, "/v2/idv/sdk/document/front/add", session.ID, front)
		}},
		{"back of the licence", true, func() error {
			return device.upload(ctx, "/v2/idv/sdk/document/back/add", session.ID, back)
		}},
		{"liveness challenge", false, func() error {
			return device.post(ctx, "/v2/idv/sdk/liveness/generate", inSession(here), nil)
		}},
		{"liveness frame", true, func() error {
			lastUpload = time.Now()
			return device.post(ctx, "/v2/idv/sdk/liveness/process", inSession(map[string]any{
				"latitude": 0.0, "longitude": 0.0, "images": []string{base64.StdEncoding.EncodeToString(c.selfie)},
			}), nil)
		}},
		{"finalize", false, func() error {
			err := device.post(ctx, "/v2/idv/sdk/finalize", inSession(nil), &decision)
			outcome.LastUploadToDecision = demoMillis(time.Since(lastUpload))
			return err
		}},
	} {
		if step.picture {
			if err := demoSleep(ctx, v.pause); err != nil {
				return err
			}
		}
		if err := clock.step(step.name, step.work); err != nil {
			return err
		}
	}
	outcome.SessionID = session.ID
	outcome.Verified, outcome.Status, outcome.Reasons, outcome.Score = decision.Verified, decision.Status, decision.Reasons, decision.Score

	err = clock.step("webhook, signature verified", func() error {
		event, err := v.webhook(ctx, session.ID, decision.Status, decision.Reasons)
		if err != nil {
			return err
		}
		outcome.Webhook = &event
		if decision.Status != event.Status { // finalize did not wait for the decision, the webhook brought it
			outcome.Status, outcome.LastUploadToDecision = event.Status, demoMillis(event.At.Sub(lastUpload))
			outcome.Verified = event.Verified != nil && *event.Verified
		}
		return nil
	})
	if err != nil {
		return err
	}
	if outcome.Verified {
		err := clock.step("identity", func() error {
			var read struct {
				IdentityID string `json:"identity_id"`
			}
			err := backend.post(ctx, "/v2/idv/session/read", inSession(nil), &read)
			outcome.IdentityID = read.IdentityID
			return err
		})
		if err != nil {
			return err
		}
	}
	return clock.step("decision", func() error {
		var tests struct {
			Decision *demoDecision `json:"decision"`
		}
		if err := backend.post(ctx, "/v2/idv/session/test/read", inSession(nil), &tests); err != nil {
			return err
		}
		if tests.Decision == nil {
			return fmt.Errorf("session test read shows no decision")
		}
		outcome.demoDecision = *tests.Decision
		return nil
	})
}

// webhook waits for the news of the session's end. If finalize only ran out of time, the decision is yet to come.
func (v demoVerifier) webhook(ctx context.Context, sessionID, status string, reasons []string) (demoEvent, error) {
	limit, states := demoWebhookTime, []string{status}
	if status != "complete" && slices.Contains(reasons, "analysis_pending") {
		limit, states = demoDecisionTime, []string{"complete"}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return v.receiver.wait(ctx, sessionID, states...)
}

func demoSleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
