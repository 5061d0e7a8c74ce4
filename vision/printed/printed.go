// Package printed turns the words that OCR read on a document into fields: by the labels and field numbers beside
// them, by where they stand, and by their formats.
//
// It is pure Go and works on vision.Word alone, so the server can run it again on stored words.
package printed

import (
	"strings"

	"kycd/vision"
)

// The names of the fields, as in the specification.
const (
	DocumentType   = "document_type" // driver_license, identification_card, passport, passport_card
	DocumentNumber = "document_number"
	RefNumber      = "ref_number"
	LastName       = "last_name"
	FirstName      = "first_name"
	MiddleName     = "middle_name"
	NameSuffix     = "name_suffix"
	BirthDate      = "birth_date" // dates are ISO 8601
	ExpiresAt      = "expires_at"
	IssuedAt       = "issued_at"
	Street         = "street"
	City           = "city"
	State          = "state" // two letters
	PostalCode     = "postal_code"
	IssuingState   = "issuing_state" // two letters
	IssuingCountry = "issuing_country"
	Nationality    = "nationality"
	BirthPlace     = "birth_place"
	Gender         = "gender" // male, female, unspecified
	Height         = "height" // "68 in" or "173 cm"
	Weight         = "weight" // "160 lb" or "72 kg"
	EyeColor       = "eye_color"
	HairColor      = "hair_color"
	Class          = "class"
	Restrictions   = "restrictions"
	Endorsements   = "endorsements"
)

// Field is a field of the printed side.
type Field = vision.Field

// unlabelled is the share of the confidence that a value keeps which no label names.
const unlabelled = 0.5

// mostWords bounds the words looked at; a document has about a hundred, and the time goes with the square.
const mostWords = 2000

// Fields finds the fields of a document of width×height pixels. Fields that were not found, or whose text does not have their
// format, are absent. Of more than 2000 words the rest is not looked at.
func Fields(words []vision.Word, width, height int) map[string]Field {
	words = words[:min(len(words), mostWords)]
	lines := arrange(words)
	p := page{lines: lines, height: float64(height), travel: travels(lines)}
	if p.travel {
		p.lines = arrange(split(words))
	}
	p.findLabels()
	out := map[string]Field{}
	for li := range p.lines {
		for _, l := range p.lines[li].labels {
			p.read(out, li, l)
		}
	}
	p.readWithoutLabels(out)
	return out
}

// page is what was read, in lines from top to bottom.
type page struct {
	lines  []line
	height float64
	travel bool // a travel document: captions stand above their values
}

// put keeps the surer of two readings of a field. box is that of its words.
func put(out map[string]Field, name, value string, confidence float64, box vision.Box) {
	value = strings.TrimSpace(value)
	if value == "" {
		return
	}
	if have, ok := out[name]; !ok || confidence > have.Confidence {
		out[name] = Field{Value: value, Confidence: confidence, Box: box}
	}
}

// putNames puts given names, each with the box of its own words.
func putNames(out map[string]Field, value run) {
	first, middle, suffix := givenNames(value.text())
	put(out, FirstName, first, value.confidence(), value.boxOf(first))
	put(out, MiddleName, middle, value.confidence(), value.boxOf(middle))
	put(out, NameSuffix, suffix, value.confidence(), value.boxOf(suffix))
}

// Value brings a text that was read in the place of a field to the field's form, as Fields does. ok is false where the text does
// not have it. Of given names it is the first, of a last name that without a suffix.
func Value(field, text string) (value string, ok bool) {
	switch field {
	case FirstName:
		value, _, _ = givenNames(text)
		return value, value != ""
	case LastName:
		value, _ = surname(text)
		return value, value != ""
	}
	return format(field, text)
}

// read takes the value of one label.
func (p *page) read(out map[string]Field, li int, l label) {
	value := p.valueOf(li, l)
	if len(value.words) == 0 {
		return
	}
	text, confidence := value.text(), value.confidence()
	switch l.meaning {
	case meansName:
		putNames(out, value)
	case LastName:
		if last, given, ok := strings.Cut(text, ","); ok && letters(given) != "" && letters(last) != "" {
			// "LAST, FIRST MIDDLE" behind one label.
			put(out, LastName, letters(last), confidence, value.boxOf(letters(last)))
			putNames(out, value.from(len(strings.Fields(last))))
			return
		}
		if l.whole && !l.numbered {
			return // nobody knows which of the words is the last name
		}
		name, suffix := surname(text)
		put(out, LastName, name, confidence, value.boxOf(name))
		put(out, NameSuffix, suffix, confidence, value.boxOf(suffix))
	case meansAddress:
		p.readAddress(out, value)
	default:
		if v, ok := format(l.meaning, text); ok {
			put(out, l.meaning, v, confidence, value.box())
		}
	}
}

