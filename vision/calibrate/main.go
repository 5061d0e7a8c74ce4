// Command calibrate fits what vision/calibration.go holds, the weights of the encoders, the scale of their common distance and
// the probability of a distance, to faces of known people, and tells what each tolerance costs.
//
//	kycd-vision analyze --json --ask faces FILE… > faces.jsonl
//	go run ./vision/calibrate pairs.csv faces.jsonl
//
// pairs.csv has the columns image_a, image_b, same_person (1 or 0); a person is the folder of an image, and FILE ends with
// the path that stands there. Faces with two encodings calibrate the combination of both; those that were measured without
// the second encoder's weights calibrate the first alone. Every picture is compared with every other. The people are split in
// two by a hash of their name, so that nobody is in both halves: a weight or a curve chosen on one half is judged on the other.
package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"kycd/vision"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: calibrate pairs.csv faces.jsonl")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "calibrate:", err)
		os.Exit(1)
	}
}

func run(pairsPath, facesPath string, out io.Writer) error {
	images, listed, err := readPairs(pairsPath)
	if err != nil {
		return err
	}
	templates, err := readTemplates(facesPath, images)
	if err != nil {
		return err
	}
	pairs := pairsOf(images, templates, listed)
	if !inBothHalves(pairs) {
		return errors.New("too few people to split")
	}
	fused := slices.ContainsFunc(pairs, func(p pair) bool { return p.fused })
	fmt.Fprintf(out, "%d pictures, %d of them encoded; %d pairs\n", len(images), len(templates), len(pairs))
	if !fused {
		report(out, vision.FaceEncoder, pairs, func(p pair) float64 { return p.distance(0, 1) })
		return nil
	}
	weighWithinHalves(out, pairs)
	scale := commonScale(pairs, secondWeight)
	fmt.Fprintf(out, "\nsecond encoder's weight %.2f, scale %.4f: squared distances count %.4f and %.4f times\n",
		secondWeight, scale, scale*scale*(1-secondWeight), scale*scale*secondWeight)
	report(out, vision.FusedFaceEncoder, pairs, func(p pair) float64 { return p.distance(secondWeight, scale) })
	return nil
}

// readPairs gives the images that the file names, once each, and the pairs that it lists.
func readPairs(name string) ([]string, map[[2]string]bool, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	var images []string
	seen, listed := map[string]bool{}, map[[2]string]bool{}
	for i, row := range rows[min(1, len(rows)):] {
		if len(row) < 3 || (row[2] == "1") != (person(row[0]) == person(row[1])) {
			return nil, nil, fmt.Errorf("%s: record %d does not agree with the folders of its images", name, i+2)
		}
		for _, image := range row[:2] {
			if !seen[image] {
				seen[image] = true
				images = append(images, image)
			}
		}
		listed[[2]string{row[0], row[1]}], listed[[2]string{row[1], row[0]}] = true, true
	}
	slices.Sort(images)
	return images, listed, nil
}

// person is whom an image shows.
func person(image string) string { return path.Dir(image) }

// readTemplates gives the templates of the main faces. A picture without one has none; one that was not analysed is an error.
func readTemplates(name string, images []string) (map[string]vision.Template, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	templates, seen := map[string]vision.Template{}, map[string]bool{}
	decoder := json.NewDecoder(bufio.NewReader(file))
	for {
		var analysis vision.Analysis
		err := decoder.Decode(&analysis)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		i := slices.IndexFunc(images, func(image string) bool { return analysis.File == image || strings.HasSuffix(analysis.File, "/"+image) })
		if i < 0 {
			continue
		}
		seen[images[i]] = true
		if len(analysis.Faces) > 0 && len(analysis.Faces[0].Template()) > 0 {
			templates[images[i]] = analysis.Faces[0].Template()
		}
	}
	for _, image := range images {
		if !seen[image] {
			return nil, fmt.Errorf("%s lacks %s", name, image)
		}
	}
	return templates, nil
}
