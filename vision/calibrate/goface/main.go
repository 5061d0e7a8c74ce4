// Command goface encodes the faces of pictures as go-face does by itself, for comparison: its own detector searches the whole
// picture, and the largest face counts.
//
//	go run ./vision/calibrate/goface MODELS FILE… > faces.jsonl
//
// It prints what kycd-vision analyze --json prints, as far as it knows it. A picture without a face has none.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	goface "github.com/Kagami/go-face"

	"kycd/vision"
	"kycd/vision/face"
	"kycd/vision/imaging"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: goface MODELS FILE…")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "goface:", err)
		os.Exit(1)
	}
}

func run(modelsDir string, files []string) error {
	face.UseOneThreadPerEncoder()
	recognizer, err := goface.NewRecognizer(modelsDir)
	if err != nil {
		return err
	}
	defer recognizer.Close()
	out := json.NewEncoder(os.Stdout)
	for _, file := range files {
		analysis, err := analyze(recognizer, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := out.Encode(analysis); err != nil {
			return err
		}
	}
	return nil
}

// analyze hands go-face the upright picture as JPEG, the one format that it takes.
func analyze(recognizer *goface.Recognizer, file string) (vision.Analysis, error) {
	analysis := vision.Analysis{File: file, Faces: []vision.Face{}}
	data, err := os.ReadFile(file)
	if err != nil {
		return analysis, err
	}
	pic, err := imaging.Decode(data, imaging.Options{})
	if err != nil {
		return analysis, err
	}
	analysis.Width, analysis.Height = pic.Width, pic.Height
	jpeg, err := pic.EncodeJPEG(98)
	if err != nil {
		return analysis, err
	}
	faces, err := recognizer.Recognize(jpeg)
	if err != nil {
		return analysis, errors.Join(errors.New("go-face failed"), err)
	}
	largest := 0
	for _, f := range faces {
		side := f.Rectangle.Dx()
		if side <= largest {
			continue
		}
		largest = side
		analysis.Faces = []vision.Face{{
			Box:     vision.Box{X: f.Rectangle.Min.X, Y: f.Rectangle.Min.Y, Width: side, Height: f.Rectangle.Dy()},
			Encoder: vision.FaceEncoder, Encoding: append([]float32(nil), f.Descriptor[:]...),
		}}
	}
	return analysis, nil
}
