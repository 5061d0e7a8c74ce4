package reference

// Remedy says what a caller can do about an error code; empty for one that it does not know.
func Remedy(code string) string { return remedies()[code] }

func remedies() map[string]string {
	return map[string]string{
		"invalid_request": "Correct what `errors` names: each entry points to a field by JSON pointer and says what is wrong with it. " +
			"Sending the same again fails again.",
		"unauthorized": "Get a token with `oauthToken` and send it as `Authorization: Bearer …`. A token ends after `expires_in` seconds; get another one then.",
		"forbidden": "Use a token with one of the scopes that the operation lists. `X-Client-Id` must be the client that the token belongs to, " +
			"and an `sdk` token opens its own session only.",
		"not_found":                  "Check the address and the id. What belongs to another organisation answers like what does not exist.",
		"erased":                     "The person's data were anonymized and cannot be brought back. Begin anew.",
		"method_not_allowed":         "Use one of the methods in the `Allow` header.",
		"consent_required":           "Ask the person, and record the answer with `idvSdkConsentAdd`.",
		"consent_refused":            "Nothing may be collected. If the person changes their mind, record it with `idvSdkConsentAdd`.",
		"session_complete":           "The session keeps its result: read it. For another attempt create a new one.",
		"session_expired":            "Create a new session. How long one lasts is `expires_in_seconds` in its settings.",
		"session_blocked":            "Wait: the block lifts by itself. How many attempts a session has is `max_attempts` in its settings.",
		"session_finalizing":         "Read the session until it is decided, or wait for the webhook.",
		"document_type_required":     "Say which document it is with `idvSdkDocumentTypeUpdate`, then send the picture again.",
		"document_side_not_expected": "Leave this side out: a passport has no back.",
		"incomplete":                 "Give what the message names, then finalize again.",
		"liveness_not_started":       "Generate a liveness session first. Each token is used once.",
		"liveness_token_expired":     "Generate another liveness session, and hand its frames in within its time.",
		"liveness_token_used":        "Generate another liveness session: a token is good for one answer.",
		"liveness_token_foreign":     "Send the token that this session's `generate` gave, unchanged.",
		"liveness_frames_mismatch":   "Send the passive frame, or that and one image for each step of the challenge, in its order.",
		"liveness_frame_refused":     "Generate another liveness session and take the pictures anew: what `errors` names does not fit the challenge.",
		"liveness_pending":           "Wait until the device's capture library has finished, then ask again.",
		"identity_not_enrolled":      "Verify the person with an IDV session first: it gives the identity a face to compare with.",
		"idempotency_in_progress":    "Send the same request with the same key again in a moment; it then gets the first one's answer.",
		"idempotency_key_reused":     "Use a new key for a new request, and an old one only to repeat the very same request.",
		"conflict":                   "Read the present state and decide anew.",
		"image_missing":              "Send the image in the field that the operation names.",
		"image_empty":                "The file has no content. Take the picture again.",
		"image_too_large":            "Send at most 15 MiB: JPEG at quality 85 is plenty.",
		"image_too_many_pixels":      "Send at most 40 million pixels.",
		"image_unsupported":          "Send JPEG, PNG or WebP. The content counts, not the file's name.",
		"image_truncated":            "The upload was cut off. Send the whole file again.",
		"image_too_small":            "Send the camera's full resolution, not a thumbnail.",
		"image_animated":             "Send a still picture.",
		"image_unreadable":           "The file is damaged, or not what it says it is. Take the picture again.",
		"url_refused":                "Give an https URL of a public host, without user and password in it.",
		"payload_too_large":          "Send less: the message says how much is taken.",
		"request_timeout":            "The body came too slowly. Send it again, and pictures not larger than needed.",
		"uri_too_long":               "Put into the body what belongs there: the contract's addresses are short.",
		"unsupported_media_type":     "Send one of the media types that the operation lists, and name it in `Content-Type`.",
		"unsupported_grant_type":     "Use one of the grant types that `oauthMetadata` lists.",
		"too_many_requests":          "Wait for as many seconds as `Retry-After` says, then go on more slowly.",
		"unavailable":                "Wait for as many seconds as `Retry-After` says, then send the same request again, with the same `Idempotency-Key`.",
		"internal": "The cause is in the server's log under the `request_id`. Repeating with the same `Idempotency-Key` is safe; " +
			"if it stays so, ask the operator.",
	}
}

// oauthError is an error of the token endpoint, which answers as RFC 6749 §5.2 has it and not with a problem.
type oauthError struct{ Name, Remedy string }

func oauthErrors() []oauthError {
	return []oauthError{
		{"invalid_request", "A parameter is missing, repeated or malformed; `error_description` says which."},
		{"invalid_client", "The client's id or secret is wrong, or the client was revoked."},
		{"invalid_grant", "The token that was to be exchanged is not valid any more."},
		{"unauthorized_client", "This client may not use this grant type."},
		{"unsupported_grant_type", "Use one of the grant types that `oauthMetadata` lists."},
		{"invalid_scope", "The client may not have this scope. `sdk` stands alone and goes with a `session_id`."},
		{"temporarily_unavailable", "Wait for as many seconds as `Retry-After` says."},
		{"server_error", "Try again; if it stays so, ask the operator."},
	}
}
