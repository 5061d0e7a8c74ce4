package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"image"
	"image/draw"
	_ "image/png" // formats that the labelled pictures have
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	_ "golang.org/x/image/webp"
	"golang.org/x/sync/errgroup"

	"kycd/kyc/gallery"
	"kycd/kyc/specimen"
	"kycd/vision"
)

//go:embed accuracy-replay.md.tmpl
var replayText string

// replaySection is the part of the page on copies of pictures.
type replaySection struct {
	copies    halvesByName // by manipulation
	different halvesByName // by what two pictures have in common
	found     [2]rate      // all manipulations, by half
	falsely   [2]rate      // all pairs of different pictures
	searched  rate         // copies that a search among all originals finds
	rule      float64      // the likeness that the rule gives on the chosen half
	originals int
}

// halvesByName are rates of both halves by name, in the order in which names come up.
type halvesByName []*halves

// halves is a rate in each half of the people and documents.
type halves struct {
	name string
	of   [2]rate
}

func (r *halvesByName) of(name string) *halves {
	for _, one := range *r {
		if one.name == name {
			return one
		}
	}
	one := &halves{name: name}
	*r = append(*r, one)
	return one
}

func (*replaySection) name() string                 { return "replay" }
func (*replaySection) template() string             { return replayText }
func (s *replaySection) figures() map[string]string { return nil }

func (s *replaySection) summary() []summaryRow {
	return []summaryRow{
		{"copies that are found", s.found[judged].String()},
		{"different pictures that are taken for copies", s.falsely[judged].String()},
	}
}

// The halves: the likeness was chosen on one, the page reports the other beside it.
const chosen, judged = 0, 1

// original is a picture that copies are made of.
type original struct {
	file   string
	origin string // faces, captures, documents or drawn documents
	owner  string // person, subject or document: never in both halves
	shows  string // what is shown: the side of a document; empty for people
	scene  string // how a document was photographed
	frame  int    // of a video, from 1; 0 for a single picture
	video  string
}

// remake is a copy of an original, in a file of its own.
type remake struct {
	of           int // number of the original
	manipulation string
	file         string
}

// seedOfReplay is the seed of everything that chance decides here.
const seedOfReplay = 20_001

func (s *replaySection) measure(ctx context.Context, e *evaluation) error {
	var originals []original
	var remakes []remake
	folder := filepath.Join(e.folder, "replay")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	err := e.step("copies: pictures and manipulations", func() (err error) {
		if originals, err = e.originals(folder); err != nil {
			return err
		}
		remakes, err = remakeAll(ctx, e, originals, folder)
		return err
	})
	if err != nil {
		return err
	}
	s.originals = len(originals)
	var prints []vision.Fingerprint
	err = e.step("copies: fingerprints", func() (err error) {
		var files []string
		for _, o := range originals {
			files = append(files, o.file)
		}
		for _, r := range remakes {
			files = append(files, r.file)
		}
		prints, err = fingerprints(ctx, e.full, files)
		return err
	})
	if err != nil {
		return err
	}
	return e.step("copies: comparisons", func() error {
		if err := s.compareCopies(ctx, originals, remakes, prints); err != nil {
			return err
		}
		return s.compareOthers(ctx, originals, prints)
	})
}

// fingerprints are those of files, in their order.
func fingerprints(ctx context.Context, program sidecar, files []string) ([]vision.Fingerprint, error) {
	analyses, err := program.analyze(ctx, vision.PartFingerprint, files)
	if err != nil {
		return nil, err
	}
	prints := make([]vision.Fingerprint, len(files))
	for i, a := range analyses {
		if a.Error != "" || a.Fingerprint == nil {
			return nil, fmt.Errorf("%s has no fingerprint: %s", filepath.Base(files[i]), a.Error)
		}
		prints[i] = *a.Fingerprint
	}
	return prints, nil
}

