package active

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kycd/vision"
)

// sitter is a person before a camera, as the measurements see one.
type sitter struct {
	face  float32 // who it is
	flat  bool    // a photograph of a face instead
	frame float32 // counts the pictures: no two encodings are the same
}

// look is how the sitter looks in one picture.
type look struct{ yaw, pitch, happy, mouth float64 }

// frontal is the plane of eyes and mouth and the nose before it, in pupil distances, x to the viewer's right, y down.
func (s *sitter) points(l look) []vision.Point {
	nose := 0.4
	if s.flat {
		nose = 0
	}
	sinY, cosY := math.Sincos(l.yaw * math.Pi / 180)
	sinP, cosP := math.Sincos(l.pitch * math.Pi / 180)
	var points []vision.Point
	for _, p := range [5][3]float64{{-0.5, 0, 0}, {0.5, 0, 0}, {0, 0.6, nose}, {-0.38, 1.06, 0}, {0.38, 1.06, 0}} {
		y, z := cosP*p[1]-sinP*p[2], sinP*p[1]+cosP*p[2]
		points = append(points, vision.Point{X: 400 + 100*(cosY*p[0]+sinY*z), Y: 500 + 100*y})
	}
	return points
}

func (s *sitter) picture(l look) *vision.Analysis {
	s.frame++
	encoding := make([]float32, 128)
	encoding[0], encoding[1+int(s.frame)%100] = s.face, 0.2
	return &vision.Analysis{
		Width: 800, Height: 1200,
		Faces: []vision.Face{{
			Box: vision.Box{X: 300 + int(l.yaw), Y: 400 - int(l.pitch), Width: 200, Height: 260}, Landmarks: s.points(l),
			Encoder: "encoder-1", Encoding: encoding,
			Pose:       &vision.Pose{Yaw: l.yaw, Pitch: l.pitch},
			Openness:   &vision.Openness{RightEye: 0.3, LeftEye: 0.3, Mouth: l.mouth},
			Attributes: &vision.Attributes{Expressions: map[string]float64{"happy": l.happy, "neutral": 1 - l.happy}},
		}},
		Fingerprint: &vision.Fingerprint{Whole: []uint64{uint64(s.frame)}, Model: "print-1"},
	}
}

// showing is a look that shows a step, seen from a passive frame with the look rest.
func showing(step Step, rest look) look {
	switch step {
	case TurnLeft:
		rest.yaw += 24
	case TurnRight:
		rest.yaw -= 24
	case LookUp:
		rest.pitch += 20
	case LookDown:
		rest.pitch -= 20
	case Smile:
		rest.happy = 0.95
	case OpenMouth:
		rest.mouth = 0.6
	}
	return rest
}

// restful is a face that looks into the camera.
func restful() look { return look{yaw: 2, pitch: -3, happy: 0.05, mouth: 0.03} }

// answer is what a sitter shows who does as asked.
func answer(s *sitter, steps ...Step) []Frame {
	frames := []Frame{{Analysis: s.picture(restful())}}
	for _, step := range steps {
		frames = append(frames, Frame{Asked: step, Analysis: s.picture(showing(step, restful()))})
	}
	return frames
}

func defaults() Tolerances {
	return Tolerances{DirectionDegrees: 15, Expression: 0.6, FaceDistance: 0.46}
}

func distance(a, b vision.Template) (float64, error) {
	if len(a) == 0 || len(b) == 0 {
		return 0, vision.ErrNotComparable
	}
	return vision.Distance(a[0].Values, b[0].Values)
}

func judged(frames []Frame) Result { return Judge(frames, defaults(), distance) }

func TestWhoDoesAsAskedPasses(t *testing.T) {
	for _, step := range Steps() {
		result := judged(answer(&sitter{}, step))
		if got := result.Frames[1]; !result.Passed || len(got.Reasons) > 0 || got.Asked != step ||
			got.Shown == nil || !*got.Shown || got.Moved == nil || !*got.Moved || got.SameFace == nil || !*got.SameFace ||
			got.CopyOf != nil || got.Measure == nil || got.Distance == nil {
			t.Errorf("%s: %+v", step, got)
		}
	}
	if result := judged(answer(&sitter{}, Steps()...)); !result.Passed {
		t.Errorf("all steps: %+v", result)
	}
}

