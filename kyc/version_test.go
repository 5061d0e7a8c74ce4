package kyc_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"kycd/kyc"
	"kycd/kyc/auth"
)

// TestSessionVersion: whatever changes what a session's owner reads changes its version.
func TestSessionVersion(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		id, err := h.CreateSession(ctx, p, kyc.SessionInput{Settings: map[string]any{"max_attempts": 2}})
		must(t, err)
		look := func() (version int, seen string) {
			t.Helper()
			version, err := h.SessionVersion(ctx, p, id)
			must(t, err)
			view, err := h.ReadSession(ctx, p, kyc.IDV, id)
			must(t, err)
			b, err := json.Marshal(view)
			must(t, err)
			return version, string(b)
		}
		attempt := func() error {
			_, err := h.GenerateLiveness(ctx, p, kyc.IDV, id, kyc.Place{})
			if err == nil {
				_, err = h.ProcessLiveness(ctx, p, kyc.IDV, id, kyc.Place{}, kyc.LivenessInput{Images: [][]byte{picture(t)}})
			}
			return err
		}
		version, seen := look()
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"consent refused", func() error { return h.AddConsent(ctx, p, id, false) }},
			{"consent given", func() error { return h.AddConsent(ctx, p, id, true) }},
			{"metadata", func() error { return h.UpdateSDKMetadata(ctx, p, kyc.IDV, id, map[string]any{"sdk": 1}) }},
			{"type", func() error { return h.UpdateDocumentType(ctx, p, id, "passport") }},
			{"another type", func() error { return h.UpdateDocumentType(ctx, p, id, "driver_license") }},
			{"front", func() error { return only(h.AddDocument(ctx, p, id, "front", kyc.Place{}, picture(t))) }},
			{"back", func() error { return only(h.AddDocument(ctx, p, id, "back", kyc.Place{}, picture(t))) }},
			{"liveness", attempt},
			{"liveness again", attempt},
			{"blocked", func() error { want(t, attempt(), kyc.CodeSessionBlocked); return nil }},
			{"unblocked", func() error { h.pass(16 * time.Minute); _, err := h.ExpireSessions(ctx); return err }},
			{"analysed", func() error {
				for _, w := range h.take(kyc.WorkAnalyze) {
					side := string(h.db.Ent.Capture.GetX(ctx, w.SubjectID).Side)
					_, _, err := h.BeginAnalysis(ctx, w.ID)
					if e := kyc.AsError(err); e != nil && e.Code == kyc.CodeConflict {
						continue // of the first attempt: it counts no more
					}
					if err := h.FinishAnalysis(ctx, w.ID, measured(t, side)); err != nil {
						return err
					}
				}
				return nil
			}},
			{"finalized", func() error {
				_, err := h.Finalize(ctx, p, id, map[string]any{"checks": map[string]any{"dmv": true}})
				return err
			}},
			{"anonymized", func() error { return h.AnonymizeSession(ctx, p, id) }},
		} {
			must(t, step.do())
			newVersion, newSeen := look()
			if newSeen == seen {
				t.Errorf("%s changed nothing", step.name)
			}
			if newVersion <= version {
				t.Errorf("%s: version %d after %d", step.name, newVersion, version)
			}
			version, seen = newVersion, newSeen
		}
		must(t, h.DeleteSession(ctx, p, kyc.IDV, id))
		_, err = h.SessionVersion(ctx, p, id)
		want(t, err, kyc.CodeNotFound)
	})
}

// TestSessionVersionIsTenancy: who cannot read a session learns nothing of its version either.
func TestSessionVersionIsTenancy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, p := context.Background(), h.client("Borduria Bank")
		id, identity := h.verified(p, kyc.SessionInput{})
		ida, err := h.CreateAuthentication(ctx, p, identity, kyc.SessionInput{})
		must(t, err)
		whole, device, other, sibling := p, p, p, p
		whole.ClientID, device.SessionID, other.SessionID, sibling.ClientID = "", id, ida, uuid.NewString()
		for name, who := range map[string]auth.Principal{
			"client": p, "whole organisation": whole, "its device": device, "another session's device": other,
			"sibling client": sibling, "stranger": h.client("Syldavia Bank"), "nobody": {},
		} {
			for _, session := range []string{id, ida, uuid.NewString(), ""} {
				_, read := h.ReadSession(ctx, who, kyc.IDV, session)
				_, version := h.SessionVersion(ctx, who, session)
				if (read == nil) != (version == nil) {
					t.Errorf("%s: read says %v, version says %v", name, read, version)
				}
			}
		}
	})
}