// originals are pictures of people and documents, all different.
func (e *evaluation) originals(folder string) ([]original, error) {
	var all []original
	photos, err := e.data.photos()
	if err != nil {
		return nil, err
	}
	for _, p := range limited(photos, e.limit) {
		all = append(all, original{file: p.file, origin: "photographs", owner: p.person})
	}
	captures, err := e.data.captures()
	if err != nil {
		return nil, err
	}
	for _, c := range limited(captures, e.limit) {
		if c.recaptured() {
			continue
		}
		o := original{file: c.file, origin: "captures", owner: c.subject}
		o.video, o.frame = c.frame()
		all = append(all, o)
	}
	papers, err := e.data.table("documents/dev/classification.csv", "image")
	if err != nil {
		return nil, err
	}
	for _, row := range limited(papers, e.limit) {
		if file := e.data.path(row[0]); exists(file) {
			all = append(all, original{file: file, origin: "documents", owner: row[0]})
		}
	}
	all = slices.DeleteFunc(all, func(o original) bool { return !readable(o.file) })
	drawn, err := e.drawnOriginals(limited(photos, e.limit), folder)
	return append(all, drawn...), err
}

// recaptured tells that one photograph is shown by print or screen in several captures: nobody can say whether such
// pictures are copies of each other.
func (c capture) recaptured() bool { return strings.HasPrefix(c.subject, "lbp-") }

// frame is the video that a capture is from, and its number in it; 0 for a single picture.
func (c capture) frame() (video string, number int) {
	name := strings.TrimSuffix(filepath.Base(c.file), filepath.Ext(c.file))
	at := strings.LastIndex(name, "_")
	if c.subject != "alex" || at < 0 {
		return "", 0
	}
	if _, err := fmt.Sscan(name[at+1:], &number); err != nil {
		return "", 0
	}
	return name[:at], number + 1
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// readable tells whether the manipulations can read a picture. None of the mirrored EXIF orientations is among them.
func readable(file string) bool {
	content, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	container, err := vision.Inspect(content)
	if err != nil || !slices.Contains([]int{0, 1, 3, 6, 8}, container.Orientation) {
		return false
	}
	_, _, err = image.DecodeConfig(bytes.NewReader(content))
	return err == nil
}

// drawnDocuments is how many licences are drawn, each for another person.
const drawnDocuments = 10

// drawnOriginals are licences of different people: the flat prints of both sides, which share everything but what they say;
// all in one scene, as a desk scanner sees them; and each in two careful scenes and an everyday one of its own.
func (e *evaluation) drawnOriginals(photos []photo, folder string) ([]original, error) {
	n := drawnDocuments
	if e.limit > 0 {
		n = min(n, e.limit)
	}
	portraits := portraitsOf(photos, n)
	scenes := []struct {
		name string
		of   func(document uint64) specimen.Scene
	}{
		{"one desk", func(uint64) specimen.Scene { return specimen.Clean(seedOfReplay) }},
		{"careful", func(d uint64) specimen.Scene { return specimen.Clean(seedOfReplay + 1000 + d) }},
		{"careful again", func(d uint64) specimen.Scene { return specimen.Clean(seedOfReplay + 2000 + d) }},
		{"everyday", func(d uint64) specimen.Scene { return specimen.Handheld(seedOfReplay + 3000 + d) }},
	}
	var all []original
	for i, portrait := range portraits {
		sides, err := e.studio.sides(seedOfReplay+uint64(i), portrait)
		if err != nil {
			return nil, err
		}
		for _, side := range sides {
			add := func(scene string, content []byte) error {
				file := filepath.Join(folder, fmt.Sprintf("document-%d-%s-%d", i, side.name, len(all)))
				all = append(all, original{file: file, origin: "drawn documents", owner: fmt.Sprint("document ", i), shows: side.name, scene: scene})
				return os.WriteFile(file, content, 0o600)
			}
			flat, err := asJPEG(toRGBA(side.print), 92)
			if err == nil {
				err = add("flat", flat)
			}
			if err != nil {
				return nil, err
			}
			for _, scene := range scenes {
				photo, err := specimen.Photograph(side.print, scene.of(uint64(i)))
				if err == nil {
					err = add(scene.name, photo.JPEG)
				}
				if err != nil {
					return nil, err
				}
			}
		}
	}
	return all, nil
}

// printedSide is one side of a drawn document.
type printedSide struct {
	name  string
	print image.Image
}

// sides prints the licence of one seed.
func (s *studio) sides(seed uint64, portrait image.Image) ([]printedSide, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	document := specimen.RandomDocument(rng, specimen.DriverLicense, specimen.RandomPerson(rng, day()), day())
	front, err := s.press.Front(document, portrait)
	if err != nil {
		return nil, err
	}
	back, err := s.press.Back(document)
	return []printedSide{{"front", front}, {"back", back}}, err
}

// portraitsOf takes one picture each of so many people.
func portraitsOf(photos []photo, n int) []image.Image {
	var portraits []image.Image
	known := map[string]bool{}
	for _, p := range photos {
		if len(portraits) == n {
			break
		}
		if known[p.person] {
			continue
		}
		if img, err := readPicture(p.file); err == nil && min(img.Rect.Dx(), img.Rect.Dy()) >= 100 {
			known[p.person] = true
			portraits = append(portraits, img)
		}
	}
	return portraits
}

// remakeAll makes one copy of every original by every other manipulation; which ones, its number decides.
func remakeAll(ctx context.Context, e *evaluation, originals []original, folder string) ([]remake, error) {
	all := manipulations()
	remakes := make([]remake, len(originals)*len(all))
	made := func(i, k int) bool { return (i+k)%2 == 0 }
	var done atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.NumCPU())
	for i, o := range originals {
		work.Go(func() error {
			img, err := readPicture(o.file)
			if err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(o.file), err)
			}
			for k, m := range all {
				if !made(i, k) {
					continue
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				content, err := m.make(img, rand.New(rand.NewPCG(seedOfReplay+uint64(i), uint64(k))))
				if err != nil {
					return err
				}
				at := i*len(all) + k
				remakes[at] = remake{i, m.name, filepath.Join(folder, fmt.Sprintf("copy-%d", at))}
				if err := os.WriteFile(remakes[at].file, content, 0o600); err != nil {
					return err
				}
			}
			fmt.Fprintf(e.out, "\r    %d of %d pictures ", done.Add(1), len(originals))
			return nil
		})
	}
	err := work.Wait()
	fmt.Fprint(e.out, "\r")
	return slices.DeleteFunc(remakes, func(r remake) bool { return r.file == "" }), err
}

