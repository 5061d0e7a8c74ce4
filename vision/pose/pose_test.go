package pose_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"kycd/vision"
	"kycd/vision/pose"
	"kycd/vision/pose/internal/head"
)

// others are the landmarks that the pose does not use: the lips but for their corners.
func others() []head.Pair {
	return []head.Pair{
		{Left: 53, Right: 49, At: head.Vector{16, 64, 0}}, {Left: 52, Right: 50, At: head.Vector{6, 61, -6}}, {Left: 51, Right: 51, At: head.Vector{0, 62, -7}},
		{Left: 55, Right: 59, At: head.Vector{17, 74, 0}}, {Left: 56, Right: 58, At: head.Vector{8, 78, -4}}, {Left: 57, Right: 57, At: head.Vector{0, 79, -5}},
		{Left: 64, Right: 60, At: head.Vector{24, 68, 5}}, {Left: 63, Right: 61, At: head.Vector{8, 68, -3}}, {Left: 62, Right: 62, At: head.Vector{0, 68, -4}},
		{Left: 65, Right: 67, At: head.Vector{8, 69, -3}}, {Left: 66, Right: 66, At: head.Vector{0, 69, -4}},
	}
}

// person is somebody with a face of their own: wider or longer, with a nose and brows unlike the mean, and not quite even.
func person(rng *rand.Rand, differing float64) []head.Landmark {
	pairs := append(head.Generic(), others()...)
	wide, long, deep := 1+0.05*differing*rng.NormFloat64(), 1+0.04*differing*rng.NormFloat64(), 1+0.08*differing*rng.NormFloat64()
	nose, brows := 2*differing*rng.NormFloat64(), 2*differing*rng.NormFloat64()
	for i := range pairs {
		p := &pairs[i]
		p.At = head.Vector{p.At[0] * wide, p.At[1] * long, p.At[2] * deep}
		switch {
		case p.Left >= 28 && p.Left <= 30:
			p.At[2] += nose * float64(p.Left-27) / 3
		case p.Left >= 22 && p.Left <= 26:
			p.At[1] += brows
		}
	}
	face := head.Landmarks(pairs)
	for i := range face {
		for k := range 3 {
			face[i].At[k] += differing * rng.NormFloat64()
		}
	}
	return face
}

// photograph shows a face in pixels, its landmarks found to within noise, a share of the distance between the eyes.
func photograph(face []head.Landmark, held vision.Pose, distance, noise float64, rng *rand.Rand) []vision.Point {
	camera := head.Camera{Turned: head.Rotation(held), Scale: 3, Near: 1 / distance, Offset: vision.Point{X: 700, Y: 400}}
	eyes := 62 * camera.Scale
	points := make([]vision.Point, 68)
	for _, l := range face {
		p, _ := camera.Project(l.At)
		points[l.Index] = vision.Point{X: p.X + noise*eyes*rng.NormFloat64(), Y: p.Y + noise*eyes*rng.NormFloat64()}
	}
	return points
}

func five(shape []vision.Point) []vision.Point {
	mean := func(from, to int) (m vision.Point) {
		for _, p := range shape[from:to] {
			m.X += p.X / float64(to-from)
			m.Y += p.Y / float64(to-from)
		}
		return m
	}
	return []vision.Point{mean(36, 42), mean(42, 48), shape[30], shape[48], shape[54]}
}

// errors sums up how far estimates lie from the truth, in degrees.
type errors struct {
	sum, worst [3]float64
	n          float64
}

func (e *errors) add(got, want vision.Pose) {
	for k, d := range [3]float64{got.Yaw - want.Yaw, got.Pitch - want.Pitch, got.Roll - want.Roll} {
		e.sum[k] += math.Abs(d)
		e.worst[k] = math.Max(e.worst[k], math.Abs(d))
	}
	e.n++
}

func (e *errors) within(t *testing.T, mean, worst [3]float64) {
	t.Helper()
	for k, axis := range [3]string{"yaw", "pitch", "roll"} {
		t.Logf("%s: mean error %.2f°, worst %.2f° of %.0f", axis, e.sum[k]/e.n, e.worst[k], e.n)
		if !(e.sum[k]/e.n <= mean[k] && e.worst[k] <= worst[k]) {
			t.Errorf("%s: mean error %.2f°, worst %.2f°; want at most %.2f° and %.2f°", axis, e.sum[k]/e.n, e.worst[k], mean[k], worst[k])
		}
	}
}

func anyPose(rng *rand.Rand) vision.Pose {
	return vision.Pose{Yaw: 80*rng.Float64() - 40, Pitch: 50*rng.Float64() - 25, Roll: 60*rng.Float64() - 30}
}

