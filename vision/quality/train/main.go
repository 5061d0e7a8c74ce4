// Command train makes the networks that tell covered eyes and mouths, and judges quality.Judge.
//
//	go run ./vision/quality/train --models data/models --people DIR/identities.csv --plain DIR/counts.csv,DIR/labels.csv
//
// The first file has the columns image and person, the others image and, where they have it, label (attack is left out)
// and subject; images are named relative to the file's folder. Over the people of the first file things are drawn that
// cover eyes or mouth, and things that do not; the others' faces are taken as they are. All are split in two by a hash of
// the person. The first half makes the networks, and by cross-validation over its people the thresholds; the second half
// is drawn over, found again, and rated as the server does. It writes vision/quality/internal/cover/weights.bin to the
// file given with --out.
package main

import (
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kycd/vision"
	"kycd/vision/face"
	"kycd/vision/imaging"
	"kycd/vision/quality/internal/cover"
	"kycd/vision/quality/internal/disguise"
)

const (
	// unit is the most, px, of the distance between the eyes to which pictures are reduced, which makes drawing quick.
	unit = 90
	// around is the side of what is kept around a face, in distances between the eyes.
	around = 11
	// drawings of each kind over a photograph, and placements of each by landmarks that are a little off.
	drawings, placements = 2, 2
	// The share of the first half's uncovered faces that the thresholds take for covered. Mouths are told apart so well
	// that fewer cost nothing.
	eyeAlarms, mouthAlarms = 0.03, 0.01
	folds                  = 3
)

// portrait is one face with its 68 landmarks.
type portrait struct {
	person string
	pic    *imaging.Picture
	shape  []vision.Point
	drawn  bool // it may be drawn over
}

// half is 0 for the people who make the networks, 1 for those who judge them.
func (p portrait) half() int { return int(sha256.Sum256([]byte(p.person))[0]) % 2 }

func (p portrait) fold() int { return int(sha256.Sum256([]byte(p.person))[1]) % folds }

func main() {
	models := flag.String("models", "data/models", "folder of the weights")
	people := flag.String("people", "", "identities.csv")
	plain := flag.String("plain", "", "further files, separated by commas")
	out := flag.String("out", "", "where to write the weights; empty only judges those built in")
	flag.Parse()
	if err := run(*models, *people, *plain, *out); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(models, people, plain, out string) error {
	see, err := open(models)
	if err != nil {
		return err
	}
	defer see.close()
	portraits, err := see.read(people, true)
	if err != nil {
		return err
	}
	for _, file := range strings.FieldsFunc(plain, func(r rune) bool { return r == ',' }) {
		more, err := see.read(file, false)
		if err != nil {
			return err
		}
		portraits = append(portraits, more...)
	}
	nets, err := cover.Trained()
	if out != "" {
		var eyes, mouths []example
		if eyes, mouths, err = examples(portraits); err != nil {
			return err
		}
		nets = &cover.Networks{
			Eye:   trained("eyes", eyes, eyeAlarms, func(n cover.Network) cover.Networks { return cover.Networks{Eye: n} }, (*cover.Networks).Eyes),
			Mouth: trained("mouth", mouths, mouthAlarms, func(n cover.Network) cover.Networks { return cover.Networks{Mouth: n} }, (*cover.Networks).Lips),
		}
		err = os.WriteFile(out, nets.Marshal(), 0o644)
	}
	if err != nil {
		return err
	}
	return judge(see, nets, portraits)
}

// seer finds faces and their landmarks.
type seer struct {
	finder  *face.Finder
	encoder *face.Encoder
}

func open(models string) (*seer, error) {
	finder, err := face.NewFinder(models)
	if err != nil {
		return nil, err
	}
	encoder, err := face.NewEncoder(models)
	if err != nil {
		return nil, errors.Join(err, finder.Close())
	}
	return &seer{finder, encoder}, nil
}

func (s *seer) close() {
	_ = s.finder.Close()
	s.encoder.Close()
}

// read finds the main face of every image of a file.
func (s *seer) read(name string, drawn bool) ([]portrait, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	person := max(slices.Index(rows[0], "person"), slices.Index(rows[0], "subject"), 0)
	label := slices.Index(rows[0], "label")
	var portraits []portrait
	for _, row := range rows[1:] {
		if label >= 0 && row[label] == "attack" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(filepath.Dir(name), row[0]))
		if err != nil {
			return nil, err
		}
		pic, err := imaging.Decode(data, imaging.Options{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row[0], err)
		}
		found, err := s.finder.Find(pic)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row[0], err)
		}
		if len(found) == 0 {
			continue
		}
		encoding, err := s.encoder.Encode(pic, found[0])
		if errors.Is(err, face.ErrNotEncoded) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row[0], err)
		}
		p, ok, err := reduced(pic, encoding.Shape)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row[0], err)
		}
		if ok {
			p.person, p.drawn = row[person], drawn
			portraits = append(portraits, p)
		}
	}
	return portraits, nil
}

