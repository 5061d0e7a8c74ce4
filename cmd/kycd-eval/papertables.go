package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kycd/kyc/specimen"
	"kycd/vision"
	"kycd/vision/printed"
)

func (s *documentsSection) figures() map[string]string {
	return map[string]string{"accuracy-documents.svg": gridFigure(s.Papers)}
}

func (s *documentsSection) summary() []summaryRow {
	p := s.Papers
	rows := []summaryRow{
		{"fields of labelled barcode payloads exact", p.payloads.fields.String()},
		{"PDF417 read to the letter, sample pictures", p.symbols.total().String()},
		{"PDF417 read to the letter, all photographs of the grid", p.gridCodes.String()},
	}
	if p.gridPlain.N > 0 {
		rows = append(rows, summaryRow{"the same by zxing-cpp's plain call", p.gridPlain.String()})
	}
	return append(rows,
		summaryRow{"machine-readable zone right, sample pictures", p.zones.total().String()},
		summaryRow{"machine-readable zone right, all photographs of the grid", p.gridZones.String()},
		summaryRow{"zones whose check digits are right, but not to the letter", p.falsely.String()},
		summaryRow{"name, number and birth date exact, clean photographs of fronts", s.coreIn("clean").String()},
		summaryRow{"name, number and birth date exact, all photographs of the grid", p.gridFronts.String()},
		summaryRow{"honest documents refused by a cross-check, clean and handheld", sumOf(p.checks.failed).String()},
		summaryRow{"forged fields that agree all the same, clean and handheld", sumOf(p.checks.missed).String()},
	)
}

// coreIn is how often each of name, number and birth date was right in a scene, all of them together.
func (s *documentsSection) coreIn(scene string) rate {
	var sum rate
	for name, of := range s.Papers.core {
		if strings.HasSuffix(name, " "+scene) {
			sum = sum.plus(of.total())
		}
	}
	return sum
}

// Payloads and ZoneTexts are what the parsers make of the labelled texts.
func (s *documentsSection) Payloads() string  { return s.Papers.payloads.String() }
func (s *documentsSection) ZoneTexts() string { return s.Papers.zoneTexts.String() }

func (l labelled) String() string {
	return fmt.Sprintf("%s of the texts are right as a whole, %s of the fields", l.texts, l.fields)
}

// FailedTexts, FailedSymbols and FailedZones name what was not right.
func (s *documentsSection) FailedTexts() string {
	return listed(slices.Concat(s.Papers.payloads.failed, s.Papers.zoneTexts.failed))
}
func (s *documentsSection) FailedSymbols() string { return listed(s.Papers.symbolsFailed) }
func (s *documentsSection) FailedZones() string   { return listed(s.Papers.zonesFailed) }

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

// Symbols is the table of barcodes.
func (s *documentsSection) Symbols() table {
	t := table{head: []string{"PDF417", "right to the letter", "read, but wrong", "zxing-cpp's plain call"}}
	for _, one := range append(append(readings{}, s.Papers.symbols...), s.Papers.backs...) {
		t.row(one.name, one.right.String(), fmt.Sprint(one.wrong.K), one.plain.String())
	}
	return t
}

// Zones is the table of machine-readable zones.
func (s *documentsSection) Zones() table {
	t := table{head: []string{"machine-readable zone", "all check digits right", "right to the letter", "misread all the same"}}
	for _, one := range append(append(readings{}, s.Papers.zones...), s.Papers.drawnZones...) {
		t.row(one.name, rate{one.right.K + one.wrong.K, one.right.N}.String(), one.right.String(), fmt.Sprint(one.wrong.K))
	}
	return t
}

// Falsely is how often a zone whose check digits are right is not to the letter what stands there, Deceived how often that
// is so in what the check digits cover.
func (s *documentsSection) Falsely() string  { return s.Papers.falsely.String() }
func (s *documentsSection) Deceived() string { return s.Papers.deceived.String() }