// TestWhatSpeaksAgainstAFrame changes one thing about the second of two frames, which asks for the step named.
func TestWhatSpeaksAgainstAFrame(t *testing.T) {
	tests := []struct {
		name  string
		step  Step
		spoil func(passive, frame *vision.Analysis)
		want  []Reason
	}{
		{"turned too little", TurnLeft, func(_, a *vision.Analysis) { a.Faces[0].Pose.Yaw = 16.9 }, []Reason{ReasonStepNotShown}},
		{"turned enough", TurnLeft, func(_, a *vision.Analysis) { a.Faces[0].Pose.Yaw = 17.1 }, nil},
		{"turned the other way", TurnLeft, func(_, a *vision.Analysis) { a.Faces[0].Pose.Yaw = -22 }, []Reason{ReasonStepNotShown}},
		{"a camera held low", LookUp, func(p, _ *vision.Analysis) { p.Faces[0].Pose.Pitch = 16 }, []Reason{ReasonStepNotShown}},
		{"more to the side than up", LookUp, func(_, a *vision.Analysis) { a.Faces[0].Pose.Yaw = 25 }, []Reason{ReasonStepNotShown}},
		{"a smile that is hardly one", Smile, func(_, a *vision.Analysis) { a.Faces[0].Attributes.Expressions["happy"] = 0.59 }, []Reason{ReasonStepNotShown}},
		{"smiled all the time", Smile, func(p, _ *vision.Analysis) { p.Faces[0].Attributes.Expressions["happy"] = 0.9 }, []Reason{ReasonStepNotShown}},
		{"lips parted", OpenMouth, func(_, a *vision.Analysis) { a.Faces[0].Openness.Mouth = 0.3 }, []Reason{ReasonStepNotShown}},
		{"mouth open all the time", OpenMouth, func(p, _ *vision.Analysis) { p.Faces[0].Openness.Mouth = 0.5 }, []Reason{ReasonStepNotShown}},
		{"not analysed", Smile, func(_, a *vision.Analysis) { a.Error = string(vision.CodeUnreadable) }, []Reason{ReasonFrameNotAnalysed}},
		{"no face", Smile, func(_, a *vision.Analysis) { a.Faces = nil }, []Reason{ReasonNoFace}},
		{"a second person", Smile, func(_, a *vision.Analysis) {
			a.Faces = append(a.Faces, vision.Face{Box: vision.Box{Width: 150, Height: 150}})
		}, []Reason{ReasonSeveralFaces}},
		{"people far behind", Smile, func(_, a *vision.Analysis) {
			a.Faces = append(a.Faces, vision.Face{Box: vision.Box{Width: 40, Height: 50}})
		}, nil},
		{"somebody else", Smile, func(_, a *vision.Analysis) { a.Faces[0].Encoding[0] = 0.7 }, []Reason{ReasonAnotherFace}},
		{"no encoding", Smile, func(_, a *vision.Analysis) { a.Faces[0].Encoding = nil }, []Reason{ReasonNotMeasured}},
		{"no encoding of the passive frame", Smile, func(p, _ *vision.Analysis) { p.Faces[0].Encoding = nil }, []Reason{ReasonNotMeasured}},
		{"no pose", LookUp, func(_, a *vision.Analysis) { a.Faces[0].Pose = nil }, []Reason{ReasonNotMeasured}},
		{"no pose of the passive frame", LookUp, func(p, _ *vision.Analysis) { p.Faces[0].Pose = nil }, []Reason{ReasonNotMeasured}},
		{"no attributes", Smile, func(_, a *vision.Analysis) { a.Faces[0].Attributes = nil }, []Reason{ReasonNotMeasured}},
		{"no attributes of the passive frame", Smile, func(p, _ *vision.Analysis) { p.Faces[0].Attributes = nil }, []Reason{ReasonNotMeasured}},
		{"no probability of a smile", Smile, func(_, a *vision.Analysis) { delete(a.Faces[0].Attributes.Expressions, "happy") }, []Reason{ReasonNotMeasured}},
		{"no openness", OpenMouth, func(_, a *vision.Analysis) { a.Faces[0].Openness = nil }, []Reason{ReasonNotMeasured}},
		{"no landmarks", TurnRight, func(_, a *vision.Analysis) { a.Faces[0].Landmarks = nil }, []Reason{ReasonNotMeasured}},
		{"landmarks on one point", TurnRight, func(p, _ *vision.Analysis) { p.Faces[0].Landmarks = make([]vision.Point, 5) }, []Reason{ReasonNotMeasured}},
		{"no size", Smile, func(_, a *vision.Analysis) { a.Width = 0 }, []Reason{ReasonNotMeasured}},
		{"other proportions", Smile, func(_, a *vision.Analysis) { a.Height = 1100 }, []Reason{ReasonImplausibleMotion}},
		{"the same in larger pixels", Smile, func(_, a *vision.Analysis) {
			a.Width, a.Height, a.Faces[0].Box = 1600, 2400, vision.Box{X: 604, Y: 806, Width: 400, Height: 520}
		}, nil},
		{"much nearer", Smile, func(_, a *vision.Analysis) { a.Faces[0].Box.Width, a.Faces[0].Box.Height = 400, 520 }, []Reason{ReasonImplausibleMotion}},
		{"elsewhere", Smile, func(_, a *vision.Analysis) { a.Faces[0].Box.X += 240 }, []Reason{ReasonImplausibleMotion}},
		{"on its side", Smile, func(_, a *vision.Analysis) { a.Turned = 90 }, []Reason{ReasonImplausibleMotion}},
		{"the passive encoding again", Smile, func(p, a *vision.Analysis) { a.Faces[0].Encoding = p.Faces[0].Encoding }, []Reason{ReasonFrameCopied}},
		{"the passive fingerprint again", Smile, func(p, a *vision.Analysis) { a.Fingerprint = p.Fingerprint }, []Reason{ReasonFrameCopied}},
		{"a fingerprint of another algorithm", Smile, func(p, a *vision.Analysis) {
			print := *p.Fingerprint
			print.Model = "print-2"
			a.Fingerprint = &print
		}, nil},
		{"no fingerprint", Smile, func(_, a *vision.Analysis) { a.Fingerprint = nil }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frames := answer(&sitter{}, test.step)
			test.spoil(frames[0].Analysis, frames[1].Analysis)
			result := judged(frames)
			got := result.Frames[1].Reasons
			if !slices.Equal(got, test.want) {
				t.Errorf("reasons %v, want %v", got, test.want)
			}
			if result.Passed && (len(got) > 0 || len(result.Frames[0].Reasons) > 0) {
				t.Error("it passed")
			}
			if !result.Passed && len(got) == 0 && len(result.Frames[0].Reasons) == 0 {
				t.Error("it failed without a reason")
			}
		})
	}
}

