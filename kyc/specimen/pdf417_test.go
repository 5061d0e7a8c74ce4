package specimen

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// decodePDF417 reads a symbol without mending anything: wrong patterns, row indicators or correction words are errors.
func decodePDF417(s symbol, level int) (string, error) {
	columns := (len(s[0]) - 69) / 17
	number := func(row []bool, from, count int) (n int) {
		for _, dark := range row[from : from+count] {
			n <<= 1
			if dark {
				n |= 1
			}
		}
		return n
	}
	var words []int
	for y, row := range s {
		if number(row, 0, 17) != pdf417Start || number(row, len(row)-18, 18) != pdf417Stop {
			return "", fmt.Errorf("row %d has no start or stop", y)
		}
		var values []int
		for column := range columns + 2 {
			bits := number(row, 17+17*column, 17)
			value := -1
			for word := range pdf417Field {
				if pattern(y%3, word) == bits {
					value = word
				}
			}
			if value < 0 {
				return "", fmt.Errorf("row %d has no such pattern in its cluster", y)
			}
			values = append(values, value)
		}
		// ISO/IEC 15438: which of the three sizes stands left and right, by cluster.
		rowCount, levelAndRest, columnCount := (len(s)-1)/3, 3*level+(len(s)-1)%3, columns-1
		left := [3]int{rowCount, levelAndRest, columnCount}[y%3]
		right := [3]int{columnCount, rowCount, levelAndRest}[y%3]
		if values[0] != y/3*30+left || values[len(values)-1] != y/3*30+right {
			return "", fmt.Errorf("row %d has wrong indicators", y)
		}
		words = append(words, values[1:len(values)-1]...)
	}
	count := 2 << level
	root := 1
	for range count {
		root = root * 3 % pdf417Field
		syndrome := 0
		for _, word := range words {
			syndrome = (syndrome*root + word) % pdf417Field
		}
		if syndrome != 0 {
			return "", errors.New("correction words are wrong")
		}
	}
	if words[0] != len(words)-count {
		return "", errors.New("length is wrong")
	}
	return expand(words[1:words[0]])
}

// expand undoes text compaction with single byte shifts.
func expand(words []int) (string, error) {
	var out strings.Builder
	table, shift := tableUpper, false
	for i := 0; i < len(words); i++ {
		if words[i] == pdf417Pad {
			table, shift = tableUpper, false
			continue
		}
		if words[i] == pdf417ByteShift {
			i++
			shift = false
			out.WriteByte(byte(words[i]))
			continue
		}
		if words[i] > pdf417Pad {
			return "", fmt.Errorf("codeword %d", words[i])
		}
		for _, value := range []int{words[i] / 30, words[i] % 30} {
			switch {
			case shift:
				shift = false
				out.WriteByte(tablePunct[value])
			case value == 29:
				shift = true
			case value == 27 && table != tableLower:
				table = tableLower
			case value == 28 && table == tableMixed:
				table = tableUpper
			case value == 28:
				table = tableMixed
			case value < len(table):
				out.WriteByte(table[value])
			default:
				return "", fmt.Errorf("value %d", value)
			}
		}
	}
	return out.String(), nil
}

// TestPatternsFollowTheStandard checks what the standard demands of every pattern: four bars and four spaces of one to six
// modules, 17 in all, and the cluster's number; so a damaged table cannot pass.
func TestPatternsFollowTheStandard(t *testing.T) {
	if len(pdf417Patterns) != 2*3*pdf417Field {
		t.Fatalf("table has %d bytes", len(pdf417Patterns))
	}
	seen := map[int]bool{}
	for cluster := range 3 {
		for word := range pdf417Field {
			bits := pattern(cluster, word)
			var widths []int
			last := -1
			for i := 16; i >= 0; i-- {
				if bit := bits >> i & 1; bit == last {
					widths[len(widths)-1]++
				} else {
					widths = append(widths, 1)
					last = bit
				}
			}
			if bits>>17 != 0 || bits>>16 != 1 || bits&1 != 0 || len(widths) != 8 {
				t.Fatalf("cluster %d word %d: %017b", cluster, word, bits)
			}
			for _, width := range widths {
				if width > 6 {
					t.Fatalf("cluster %d word %d has an element of %d modules", cluster, word, width)
				}
			}
			if got := (widths[0] - widths[2] + widths[4] - widths[6] + 9) % 9; got != 3*cluster {
				t.Fatalf("cluster %d word %d belongs to cluster %d", cluster, word, got/3)
			}
			if seen[bits] {
				t.Fatalf("cluster %d word %d is there twice", cluster, word)
			}
			seen[bits] = true
		}
	}
}

func TestCompactionOfTheStandardsExample(t *testing.T) {
	// "PDF417" is the usual example: P D, F ml, 4 1, 7 padded.
	want := []int{15*30 + 3, 5*30 + 28, 4*30 + 1, 7*30 + 29}
	if got := compact("PDF417"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// The correction words of the same example at level 1, as published with it.
	if got := correctionWords([]int{5, 453, 178, 121, 239}, 4); fmt.Sprint(got) != fmt.Sprint([]int{452, 327, 657, 619}) {
		t.Errorf("correction words %v", got)
	}
}

func TestLayoutsOfEverySizeAreReadBack(t *testing.T) {
	payload := "@\n\x1e\rANSI 636099100001DL00310010DLDAQ12-34 lb/in\r"
	for columns := 1; columns <= pdf417MaxColumns; columns++ {
		for level := 0; level <= 5; level++ {
			s, ok := encodePDF417(payload, columns, level)
			if !ok {
				if columns > 1 { // 31 codewords of text fit everywhere but in a column with much correction
					t.Errorf("%d columns, level %d: refused", columns, level)
				}
				continue
			}
			if got, err := decodePDF417(s, level); err != nil || got != payload {
				t.Errorf("%d columns, level %d: %q, %v", columns, level, got, err)
			}
		}
	}
	for _, bad := range [][2]int{{0, 2}, {31, 2}, {5, -1}, {5, 9}} {
		if _, ok := encodePDF417("A", bad[0], bad[1]); ok {
			t.Errorf("%v columns and level were taken", bad)
		}
	}
	if _, ok := encodePDF417(strings.Repeat("A1", 1000), 30, 5); ok {
		t.Error("a payload beyond the symbology was taken")
	}
}

func FuzzPDF417(f *testing.F) {
	f.Add("ANSI 636099", 5)
	f.Add("\x00\x1e\xff", 3)
	f.Add("aB1!\n\x00z", 9)
	f.Fuzz(func(t *testing.T, payload string, columns int) {
		s, ok := encodePDF417(payload, columns, 2)
		if !ok {
			return
		}
		if got, err := decodePDF417(s, 2); err != nil || got != payload {
			t.Fatalf("%q was read as %q, %v", payload, got, err)
		}
	})
}
