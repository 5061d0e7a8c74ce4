package main

import (
	"errors"
	"fmt"
	"math"

	"kycd/vision"
	"kycd/vision/binomial"
	"kycd/vision/face"
	"kycd/vision/imaging"
	"kycd/vision/quality/internal/cover"
	"kycd/vision/quality/internal/disguise"
)

// tally counts how often eyes and mouth were called covered.
type tally struct{ faces, eyes, mouths, lost int }

// judge draws over the second half, finds the faces again, and prints how often what was found is what was drawn.
func judge(see *seer, nets *cover.Networks, portraits []portrait) error {
	kinds := append([]disguise.Kind{""}, disguise.Kinds()...)
	tallies := map[disguise.Kind]*tally{}
	for _, kind := range kinds {
		tallies[kind] = &tally{}
	}
	for _, p := range portraits {
		if p.half() != 1 {
			continue
		}
		for _, kind := range kinds {
			pic := p.pic
			if kind != "" {
				if !p.drawn {
					continue
				}
				pic = p.under(kind, 0)
			}
			t := tallies[kind]
			patch, ok, err := see.again(pic, p.shape)
			if err != nil {
				return err
			}
			if !ok {
				t.lost++
				continue
			}
			t.faces++
			if nets.Eyes(patch) > 0 {
				t.eyes++
			}
			if nets.Lips(patch) > 0 {
				t.mouths++
			}
		}
	}
	var eyes, mouths [2]tally // of faces where it is not covered, and where it is
	count := func(sum *[2]tally, covered bool, t *tally) {
		i := 0
		if covered {
			i = 1
		}
		sum[i].faces, sum[i].eyes, sum[i].mouths = sum[i].faces+t.faces, sum[i].eyes+t.eyes, sum[i].mouths+t.mouths
	}
	fmt.Println("of the other half, drawn over and found again:")
	for _, kind := range kinds {
		t := tallies[kind]
		name := string(kind)
		if kind == "" {
			name = "as taken"
		}
		fmt.Printf("  %-22s eyes covered %3d, mouth covered %3d of %3d; no face found in %d\n", name, t.eyes, t.mouths, t.faces, t.lost)
		count(&eyes, kind.CoversEyes(), t)
		count(&mouths, kind.CoversMouth(), t)
	}
	line := func(name string, k, n int) {
		fmt.Printf("%s: %d of %d = %.3f (95 %%: %.3f to %.3f)\n", name, k, n, float64(k)/float64(n), binomial.Lower(k, n, 0.025), binomial.Upper(k, n, 0.025))
	}
	line("covered eyes found", eyes[1].eyes, eyes[1].faces)
	line("eyes falsely called covered", eyes[0].eyes, eyes[0].faces)
	line("covered mouths found", mouths[1].mouths, mouths[1].faces)
	line("mouths falsely called covered", mouths[0].mouths, mouths[0].faces)
	return nil
}

// again finds the face nearest to where it was drawn over, as the server does, and cuts its patch.
func (s *seer) again(pic *imaging.Picture, shape []vision.Point) (*cover.Patch, bool, error) {
	was, _ := cover.Five(shape)
	found, err := s.finder.Find(pic)
	if err != nil {
		return nil, false, err
	}
	nearest := -1
	away := 1.5 * math.Hypot(was[1].X-was[0].X, was[1].Y-was[0].Y)
	for i, d := range found {
		if a := math.Hypot(d.X+d.Width/2-was[2].X, d.Y+d.Height/2-was[2].Y); a < away {
			nearest, away = i, a
		}
	}
	if nearest < 0 {
		return nil, false, nil
	}
	points := found[nearest].Landmarks
	encoding, err := s.encoder.Encode(pic, found[nearest])
	switch {
	case err == nil:
		points = encoding.Shape
	case !errors.Is(err, face.ErrNotEncoded):
		return nil, false, err
	}
	five, ok := cover.Five(points)
	if !ok {
		return nil, false, nil
	}
	return cover.Cut(pic, five)
}
