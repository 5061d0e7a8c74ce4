// Command train refines the generic face of vision/pose.
//
//	go run ./vision/pose/train --models data/models --people DIR/identities.csv
//
// The file has the columns image and person; images are named relative to its folder. The people are split in two by a
// hash of their name. The landmarks of the first half's photographs refine the face: in turn every photograph's camera
// is fitted to the face, and the face to all photographs (bundle adjustment), held near the anthropometric start.
// The face is then nodded until half of the people look up and half look down, as people asked to look into a
// camera do. The second half says how well the face fits people it has not seen. It prints the table that stands in
// vision/pose/internal/head/face.go.
package main

import (
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"

	goface "github.com/Kagami/go-face"

	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/pose/internal/head"
)

const (
	// longestSide is to what pictures are reduced before go-face searches them.
	longestSide = 1000
	rounds      = 5
	// hold is the pull of the anthropometric start, in photographs: a landmark moves a twentieth of the way less
	// for each twentieth that the start weighs against all of them.
	hold = 0.05
	// frontal is the yaw, in degrees, up to which a photograph says whether somebody looks up or down.
	frontal = 20
)

// photo is one face with its landmarks.
type photo struct {
	person string
	shape  []vision.Point
}

func main() {
	models := flag.String("models", "data/models", "folder of the weights")
	people := flag.String("people", "", "identities.csv")
	flag.Parse()
	if err := run(*models, *people); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(models, people string) error {
	photos, err := measure(models, people)
	if err != nil {
		return err
	}
	var fitted, held []photo
	for _, p := range photos {
		if sha256.Sum256([]byte(p.person))[0]%2 == 0 {
			fitted = append(fitted, p)
		} else {
			held = append(held, p)
		}
	}
	pairs := head.Anthropometric()
	fmt.Printf("before: %.3f spreads on %d photographs that refine, %.3f on %d others\n", misfit(pairs, fitted), len(fitted), misfit(pairs, held), len(held))
	for range rounds {
		pairs = refined(pairs, fitted)
	}
	pairs = nodded(pairs, medianPitch(pairs, fitted))
	fmt.Printf("after: %.3f and %.3f; median pitch of the others %.1f°\n", misfit(pairs, fitted), misfit(pairs, held), medianPitch(pairs, held))
	for _, p := range pairs {
		fmt.Printf("\t\t{%d, %d, Vector{%.1f, %.1f, %.1f}, %g},\n", p.Left, p.Right, p.At[0], p.At[1], p.At[2], p.Spread)
	}
	return nil
}

// measure finds the landmarks of every photograph that shows one face to go-face.
func measure(models, people string) ([]photo, error) {
	file, err := os.Open(people)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, err
	}
	recognizer, err := goface.NewRecognizer(models)
	if err != nil {
		return nil, err
	}
	defer recognizer.Close()
	var photos []photo
	for _, row := range rows[min(1, len(rows)):] {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(people), row[0]))
		if err != nil {
			return nil, err
		}
		pic, err := imaging.Decode(data, imaging.Options{MaxSide: longestSide})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row[0], err)
		}
		jpeg, err := pic.EncodeJPEG(95)
		if err != nil {
			return nil, err
		}
		faces, err := recognizer.Recognize(jpeg)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row[0], err)
		}
		if len(faces) != 1 || len(faces[0].Shapes) != 68 {
			continue
		}
		p := photo{person: row[1]}
		for _, q := range faces[0].Shapes {
			p.shape = append(p.shape, vision.Point{X: float64(q.X), Y: float64(q.Y)})
		}
		photos = append(photos, p)
	}
	if len(photos) == 0 {
		return nil, errors.New("no photograph shows one face with 68 landmarks")
	}
	return photos, nil
}

// misfit is the mean, over the photographs, of the median distance of their landmarks.
func misfit(pairs []head.Pair, photos []photo) float64 {
	face := head.Landmarks(pairs)
	sum, n := 0.0, 0.0
	for _, p := range photos {
		if camera, ok := head.Fit(face, p.shape); ok {
			sum, n = sum+camera.Away(face, p.shape), n+1
		}
	}
	return sum / n
}

