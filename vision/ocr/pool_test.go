package ocr

import (
	"context"
	"errors"
	"image"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"kycd/vision"
)

// drawn is black text on white, 40 pixels high.
func drawn(t testing.TB, lines ...string) ([]byte, int, int) {
	t.Helper()
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 40, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewGray(image.Rect(0, 0, 900, 40+90*len(lines)))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for i, l := range lines {
		d := font.Drawer{Dst: img, Src: image.Black, Face: face, Dot: fixed.P(40, 80+90*i)}
		d.DrawString(l)
	}
	return img.Pix, 900, 40 + 90*len(lines)
}

func open(t testing.TB, engines int) *Pool {
	t.Helper()
	p, err := Open(Options{Engines: engines})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestReadWordsAndPlaces(t *testing.T) {
	gray, w, h := drawn(t, "INVENTED PERSON", "Quillhaven 12345")
	text, words, err := open(t, 1).Read(context.Background(), gray, w, h)
	if err != nil {
		t.Fatal(err)
	}
	if text != "INVENTED PERSON\nQuillhaven 12345" {
		t.Errorf("read %q", text)
	}
	if len(words) != 4 {
		t.Fatalf("%d words", len(words))
	}
	if words[0].Line != words[1].Line || words[1].Line == words[2].Line {
		t.Errorf("lines %d %d %d", words[0].Line, words[1].Line, words[2].Line)
	}
	b := words[0].Box
	if b.X < 36 || b.X > 50 || b.Y < 40 || b.Y+b.Height > 90 || b.Width < 150 {
		t.Errorf("first word at %+v", b)
	}
	if c := Confidence(words); c < 0.8 || c > 1 {
		t.Errorf("confidence %.2f", c)
	}
}

func TestUpsideDownScoresLower(t *testing.T) {
	gray, w, h := drawn(t, "INVENTED PERSON", "Quillhaven 12345")
	turned := make([]byte, len(gray))
	for i, v := range gray {
		turned[len(gray)-1-i] = v
	}
	p := open(t, 1)
	_, upright, err := p.Read(context.Background(), gray, w, h)
	if err != nil {
		t.Fatal(err)
	}
	_, down, err := p.Read(context.Background(), turned, w, h)
	if err != nil {
		t.Fatal(err)
	}
	if Confidence(down) > Confidence(upright)-0.2 {
		t.Errorf("upright %.2f, upside down %.2f", Confidence(upright), Confidence(down))
	}
}

func TestWhitelist(t *testing.T) {
	gray, w, h := drawn(t, "1234567890")
	text, _, err := open(t, 1).ReadAs(context.Background(), gray, w, h, Mode{Segmentation: Line, Whitelist: "0123456789"})
	if err != nil || text != "1234567890" {
		t.Errorf("%q, %v", text, err)
	}
}

// Neither a whitelist nor words of one reading may be left in an engine for the next.
func TestReadingsLeaveNothingBehind(t *testing.T) {
	p := open(t, 1)
	digits, dw, dh := drawn(t, "1234567890")
	if _, _, err := p.ReadAs(context.Background(), digits, dw, dh, Mode{Segmentation: Line, Whitelist: "0123456789"}); err != nil {
		t.Fatal(err)
	}
	gray, w, h := drawn(t, "INVENTED PERSON")
	text, _, err := p.Read(context.Background(), gray, w, h)
	if err != nil || text != "INVENTED PERSON" {
		t.Errorf("%q, %v", text, err)
	}
	blank := make([]byte, 300*200)
	if text, words, err := p.Read(context.Background(), blank, 300, 200); err != nil || text != "" || len(words) != 0 {
		t.Errorf("a black picture: %q, %d words, %v", text, len(words), err)
	}
}

func TestPoolSharesItsEngines(t *testing.T) {
	p := open(t, 2)
	gray, w, h := drawn(t, "INVENTED PERSON")
	var all sync.WaitGroup
	for range 6 {
		all.Add(1)
		go func() {
			defer all.Done()
			if text, _, err := p.Read(context.Background(), gray, w, h); err != nil || text != "INVENTED PERSON" {
				t.Errorf("%q, %v", text, err)
			}
		}()
	}
	all.Wait()
}

func TestContextBoundsTheWait(t *testing.T) {
	p := open(t, 1)
	e := <-p.idle
	defer func() { p.idle <- e }()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := p.Read(ctx, make([]byte, 100), 10, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestErrors(t *testing.T) {
	if _, err := Open(Options{Language: "no_such_language"}); !errors.Is(err, ErrLanguage) {
		t.Errorf("unknown language: %v", err)
	}
	if _, err := Open(Options{DataDir: t.TempDir(), Engines: 2}); !errors.Is(err, ErrLanguage) {
		t.Errorf("empty folder: %v", err)
	}
	p, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ bytes, w, h int }{{0, 0, 0}, {8, 3, 3}, {9, -3, -3}, {maxSide + 1, maxSide + 1, 1}} {
		if _, _, err := p.Read(context.Background(), make([]byte, c.bytes), c.w, c.h); !errors.Is(err, ErrSize) {
			t.Errorf("%d bytes for %d×%d: %v", c.bytes, c.w, c.h, err)
		}
	}
	for _, c := range []struct{ w, h int }{{1, 1}, {2, 2}, {1, 500}, {500, 1}} {
		if _, _, err := p.Read(context.Background(), make([]byte, c.w*c.h), c.w, c.h); err != nil {
			t.Errorf("%d×%d: %v", c.w, c.h, err)
		}
	}
	p.Close()
	if _, _, err := p.Read(context.Background(), make([]byte, 9), 3, 3); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestText(t *testing.T) {
	words := []vision.Word{{Text: "A", Line: 0}, {Text: "B", Line: 0}, {Text: "C", Line: 3}}
	if got := text(words); got != "A B\nC" || strings.Contains(text(nil), "\n") {
		t.Errorf("%q", got)
	}
}
