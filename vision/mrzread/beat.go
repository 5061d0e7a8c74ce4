package mrzread

import (
	"math"
	"sort"

	"kycd/vision/mrzread/glyphs"
)

// minBeat is the least share of the ink in a zone's rows that comes and goes with the pitch of its columns.
const (
	minBeat     = 0.15
	minContrast = 3 // of the pitch to others
)

// The strokes of a view are coarser than a strip: they are looked at in steps of so many of its pixels.
const (
	beatStep  = 2
	beatReach = glyphs.StripLetter / 2
)

// regular says whether the ink of an area's rows comes and goes with one pitch, as print in columns does and prose does
// not. It looks at the strokes of the view, which is much cheaper than laying the rows out.
func (a area) regular(strokes []byte, w int, threshold float32) bool {
	strongest, usual := a.beat(strokes, w, threshold)
	return strongest >= minBeat && strongest >= minContrast*usual
}

func (a area) beat(strokes []byte, w int, threshold float32) (strongest, usual float64) {
	count := int(a.length / beatStep)
	h := len(strokes) / w
	columns := make([][]float64, a.rows)
	total := 0.0
	least := int(threshold / 2)
	for i := range columns {
		columns[i] = make([]float64, count)
		for k := range columns[i] {
			sum := 0
			for y := -beatReach; y <= beatReach; y += beatStep {
				at := a.toPicture.At(float64(k*beatStep), float64(i)*a.between+float64(y))
				px, py := int(at.X), int(at.Y)
				if px >= 0 && py >= 0 && px < w && py < h {
					sum += max(int(strokes[py*w+px])-least, 0)
				}
			}
			columns[i][k] = float64(sum)
			total += float64(sum)
		}
	}
	if total == 0 {
		return 0, 0
	}
	var beats []float64
	for pitch := 0.7 * glyphs.StripLetter / beatStep; pitch < 1.5*glyphs.StripLetter/beatStep; pitch *= 1.008 {
		sum := 0.0
		for _, c := range columns {
			sum += wave(c, pitch)
		}
		beats = append(beats, sum/total)
	}
	sort.Float64s(beats)
	return beats[len(beats)-1], beats[len(beats)/2]
}

// wave is how much of the columns' ink comes and goes with a period.
func wave(columns []float64, period float64) float64 {
	// Goertzel's recurrence.
	sin, cos := math.Sincos(2 * math.Pi / period)
	var before, now float64
	for _, v := range columns {
		before, now = now, v+2*cos*now-before
	}
	return math.Hypot(now-before*cos, before*sin)
}
