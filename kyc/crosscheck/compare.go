// Package crosscheck compares what is printed on a document with what its barcode or machine-readable zone says.
//
// The printed side was read by OCR, so likenesses that readers confuse cost little; the encoded side is exact, so anything
// else costs much: a letter that looks like no other is a different letter. Nothing here knows a tolerance; it measures.
package crosscheck

import (
	"slices"
	"strings"
)

// FieldMatch is one field on both sides. Compared is false where a side lacks it; Similarity is then 0 and means nothing.
type FieldMatch struct {
	Field      string  `json:"field"`
	Printed    string  `json:"printed"` // normalised
	Encoded    string  `json:"encoded"` // normalised
	Similarity float64 `json:"similarity"`
	Compared   bool    `json:"compared"`
}

// Result is the comparison of all fields. Similarity is the mean of the compared fields, names, number and birth date
// counting twice, but never more than the worst of those three kinds: a document that agrees in all but the name is not
// nearly right. Compared is false if no field stands on both sides; Similarity is then 0 and means nothing.
type Result struct {
	Fields     []FieldMatch `json:"fields"` // in a fixed order
	Similarity float64      `json:"similarity"`
	Compared   bool         `json:"compared"`
}

// Match says under a tolerance which groups of fields agree; nil where only one side has any of them.
type Match struct {
	Number    *bool `json:"document_number"`
	Name      *bool `json:"name"`
	Address   *bool `json:"address"`
	BirthDate *bool `json:"birth_date"`
}

// group parts the fields by the flag they belong to.
type group int

const (
	groupOther group = iota
	groupName
	groupNumber
	groupAddress
	groupBirth
)

// decisive groups bound the whole similarity by their worst field. An address may be old, a name may not.
func (g group) decisive() bool { return g == groupName || g == groupNumber || g == groupBirth }

type comparison struct {
	field   string
	group   group
	compare func(printed, encoded string) (p, e string, similarity float64)
}

func comparisons(s sides) []comparison {
	name := func(at int) func(p, e string) (string, string, float64) {
		return func(string, string) (string, string, float64) { return compareNames(at, s) }
	}
	return []comparison{
		{fieldLast, groupName, name(0)},
		{fieldFirst, groupName, name(1)},
		{fieldMiddle, groupName, name(2)},
		{"name_suffix", groupOther, compareSuffixes},
		{"document_number", groupNumber, compareNumbers},
		{"birth_date", groupBirth, compareDates},
		{"expires_at", groupOther, compareDates},
		{"issued_at", groupOther, compareDates},
		{"gender", groupOther, compareWords},
		{"street", groupAddress, compareStreets},
		{"city", groupAddress, compareStreets},
		{"state", groupAddress, compareStates},
		{"postal_code", groupAddress, comparePostalCodes},
	}
}

// clip bounds the work on a hostile text, and makes it valid UTF-8.
func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxCompared)], "")
}

// Compare measures how alike two readings of one document are. The maps' keys are the API's names of document fields, as
// aamva.Payload.Fields and mrz.Document.Fields give them. A field that either side lacks is not compared, with one exception:
// a middle name that one side has within its first name.
func Compare(printed, encoded map[string]string) Result { return CompareCut(printed, encoded, nil) }

// CompareCut is Compare where the encoded side admits to have cut names: cut is true for the names of such fields, as
// aamva.Payload.Truncated gives it. A machine-readable zone says nothing of the kind; that its names fill its columns is seen here.
func CompareCut(printed, encoded map[string]string, cut map[string]bool) Result {
	var r Result
	var sum, weights float64
	worst := 1.0
	for _, c := range comparisons(sidesOf(printed, encoded, cut)) {
		p, e, similarity := c.compare(clip(printed[c.field]), clip(encoded[c.field]))
		if p == "" && e == "" {
			continue
		}
		m := FieldMatch{Field: c.field, Printed: p, Encoded: e, Compared: p != "" && e != ""}
		if m.Compared {
			m.Similarity = similarity
			weight := 1.0
			if c.group.decisive() {
				weight = 2
				worst = min(worst, similarity)
			}
			sum += float64(weight * similarity)
			weights += weight
		}
		r.Fields = append(r.Fields, m)
	}
	if weights > 0 {
		r.Compared = true
		r.Similarity = min(sum/weights, worst)
	}
	return r
}

// Match judges the groups: one agrees if every field of it that was compared is at least as similar as the tolerance. A name agrees
// only as a whole: where the first or the last name stands on one side alone, what was compared can contradict, but not agree.
func (r Result) Match(tolerance float64) Match {
	flag := func(g group) *bool {
		var agrees *bool
		for _, c := range comparisons(sides{}) {
			i := slices.IndexFunc(r.Fields, func(m FieldMatch) bool { return m.Field == c.field && m.Compared })
			if c.group != g || i < 0 {
				continue
			}
			ok := r.Fields[i].Similarity >= tolerance && (agrees == nil || *agrees)
			agrees = &ok
		}
		if g == groupName && agrees != nil && *agrees && r.halfNamed() {
			return nil
		}
		return agrees
	}
	return Match{Number: flag(groupNumber), Name: flag(groupName), Address: flag(groupAddress), BirthDate: flag(groupBirth)}
}

// Merge makes one document of several readings, given from the most trusted to the least: each field is taken from the first
// reading that has it.
func Merge(sources ...map[string]string) map[string]string {
	merged := map[string]string{}
	for _, source := range sources {
		for field, value := range source {
			if merged[field] == "" && strings.TrimSpace(value) != "" {
				merged[field] = value
			}
		}
	}
	return merged
}
