// Package webhook tells other systems what happened, as Standard Webhooks 1.0.0 describes it: signed, thin events,
// tried again for three days, sent to public addresses only.
package webhook

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// maxBodyBytes is the size that Standard Webhooks advises not to exceed.
const maxBodyBytes = 20 << 10

// Event is the body of a message. It is thin: Data holds ids and states and no personal data, so a receiver reads
// the rest through the API, where the reading is authorised and recorded.
type Event struct {
	// Type is dotted, of letters, digits and underscores: "idv.session.complete".
	Type string
	// Timestamp is when it happened, not when it is sent.
	Timestamp time.Time
	// Data becomes a JSON object.
	Data any
}

// Encode gives the body {"type":…,"timestamp":…,"data":…}. Store these bytes: every attempt must send the same ones.
func (e Event) Encode() ([]byte, error) {
	if !validType(e.Type) {
		return nil, fmt.Errorf("%w: the type is not dotted words of letters, digits and underscores", ErrInvalidEvent)
	}
	if at := e.Timestamp.UTC(); e.Timestamp.IsZero() || at.Year() < 0 || at.Year() > 9999 {
		return nil, fmt.Errorf("%w: it has no time that RFC 3339 can write", ErrInvalidEvent)
	}
	data, err := json.Marshal(e.Data)
	if err != nil {
		return nil, fmt.Errorf("%w: %T has no JSON form", ErrInvalidEvent, e.Data)
	}
	if len(data) == 0 || data[0] != '{' {
		return nil, fmt.Errorf("%w: its data are not a JSON object", ErrInvalidEvent)
	}
	body, err := json.Marshal(struct {
		Type      string          `json:"type"`
		Timestamp string          `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}{e.Type, e.Timestamp.UTC().Format(time.RFC3339Nano), data})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidEvent, err)
	}
	if len(body) > maxBodyBytes {
		return nil, fmt.Errorf("%w: %d bytes are more than %d", ErrInvalidEvent, len(body), maxBodyBytes)
	}
	return body, nil
}

func validType(name string) bool {
	if len(name) > 128 {
		return false
	}
	for word := range strings.SplitSeq(name, ".") {
		if word == "" || strings.ContainsFunc(word, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_')
		}) {
			return false
		}
	}
	return true
}
