package vision

import (
	"math"
	"math/bits"
	"slices"
)

// FingerprintModel names the algorithm of this package and vision/fingerprint. Fingerprints of another one are never compared.
const FingerprintModel = "grid64@1"

// FingerprintSide is how many cells a fingerprint has across and down, whatever the picture's proportions.
const FingerprintSide = 64

// Fingerprint is what copies of a picture are recognised by, whatever was done to their bytes. It is a very small
// picture itself, so it is as much a person's as the picture is.
type Fingerprint struct {
	Whole []uint64 `json:"whole"` // brightness around each place of a grid, a byte each, row by row; the first of a word in its lowest byte
	Model string   `json:"model"` // name and version of the algorithm
}

// NewFingerprint takes the brightness, 0..255, of FingerprintSide² cells, row by row.
func NewFingerprint(cells []byte) Fingerprint {
	f := Fingerprint{Whole: make([]uint64, len(cells)/8), Model: FingerprintModel}
	for i := range f.Whole {
		for k, v := range cells[8*i : 8*i+8] {
			f.Whole[i] |= uint64(v) << (8 * k)
		}
	}
	return f
}

// grid unpacks the cells; ok is false for a fingerprint of another algorithm.
func (f Fingerprint) grid() (g grid, ok bool) {
	if f.Model != FingerprintModel || len(f.Whole) != FingerprintSide*FingerprintSide/8 {
		return grid{}, false
	}
	g = newGrid(FingerprintSide)
	for i := range g.cells {
		g.cells[i] = float32(byte(f.Whole[i/8] >> (8 * (i % 8))))
	}
	return g, true
}

// CopyLikeness is the likeness from which one picture is a copy of the other. It was chosen on one half of the pictures that
// docs/replay.md describes.
const CopyLikeness = 0.92

// Copy tells whether one of the pictures was made from the other: saved again, scaled, mirrored, trimmed by up to a
// twentieth on any side, made lighter, darker, or turned by a degree. The likeness is 1 for the same cells and at
// most 0 for pictures that have nothing in common.
func (f Fingerprint) Copy(g Fingerprint) (likeness float64, is bool) {
	return f.Tracing().Copy(g)
}

// Tracing is a fingerprint made ready to be compared with many.
type Tracing struct {
	upright, mirrored pyramid
	ok                bool
}

// Tracing prepares a fingerprint.
func (f Fingerprint) Tracing() *Tracing {
	g, ok := f.grid()
	if !ok {
		return &Tracing{}
	}
	return &Tracing{upright: newPyramid(g), mirrored: newPyramid(g.mirrored()), ok: true}
}

// Copy is Fingerprint.Copy.
func (t *Tracing) Copy(other Fingerprint) (likeness float64, is bool) {
	g, ok := other.grid()
	if !t.ok || !ok {
		return 0, false
	}
	still := newPyramid(g)
	for _, moving := range []pyramid{t.upright, t.mirrored} {
		if w, found := register(still, moving); found {
			likeness = max(likeness, agreement(still[0], moving[0], w))
		}
	}
	return likeness, likeness >= CopyLikeness
}

const (
	// blocks is how many parts the pictures are compared in, across and down. A copy is alike in every part; pictures of
	// one form, person or place are not, however alike they are as a whole.
	blocks = 8
	// worstBlocks is the share of parts that may differ more than the likeness says: 3 of 64.
	worstBlocks = 0.05
	// grain is the variance, in levels², that scaling and compression may leave: parts with less contrast are alike.
	grain = 16
)

// agreement is the correlation of the parts that agree least, once one grid lies on the other.
func agreement(still, moving grid, w warp) float64 {
	moved, inside := moving.through(w, still.side)
	const size = FingerprintSide / blocks
	var all []float64
	for by := range blocks {
		for bx := range blocks {
			var s sums
			for y := by * size; y < (by+1)*size; y++ {
				for x := bx * size; x < (bx+1)*size; x++ {
					if i := y*still.side + x; inside[i] {
						s.add(float64(still.cells[i]), float64(moved[i]))
					}
				}
			}
			if s.n >= size*size/2 {
				all = append(all, s.correlation(grain))
			}
		}
	}
	if len(all) < blocks*blocks/2 {
		return 0
	}
	slices.Sort(all)
	return max(all[int(worstBlocks*float64(len(all)))], 0)
}

