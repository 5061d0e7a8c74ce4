package aamva

import (
	"regexp"
	"strings"
)

// element matches an element's id at the start of a line: D and two letters, or the issuer's Z and two letters.
var element = regexp.MustCompile(`^[DZ][A-Z]{2}`)

// subfileMark matches DL, ID, EN or Zx directly before an element's id.
var subfileMark = regexp.MustCompile(`^(DL|ID|EN)D[A-Z]{2}|^(Z[A-Z])Z[A-Z]{2}`)

// knownElement matches the ids of the standards and the start of an issuer's subfile behind a blank, for payloads whose line
// ends became blanks.
var knownElement = regexp.MustCompile(`\s(D(?:A[A-Z]|B[A-S]|C[A-U]|D[A-P])|Z[A-Z]Z[A-Z]{2})`)

// fewElements is less than any real card has; so few found means that the separators were not understood.
const fewElements = 4

// readElements parts the body into elements, by control characters first and by what replaced them if that fails.
func (p *Payload) readElements(body string) {
	p.collect(splitControls(body), body)
	if len(p.Elements) >= fewElements {
		return
	}
	if strings.Count(body, "|") > fewElements {
		p.repair(RepairSeparators)
		p.reset()
		p.collect(splitControls(strings.ReplaceAll(body, "|", "\n")), body)
		return
	}
	if spaced := knownElement.ReplaceAllString(" "+body, "\n$1"); strings.Count(spaced, "\n") > fewElements {
		p.repair(RepairSeparators)
		p.reset()
		p.collect(splitControls(spaced), body)
	}
}

func (p *Payload) reset() {
	p.Elements, p.Jurisdiction = map[string]string{}, map[string]string{}
}

// splitControls parts text at control characters of C0 and C1 and at replacement characters.
func splitControls(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return r < 0x20 || (r >= 0x7f && r < 0xa0) || r == '\ufffd'
	})
}

func (p *Payload) collect(lines []string, body string) {
	if strings.ContainsFunc(body, func(r rune) bool { return (r >= 0x80 && r < 0xa0) || r == '\ufffd' }) {
		p.repair(RepairReplacedControls)
	}
	marks := map[string]bool{}
	for i, line := range lines {
		line = strings.TrimLeft(line, " ")
		if m := subfileMark.FindStringSubmatch(line); m != nil {
			mark := m[1] + m[2]
			// Only once: ZZ may open a subfile and be the start of the element ZZZ.
			if !marks[mark] {
				marks[mark] = true
				line = line[2:]
				if p.Subfile == "" && m[1] != "" {
					p.Subfile = mark
				}
			}
		} else if i == 0 {
			p.repair(RepairSubfileMark)
		}
		if !element.MatchString(line) {
			if strings.TrimSpace(line) != "" && !isMark(line) {
				p.repair(RepairUnknownText)
			}
			continue
		}
		p.set(line[:3], strings.TrimSpace(line[3:]))
	}
}

// isMark is true of a subfile's type alone, as an empty subfile has it.
func isMark(line string) bool {
	line = strings.TrimSpace(line)
	return len(line) == 2 && (line == "DL" || line == "ID" || line == "EN" || line[0] == 'Z')
}

func (p *Payload) set(id, value string) {
	to := p.Elements
	if id[0] == 'Z' {
		to = p.Jurisdiction
	}
	old, have := to[id]
	if have && old != "" {
		if value != "" && value != old {
			p.repair(RepairRepeatedElement)
		}
		return
	}
	to[id] = value
}

// isNothing is true of the words that issuers write where they have no value.
func isNothing(value string) bool {
	switch strings.ToUpper(strings.Trim(value, " .")) {
	case "", "NONE", "N/A", "NA", "UNAVL", "UNAVAIL", "UNAVAILABLE", "NMN", "NO MIDDLE NAME":
		return true
	}
	return false
}

// value gives an element, or "" if it is absent or says that there is none.
func (p Payload) value(ids ...string) string {
	for _, id := range ids {
		if v := p.Elements[id]; !isNothing(v) {
			return v
		}
	}
	return ""
}
