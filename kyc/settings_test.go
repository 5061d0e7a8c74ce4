package kyc

import "testing"

// TestSettingsAreKnownByTheirNamesAlone: a key in other letters is somebody's own and means nothing, so that a device
// cannot loosen with it what a backend asked for.
func TestSettingsAreKnownByTheirNamesAlone(t *testing.T) {
	for _, session := range []map[string]any{nil, {"max_attempts": 3.0}} {
		merged := switchOn(session, map[string]any{
			"CHECKS": map[string]any{"face_match": false, "liveness": false, "document_back": false}, "Checks": map[string]any{"nonsense": true},
			"checKs": true, "Document_Types": []any{"passport"}, "MAX_ATTEMPTS": 99.0, "RETENTION_DAYS": -1.0,
		})
		s, err := ParseSettings(merged)
		if err != nil {
			t.Fatal(err)
		}
		if !s.Wants(CheckFaceMatch) || !s.Wants(CheckLiveness) || !s.Wants(CheckDocumentBack) || len(s.DocumentTypes) != 0 || s.maxAttempts() == 99 || s.RetentionDays != nil {
			t.Errorf("session %v: got %+v", session, s)
		}
	}
}