// refined fits the cameras to the face, then every landmark of the face to the cameras.
func refined(pairs []head.Pair, photos []photo) []head.Pair {
	face := head.Landmarks(pairs)
	var cameras []head.Camera
	var seen []photo
	for _, p := range photos {
		if camera, ok := head.Fit(face, p.shape); ok {
			cameras, seen = append(cameras, camera), append(seen, p)
		}
	}
	start := head.Anthropometric()
	next := make([]head.Pair, len(pairs))
	for i, pair := range pairs {
		var normal head.Matrix
		var gradient head.Vector
		for j, camera := range cameras {
			observe(&normal, &gradient, camera, pair.At, pair.Spread, seen[j].shape[pair.Left], 1)
			if pair.Left != pair.Right {
				observe(&normal, &gradient, camera, pair.At, pair.Spread, seen[j].shape[pair.Right], -1)
			}
		}
		for a := range 3 {
			pull := hold * float64(len(cameras))
			normal[a][a] += pull
			gradient[a] += pull * (start[i].At[a] - pair.At[a])
		}
		if pair.Left == pair.Right {
			normal[0] = head.Vector{1, 0, 0}
			gradient[0] = 0
		}
		step := solve(normal, gradient)
		next[i] = pair
		for a := range 3 {
			next[i].At[a] += step[a]
		}
	}
	return next
}

// observe adds what one photograph says of where a landmark lies, in mm; side is -1 for the mirror image.
func observe(normal *head.Matrix, gradient *head.Vector, camera head.Camera, at head.Vector, spread float64, seen vision.Point, side float64) {
	at[0] *= side
	p, w := camera.Project(at)
	deep := 1 / (1 + camera.Near*w[2])
	residual := [2]float64{(seen.X - p.X) / camera.Scale, (seen.Y - p.Y) / camera.Scale}
	weight := 1.0
	if away := math.Hypot(residual[0], residual[1]) / spread; away > 2 {
		weight = 2 / away
	}
	for axis, r := range residual {
		var slope head.Vector
		for k := range 3 {
			slope[k] = camera.Turned[axis][k]*deep - deep*deep*camera.Near*w[axis]*camera.Turned[2][k]
		}
		slope[0] *= side
		for a := range 3 {
			gradient[a] += weight * slope[a] * r
			for b := range 3 {
				normal[a][b] += weight * slope[a] * slope[b]
			}
		}
	}
}

// solve is Cramer's rule.
func solve(m head.Matrix, b head.Vector) head.Vector {
	det := func(m head.Matrix) float64 {
		return m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1]) - m[0][1]*(m[1][0]*m[2][2]-m[1][2]*m[2][0]) + m[0][2]*(m[1][0]*m[2][1]-m[1][1]*m[2][0])
	}
	var x head.Vector
	for k := range 3 {
		replaced := m
		for r := range 3 {
			replaced[r][k] = b[r]
		}
		x[k] = det(replaced) / det(m)
	}
	return x
}

// medianPitch is the median, over the people, of the median pitch of their photographs.
func medianPitch(pairs []head.Pair, photos []photo) float64 {
	face := head.Landmarks(pairs)
	pitches := map[string][]float64{}
	for _, p := range photos {
		camera, ok := head.Fit(face, p.shape)
		if pose := camera.Turned.Pose(); ok && math.Abs(pose.Yaw) < frontal {
			pitches[p.person] = append(pitches[p.person], pose.Pitch)
		}
	}
	var people []float64
	for _, own := range pitches {
		people = append(people, median(own))
	}
	return median(people)
}

// nodded turns the face itself, so that what was seen at the given pitch is seen at 0.
func nodded(pairs []head.Pair, pitch float64) []head.Pair {
	turn := head.Rotation(vision.Pose{Pitch: pitch})
	for i := range pairs {
		pairs[i].At = turn.Times(pairs[i].At)
	}
	return pairs
}

func median(values []float64) float64 {
	sort.Float64s(values)
	if len(values) == 0 {
		return 0
	}
	return values[len(values)/2]
}
