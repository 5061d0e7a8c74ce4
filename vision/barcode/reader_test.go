package barcode

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/boombuler/barcode/aztec"
	"github.com/boombuler/barcode/code128"

	"kycd/kyc/specimen"
	"kycd/vision"
)

// The published first patterns of the three clusters, as widths of bars and spaces.
func TestPatternsAreTheStandards(t *testing.T) {
	for cluster, widths := range map[int]string{0: "31111136", 1: "51111125", 2: "21111155"} {
		var modules strings.Builder
		for i, w := range widths {
			modules.WriteString(strings.Repeat(string("10"[i%2]), int(w-'0')))
		}
		row := make([]float32, wordModules)
		put(row, pattern(cluster, 0), wordModules)
		for i, m := range modules.String() {
			if row[i] != float32(m-'0') {
				t.Fatalf("cluster %d: %v, want %s", cluster, row, modules.String())
			}
		}
	}
	// Four bars and four spaces, and the cluster number that the standard defines by the bars' widths.
	for cluster := range clusters {
		seen := make(map[uint32]bool)
		for word := range fieldSize {
			p := pattern(cluster, word)
			var runs []int
			for bit := wordModules - 1; bit >= 0; bit-- {
				if bit == wordModules-1 || p>>bit&1 != p>>(bit+1)&1 {
					runs = append(runs, 0)
				}
				runs[len(runs)-1]++
			}
			if len(runs) != 8 || (runs[0]-runs[2]+runs[4]-runs[6]+9)%9 != 3*cluster || seen[p] {
				t.Fatalf("cluster %d, word %d: runs %v, repeated %v", cluster, word, runs, seen[p])
			}
			seen[p] = true
		}
	}
}

func TestCorrectTakesErasuresAndErrors(t *testing.T) {
	p, random := newPowers(), rand.New(rand.NewPCG(1, 2))
	const n, k = 200, 64
	// A codeword: zero but for a multiple of the generator's shifts, found by correcting k erasures at its end.
	message := make([]int, n)
	for i := range n - k {
		message[i] = random.IntN(fieldSize)
	}
	var last []int
	for i := n - k; i < n; i++ {
		last = append(last, i)
	}
	word, _, ok := p.correct(message, k, last, 0)
	if !ok {
		t.Fatal("k erasures are not filled in")
	}
	for _, c := range []struct {
		erased, wrong int
		ok            bool
	}{{0, 0, true}, {0, 29, true}, {58, 0, true}, {30, 14, true}, {30, 15, false}, {0, 30, false}, {59, 0, false}} {
		spoilt := slices.Clone(word)
		places := random.Perm(n)[:c.erased+c.wrong]
		for _, i := range places {
			spoilt[i] = (spoilt[i] + 1 + random.IntN(fieldSize-1)) % fieldSize
		}
		got, wrong, ok := p.correct(spoilt, k, places[:c.erased], spareWords)
		if ok != c.ok || ok && (wrong != c.wrong || !slices.Equal(got, word)) {
			t.Errorf("%d erased, %d wrong: ok %v, %d corrected, want %v", c.erased, c.wrong, ok, wrong, c.ok)
		}
	}
}

// What is no codeword must not become one.
func TestCorrectRefusesChance(t *testing.T) {
	p, random := newPowers(), rand.New(rand.NewPCG(3, 2))
	words := make([]int, 231)
	for range 300 {
		for i := range words {
			words[i] = random.IntN(fieldSize)
		}
		erased := random.Perm(len(words))[:random.IntN(59)]
		if _, _, ok := p.correct(words, 64, erased, spareWords); ok {
			t.Fatal("random codewords were corrected")
		}
	}
}

