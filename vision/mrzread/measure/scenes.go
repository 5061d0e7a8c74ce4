package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kycd/kyc/specimen"
	"kycd/vision"
)

// condition is a way to photograph, by name.
type condition struct {
	name string
	view func(seed uint64) specimen.Scene
}

// conditions are the three everyday scenes, and the everyday one with a single thing made worse.
func conditions() []condition {
	out := []condition{{"clean", specimen.Clean}, {"handheld", specimen.Handheld}, {"poor", specimen.Poor}}
	worse := func(name string, change func(s *specimen.Scene, side float64)) {
		out = append(out, condition{name, func(seed uint64) specimen.Scene {
			s := specimen.Handheld(seed)
			side := 1.0
			if seed%2 == 0 {
				side = -1
			}
			change(&s, side)
			return s
		}})
	}
	for _, blur := range []float64{0, 1.2, 1.8, 2.5} {
		worse(fmt.Sprintf("blur %.1f", blur), func(s *specimen.Scene, _ float64) { s.Blur = blur })
	}
	for _, motion := range []float64{4, 8} {
		worse(fmt.Sprintf("motion %.0f", motion), func(s *specimen.Scene, _ float64) { s.Motion = motion })
	}
	for _, turn := range []float64{20, 45, 90, 120, 180, 270, 315} {
		worse(fmt.Sprintf("rotation %.0f", turn), func(s *specimen.Scene, _ float64) { s.Rotation += turn })
	}
	worse("tilt back 30", func(s *specimen.Scene, side float64) { s.TiltX = 30 * side })
	worse("tilt aside 30", func(s *specimen.Scene, side float64) { s.TiltY = 30 * side })
	worse("tilt both 25", func(s *specimen.Scene, side float64) { s.TiltX, s.TiltY = 25, 25*side })
	worse("glare 0.9", func(s *specimen.Scene, _ float64) { s.Glare = 0.9 })
	for _, quality := range []int{30, 50, 95} {
		worse(fmt.Sprintf("quality %d", quality), func(s *specimen.Scene, _ float64) { s.Quality = quality })
	}
	for _, width := range []int{1000, 2500, 4000} {
		worse(fmt.Sprintf("width %d", width), func(s *specimen.Scene, _ float64) {
			s.Width, s.Height = width, width*3/4
		})
	}
	return out
}

// shot is a photographed document and what is true of it.
type shot struct {
	gray    []byte
	w, h    int
	lines   []string
	corners [4]vision.Point
	wide    float64 // of the document, millimetres
}

func today() time.Time { return time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC) }

// take photographs the side with the zone; files keeps the pictures of earlier runs, as drawing takes longest.
func take(p *specimen.Press, files string, c condition, kind specimen.Type, seed uint64) (shot, error) {
	random := rand.New(rand.NewPCG(seed, 13))
	d := specimen.RandomDocument(random, kind, specimen.RandomPerson(random, today()), today())
	lines, err := d.MRZ()
	if err != nil {
		return shot{}, err
	}
	s := shot{lines: lines, wide: 125}
	if kind == specimen.PassportCard {
		s.wide = 85.6
	}
	name := filepath.Join(files, fmt.Sprintf("%s-%s-%d.jpg", c.name, kind, seed))
	raw, err := os.ReadFile(name)
	if err != nil || len(raw) < 64 {
		if raw, err = photograph(p, d, c.view(seed)); err != nil {
			return shot{}, err
		}
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			return shot{}, err
		}
	}
	// The corners stand before the picture.
	at := bytes.IndexByte(raw, '\n')
	for i := range s.corners {
		var x, y float64
		if _, err := fmt.Sscanf(string(bytes.Fields(raw[:at])[i]), "%f,%f", &x, &y); err != nil {
			return shot{}, err
		}
		s.corners[i] = vision.Point{X: x, Y: y}
	}
	img, err := jpeg.Decode(bytes.NewReader(raw[at+1:]))
	if err != nil {
		return shot{}, err
	}
	s.gray, s.w, s.h = greyOf(img)
	return s, nil
}

func photograph(p *specimen.Press, d specimen.Document, view specimen.Scene) ([]byte, error) {
	var side image.Image
	var err error
	if d.Type == specimen.Passport {
		side, err = p.Front(d, specimen.Silhouette())
	} else {
		side, err = p.Back(d)
	}
	if err != nil {
		return nil, err
	}
	photo, err := specimen.Photograph(side, view)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, c := range photo.Corners {
		fmt.Fprintf(&out, "%.2f,%.2f ", c.X, c.Y)
	}
	out.WriteByte('\n')
	out.Write(photo.JPEG)
	return out.Bytes(), nil
}

// greyOf takes the luminance as it lies in a JPEG.
func greyOf(img image.Image) ([]byte, int, int) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if ycc, ok := img.(*image.YCbCr); ok {
		out := make([]byte, 0, w*h)
		for y := range h {
			out = append(out, ycc.Y[y*ycc.YStride:y*ycc.YStride+w]...)
		}
		return out, w, h
	}
	out := make([]byte, 0, w*h)
	for y := range h {
		for x := range w {
			r, g, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			out = append(out, byte((299*r+587*g+114*bl)/1000>>8))
		}
	}
	return out, w, h
}

// same says whether lines were read to the letter, and how many characters differ.
func same(got, want []string) (bool, int) {
	if slices.Equal(got, want) {
		return true, 0
	}
	differ := 0
	for i, l := range want {
		for k := range l {
			if i >= len(got) || k >= len(got[i]) || got[i][k] != l[k] {
				differ++
			}
		}
	}
	return false, differ
}
