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
		kind := "idv"
		if o.ofIdentity {
			kind = "ida"
		}
		if err := backend.post(ctx, "/v2/"+kind+"/session/anonymize", map[string]any{"session_id": o.SessionID}, nil); err != nil {
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