// A card so blurred that the library by itself gives up on it, read with the corners of the card, which is told to lie on its head.
func TestDecodeReadsBlurredCards(t *testing.T) {
	press, err := specimen.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, seed := range []uint64{2, 4} {
		s := photograph(t, press, specimen.Poor(seed))
		corners := s.corners
		corners[0], corners[1], corners[2], corners[3] = corners[2], corners[3], corners[0], corners[1] // on its head
		found, err := Decode(context.Background(), s.gray, s.w, s.h, Options{Page: &corners})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			continue
		}
		if found[0].Text != s.want || found[0].Format != PDF417 {
			t.Fatalf("read %q, want %q", found[0].Text, s.want)
		}
		read++
		// The symbol lies within the card, its upper left next to the card's.
		if d := distance(found[0].Corners[0], s.corners[0]); d > 0.3*distance(s.corners[0], s.corners[1]) {
			t.Errorf("upper left corner is %v, that of the card %v", found[0].Corners[0], s.corners[0])
		}
	}
	if read == 0 {
		t.Error("none was read")
	}
}

func TestDecodeBearsAnyPage(t *testing.T) {
	gray := make([]byte, 640*480)
	random := rand.New(rand.NewPCG(8, 1))
	for i := range gray {
		gray[i] = byte(random.Uint32())
	}
	inf := math.Inf(1)
	for _, page := range [][4]vision.Point{
		{},
		{{X: 1, Y: 1}, {X: 2, Y: 2}, {X: 3, Y: 3}, {X: 4, Y: 4}},
		{{X: -5e4, Y: -5e4}, {X: 5e4, Y: -5e4}, {X: 5e4, Y: 5e4}, {X: -5e4, Y: 5e4}},
		{{X: inf, Y: 0}, {X: 1, Y: inf - inf}, {X: 3, Y: 3}, {X: -inf, Y: 4}},
		{{X: 0, Y: 0}, {X: 640, Y: 480}, {X: 640, Y: 0}, {X: 0, Y: 480}},
		{{X: 0, Y: 0}, {X: 640, Y: 0}, {X: 640, Y: 480}, {X: 0, Y: 480}},
	} {
		if found, err := Decode(context.Background(), gray, 640, 480, Options{Page: &page}); err != nil || len(found) != 0 {
			t.Errorf("page %v: %v, %v", page, found, err)
		}
	}
}

func TestDecodeReportsFormats(t *testing.T) {
	stick, err := code128.Encode("STOCK-0042")
	if err != nil {
		t.Fatal(err)
	}
	square, err := aztec.Encode([]byte("NO LICENCE"), aztec.DEFAULT_EC_PERCENT, aztec.DEFAULT_LAYERS)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(9, 1))
	p := photo{width: 600, height: 400, module: 3, row: 80, dark: 10, light: 240}
	for format, gray := range map[string][]byte{
		"Code128": p.draw(stick, random),
		"Aztec":   photo{width: 600, height: 400, module: 8, dark: 10, light: 240}.draw(square, random),
	} {
		found, err := Decode(context.Background(), gray, p.width, p.height, Options{Any: true})
		if err != nil || len(found) != 1 || found[0].Format != format {
			t.Errorf("%s: %+v, %v", format, found, err)
		}
	}
}

// As many bytes as a symbol holds, of every kind.
func TestDecodeLargestSymbol(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 1))
	text := make([]byte, 1000)
	for i := range text {
		text[i] = byte(random.Uint32())
	}
	text[0], text[500], text[999] = 0, 0, 0
	p := photo{width: 2600, height: 2200, module: 3, dark: 10, light: 240, noise: 2}
	gray := p.take(t, string(text), random)
	found, err := Decode(context.Background(), gray, p.width, p.height, Options{})
	if err != nil || len(found) != 1 || found[0].Text != string(text) {
		t.Errorf("found %d, %v", len(found), err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x00\x01\x02"), uint16(3), uint16(1), true)
	f.Fuzz(func(t *testing.T, pixels []byte, w, h uint16, any bool) {
		width, height := int(w%400)+1, int(h%400)+1
		gray := make([]byte, width*height)
		for i := range gray {
			if len(pixels) > 0 {
				gray[i] = pixels[i%len(pixels)]
			}
		}
		page := [4]vision.Point{{}, {X: float64(width)}, {X: float64(width), Y: float64(height)}, {Y: float64(height)}}
		if _, err := Decode(context.Background(), gray, width, height, Options{Any: any, Page: &page}); err != nil {
			t.Fatal(err)
		}
	})
}