// TestPhotographsHaveNoRelief claims the pose of a turned head for pictures of a photograph that was turned.
func TestPhotographsHaveNoRelief(t *testing.T) {
	for _, step := range directions() {
		got := judged(answer(&sitter{flat: true}, step)).Frames[1]
		if want := []Reason{ReasonImplausibleMotion}; !slices.Equal(got.Reasons, want) {
			t.Errorf("%s: %v, want %v", step, got.Reasons, want)
		}
	}
}

// TestReliefSeesTurnedPhotographs turns a photograph in perspective, by angles and at distances at which people hold one.
func TestReliefSeesTurnedPhotographs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turn, lean := rapid.Float64Range(-50, 50).Draw(t, "turn"), rapid.Float64Range(-50, 50).Draw(t, "lean")
		near := rapid.Float64Range(5, 20).Draw(t, "distance") // in pupil distances: 30 cm and more
		roll := rapid.Float64Range(-20, 20).Draw(t, "roll")
		sinT, cosT := math.Sincos(turn * math.Pi / 180)
		sinL, cosL := math.Sincos(lean * math.Pi / 180)
		sinR, cosR := math.Sincos(roll * math.Pi / 180)
		before := [5]vision.Point((&sitter{}).points(look{}))
		var now [5]vision.Point
		for i, p := range before {
			x, y := (p.X-400)/100, (p.Y-550)/100
			x, y = cosR*x-sinR*y, sinR*x+cosR*y
			y, z := cosL*y, sinL*y
			x, z = cosT*x+sinT*z, cosT*z-sinT*x
			now[i] = vision.Point{X: 1000 + 300*x/(1-z/near), Y: 1000 + 300*y/(1-z/near)}
		}
		right, down, ok := noseShift(before, now)
		if !ok {
			t.Fatal("not measured")
		}
		least := math.Sin(15 * math.Pi / 180)
		if math.Abs(right) >= yawRelief*least || math.Abs(down) >= pitchRelief*least+0.02 {
			t.Errorf("the nose of a photograph moved by %.3f, %.3f", right, down)
		}
	})
}

