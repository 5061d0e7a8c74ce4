package networks

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
	"testing"

	"kycd/models"
	"kycd/vision/visiontest"
)

// pixels draws the picture that models/reference draws for the same seed, with the colour planes apart.
func pixels(seed uint64, edge, channels int) []float32 {
	state := seed
	next := func() int {
		state = state*6364136223846793005 + 1442695040888963407
		return int(state >> 33)
	}
	patches := make([]int, 64*channels)
	for i := range patches {
		patches[i] = next() % 192
	}
	planes := make([]float32, channels*edge*edge)
	for y := range edge {
		for x := range edge {
			patch := y*8/edge*8 + x*8/edge
			for c := range channels {
				planes[(c*edge+y)*edge+x] = float32(patches[patch*channels+c] + next()%64)
			}
		}
	}
	return planes
}

type reference struct {
	Network models.Net
	Seed    uint64
	Outputs map[string][]float32
}

// The answers of the packages that publish the networks; models/reference printed them.
func references(t *testing.T) []reference {
	t.Helper()
	b, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []reference
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func open(t *testing.T, name models.Net) *Network {
	t.Helper()
	n, err := Open(visiontest.Models(t, name.Files()...), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// tolerance is how far a value may lie from the reference: a probability, a year, a pixel of the input, a unit of an encoding.
const tolerance = 1e-3

func TestNetworksAnswerAsTheirAuthorsDo(t *testing.T) {
	for _, ref := range references(t) {
		t.Run(string(ref.Network), func(t *testing.T) {
			n := open(t, ref.Network)
			l := n.Layout()
			got, err := n.Run(pixels(ref.Seed, l.Width, l.Channels))
			if err != nil {
				t.Fatal(err)
			}
			for i, out := range l.Outputs {
				want := ref.Outputs[out.Name]
				if len(want) != out.Size || len(got[i]) != out.Size {
					t.Fatalf("%s: %d values, want %d of %d", out.Name, len(got[i]), len(want), out.Size)
				}
				worst := 0.0
				for k := range want {
					worst = max(worst, math.Abs(float64(got[i][k]-want[k])))
				}
				t.Logf("seed %d %s: deviation %.1e", ref.Seed, out.Name, worst)
				if !(worst <= tolerance) {
					t.Errorf("seed %d: %s deviates by %g", ref.Seed, out.Name, worst)
				}
			}
		})
	}
}

func TestEveryPublishedNetworkIsCompared(t *testing.T) {
	compared := map[models.Net]int{}
	for _, ref := range references(t) {
		compared[ref.Network]++
	}
	compared[models.NetMiniFASNetV2], compared[models.NetMiniFASNetV1SE] = 1, 1 // TestMiniFASNetComputesItsLayers
	for _, name := range models.Nets() {
		if compared[name] == 0 {
			t.Errorf("%s is compared with nothing", name)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := Open(t.TempDir(), models.NetMobileFace); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	var refused *models.Error
	if _, err := Open(t.TempDir(), "nothing"); !errors.As(err, &refused) || refused.Code != models.CodeConversion {
		t.Errorf("no such network: %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	n := open(t, models.NetEmotion)
	right := pixels(1, 64, 1)
	for name, input := range map[string][]float32{
		"nothing":        nil,
		"one too few":    right[1:],
		"not a number":   append(slices.Clone(right[1:]), float32(math.NaN())),
		"without bounds": append(slices.Clone(right[1:]), float32(math.Inf(1))),
	} {
		if _, err := n.Run(input); !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if err := n.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := n.Run(right); !errors.Is(err, ErrInput) {
		t.Errorf("after Close: %v", err)
	}
}
