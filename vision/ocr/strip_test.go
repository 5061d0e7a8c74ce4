package ocr

import "testing"

// Small print beside something large is a line of its own; a comma or an apostrophe belongs to its letter.
func TestSmallMarksBesideLargeOnes(t *testing.T) {
	capital := mark{x0: 315, y0: 131, x1: 339, y1: 174, ink: 300}
	for name, c := range map[string]struct {
		m    mark
		want bool
	}{
		"digit of a label": {mark{x0: 362, y0: 142, x1: 375, y1: 158, ink: 90}, false},
		"comma":            {mark{x0: 342, y0: 164, x1: 348, y1: 178, ink: 40}, true},
		"apostrophe":       {mark{x0: 342, y0: 131, x1: 348, y1: 146, ink: 40}, true},
		"hyphen":           {mark{x0: 360, y0: 150, x1: 372, y1: 155, ink: 50}, true},
	} {
		s := &strip{x0: capital.x0, y0: capital.y0, x1: capital.x1, y1: capital.y1}
		s.add(capital)
		if got := s.takes(c.m, c.m.x0-s.x1); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
