package models

import "strings"

// Code is a stable name of what went wrong.
type Code string

// The codes.
const (
	CodeMissing    Code = "weights_missing"     // a required weight could not be obtained
	CodeDamaged    Code = "weights_damaged"     // a file of the models folder is not what was laid there
	CodeTruncated  Code = "weights_truncated"   // a download is shorter or longer than its pin says
	CodeMismatch   Code = "weights_mismatch"    // a download has the right size and the wrong content
	CodeConversion Code = "weights_conversion"  // a download could not be converted
	CodeSource     Code = "weights_unreachable" // a source could not be read
	CodeRegistry   Code = "registry_failed"     // npm did not install the pinned packages
	CodeFolder     Code = "models_folder"       // the models folder could not be read or written
)

// Error is every error of this package. Subject is a file or a weight, Detail one line for people.
type Error struct {
	Code    Code
	Subject string
	Detail  string
	Err     error
}

// Error is one line: code, subject, detail and cause.
func (e *Error) Error() string {
	parts := []string{string(e.Code)}
	for _, p := range []string{e.Subject, e.Detail} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if e.Err != nil {
		parts = append(parts, firstLine(e.Err.Error()))
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return s
}
