package ocr

import (
	"strings"
	"testing"

	"kycd/vision"
	"kycd/vision/ocr/glyphs"
)

// spelled is a spelling in which each character has the probability p.
func spelled(text string, p float32) spelling {
	out := make(spelling, len(text))
	for i := range text {
		for k := range out[i] {
			out[i][k] = (1 - p) / float32(len(glyphs.Alphabet)-1)
		}
		out[i][strings.IndexByte(glyphs.Alphabet, text[i])] = p
	}
	return out
}

func TestSettle(t *testing.T) {
	for name, c := range map[string]struct {
		letters spelling
		lines   []string
		want    string
		sure    bool
	}{
		"all agree":                {spelled("V1234567", 0.98), []string{"V1234567", "V1234567"}, "V1234567", true},
		"a dropped first letter":   {spelled("V1234567", 0.98), []string{"1234567", "1234567"}, "V1234567", true},
		"a blurred one, confirmed": {spelled("V1234567", 0.6), []string{"V1234567", "V1234567"}, "V1234567", true},
		"one reading against":      {spelled("C4400123", 0.4), []string{"C4400128", "C4400123"}, "C4400123", false},
		"all against":              {spelled("C4400123", 0.5), []string{"C4400128", "C4400128"}, "C4400128", false},
		"a zero among digits":      {spelled("C44O0123", 0.5), []string{"C4400123", "C4400123"}, "C4400123", false},
	} {
		var readings []vision.Field
		for _, l := range c.lines {
			readings = append(readings, vision.Field{Value: l})
		}
		if got, sure := settle(c.letters, readings); got != c.want || sure != c.sure {
			t.Errorf("%s: %q %v", name, got, sure)
		}
	}
}

func TestJoined(t *testing.T) {
	if got := joined("D1234567", "0123-4567"); got != "D123-4567" {
		t.Errorf("%q", got)
	}
	if got := joined("D1234567", "123-4567"); got != "D1234567" {
		t.Errorf("%q", got)
	}
}

// Letters that touch are parted, and a W is not.
func TestSpell(t *testing.T) {
	n, err := glyphs.Trained()
	if err != nil {
		t.Fatal(err)
	}
	gray, w, h := drawn(t, "W2384403")
	s := newSheet(gray, w, h)
	at, ok := around(s.strips(), vision.Box{X: 30, Y: 40, Width: 330, Height: 50})
	if !ok {
		t.Fatal("no letters")
	}
	// A bar of ink makes one mark of the two fours.
	four := at.marks[4]
	for y := four.y1 - 12; y < four.y1-8; y++ {
		for x := four.x1 - 3; x < at.marks[5].x0+3; x++ {
			gray[y*w+x] = 0
		}
	}
	s = newSheet(gray, w, h)
	if at, ok = around(s.strips(), vision.Box{X: 30, Y: 40, Width: 330, Height: 50}); !ok || at.letters != 7 {
		t.Fatalf("%d marks", at.letters)
	}
	var got []byte
	for _, l := range s.spell(n, at) {
		c, _ := l.Best()
		got = append(got, c)
	}
	if string(got) != "W2384403" {
		t.Errorf("spelled %q", got)
	}
}
