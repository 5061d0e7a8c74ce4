// Command train makes the weights of package glyphs: it prints capitals and digits in many typefaces, photographs them badly,
// cuts them with the package's own code and teaches the network by gradient descent.
//
//	go run ./vision/ocr/glyphs/train -out vision/ocr/glyphs/weights.bin
//
// Runs with the same seed make the same weights on the same kind of processor.
package main

import (
	"flag"
	"log"
	"math"
	"math/rand/v2"
	"os"

	"kycd/vision/ocr/glyphs"
)

func main() {
	out := flag.String("out", "vision/ocr/glyphs/weights.bin", "file to write")
	each := flag.Int("each", 60, "pictures of a character in a typeface")
	epochs := flag.Int("epochs", 8, "passes over the pictures")
	seed := flag.Uint64("seed", 1, "seed of every random choice")
	flag.Parse()
	if err := run(*out, *each, *epochs, *seed); err != nil {
		log.Fatal(err)
	}
}

func run(out string, each, epochs int, seed uint64) error {
	faces, err := typefaces()
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(seed, 0x91f))
	learn, check := collect(faces, each, random), collect(faces, max(each/10, 1), random)
	log.Printf("%d pictures to learn from, %d to check", len(learn), len(check))
	t := newTrainer(random)
	for e := range epochs {
		rate := 2e-3 * 0.5 * (1 + math.Cos(math.Pi*float64(e)/float64(epochs)))
		loss := t.epoch(learn, float32(rate), random)
		log.Printf("pass %d: loss %.4f, %.2f %% of the checks right", e+1, loss, 100*accuracy(t.net, check))
	}
	packed, err := glyphs.Unmarshal(t.net.Marshal())
	if err != nil {
		return err
	}
	log.Printf("packed: %.2f %% right", 100*accuracy(packed, check))
	return os.WriteFile(out, t.net.Marshal(), 0o644)
}

// sample is a cell and the index of its character.
type sample struct {
	cell  glyphs.Cell
	label int
}

func collect(faces []typeface, each int, random *rand.Rand) (out []sample) {
	for _, f := range faces {
		for label, mask := range f {
			for range each {
				if cell, ok := photograph(mask, random); ok {
					out = append(out, sample{cell, label})
				}
			}
		}
	}
	return out
}

func accuracy(n *glyphs.Network, samples []sample) float64 {
	right := 0
	for i := range samples {
		if c, _ := n.Classify(&samples[i].cell).Best(); c == glyphs.Alphabet[samples[i].label] {
			right++
		}
	}
	return float64(right) / float64(max(len(samples), 1))
}
