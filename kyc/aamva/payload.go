// Package aamva reads and writes the text of the PDF417 barcode on North American driver licences and identification cards
// (AAMVA DL/ID card design standard, versions 1 to 12).
//
// Real cards break the standard in every way, wrong offsets first. So the elements are found by their shape, and the
// header's offsets only say whether the card keeps to the standard. What had to be overlooked is named in Repairs.
package aamva

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Payload is what a barcode says, before its meaning is worked out.
type Payload struct {
	IIN                 string            `json:"iin"` // issuer identification number, six digits
	Version             int               `json:"version"`
	JurisdictionVersion int               `json:"jurisdiction_version"`
	Subfile             string            `json:"subfile"`      // DL or ID; empty if the card does not say
	Subfiles            []Subfile         `json:"subfiles"`     // the directory, as it is written
	Elements            map[string]string `json:"elements"`     // element id → value without padding; of a repeated id the first that is not empty
	Jurisdiction        map[string]string `json:"jurisdiction"` // the issuer's own elements (Z..)
	Repairs             []Repair          `json:"repairs"`
	Errors              []Problem         `json:"errors"` // what is missing or no valid value; the payload is usable without
}

// Subfile is one entry of the directory. What it says of offset and length, in bytes, is wrong on many cards.
type Subfile struct {
	Type   string `json:"type"` // DL, ID, EN, or Z and a letter
	Offset int    `json:"offset"`
	Length int    `json:"length"`
}

// Repair names a deviation from the standard that was overlooked.
type Repair string

// The repairs.
const (
	RepairLeadingBytes     Repair = "leading_bytes"     // something stands before the header
	RepairCompliance       Repair = "compliance_mark"   // @ LF RS CR is incomplete or other
	RepairFileType         Repair = "file_type"         // AAMVA or nothing in place of ANSI
	RepairHeaderLength     Repair = "header_length"     // the jurisdiction version is there or not against the version
	RepairOffsets          Repair = "offsets"           // offsets or lengths of the subfiles are wrong
	RepairSubfileMark      Repair = "subfile_mark"      // DL or ID is missing before the elements
	RepairSeparators       Repair = "separators"        // other characters than LF and CR part the elements
	RepairRepeatedElement  Repair = "repeated_element"  // an element stands twice with different values
	RepairUnknownText      Repair = "unknown_text"      // a line is no element
	RepairCharacterSet     Repair = "character_set"     // not UTF-8: read as ISO 8859-1
	RepairReplacedControls Repair = "replaced_controls" // C1 control characters or U+FFFD in place of the separators
	RepairFutureVersion    Repair = "version_unknown"   // a version later than this package knows
	RepairStripe           Repair = "magnetic_stripe"   // the tracks of a magnetic stripe in place of elements
	RepairDateOrder        Repair = "date_order"        // a date has year or month first against the version and the country
	RepairDateText         Repair = "date_text"         // something stands between or behind a date's digits
)

// Code is a stable reason why a payload cannot be read at all.
type Code string

// The reasons.
const (
	CodeTooShort        Code = "aamva_too_short"
	CodeTooLong         Code = "aamva_too_long"
	CodeHeaderMissing   Code = "aamva_header_missing"
	CodeElementsMissing Code = "aamva_elements_missing"
	CodeFieldInvalid    Code = "aamva_field_invalid" // Compose: a field cannot be written
)

// Error says why nothing was read or written. It never holds the payload.
type Error struct {
	Code  Code
	Field string // of CodeFieldInvalid
}

func (e *Error) Error() string {
	if e.Field != "" {
		return string(e.Code) + ": " + e.Field
	}
	return string(e.Code)
}

const (
	minLength     = 30      // header, one directory entry
	maxLength     = 8 << 10 // a PDF417 symbol holds less than 2 KB of text
	latestVersion = 12
	mostSubfiles  = 99 // two digits count them
)

// header matches file type, IIN, AAMVA version and the rest of the digits up to the directory.
// Group 1: file type; 2: IIN; 3: version; 4: what follows, two digits (entries) or four (jurisdiction version, entries).
var header = regexp.MustCompile(`(ANSI ?|AAMVA ?)(\d{6})(\d{2})(\d{4}|\d{2})`)

// bareHeader finds a header whose file type was lost, by its first directory entry.
var bareHeader = regexp.MustCompile(`()(\d{6})(\d{2})(\d{4}|\d{2})(?:DL|ID)\d{8}`)

// directoryEntry is one subfile's type, offset and length.
var directoryEntry = regexp.MustCompile(`^(DL|ID|EN|Z[A-Z])(\d{4})(\d{4})`)