func TestNoseShiftNeedsAFace(t *testing.T) {
	face := [5]vision.Point((&sitter{}).points(look{}))
	line := face
	for i := range line {
		line[i].Y = line[i].X
	}
	nan := face
	nan[noseTip].X = math.NaN()
	nanEye := face
	nanEye[leftEye].Y = math.NaN()
	for name, points := range map[string][2][5]vision.Point{
		"from a line": {line, face}, "from no number": {nanEye, face}, "a nose that is no number": {face, nan}, "an eye that is no number": {face, nanEye},
		"to one point": {face, {}},
	} {
		if right, down, ok := noseShift(points[0], points[1]); ok {
			t.Errorf("%s: %v, %v", name, right, down)
		}
	}
	if right, down, ok := noseShift(face, face); !ok || math.Hypot(right, down) > 1e-9 {
		t.Errorf("a face that holds still: %v, %v, %v", right, down, ok)
	}
}

// TestThePassiveFrameLooksIntoTheCamera holds the head askew in the passive frame, and straight in the other.
func TestThePassiveFrameLooksIntoTheCamera(t *testing.T) {
	for name, test := range map[string]struct {
		pose *vision.Pose
		want []Reason
	}{
		"straight":       {&vision.Pose{}, nil},
		"a little askew": {&vision.Pose{Yaw: -30, Pitch: 20, Roll: 34}, nil},
		"turned":         {&vision.Pose{Yaw: 36}, []Reason{ReasonStepNotShown}},
		"bowed":          {&vision.Pose{Pitch: -36}, []Reason{ReasonStepNotShown}},
		"tilted":         {&vision.Pose{Roll: -36}, []Reason{ReasonStepNotShown}},
		"no number":      {&vision.Pose{Roll: math.NaN()}, []Reason{ReasonStepNotShown}},
		"not measured":   {nil, nil}, // and not needed for a smile
	} {
		frames := answer(&sitter{}, Smile)
		frames[0].Analysis.Faces[0].Pose = test.pose
		result := judged(frames)
		if got := result.Frames[0].Reasons; !slices.Equal(got, test.want) || result.Passed != (test.want == nil) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestJudgeAsksForAllFrames(t *testing.T) {
	passive := answer(&sitter{})
	for name, test := range map[string]struct {
		frames []Frame
		want   [][]Reason
	}{
		"nothing":               {nil, [][]Reason{}},
		"the passive frame":     {passive, [][]Reason{nil}},
		"a step first":          {answer(&sitter{}, Smile)[1:], [][]Reason{{ReasonStepUnknown}}},
		"two passive frames":    {slices.Concat(passive, answer(&sitter{frame: 9})), [][]Reason{nil, {ReasonStepUnknown, ReasonNotMeasured}}},
		"a step asked twice":    {answer(&sitter{}, Smile, Smile), [][]Reason{nil, nil, {ReasonStepUnknown}}},
		"a step nobody knows":   {answer(&sitter{}, "wink"), [][]Reason{nil, {ReasonStepUnknown, ReasonNotMeasured}}},
		"no passive analysis":   {[]Frame{{}, answer(&sitter{}, Smile)[1]}, [][]Reason{{ReasonFrameNotAnalysed}, {ReasonNotMeasured}}},
		"no analysis of a step": {append(slices.Clone(passive), Frame{Asked: Smile}), [][]Reason{nil, {ReasonFrameNotAnalysed}}},
	} {
		result := judged(test.frames)
		if result.Passed {
			t.Errorf("%s: passed", name)
		}
		for i, want := range test.want {
			if got := result.Frames[i].Reasons; !slices.Equal(got, want) {
				t.Errorf("%s: frame %d: %v, want %v", name, i, got, want)
			}
		}
		if len(result.Frames) != len(test.frames) {
			t.Errorf("%s: %d findings for %d frames", name, len(result.Frames), len(test.frames))
		}
	}
}

// TestCopiesAreFoundAmongAllEarlierFrames hands in the picture of the first step for the third, made over a little.
func TestCopiesAreFoundAmongAllEarlierFrames(t *testing.T) {
	frames := answer(&sitter{}, TurnLeft, Smile, TurnRight)
	again := *frames[1].Analysis
	again.Fingerprint = &vision.Fingerprint{Whole: []uint64{77}, Model: "print-1"}
	again.Faces = slices.Clone(again.Faces)
	again.Faces[0].Encoding = slices.Clone(again.Faces[0].Encoding)
	again.Faces[0].Encoding[5] += leastDifference * 0.9
	frames[3].Analysis = &again
	got := judged(frames).Frames[3]
	if got.CopyOf == nil || *got.CopyOf != 1 || !slices.Contains(got.Reasons, ReasonFrameCopied) {
		t.Errorf("%+v", got)
	}
	again.Faces[0].Encoding[5] += leastDifference * 0.2
	if got := judged(frames).Frames[3]; got.CopyOf != nil {
		t.Errorf("a picture that differs is called a copy: %+v", got)
	}
}

// cells is a very small picture of a head before a wall: what a fingerprint is made of. The head stands shift cells to the
// viewer's right of the middle and shows the side that it turned to the camera.
func cells(shift int, mouthOpen bool) [vision.FingerprintSide][vision.FingerprintSide]byte {
	const side = vision.FingerprintSide
	wall, head := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(2, 2))
	var picture [side][side]byte
	var patches [side/4 + 1][side/4 + 1]byte
	blotches := func(rng *rand.Rand) {
		for y := range patches {
			for x := range patches[y] {
				patches[y][x] = byte(40 + rng.IntN(180))
			}
		}
	}
	blotches(wall)
	for y := range side {
		for x := range side {
			picture[y][x] = patches[y/4][x/4]
		}
	}
	blotches(head)
	for y := 14; y < 52; y++ {
		for x := 20; x < 44; x++ {
			picture[y][x+shift] = patches[y/4][(x+2*shift+side)%side/4]
		}
	}
	if mouthOpen {
		for y := 40; y < 44; y++ {
			for x := 29; x < 35; x++ {
				picture[y][x+shift] = 10
			}
		}
	}
	return picture
}

func fingerprint(picture [vision.FingerprintSide][vision.FingerprintSide]byte) *vision.Fingerprint {
	var all []byte
	for _, row := range picture {
		all = append(all, row[:]...)
	}
	print := vision.NewFingerprint(all)
	return &print
}

// TestMirroredPicturesAreCopies answers turn_right with the mirror image of the frame that answered turn_left; and it does
// not take for copies what a camera that stands sees of a person.
func TestMirroredPicturesAreCopies(t *testing.T) {
	frames := answer(&sitter{}, TurnLeft, Smile, TurnRight, OpenMouth)
	left, right := cells(4, false), cells(-4, false)
	for i, picture := range [][vision.FingerprintSide][vision.FingerprintSide]byte{cells(0, false), left, cells(0, true), right, cells(0, true)} {
		picture[0][0] = byte(i) // the grain of a sensor
		frames[i].Analysis.Fingerprint = fingerprint(picture)
	}
	if result := judged(frames); !result.Passed {
		t.Errorf("a person before a camera that stands: %+v", result)
	}
	for y := range left {
		slices.Reverse(left[y][:])
	}
	frames[3].Analysis.Fingerprint = fingerprint(left)
	got := judged(frames).Frames[3]
	if want := []Reason{ReasonFrameCopied}; !slices.Equal(got.Reasons, want) || got.CopyOf == nil || *got.CopyOf != 1 {
		t.Errorf("the mirror image: %+v, want %v of frame 1", got, want)
	}
}

// drawn are the steps of a challenge.
func drawn(t *rapid.T) []Step {
	return Draw(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)), rapid.IntRange(2, 6).Draw(t, "steps"))
}

