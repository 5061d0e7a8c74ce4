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
	file  string
	kind  specimen.Type
	scene string
	truth specimen.Truth
}

// studio draws invented documents and photographs them into a folder.
type studio struct {
	press    *specimen.Press
	folder   string
	progress io.Writer
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
	portrait image.Image // nil for a drawn silhouette
}

// grid orders n documents of each kind in each scene; the documents of all scenes are the same.
func grid(n int, back bool, kinds ...specimen.Type) []order {
	var orders []order
	for _, kind := range kinds {
		for _, scene := range scenes() {
			for i := range n {
				orders = append(orders, order{kind: kind, back: back, scene: scene, seed: firstSeed + uint64(i)})
			}
		}
	}
	return orders
}

// shoot makes the photographs, in the order of the orders.
func (s *studio) shoot(ctx context.Context, orders []order) ([]sheet, error) {
	sheets := make([]sheet, len(orders))
	var done atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(runtime.NumCPU())
	for i, o := range orders {
		work.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			sheets[i], err = s.one(o)
			fmt.Fprintf(s.progress, "\r    %d of %d drawn ", done.Add(1), len(orders))
			return err
		})
	}
	err := work.Wait()
	fmt.Fprint(s.progress, "\r")
	return sheets, err
}

func (s *studio) one(o order) (sheet, error) {
	rng := rand.New(rand.NewPCG(o.seed, 0))
	document := specimen.RandomDocument(rng, o.kind, specimen.RandomPerson(rng, day()), day())
	truth, err := document.Truth()
	if err != nil {
		return sheet{}, err
	}
	var print image.Image
	if o.back {
		print, err = s.press.Back(document)
	} else {
		portrait := o.portrait
		if portrait == nil {
			portrait = specimen.Silhouette()
		}
		print, err = s.press.Front(document, portrait)
	}
	if err != nil {
		return sheet{}, err
	}
	photo, err := specimen.Photograph(print, o.scene.of(o.seed))
	if err != nil {
		return sheet{}, err
	}
	file, err := os.CreateTemp(s.folder, "*.jpg")
	if err != nil {
		return sheet{}, err
	}
	_, err = file.Write(photo.JPEG)
	return sheet{file: file.Name(), kind: o.kind, scene: o.scene.name, truth: truth}, errors.Join(err, file.Close())
}
