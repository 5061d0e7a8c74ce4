package aamva

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Card is what Compose writes.
type Card struct {
	IIN                 string
	Version             int // 2 to 12
	JurisdictionVersion int
	Subfile             string            // DL or ID
	Elements            map[string]string // element id → value as it stands on the card
	Jurisdiction        map[string]string // Z.. elements, all with the same second letter
}

// mandatory is the order in which the standard of 2020 lists the mandatory elements; the others follow by their ids.
func mandatory() []string {
	return []string{
		"DCA", "DCB", "DCD", "DBA", "DCS", "DAC", "DAD", "DBD", "DBB", "DBC", "DAY", "DAU", "DAG", "DAI", "DAJ", "DAK",
		"DAQ", "DCF", "DCG", "DDE", "DDF", "DDG",
	}
}

// Compose writes a payload whose offsets and lengths are right. The error is an *Error with CodeFieldInvalid and the
// part of the card that cannot be written.
func Compose(c Card) ([]byte, error) {
	if len(c.IIN) != 6 || !isDigits(c.IIN) {
		return nil, &Error{Code: CodeFieldInvalid, Field: "iin"}
	}
	if c.Version < 2 || c.Version > latestVersion || c.JurisdictionVersion < 0 || c.JurisdictionVersion > 99 {
		return nil, &Error{Code: CodeFieldInvalid, Field: "version"}
	}
	if c.Subfile != "DL" && c.Subfile != "ID" {
		return nil, &Error{Code: CodeFieldInvalid, Field: "subfile"}
	}
	main, err := subfile(c.Subfile, c.Elements, 'D')
	if err != nil {
		return nil, err
	}
	subfiles := []string{main}
	if len(c.Jurisdiction) > 0 {
		own, err := subfile("Z"+secondLetter(c.Jurisdiction), c.Jurisdiction, 'Z')
		if err != nil {
			return nil, err
		}
		subfiles = append(subfiles, own)
	}
	head := fmt.Sprintf("%sANSI %s%02d%02d%02d", complianceMark, c.IIN, c.Version, c.JurisdictionVersion, len(subfiles))
	offset := len(head) + 10*len(subfiles)
	for _, s := range subfiles {
		if offset > 9999 || len(s) > 9999 {
			return nil, &Error{Code: CodeFieldInvalid, Field: "length"}
		}
		head += fmt.Sprintf("%s%04d%04d", s[:2], offset, len(s))
		offset += len(s)
	}
	payload := []byte(head + strings.Join(subfiles, ""))
	if len(payload) > maxLength {
		return nil, &Error{Code: CodeFieldInvalid, Field: "length"}
	}
	return payload, nil
}

func secondLetter(elements map[string]string) string {
	for id := range elements {
		if len(id) == 3 {
			return id[1:2] // subfile refuses ids with another one
		}
	}
	return "?"
}

func subfile(kind string, elements map[string]string, first byte) (string, error) {
	if len(elements) == 0 {
		return "", &Error{Code: CodeFieldInvalid, Field: "elements"}
	}
	var ids []string
	for id, value := range elements {
		wrong := !element.MatchString(id) || len(id) != 3 || id[0] != first || (first == 'Z' && id[:2] != kind)
		if wrong || strings.ContainsFunc(value, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
			return "", &Error{Code: CodeFieldInvalid, Field: id}
		}
		ids = append(ids, id)
	}
	order := mandatory()
	rank := func(id string) int {
		if i := slices.Index(order, id); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(ids, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	lines := make([]string, len(ids))
	for i, id := range ids {
		lines[i] = id + elements[id]
	}
	return kind + strings.Join(lines, "\n") + "\r", nil
}

// Elements turns a document's fields, named as Fields names them, into the elements of version 4 and later. Absent
// mandatory elements are written as the standard wants them: NONE, or truncation flag U. The error is an *Error with
// CodeFieldInvalid and the name of a field that cannot be written.
func Elements(fields map[string]string) (map[string]string, error) {
	e := map[string]string{}
	ids := map[string]string{
		fieldDocumentNumber: "DAQ", fieldRefNumber: "DCF", fieldLastName: "DCS", fieldFirstName: "DAC", fieldMiddleName: "DAD",
		fieldNameSuffix: "DCU", fieldStreet: "DAG", fieldCity: "DAI", fieldState: "DAJ", fieldEyeColor: "DAY",
		fieldHairColor: "DAZ", fieldClass: "DCA", fieldRestrictions: "DCB", fieldEndorsements: "DCD",
	}
	for field, id := range ids {
		if v := fields[field]; v != "" {
			e[id] = strings.ToUpper(v)
		}
	}
	country := strings.ToUpper(fields[fieldIssuingCountry])
	if country == "" {
		country = "USA"
	}
	e["DCG"] = country
	for field, id := range map[string]string{fieldBirthDate: "DBB", fieldExpiresAt: "DBA", fieldIssuedAt: "DBD"} {
		v := fields[field]
		if v == "" {
			continue
		}
		t, err := time.Parse(time.DateOnly, v)
		if err != nil {
			return nil, &Error{Code: CodeFieldInvalid, Field: field}
		}
		e[id] = t.Format("01022006")
		if country == "CAN" {
			e[id] = t.Format("20060102")
		}
	}
	switch fields[fieldGender] {
	case "male":
		e["DBC"] = "1"
	case "female":
		e["DBC"] = "2"
	case "unspecified":
		e["DBC"] = "9"
	case "", "unknown":
	default:
		return nil, &Error{Code: CodeFieldInvalid, Field: fieldGender}
	}
	if v := fields[fieldPostalCode]; v != "" {
		v = strings.ReplaceAll(strings.ToUpper(v), "-", "")
		if isDigits(v) && len(v) == 5 {
			v += "0000"
		}
		e["DAK"] = fmt.Sprintf("%-11s", v)
	}
	if err := measures(fields, e); err != nil {
		return nil, err
	}
	for _, id := range []string{"DCA", "DCB", "DCD", "DAD"} {
		if e[id] == "" {
			e[id] = "NONE"
		}
	}
	for _, id := range []string{"DDE", "DDF", "DDG"} {
		e[id] = "U"
	}
	return e, nil
}

func measures(fields, e map[string]string) error {
	if v := fields[fieldHeight]; v != "" {
		n, unit, ok := leadingNumber(v)
		if !ok || n > 999 || (unit != "in" && unit != "cm") {
			return &Error{Code: CodeFieldInvalid, Field: fieldHeight}
		}
		e["DAU"] = fmt.Sprintf("%03d %s", n, unit)
	}
	if v := fields[fieldWeight]; v != "" {
		n, unit, ok := leadingNumber(v)
		switch {
		case ok && unit == "lb" && n <= 999:
			e["DAW"] = fmt.Sprintf("%03d", n)
		case ok && unit == "kg" && n <= 999:
			e["DAX"] = fmt.Sprintf("%03d", n)
		default:
			return &Error{Code: CodeFieldInvalid, Field: fieldWeight}
		}
	}
	return nil
}
