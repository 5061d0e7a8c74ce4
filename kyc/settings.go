package kyc

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// The checks that settings may switch.
const (
	CheckOFAC              = "ofac"
	CheckDMV               = "dmv"
	CheckDocumentBack      = "document_back"
	CheckFaceMatch         = "face_match"
	CheckLiveness          = "liveness"
	CheckOnlineDuplication = "online_duplication"
)

// Settings are the known keys of a session's settings. Unknown keys stay in the raw map and are given back.
type Settings struct {
	Checks              map[string]bool `json:"checks"`
	DocumentTypes       []string        `json:"document_types"`
	MaxAttempts         *int            `json:"max_attempts"`
	ExpiresInSeconds    *int            `json:"expires_in_seconds"`
	FinalizeWaitSeconds *float64        `json:"finalize_wait_seconds"`
	RetentionDays       *int            `json:"retention_days"`
	RedirectURL         *string         `json:"redirect_url"`
	Locale              *string         `json:"locale"`
	LivenessProvider    *string         `json:"liveness_provider"`
}

// defaultChecks is what is asked for where a session says nothing.
func defaultChecks() map[string]bool {
	return map[string]bool{
		CheckDocumentBack: true, CheckFaceMatch: true, CheckLiveness: true,
		CheckOFAC: false, CheckDMV: false, CheckOnlineDuplication: false,
	}
}

// DocumentTypes lists document_type_e without unknown.
func DocumentTypes() []string {
	return []string{"driver_license", "identification_card", "passport", "passport_card"}
}

// settingsKeys are the known keys. Go's decoder would take them in other letters too, which switchOn does not look at: a
// device could switch checks off.
func settingsKeys() []string {
	return []string{
		"checks", "document_types", "max_attempts", "expires_in_seconds", "finalize_wait_seconds", "retention_days", "redirect_url", "locale",
		"liveness_provider",
	}
}

// ParseSettings reads the known keys and refuses what they cannot mean, by JSON pointer.
func ParseSettings(raw map[string]any) (Settings, error) {
	var s Settings
	known := map[string]any{}
	for _, key := range settingsKeys() {
		if value, ok := raw[key]; ok {
			known[key] = value
		}
	}
	b, err := json.Marshal(known)
	if err != nil {
		return s, Errorf(CodeInvalid, "settings must be a JSON object")
	}
	var bad []FieldError
	refuse := func(pointer, message string) {
		bad = append(bad, FieldError{Pointer: "/settings/" + pointer, Code: "invalid", Message: message})
	}
	if err := json.Unmarshal(b, &s); err != nil {
		field := "settings"
		if t, ok := err.(*json.UnmarshalTypeError); ok { //nolint:errorlint // encoding/json returns it unwrapped
			field = t.Field
		}
		refuse(field, "has the wrong type")
		return s, &Error{Code: CodeInvalid, Message: "the settings are not valid", Fields: bad}
	}
	checks := defaultChecks()
	for _, name := range slices.Sorted(maps.Keys(s.Checks)) {
		if _, ok := checks[name]; !ok {
			refuse("checks/"+name, "is not a check")
		}
	}
	for _, t := range s.DocumentTypes {
		if !slices.Contains(DocumentTypes(), t) {
			refuse("document_types", "holds an unknown document type")
		}
	}
	within := func(name string, v *int, low, high int) {
		if v != nil && (*v < low || *v > high) {
			refuse(name, "is out of range")
		}
	}
	within("max_attempts", s.MaxAttempts, 1, 100)
	within("expires_in_seconds", s.ExpiresInSeconds, 60, 30*24*3600)
	within("retention_days", s.RetentionDays, 0, 36500)
	if w := s.FinalizeWaitSeconds; w != nil && !(*w >= 0 && *w <= 120) {
		refuse("finalize_wait_seconds", "is out of range")
	}
	if len(bad) > 0 {
		return s, &Error{Code: CodeInvalid, Message: "the settings are not valid", Fields: bad}
	}
	return s, nil
}

// Wants says whether a check is asked for.
func (s Settings) Wants(check string) bool {
	if on, said := s.Checks[check]; said {
		return on
	}
	return defaultChecks()[check]
}

// Allows says whether a document of that type may be used.
func (s Settings) Allows(documentType string) bool {
	return len(s.DocumentTypes) == 0 || slices.Contains(s.DocumentTypes, documentType)
}

func (s Settings) finalizeWait(fallback time.Duration) time.Duration {
	if s.FinalizeWaitSeconds == nil {
		return fallback
	}
	return time.Duration(*s.FinalizeWaitSeconds * float64(time.Second))
}

func (s Settings) maxAttempts() int {
	if s.MaxAttempts == nil {
		return 10
	}
	return *s.MaxAttempts
}

// switchOn merges what finalize says into a session's settings: a check may be switched on, never off.
func switchOn(session, finalize map[string]any) map[string]any {
	merged := maps.Clone(session)
	if merged == nil {
		merged = map[string]any{}
	}
	for key, value := range finalize {
		if key != "checks" {
			if _, set := merged[key]; !set && !decisive(key) {
				merged[key] = value
			}
			continue
		}
		asked, _ := value.(map[string]any)
		before, _ := merged["checks"].(map[string]any)
		checks := maps.Clone(before)
		if checks == nil {
			checks = map[string]any{}
		}
		for name, on := range asked {
			if on == true {
				checks[name] = true
			}
		}
		merged["checks"] = checks
	}
	return merged
}

// decisive names settings that finalize must not change: they would loosen what the backend asked for.
func decisive(key string) bool {
	return slices.Contains([]string{"document_types", "max_attempts", "expires_in_seconds", "retention_days", "liveness_provider"}, key)
}