// readAddress reads the street from the value and the town from the line below it, or both from one line.
func (p *page) readAddress(out map[string]Field, value run) {
	text, confidence := value.text(), value.confidence()
	if street, city, state, zip, ok := wholeAddress(text); ok {
		put(out, Street, street, confidence, value.boxOf(street))
		putTown(out, city, state, zip, value, 1)
		return
	}
	put(out, Street, strings.Trim(text, " .,"), confidence, value.box())
	for _, below := range p.below(value, 3) {
		if city, state, zip, ok := town(below.text()); ok {
			putTown(out, city, state, zip, below, 1)
			return
		}
	}
}

// putTown puts the parts of a town's line, with a share of the confidence of its words.
func putTown(out map[string]Field, city, state, zip string, from run, share float64) {
	confidence := from.confidence() * share
	put(out, City, city, confidence, from.boxOf(city))
	put(out, State, state, confidence, from.boxOf(state))
	put(out, PostalCode, zip, confidence, from.boxOf(zip))
}

// readWithoutLabels looks for what formats alone tell: the kind of document, its issuer, the town, and dates.
func (p *page) readWithoutLabels(out map[string]Field) {
	for _, l := range p.lines {
		text := l.run().text()
		confidence := l.run().confidence()
		if kind, ok := kindOf(text); ok {
			put(out, DocumentType, kind, confidence, l.box)
		}
		if state, ok := stateNamed(text); ok && l.box.Y < int(p.height*0.35) {
			put(out, IssuingState, state, confidence*0.9, l.box)
		}
		if _, have := out[PostalCode]; !have {
			if city, state, zip, ok := town(text); ok {
				putTown(out, city, state, zip, l.run(), unlabelled)
			}
		}
	}
	p.readNumberedNames(out)
	p.readLooseDates(out)
}

// readNumberedNames reads names that only their field numbers name: "1 FABLE" with "2 ROWAN ALDER" below it.
func (p *page) readNumberedNames(out map[string]Field) {
	if _, have := out[LastName]; have || p.travel {
		return
	}
	for li := range p.lines {
		last, ok := p.numbered(li, "1")
		if !ok {
			continue
		}
		for below := li + 1; below < min(li+3, len(p.lines)); below++ {
			given, ok := p.numbered(below, "2")
			if !ok {
				continue
			}
			name, suffix := surname(last.text())
			put(out, LastName, name, last.confidence(), last.boxOf(name))
			put(out, NameSuffix, suffix, last.confidence(), last.boxOf(suffix))
			if _, have := out[FirstName]; !have {
				putNames(out, given)
			}
			return
		}
	}
}

// numbered is what stands behind a field number at the beginning of a line, if it is made of letters alone.
func (p *page) numbered(li int, number string) (run, bool) {
	words := p.lines[li].words
	for i := range words {
		if words[i].Text != number || !apart(words, i) || p.lines[li].labelled(i) {
			continue
		}
		value := p.valueOf(li, label{from: i, to: i + 1})
		text := value.text()
		if value.line == li && len(letters(text)) >= 2 && letters(text) == plain(text) && text == strings.ToUpper(text) {
			return value, true
		}
	}
	return run{}, false
}

// readLooseDates gives dates without a label a meaning by their order: the earliest of three is the birth, the latest
// the expiry. With fewer than three, nothing is said.
func (p *page) readLooseDates(out map[string]Field) {
	_, birth := out[BirthDate]
	_, expiry := out[ExpiresAt]
	if birth && expiry {
		return
	}
	var dates []Field
	for _, l := range p.lines {
		for _, w := range l.words {
			if d, ok := isoDate(w.Text); ok {
				dates = append(dates, Field{Value: d, Confidence: w.Confidence * unlabelled, Box: w.Box})
			}
		}
	}
	earliest, latest := Field{}, Field{}
	distinct := map[string]bool{}
	for _, d := range dates {
		distinct[d.Value] = true
		if earliest.Value == "" || d.Value < earliest.Value {
			earliest = d
		}
		if d.Value > latest.Value {
			latest = d
		}
	}
	if len(distinct) < 3 {
		return
	}
	if !birth {
		put(out, BirthDate, earliest.Value, earliest.Confidence, earliest.Box)
	}
	if !expiry {
		put(out, ExpiresAt, latest.Value, latest.Confidence, latest.Box)
	}
}