// Key is a summary of a fingerprint that fits into four words: copies differ in few of its bits, so that a search need not
// look at all of the others. Whether a picture is a copy, Copy alone tells. Its bits are the signs of the slowest waves of the
// cells: the first two words of those that a mirror leaves as they are, the others of those that it turns around.
type Key [4]uint64

// CopyKeyDistance is how many bits the nearest of a picture's CopyKeys may differ in from the Key of one that it is a copy of.
const CopyKeyDistance = 76

// Distance is the number of bits that differ, from the picture or from its mirror image, whichever is nearer.
func (k *Key) Distance(other *Key) int {
	same := bits.OnesCount64(k[0]^other[0]) + bits.OnesCount64(k[1]^other[1])
	turned := bits.OnesCount64(k[2]^other[2]) + bits.OnesCount64(k[3]^other[3])
	return same + min(turned, 128-turned)
}

// Key summarises the fingerprint; ok is false for one of another algorithm.
func (f Fingerprint) Key() (k Key, ok bool) {
	g, ok := f.grid()
	if !ok {
		return Key{}, false
	}
	return newWaves().key(g.blurred().halved().blurred(), warp{}), true
}

// CopyKeys are the keys that a picture may have of which this one is a copy, trimmed by this or that on each side. It has none
// for a fingerprint of another algorithm.
func (f Fingerprint) CopyKeys() []Key {
	g, ok := f.grid()
	if !ok {
		return nil
	}
	g, waves := g.blurred().halved().blurred(), newWaves()
	var keys []Key
	for _, across := range keyTrims() {
		for _, down := range keyTrims() {
			keys = append(keys, waves.key(g, warp{across.stretch, 0, across.shift, 0, down.stretch, down.shift}))
		}
	}
	return keys
}

// keyTrims are fewer than trims: keys change slowly.
func keyTrims() []trim {
	return []trim{{0, 0}, {0.075, 0}, {-0.075, 0}, {0, 0.05}, {0, -0.05}}
}

// keySide is how many samples a key is made of, across and down.
const keySide = 16

// waves makes keys: the cosine transform of keySide² samples.
type waves struct {
	cosine [keySide][keySide]float32 // by wave number and place
	bits   []int                     // where the wave of each bit is, row by row; −1 for the constant one, which says nothing
}

func newWaves() *waves {
	var w waves
	for k := range keySide {
		for x := range keySide {
			w.cosine[k][x] = float32(math.Cos(math.Pi * float64(k) * (float64(x) + 0.5) / keySide))
		}
	}
	for parity := range 2 { // a mirror turns the waves with odd numbers across around
		for i := range keySide * keySide {
			if i%keySide%2 == parity {
				w.bits = append(w.bits, i)
			}
		}
	}
	w.bits[0] = -1
	return &w
}

// key takes samples of what is seen through a warp; what lies outside of the grid is as its edge.
func (w *waves) key(g grid, through warp) Key {
	samples, _ := g.through(through, keySide)
	var rows, all [keySide * keySide]float32
	for y := range keySide {
		for k := range keySide {
			var sum float32
			for x, c := range w.cosine[k] {
				sum += c * samples[y*keySide+x]
			}
			rows[y*keySide+k] = sum
		}
	}
	for k := range keySide {
		for y, c := range w.cosine[k] {
			for x := range keySide {
				all[k*keySide+x] += c * rows[y*keySide+x]
			}
		}
	}
	var key Key
	for bit, i := range w.bits {
		if i >= 0 && all[i] > 0 {
			key[bit/64] |= 1 << (bit % 64)
		}
	}
	return key
}
