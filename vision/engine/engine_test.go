package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"kycd/vision"
	"kycd/vision/face"
	"kycd/vision/visiontest"
)

func sprint(hints []vision.Hint) string {
	if hints == nil {
		hints = []vision.Hint{}
	}
	return fmt.Sprint(hints)
}

// fixed is the clock of the tests.
func fixed() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

const encoderFile = "dlib_face_recognition_resnet_model_v1.dat"

func open(t testing.TB, slots int) *Engine {
	t.Helper()
	dir := visiontest.Models(t, encoderFile, face.YuNetFile)
	e, err := New(context.Background(), Config{ModelsDir: dir, Slots: slots, Now: fixed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func TestNewNeedsTheEncoder(t *testing.T) {
	if _, err := New(context.Background(), Config{ModelsDir: t.TempDir(), Slots: 1}); err == nil {
		t.Fatal("an engine without weights was made")
	}
}

// Loading takes seconds, so one engine serves all.
func TestEngine(t *testing.T) {
	e := open(t, 2)
	for name, test := range map[string]func(*testing.T, *Engine){
		"analyze":                 testAnalyze,
		"asking for less":         testAskingForLessChangesNothing,
		"compare":                 testCompare,
		"context bounds the wait": testContextBoundsTheWait,
		"concurrent images":       testConcurrentImages,
	} {
		t.Run(name, func(t *testing.T) { test(t, e) })
	}
}

func testAnalyze(t *testing.T, e *Engine) {
	ctx := context.Background()

	t.Run("selfie", func(t *testing.T) {
		a := e.Analyze(ctx, visiontest.Read(t, "spoof/dev/images/compreface_004_A.jpg"), vision.Ask{Liveness: true})
		if a.Error != "" || len(a.Hints) != 0 || len(a.Unavailable) != 0 || len(a.Degraded) != 0 {
			t.Fatalf("error %q, hints %v, unavailable %v, degraded %v", a.Error, a.Hints, a.Unavailable, a.Degraded)
		}
		if a.Format != vision.FormatJPEG || a.Width != 3024 || a.Height != 4032 || a.Quality == nil {
			t.Errorf("%s %d×%d, quality %v", a.Format, a.Width, a.Height, a.Quality)
		}
		if len(a.Faces) != 1 {
			t.Fatalf("%d faces", len(a.Faces))
		}
		f := a.Faces[0]
		if len(f.Encoding) != 128 || f.Encoder != vision.FaceEncoder || len(f.Landmarks) != 5 || f.Quality < 0.8 || f.Detector != face.DetectorYuNet {
			t.Errorf("face: %d values by %q, %d landmarks, quality %.2f, %s", len(f.Encoding), f.Encoder, len(f.Landmarks), f.Quality, f.Detector)
		}
		// In pixels of the source, though the picture was decoded at half size.
		for _, p := range f.Landmarks {
			if p.X < float64(f.Box.X) || p.X > float64(f.Box.X+f.Box.Width) || p.Y < float64(f.Box.Y) || p.Y > float64(f.Box.Y+f.Box.Height) {
				t.Errorf("landmark %v outside the face %+v", p, f.Box)
			}
		}
		if f.Box.Width < 300 {
			t.Errorf("face %+v is not in pixels of the source", f.Box)
		}
		if a.Liveness == nil || len(a.Liveness.Cues) == 0 {
			t.Errorf("liveness %+v", a.Liveness)
		}
		if len(a.Barcodes) != 0 || a.Document != nil || a.Text != "" {
			t.Error("what was not asked for was measured")
		}
		if _, err := json.Marshal(a); err != nil {
			t.Error(err)
		}
	})

	t.Run("passport page", func(t *testing.T) {
		a := e.Analyze(ctx, visiontest.Read(t, "mrz/dev/images/fast_td3.jpg"), vision.Ask{Faces: true, MRZ: true, Text: true, Document: true})
		if a.Error != "" || len(a.Faces) == 0 || a.Text == "" || len(a.Words) == 0 {
			t.Fatalf("error %q, %d faces, %d words, unavailable %v", a.Error, len(a.Faces), len(a.Words), a.Unavailable)
		}
		if a.MRZ == nil || !a.MRZ.Valid || a.MRZ.Format != "TD3" {
			t.Errorf("MRZ %+v", a.MRZ)
		}
		for _, w := range a.Words {
			if w.Box.X < -20 || w.Box.Y < -20 || w.Box.X+w.Box.Width > a.Width+20 || w.Box.Y+w.Box.Height > a.Height+20 {
				t.Errorf("word box %+v outside the picture of %d×%d", w.Box, a.Width, a.Height)
			}
		}
	})

	t.Run("barcode", func(t *testing.T) {
		a := e.Analyze(ctx, licence(t), vision.Ask{Barcodes: true})
		if len(a.Barcodes) == 0 || len(a.Hints) > 0 && slices.Contains(a.Hints, vision.HintBarcodeUnreadable) {
			t.Fatalf("%d barcodes, hints %v, unavailable %v", len(a.Barcodes), a.Hints, a.Unavailable)
		}
	})

	t.Run("nothing to see", func(t *testing.T) {
		blank := visiontest.PNG(t, 300, 200, func(x, y int) color.RGBA { return color.RGBA{R: 128, G: 128, B: 128, A: 255} })
		a := e.Analyze(ctx, blank, vision.AskAll())
		if a.Error != "" || len(a.Faces) != 0 || a.Faces == nil || a.Liveness != nil || a.MRZ != nil || len(a.Barcodes) != 0 {
			t.Errorf("%+v", a)
		}
		if a.Unavailable[vision.PartLiveness] != vision.ReasonNoFace || a.Unavailable[vision.PartEncoding] != vision.ReasonNoFace {
			t.Errorf("unavailable %v", a.Unavailable)
		}
		for _, h := range []vision.Hint{vision.HintNoFace, vision.HintBarcodeUnreadable, vision.HintBlurred} {
			if !slices.Contains(a.Hints, h) {
				t.Errorf("hints %v lack %s", a.Hints, h)
			}
		}
	})

	t.Run("refused", func(t *testing.T) {
		for name, data := range map[vision.Code][]byte{
			vision.CodeEmpty:       nil,
			vision.CodeUnsupported: []byte("a text"),
			vision.CodeTruncated:   visiontest.PNG(t, 99, 99, func(x, y int) color.RGBA { return color.RGBA{} })[:200],
		} {
			if a := e.Analyze(ctx, data, vision.AskAll()); a.Error != string(name) || a.Hints == nil {
				t.Errorf("error %q, want %q", a.Error, name)
			}
		}
	})
}

// licence is the first PDF417 sample of the test data.
func licence(t *testing.T) []byte {
	t.Helper()
	var sample []byte
	err := filepath.WalkDir(visiontest.Testdata(t, "aamva/dev/pdf417"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".png" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, err := vision.Inspect(data); err == nil {
			sample = data
			return fs.SkipAll
		}
		return nil
	})
	if err != nil || sample == nil {
		t.Fatal("no PDF417 sample", err)
	}
	return sample
}

// Asking for less is cheaper, never different.
func testAskingForLessChangesNothing(t *testing.T, e *Engine) {
	data := visiontest.Read(t, "mrz/dev/images/fast_td1.jpg")
	all := e.Analyze(context.Background(), data, vision.AskAll())
	faces := e.Analyze(context.Background(), data, vision.Ask{Faces: true})
	if len(all.Faces) != 1 || len(faces.Faces) != 1 || !slices.Equal(all.Faces[0].Encoding, faces.Faces[0].Encoding) || all.Faces[0].Box != faces.Faces[0].Box {
		t.Error("the face depends on what else was asked for")
	}
}

func testCompare(t *testing.T, e *Engine) {
	ctx := context.Background()
	a := visiontest.Read(t, "faces/dev/identities/deepface/p00/img1.jpg")
	b := visiontest.Read(t, "faces/dev/identities/deepface/p00/img2.jpg")
	other := visiontest.Read(t, "faces/dev/identities/deepface/p06/img20.jpg")
	cat := visiontest.Read(t, "faces/dev/counts/photoprism_7.jpg")
	tests := []struct {
		name    string
		b       []byte
		verdict vision.FaceVerdict
		reason  string
	}{
		{"same", b, vision.VerdictSame, ""},
		{"other", other, vision.VerdictDifferent, ""},
		{"no face", cat, vision.VerdictUnknown, string(vision.ReasonNoFace)},
		{"no image", []byte("text"), vision.VerdictUnknown, string(vision.CodeUnsupported)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := e.Compare(ctx, a, test.b, 0)
			if c.Verdict != test.verdict || c.Error != test.reason || c.Tolerance != vision.DefaultFaceTolerance {
				t.Fatalf("%+v", c)
			}
			if measured := c.Distance != nil && c.Probability != nil; measured != (test.reason == "") {
				t.Errorf("distance %v, probability %v", c.Distance, c.Probability)
			}
		})
	}
}

// The context bounds the wait: for a slot while other images hold all of them, and for the result. Slots come back.
func testContextBoundsTheWait(t *testing.T, e *Engine) {
	data := visiontest.Read(t, "faces/dev/identities/deepface/p00/img1.jpg")
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if a := e.Analyze(gone, data, vision.Ask{Faces: true}); a.Error != string(vision.CodeTimeout) {
		t.Errorf("error %q after the context ended", a.Error)
	}
	first, second := <-e.idle, <-e.idle
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if a := e.Analyze(short, data, vision.Ask{Faces: true}); a.Error != string(vision.CodeTimeout) || time.Since(start) > 2*time.Second {
		t.Errorf("error %q after %v without a slot", a.Error, time.Since(start))
	}
	e.idle <- first
	e.idle <- second
	if a := e.Analyze(context.Background(), data, vision.Ask{Faces: true}); a.Error != "" || len(a.Faces) != 1 {
		t.Errorf("the slot did not come back: %+v", a)
	}
}

// A panic in one part costs that part, not the image.
func TestPanicCostsOnePart(t *testing.T) {
	m := measurement{out: vision.Analysis{Unavailable: map[string]vision.Reason{}, Millis: map[string]int64{}}}
	if m.part(vision.PartText, func() error { panic("library") }) {
		t.Error("a part that panicked is ok")
	}
	if !m.part(vision.PartMRZ, func() error { return nil }) {
		t.Error("a part that worked is not ok")
	}
	m.part(vision.PartBarcodes, func() error { return errors.New("library said something private") })
	m.part(vision.PartDocument, func() error { return context.DeadlineExceeded })
	want := map[string]vision.Reason{
		vision.PartText: vision.ReasonFailed, vision.PartBarcodes: vision.ReasonFailed, vision.PartDocument: vision.ReasonTimeout,
	}
	if fmt.Sprint(m.out.Unavailable) != fmt.Sprint(want) {
		t.Errorf("unavailable %v, want %v", m.out.Unavailable, want)
	}
}

func testConcurrentImages(t *testing.T, e *Engine) {
	data := visiontest.Read(t, "faces/dev/identities/deepface/p00/img10.jpg")
	want := e.Analyze(context.Background(), data, vision.Ask{Faces: true})
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			got := e.Analyze(context.Background(), data, vision.Ask{Faces: true})
			if len(got.Faces) != 1 || !slices.Equal(got.Faces[0].Encoding, want.Faces[0].Encoding) {
				t.Error("a concurrent analysis differs")
			}
		})
	}
	all.Wait()
}
