package main

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"kycd/kyc/specimen"
	"kycd/vision"
	"kycd/vision/printed"
)

//go:embed accuracy-documents.md.tmpl
var documentsText string

// documentsSection is the part of the page on reading documents.
type documentsSection struct {
	each   int // drawn documents of a kind and scene
	Papers papersResult
}

func (*documentsSection) name() string     { return "documents" }
func (*documentsSection) template() string { return documentsText }

func (s *documentsSection) measure(ctx context.Context, e *evaluation) (err error) {
	s.Papers, err = measurePapers(ctx, e, s.each)
	return err
}

func (*documentsSection) figures() map[string]string { return nil }

func (s *documentsSection) summary() []summaryRow {
	return []summaryRow{
		{"PDF417 read to the letter, sample pictures", s.Papers.symbols.total().String()},
		{"PDF417 read to the letter, drawn backs", s.Papers.backs.total().String()},
		{"machine-readable zone right, sample pictures", s.Papers.zones.total().String()},
		{"machine-readable zone right, drawn documents", s.Papers.drawnZones.total().String()},
		{"all key fields of a drawn front right", s.Papers.whole.total().String()},
	}
}

// reading is how often a printed thing was read right, wrong, or not at all.
type reading struct {
	name  string
	right rate
	wrong rate // read, but not as it stands there
}

func (r *reading) add(read, right bool) {
	r.right.add(right)
	r.wrong.add(read && !right)
}

// readings collects by name, in the order in which names come up.
type readings []*reading

func (r *readings) of(name string) *reading {
	for _, one := range *r {
		if one.name == name {
			return one
		}
	}
	one := &reading{name: name}
	*r = append(*r, one)
	return one
}

// papersResult is how well documents are read.
type papersResult struct {
	symbols    readings // PDF417, sample pictures
	backs      readings // PDF417, drawn backs, by kind and scene
	zones      readings // MRZ, sample pictures
	drawnZones readings // MRZ, drawn documents, by kind and scene
	falsely    rate     // of the zones whose check digits are right: not to the letter what stands there
	deceived   rate     // of the same: wrong where a check digit should have told
	fields     map[string]readings
	whole      readings // fronts with all key fields right, by kind and scene
	each       int      // documents of a kind and scene
}

// measurePapers reads the sample pictures and the drawn documents. each is the number of documents of a kind and scene.
func measurePapers(ctx context.Context, e *evaluation, each int) (papersResult, error) {
	r := papersResult{fields: map[string]readings{}, each: each}
	for _, step := range []struct {
		name string
		run  func(context.Context, *evaluation, *papersResult) error
	}{
		{"PDF417: sample pictures", readSymbols},
		{"PDF417: drawn backs", readBacks},
		{"machine-readable zones: sample pictures", readZones},
		{"machine-readable zones: drawn documents", readDrawnZones},
		{"printed fields: drawn fronts", readFronts},
	} {
		if err := e.step(step.name, func() error { return step.run(ctx, e, &r) }); err != nil {
			return r, err
		}
	}
	return r, nil
}

func readSymbols(ctx context.Context, e *evaluation, r *papersResult) error {
	symbols, err := e.data.symbols()
	if err != nil {
		return err
	}
	symbols = limited(symbols, e.limit)
	files := make([]string, len(symbols))
	for i, s := range symbols {
		files[i] = s.file
	}
	analyses, err := e.full.analyze(ctx, "barcodes", files)
	if err != nil {
		return err
	}
	for i, a := range analyses {
		text, read := pdf417(a)
		r.symbols.of("sample pictures").add(read, read && text == latin1(symbols[i].payload))
	}
	return nil
}

func readBacks(ctx context.Context, e *evaluation, r *papersResult) error {
	return e.shootAndRead(ctx, grid(r.each, true, specimen.DriverLicense, specimen.IdentificationCard), "barcodes",
		func(s sheet, a vision.Analysis) {
			text, read := pdf417(a)
			right := read && text == s.truth.Barcode && a.AAMVA["DAQ"] == s.truth.DocumentNumber
			r.backs.of(string(s.kind)+" "+s.scene).add(read, right)
		})
}

// pdf417 is the payload of the picture's PDF417 codes: macro symbols have several.
func pdf417(a vision.Analysis) (text string, read bool) {
	for _, b := range a.Barcodes {
		if b.Format == "PDF417" {
			return b.Text, true
		}
	}
	return "", false
}

// latin1 is how a payload that is no UTF-8 survives JSON: each byte as the character of its number.
func latin1(payload string) string {
	if strings.ToValidUTF8(payload, "") == payload {
		return payload
	}
	var b strings.Builder
	for i := range len(payload) {
		b.WriteRune(rune(payload[i]))
	}
	return b.String()
}

func readZones(ctx context.Context, e *evaluation, r *papersResult) error {
	zones, err := e.data.zones()
	if err != nil {
		return err
	}
	zones = limited(zones, e.limit)
	files := make([]string, len(zones))
	for i, z := range zones {
		files[i] = z.file
	}
	analyses, err := e.full.analyze(ctx, "mrz", files)
	if err != nil {
		return err
	}
	for i, a := range analyses {
		r.zone("sample pictures", &r.zones, a, zones[i].lines)
	}
	return nil
}

// zone counts one picture: what counts as read is a zone whose check digits are all right.
func (r *papersResult) zone(name string, into *readings, a vision.Analysis, lines []string) {
	valid := a.MRZ != nil && a.MRZ.Valid
	right := valid && slices.Equal(a.MRZ.Lines, lines)
	into.of(name).add(valid, right)
	if valid {
		r.falsely.add(!right)
		r.deceived.add(checked(a.MRZ.Lines) != checked(lines))
	}
}