// Faces in known poses, seen from an arm's length to several metres away.
func TestEstimate(t *testing.T) {
	tests := []struct {
		name        string
		differing   float64 // how unlike the generic face people are, 1 for what is usual
		noise       float64
		mean, worst [3]float64
	}{
		{"the generic face", 0, 0, [3]float64{0.6, 1.3, 0.4}, [3]float64{1.5, 2.2, 1}},
		{"with noise", 0, 0.02, [3]float64{0.8, 1.4, 0.6}, [3]float64{3, 4.5, 2.5}},
		{"other people", 1, 0, [3]float64{1.9, 1.7, 0.7}, [3]float64{10, 8, 3.5}},
		{"other people, with noise", 1, 0.02, [3]float64{2, 1.9, 0.8}, [3]float64{10.5, 8.5, 4}},
	}
	for _, test := range tests {
		for _, distance := range []float64{300, 600, 2000} {
			t.Run(fmt.Sprintf("%s from %g mm", test.name, distance), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, uint64(distance)))
				var wrong errors
				for range 300 {
					want := anyPose(rng)
					got, ok := pose.Estimate(photograph(person(rng, test.differing), want, distance, test.noise, rng))
					if !ok {
						t.Fatalf("%+v: no pose", want)
					}
					wrong.add(got, want)
				}
				wrong.within(t, test.mean, test.worst)
			})
		}
	}
}

func TestFromFive(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var wrong errors
	for range 300 {
		want := anyPose(rng)
		got, ok := pose.FromFive(five(photograph(person(rng, 1), want, 700, 0.02, rng)))
		if !ok {
			t.Fatalf("%+v: no pose", want)
		}
		wrong.add(got, want)
	}
	wrong.within(t, [3]float64{3, 3.2, 1.2}, [3]float64{12, 12, 5})
}

// A few landmarks gone astray, as behind a hand, do not carry the pose away.
func TestEstimateWithStrayLandmarks(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var wrong errors
	for range 200 {
		want := anyPose(rng)
		shape := photograph(person(rng, 1), want, 700, 0.01, rng)
		for _, i := range [4]int{8, 9, 48, 54} {
			shape[i].X += 90
			shape[i].Y -= 60
		}
		got, ok := pose.Estimate(shape)
		if !ok {
			t.Fatalf("%+v: no pose", want)
		}
		wrong.add(got, want)
	}
	wrong.within(t, [3]float64{2.2, 2, 1}, [3]float64{11, 8, 3})
}

// The signs are those of vision.Pose.
func TestSigns(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	front := photograph(person(rng, 0), vision.Pose{}, 700, 0, rng)
	tests := []struct {
		name string
		held vision.Pose
		seen func(shape []vision.Point) bool
	}{
		{"left of the person is right of the picture", vision.Pose{Yaw: 20}, func(s []vision.Point) bool { return s[30].X > front[30].X+20 }},
		{"up", vision.Pose{Pitch: 20}, func(s []vision.Point) bool { return s[30].Y < front[30].Y-20 }},
		{"clockwise: the person's left eye is the lower one", vision.Pose{Roll: 20}, func(s []vision.Point) bool { return s[45].Y > s[36].Y+20 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			shape := photograph(person(rng, 0), test.held, 700, 0, rng)
			if !test.seen(shape) {
				t.Fatalf("the photograph of %+v does not show it", test.held)
			}
			got, ok := pose.Estimate(shape)
			if !ok || math.Abs(got.Yaw-test.held.Yaw) > 1 || math.Abs(got.Pitch-test.held.Pitch) > 1 || math.Abs(got.Roll-test.held.Roll) > 1 {
				t.Errorf("got %+v, %v; want %+v", got, ok, test.held)
			}
		})
	}
}

// A face turned with the picture, to any angle, changes its roll alone; a mirrored one yaw and roll.
func TestTurnedAndMirrored(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	shape := photograph(person(rng, 1), vision.Pose{Yaw: 15, Pitch: -8, Roll: 5}, 700, 0.01, rng)
	upright, ok := pose.Estimate(shape)
	if !ok {
		t.Fatal("no pose")
	}
	for _, degrees := range []float64{-170, -90, -35, 20, 90, 160} {
		sin, cos := math.Sincos(degrees * math.Pi / 180)
		turned := make([]vision.Point, len(shape))
		for i, p := range shape {
			turned[i] = vision.Point{X: p.X*cos - p.Y*sin, Y: p.X*sin + p.Y*cos}
		}
		got, ok := pose.Estimate(turned)
		if !ok || math.Abs(got.Yaw-upright.Yaw) > 0.1 || math.Abs(got.Pitch-upright.Pitch) > 0.1 || math.Abs(got.Roll-upright.Roll-degrees) > 0.1 {
			t.Errorf("turned by %v°: %+v, %v; upright %+v", degrees, got, ok, upright)
		}
	}
	got, ok := pose.Estimate(mirrored(shape, 1400))
	if !ok || math.Abs(got.Yaw+upright.Yaw) > 0.1 || math.Abs(got.Pitch-upright.Pitch) > 0.1 || math.Abs(got.Roll+upright.Roll) > 0.1 {
		t.Errorf("mirrored: %+v, %v; as taken %+v", got, ok, upright)
	}
}

// mirrored exchanges left and right of a shape in a picture of the given width.
func mirrored(shape []vision.Point, width float64) []vision.Point {
	out := make([]vision.Point, len(shape))
	for _, p := range append(head.Generic(), others()...) {
		out[p.Left] = vision.Point{X: width - shape[p.Right].X, Y: shape[p.Right].Y}
		out[p.Right] = vision.Point{X: width - shape[p.Left].X, Y: shape[p.Left].Y}
	}
	return out
}

func TestRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	good := photograph(person(rng, 0), vision.Pose{Yaw: 10}, 700, 0, rng)
	changed := func(by func(i int, p vision.Point) vision.Point) []vision.Point {
		shape := make([]vision.Point, len(good))
		for i, p := range good {
			shape[i] = by(i, p)
		}
		return shape
	}
	tests := map[string][]vision.Point{
		"nothing":   nil,
		"too few":   good[:67],
		"too many":  append(changed(func(_ int, p vision.Point) vision.Point { return p }), vision.Point{}),
		"one point": changed(func(int, vision.Point) vision.Point { return vision.Point{X: 3, Y: 4} }),
		"a line":    changed(func(i int, _ vision.Point) vision.Point { return vision.Point{X: float64(i), Y: 2 * float64(i)} }),
		"not a number": changed(func(i int, p vision.Point) vision.Point {
			return vision.Point{X: p.X + math.Log(float64(i)-40), Y: p.Y}
		}),
		"infinite": changed(func(i int, p vision.Point) vision.Point {
			return vision.Point{X: p.X, Y: p.Y / math.Min(1, math.Abs(float64(i-30)))}
		}),
		"huge":            changed(func(_ int, p vision.Point) vision.Point { return vision.Point{X: p.X * 1e200, Y: p.Y * 1e200} }),
		"mirrored points": changed(func(_ int, p vision.Point) vision.Point { return vision.Point{X: -p.X, Y: p.Y} }),
		"shuffled":        changed(func(i int, _ vision.Point) vision.Point { return good[(i*29)%68] }),
		"at random":       changed(func(int, vision.Point) vision.Point { return vision.Point{X: rng.Float64(), Y: rng.Float64()} }),
	}
	for name, shape := range tests {
		t.Run(name, func(t *testing.T) {
			if got, ok := pose.Estimate(shape); ok || got != (vision.Pose{}) {
				t.Errorf("pose %+v, %v", got, ok)
			}
			if len(shape) != 68 {
				return
			}
			if got, ok := pose.FromFive(five(shape)); ok && name != "shuffled" && name != "at random" {
				t.Errorf("pose of five points %+v", got)
			}
		})
	}
	if _, ok := pose.FromFive(five(good)[:4]); ok {
		t.Error("a pose of four points")
	}
}

func TestOpenness(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	// An eye drawn 30 wide and as high as asked, a mouth 48 wide.
	drawn := func(right, left, mouth float64) []vision.Point {
		shape := photograph(person(rng, 0), vision.Pose{}, 700, 0, rng)
		eye := func(from int, open float64) {
			for i, p := range [6]vision.Point{{X: 0, Y: 0}, {X: 10, Y: -15 * open}, {X: 20, Y: -15 * open}, {X: 30, Y: 0}, {X: 20, Y: 15 * open}, {X: 10, Y: 15 * open}} {
				shape[from+i] = vision.Point{X: 100 + p.X, Y: 100 + p.Y}
			}
		}
		eye(36, right)
		eye(42, left)
		for i, p := range [8]vision.Point{{X: 0}, {X: 12, Y: -24 * mouth}, {X: 24, Y: -24 * mouth}, {X: 36, Y: -24 * mouth}, {X: 48}, {X: 36, Y: 24 * mouth}, {X: 24, Y: 24 * mouth}, {X: 12, Y: 24 * mouth}} {
			shape[60+i] = vision.Point{X: 100 + p.X, Y: 200 + p.Y}
		}
		return shape
	}
	for _, want := range []vision.Openness{{RightEye: 0.3, LeftEye: 0.3, Mouth: 0}, {RightEye: 0.1, LeftEye: 0.35, Mouth: 0.6}, {}} {
		got, ok := pose.Openness(drawn(want.RightEye, want.LeftEye, want.Mouth))
		if !ok || math.Abs(got.RightEye-want.RightEye) > 1e-9 || math.Abs(got.LeftEye-want.LeftEye) > 1e-9 || math.Abs(got.Mouth-want.Mouth) > 1e-9 {
			t.Errorf("got %+v, %v; want %+v", got, ok, want)
		}
	}
	shape := drawn(0.3, 0.3, 0)
	flat := append([]vision.Point(nil), shape...)
	flat[39] = flat[36]
	broken := append([]vision.Point(nil), shape...)
	broken[62].Y = math.NaN()
	for name, shape := range map[string][]vision.Point{"nothing": nil, "too few": shape[:60], "an eye without width": flat, "not a number": broken} {
		if got, ok := pose.Openness(shape); ok || got != (vision.Openness{}) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

func BenchmarkEstimate(b *testing.B) {
	rng := rand.New(rand.NewPCG(8, 8))
	shape := photograph(person(rng, 1), vision.Pose{Yaw: 15, Pitch: -8, Roll: 5}, 700, 0.01, rng)
	for b.Loop() {
		if _, ok := pose.Estimate(shape); !ok {
			b.Fatal("no pose")
		}
	}
}