func TestFramesInAnotherOrderFail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frames := answer(&sitter{}, drawn(t)...)
		if !judged(frames).Passed {
			t.Fatal("the right order fails")
		}
		i := rapid.IntRange(1, len(frames)-1).Draw(t, "one")
		j := rapid.IntRange(1, len(frames)-1).Filter(func(j int) bool { return j != i }).Draw(t, "other")
		frames[i].Analysis, frames[j].Analysis = frames[j].Analysis, frames[i].Analysis
		if judged(frames).Passed {
			t.Errorf("%s and %s in each other's place pass", frames[i].Asked, frames[j].Asked)
		}
	})
}

func TestFramesUsedTwiceFail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frames := answer(&sitter{}, drawn(t)...)
		i := rapid.IntRange(0, len(frames)-2).Draw(t, "frame")
		j := rapid.IntRange(i+1, len(frames)-1).Draw(t, "again")
		frames[j].Analysis = frames[i].Analysis
		got := judged(frames)
		if got.Passed || got.Frames[j].CopyOf == nil || !slices.Contains(got.Frames[j].Reasons, ReasonFrameCopied) {
			t.Errorf("frame %d in place of frame %d: %+v", i, j, got.Frames[j])
		}
	})
}

// TestWhatIsNoNumberFails puts a NaN or an infinity into each number that the verdict rests on.
func TestWhatIsNoNumberFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bad := rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}).Draw(t, "bad")
		step := rapid.SampledFrom(Steps()).Draw(t, "step")
		frames := answer(&sitter{}, step)
		face := &frames[rapid.IntRange(0, 1).Draw(t, "frame")].Analysis.Faces[0]
		tolerances := defaults()
		spoil := []func(){
			func() { face.Encoding[rapid.IntRange(0, 127).Draw(t, "value")] = float32(bad) },
			func() { tolerances.FaceDistance = bad },
		}
		switch {
		case step.isDirection():
			spoil = append(spoil, func() { face.Pose.Yaw = bad }, func() { face.Pose.Pitch = bad }, func() { tolerances.DirectionDegrees = bad },
				func() { face.Landmarks[rapid.IntRange(0, 4).Draw(t, "landmark")].X = bad })
		case step == Smile:
			spoil = append(spoil, func() { face.Attributes.Expressions["happy"] = bad }, func() { tolerances.Expression = bad })
		default:
			spoil = append(spoil, func() { face.Openness.Mouth = bad })
		}
		rapid.SampledFrom(spoil).Draw(t, "spoilt")()
		result := Judge(frames, tolerances, distance)
		if result.Passed {
			t.Error("it passed")
		}
		if _, err := json.Marshal(result); err != nil {
			t.Errorf("the evidence cannot be written: %v", err)
		}
	})
}

