package liveness

import (
	"encoding/csv"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"kycd/vision"
	"kycd/vision/face"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

// wave is a grey square of one spatial frequency, in periods per cueSide, over noise.
func wave(periods float64, strength float64) *imaging.Picture {
	random := rand.New(rand.NewPCG(1, 2))
	pix := make([]byte, 3*cueSide*cueSide)
	for y := range cueSide {
		for x := range cueSide {
			v := byte(128 + strength*math.Sin(2*math.Pi*periods*float64(x)/cueSide) + 6*random.NormFloat64())
			for c := range 3 {
				pix[3*(y*cueSide+x)+c] = v
			}
		}
	}
	return imaging.New(pix, cueSide, cueSide)
}

func TestCuesSeeWhatTheySayTheySee(t *testing.T) {
	whole := vision.Box{Width: cueSide, Height: cueSide}
	measure := func(pic *imaging.Picture) Cues {
		t.Helper()
		cues, err := MeasureCues(pic, whole)
		if err != nil {
			t.Fatal(err)
		}
		return cues
	}
	noise, fine, middle, slow := measure(wave(0, 0)), measure(wave(40, 30)), measure(wave(24, 30)), measure(wave(3, 30))
	if !(fine.Moire > noise.Moire+2) || !(middle.Moire > noise.Moire+2) {
		t.Errorf("moiré: noise %.2f, fine grid %.2f, grid %.2f", noise.Moire, fine.Moire, middle.Moire)
	}
	if !(fine.HighBand > middle.HighBand+1) || !(fine.HighBand > slow.HighBand+1) {
		t.Errorf("high band: %.2f, %.2f, %.2f", fine.HighBand, middle.HighBand, slow.HighBand)
	}
	if !(middle.MidBand > fine.MidBand+1) {
		t.Errorf("mid band: %.2f, %.2f", middle.MidBand, fine.MidBand)
	}
	if !(fine.Sharpness > slow.Sharpness+1) {
		t.Errorf("sharpness: %.2f, %.2f", fine.Sharpness, slow.Sharpness)
	}
	if math.Abs(noise.Redness) > 0.01 || math.Abs(noise.Blueness) > 0.01 || noise.Chroma > 0.01 {
		t.Errorf("a grey picture has colours: %+v", noise)
	}
	red := make([]byte, 3*cueSide*cueSide)
	for i := 2; i < len(red); i += 3 {
		red[i] = 200
	}
	if c := measure(imaging.New(red, cueSide, cueSide)); c.Redness < 0.5 || c.Blueness > -0.1 {
		t.Errorf("red picture: %+v", c)
	}
	for _, v := range measure(imaging.New(make([]byte, len(red)), cueSide, cueSide)).Values() {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("a black picture gives %v", v)
		}
	}
}

// fft against the definition of the transform.
func TestFFT(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const n = 16
	in := make([]complex128, n)
	for i := range in {
		in[i] = complex(random.Float64(), random.Float64())
	}
	out := append([]complex128(nil), in...)
	fft(out)
	for k := range n {
		var want complex128
		for i, v := range in {
			sin, cos := math.Sincos(-2 * math.Pi * float64(i*k) / n)
			want += v * complex(cos, sin)
		}
		if d := out[k] - want; math.Hypot(real(d), imag(d)) > 1e-9 {
			t.Errorf("value %d is %v, want %v", k, out[k], want)
		}
	}
}

func TestCuesAreNamed(t *testing.T) {
	if n := len(Names()); n != len(textureWeights) || n != len(Cues{}.Values()) || n != len(Cues{}.Map()) {
		t.Errorf("%d names, %d weights, %d values", n, len(textureWeights), len(Cues{}.Values()))
	}
}

func TestTinyFaceIsNotScored(t *testing.T) {
	scorer, err := NewScorer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer scorer.Close()
	for _, box := range []vision.Box{{Width: 20, Height: 24}, {}, {Width: 0, Height: 90}} {
		if _, err := scorer.Score(wave(0, 0), box); !errors.Is(err, ErrFaceTooSmall) {
			t.Errorf("%+v: got %v, want %v", box, err, ErrFaceTooSmall)
		}
	}
}

// scores scores the main face of every labelled picture. What is not found is no member of either group: it fails
// a check anyway.
func scores(t *testing.T, scorer *Scorer, finder *face.Finder) (live, attack []float64) {
	t.Helper()
	file, err := os.Open(visiontest.Testdata(t, "spoof/dev/labels.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
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
		result, err := scorer.Score(pic, found[0].Box(1))
		if err != nil {
			t.Fatal(err)
		}
		if !(result.Score >= 0 && result.Score <= 1) {
			t.Fatalf("%s: score %v", row[0], result.Score)
		}
		switch row[1] {
		case "genuine":
			live = append(live, result.Score)
		case "attack":
			attack = append(attack, result.Score)
		}
	}
	return live, attack
}

func auc(live, attack []float64) float64 {
	wins := 0.0
	for _, l := range live {
		for _, a := range attack {
			switch {
			case l > a:
				wins++
			case l == a:
				wins += 0.5
			}
		}
	}
	return wins / float64(len(live)*len(attack))
}

func TestScoreSeparates(t *testing.T) {
	finder, err := face.NewFinder(visiontest.Models(t, face.YuNetFile))
	if err != nil {
		t.Fatal(err)
	}
	defer finder.Close()
	network, err := NewScorer(visiontest.Models(t, ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	texture, err := NewScorer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer texture.Close()
	if network.Degraded() || !texture.Degraded() {
		t.Fatalf("degraded: network %v, texture %v", network.Degraded(), texture.Degraded())
	}
	for _, test := range []struct {
		scorer *Scorer
		least  float64
	}{{network, 0.88}, {texture, 0.7}} {
		live, attack := scores(t, test.scorer, finder)
		if len(live) < 40 || len(attack) < 40 {
			t.Fatalf("only %d live faces and %d attacks were scored", len(live), len(attack))
		}
		if got := auc(live, attack); got < test.least {
			t.Errorf("%s: AUC %.3f, want at least %.2f", test.scorer.Model(), got, test.least)
		}
	}
}

func BenchmarkScore(b *testing.B) {
	pic, err := imaging.Decode(visiontest.Read(b, "faces/dev/identities/idols/jimin/jimin5.jpg"), imaging.Options{})
	if err != nil {
		b.Fatal(err)
	}
	box := vision.Box{X: 790, Y: 144, Width: 314, Height: 413}
	for name, dir := range map[string]string{"network": visiontest.Models(b, ModelFile), "texture": b.TempDir()} {
		b.Run(name, func(b *testing.B) {
			scorer, err := NewScorer(dir)
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
}
