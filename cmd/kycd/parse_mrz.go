package main

import (
	"errors"
	"time"

	"kycd/kyc/mrz"
)

// parsedMRZ is the object of a machine-readable zone.
type parsedMRZ struct {
	parsedText
	Format      mrz.Format      `json:"format"`
	Type        string          `json:"type"`
	Valid       bool            `json:"valid"`        // every check digit is right
	CheckDigits map[string]bool `json:"check_digits"` // field → its check digit is right
	Lines       []string        `json:"lines"`        // after repair
	Optional    string          `json:"optional"`
	Optional2   string          `json:"optional_2"`
	IssuedMonth string          `json:"issued_month"` // YYYY-MM, on French identity cards
}

func parseMRZ(text []byte, now time.Time) parsed {
	object := &parsedMRZ{parsedText: newParsedText(), CheckDigits: map[string]bool{}, Lines: []string{}}
	d, err := mrz.ParseText(string(text), now)
	if err != nil {
		object.fail(mrzCode(err))
		return object
	}
	object.Fields, object.Format, object.Type, object.Valid = d.Fields(), d.Format, d.Type, d.Valid
	object.CheckDigits, object.Lines = d.CheckDigits, d.Lines
	object.Optional, object.Optional2, object.IssuedMonth = d.Optional, d.Optional2, d.IssuedMonth
	for _, problem := range d.Errors {
		object.Errors = append(object.Errors, parsedError{Code: string(problem.Code), Field: problem.Field})
	}
	for _, r := range d.Repairs {
		object.Repairs = append(object.Repairs, parsedRepair{
			Code: string(r.Kind), Field: r.Field, Row: &r.Row, Column: &r.Column, From: r.From, To: r.To, Confirmed: &r.Confirmed,
		})
	}
	return object
}

func mrzCode(err error) string {
	var e *mrz.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return "unreadable"
}
