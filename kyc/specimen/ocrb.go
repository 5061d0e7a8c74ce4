package specimen

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"
)

// Geometry of a machine-readable zone, in millimetres (ICAO 9303-3: OCR-B size 1, ten characters an inch).
const (
	mrzPitch      = 2.54
	mrzStroke     = 0.33
	glyphUnit     = 0.1  // one unit of the glyph table
	glyphWidth    = 13.0 // units between the outermost centre lines
	glyphBaseline = 22.0 // units from the top of a numeral to the base line
)

// glyphTable holds our own drawings of the 37 characters of a machine-readable zone, in the manner of OCR-B: strokes
// of one width, numerals taller than capitals, an I with serifs, a numeral 1 without foot, a filler as tall as a
// capital. A drawing is a list of strokes along their centre lines, in units of 0.1 mm, y downwards:
// M moves, L is a line, Q a quadratic and C a cubic Bézier curve.
func glyphTable() map[rune]string {
	return map[rune]string{
		'0': "M6.5 0 Q12 0 12 6 L12 16 Q12 22 6.5 22 Q1 22 1 16 L1 6 Q1 0 6.5 0",
		'1': "M2.5 4.2 L8 0 L8 22",
		'2': "M1 4.5 Q2 0 6.5 0 Q12 0 12 5.5 Q12 9 8 13 L1 22 L12.5 22",
		'3': "M1.5 0 L11.5 0 L6 8.5 Q12.5 8.5 12.5 15 Q12.5 22 5.5 22 Q2.5 22 0.5 20.5",
		'4': "M7.5 0 L0.7 16 L13 16 M9.3 9.5 L9.3 22",
		'5': "M11.5 0 L2.5 0 L2.5 9 Q4.5 8 6.5 8 Q12.5 8 12.5 15 Q12.5 22 5.5 22 Q2.5 22 0.5 20.5",
		'6': "M8.5 0 Q1.5 7 0.9 14 Q0.5 22 6.7 22 Q12.5 22 12.5 15.5 Q12.5 9.5 7 9.5 Q3 9.5 1.2 13.5",
		'7': "M0.5 0 L12.3 0 Q6 10 5.2 22",
		'8': "M6.5 10 Q1.4 8.8 1.4 5 Q1.4 0 6.5 0 Q11.6 0 11.6 5 Q11.6 8.8 6.5 10 Q0.5 11.5 0.5 16.5 Q0.5 22 6.5 22 Q12.5 22 12.5 16.5 Q12.5 11.5 6.5 10",
		'9': "M4.5 22 Q11.5 15 12.1 8 Q12.5 0 6.3 0 Q0.5 0 0.5 6.5 Q0.5 12.5 6 12.5 Q10 12.5 11.8 8.5",
		'A': "M0 22 L6.5 2 L13 22 M2.3 15.5 L10.7 15.5",
		'B': "M1 2 L1 22 L6.5 22 Q12.5 22 12.5 16.7 Q12.5 11.5 6.5 11.5 L1 11.5 M1 2 L6 2 Q11.2 2 11.2 6.7 Q11.2 11.5 6 11.5",
		'C': "M12 3.8 Q10 2 7.5 2 Q0.8 2 0.8 12 Q0.8 22 7.5 22 Q10 22 12 20.2",
		'D': "M1 2 L1 22 L5 22 Q12.5 22 12.5 12 Q12.5 2 5 2 L1 2",
		'E': "M12 2 L1.5 2 L1.5 22 L12 22 M1.5 11.5 L10.5 11.5",
		'F': "M12 2 L1.5 2 L1.5 22 M1.5 11.8 L10.5 11.8",
		'G': "M12 3.8 Q10 2 7.5 2 Q0.6 2 0.6 12 Q0.6 22 7.5 22 Q10.5 22 12.3 20.5 L12.3 13 L7.5 13",
		'H': "M1 2 L1 22 M12 2 L12 22 M1 11.5 L12 11.5",
		'I': "M2 2 L11 2 M6.5 2 L6.5 22 M2 22 L11 22",
		'J': "M3.5 2 L11 2 L11 16 Q11 22 5.5 22 Q2.5 22 0.5 19.8",
		'K': "M1 2 L1 22 M12 2 L1 13.5 M4.8 9.6 L12.3 22",
		'L': "M1.5 2 L1.5 22 L12 22",
		'M': "M0.5 22 L0.5 2 L6.5 12 L12.5 2 L12.5 22",
		'N': "M1 22 L1 2 L12 22 L12 2",
		'O': "M6.5 2 C10.8 2 13 5.5 13 12 C13 18.5 10.8 22 6.5 22 C2.2 22 0 18.5 0 12 C0 5.5 2.2 2 6.5 2",
		'P': "M1.2 22 L1.2 2 L6.5 2 Q12.4 2 12.4 7.8 Q12.4 13.6 6.5 13.6 L1.2 13.6",
		'Q': "M6.5 2 C10.8 2 13 5.5 13 12 C13 18.5 10.8 22 6.5 22 C2.2 22 0 18.5 0 12 C0 5.5 2.2 2 6.5 2 M7.5 16 L12.8 23.5",
		'R': "M1.2 22 L1.2 2 L6.3 2 Q12 2 12 7.3 Q12 12.6 6.3 12.6 L1.2 12.6 M6.8 12.6 L12.5 22",
		'S': "M11.5 4 Q9.5 2 6.5 2 Q1.2 2 1.2 7 Q1.2 10.5 6.5 12 Q12.2 13.6 12.2 17.2 Q12.2 22 6.5 22 Q3 22 0.6 19.8",
		'T': "M0.3 2 L12.7 2 M6.5 2 L6.5 22",
		'U': "M0.8 2 L0.8 15 Q0.8 22 6.5 22 Q12.2 22 12.2 15 L12.2 2",
		'V': "M0 2 L6.5 22 L13 2",
		'W': "M-0.3 2 L2.8 22 L6.5 9 L10.2 22 L13.3 2",
		'X': "M0.5 2 L12.5 22 M12.5 2 L0.5 22",
		'Y': "M0.3 2 L6.5 12.5 L12.7 2 M6.5 12.5 L6.5 22",
		'Z': "M0.8 2 L12.2 2 L0.8 22 L12.6 22",
		'<': "M12.5 2.8 L0.8 11.7 L12.5 20.6",
	}
}

