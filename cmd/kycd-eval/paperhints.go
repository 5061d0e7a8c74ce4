package main

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"kycd/kyc/specimen"
	"kycd/vision"
)

// hintsResult is how often a photograph that deserves a hint got it, and one that deserves none got one.
type hintsResult struct {
	given   map[vision.Hint]*rate // pictures that deserve it
	falsely map[vision.Hint]*rate // clean photographs of documents
	onGrid  map[vision.Hint]*rate // of the grid: those that are sharp, without a reflection, not cluttered and leaning little
	right   sides                 // pictures of the side that was asked for
	wrong   sides                 // pictures of the other side
	faces   rate                  // pictures of people that are said to show no document
	things  rate                  // pictures of other things that are said to show no document
	papers  rate                  // labelled pictures of documents that are said to show none
	missed  []string              // labelled pictures of other things that pass for a document
}

// sides is how often the side that a picture shows was named, truly or wrongly.
type sides struct{ named, misnamed rate }

func (s *sides) add(d *vision.Document, back bool) {
	front, reverse := vision.SideFront, vision.SideBack
	if back {
		front, reverse = reverse, front
	}
	s.named.add(d != nil && d.Side == front)
	s.misnamed.add(d != nil && d.Side == reverse)
}

// documentHints are those that a picture of a document can get.
func documentHints() []vision.Hint {
	return []vision.Hint{vision.HintBlurred, vision.HintGlare, vision.HintTooDark, vision.HintNoDocument, vision.HintCutOff, vision.HintTooSmall, vision.HintSeveralDocuments}
}

func add(of *map[vision.Hint]*rate, hint vision.Hint, a vision.Analysis) {
	if *of == nil {
		*of = map[vision.Hint]*rate{}
	}
	if (*of)[hint] == nil {
		(*of)[hint] = &rate{}
	}
	(*of)[hint].add(slices.Contains(a.Hints, hint))
}

// scene counts a photograph in a named scene.
func (h *hintsResult) scene(s sheet, a vision.Analysis) {
	if s.scene.name != "clean" {
		return
	}
	for _, hint := range documentHints() {
		add(&h.falsely, hint, a)
	}
}

// grid counts a photograph of the grid that is as good as a clean one.
func (h *hintsResult) grid(s sheet, a vision.Analysis) {
	for _, fine := range []level{{axisBlur, "sharp"}, {axisGlare, "none"}, {axisQuality, "high"}} {
		if !slices.Contains(s.levels, fine) {
			return
		}
	}
	for _, hard := range []level{{axisPerspective, "strong"}, {axisGround, string(specimen.Cards)}} {
		if slices.Contains(s.levels, hard) {
			return
		}
	}
	for _, hint := range documentHints() {
		add(&h.onGrid, hint, a)
	}
}

// spoiling is a way to spoil a clean photograph so that it deserves a hint.
type spoiling struct {
	hint  vision.Hint
	two   bool
	spoil func(*specimen.Scene, *rand.Rand)
}

func spoilings() []spoiling {
	return []spoiling{
		{vision.HintBlurred, false, func(s *specimen.Scene, rng *rand.Rand) { s.Blur = 3.5 + 2*rng.Float64() }},
		{vision.HintGlare, false, func(s *specimen.Scene, _ *rand.Rand) { s.Glare = 1 }},
		{vision.HintTooDark, false, func(s *specimen.Scene, rng *rand.Rand) { s.Brightness = 0.12 + 0.1*rng.Float64() }},
		{vision.HintCutOff, false, func(s *specimen.Scene, rng *rand.Rand) { s.Cut, s.OneSide = 0.08+0.2*rng.Float64(), rng.IntN(2) == 0 }},
		{vision.HintTooSmall, false, func(s *specimen.Scene, rng *rand.Rand) { s.Width, s.Height, s.Fill = 800, 600, 0.2+0.1*rng.Float64() }},
		{vision.HintSeveralDocuments, true, func(*specimen.Scene, *rand.Rand) {}},
	}
}

