package mrzread

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func today() time.Time { return time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC) }

func TestSamplePictures(t *testing.T) {
	root := filepath.Join(testdata(t), "mrz", "dev")
	raw, err := os.ReadFile(filepath.Join(root, "images_expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var samples []struct {
		Image string   `json:"image"`
		Lines []string `json:"expected_mrz"`
		Valid bool     `json:"all_check_digits_valid"`
		Note  string   `json:"note"`
	}
	if err := json.Unmarshal(raw, &samples); err != nil {
		t.Fatal(err)
	}
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	valid, exact := 0, 0
	for _, s := range samples {
		gray, w, h := grey(t, filepath.Join(root, s.Image))
		start := time.Now()
		zone, err := reader.Read(context.Background(), gray, w, h, today())
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		if zone == nil {
			t.Logf("%-40s %4d×%4d %4d ms  not found", s.Image, w, h, took.Milliseconds())
			continue
		}
		wrong := 0
		for i, l := range s.Lines {
			for k := range l {
				if i >= len(zone.Lines) || k >= len(zone.Lines[i]) || zone.Lines[i][k] != l[k] {
					wrong++
				}
			}
		}
		if zone.Valid {
			valid++
			if wrong == 0 {
				exact++
			}
		}
		t.Logf("%-40s %4d×%4d %4d ms  %s valid %v, %d characters differ %q", s.Image, w, h, took.Milliseconds(), zone.Format, zone.Valid, wrong, zone.Lines)
	}
	t.Logf("of %d pictures %d valid, %d exact", len(samples), valid, exact)
	if exact < 21 || valid > exact {
		t.Errorf("of %d pictures %d valid, %d exact; want 21 exact and no valid one that is not", len(samples), valid, exact)
	}
}

func TestReadRefusesWrongSizes(t *testing.T) {
	reader, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ bytes, w, h int }{{0, 0, 0}, {8, 3, 3}, {9, -3, -3}, {maxSide + 1, maxSide + 1, 1}} {
		if _, err := reader.Read(context.Background(), make([]byte, c.bytes), c.w, c.h, today()); !errors.Is(err, ErrSize) {
			t.Errorf("%d bytes for %d×%d: %v", c.bytes, c.w, c.h, err)
		}
	}
	for _, c := range []struct{ w, h int }{{1, 1}, {1, 900}, {900, 1}, {640, 480}, {120, 40}} {
		if zone, err := reader.Read(context.Background(), make([]byte, c.w*c.h), c.w, c.h, today()); err != nil || zone != nil {
			t.Errorf("black %d×%d: %v, %v", c.w, c.h, zone, err)
		}
	}
}

func grey(t testing.TB, path string) ([]byte, int, int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return greyOf(img)
}

func greyOf(img image.Image) ([]byte, int, int) {
	b := img.Bounds()
	out := make([]byte, 0, b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out = append(out, color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
		}
	}
	return out, b.Dx(), b.Dy()
}

// testdata is the folder of real pictures, which is not part of the project.
func testdata(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("KYCD_TESTDATA")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for root != filepath.Dir(root) {
			if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
				break
			}
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared", "testdata")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("needs testdata: %s", dir)
		}
		t.Skipf("needs testdata: %s", dir)
	}
	return dir
}
