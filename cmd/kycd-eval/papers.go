package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
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

// reading is how often a printed thing was read right, wrong, or not at all.
type reading struct {
	name  string
	right rate
	wrong rate // read, but not as it stands there
	plain rate // right by the library alone, where that is compared
}

func (r *reading) add(read, right bool) {
	r.right.add(right)
	r.wrong.add(read && !right)
}

// missing is how often it was not read.
func (r *reading) missing() rate { return rate{r.right.N - r.right.K - r.wrong.K, r.right.N} }

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

// total is how often all of them together were read right.
func (r readings) total() rate {
	var sum rate
	for _, one := range r {
		sum = sum.plus(one.right)
	}
	return sum
}

// papersResult is how well documents are read.
type papersResult struct {
	each int // documents of a kind and scene

	payloads, zoneTexts        labelled
	symbols, zones             readings // of the sample pictures
	symbolsFailed, zonesFailed []string // their files

	backs      readings            // PDF417, drawn backs, by kind and scene
	drawnZones readings            // MRZ, drawn documents, by kind and scene
	falsely    rate                // of the zones whose check digits are right: not to the letter what stands there
	deceived   rate                // of the same: wrong where a check digit should have told
	fields     map[string]readings // of drawn fronts, by field and then scene
	core       map[string]readings // name, number and birth date, by kind and scene, then field
	fronts     []string            // kinds and scenes in their order
	whole      readings            // fronts with all key fields right, by kind and scene

	photographs                         int // of the grid
	codesAt, plainAt, zonesAt, frontsAt byLevel
	gridCodes, gridPlain, gridZones     rate
	gridFronts                          rate

	checks checksResult
	hints  hintsResult
}

// printedPeople is how many people's portraits are printed on drawn documents. They are the last that there are, because what failed on
// some of the first, with whom the question for a side is measured, has been mended.
const printedPeople = 7

// takePortraits gives the studio head and shoulders of people.
func (e *evaluation) takePortraits(ctx context.Context) error {
	photos, err := e.data.photos()
	if err != nil {
		return err
	}
	slices.Reverse(photos)
	files := make([]string, len(photos))
	for i, p := range photos {
		files[i] = p.file
	}
	found, err := e.full.analyze(ctx, "faces", files)
	if err != nil {
		return err
	}
	printed := map[string]bool{}
	for i, p := range photos {
		if len(printed) == printedPeople {
			break
		}
		if printed[p.person] {
			continue
		}
		head, ok, err := headOf(p.file, found[i])
		if err != nil {
			return err
		}
		if ok {
			printed[p.person] = true
			e.studio.portraits = append(e.studio.portraits, head)
		}
	}
	if len(printed) < printedPeople {
		return fmt.Errorf("%d people whose portrait could be printed are too few", len(printed))
	}
	return nil
}

// measurePapers reads the sample pictures and the drawn documents. each is the number of documents of a kind and scene.
func measurePapers(ctx context.Context, e *evaluation, each int) (papersResult, error) {
	r := papersResult{
		each: each, fields: map[string]readings{}, core: map[string]readings{},
		codesAt: byLevel{}, plainAt: byLevel{}, zonesAt: byLevel{}, frontsAt: byLevel{},
	}
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"portraits to print", func() error { return e.takePortraits(ctx) }},
		{"barcodes: labelled payloads", func() error { return readPayloads(e, &r) }},
		{"machine-readable zones: labelled texts", func() error { return readZoneTexts(e, &r) }},
		{"PDF417: sample pictures", func() error { return readSymbols(ctx, e, &r) }},
		{"machine-readable zones: sample pictures", func() error { return readZones(ctx, e, &r) }},
		{"documents in three scenes, honest and forged", func() error { return readScenes(ctx, e, &r) }},
		{"hints", func() error { return readHints(ctx, e, &r) }},
		{"documents on the grid", func() error { return readGrid(ctx, e, &r) }},
	} {
		if err := e.step(step.name, step.run); err != nil {
			return r, err
		}
	}
	return r, nil
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