// alphabet is the parsed glyph table: per character its strokes as polylines, in units of 0.1 mm.
type alphabet map[rune][][]Point

func newAlphabet() (alphabet, error) {
	letters := alphabet{}
	for char, path := range glyphTable() {
		strokes, err := parsePath(path)
		if err != nil {
			return nil, fmt.Errorf("glyph %q: %w", char, err)
		}
		letters[char] = strokes
	}
	return letters, nil
}

// parsePath flattens a path of M, L, Q and C commands into polylines.
func parsePath(path string) ([][]Point, error) {
	var strokes [][]Point
	words := strings.Fields(path)
	argument := func(at int) (float64, error) {
		if at >= len(words) {
			return 0, fmt.Errorf("path ends early")
		}
		return strconv.ParseFloat(strings.TrimLeft(words[at], "MLQC"), 64)
	}
	points := map[byte]int{'M': 1, 'L': 1, 'Q': 2, 'C': 3}
	for at := 0; at < len(words); {
		command := words[at][0]
		count, known := points[command]
		if !known {
			return nil, fmt.Errorf("no command at word %d", at)
		}
		control := make([]Point, 0, 4)
		for range count {
			x, err := argument(at)
			if err != nil {
				return nil, err
			}
			y, err := argument(at + 1)
			if err != nil {
				return nil, err
			}
			control = append(control, Point{x, y})
			at += 2
		}
		if command == 'M' {
			strokes = append(strokes, control)
			continue
		}
		if len(strokes) == 0 {
			return nil, fmt.Errorf("path does not begin with M")
		}
		last := &strokes[len(strokes)-1]
		*last = append(*last, flatten(append([]Point{(*last)[len(*last)-1]}, control...))...)
	}
	return strokes, nil
}

// flatten samples a Bézier curve of any degree by de Casteljau's construction, without its first point.
func flatten(control []Point) []Point {
	steps := 1
	if len(control) > 2 {
		steps = 10
	}
	var line []Point
	for i := 1; i <= steps; i++ {
		t := float64(i) / float64(steps)
		row := append([]Point(nil), control...)
		for len(row) > 1 {
			for k := 0; k+1 < len(row); k++ {
				row[k] = Point{row[k].X + t*(row[k+1].X-row[k].X), row[k].Y + t*(row[k+1].Y-row[k].Y)}
			}
			row = row[:len(row)-1]
		}
		line = append(line, row[0])
	}
	return line
}

// drawMRZ prints lines whose first character cell begins at left, with the middle of the lowest line at bottom and
// the lines spaced apart, all in millimetres.
func (p *Press) drawMRZ(c *canvas, lines []string, left, bottom, spacing float64) error {
	ink := color.NRGBA{12, 12, 14, 255}
	for row, line := range lines {
		middle := bottom - float64(len(lines)-1-row)*spacing
		for column, char := range line {
			strokes, known := p.letters[char]
			if !known {
				return refuse(CodeEncodingFailed, "mrz character")
			}
			x := left + float64(column)*mrzPitch + (mrzPitch-glyphWidth*glyphUnit)/2
			y := middle - glyphBaseline*glyphUnit/2
			for _, stroke := range strokes {
				line := make([]Point, len(stroke))
				for i, at := range stroke {
					line[i] = Point{x + at.X*glyphUnit, y + at.Y*glyphUnit}
				}
				c.stroke(line, mrzStroke, ink)
			}
		}
	}
	return nil
}
