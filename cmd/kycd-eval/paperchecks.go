package main

import (
	"context"
	"math/rand/v2"

	"kycd/kyc/aamva"
	"kycd/kyc/crosscheck"
	"kycd/kyc/mrz"
	"kycd/kyc/scoring"
	"kycd/kyc/specimen"
	"kycd/vision"
)

// mismatch is a forgery of the printed side and the flag that has to tell.
type mismatch struct {
	name  string
	plant func(specimen.Document, *rand.Rand) specimen.Document
	flag  func(crosscheck.Match) *bool
}

func mismatches() []mismatch {
	name := func(m crosscheck.Match) *bool { return m.Name }
	return []mismatch{
		{"last name", specimen.WithOtherName, name},
		{"first name", specimen.WithOtherFirstName, name},
		{"number, one digit", specimen.WithOtherNumber, func(m crosscheck.Match) *bool { return m.Number }},
		{"birth date, one digit", specimen.WithOtherBirthDate, func(m crosscheck.Match) *bool { return m.BirthDate }},
		{"address", specimen.WithOtherAddress, func(m crosscheck.Match) *bool { return m.Address }},
	}
}

// checksResult is how often print and code of a document were told apart.
type checksResult struct {
	failed   map[string]*rate // honest documents that a cross-check refuses, by kind
	compared map[string]*rate // honest documents of which both sides were read, by kind
	because  map[string]int   // of the refused: by the flag
	missed   map[string]*rate // forgeries that agree all the same, of those compared, by what was forged
	unread   map[string]*rate // forgeries in whose field nothing was compared, of all
}

func newChecksResult() checksResult {
	return checksResult{map[string]*rate{}, map[string]*rate{}, map[string]int{}, map[string]*rate{}, map[string]*rate{}}
}

func count(of map[string]*rate, name string, happened bool) {
	if of[name] == nil {
		of[name] = &rate{}
	}
	of[name].add(happened)
}

func sumOf(of map[string]*rate) rate {
	var sum rate
	for _, r := range of {
		sum = sum.plus(*r)
	}
	return sum
}

// said is what the code of a document says, and which names it admits to have cut.
type said struct {
	fields map[string]string
	cut    map[string]bool
}

// encodedOf is what the server would believe: a barcode that is a licence's, or a zone whose check digits are right.
func encodedOf(a vision.Analysis) *said {
	if text, read := pdf417(a); read {
		if payload, err := aamva.Parse([]byte(text)); err == nil {
			return &said{payload.Fields(), payload.Truncated()}
		}
	}
	if a.MRZ != nil && a.MRZ.Valid {
		if zone, err := mrz.Parse(a.MRZ.Lines, day()); err == nil {
			return &said{fields: zone.Fields()}
		}
	}
	return nil
}

// toleranceOf is the default tolerance of a kind of document.
func toleranceOf(kind specimen.Type) float64 {
	w := scoring.Defaults()
	switch kind {
	case specimen.DriverLicense:
		return w.DriverLicenseFuzzyMatchTolerance
	case specimen.IdentificationCard:
		return w.StateIDFuzzyMatchTolerance
	case specimen.Passport:
		return w.PassportFuzzyMatchTolerance
	}
	return w.PassportCardFuzzyMatchTolerance
}

// honest compares the sides of a document that nobody forged.
func (c *checksResult) honest(kind specimen.Type, printed map[string]string, code *said) {
	if code == nil || len(printed) == 0 {
		count(c.compared, string(kind), false)
		return
	}
	result := crosscheck.CompareCut(printed, code.fields, code.cut)
	count(c.compared, string(kind), result.Compared)
	if !result.Compared {
		return
	}
	match, refused := result.Match(toleranceOf(kind)), false
	for name, flag := range map[string]*bool{"number": match.Number, "name": match.Name, "address": match.Address, "birth date": match.BirthDate} {
		if flag != nil && !*flag {
			c.because[name]++
			refused = true
		}
	}
	count(c.failed, string(kind), refused || result.Similarity < toleranceOf(kind))
}

// forged compares the sides of a document whose print was changed.
func (c *checksResult) forged(kind specimen.Type, planted mismatch, printed map[string]string, code *said) {
	if code == nil {
		return // without a code there is nothing to compare with, honest or not
	}
	agrees := planted.flag(crosscheck.CompareCut(printed, code.fields, code.cut).Match(toleranceOf(kind)))
	count(c.unread, planted.name, agrees == nil)
	if agrees != nil {
		count(c.missed, planted.name, *agrees)
	}
}

// twoSides are the readings of one document in one scene.
type twoSides struct {
	print map[string]string
	code  *said
}

// place names a document in a scene.
type place struct {
	kind  specimen.Type
	scene string
	seed  uint64
}

// readScenes reads both sides of documents in the three scenes, and in two of them fronts that were forged as well.
func readScenes(ctx context.Context, e *evaluation, r *papersResult) error {
	r.checks = newChecksResult()
	for _, kind := range specimen.Types() {
		known := map[place]twoSides{}
		read := func(s sheet, a vision.Analysis, plain *plainCode) {
			r.read(s, a, plain)
			r.hints.scene(s, a)
			at := place{kind, s.scene.name, s.seed}
			sides := known[at]
			if !s.back {
				sides.print = heardFields(a)
			}
			if s.back || !kind.HasBack() {
				sides.code = encodedOf(a)
			}
			known[at] = sides
		}
		fronts := limited(grid(r.each, false, kind), e.limit)
		if err := e.shootAndRead(ctx, fronts, partsOf(kind, false), read); err != nil {
			return err
		}
		if kind.HasBack() {
			if err := e.shootAndRead(ctx, limited(grid(r.each, true, kind), e.limit), partsOf(kind, true), read); err != nil {
				return err
			}
		}
		// The poor scene is one that a reader may refuse: nothing is promised there.
		for at, sides := range known {
			if at.scene != "poor" {
				r.checks.honest(kind, sides.print, sides.code)
			}
		}
		var forged []order
		for i, o := range fronts {
			if o.planted = mismatches()[i%len(mismatches())]; o.scene.name != "poor" && (kind.HasBarcode() || o.planted.name != "address") {
				forged = append(forged, o)
			}
		}
		err := e.shootAndRead(ctx, forged, partsOf(kind, false), func(s sheet, a vision.Analysis, _ *plainCode) {
			code := known[place{kind, s.scene.name, s.seed}].code
			if !kind.HasBack() {
				code = encodedOf(a)
			}
			r.checks.forged(kind, s.planted, heardFields(a), code)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