// hintsEach is how many photographs of a kind deserve each hint, by the number of documents of a kind and scene.
func hintsEach(each int) int { return 2 * each }

const firstHintSeed = 3 * firstSeed

func readHints(ctx context.Context, e *evaluation, r *papersResult) error {
	for _, way := range spoilings() {
		var orders []order
		for _, kind := range specimen.Types() {
			if way.two && !kind.HasBack() {
				continue
			}
			for i := range hintsEach(r.each) {
				rng := rand.New(rand.NewPCG(uint64(i), 17))
				s := specimen.Clean(firstHintSeed + uint64(i))
				s.Width, s.Height = 1280, 960
				s.Background = specimen.Backgrounds()[i%3] // the plain ones
				way.spoil(&s, rng)
				orders = append(orders, order{
					kind: kind, back: kind.HasBack() && i%2 == 1, seed: firstHintSeed + uint64(i/2), two: way.two,
					scene: scene{string(way.hint), func(uint64) specimen.Scene { return s }},
				})
			}
		}
		err := e.shootAndRead(ctx, limited(orders, e.limit), "document", func(_ sheet, a vision.Analysis, _ *plainCode) {
			add(&r.hints.given, way.hint, a)
		})
		if err != nil {
			return err
		}
	}
	if err := r.hints.sides(ctx, e, r.each); err != nil {
		return err
	}
	return r.hints.labelled(ctx, e)
}

// sides asks for the front of fronts and backs, and for the back of both, as the server asks of uploads.
func (h *hintsResult) sides(ctx context.Context, e *evaluation, each int) error {
	photos, err := e.data.photos()
	if err != nil {
		return err
	}
	portraits := portraitsOf(photos, hintsEach(each))
	for _, kind := range specimen.Types() {
		if !kind.HasBack() {
			continue
		}
		for _, shown := range []bool{false, true} {
			for _, asked := range []bool{false, true} {
				var orders []order
				for i, portrait := range portraits {
					orders = append(orders, order{
						kind: kind, back: shown, seed: firstHintSeed + uint64(i), portrait: portrait, scene: scene{"handheld", specimen.Handheld},
					})
				}
				of := &h.right
				if shown != asked {
					of = &h.wrong
				}
				err := e.shootAndRead(ctx, limited(orders, e.limit), sideParts(kind, asked), func(s sheet, a vision.Analysis, _ *plainCode) {
					of.add(a.Document, s.back)
				})
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// sideParts is what the server asks of an upload of a side.
func sideParts(kind specimen.Type, back bool) string {
	parts := "faces,portrait,document,text"
	if back {
		parts = "document,barcodes,text"
	}
	if kind == specimen.IdentificationCard || back && kind == specimen.PassportCard {
		parts += ",mrz"
	}
	return parts
}

// labelled counts the labelled pictures: documents, other things, and people.
func (h *hintsResult) labelled(ctx context.Context, e *evaluation) error {
	rows, err := e.data.table("documents/dev/classification.csv", "image", "is_identity_document")
	if err != nil {
		return err
	}
	photos, err := e.data.photos()
	if err != nil {
		return err
	}
	var files []string
	for _, row := range rows {
		files = append(files, e.data.path(row[0]))
	}
	analyses, err := e.full.analyze(ctx, "document", files)
	if err != nil {
		return err
	}
	for i, a := range analyses {
		none := slices.Contains(a.Hints, vision.HintNoDocument)
		if rows[i][1] == "1" {
			h.papers.add(none)
			continue
		}
		h.things.add(none)
		if !none {
			h.missed = append(h.missed, filepath.Base(files[i]))
		}
	}
	most := mostFaces
	if e.limit > 0 {
		most = min(most, e.limit)
	}
	files = nil
	for _, p := range limited(photos, most) {
		files = append(files, p.file)
	}
	if analyses, err = e.full.analyze(ctx, "document", files); err != nil {
		return err
	}
	for _, a := range analyses {
		h.faces.add(slices.Contains(a.Hints, vision.HintNoDocument))
	}
	return nil
}

// mostFaces is how many pictures of people are looked at.
const mostFaces = 200
