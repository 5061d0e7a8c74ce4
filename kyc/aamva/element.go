package aamva

import (
	"regexp"
	"strings"
)

// element matches an element's id at the start of a line: D and two letters, or the issuer's Z and two letters.
var element = regexp.MustCompile(`^[DZ][A-Z]{2}`)

// subfileMark matches DL, ID, EN or Zx directly before an element's id.
var subfileMark = regexp.MustCompile(`^(DL|ID|EN)D[A-Z]{2}|^(Z[A-Z])Z[A-Z]{2}`)

// spacedElement finds what may be the start of an element, or of an issuer's subfile, behind a blank.
var spacedElement = regexp.MustCompile(`\s(D[A-D][A-Z]|Z[A-Z]Z[A-Z]{2})`)

// fewElements is less than any real card has; so few found means that the separators were not understood.
const fewElements = 4

// readElements parts the body into elements, by control characters first and by what replaced them if that fails.
func (p *Payload) readElements(body string) {
	p.collect(splitControls(body), body)
	if len(p.Elements) >= fewElements {
		return
	}
	written := strings.NewReplacer("|", "\n", `\n`, "\n", `\r`, "\n", "<LF>", "\n", "<CR>", "\n", "<RS>", "\n")
	for _, parted := range []string{written.Replace(body), partAtBlanks(body, p.Version)} {
		if strings.Count(parted, "\n") > strings.Count(body, "\n")+fewElements {
			p.repair(RepairSeparators)
			p.reset()
			p.collect(splitControls(parted), body)
			return
		}
	}
}

// partAtBlanks puts a line end before each element of a payload whose line ends became blanks.
func partAtBlanks(body string, version int) string {
	body = " " + body
	var b strings.Builder
	from := 0
	for _, m := range spacedElement.FindAllStringIndex(body, -1) {
		if id := body[m[0]+1 : m[1]]; !startsElement(id, body[m[1]:], version) {
			continue
		}
		b.WriteString(body[from:m[0]])
		b.WriteByte('\n')
		from = m[0] + 1
	}
	return b.String() + body[from:]
}

// startsElement tells an element's id from the start of a word: DAVID, DARLENE and DAKOTA are no elements, and neither is
// a word of three letters such as DAY.
func startsElement(id, rest string, version int) bool {
	if len(id) > 3 {
		return true // an issuer's subfile
	}
	next := byte(' ')
	if rest != "" {
		next = rest[0]
	}
	digit, letter := next >= '0' && next <= '9', next >= 'A' && next <= 'Z'
	switch id {
	case "DAA", "DAB", "DAE", "DAF", "DAL", "DAM", "DAN", "DAO", "DAP", "DAR", "DAS", "DAT":
		return version <= 1 && next != ' '
	case "DAV", "DAW", "DAX", "DAU":
		value := strings.TrimLeft(rest, " ")
		return value != "" && value[0] >= '0' && value[0] <= '9'
	case "DAK":
		return digit || (letter && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9')
	case "DAD", "DAG":
		return next != ' '
	case "DAY", "DAZ":
		word, _, _ := strings.Cut(rest, " ")
		return isColor(word)
	}
	return id <= "DDP"
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
			// An issuer's opens one subfile only: ZZ may also be the start of the element ZZZ.
			if m[1] != "" || !marks[mark] {
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
	return isNoName(value) || strings.EqualFold(strings.Trim(value, " ."), "NA")
}

// isNoName is isNothing without the words that are also names.
func isNoName(value string) bool {
	switch strings.ToUpper(strings.Trim(value, " .")) {
	case "", "NONE", "N/A", "UNAVL", "UNAVAIL", "UNAVAILABLE", "NMN", "NO MIDDLE NAME":
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
