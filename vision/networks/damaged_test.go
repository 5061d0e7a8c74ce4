package networks

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"kycd/models"
	"kycd/vision/visiontest"
)

// A contradiction inside a network ends the process that gives it to OpenCV. So what the conversion lets through of files
// that were changed at random must be a network that can be run, whatever it says.
func TestWhatIsConvertedCanBeRun(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	converted := 0
	for _, name := range []models.Net{models.NetEmotion, models.NetExpression, models.NetIris, models.NetMiniFASNetV1SE} {
		from, dir := visiontest.Models(t, name.Files()...), t.TempDir()
		for _, file := range name.Files() {
			b, err := os.ReadFile(filepath.Join(from, file))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		structure := filepath.Join(dir, name.Files()[0])
		sound, err := os.ReadFile(structure)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			b := bytes.Clone(sound)
			at := random.IntN(min(len(b), 60_000))
			if was := b[at]; was >= '0' && was <= '9' {
				b[at] = byte('0' + random.IntN(10))
			} else {
				b[at] = byte(random.Uint32())
			}
			if err := os.WriteFile(structure, b, 0o600); err != nil {
				t.Fatal(err)
			}
			n, err := Open(dir, name)
			if err != nil {
				continue
			}
			converted++
			l := n.Layout()
			if _, err := n.Run(pixels(1, l.Width, l.Channels)); err != nil {
				t.Errorf("%s changed at %d to %q: %v", name, at, b[at], err)
			}
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if converted < 15 {
		t.Errorf("only %d of 160 changed networks were run", converted)
	}
}
