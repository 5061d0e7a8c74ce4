package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"kycd/kyc/specimen"
)

// firstSeed is far from the seeds that the readers' own tests use, so that nothing is judged on what it was tuned on.
const firstSeed = 10_001

// day is the date of the invented documents: the same on every run.
func day() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// scene is a way to photograph a document.
type scene struct {
	name string
	of   func(seed uint64) specimen.Scene
}

func scenes() []scene {
	return []scene{{"clean", specimen.Clean}, {"handheld", specimen.Handheld}, {"poor", specimen.Poor}}
}

// sheet is one photographed side of an invented document.
type sheet struct {
	order
	file  string
	truth specimen.Truth
}

// studio draws invented documents and photographs them into a folder.
type studio struct {
	press     *specimen.Press
	folder    string
	progress  io.Writer
	portraits []image.Image // photographs, of which each document gets one; without them it gets a drawn silhouette
}

func newStudio(folder string, progress io.Writer) (*studio, error) {
	press, err := specimen.NewPress()
	if err != nil {
		return nil, err
	}
	return &studio{press: press, folder: folder, progress: progress}, nil
}

// order is one photograph to be made.
type order struct {
	kind     specimen.Type
	back     bool
	scene    scene
	seed     uint64
	portrait image.Image // nil for one of the studio's
	planted  mismatch    // what the print says otherwise; the zero value changes nothing
	levels   []level     // of the axes that the scene was made of; none for a named scene
	two      bool        // the document's other side lies in the picture too
}

// samePrint tells whether two orders are photographs of one print.
func (o order) samePrint(other order) bool {
	return o.kind == other.kind && o.back == other.back && o.seed == other.seed && o.portrait == other.portrait && o.planted.name == other.planted.name && o.two == other.two
}

// grid orders n documents of each kind in each scene; the documents of all scenes are the same.
func grid(n int, back bool, kinds ...specimen.Type) []order {
	var orders []order
	for _, kind := range kinds {
		for i := range n {
			for _, scene := range scenes() {
				orders = append(orders, order{kind: kind, back: back, scene: scene, seed: firstSeed + uint64(i)})
			}
		}
	}
	return orders
}

// shoot makes the photographs, in the order of the orders. What is printed once for several that follow each other is drawn once.
func (s *studio) shoot(ctx context.Context, orders []order) ([]sheet, error) {
	sheets := make([]sheet, len(orders))
	var done atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.NumCPU())
	for from := 0; from < len(orders); {
		to := from + 1
		for to < len(orders) && orders[to].samePrint(orders[from]) {
			to++
		}
		first := from
		work.Go(func() error {
			made, err := s.draw(orders[first])
			if err != nil {
				return err
			}
			for i := first; i < to; i++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				if sheets[i], err = s.photograph(orders[i], made); err != nil {
					return err
				}
				fmt.Fprintf(s.progress, "\r    %d of %d drawn ", done.Add(1), len(orders))
			}
			return nil
		})
		from = to
	}
	err := work.Wait()
	fmt.Fprint(s.progress, "\r")
	return sheets, err
}

// drawing is a document's side as it was printed, and what is true of it.
type drawing struct {
	side, other image.Image // other: only where both sides are to be in one picture
	truth       specimen.Truth
}

func (s *studio) draw(o order) (drawing, error) {
	rng := rand.New(rand.NewPCG(o.seed, 0))
	document := specimen.RandomDocument(rng, o.kind, specimen.RandomPerson(rng, day()), day())
	if o.planted.plant != nil {
		document = o.planted.plant(document, rng)
	}
	truth, err := document.Truth()
	if err != nil {
		return drawing{}, err
	}
	d := drawing{truth: truth}
	if d.side, err = s.side(document, o, o.back); err != nil || !o.two {
		return d, err
	}
	d.other, err = s.side(document, o, !o.back)
	return d, err
}

func (s *studio) side(document specimen.Document, o order, back bool) (image.Image, error) {
	if back {
		return s.press.Back(document)
	}
	return s.press.Front(document, s.portraitOf(o))
}

// portraitOf is what a document's portrait shows.
func (s *studio) portraitOf(o order) image.Image {
	switch n := uint64(len(s.portraits)); {
	case o.portrait != nil:
		return o.portrait
	case n > 0:
		return s.portraits[o.seed%n]
	}
	return specimen.Silhouette()
}

func (s *studio) photograph(o order, d drawing) (sheet, error) {
	var photo specimen.Photo
	var err error
	if o.two {
		photo, err = specimen.PhotographTwo(d.side, d.other, o.scene.of(o.seed))
	} else {
		photo, err = specimen.Photograph(d.side, o.scene.of(o.seed))
	}
	if err != nil {
		return sheet{}, err
	}
	file, err := os.CreateTemp(s.folder, "*.jpg")
	if err != nil {
		return sheet{}, err
	}
	_, err = file.Write(photo.JPEG)
	return sheet{order: o, file: file.Name(), truth: d.truth}, errors.Join(err, file.Close())
}
