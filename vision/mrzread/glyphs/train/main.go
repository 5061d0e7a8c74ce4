// Command train makes the weights of package glyphs: it prints random lines in the OCR-B typeface, photographs
// them badly, cuts them with the package's own code and teaches the network by gradient descent.
//
// The typeface is Debian's fonts-ocr-b, in the public domain:
//
//	apt-get install fonts-ocr-b
//	go run ./vision/mrzread/glyphs/train -fonts /usr/share/fonts/opentype/ocr-b -out vision/mrzread/glyphs/weights.bin
//
// Runs with the same seed and fonts make the same weights on the same kind of processor.
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"kycd/vision/mrzread/glyphs"
)

func main() {
	fonts := flag.String("fonts", "/usr/share/fonts/opentype/ocr-b", "folder of the OCR-B fonts")
	out := flag.String("out", "vision/mrzread/glyphs/weights.bin", "file to write")
	lines := flag.Int("lines", 3500, "lines to learn from")
	epochs := flag.Int("epochs", 6, "passes over the lines")
	seed := flag.Uint64("seed", 3, "seed of every random choice")
	flag.Parse()
	if err := run(*fonts, *out, *lines, *epochs, *seed); err != nil {
		log.Fatal(err)
	}
}

func run(folder, out string, lines, epochs int, seed uint64) error {
	var faces []typeface
	for _, cut := range []string{"OCRB.otf", "OCRBS.otf", "OCRBL.otf"} {
		face, err := loadTypeface(filepath.Join(folder, cut), filepath.Join(folder, "OCRBS.otf"))
		if err != nil {
			return fmt.Errorf("%s: %w", cut, err)
		}
		faces = append(faces, face)
	}
	learn, cut := collect(faces, lines, seed)
	check, _ := collect(faces, lines/20, seed+1<<32)
	log.Printf("%d cells to learn from, %d to check; %.1f %% of the lines could not be cut", len(learn), len(check), 100*cut)
	random := rand.New(rand.NewPCG(seed, 0x0c2b))
	n := newNetwork(random)
	trainer := newTrainer(n)
	for e := range epochs {
		rate := 2e-3 * 0.5 * (1 + math.Cos(math.Pi*float64(e)/float64(epochs)))
		loss := trainer.epoch(learn, float32(rate), random)
		if err := os.WriteFile(out, n.Marshal(), 0o644); err != nil {
			return err
		}
		log.Printf("pass %d: loss %.4f, %.3f %% of the check cells right", e+1, loss, 100*accuracy(n, check))
	}
	packed, err := glyphs.Unmarshal(n.Marshal())
	if err != nil {
		return err
	}
	log.Printf("packed to bytes: %.3f %% right", 100*accuracy(packed, check))
	return os.WriteFile(out, n.Marshal(), 0o644)
}

// sample is a cell, its ink as bytes, and the index of its character.
type sample struct {
	cell  [glyphs.CellWidth * glyphs.CellHeight]byte
	label int
}

// collect prints lines and cuts them, on all cores; line k depends on the seed and k alone. The share of the lines that
// were not cut, or off their columns, is returned too.
func collect(faces []typeface, lines int, seed uint64) (out []sample, lost float64) {
	cut := make([][]sample, lines)
	var done sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		done.Go(func() {
			for k := worker; k < lines; k += workers {
				cut[k] = collectLine(faces, rand.New(rand.NewPCG(seed, uint64(k))))
			}
		})
	}
	done.Wait()
	for _, cells := range cut {
		if cells == nil {
			lost += 1 / float64(lines)
		}
		out = append(out, cells...)
	}
	return out, lost
}

// collectLine prints one line. A cell's character is the one printed where the cell's middle lies, or a blank. It is nil
// for a line that was not cut along its columns.
func collectLine(faces []typeface, random *rand.Rand) (cells []sample) {
	text := randomText(random)
	strip, columnAt := photograph(faces[random.IntN(len(faces))], text, random)
	line, ok := glyphs.Cut(strip)
	if !ok {
		return nil
	}
	for i, c := range line.Cells {
		u := columnAt(line.Centres[i])
		label := strings.IndexByte(glyphs.Alphabet, glyphs.Blank)
		if column := int(math.Floor(u)); column >= 0 && column < len(text) {
			label = text[column]
		}
		if off := u - math.Floor(u) - 0.5; math.Abs(off) > 0.3 {
			return nil
		}
		if label == strings.IndexByte(glyphs.Alphabet, glyphs.Blank) && random.Float64() < 0.5 {
			continue
		}
		cells = append(cells, sample{packed(shifted(c, random.IntN(7)-3, random.IntN(3)-1)), label})
	}
	return cells
}

// shifted is a cell whose column was not quite found: its ink moved by pixels of the raster. What comes in is blank.
func shifted(c glyphs.Cell, dx, dy int) (out glyphs.Cell) {
	for y := range glyphs.CellHeight {
		for x := range glyphs.CellWidth {
			if fx, fy := x-dx, y-dy; fx >= 0 && fx < glyphs.CellWidth && fy >= 0 && fy < glyphs.CellHeight {
				out[y*glyphs.CellWidth+x] = c[fy*glyphs.CellWidth+fx]
			}
		}
	}
	return out
}

func packed(c glyphs.Cell) (out [glyphs.CellWidth * glyphs.CellHeight]byte) {
	for i, v := range c {
		out[i] = byte(v*255 + 0.5)
	}
	return out
}

// randomText is a line of indices into the alphabet, with runs of fillers as real lines have.
func randomText(random *rand.Rand) []int {
	text := make([]int, []int{30, 36, 44}[random.IntN(3)])
	filler := strings.IndexByte(glyphs.Alphabet, '<')
	for i := range text {
		text[i] = random.IntN(filler + 1)
		if i > 0 && text[i-1] == filler && random.Float64() < 0.5 {
			text[i] = filler
		}
	}
	return text
}

func accuracy(n *glyphs.Network, samples []sample) float64 {
	right := 0
	for _, s := range samples {
		var cell glyphs.Cell
		for i, v := range s.cell {
			cell[i] = float32(v) / 255
		}
		if c, _ := n.Classify(&cell).Best(); c == glyphs.Alphabet[s.label] {
			right++
		}
	}
	return float64(right) / float64(max(len(samples), 1))
}
