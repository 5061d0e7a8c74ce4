package liveness

import (
	"encoding/csv"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kycd/models"
	"kycd/vision"
	"kycd/vision/face"
	"kycd/vision/imaging"
	"kycd/vision/liveness/fusion"
	"kycd/vision/visiontest"
)

// drawn is a picture by a function of its pixels, in the order B, G, R.
func drawn(width, height int, at func(x, y int) [3]byte) *imaging.Picture {
	pix := make([]byte, 0, 3*width*height)
	for y := range height {
		for x := range width {
			c := at(x, y)
			pix = append(pix, c[:]...)
		}
	}
	return imaging.New(pix, width, height)
}

func grey(v byte) [3]byte { return [3]byte{v, v, v} }

func TestCropsStayInThePicture(t *testing.T) {
	pic := drawn(400, 300, func(int, int) [3]byte { return grey(9) })
	for name, test := range map[string]struct {
		face, want vision.Box
		scale      float64
	}{
		"room on all sides":           {vision.Box{X: 150, Y: 100, Width: 100, Height: 100}, vision.Box{X: 100, Y: 50, Width: 200, Height: 200}, 2},
		"moved from the left":         {vision.Box{X: 0, Y: 100, Width: 100, Height: 100}, vision.Box{X: 0, Y: 50, Width: 200, Height: 200}, 2},
		"moved from the lower right":  {vision.Box{X: 300, Y: 200, Width: 100, Height: 100}, vision.Box{X: 200, Y: 100, Width: 200, Height: 200}, 2},
		"made smaller in proportion":  {vision.Box{X: 150, Y: 100, Width: 80, Height: 100}, vision.Box{X: 70, Y: 0, Width: 240, Height: 300}, 4},
		"a face beyond the picture":   {vision.Box{X: -50, Y: -20, Width: 100, Height: 100}, vision.Box{X: 0, Y: 0, Width: 150, Height: 150}, 1.5},
		"a face as large as possible": {vision.Box{X: 0, Y: 0, Width: 400, Height: 300}, vision.Box{X: 0, Y: 0, Width: 400, Height: 300}, 1},
	} {
		if got := within(pic, float64(test.face.Width), float64(test.face.Height), test.scale, test.face); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestColours(t *testing.T) {
	for name, test := range map[string]struct {
		colour               [3]byte
		saturation, blueness float64
	}{
		"grey":  {grey(120), 0, 0},
		"red":   {[3]byte{0, 0, 200}, 0.999, -0.132},
		"blue":  {[3]byte{200, 0, 0}, 0.999, 0.392},
		"black": {grey(0), 0, 0},
	} {
		s, b := colours(drawn(8, 8, func(int, int) [3]byte { return test.colour }))
		if math.Abs(s-test.saturation) > 2e-3 || math.Abs(b-test.blueness) > 2e-3 {
			t.Errorf("%s: saturation %.3f, blueness %.3f, want %.3f and %.3f", name, s, b, test.saturation, test.blueness)
		}
	}
}

func TestGrainIsIrregular(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	smooth := irregular(blueChroma(drawn(64, 64, func(x, y int) [3]byte { return [3]byte{byte(2 * x), 90, byte(2 * y)} })), 64, 2)
	grain := irregular(blueChroma(drawn(64, 64, func(int, int) [3]byte { return [3]byte{byte(random.IntN(256)), 90, 90} })), 64, 2)
	if smooth > 0.01 || grain < 0.4 {
		t.Errorf("a gradient has %.3f of irregular pixels, noise %.3f", smooth, grain)
	}
}

// A face of 80 px in a bright rectangle on dark ground is framed on all sides; on plain ground, or where an edge shows on one
// side alone, it is not.
func TestBorderLines(t *testing.T) {
	face := vision.Box{X: 160, Y: 120, Width: 70, Height: 80}
	of := func(at func(x, y int) [3]byte) float64 {
		t.Helper()
		v, err := borderLines(drawn(400, 320, at), face)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	random := rand.New(rand.NewPCG(3, 4))
	framed := of(func(x, y int) [3]byte {
		if x > 110 && x < 290 && y > 60 && y < 270 {
			return grey(byte(180 + random.IntN(4)))
		}
		return grey(byte(40 + random.IntN(4)))
	})
	tilted := of(func(x, y int) [3]byte {
		if u, v := x-(y-160)/20, y+(x-200)/20; u > 110 && u < 290 && v > 60 && v < 270 {
			return grey(180)
		}
		return grey(40)
	})
	oneSide := of(func(x, _ int) [3]byte {
		if x < 110 {
			return grey(40)
		}
		return grey(180)
	})
	noise := of(func(int, int) [3]byte { return grey(byte(random.IntN(256))) })
	if framed < 0.95 || tilted < 0.75 {
		t.Errorf("a framed face has lines of %.2f, a tilted frame %.2f", framed, tilted)
	}
	if oneSide > 0.3 || noise > 0.45 {
		t.Errorf("an edge on one side gives %.2f, noise %.2f", oneSide, noise)
	}
}

func TestFaceThatCannotBeScored(t *testing.T) {
	scorer, err := NewScorer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer scorer.Close()
	pic := drawn(200, 200, func(x, y int) [3]byte { return grey(byte(x ^ y)) })
	for _, box := range []vision.Box{{Width: 20, Height: 24}, {}, {Width: 0, Height: 90}, {Width: -90, Height: 90}} {
		if _, err := scorer.Score(pic, box); !errors.Is(err, ErrFaceTooSmall) {
			t.Errorf("%+v: got %v, want %v", box, err, ErrFaceTooSmall)
		}
	}
	// Boxes that reach beyond the picture, or cover more than it, and pictures of a colour or a pixel give a number.
	for _, one := range []struct {
		pic *imaging.Picture
		box vision.Box
	}{
		{pic, vision.Box{X: -40, Y: 150, Width: 90, Height: 120}},
		{pic, vision.Box{X: -300, Y: -300, Width: 900, Height: 900}},
		{pic, vision.Box{X: 900, Y: 900, Width: 90, Height: 90}},
		{drawn(1, 1, func(int, int) [3]byte { return grey(3) }), vision.Box{Width: 40, Height: 40}},
		{drawn(3000, 2, func(int, int) [3]byte { return grey(3) }), vision.Box{Width: 40, Height: 40}},
		{drawn(64, 64, func(int, int) [3]byte { return grey(0) }), vision.Box{Width: 64, Height: 64}},
	} {
		live, err := scorer.Score(one.pic, one.box)
		if err != nil || !(live.Score >= 0 && live.Score <= 1) {
			t.Errorf("%d×%d, %+v: %v, %v", one.pic.Width, one.pic.Height, one.box, live.Score, err)
		}
		for name, v := range live.Cues {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%d×%d, %+v: %s is %v", one.pic.Width, one.pic.Height, one.box, name, v)
			}
		}
	}
}

// only makes a folder that holds the named weights and no others.
func only(t testing.TB, files ...string) string {
	t.Helper()
	from, dir := visiontest.Models(t, files...), t.TempDir()
	for _, name := range files {
		path, err := filepath.Abs(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// combinations are the weights of each combination.
func combinations() map[string][]string {
	elders := slices.Concat(models.NetMiniFASNetV2.Files(), models.NetMiniFASNetV1SE.Files())
	return map[string][]string{
		fusion.All:    append([]string{ModelFile}, elders...),
		fusion.SE:     {ModelFile},
		fusion.Elders: elders,
		fusion.Cues:   nil,
	}
}

func TestWeightsDecideTheCombination(t *testing.T) {
	pic := drawn(200, 200, func(x, y int) [3]byte { return grey(byte(x ^ y)) })
	for name, files := range combinations() {
		scorer, err := NewScorer(only(t, files...))
		if err != nil {
			t.Fatal(err)
		}
		live, err := scorer.Score(pic, vision.Box{X: 60, Y: 60, Width: 80, Height: 80})
		if err != nil {
			t.Fatal(err)
		}
		if scorer.Model() != name || live.Model != name || scorer.Degraded() != (name == fusion.Cues) {
			t.Errorf("with %v: %q, degraded %v, want %q", files, live.Model, scorer.Degraded(), name)
		}
		for _, in := range fusion.Inputs(name) {
			if _, ok := live.Cues[in.Name]; !ok {
				t.Errorf("%s weighs %s, which is not among its cues", name, in.Name)
			}
		}
		if err := errors.Join(scorer.Close(), scorer.Close()); err != nil {
			t.Error(err)
		}
	}
	// One of the older networks alone has no say.
	scorer, err := NewScorer(only(t, models.NetMiniFASNetV2.Files()...))
	if err != nil {
		t.Fatal(err)
	}
	defer scorer.Close()
	if !scorer.Degraded() {
		t.Errorf("one of two networks gives %q", scorer.Model())
	}
}

func TestBrokenWeightsAreAnError(t *testing.T) {
	for _, name := range models.NetMiniFASNetV1SE.Files() {
		dir := only(t, models.NetMiniFASNetV2.Files()...)
		if err := os.WriteFile(filepath.Join(dir, name), []byte("no network"), 0o600); err != nil {
			t.Fatal(err)
		}
		if scorer, err := NewScorer(dir); err == nil {
			t.Errorf("broken %s gives a scorer by %s", name, scorer.Model())
			scorer.Close()
		}
	}
}

// captures measures the main face of every labelled picture, with all networks. What is not found is no member of either
// group: it fails a check anyway.
func captures(t *testing.T) []fusion.Sample {
	t.Helper()
	finder, err := face.NewFinder(visiontest.Models(t, face.YuNetFile))
	if err != nil {
		t.Fatal(err)
	}
	defer finder.Close()
	scorer, err := NewScorer(visiontest.Models(t, combinations()[fusion.All]...))
	if err != nil {
		t.Fatal(err)
	}
	defer scorer.Close()
	file, err := os.Open(visiontest.Testdata(t, "spoof/dev/labels.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var samples []fusion.Sample
	for _, row := range rows[1:] {
		if row[1] != "genuine" && row[1] != "attack" {
			continue
		}
		pic, err := imaging.Decode(visiontest.Read(t, "spoof/dev/"+row[0]), imaging.Options{})
		if err != nil {
			t.Fatal(err)
		}
		found, err := finder.Find(pic)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			continue
		}
		live, err := scorer.Score(pic, found[0].Box(1))
		if err != nil {
			t.Fatal(err)
		}
		if !(live.Score >= 0 && live.Score <= 1) {
			t.Fatalf("%s: score %v", row[0], live.Score)
		}
		samples = append(samples, fusion.Sample{Live: row[1] == "genuine", Subject: row[3], Cues: maps.Clone(live.Cues)})
	}
	return samples
}

// The bounds are those of fits without the subjects that they judge, less a margin for another OpenCV; see docs/accuracy.md.
func TestScoreSeparates(t *testing.T) {
	samples := captures(t)
	if len(samples) < 85 {
		t.Fatalf("only %d captures were scored", len(samples))
	}
	for name, least := range map[string]float64{fusion.All: 0.96, fusion.SE: 0.95, fusion.Elders: 0.92, fusion.Cues: 0.9} {
		scores := fusion.LeaveOut(samples,
			func(others []fusion.Sample) fusion.Model {
				return fusion.Fit(others, fusion.Inputs(name), fusion.Ridge)
			},
			func(int) bool { return true })
		t.Logf("%s: AUC %.3f", name, fusion.AUC(samples, scores))
		if got := fusion.AUC(samples, scores); got < least {
			t.Errorf("%s, subjects left out: AUC %.3f, want at least %.2f", name, got, least)
		}
	}
}

func BenchmarkScore(b *testing.B) {
	pic, err := imaging.Decode(visiontest.Read(b, "faces/dev/identities/idols/jimin/jimin5.jpg"), imaging.Options{})
	if err != nil {
		b.Fatal(err)
	}
	box := vision.Box{X: 790, Y: 144, Width: 314, Height: 413}
	for _, one := range []struct{ name, combination string }{
		{"all", fusion.All}, {"se", fusion.SE}, {"elders", fusion.Elders}, {"cues", fusion.Cues},
	} {
		b.Run(one.name, func(b *testing.B) {
			scorer, err := NewScorer(only(b, combinations()[one.combination]...))
			if err != nil {
				b.Fatal(err)
			}
			defer scorer.Close()
			for b.Loop() {
				if _, err := scorer.Score(pic, box); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	// One pass of MiniFASNetV2-SE, which the others are compared with.
	b.Run("one_pass", func(b *testing.B) {
		net, err := openSE(only(b, ModelFile))
		if err != nil {
			b.Fatal(err)
		}
		defer net.close()
		for b.Loop() {
			crop, err := square(pic, box, seNear, seSide)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := net.logOdds(crop); err != nil {
				b.Fatal(err)
			}
		}
	})
}
