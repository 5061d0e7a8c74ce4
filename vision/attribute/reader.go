// Package attribute estimates how old a face looks, whether it looks like a man's or a woman's, and what it expresses,
// with the networks of face-api.
package attribute

import (
	"errors"
	"fmt"
	"math"

	"kycd/models"
	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/networks"
)

// Model names the networks.
const Model = "age_gender, face_expression@face-api-1.7.15"

// ErrNoFace says that the face lies outside the picture, or has no area.
var ErrNoFace = errors.New("no face to read attributes of")

// Reader reads attributes. One Reader serves one goroutine at a time.
type Reader struct {
	ageGender  *networks.Network
	expression *networks.Network
}

// NewReader loads the networks. If their weights are missing, the error is fs.ErrNotExist: attributes are then
// unavailable.
func NewReader(modelsDir string) (*Reader, error) {
	ageGender, err := networks.Open(modelsDir, models.NetAgeGender)
	if err != nil {
		return nil, fmt.Errorf("load age and gender: %w", err)
	}
	expression, err := networks.Open(modelsDir, models.NetExpression)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load expression: %w", err), ageGender.Close())
	}
	return &Reader{ageGender: ageGender, expression: expression}, nil
}

// Close frees the networks.
func (r *Reader) Close() error {
	return errors.Join(r.ageGender.Close(), r.expression.Close())
}

// Read estimates the attributes of a face in a box of pic. The shape, the 68 points of the 300-W mark-up in pixels of
// pic, says better where the face ends; without it the box does. It returns ErrNoFace if the box lies outside.
func (r *Reader) Read(pic *imaging.Picture, box vision.Box, shape []vision.Point) (vision.Attributes, error) {
	around, ok := region(pic.Width, pic.Height, box, shape)
	if !ok {
		return vision.Attributes{}, ErrNoFace
	}
	crop, ok := pic.Crop(around)
	if !ok {
		return vision.Attributes{}, ErrNoFace
	}
	input := square(crop)
	ageGender, err := r.ageGender.Run(input)
	if err != nil {
		return vision.Attributes{}, fmt.Errorf("read age and gender: %w", err)
	}
	expression, err := r.expression.Run(input)
	if err != nil {
		return vision.Attributes{}, fmt.Errorf("read expression: %w", err)
	}
	return attributes(float64(ageGender[0][0]), ageGender[1], expression[0]), nil
}

// expressions are the classes of the network, in its order.
func expressions() [7]string {
	return [7]string{"neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised"}
}

// attributes names what the networks gave: years, the probabilities of male and female, those of the expressions.
func attributes(age float64, gender, expression []float32) vision.Attributes {
	a := vision.Attributes{
		Age:         math.Max(age, 0),
		Gender:      "male",
		Expressions: make(map[string]float64, len(expression)),
		Model:       Model,
	}
	male := float64(gender[0])
	a.GenderProbability = male
	if male <= 0.5 {
		a.Gender, a.GenderProbability = "female", 1-male
	}
	for i, name := range expressions() {
		a.Expressions[name] = float64(expression[i])
	}
	return a
}