// readPicture reads a picture as a viewer shows it.
func readPicture(file string) (*image.RGBA, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	container, err := vision.Inspect(content)
	if err != nil {
		return nil, err
	}
	decoded, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	img := toRGBA(decoded)
	// What shows a stored picture upright is what would store an upright one for the opposite turn.
	opposite := map[int]byte{3: 3, 6: 8, 8: 6}[container.Orientation]
	for _, turn := range quarterTurns() {
		if turn.orientation == opposite {
			img = turn.apply(img)
		}
	}
	return shrunkTo(img, longestOriginal), nil
}

// longestOriginal is the longer side, in pixels, that pictures are brought to before they are manipulated.
const longestOriginal = 1000

func toRGBA(img image.Image) *image.RGBA {
	bounds := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	draw.Draw(out, out.Rect, img, bounds.Min, draw.Src)
	return out
}

// compareCopies searches every copy among all originals, and compares it with its own.
func (s *replaySection) compareCopies(ctx context.Context, originals []original, remakes []remake, prints []vision.Fingerprint) error {
	album := gallery.NewCopies()
	for i := range originals {
		if !album.Add(fmt.Sprint(i), prints[i]) {
			return fmt.Errorf("the program makes fingerprints by %q, and this one compares those by %q", prints[i].Model, vision.FingerprintModel)
		}
	}
	likeness, hit := make([]float64, len(remakes)), make([]bool, len(remakes))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.NumCPU())
	for i, r := range remakes {
		work.Go(func() error {
			print := prints[len(originals)+i]
			likeness[i], _ = print.Copy(prints[r.of])
			hit[i] = slices.ContainsFunc(album.Find(print), func(h gallery.CopyHit) bool { return h.ID == fmt.Sprint(r.of) })
			return ctx.Err()
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	var chosenLikeness []float64
	for i, r := range remakes {
		which := half(originals[r.of].owner)
		s.copies.of(r.manipulation).of[which].add(hit[i])
		s.found[which].add(hit[i])
		s.searched.add(hit[i] || likeness[i] < vision.CopyLikeness)
		if which == chosen {
			chosenLikeness = append(chosenLikeness, likeness[i])
		}
	}
	s.rule = keepsMost(chosenLikeness, mostMissed)
	return nil
}

// mostMissed is the share of copies that the rule lets go.
const mostMissed = 0.01

// keepsMost is the largest hundredth that all but a share of the values reach.
func keepsMost(values []float64, missed float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return float64(int(100*values[int(missed*float64(len(values)))])) / 100
}

// compareOthers compares pictures that are not copies of each other, both of one half.
func (s *replaySection) compareOthers(ctx context.Context, originals []original, prints []vision.Fingerprint) error {
	type couple struct {
		a, b int
		kind string
	}
	rng := rand.New(rand.NewPCG(seedOfReplay, 1))
	var couples []couple
	for b := range originals {
		for a := range b {
			kind, share := inCommon(originals[a], originals[b])
			if half(originals[a].owner) == half(originals[b].owner) && rng.Float64() < share {
				couples = append(couples, couple{a, b, kind})
			}
		}
	}
	is := make([]bool, len(couples))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.NumCPU())
	for i, c := range couples {
		work.Go(func() error {
			_, is[i] = prints[c.a].Copy(prints[c.b])
			return ctx.Err()
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	for _, kind := range kindsOfPairs() {
		s.different.of(kind) // their order
	}
	for i, c := range couples {
		which := half(originals[c.a].owner)
		s.different.of(c.kind).of[which].add(is[i])
		s.falsely[which].add(is[i])
	}
	return nil
}

// What two different pictures may have in common.
const (
	nothingShared = "different people and things"
	samePerson    = "one person, different pictures"
	neighbouring  = "one video, neighbouring frames"
	sameVideo     = "one video, frames further apart"
	sameForm      = "licences of different people, flat prints"
	sameDesk      = "licences of different people, from one place"
	otherDesks    = "licences of different people, careful photographs"
	twoCareful    = "one licence, two careful photographs"
	twoScenes     = "one licence, a careful and an everyday photograph"
)

func kindsOfPairs() []string {
	return []string{nothingShared, samePerson, neighbouring, sameVideo, sameForm, sameDesk, otherDesks, twoCareful, twoScenes}
}

// inCommon says what two originals share, and what share of such pairs is compared; 0 for pairs that are no case.
func inCommon(a, b original) (kind string, share float64) {
	drawn := a.origin == "drawn documents"
	switch {
	case drawn && b.origin == a.origin && a.shows == b.shows && a.owner == b.owner:
		careful := func(o original) bool { return o.scene == "careful" || o.scene == "careful again" }
		switch {
		case careful(a) && careful(b):
			return twoCareful, 1
		case careful(a) && b.scene == "everyday":
			return twoScenes, 1
		}
		return "", 0
	case drawn && b.origin == a.origin && a.shows == b.shows && a.scene == b.scene:
		switch a.scene {
		case "flat":
			return sameForm, 0.5
		case "one desk":
			return sameDesk, 0.5
		case "careful":
			return otherDesks, 0.5
		}
		return "", 0
	case a.video != "" && a.video == b.video:
		if distance := a.frame - b.frame; distance >= -3 && distance <= 3 {
			return neighbouring, 1
		}
		return sameVideo, 0.5
	case a.video != "" && b.video != "":
		return "", 0 // one is a replay of the other
	case a.owner == b.owner:
		if drawn {
			return "", 0
		}
		return samePerson, 1
	}
	return nothingShared, 0.05
}

// Originals, Documents, Chosen, Rule and what follows are what the text says.
func (s *replaySection) Originals() int { return s.originals }

// Documents is the number of drawn licences.
func (s *replaySection) Documents() int { return drawnDocuments }

// Chosen is the likeness from which the code takes a picture for a copy.
func (s *replaySection) Chosen() string { return fmt.Sprintf("%.2f", vision.CopyLikeness) }

// Rule is what the rule gives on the chosen half now.
func (s *replaySection) Rule() string { return fmt.Sprintf("%.2f", s.rule) }

// Found and Falsely are the errors on the half that nothing was chosen on.
func (s *replaySection) Found() rate   { return s.found[judged] }
func (s *replaySection) Falsely() rate { return s.falsely[judged] }

// Searched is how often the search among all originals finds what a comparison with the right one would.
func (s *replaySection) Searched() rate { return s.searched }

// Copies tells how many copies are found, by manipulation.
func (s *replaySection) Copies() table { return s.copies.table("manipulation", "found") }

// Different tells how many different pictures are taken for copies.
func (s *replaySection) Different() table {
	return s.different.table("two pictures of", "taken for copies")
}

func (r halvesByName) table(what, happened string) table {
	t := table{head: []string{what, happened + ", judged half", happened + ", chosen half"}}
	for _, one := range r {
		t.row(one.name, one.of[judged].String(), one.of[chosen].String())
	}
	return t
}
