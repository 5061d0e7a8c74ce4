package models

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kycd/models/onnx"
	"kycd/models/tfjs"
)

// publishedWeights is a filled models folder: KYCD_MODELS, or data/models of the project.
func publishedWeights(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KYCD_MODELS")
	if dir == "" {
		dir = filepath.Join("..", "data", "models")
	}
	for _, n := range Nets() {
		for _, f := range n.Files() {
			_, err := os.Stat(filepath.Join(dir, f))
			needsWeights(t, err)
		}
	}
	return dir
}

// folder is a models folder with a network's files, the i-th of them changed.
func folder(t *testing.T, n Net, changed int, content []byte) string {
	t.Helper()
	from, dir := publishedWeights(t), t.TempDir()
	for i, name := range n.Files() {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if i == changed {
			b = content
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestNetsAreConverted(t *testing.T) {
	dir := publishedWeights(t)
	for _, n := range Nets() {
		best := time.Hour
		var first []byte
		for range 3 {
			start := time.Now()
			model, err := ONNX(dir, n)
			if err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(start))
			if first == nil {
				first = model
			}
			if !bytes.Equal(first, model) {
				t.Errorf("%s: two conversions differ", n)
			}
		}
		l, ok := n.Layout()
		if !ok || l.Channels*l.Height*l.Width == 0 || len(l.Outputs) == 0 {
			t.Errorf("%s: layout %+v", n, l)
		}
		t.Logf("%s: %d bytes in %s", n, len(first), best)
		if best > time.Second {
			t.Errorf("%s: converted in %s", n, best)
		}
	}
}

func TestMissingNetworkIsSaid(t *testing.T) {
	for _, n := range Nets() {
		_, err := ONNX(t.TempDir(), n)
		var missing *Error
		if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &missing) || missing.Code != CodeMissing || missing.Subject != n.Files()[0] {
			t.Errorf("%s: %v", n, err)
		}
	}
	var unknown *Error
	if _, err := ONNX(t.TempDir(), "nothing"); !errors.As(err, &unknown) || unknown.Code != CodeConversion || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such network: %v", err)
	}
	if _, ok := Net("nothing").Layout(); ok || Net("nothing").Files() != nil {
		t.Error("a network that does not exist has a layout")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "emotion.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := ONNX(dir, NetEmotion); !errors.As(err, &unknown) || unknown.Code != CodeFolder {
		t.Errorf("a folder for a file: %v", err)
	}
}

// Content that is not the network is refused by its code, and never ends the program.
func TestDamagedNetworkIsRefused(t *testing.T) {
	from := publishedWeights(t)
	random := rand.New(rand.NewPCG(5, 6))
	for _, n := range Nets() {
		for i, name := range n.Files() {
			sound, err := os.ReadFile(filepath.Join(from, name))
			if err != nil {
				t.Fatal(err)
			}
			for what, content := range map[string][]byte{
				"empty": nil, "half": sound[:len(sound)/2], "one byte less": sound[:len(sound)-1], "rubbish": bytes.Repeat([]byte{'('}, 5000),
			} {
				var refused *Error
				_, err := ONNX(folder(t, n, i, content), n)
				if !errors.As(err, &refused) || refused.Code != CodeConversion || refused.Subject != string(n) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s, %s %s: %v", n, name, what, err)
				}
			}
			if strings.HasSuffix(name, ".bin") {
				continue // any numbers are weights
			}
			net, _ := n.network()
			files := make([][]byte, len(n.Files()))
			for k, other := range n.Files() {
				if files[k], err = os.ReadFile(filepath.Join(from, other)); err != nil {
					t.Fatal(err)
				}
			}
			for range 40 {
				files[i] = bytes.Clone(sound)
				for range 1 + random.IntN(20) {
					// The first 60 kB of a dictionary of tensors, and all of a list of layers, are structure.
					files[i][random.IntN(min(len(sound), 60_000))] = "0123456789,:\"[]{}abK(."[random.IntN(22)]
				}
				if model, err := net.write(files); (err == nil) != (len(model) > 0) {
					t.Errorf("%s: %d bytes and %v", n, len(model), err)
				}
			}
		}
	}
}

// What is wrong is named: the layer, the operation or the weight.
func TestDamagedNetworkIsNamed(t *testing.T) {
	from := publishedWeights(t)
	for _, c := range []struct {
		net      Net
		old, new string
		want     func(error) bool
	}{
		{NetMobileFace, `"op":"Reshape"`, `"op":"Repeat"`, func(err error) bool {
			var op *tfjs.OpError
			return errors.As(err, &op) && op.Op == "Repeat"
		}},
		{NetAgeGender, `"fc/age/weights"`, `"fc/age/heights"`, func(err error) bool { return strings.Contains(err.Error(), `weight "fc/age/weights" is missing`) }},
		{NetMiniFASNetV2, "module.conv_34.project.bn.bias", "module.conv_34.project.bn.bios", func(err error) bool {
			return strings.Contains(err.Error(), `weight "conv_34.project.bn.bias" is missing`)
		}},
		{NetExpression, `"shape":[1,1,32,32]`, `"shape":[1,1,16,64]`, func(err error) bool {
			var layer *onnx.Error
			return errors.As(err, &layer) && layer.Layer == "Conv"
		}},
	} {
		b, err := os.ReadFile(filepath.Join(from, c.net.Files()[0]))
		if err != nil {
			t.Fatal(err)
		}
		compact := b
		if c.net != NetMiniFASNetV2 {
			compact = bytes.ReplaceAll(bytes.ReplaceAll(b, []byte(" "), nil), []byte("\n"), nil)
		}
		if !bytes.Contains(compact, []byte(c.old)) {
			t.Errorf("%s: nothing to change", c.net)
			continue
		}
		if _, err := ONNX(folder(t, c.net, 0, bytes.Replace(compact, []byte(c.old), []byte(c.new), 1)), c.net); err == nil || !c.want(err) {
			t.Errorf("%s with %s: %v", c.net, c.new, err)
		}
	}
}
