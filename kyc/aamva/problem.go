package aamva

import "strings"

// Problem names what an integrator may want to refuse a payload for. An element's id follows a colon: element_missing:DAQ.
type Problem string

// The problems.
const (
	ProblemElementMissing  Problem = "element_missing"
	ProblemElementInvalid  Problem = "element_invalid"
	ProblemIssuerUnknown   Problem = "issuer_unknown"
	ProblemIssuerMismatch  Problem = "issuer_mismatch"  // the address's state is not the issuer's: see StateAgreement
	ProblemCountryMismatch Problem = "country_mismatch" // the card names another country than the issuer's
)

// Code is the problem without the element.
func (p Problem) Code() string {
	code, _, _ := strings.Cut(string(p), ":")
	return code
}

// Element is the id of the element that the problem is about, or "".
func (p Problem) Element() string {
	_, id, _ := strings.Cut(string(p), ":")
	return id
}

// Field is the API's name of what the problem is about: of a document's field where there is one, else as Details names
// it; "" if it is about no element.
func (p Problem) Field() string {
	switch p.Code() {
	case string(ProblemIssuerMismatch):
		return fieldState
	case string(ProblemCountryMismatch):
		return fieldIssuingCountry
	case string(ProblemIssuerUnknown):
		return fieldIssuingState
	}
	return map[string]string{
		"DAQ": fieldDocumentNumber, "DCS": fieldLastName, "DAC": fieldFirstName, "DBB": fieldBirthDate, "DBA": fieldExpiresAt,
		"DBD": fieldIssuedAt, "DBC": fieldGender, "DAU": fieldHeight, "DDE": fieldLastName, "DDF": fieldFirstName,
		"DDG": fieldMiddleName, "DDA": "compliance_type", "DDB": "card_revision_date", "DDC": "hazmat_expires_at",
		"DDD": "limited_duration", "DDH": "under_18_until", "DDI": "under_19_until", "DDJ": "under_21_until",
		"DDK": "organ_donor", "DDL": "veteran",
	}[p.Element()]
}

func (p *Payload) problem(of Problem, id string) {
	if id != "" {
		of += ":" + Problem(id)
	}
	p.Errors = append(p.Errors, of)
}

// check names what is missing, or is no valid value, or goes against the rest.
func (p *Payload) check() {
	fields := p.Fields()
	for _, r := range []struct{ id, field string }{
		{"DAQ", fieldDocumentNumber}, {"DCS", fieldLastName}, {"DAC", fieldFirstName},
		{"DBB", fieldBirthDate}, {"DBA", fieldExpiresAt}, {"DBD", fieldIssuedAt},
	} {
		switch {
		case fields[r.field] != "":
		case p.Elements[r.id] != "":
			p.problem(ProblemElementInvalid, r.id)
		default:
			p.problem(ProblemElementMissing, r.id)
		}
	}
	for _, id := range []string{"DDB", "DDC", "DDH", "DDI", "DDJ"} {
		if v := p.Elements[id]; !isOpenDate(v) && p.date(id) == "" {
			p.problem(ProblemElementInvalid, id)
		}
	}
	p.checkCodes(fields)
	p.checkDateFormat()
	if _, ok := p.Issuer(); !ok {
		p.problem(ProblemIssuerUnknown, "")
		return
	}
	if p.StateAgreement() == Disagree {
		p.problem(ProblemIssuerMismatch, "")
	}
	if p.CountryAgreement() == Disagree {
		p.problem(ProblemCountryMismatch, "")
	}
}

// checkCodes looks at the elements that have few values.
func (p *Payload) checkCodes(fields map[string]string) {
	wrong := func(id string, ok bool) {
		if !ok && !isNothing(p.Elements[id]) {
			p.problem(ProblemElementInvalid, id)
		}
	}
	wrong("DBC", fields[fieldGender] != "")
	wrong("DAU", fields[fieldHeight] != "")
	for _, id := range []string{"DDE", "DDF", "DDG"} {
		v := p.Elements[id]
		wrong(id, v == "T" || v == "N" || v == "U")
	}
	wrong("DDA", compliance(p.Elements["DDA"]) != "")
	for _, id := range []string{"DDD", "DDK", "DDL"} {
		wrong(id, p.indicator(id) != nil)
	}
}

// checkDateFormat reports dates that were read although they are written otherwise than the card's version wants.
func (p *Payload) checkDateFormat() {
	want := p.order()
	for _, id := range []string{"DBA", "DBB", "DBD", "DDB", "DDC", "DDH", "DDI", "DDJ"} {
		iso, order, exact := readDate(p.Elements[id])
		if iso == "" {
			continue
		}
		if order != want && p.Version > 0 { // what cards before the standards write is not known
			p.repair(RepairDateOrder)
		}
		if !exact {
			p.repair(RepairDateText)
		}
	}
}
