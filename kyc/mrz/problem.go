package mrz

import "strings"

// ProblemCode is a stable name of what is wrong in a zone that was read.
type ProblemCode string

// The problems.
const (
	ProblemCheckDigit ProblemCode = "check_digit_wrong"
	ProblemCharacter  ProblemCode = "character_invalid" // what the column's type forbids, and is like nothing that it allows
	ProblemDate       ProblemCode = "date_invalid"      // six digits that are no date
	ProblemMissing    ProblemCode = "field_missing"
	ProblemType       ProblemCode = "type_unexpected" // the document code is none of the format's
)

// Problem names what an integrator may want to refuse a zone for. It holds nothing that was read.
type Problem struct {
	Code  ProblemCode `json:"code"`
	Field string      `json:"field"` // as in Document.CheckDigits
}

// problems names what is wrong, in the order of the layout.
func (g *grid) problems(d Document) []Problem {
	found := []Problem{}
	add := func(code ProblemCode, field string) { found = append(found, Problem{Code: code, Field: field}) }
	for _, f := range g.layout.fields {
		text := g.text(f)
		if !g.typed(f) {
			add(ProblemCharacter, f.name)
		}
		if right, checked := d.CheckDigits[f.name]; checked && !right {
			add(ProblemCheckDigit, f.name)
		}
		switch f.name {
		case fieldType:
			if !strings.Contains(g.layout.startsWith(), text[:1]) {
				add(ProblemType, f.name)
			}
		case fieldNumber:
			if isBlank(text) {
				add(ProblemMissing, f.name)
			}
		case fieldBirth, fieldExpiry:
			iso := d.BirthDate
			if f.name == fieldExpiry {
				iso = d.ExpiresAt
			}
			if iso == "" && g.typed(f) && !strings.Contains(text, "<") {
				add(ProblemDate, f.name)
			}
		}
	}
	if right, checked := d.CheckDigits[fieldComposite]; checked && !right {
		add(ProblemCheckDigit, fieldComposite)
	}
	return found
}

// allTyped says whether every column holds what its type allows.
func (g *grid) allTyped() bool {
	for r, row := range g.rows {
		for c := range row {
			if !fits(row[c], g.layout.masks[r][c]) {
				return false
			}
		}
	}
	return true
}