// zone counts one picture: what counts as read is a zone whose check digits are all right.
func (r *papersResult) zone(name string, into *readings, a vision.Analysis, lines []string) (right bool) {
	valid := a.MRZ != nil && a.MRZ.Valid
	right = valid && slices.Equal(a.MRZ.Lines, lines)
	into.of(name).add(valid, right)
	if valid {
		r.falsely.add(!right)
		r.deceived.add(checked(a.MRZ.Lines) != checked(lines))
	}
	return right
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

// field is what stands printed in one place.
type field struct{ name, value string }

// coreFields are those by which a person is known.
func coreFields() []string {
	return []string{printed.LastName, printed.FirstName, printed.DocumentNumber, printed.BirthDate}
}

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

// printedFields are the values of the printed side: those that the sidecar found, or what the server finds in its words.
func printedFields(a vision.Analysis) map[string]string {
	found := a.Fields
	if len(found) == 0 {
		found = printed.Fields(a.Words, a.Width, a.Height)
	}
	values := map[string]string{}
	for name, f := range found {
		if f.Value != "" {
			values[name] = f.Value
		}
	}
	return values
}

// heardFields are those that the server hears: what no second reading confirmed is shown, and compared with nothing.
func heardFields(a vision.Analysis) map[string]string {
	values := map[string]string{}
	for name, f := range a.Fields {
		if f.Value != "" && f.Confidence >= vision.Doubtful {
			values[name] = f.Value
		}
	}
	return values
}

// front counts the fields of one drawn front.
func (r *papersResult) front(s sheet, a vision.Analysis) {
	found := printedFields(a)
	name := string(s.kind) + " " + s.scene.name
	if !slices.Contains(r.fronts, name) {
		r.fronts = append(r.fronts, name)
	}
	whole, core, any := true, true, false
	for _, want := range keyFields(s.truth) {
		got, read := found[want.name]
		right := strings.EqualFold(got, want.value)
		of := r.fields[want.name]
		of.of(s.scene.name).add(read, right)
		r.fields[want.name] = of
		whole, any = whole && right, any || read
		if slices.Contains(coreFields(), want.name) {
			core = core && right
			of := r.core[name]
			of.of(want.name).add(read, right)
			r.core[name] = of
		}
	}
	r.whole.of(name).add(any, whole)
	if s.levels != nil {
		r.frontsAt.add(s.levels, core)
		r.gridFronts.add(core)
	}
}

// back counts the barcode of one drawn back.
func (r *papersResult) back(s sheet, a vision.Analysis, plain *plainCode) {
	text, read := pdf417(a)
	right := read && text == s.truth.Barcode && a.AAMVA["DAQ"] == s.truth.DocumentNumber
	one := r.backs.of(string(s.kind) + " " + s.scene.name)
	one.add(read, right)
	if s.levels != nil {
		r.codesAt.add(s.levels, right)
		r.gridCodes.add(right)
	}
	if plain == nil {
		return
	}
	byItself := plain.Text == s.truth.Barcode
	one.plain.add(byItself)
	if s.levels != nil {
		r.plainAt.add(s.levels, byItself)
		r.gridPlain.add(byItself)
	}
}

// read counts one photograph, whatever it shows.
func (r *papersResult) read(s sheet, a vision.Analysis, plain *plainCode) {
	if len(s.truth.MRZ) > 0 && (s.back || s.kind == specimen.Passport) {
		right := r.zone(string(s.kind)+" "+s.scene.name, &r.drawnZones, a, s.truth.MRZ)
		if s.levels != nil {
			r.zonesAt.add(s.levels, right)
			r.gridZones.add(right)
		}
	}
	if s.truth.Barcode != "" && s.back {
		r.back(s, a, plain)
	}
	if !s.back {
		r.front(s, a)
	}
}

// partsOf is what is asked of a side: what stands on it, and the document's outline.
func partsOf(kind specimen.Type, back bool) string {
	switch {
	case kind == specimen.Passport:
		return "document,mrz,text"
	case !back:
		return "document,text"
	case kind == specimen.PassportCard:
		return "document,mrz"
	}
	return "document,barcodes"
}

// readGrid photographs every combination of the axes' levels.
func readGrid(ctx context.Context, e *evaluation, r *papersResult) error {
	for number, part := range gridParts() {
		side := "front"
		if part.back {
			side = "back"
		}
		orders := limited(gridOrders(part, number), e.limit)
		fmt.Fprintf(e.out, "    %s, %s: %d photographs\n", part.kind, side, len(orders))
		err := e.shootAndRead(ctx, orders, partsOf(part.kind, part.back), func(s sheet, a vision.Analysis, plain *plainCode) {
			r.photographs++
			r.read(s, a, plain)
			r.hints.grid(s, a)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// shotsAtATime is how many photographs lie on the disk at the same time. Each lot starts the program anew, which loads its networks.
const shotsAtATime = 288

// shootAndRead makes photographs, has them analysed and hands each to count, with what zxing-cpp by itself reads in it where that
// is compared and a barcode is there.
func (e *evaluation) shootAndRead(ctx context.Context, orders []order, parts string, count func(sheet, vision.Analysis, *plainCode)) error {
	done := 0
	for chunk := range slices.Chunk(orders, shotsAtATime) {
		sheets, err := e.studio.shoot(ctx, chunk)
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
		var plain []plainCode
		if strings.Contains(parts, "barcodes") {
			if plain, err = e.plainCodes(ctx, files); err != nil {
				return err
			}
		}
		for i, a := range analyses {
			if a.Error != "" {
				return fmt.Errorf("a drawn document could not be analysed: %s", a.Error)
			}
			var beside *plainCode
			if plain != nil {
				beside = &plain[i]
			}
			count(sheets[i], a, beside)
			if err := os.Remove(sheets[i].file); err != nil {
				return err
			}
		}
		done += len(chunk)
		fmt.Fprintf(e.out, "    %d of %d photographs read\n", done, len(orders))
	}
	return nil
}
