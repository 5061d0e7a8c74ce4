package specimen

import (
	_ "embed"
	"encoding/binary"
	"strings"
)

// The press encodes PDF417 (ISO/IEC 15438) itself: it chooses the number of columns, so that the symbol gets a
// card's proportions, and the Go encoders that we tried write wrong left row indicators unless the number of rows is
// a multiple of three, which zxing-cpp then refuses.

// pdf417Patterns holds the 929 bar patterns of each of the three clusters, in the standard's order, two bytes each: the
// 15 modules between the first (always dark) and the last (always light).
//
//go:embed pdf417.table
var pdf417Patterns string

// Constants of the symbology.
const (
	pdf417Field      = 929 // codewords are numbers of this prime field
	pdf417Pad        = 900
	pdf417ByteShift  = 913 // the next codeword is one byte
	pdf417MostWords  = 928
	pdf417MinRows    = 3
	pdf417MaxRows    = 90
	pdf417MaxColumns = 30
	pdf417Start      = 0x1fea8 // 17 modules
	pdf417Stop       = 0x3fa29 // 18 modules
)

// symbol is a PDF417: rows of modules, true is dark.
type symbol [][]bool

// encodePDF417 lays the payload out in the given number of data columns, with error correction level 0 to 8.
// ok is false where the symbology does not allow so many rows.
func encodePDF417(payload string, columns, level int) (s symbol, ok bool) {
	if columns < 1 || columns > pdf417MaxColumns || level < 0 || level > 8 {
		return nil, false
	}
	words := append([]int{0}, compact(payload)...) // the first codeword will hold the count
	correction := 2 << level
	rows := max(pdf417MinRows, (len(words)+correction+columns-1)/columns)
	if rows > pdf417MaxRows || rows*columns > pdf417MostWords {
		return nil, false
	}
	for len(words)+correction < rows*columns {
		words = append(words, pdf417Pad)
	}
	words[0] = len(words)
	words = append(words, correctionWords(words, correction)...)

	for row := range rows {
		// Every row says, left and right, where it stands and how large the symbol is.
		size := [3]int{(rows - 1) / 3, level*3 + (rows-1)%3, columns - 1}
		cluster := row % 3
		left := 30*(row/3) + size[cluster]
		right := 30*(row/3) + size[(cluster+2)%3]
		modules := appendModules(nil, pdf417Start, 17)
		modules = appendModules(modules, pattern(cluster, left), 17)
		for _, word := range words[row*columns : (row+1)*columns] {
			modules = appendModules(modules, pattern(cluster, word), 17)
		}
		modules = appendModules(modules, pattern(cluster, right), 17)
		s = append(s, appendModules(modules, pdf417Stop, 18))
	}
	return s, true
}

func pattern(cluster, word int) int {
	at := 2 * (cluster*pdf417Field + word)
	return 1<<16 | int(binary.BigEndian.Uint16([]byte(pdf417Patterns[at:at+2])))<<1
}

func appendModules(row []bool, pattern, count int) []bool {
	for bit := count - 1; bit >= 0; bit-- {
		row = append(row, pattern>>bit&1 == 1)
	}
	return row
}

// correctionWords computes the Reed–Solomon codewords over GF(929) with generator 3.
func correctionWords(data []int, count int) []int {
	// generator holds the coefficients of Π(x − 3^i), i = 1…count, lowest power first, without the leading 1.
	generator := make([]int, 1, count+1)
	generator[0] = 1
	root := 1
	for range count {
		root = root * 3 % pdf417Field
		next := make([]int, len(generator)+1)
		for i, coefficient := range generator {
			next[i+1] = (next[i+1] + coefficient) % pdf417Field
			next[i] = (next[i] + (pdf417Field-root)*coefficient) % pdf417Field
		}
		generator = next
	}
	// Division leaves the remainder, highest power last.
	remainder := make([]int, count)
	for _, word := range data {
		factor := (word + remainder[count-1]) % pdf417Field
		for i := count - 1; i > 0; i-- {
			remainder[i] = (remainder[i-1] + (pdf417Field-factor)*generator[i]) % pdf417Field
		}
		remainder[0] = (pdf417Field - factor) * generator[0] % pdf417Field
	}
	words := make([]int, count)
	for i := range words {
		words[i] = (pdf417Field - remainder[count-1-i]) % pdf417Field
	}
	return words
}

// Text compaction has four tables; the press latches between three and reaches the fourth, punctuation, by shifts. The
// position in a table is the character's value; gaps are control values.
const (
	tableUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ "
	tableLower = "abcdefghijklmnopqrstuvwxyz "
	tableMixed = "0123456789&\r\t,:#-.$/+%*=^\x00 "
	tablePunct = ";<>@[\\]_`~!\r\t,:\n-.$/\"|*()?{}'"

	latchLower, latchMixed, latchUpper, shiftPunct = 27, 28, 28, 29 // 28 is mixed from the letters, upper from mixed
)

// compact turns bytes into codewords: text compaction, and a shift for each byte that it has no place for.
func compact(payload string) []int {
	var words, values []int
	flush := func() {
		if len(values)%2 == 1 {
			values = append(values, shiftPunct) // a shift with nothing behind it is the padding
		}
		for i := 0; i < len(values); i += 2 {
			words = append(words, values[i]*30+values[i+1])
		}
		values = values[:0]
	}
	table := tableUpper
	for i := range len(payload) {
		char := payload[i]
		if value := tableValue(table, char); value >= 0 {
			values = append(values, value)
			continue
		}
		switch {
		case tableValue(tableUpper, char) >= 0:
			if table == tableLower { // only by way of mixed
				values = append(values, latchMixed)
			}
			table = tableUpper
			values = append(values, latchUpper, tableValue(table, char))
		case tableValue(tableLower, char) >= 0:
			table = tableLower
			values = append(values, latchLower, tableValue(table, char))
		case tableValue(tableMixed, char) >= 0:
			table = tableMixed
			values = append(values, latchMixed, tableValue(table, char))
		case tableValue(tablePunct, char) >= 0:
			values = append(values, shiftPunct, tableValue(tablePunct, char))
		default:
			flush()
			words = append(words, pdf417ByteShift, int(char))
		}
	}
	flush()
	return words
}

// tableValue is the character's value in a table, or -1.
func tableValue(table string, char byte) int {
	if char == 0 { // marks a gap
		return -1
	}
	return strings.IndexByte(table, char)
}
