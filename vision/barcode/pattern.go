package barcode

import (
	_ "embed"
	"encoding/binary"
)

// patternTable holds the 929 bar patterns of each of the three clusters of ISO/IEC 15438, annex A, in the standard's
// order, two bytes each, high byte first: the 15 modules between the first (always dark) and the last (always light).
//
//go:embed pattern.table
var patternTable string

// Constants of the symbology.
const (
	fieldSize    = 929 // codewords are numbers of this prime field
	clusters     = 3
	wordModules  = 17
	startPattern = 0x1fea8 // 17 modules
	stopPattern  = 0x3fa29 // 18 modules
	minRows      = 3
	maxRows      = 90
	maxColumns   = 30
	mostWords    = 928
	levels       = 9 // of error correction, 2 << level codewords
)

// pattern is the bar pattern of a codeword, the leftmost module in bit 16, dark is 1.
func pattern(cluster, word int) uint32 {
	at := 2 * (cluster*fieldSize + word)
	return 1<<16 | uint32(binary.BigEndian.Uint16([]byte(patternTable[at:at+2])))<<1
}

// shape is the size of a symbol.
type shape struct{ columns, rows, level int }

func (s shape) modules() int    { return wordModules*(s.columns+4) + 1 }
func (s shape) words() int      { return s.columns * s.rows }
func (s shape) correction() int { return 2 << s.level }

// left and right are the row indicators: they say where the row stands and how large the symbol is.
func (s shape) left(row int) int  { return 30*(row/3) + s.indication(row%3) }
func (s shape) right(row int) int { return 30*(row/3) + s.indication((row+2)%3) }

func (s shape) indication(kind int) int {
	switch kind {
	case 0:
		return (s.rows - 1) / 3
	case 1:
		return s.level*3 + (s.rows-1)%3
	default:
		return s.columns - 1
	}
}

// put writes the modules of a pattern, 1 for dark, and returns what follows them.
func put(row []float32, pattern uint32, count int) []float32 {
	for k := range count {
		row[k] = float32(pattern >> (count - 1 - k) & 1)
	}
	return row[count:]
}

// render draws a symbol of these codewords, three pixels a module and nine a row, in a light margin.
func (s shape) render(words []int) plane {
	const size, margin = 3, 4
	width := s.modules()
	out := newPlane((width+2*margin)*size, (s.rows*3+2*margin)*size)
	for i := range out.pix {
		out.pix[i] = 255
	}
	row := make([]float32, width)
	for r := range s.rows {
		rest := put(row, startPattern, wordModules)
		rest = put(rest, pattern(r%clusters, s.left(r)), wordModules)
		for _, w := range words[r*s.columns : (r+1)*s.columns] {
			rest = put(rest, pattern(r%clusters, w), wordModules)
		}
		rest = put(rest, pattern(r%clusters, s.right(r)), wordModules)
		put(rest, stopPattern, wordModules+1)
		for y := (margin + 3*r) * size; y < (margin+3*r+3)*size; y++ {
			line := out.pix[y*out.w+margin*size:]
			for x := range width * size {
				line[x] = byte(255 - 255*row[x/size])
			}
		}
	}
	return out
}
