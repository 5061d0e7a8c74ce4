package aamva

import "strings"

// Issuer is a jurisdiction as its issuer identification number names it.
type Issuer struct {
	State   string `json:"state"` // the postal abbreviation; empty for the Department of State, which is no state
	Name    string `json:"name"`
	Country string `json:"country"` // USA, CAN or MEX
}

// The invented jurisdiction of specimens. AAMVA never assigned its IIN, and no place has its abbreviation.
const (
	SpecimenIIN   = "636099"
	SpecimenState = "ZZ"
	SpecimenName  = "State of Kestrelia"
)

// IssuerOf looks an issuer identification number up; false if nobody has it. The numbers are AAMVA's assignments as
// published with the card design standard: the states, districts and territories of the United States, the provinces and
// territories of Canada, and what else it assigned.
func IssuerOf(iin string) (Issuer, bool) {
	usa := func(state, name string) (Issuer, bool) { return Issuer{State: state, Name: name, Country: "USA"}, true }
	can := func(state, name string) (Issuer, bool) { return Issuer{State: state, Name: name, Country: "CAN"}, true }
	mex := func(state, name string) (Issuer, bool) { return Issuer{State: state, Name: name, Country: "MEX"}, true }
	switch iin {
	case "604426":
		return can("PE", "Prince Edward Island")
	case "604427":
		return usa("AS", "American Samoa")
	case "604428":
		return can("QC", "Quebec")
	case "604429":
		return can("YT", "Yukon")
	case "604430":
		return usa("MP", "Northern Mariana Islands")
	case "604431":
		return usa("PR", "Puerto Rico")
	case "604432", "990876": // the second is Alberta's own, outside AAMVA's list, and stands on real cards
		return can("AB", "Alberta")
	case "604433":
		return can("NU", "Nunavut")
	case "604434":
		return can("NT", "Northwest Territories")
	case "636000":
		return usa("VA", "Virginia")
	case "636001":
		return usa("NY", "New York")
	case "636002":
		return usa("MA", "Massachusetts")
	case "636003":
		return usa("MD", "Maryland")
	case "636004":
		return usa("NC", "North Carolina")
	case "636005":
		return usa("SC", "South Carolina")
	case "636006":
		return usa("CT", "Connecticut")
	case "636007":
		return usa("LA", "Louisiana")
	case "636008":
		return usa("MT", "Montana")
	case "636009":
		return usa("NM", "New Mexico")
	case "636010":
		return usa("FL", "Florida")
	case "636011":
		return usa("DE", "Delaware")
	case "636012":
		return can("ON", "Ontario")
	case "636013":
		return can("NS", "Nova Scotia")
	case "636014":
		return usa("CA", "California")
	case "636015":
		return usa("TX", "Texas")
	case "636016":
		return can("NL", "Newfoundland and Labrador")
	case "636017":
		return can("NB", "New Brunswick")
	case "636018":
		return usa("IA", "Iowa")
	case "636019":
		return usa("GU", "Guam")
	case "636020":
		return usa("CO", "Colorado")
	case "636021":
		return usa("AR", "Arkansas")
	case "636022":
		return usa("KS", "Kansas")
	case "636023":
		return usa("OH", "Ohio")
	case "636024":
		return usa("VT", "Vermont")
	case "636025":
		return usa("PA", "Pennsylvania")
	case "636026":
		return usa("AZ", "Arizona")
	case "636027":
		return usa("", "Department of State")
	case "636028":
		return can("BC", "British Columbia")
	case "636029":
		return usa("OR", "Oregon")
	case "636030":
		return usa("MO", "Missouri")
	case "636031":
		return usa("WI", "Wisconsin")
	case "636032":
		return usa("MI", "Michigan")
	case "636033":
		return usa("AL", "Alabama")
	case "636034":
		return usa("ND", "North Dakota")
	case "636035":
		return usa("IL", "Illinois")
	case "636036":
		return usa("NJ", "New Jersey")
	case "636037":
		return usa("IN", "Indiana")
	case "636038":
		return usa("MN", "Minnesota")
	case "636039":
		return usa("NH", "New Hampshire")
	case "636040":
		return usa("UT", "Utah")
	case "636041":
		return usa("ME", "Maine")
	case "636042":
		return usa("SD", "South Dakota")
	case "636043":
		return usa("DC", "District of Columbia")
	case "636044":
		return can("SK", "Saskatchewan")
	case "636045":
		return usa("WA", "Washington")
	case "636046":
		return usa("KY", "Kentucky")
	case "636047":
		return usa("HI", "Hawaii")
	case "636048":
		return can("MB", "Manitoba")
	case "636049":
		return usa("NV", "Nevada")
	case "636050":
		return usa("ID", "Idaho")
	case "636051":
		return usa("MS", "Mississippi")
	case "636052":
		return usa("RI", "Rhode Island")
	case "636053":
		return usa("TN", "Tennessee")
	case "636054":
		return usa("NE", "Nebraska")
	case "636055":
		return usa("GA", "Georgia")
	case "636056":
		return mex("COA", "Coahuila")
	case "636057":
		return mex("HID", "Hidalgo")
	case "636058":
		return usa("OK", "Oklahoma")
	case "636059":
		return usa("AK", "Alaska")
	case "636060":
		return usa("WY", "Wyoming")
	case "636061":
		return usa("WV", "West Virginia")
	case "636062":
		return usa("VI", "Virgin Islands")
	case SpecimenIIN:
		return usa(SpecimenState, SpecimenName)
	}
	return Issuer{}, false
}

// Issuer is who issued the card by its IIN; false if nobody has that number.
func (p Payload) Issuer() (Issuer, bool) { return IssuerOf(p.IIN) }

// Agreement says whether two things that a card says of one matter go together.
type Agreement string

// The agreements.
const (
	Agree        Agreement = "agree"
	Disagree     Agreement = "disagree"
	Uncomparable Agreement = "unknown" // one of the two is not there
)

// StateAgreement compares the issuer's state by the IIN with the state of the holder's address (DAJ). A licence names a
// residence in the state that issues it, so Disagree is a sign of forgery, but no proof: soldiers and diplomats live
// elsewhere. It never keeps a payload from being read.
func (p Payload) StateAgreement() Agreement {
	i, ok := p.Issuer()
	state := p.value("DAJ", "DAO")
	switch {
	case !ok || i.State == "" || state == "":
		return Uncomparable
	case i.hasState(state):
		return Agree
	}
	return Disagree
}

// CountryAgreement compares the issuer's country by the IIN with the country that the card says it is issued in (DCG).
func (p Payload) CountryAgreement() Agreement {
	i, ok := p.Issuer()
	said := countryCode(p.value("DCG"))
	switch {
	case !ok || said == "":
		return Uncomparable
	case said == i.Country:
		return Agree
	}
	return Disagree
}

// hasState says whether a state written on a card is the issuer's; Quebec and Newfoundland had other abbreviations.
func (i Issuer) hasState(state string) bool {
	state = strings.ToUpper(strings.TrimSpace(state))
	switch state {
	case "PQ":
		state = "QC"
	case "NF":
		state = "NL"
	}
	return state == i.State || state == strings.ToUpper(i.Name)
}

// countryCode brings the writings of a country to three letters; "" for what is none of North America.
func countryCode(country string) string {
	switch strings.ToUpper(strings.TrimSpace(country)) {
	case "USA", "US":
		return "USA"
	case "CAN", "CA", "CDN":
		return "CAN"
	case "MEX", "MX":
		return "MEX"
	}
	return ""
}
