package vision_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kycd/vision"
)

// encoding is one of a known encoder, with its first value set.
func encoding(encoder string, first float32) vision.Encoding {
	size := map[string]int{vision.FaceEncoder: vision.FaceEncodingSize, vision.SecondFaceEncoder: vision.SecondFaceEncodingSize}[encoder]
	values := make([]float32, size)
	values[0] = first
	return vision.Encoding{Encoder: encoder, Values: values}
}

func TestCompareUsesTheStrongestThatBothHave(t *testing.T) {
	first, second := vision.FaceEncoder, vision.SecondFaceEncoder
	alone := func(x float32) vision.Template { return vision.Template{encoding(first, x)} }
	both := func(x, y float32) vision.Template {
		return vision.Template{encoding(second, y), encoding(first, x)}
	}
	other := vision.Template{{Encoder: "dlib-resnet-v1@another", Values: encoding(first, 1).Values}}
	damaged := both(0, 0)
	damaged[0].Values[7] = float32(math.NaN())
	short := both(0, 0)
	short[0].Values = short[0].Values[1:]
	tests := []struct {
		name    string
		a, b    vision.Template
		encoder string
		err     error
	}{
		{"both have both", both(0, 0), both(0.1, 0.2), vision.FusedFaceEncoder, nil},
		{"one has the first alone", both(0, 0), alone(0.3), first, nil},
		{"both have the first alone", alone(0), alone(0.3), first, nil},
		{"both have the second alone", vision.Template{encoding(second, 0)}, vision.Template{encoding(second, 1)}, "", vision.ErrNotComparable},
		{"none in common", alone(0), vision.Template{encoding(second, 1)}, "", vision.ErrNotComparable},
		{"an unknown version", other, alone(0), "", vision.ErrNotComparable},
		{"two of the same unknown version", other, other, "", vision.ErrNotComparable},
		{"nothing", nil, alone(0), "", vision.ErrNotComparable},
		{"not a number in the second", damaged, both(0, 0), "", vision.ErrNotComparable},
		{"another length of the second", both(0, 0), short, "", vision.ErrNotComparable},
		{"another length of the first", vision.Template{{Encoder: first, Values: make([]float32, 127)}}, vision.Template{{Encoder: first, Values: make([]float32, 127)}}, "", vision.ErrNotComparable},
		{"infinite", alone(float32(math.Inf(1))), alone(0), "", vision.ErrNotComparable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, two := range [][2]vision.Template{{test.a, test.b}, {test.b, test.a}} {
				match, err := vision.Compare(two[0], two[1])
				if !errors.Is(err, test.err) || match.Encoder != test.encoder {
					t.Fatalf("got %q, %v; want %q, %v", match.Encoder, err, test.encoder, test.err)
				}
				if err != nil && match != (vision.Match{}) {
					t.Errorf("an error with figures: %+v", match)
				}
			}
		})
	}
	match, err := vision.Compare(alone(0), alone(0.3))
	if err != nil || math.Abs(match.Distance-0.3) > 1e-6 {
		t.Errorf("the first encoder's own distance is %v, %v; want 0.3", match.Distance, err)
	}
}

// The plain Euclidean distance of two vectors of a combination is the distance that Compare gives, whatever the encodings.
func TestVectorsAreAsFarAsTheirTemplates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float32Range(-2, 2)
		draw := func(name string) vision.Template {
			first := rapid.SliceOfN(value, vision.FaceEncodingSize, vision.FaceEncodingSize).Draw(t, name+"1")
			template := vision.Template{{Encoder: vision.FaceEncoder, Values: first}}
			if rapid.Bool().Draw(t, name+" has both") {
				second := rapid.SliceOfN(value, vision.SecondFaceEncodingSize, vision.SecondFaceEncodingSize).Draw(t, name+"2")
				template = append(template, vision.Encoding{Encoder: vision.SecondFaceEncoder, Values: second})
			}
			return template
		}
		a, b := draw("a"), draw("b")
		match, err := vision.Compare(a, b)
		if err != nil {
			t.Fatal(err)
		}
		compared := false
		for _, x := range a.Vectors() {
			for _, y := range b.Vectors() {
				if x.Encoder != y.Encoder || compared {
					continue
				}
				compared = true // the strongest comes first
				d, err := vision.Distance(x.Values, y.Values)
				if err != nil || x.Encoder != match.Encoder || math.Abs(d-match.Distance) > 1e-6 {
					t.Fatalf("%s: vectors are %v apart (%v), templates %v by %s", x.Encoder, d, err, match.Distance, match.Encoder)
				}
			}
		}
		if !compared {
			t.Fatal("no vector in common")
		}
	})
}

func TestVectors(t *testing.T) {
	both := vision.Template{encoding(vision.FaceEncoder, 1), encoding(vision.SecondFaceEncoder, 1)}
	names := func(t vision.Template) (names []string, sizes []int) {
		for _, v := range t.Vectors() {
			names, sizes = append(names, v.Encoder), append(sizes, len(v.Values))
		}
		return names, sizes
	}
	if got, sizes := names(both); !slices.Equal(got, []string{vision.FusedFaceEncoder, vision.FaceEncoder}) || !slices.Equal(sizes, []int{384, 128}) {
		t.Errorf("both encoders give %v of %v values", got, sizes)
	}
	if v, ok := both.Vector(); !ok || v.Encoder != vision.FusedFaceEncoder {
		t.Errorf("the strongest is %q, %v", v.Encoder, ok)
	}
	both[1].Values[0] = float32(math.Inf(-1))
	if got, _ := names(both); !slices.Equal(got, []string{vision.FaceEncoder}) {
		t.Errorf("with a damaged second encoding: %v", got)
	}
	if v, ok := (vision.Template{}).Vector(); ok {
		t.Errorf("an empty template gives %+v", v)
	}
	// What is given out is a copy: a search index must not change what is stored.
	alone := vision.Template{encoding(vision.FaceEncoder, 1)}
	v, _ := alone.Vector()
	v.Values[0] = 5
	if alone[0].Values[0] != 1 {
		t.Error("the vector shares the template's memory")
	}
}

func TestTemplateOfAFace(t *testing.T) {
	second := encoding(vision.SecondFaceEncoder, 1)
	face := &vision.Face{Encoder: vision.FaceEncoder, Encoding: encoding(vision.FaceEncoder, 1).Values, Second: &second}
	if got := face.Template(); len(got) != 2 || got.By(vision.FaceEncoder) == nil || got.By(vision.SecondFaceEncoder) == nil {
		t.Errorf("got %d encodings", len(got))
	}
	var none *vision.Face
	if len(none.Template()) != 0 || len((&vision.Face{Second: &second}).Template()) != 0 {
		t.Error("a face without an encoding has a template")
	}
}