// checked is what the check digits of a zone cover, with them: not the names, the issuer, nationality and sex.
func checked(lines []string) string {
	switch {
	case len(lines) == 3 && len(lines[0]) == 30 && len(lines[1]) == 30:
		return lines[0][5:] + lines[1][:7] + lines[1][8:15] + lines[1][18:]
	case len(lines) == 2 && len(lines[1]) >= 36:
		return lines[1][:10] + lines[1][13:20] + lines[1][21:]
	}
	return strings.Join(lines, "\n")
}

func readDrawnZones(ctx context.Context, e *evaluation, r *papersResult) error {
	orders := append(grid(r.each, false, specimen.Passport), grid(r.each, true, specimen.PassportCard)...)
	return e.shootAndRead(ctx, orders, "mrz", func(s sheet, a vision.Analysis) {
		r.zone(string(s.kind)+" "+s.scene, &r.drawnZones, a, s.truth.MRZ)
	})
}

// field is what stands printed in one place.
type field struct{ name, value string }

// keyFields are what an identity stands on.
func keyFields(t specimen.Truth) []field {
	fields := []field{
		{printed.DocumentNumber, t.DocumentNumber}, {printed.LastName, t.LastName}, {printed.FirstName, t.FirstName},
		{printed.BirthDate, t.BirthDate}, {printed.ExpiresAt, t.ExpiresAt},
	}
	if t.Street != "" {
		fields = append(fields, field{printed.Street, t.Street}, field{printed.City, t.City}, field{printed.PostalCode, t.PostalCode})
	}
	return fields
}

func readFronts(ctx context.Context, e *evaluation, r *papersResult) error {
	// Text takes the longest to read: half as many documents of each kind.
	orders := grid((r.each+1)/2, false, specimen.Types()...)
	return e.shootAndRead(ctx, orders, "text", func(s sheet, a vision.Analysis) {
		found := printed.Fields(a.Words, a.Width, a.Height) // as the server does
		whole, any := true, false
		for _, want := range keyFields(s.truth) {
			got, read := found[want.name]
			right := strings.EqualFold(got.Value, want.value)
			of := r.fields[want.name]
			of.of(s.scene).add(read, right)
			r.fields[want.name] = of
			whole, any = whole && right, any || read
		}
		r.whole.of(string(s.kind)+" "+s.scene).add(any, whole)
	})
}

// shootAndRead makes photographs, has them analysed and hands each to count.
func (e *evaluation) shootAndRead(ctx context.Context, orders []order, parts string, count func(sheet, vision.Analysis)) error {
	sheets, err := e.studio.shoot(ctx, orders)
	if err != nil {
		return err
	}
	files := make([]string, len(sheets))
	for i, s := range sheets {
		files[i] = s.file
	}
	analyses, err := e.full.analyze(ctx, parts, files)
	if err != nil {
		return err
	}
	for i, a := range analyses {
		if a.Error != "" {
			return fmt.Errorf("a drawn document could not be analysed: %s", a.Error)
		}
		count(sheets[i], a)
	}
	return nil
}

// total is how often all of them together were read right.
func (r readings) total() rate {
	var sum rate
	for _, one := range r {
		sum = sum.plus(one.right)
	}
	return sum
}

// Symbols is the table of barcodes.
func (s *documentsSection) Symbols() table {
	return readingTable("PDF417", append(append(readings{}, s.Papers.symbols...), s.Papers.backs...))
}

// Zones is the table of machine-readable zones.
func (s *documentsSection) Zones() table {
	return readingTable("machine-readable zone", append(append(readings{}, s.Papers.zones...), s.Papers.drawnZones...))
}

// Falsely is how often a zone whose check digits are right is not to the letter what stands there, Deceived how often that
// is so in what the check digits cover.
func (s *documentsSection) Falsely() string  { return s.Papers.falsely.String() }
func (s *documentsSection) Deceived() string { return s.Papers.deceived.String() }

// Fronts is the table of whole fronts.
func (s *documentsSection) Fronts() table {
	t := table{head: []string{"front", "all key fields right"}}
	for _, one := range s.Papers.whole {
		t.row(one.name, one.right.String())
	}
	return t
}

// Fields is the table of printed fields.
func (s *documentsSection) Fields() table {
	t := table{head: []string{"field"}}
	for _, s := range scenes() {
		t.head = append(t.head, s.name+": exact", "wrong")
	}
	for _, name := range []string{
		printed.DocumentNumber, printed.LastName, printed.FirstName, printed.BirthDate, printed.ExpiresAt, printed.Street, printed.City, printed.PostalCode,
	} {
		of, cells := s.Papers.fields[name], []string{name}
		for _, s := range scenes() {
			one := of.of(s.name)
			cells = append(cells, one.right.String(), percent(one.wrong.value())+" %")
		}
		t.row(cells...)
	}
	return t
}

func readingTable(what string, of readings) table {
	t := table{head: []string{what, "right to the letter", "read, but wrong"}}
	for _, one := range of {
		t.row(one.name, one.right.String(), fmt.Sprintf("%d", one.wrong.K))
	}
	return t
}

// Each is the number of drawn documents of a kind and scene; FrontsEach that of fronts.
func (s *documentsSection) Each() int       { return s.Papers.each }
func (s *documentsSection) FrontsEach() int { return (s.Papers.each + 1) / 2 }
func (*documentsSection) Seed() int         { return firstSeed }
