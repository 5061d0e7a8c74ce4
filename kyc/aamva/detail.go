package aamva

import "strings"

// Compliance is the card's standing under the REAL ID Act (DDA), in the letters of the card.
type Compliance string

// The letters of DDA. I stands on cards without that the standards explain it.
const (
	ComplianceFull     Compliance = "F"
	ComplianceMaterial Compliance = "M"
	ComplianceNone     Compliance = "N"
	ComplianceI        Compliance = "I"
)

// Details are what a card says beyond the document's fields. Dates are ISO 8601, empty where the card has none that is
// one. A nil means that the card does not say.
type Details struct {
	Compliance      Compliance `json:"compliance_type,omitempty"`
	CardRevisedAt   string     `json:"card_revision_date,omitempty"` // when the card's design was changed last
	HazmatExpiresAt string     `json:"hazmat_expires_at,omitempty"`
	LimitedDuration *bool      `json:"limited_duration,omitempty"` // the holder's stay is limited
	Under18Until    string     `json:"under_18_until,omitempty"`
	Under19Until    string     `json:"under_19_until,omitempty"`
	Under21Until    string     `json:"under_21_until,omitempty"`
	OrganDonor      *bool      `json:"organ_donor,omitempty"`
	Veteran         *bool      `json:"veteran,omitempty"`
	Commercial      *bool      `json:"commercial,omitempty"`    // a commercial licence (from 2025 on, as the next three)
	NonDomiciled    *bool      `json:"non_domiciled,omitempty"` // a commercial licence of one who lives in another country
	Enhanced        *bool      `json:"enhanced,omitempty"`      // a credential that opens the border
	Permit          *bool      `json:"permit,omitempty"`        // a learner's permit
	InventoryNumber string     `json:"inventory_number,omitempty"`
	AuditNumber     string     `json:"audit_number,omitempty"`
	BirthPlace      string     `json:"birth_place,omitempty"`
}

// Details reads the elements that no field of the API holds.
func (p Payload) Details() Details {
	return Details{
		Compliance:      compliance(p.Elements["DDA"]),
		CardRevisedAt:   p.date("DDB"),
		HazmatExpiresAt: p.date("DDC"),
		LimitedDuration: p.indicator("DDD"),
		Under18Until:    p.date("DDH"),
		Under19Until:    p.date("DDI"),
		Under21Until:    p.date("DDJ"),
		OrganDonor:      p.indicator("DDK", "DBH"), // the second is of version 1
		Veteran:         p.indicator("DDL"),
		Commercial:      p.indicator("DDM"),
		NonDomiciled:    p.indicator("DDN"),
		Enhanced:        p.indicator("DDO"),
		Permit:          p.indicator("DDP"),
		InventoryNumber: p.value("DCK"),
		AuditNumber:     p.value("DCJ"),
		BirthPlace:      tidy(p.value("DCI")),
	}
}

func compliance(code string) Compliance {
	switch c := Compliance(strings.ToUpper(strings.TrimSpace(code))); c {
	case ComplianceFull, ComplianceMaterial, ComplianceNone, ComplianceI:
		return c
	}
	return ""
}

// indicator reads the first of the elements that says yes or no. Version 1 wrote 2 for no, as ANSI D20 does.
func (p Payload) indicator(ids ...string) *bool {
	for _, id := range ids {
		var says bool
		switch strings.ToUpper(strings.TrimSpace(p.Elements[id])) {
		case "1", "Y", "YES":
			says = true
		case "0", "2", "N", "NO":
		default:
			continue
		}
		return &says
	}
	return nil
}