// Parse reads a payload. It never panics. The error is an *Error.
func Parse(payload []byte) (Payload, error) {
	if len(payload) > maxLength {
		return Payload{}, &Error{Code: CodeTooLong}
	}
	p := Payload{
		Elements: map[string]string{}, Jurisdiction: map[string]string{}, Subfiles: []Subfile{},
		Repairs: []Repair{}, Errors: []Problem{},
	}
	text := p.decode(payload)
	if len(text) < minLength {
		return Payload{}, &Error{Code: CodeTooShort}
	}
	m := header.FindStringSubmatchIndex(text)
	if m == nil {
		m = bareHeader.FindStringSubmatchIndex(text)
		if m == nil && p.readStripe(text) {
			p.check()
			return p, nil
		}
		if m == nil {
			return Payload{}, &Error{Code: CodeHeaderMissing}
		}
		p.repair(RepairFileType)
	}
	body := p.readHeader(text, m)
	p.readElements(body)
	if len(p.Elements) == 0 {
		return Payload{}, &Error{Code: CodeElementsMissing}
	}
	p.check()
	return p, nil
}

// decode gives the payload as UTF-8 without byte order mark.
func (p *Payload) decode(payload []byte) string {
	text := string(payload)
	if !utf8.ValidString(text) {
		p.repair(RepairCharacterSet)
		runes := make([]rune, len(payload))
		for i, b := range payload {
			runes[i] = rune(b)
		}
		text = string(runes)
	}
	return strings.TrimPrefix(text, "\ufeff")
}

const complianceMark = "@\n\x1e\r"

// readHeader reads header and directory and gives what follows them.
func (p *Payload) readHeader(text string, m []int) string {
	group := func(i int) string { return text[m[2*i]:m[2*i+1]] }
	p.markRepairs(text[:m[0]], group(1))
	p.IIN = group(2)
	p.Version, _ = strconv.Atoi(group(3)) // two digits by the expression
	rest := group(4)
	after := m[2*4+1]
	if len(rest) == 4 {
		p.JurisdictionVersion, _ = strconv.Atoi(rest[:2])
		rest = rest[2:]
	}
	if (m[2*4+1]-m[2*4] == 4) != (p.Version >= 2) {
		p.repair(RepairHeaderLength)
	}
	if p.Version > latestVersion {
		p.repair(RepairFutureVersion)
	}
	announced, _ := strconv.Atoi(rest)
	body := text[after:]
	if trimmed := strings.TrimRight(body, " \r\n"); strings.HasSuffix(text[:m[0]], "M") && strings.HasSuffix(trimmed, "M") {
		// Some readers write the carriage return as ^M and lose the ^, in the mark and at the end alike.
		body = strings.TrimSuffix(trimmed, "M") + "\r"
		p.repair(RepairSeparators)
	}
	for len(p.Subfiles) < mostSubfiles {
		e := directoryEntry.FindStringSubmatch(body)
		if e == nil {
			break
		}
		offset, _ := strconv.Atoi(e[2])
		length, _ := strconv.Atoi(e[3])
		p.Subfiles = append(p.Subfiles, Subfile{Type: e[1], Offset: offset, Length: length})
		body = body[len(e[0]):]
	}
	start := strings.Index(text, "@") // offsets count from the compliance mark
	if start < 0 || start > m[0] || len(p.Subfiles) != announced || !offsetsHold(text[start:], p.Subfiles) {
		p.repair(RepairOffsets)
	}
	for _, e := range p.Subfiles {
		if (e.Type == "DL" || e.Type == "ID") && p.Subfile == "" {
			p.Subfile = e.Type
		}
	}
	return body
}

// offsetsHold says whether every subfile starts and ends where the directory says.
func offsetsHold(text string, entries []Subfile) bool {
	for _, e := range entries {
		end := e.Offset + e.Length
		if end > len(text) || e.Length < 2 || text[e.Offset:e.Offset+2] != e.Type || text[end-1] != '\r' {
			return false
		}
	}
	return len(entries) > 0
}

func (p *Payload) markRepairs(before, fileType string) {
	at := strings.LastIndex(before, "@")
	switch {
	case at < 0:
		if strings.TrimSpace(before) != "" {
			p.repair(RepairLeadingBytes)
		}
		p.repair(RepairCompliance)
	default:
		if at > 0 {
			p.repair(RepairLeadingBytes)
		}
		if before[at:] != complianceMark {
			p.repair(RepairCompliance)
		}
	}
	if fileType != "ANSI " && fileType != "" { // "" was noted by Parse
		p.repair(RepairFileType)
	}
}

func (p *Payload) repair(r Repair) {
	if !slices.Contains(p.Repairs, r) {
		p.Repairs = append(p.Repairs, r)
	}
}
