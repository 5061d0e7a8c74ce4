package main

import (
	"errors"
	"maps"

	"kycd/kyc/aamva"
)

// parsedAAMVA is the object of a barcode's payload.
type parsedAAMVA struct {
	parsedText
	Version          int               `json:"version"` // of the standard, 0 to 12; 0 also where nothing was read
	IIN              string            `json:"iin"`
	Jurisdiction     string            `json:"jurisdiction"` // the issuer's state by the IIN; empty if nobody has that number
	JurisdictionName string            `json:"jurisdiction_name"`
	Subfile          string            `json:"subfile"` // DL or ID
	StateAgreement   aamva.Agreement   `json:"state_agreement"`
	CountryAgreement aamva.Agreement   `json:"country_agreement"`
	Elements         map[string]string `json:"elements"`  // the standard's and the issuer's own, by id
	Truncated        map[string]bool   `json:"truncated"` // field → the card says that it cut it
	Details          aamva.Details     `json:"details"`
}

func parseAAMVA(text []byte) parsed {
	object := &parsedAAMVA{
		parsedText: newParsedText(), Elements: map[string]string{}, Truncated: map[string]bool{},
		StateAgreement: aamva.Uncomparable, CountryAgreement: aamva.Uncomparable,
	}
	p, err := aamva.Parse(text)
	if err != nil {
		object.fail(aamvaCode(err))
		return object
	}
	object.Fields, object.Truncated, object.Details = p.Fields(), p.Truncated(), p.Details()
	object.Version, object.IIN, object.Subfile = p.Version, p.IIN, p.Subfile
	object.StateAgreement, object.CountryAgreement = p.StateAgreement(), p.CountryAgreement()
	if issuer, ok := p.Issuer(); ok {
		object.Jurisdiction, object.JurisdictionName = issuer.State, issuer.Name
	}
	maps.Copy(object.Elements, p.Elements)
	maps.Copy(object.Elements, p.Jurisdiction)
	for _, problem := range p.Errors {
		object.Errors = append(object.Errors, parsedError{Code: problem.Code(), Field: problem.Field(), Element: problem.Element()})
	}
	for _, repair := range p.Repairs {
		object.Repairs = append(object.Repairs, parsedRepair{Code: string(repair)})
	}
	return object
}

func aamvaCode(err error) string {
	var e *aamva.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return "unreadable"
}