func TestDistancesThatAreNoneFail(t *testing.T) {
	for name, away := range map[string]float64{"NaN": math.NaN(), "negative": -1, "infinite": math.Inf(1)} {
		result := Judge(answer(&sitter{}, Smile), defaults(), func(vision.Template, vision.Template) (float64, error) { return away, nil })
		if got := result.Frames[1]; result.Passed || got.SameFace != nil || !slices.Contains(got.Reasons, ReasonNotMeasured) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestAnotherFrameNeverHelps appends a frame, good or bad, to frames that fail.
func TestAnotherFrameNeverHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		person := &sitter{}
		frames := answer(person, drawn(t)...)
		at := rapid.IntRange(0, len(frames)-1).Draw(t, "bad frame")
		switch rapid.IntRange(0, 3).Draw(t, "what is bad") {
		case 0:
			frames[at].Analysis = nil
		case 1:
			frames[at].Analysis.Faces = nil
		case 2:
			frames[at].Analysis.Faces[0].Encoding = nil
		default:
			frames[at].Asked = "wink"
		}
		if judged(frames).Passed {
			t.Fatal("bad frames pass")
		}
		step := rapid.SampledFrom(Steps()).Draw(t, "further step")
		if judged(append(frames, Frame{Asked: step, Analysis: person.picture(showing(step, restful()))})).Passed {
			t.Error("a further frame made them pass")
		}
	})
}

func TestSmallTolerancesAskForATurnStill(t *testing.T) {
	frames := answer(&sitter{}, TurnLeft)
	frames[1].Analysis.Faces[0].Pose.Yaw = restful().yaw + leastTurn - 0.1
	if result := Judge(frames, Tolerances{DirectionDegrees: 0, Expression: 0, FaceDistance: 0.46}, distance); result.Passed {
		t.Errorf("a head that holds still passes: %+v", result.Frames[1])
	}
}
