package face

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	goface "github.com/Kagami/go-face"

	"kycd/models"
	"kycd/models/dlib"
	"kycd/vision"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

const encoderIn = "dlib_face_recognition_resnet_model_v1.dat"

// openEncoder opens both encoders.
func openEncoder(t testing.TB) *Encoder {
	t.Helper()
	encoder, err := NewEncoder(visiontest.Models(t, encoderIn, models.FileMobileFace, models.FileMobileFaceBin))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(encoder.Close)
	if encoder.Model() != vision.FusedFaceEncoder {
		t.Fatalf("both encoders call themselves %s", encoder.Model())
	}
	return encoder
}

// openFirst opens the first encoder alone, as where the second one's weights are missing.
func openFirst(t testing.TB) *Encoder {
	t.Helper()
	encoder, err := NewEncoder(firstWeights(t, visiontest.Models(t, encoderIn)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(encoder.Close)
	if encoder.Model() != vision.FaceEncoder {
		t.Fatalf("the first encoder alone calls itself %s", encoder.Model())
	}
	return encoder
}

// firstWeights is a folder with the first encoder's weights alone.
func firstWeights(t testing.TB, weights string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{encoderIn, "shape_predictor_5_face_landmarks.dat", cnnFile} {
		link(t, weights, dir, name)
	}
	return dir
}

func link(t testing.TB, from, to, name string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(from, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(to, name)); err != nil {
		t.Fatal(err)
	}
}

func template(e Encoding) vision.Template {
	face := vision.Face{Encoder: vision.FaceEncoder, Encoding: e.Values, Second: e.Second}
	return face.Template()
}

func TestBrokenWeightsAreAnError(t *testing.T) {
	dir := t.TempDir()
	if _, err := NewEncoder(dir); err == nil {
		t.Error("an encoder without weights was made")
	}
	// Missing, the second encoder is done without; broken, it is not.
	dir = firstWeights(t, visiontest.Models(t, encoderIn))
	for _, name := range []string{models.FileMobileFace, models.FileMobileFaceBin} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := NewEncoder(dir); err == nil {
		t.Error("an encoder with a broken second network was made")
	}
}

// Encoders made together do not miss one that is closed.
func TestEncodersOutliveEachOther(t *testing.T) {
	all, err := NewEncoders(visiontest.Models(t, encoderIn), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer all[1].Close()
	all[0].Close()
	pic := decode(t, "faces/dev/identities/deepface/p00/img1.jpg")
	found, err := openFinder(t).Find(pic)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d faces, %v", len(found), err)
	}
	if e, err := all[1].Encode(pic, found[0]); err != nil || len(e.Values) != 128 {
		t.Errorf("%d values, %v", len(e.Values), err)
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
		match, err := vision.Compare(template(a), template(b))
		if err != nil {
			t.Fatal(err)
		}
		return match.Distance
	}
	const person, other = "faces/dev/identities/deepface/p00/", "faces/dev/identities/deepface/p06/"
	whole := decode(t, person+"img1.jpg")
	reference := encode(whole)
	if len(reference.Values) != vision.FaceEncodingSize || len(reference.Shape) != 68 {
		t.Fatalf("%d values, %d points", len(reference.Values), len(reference.Shape))
	}
	if s := reference.Second; s == nil || s.Encoder != vision.SecondFaceEncoder || len(s.Values) != vision.SecondFaceEncodingSize {
		t.Fatalf("second encoding: %+v", s)
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
		{"someone else", decode(t, other+"img20.jpg"), 0.5, 2},
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
	link(t, weights, dir, encoderIn)
	link(t, weights, dir, "shape_predictor_5_face_landmarks.dat")
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

// The same pixels give the same numbers, from the same encoder and from another one.
func TestEncodingIsDeterministic(t *testing.T) {
	UseOneThreadPerEncoder()
	finder, pic := openFinder(t), decode(t, selfie)
	found, err := finder.Find(pic)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d faces, %v", len(found), err)
	}
	var before *Encoding
	for range 2 {
		encoder := openEncoder(t)
		for range 2 {
			e, err := encoder.Encode(pic, found[0])
			if err != nil {
				t.Fatal(err)
			}
			if before != nil && (!slices.Equal(e.Values, before.Values) || !slices.Equal(e.Second.Values, before.Second.Values) || !slices.Equal(e.Shape, before.Shape)) {
				t.Fatal("the same face was encoded differently")
			}
			before = &e
		}
	}
	length := 0.0
	for _, v := range before.Second.Values {
		length += float64(v) * float64(v)
	}
	if math.Abs(length-1) > 1e-5 {
		t.Errorf("the second encoding has the squared length %v, want 1", length)
	}
}

// Alone, the first encoder takes the mirror image too, and comes nearer to the mirrored face than without.
func TestTheFirstEncoderAlone(t *testing.T) {
	finder, alone, both, pic := openFinder(t), openFirst(t), openEncoder(t), decode(t, selfie)
	encode := func(e *Encoder, pic *imaging.Picture) Encoding {
		t.Helper()
		found, err := finder.Find(pic)
		if err != nil || len(found) != 1 {
			t.Fatalf("%d faces, %v", len(found), err)
		}
		encoding, err := e.Encode(pic, found[0])
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
	mirrored := pic.Mirrored()
	averaged, single := encode(alone, pic), encode(both, pic)
	if averaged.Second != nil {
		t.Error("there is a second encoding without a second encoder")
	}
	if with, without := distance(averaged, encode(alone, mirrored)), distance(single, encode(both, mirrored)); with >= without {
		t.Errorf("a mirrored face is %.3f away with the mean of both sides, %.3f without", with, without)
	}
	// Both kinds are one encoder's, and comparable: an account that was made without the second encoder stays good.
	match, err := vision.Compare(template(averaged), template(single))
	if err != nil || match.Encoder != vision.FaceEncoder || match.Distance > 0.3 {
		t.Errorf("with and without the second encoder: %+v, %v", match, err)
	}
}

// What this package computes by itself is what go-face says of the same pixels: the place of every point, and the encoding but for
// rounding.
func TestRecognizeIsAsGoFaceDoes(t *testing.T) {
	finder, encoder := openFinder(t), openFirst(t)
	recognizer, err := goface.NewRecognizer(visiontest.Models(t, encoderIn))
	if err != nil {
		t.Fatal(err)
	}
	defer recognizer.Close()
	ways := attempts()
	for _, of := range []struct {
		name string
		way  attempt
	}{
		{selfie, ways[0]},
		{"faces/dev/identities/deepface/p00/img1.jpg", ways[1]},
		{"faces/dev/identities/deepface/p06/img20.jpg", ways[0]},
	} {
		pic := decode(t, of.name)
		found, err := finder.Find(pic)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d faces, %v", of.name, len(found), err)
		}
		chip, err := cutChip(pic, found[0], of.way)
		if err != nil {
			t.Fatal(err)
		}
		jpeg, err := chip.picture.EncodeJPEG(95) // the one format that go-face takes
		if err != nil {
			t.Fatal(err)
		}
		same, err := imaging.Decode(jpeg, imaging.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, ok, err := encoder.recognize(same, of.way)
		if err != nil || !ok {
			t.Fatalf("%s: %v, %v", of.name, ok, err)
		}
		faces, err := recognizer.Recognize(jpeg)
		if err != nil || len(faces) != 1 {
			t.Fatalf("%s: go-face sees %d faces, %v", of.name, len(faces), err)
		}
		if !slices.Equal(got.points, faces[0].Shapes) {
			t.Errorf("%s: points at %v, with go-face at %v", of.name, got.points, faces[0].Shapes)
		}
		for i, want := range faces[0].Descriptor {
			if math.Abs(float64(got.values[i]-want)) > 1e-5 {
				t.Errorf("%s: value %d is %v, go-face's %v", of.name, i, got.values[i], want)
				break
			}
		}
	}
}

// A 1080p selfie in memory, encoded as JPEG, becomes what faces are compared by.
func BenchmarkEncode1080p(b *testing.B) {
	UseOneThreadPerEncoder()
	finder, data := openFinder(b), visiontest.Read(b, selfie)
	for _, of := range []struct {
		name    string
		encoder *Encoder
	}{{"both", openEncoder(b)}, {"first", openFirst(b)}} {
		b.Run(of.name, func(b *testing.B) {
			for b.Loop() {
				encodeSelfie(b, finder, of.encoder, data)
			}
		})
	}
}

// What go-face takes for the same photo by itself.
func BenchmarkGoFaceRecognize1080p(b *testing.B) {
	UseOneThreadPerEncoder()
	recognizer, err := goface.NewRecognizer(visiontest.Models(b, encoderIn))
	if err != nil {
		b.Fatal(err)
	}
	defer recognizer.Close()
	data := visiontest.Read(b, selfie)
	for b.Loop() {
		if faces, err := recognizer.Recognize(data); err != nil || len(faces) != 1 {
			b.Fatal(len(faces), err)
		}
	}
}

// Encodings with one encoder, and with two at the same time; each with one thread of OpenBLAS per product, and with two. The
// time is that of one encoding.
func BenchmarkEncoders(b *testing.B) {
	finder, pic := openFinder(b), decode(b, selfie)
	found, err := finder.Find(pic)
	if err != nil || len(found) != 1 {
		b.Fatal(len(found), err)
	}
	encoders := []*Encoder{openEncoder(b), openEncoder(b)}
	for _, of := range []struct {
		name        string
		at, threads int
	}{{"one", 1, 1}, {"two", 2, 1}, {"one_on_two_threads", 1, 2}, {"two_on_two_threads", 2, 2}} {
		b.Run(of.name, func(b *testing.B) {
			UseOneThreadPerEncoder()
			blasThreads(of.threads)
			defer UseOneThreadPerEncoder()
			work := make(chan struct{})
			var all sync.WaitGroup
			for _, encoder := range encoders[:of.at] {
				all.Go(func() {
					for range work {
						if _, err := encoder.Encode(pic, found[0]); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for b.Loop() {
				work <- struct{}{}
			}
			close(work)
			all.Wait()
		})
	}
}

func encodeSelfie(b *testing.B, finder *Finder, encoder *Encoder, data []byte) {
	pic, err := imaging.Decode(data, imaging.Options{})
	if err != nil {
		b.Fatal(err)
	}
	found, err := finder.Find(pic)
	if err != nil || len(found) != 1 {
		b.Fatal(len(found), err)
	}
	if _, err := encoder.Encode(pic, found[0]); err != nil {
		b.Fatal(err)
	}
}

// The last attempt goes to go-face, which is loaded then and not before, and says the same of a face that both see.
func TestTurnedThroughGoFace(t *testing.T) {
	visiontest.Models(t, cnnFile)
	finder, encoder := openFinder(t), openFirst(t)
	pic := decode(t, "faces/dev/identities/deepface/p00/img2.jpg")
	found, err := finder.Find(pic)
	if err != nil || len(found) == 0 {
		t.Fatalf("%d faces, %v", len(found), err)
	}
	ways := attempts()
	seen := make([]recognized, 2)
	for i, way := range []attempt{ways[0], ways[3]} {
		if encoder.turned.recognizer != nil {
			t.Error("go-face is loaded before it is needed")
		}
		chip, err := cutChip(pic, found[0], way)
		if err != nil {
			t.Fatal(err)
		}
		var ok bool
		if seen[i], ok, err = encoder.recognize(chip.picture, way); err != nil || !ok {
			t.Fatalf("attempt %d: %v, %v", i, ok, err)
		}
	}
	sum := 0.0
	for i, v := range seen[0].values {
		d := float64(v - seen[1].values[i])
		sum += d * d
	}
	if math.Sqrt(sum) > 0.3 || len(seen[1].points) != len(seen[0].points) {
		t.Errorf("%.2f apart, %d and %d points", math.Sqrt(sum), len(seen[0].points), len(seen[1].points))
	}
}
