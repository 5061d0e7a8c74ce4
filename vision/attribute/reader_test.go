package attribute

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kycd/models"
	"kycd/vision"
	"kycd/vision/face"
	"kycd/vision/imaging"
	"kycd/vision/visiontest"
)

func open(t testing.TB) *Reader {
	t.Helper()
	reader, err := NewReader(visiontest.Models(t, append(models.NetAgeGender.Files(), models.NetExpression.Files()...)...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return reader
}

// drawn is the picture that models/reference/attributes.js draws for the same seed.
func drawn(seed uint64, width, height int) *imaging.Picture {
	state := seed
	next := func() int {
		state = state*6364136223846793005 + 1442695040888963407
		return int(state >> 33)
	}
	var colours [6]int
	for i := range colours {
		colours[i] = next() % 224
	}
	pix := make([]byte, 3*width*height)
	for y := range height {
		for x := range width {
			dx, dy := 2*x-width, 2*y-height
			inside := 0
			if dx*dx*height*height+dy*dy*width*width < width*width*height*height {
				inside = 3
			}
			for c := range 3 {
				pix[3*(y*width+x)+2-c] = byte(colours[inside+c] + next()%32)
			}
		}
	}
	return imaging.New(pix, width, height)
}

// The whole way from a picture to its attributes, padding and scaling included, gives what face-api gives.
func TestReadsAsFaceAPIDoes(t *testing.T) {
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Seed              uint64
		Width, Height     int
		Age               float64
		Gender            string
		GenderProbability float64
		Expressions       map[string]float64
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 6 {
		t.Fatalf("%d cases", len(cases))
	}
	reader := open(t)
	const tolerance = 1e-3 // a thousandth of a year, or of a probability
	for _, want := range cases {
		pic := drawn(want.Seed, want.Width, want.Height)
		got, err := reader.Read(pic, vision.Box{Width: want.Width, Height: want.Height}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Gender != want.Gender || !near(got.Age, want.Age, tolerance) || !near(got.GenderProbability, want.GenderProbability, tolerance) {
			t.Errorf("%d×%d: %+v, want %+v", want.Width, want.Height, got, want)
		}
		sum := 0.0
		for name, p := range want.Expressions {
			if v, ok := got.Expressions[name]; !ok || !near(v, p, tolerance) {
				t.Errorf("%d×%d: %s %v, want %v", want.Width, want.Height, name, v, p)
			}
			sum += got.Expressions[name]
		}
		if len(got.Expressions) != len(want.Expressions) || !near(sum, 1, 1e-5) {
			t.Errorf("%d×%d: %d expressions that sum to %v", want.Width, want.Height, len(got.Expressions), sum)
		}
		if got.Model != Model {
			t.Errorf("model %q", got.Model)
		}
	}
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestMissingWeights(t *testing.T) {
	if _, err := NewReader(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without any: %v", err)
	}
	from, half := visiontest.Models(t, models.NetAgeGender.Files()...), t.TempDir()
	for _, name := range models.NetAgeGender.Files() {
		if err := os.Symlink(filepath.Join(from, name), filepath.Join(half, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := NewReader(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without expressions: %v", err)
	}
}

func TestRegion(t *testing.T) {
	shape := make([]vision.Point, 68)
	for i := range shape {
		shape[i] = vision.Point{X: 100 + float64(i%10)*10, Y: 50 + float64(i/10)*20}
	}
	broken := append([]vision.Point(nil), shape...)
	broken[7].Y = math.NaN()
	tests := []struct {
		name  string
		box   vision.Box
		shape []vision.Point
		want  vision.Box
		ok    bool
	}{
		{"the box", vision.Box{X: 10, Y: 20, Width: 30, Height: 40}, nil, vision.Box{X: 10, Y: 20, Width: 30, Height: 40}, true},
		{"a box beyond the picture", vision.Box{X: -10, Y: 180, Width: 30, Height: 40}, nil, vision.Box{X: 0, Y: 180, Width: 20, Height: 20}, true},
		{"around the landmarks", vision.Box{}, shape, vision.Box{X: 91, Y: 38, Width: 108, Height: 144}, true},
		{"too few landmarks", vision.Box{X: 10, Y: 20, Width: 30, Height: 40}, shape[:5], vision.Box{X: 10, Y: 20, Width: 30, Height: 40}, true},
		{"outside", vision.Box{X: 300, Y: 20, Width: 30, Height: 40}, nil, vision.Box{}, false},
		{"no area", vision.Box{X: 30, Y: 20, Width: 0, Height: 40}, nil, vision.Box{}, false},
		{"a landmark that is no number", vision.Box{X: 10, Y: 20, Width: 30, Height: 40}, broken, vision.Box{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, ok := region(300, 200, test.box, test.shape); got != test.want || ok != test.ok {
				t.Errorf("got %+v, %v; want %+v, %v", got, ok, test.want, test.ok)
			}
		})
	}
	if _, err := open(t).Read(drawn(1, 30, 30), vision.Box{X: 40, Width: 5, Height: 5}, nil); !errors.Is(err, ErrNoFace) {
		t.Errorf("outside: %v", err)
	}
}

// One person's photographs, and each one's mirror image, are read alike. What is right of it nobody labelled.
func TestConsistency(t *testing.T) {
	file, err := os.Open(visiontest.Testdata(t, "faces/dev/identities.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	finder, err := face.NewFinder(visiontest.Models(t, face.YuNetFile))
	if err != nil {
		t.Fatal(err)
	}
	defer finder.Close()
	reader := open(t)
	ages := map[string][]float64{}
	men := map[string]int{}
	var mirrored, shown, n float64
	for _, row := range rows[1:] {
		if !strings.HasPrefix(row[1], "lfw/") {
			continue // the others' photographs are large, and tell the same
		}
		pic, err := imaging.Decode(visiontest.Read(t, "faces/dev/"+row[0]), imaging.Options{})
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
		box := found[0].Box(1)
		got, err := reader.Read(pic, box, nil)
		if err != nil {
			t.Fatal(err)
		}
		box.X = pic.Width - box.X - box.Width
		other, err := reader.Read(pic.Mirrored(), box, nil)
		if err != nil {
			t.Fatal(err)
		}
		mirrored += math.Abs(got.Age - other.Age)
		for name, p := range got.Expressions {
			shown += math.Abs(p-other.Expressions[name]) / 2
		}
		n++
		ages[row[1]] = append(ages[row[1]], got.Age)
		if got.Gender == "male" {
			men[row[1]]++
		}
	}
	var spread, people, agree, photos float64
	for person, own := range ages {
		if len(own) < 4 {
			continue
		}
		mean, square := 0.0, 0.0
		for _, a := range own {
			mean += a / float64(len(own))
		}
		for _, a := range own {
			square += (a - mean) * (a - mean) / float64(len(own)-1)
		}
		spread += math.Sqrt(square)
		people++
		agree += float64(max(men[person], len(own)-men[person]))
		photos += float64(len(own))
	}
	t.Logf("%.0f photographs: mirrored, the age moves by %.1f years, expressions by %.2f; of %.0f people, the age's standard deviation is %.1f years and the gender agrees on %.2f of photographs",
		n, mirrored/n, shown/n, people, spread/people, agree/photos)
	if mirrored/n > 5 || shown/n > 0.2 || spread/people > 8 || agree/photos < 0.9 {
		t.Error("less consistent than measured before")
	}
}

func BenchmarkRead(b *testing.B) {
	reader := open(b)
	pic := drawn(5, 640, 800)
	for b.Loop() {
		if _, err := reader.Read(pic, vision.Box{Width: 640, Height: 800}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
