package face

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"

	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

const selfie = "faces/dev/identities/idols/jimin/jimin5.jpg" // 1920×1080

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