// Core is the table of name, number and birth date by kind and scene.
func (s *documentsSection) Core() table {
	t := table{head: []string{"front"}}
	for _, name := range coreFields() {
		t.head = append(t.head, name+": exact", "wrong", "missing")
	}
	for _, front := range s.Papers.fronts {
		cells, of := []string{front}, s.Papers.core[front]
		for _, name := range coreFields() {
			one := of.of(name)
			cells = append(cells, one.right.String(), percent(one.wrong.value())+" %", percent(one.missing().value())+" %")
		}
		t.row(cells...)
	}
	return t
}

// Fields is the table of printed fields by scene.
func (s *documentsSection) Fields() table {
	t := table{head: []string{"field"}}
	names := []string{gridScene}
	for _, scene := range slices.Backward(scenes()) {
		names = slices.Insert(names, 0, scene.name)
	}
	for _, name := range names {
		t.head = append(t.head, name+": exact", "wrong")
	}
	for _, name := range []string{
		printed.DocumentNumber, printed.LastName, printed.FirstName, printed.BirthDate, printed.ExpiresAt, printed.Street, printed.City, printed.PostalCode,
	} {
		of, cells := s.Papers.fields[name], []string{name}
		for _, scene := range names {
			one := of.of(scene)
			cells = append(cells, one.right.String(), percent(one.wrong.value())+" %")
		}
		t.row(cells...)
	}
	return t
}

// Levels is the table of the grid, by level of each axis.
func (s *documentsSection) Levels() table {
	t := table{head: []string{"axis", "level", "PDF417", "zxing-cpp's plain call", "machine-readable zone", "name, number and birth date"}}
	for _, a := range shownAxes() {
		for _, l := range a.levels {
			at := level{a.name, l.name}
			t.row(a.name, l.name, s.Papers.codesAt.of(at).String(), s.Papers.plainAt.of(at).String(), s.Papers.zonesAt.of(at).String(), s.Papers.frontsAt.of(at).String())
		}
	}
	t.row("all", "", s.Papers.gridCodes.String(), s.Papers.gridPlain.String(), s.Papers.gridZones.String(), s.Papers.gridFronts.String())
	return t
}

// Checks is the table of honest documents, Forged that of forged ones.
func (s *documentsSection) Checks() table {
	t := table{head: []string{"honest document", "both sides read", "refused by a cross-check"}}
	for _, kind := range specimen.Types() {
		t.row(string(kind), orNone(s.Papers.checks.compared[string(kind)]), orNone(s.Papers.checks.failed[string(kind)]))
	}
	t.row("all", sumOf(s.Papers.checks.compared).String(), sumOf(s.Papers.checks.failed).String())
	return t
}

func orNone(r *rate) string {
	if r == nil {
		return rate{}.String()
	}
	return r.String()
}

// Because says by which flags honest documents were refused.
func (s *documentsSection) Because() string {
	because := s.Papers.checks.because
	if len(because) == 0 {
		return "none was"
	}
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(because), func(a, b string) int { return cmp.Or(because[b]-because[a], strings.Compare(a, b)) }) {
		parts = append(parts, fmt.Sprintf("%s %d", name, because[name]))
	}
	return strings.Join(parts, ", ")
}

func (s *documentsSection) Forged() table {
	t := table{head: []string{"printed otherwise", "agrees all the same", "not compared, because it was not read"}}
	for _, m := range mismatches() {
		t.row(m.name, orNone(s.Papers.checks.missed[m.name]), orNone(s.Papers.checks.unread[m.name]))
	}
	t.row("all", sumOf(s.Papers.checks.missed).String(), sumOf(s.Papers.checks.unread).String())
	return t
}

// Hints is the table of hints.
func (s *documentsSection) Hints() table {
	h := s.Papers.hints
	t := table{head: []string{"hint", "given where it is deserved", "given to a clean photograph", "given to the easy part of the grid"}}
	for _, hint := range documentHints() {
		deserved := orNone(h.given[hint])
		if hint == vision.HintNoDocument {
			deserved = h.things.plus(h.faces).String()
		}
		t.row(string(hint), deserved, orNone(h.falsely[hint]), orNone(h.onGrid[hint]))
	}
	return t
}