// reduced cuts out what is around a face and scales it down.
func reduced(pic *imaging.Picture, shape []vision.Point) (portrait, bool, error) {
	five, ok := cover.Five(shape)
	if !ok || len(shape) != 68 {
		return portrait{}, false, nil
	}
	eyes := math.Hypot(five[1].X-five[0].X, five[1].Y-five[0].Y)
	side := around * eyes
	box := vision.Box{X: int(five[2].X - side/2), Y: int(five[2].Y - side/2), Width: int(side), Height: int(side)}
	crop, ok := pic.Crop(box)
	if !ok {
		return portrait{}, false, nil
	}
	small := crop
	if k := unit / eyes; k < 1 {
		var err error
		if small, err = crop.Resize(int(float64(crop.Width)*k), int(float64(crop.Height)*k)); err != nil {
			return portrait{}, false, err
		}
	}
	p := portrait{pic: imaging.New(small.Pix, small.Width, small.Height)}
	kx, ky := float64(small.Width)/float64(crop.Width), float64(small.Height)/float64(crop.Height)
	for _, q := range shape {
		p.shape = append(p.shape, vision.Point{X: (q.X - float64(max(box.X, 0))) * kx, Y: (q.Y - float64(max(box.Y, 0))) * ky})
	}
	return p, true, nil
}

// under draws over a portrait, the same every time.
func (p portrait) under(kind disguise.Kind, drawing uint64) *imaging.Picture {
	seed := sha256.Sum256(p.pic.Pix)
	rng := rand.New(rand.NewPCG(uint64(seed[0])<<8+uint64(seed[1])+drawing<<20, uint64(len(kind))<<8+uint64(kind[0])))
	return disguise.Draw(p.pic, p.shape, kind, rng)
}

// example is a patch with what is true of it.
type example struct {
	patch   *cover.Patch
	inputs  [2][]float64 // of the part, and of the part in the mirror
	covered bool
	fold    int
}

// examples draws over the first half.
func examples(portraits []portrait) (eyes, mouths []example, err error) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, p := range portraits {
		if p.half() != 0 {
			continue
		}
		add := func(pic *imaging.Picture, kind disguise.Kind) error {
			for range placements {
				five, _ := cover.Five(p.shape)
				patch, ok, err := cover.Cut(pic, astray(five, rng))
				if err != nil {
					return err
				}
				if !ok {
					continue
				}
				mirror := patch.Mirrored()
				eyes = append(eyes, example{patch, [2][]float64{cover.Eye().Features(patch), cover.Eye().Features(mirror)}, kind.CoversEyes(), p.fold()})
				mouths = append(mouths, example{patch, [2][]float64{cover.Mouth().Features(patch), cover.Mouth().Features(mirror)}, kind.CoversMouth(), p.fold()})
			}
			return nil
		}
		if err := add(p.pic, ""); err != nil {
			return nil, nil, err
		}
		if !p.drawn {
			continue
		}
		for _, kind := range disguise.Kinds() {
			for drawing := range uint64(drawings) {
				if err := add(p.under(kind, drawing), kind); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return eyes, mouths, nil
}

// astray moves landmarks as detectors do whose view is covered: turned, scaled and shifted a little.
func astray(five [5]vision.Point, rng *rand.Rand) [5]vision.Point {
	eyes := math.Hypot(five[1].X-five[0].X, five[1].Y-five[0].Y)
	scale := 1 + 0.06*rng.NormFloat64()
	sin, cos := math.Sincos(0.05 * rng.NormFloat64())
	dx, dy := 0.06*eyes*rng.NormFloat64(), 0.08*eyes*rng.NormFloat64()
	nose := five[2]
	for i, p := range five {
		x, y := p.X-nose.X, p.Y-nose.Y
		five[i] = vision.Point{X: nose.X + scale*(cos*x-sin*y) + dx, Y: nose.Y + scale*(sin*x+cos*y) + dy}
	}
	return five
}

// trained makes a network of the examples, and moves its bias to where the threshold is.
func trained(name string, examples []example, alarms float64, with func(cover.Network) cover.Networks, score func(*cover.Networks, *cover.Patch) float64) cover.Network {
	var uncovered, covered []float64
	for fold := range folds {
		nets := with(descend(examples, func(e example) bool { return e.fold != fold }))
		for _, e := range examples {
			switch {
			case e.fold != fold:
			case e.covered:
				covered = append(covered, score(&nets, e.patch))
			default:
				uncovered = append(uncovered, score(&nets, e.patch))
			}
		}
	}
	slices.Sort(uncovered)
	threshold := uncovered[int(float64(len(uncovered))*(1-alarms))]
	found := 0
	for _, z := range covered {
		if z > threshold {
			found++
		}
	}
	fmt.Printf("%s: of the half that makes the network, people left out in turn: %d of %d found with %.0f %% false alarms\n", name, found, len(covered), 100*alarms)
	net := descend(examples, func(example) bool { return true })
	net.Bias -= threshold
	return net
}
