package main

import "context"

// forget erases what sessions of the demo hold. Its pictures are few, and a server that has seen one takes it for a live
// face no more.
func (v demoVerifier) forget(ctx context.Context, outcomes ...demoOutcome) error {
	backend, err := v.api.backend(ctx)
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.SessionID == "" {
			continue
		}
		path := "/v2/idv/session/anonymize"
		if o.ofIdentity {
			path = "/v2/ida/session/delete"
		}
		if err := backend.post(ctx, path, map[string]any{"session_id": o.SessionID}, nil); err != nil {
			return err
		}
	}
	return nil
}

// forgetPerson erases the identity that the demo made.
func (v demoVerifier) forgetPerson(ctx context.Context, identityID string) error {
	if identityID == "" {
		return nil
	}
	backend, err := v.api.backend(ctx)
	if err != nil {
		return err
	}
	return backend.post(ctx, "/v2/identity/anonymize", map[string]any{"identity_id": identityID}, nil)
}