// Things, People and Papers are the labelled pictures by what is said of them; Passed names things that pass for a document.
func (s *documentsSection) Things() string { return s.Papers.hints.things.String() }
func (s *documentsSection) People() string { return s.Papers.hints.faces.String() }
func (s *documentsSection) Labels() string { return s.Papers.hints.papers.String() }
func (s *documentsSection) Passed() string { return listed(s.Papers.hints.missed) }

// Sides is the table of sides named.
func (s *documentsSection) Sides() table {
	t := table{head: []string{"", "its side named", "the other side named"}}
	t.row("the side that was asked for", s.Papers.hints.right.named.String(), s.Papers.hints.right.misnamed.String())
	t.row("the other side", s.Papers.hints.wrong.named.String(), s.Papers.hints.wrong.misnamed.String())
	return t
}

// Each is the number of drawn documents of a kind and scene; the other figures are those of the page's text.
func (s *documentsSection) Each() int        { return s.Papers.each }
func (*documentsSection) Seed() int          { return firstSeed }
func (s *documentsSection) Photographs() int { return s.Papers.photographs }
func (*documentsSection) Cells() int         { return cells() }
func (s *documentsSection) HintsEach() int   { return hintsEach(s.Papers.each) }

// gridFigure shows the shares of the grid, an axis in each frame.
func gridFigure(r papersResult) string {
	const columns, wide, high = 3, 330, 270
	axes := shownAxes()
	rows := (len(axes) + columns - 1) / columns
	f := newFigure(columns*wide+20, float64(rows*high)+110)
	lines := []struct {
		key
		of byLevel
	}{
		{key{label: "PDF417 read to the letter", colour: blue}, r.codesAt},
		{key{label: "the same by zxing-cpp's plain call", colour: vermilion, dash: "7 4"}, r.plainAt},
		{key{label: "machine-readable zone to the letter", colour: green, dash: "9 3 2 3"}, r.zonesAt},
		{key{label: "name, number and birth date of the print exact", colour: grey, dash: "2 3"}, r.frontsAt},
	}
	for i, a := range axes {
		c := chart{
			f: f, x: float64(i%columns*wide) + 64, y: float64(i/columns*high) + 24, width: wide - 84, height: high - 90,
			across: axis{label: a.name, min: -0.4, max: float64(len(a.levels)) - 0.6}, up: axis{min: 0, max: 1, ticks: []float64{0, 0.25, 0.5, 0.75, 1}},
		}
		c.frame()
		for n, l := range a.levels {
			x, y := c.at(float64(n), 0)
			f.text(x, y+16, "middle", 10, l.name)
		}
		for k, line := range lines {
			c.levels(a, line.of, line.key, float64(k)-1.5)
		}
	}
	var keys []key
	for _, line := range lines {
		keys = append(keys, line.key)
	}
	f.legend(64, float64(rows*high)+24, keys...)
	return f.svg("Documents: share read right at each level of blur, rotation, perspective, glare, JPEG quality, size and ground, with 95 % bounds")
}

// levels draws the rates of an axis as a line with bounds; aside moves the bounds by pixels, so that lines do not hide each other.
func (c chart) levels(a gridAxis, of byLevel, k key, aside float64) {
	var path strings.Builder
	for n, l := range a.levels {
		r := of.of(level{a.name, l.name})
		if r.N == 0 {
			continue
		}
		low, high := r.bounds()
		x, y := c.at(float64(n), r.value())
		x += 2 * aside
		_, from := c.at(0, low)
		_, to := c.at(0, high)
		c.f.line(x, from, x, to, k.colour, 1.2)
		c.f.add(`<circle cx="%.1f" cy="%.1f" r="2.6" fill="%s"/>`, x, y, k.colour)
		step := "L"
		if path.Len() == 0 {
			step = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", step, x, y)
	}
	c.f.add(`<path d="%s" fill="none" stroke="%s" stroke-width="1.6" stroke-dasharray="%s"/>`, path.String(), k.colour, k.dash)
}
