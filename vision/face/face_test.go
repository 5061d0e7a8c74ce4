package face

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"kycd/models/dlib"
	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

const (
	selfie    = "faces/dev/identities/idols/jimin/jimin5.jpg" // 1920×1080
	encoderIn = "dlib_face_recognition_resnet_model_v1.dat"
)

func decode(t testing.TB, name string) *imaging.Picture {
	t.Helper()
	pic, err := imaging.Decode(visiontest.Read(t, name), imaging.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return pic
}

func openFinder(t testing.TB) *Finder {
	t.Helper()
	finder, err := NewFinder(visiontest.Models(t, YuNetFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { finder.Close() })
	return finder
}

func openEncoder(t testing.TB) *Encoder {
	t.Helper()
	encoder, err := NewEncoder(visiontest.Models(t, encoderIn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(encoder.Close)
	return encoder
}

// The pictures whose number of faces is known: none, several, a crowd.
func TestFindCounts(t *testing.T) {
	finder := openFinder(t)
	file, err := os.Open(visiontest.Testdata(t, "faces/dev/counts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		least, err1 := strconv.Atoi(row[1])
		most, err2 := strconv.Atoi(row[2])
		if err1 != nil || err2 != nil {
			t.Fatalf("counts.csv: %v", row)
		}
		found, err := finder.Find(decode(t, "faces/dev/"+row[0]))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) < least || len(found) > most {
			t.Errorf("%s: %d faces, want %d to %d", row[0], len(found), least, most)
		}
	}
}

// A picture that is nothing but a face, and a portrait in the corner of a large picture.
func TestFindTightAndTiny(t *testing.T) {
	finder := openFinder(t)
	pic := decode(t, selfie)
	found, err := finder.Find(pic)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d faces, %v", len(found), err)
	}
	tight, _ := pic.Crop(found[0].Box(1))
	if again, err := finder.Find(tight); err != nil || len(again) != 1 {
		t.Errorf("tight crop: %d faces, %v", len(again), err)
	}
	tiny, err := pic.Resize(240, 135) // the face is 39 px wide
	if err != nil {
		t.Fatal(err)
	}
	canvas := make([]byte, 3*3000*2000)
	for i := range canvas {
		canvas[i] = 190
	}
	for y := range tiny.Height {
		copy(canvas[3*((y+1700)*3000+2500):], tiny.Pix[3*y*tiny.Width:3*(y+1)*tiny.Width])
	}
	again, err := finder.Find(imaging.New(canvas, 3000, 2000))
	if err != nil || len(again) != 1 {
		t.Fatalf("portrait in a corner: %d faces, %v", len(again), err)
	}
	scale := 240.0 / 1920
	if math.Abs(again[0].X-(2500+found[0].X*scale)) > 10 || math.Abs(again[0].Y-(1700+found[0].Y*scale)) > 10 {
		t.Errorf("portrait in a corner found at %v, %v", again[0].X, again[0].Y)
	}
}

// Without YuNet's weights dlib finds the same face in about the same place.
func TestFallBack(t *testing.T) {
	finder, err := NewFinder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer finder.Close()
	if !finder.Degraded() || finder.Model() != hogModel {
		t.Fatalf("without weights: degraded %v, model %s", finder.Degraded(), finder.Model())
	}
	pic := decode(t, selfie)
	found, err := finder.Find(pic)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d faces, %v", len(found), err)
	}
	if d := found[0]; d.Detector != DetectorHOG || d.Score <= 0 || d.Score > 1 || d.X < 700 || d.X+d.Width > 1200 {
		t.Errorf("found %+v", d)
	}
	blank := imaging.New(make([]byte, 3*200*200), 200, 200)
	if found, err := finder.Find(blank); err != nil || len(found) != 0 {
		t.Errorf("blank picture: %d faces, %v", len(found), err)
	}
}

func TestBrokenWeightsAreAnError(t *testing.T) {
	dir := t.TempDir()
	if _, err := NewEncoder(dir); err == nil {
		t.Error("an encoder without weights was made")
	}
}

func TestEncode(t *testing.T) {
	finder, encoder := openFinder(t), openEncoder(t)
	encode := func(pic *imaging.Picture) Encoding {
		t.Helper()
		found, err := finder.Find(pic)
		if err != nil || len(found) == 0 {
			t.Fatalf("%d faces, %v", len(found), err)
		}
		encoding, err := encoder.Encode(pic, found[0])
		if err != nil {
			t.Fatal(err)
		}
		return encoding
	}
	distance := func(a, b Encoding) float64 {
		t.Helper()
		d, err := vision.Distance(a.Values, b.Values)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const person, other = "faces/dev/identities/deepface/p00/", "faces/dev/identities/deepface/p06/"
	whole := decode(t, person+"img1.jpg")
	reference := encode(whole)
	if len(reference.Values) != 128 {
		t.Fatalf("%d values", len(reference.Values))
	}

	// YuNet and dlib place the five points alike, so the mapping back to the picture is right; mouths differ most.
	found, err := finder.Find(whole)
	if err != nil {
		t.Fatal(err)
	}
	if len(reference.Landmarks) != 5 {
		t.Fatalf("%d landmarks", len(reference.Landmarks))
	}
	for i, p := range reference.Landmarks {
		q := found[0].Landmarks[i]
		if away := math.Hypot(p.X-q.X, p.Y-q.Y); away > 0.2*found[0].Width {
			t.Errorf("landmark %d: dlib at %v, YuNet at %v", i, p, q)
		}
	}

	small, err := whole.Resize(whole.Width/4, whole.Height/4)
	if err != nil {
		t.Fatal(err)
	}
	square, ok := whole.Crop(vision.Box{X: 0, Y: 0, Width: 1382, Height: 1382})
	if !ok {
		t.Fatal("no crop")
	}
	tilted, err := turn(square, 25, 1200)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name        string
		pic         *imaging.Picture
		least, most float64
	}{
		{"itself", whole, 0, 0},
		{"a quarter of the size", small, 0, 0.12},
		{"mirrored", whole.Mirrored(), 0, 0.15},
		{"tilted by 25 degrees", tilted, 0, 0.25},
		{"the same person", decode(t, person+"img2.jpg"), 0.05, vision.DefaultFaceTolerance},
		{"someone else", decode(t, other+"img20.jpg"), 0.6, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if d := distance(reference, encode(test.pic)); d < test.least || d > test.most {
				t.Errorf("distance %.3f, want %.2f to %.2f", d, test.least, test.most)
			}
		})
	}
}

func TestEncodeWithoutFace(t *testing.T) {
	encoder := openEncoder(t)
	grey := imaging.New(make([]byte, 3*300*300), 300, 300)
	for _, d := range []Detection{
		{X: 100, Y: 100, Width: 80, Height: 80},
		{X: -500, Y: 900, Width: 80, Height: 80}, // outside
		{X: 10, Y: 10},                           // no area
		{X: math.NaN(), Width: math.NaN(), Height: 1},
	} {
		if _, err := encoder.Encode(grey, d); !errors.Is(err, ErrNotEncoded) {
			t.Errorf("%+v: got %v, want %v", d, err, ErrNotEncoded)
		}
	}
}

// The empty network that stands in for the CNN detector's weights would end the process if it were run: the
// encoder must do without the last attempt then.
func TestEncodeWithTheEmptyDetector(t *testing.T) {
	dir, weights := t.TempDir(), visiontest.Models(t, encoderIn)
	for _, name := range []string{"dlib_face_recognition_resnet_model_v1.dat", "shape_predictor_5_face_landmarks.dat"} {
		path, err := filepath.Abs(filepath.Join(weights, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Create(filepath.Join(dir, cnnFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(dlib.WriteEmptyFaceDetector(file), file.Close()); err != nil {
		t.Fatal(err)
	}
	encoder, err := NewEncoder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.Close()
	noise := make([]byte, 3*300*300)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	face := Detection{X: 100, Y: 100, Width: 80, Height: 80}
	if _, err := encoder.Encode(imaging.New(noise, 300, 300), face); !errors.Is(err, ErrNotEncoded) {
		t.Errorf("got %v, want %v", err, ErrNotEncoded)
	}
}

// The three ways to find the face in one 1080p photo. YuNet must take no more than a fifth of HOG's time.
func BenchmarkFind1080p(b *testing.B) {
	pic := decode(b, selfie)
	b.Run("yunet", func(b *testing.B) {
		finder := openFinder(b)
		for b.Loop() {
			if found, err := finder.Find(pic); err != nil || len(found) != 1 {
				b.Fatal(len(found), err)
			}
		}
	})
	hog, err := newHOG()
	if err != nil {
		b.Fatal(err)
	}
	defer hog.close()
	for name, side := range map[string]int{"hog": 0, "hog_at_640": 640} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if found, err := hog.detect(pic, side); err != nil || len(found) != 1 {
					b.Fatal(len(found), err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	UseOneThreadPerEncoder()
	encoder, finder, pic := openEncoder(b), openFinder(b), decode(b, selfie)
	found, err := finder.Find(pic)
	if err != nil || len(found) == 0 {
		b.Fatal(len(found), err)
	}
	for b.Loop() {
		if _, err := encoder.Encode(pic, found[0]); err != nil {
			b.Fatal(err)
		}
	}
}
