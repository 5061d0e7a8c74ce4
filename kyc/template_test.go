package kyc

import (
	"testing"
	"time"

	"kycd/vision"
)

// TestMayRefresh: a template follows its person, and leads nobody else in.
func TestMayRefresh(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const tolerance = 0.4
	template := func(shift float32) vision.Template {
		values := make([]float32, vision.FaceEncodingSize)
		values[0], values[1] = 1, shift
		return vision.Template{{Encoder: vision.FaceEncoder, Values: values}}
	}
	face := func(shift float32, quality float64) *vision.Face {
		return &vision.Face{Encoder: vision.FaceEncoder, Encoding: template(shift)[0].Values, Quality: quality}
	}
	enrolled := enrolledFace{captureID: "first", template: template(0), since: now.AddDate(-1, 0, 0)}
	refreshed := func(shift float32, ago time.Duration) enrolledFace {
		return enrolledFace{captureID: "later", template: template(shift), refreshed: true, since: now.Add(-ago)}
	}
	for _, c := range []struct {
		name  string
		known []enrolledFace
		face  *vision.Face
		want  bool
	}{
		{"a good picture of the same face", []enrolledFace{enrolled}, face(0.3, 0.9), true},
		{"a poor picture", []enrolledFace{enrolled}, face(0.3, 0.6), false},
		{"no picture", []enrolledFace{enrolled}, nil, false},
		{"within the tolerance, but only just", []enrolledFace{enrolled}, face(0.39, 0.9), false},
		{"near a refreshed face alone", []enrolledFace{enrolled, refreshed(0.3, 48*time.Hour)}, face(0.5, 0.9), false},
		{"two on one day", []enrolledFace{enrolled, refreshed(0.1, 23*time.Hour)}, face(0.1, 0.9), false},
		{"two on two days", []enrolledFace{enrolled, refreshed(0.1, 25*time.Hour)}, face(0.1, 0.9), true},
		{"nothing to compare with", nil, face(0, 0.9), false},
	} {
		if got := mayRefresh(c.known, c.face, tolerance, now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
