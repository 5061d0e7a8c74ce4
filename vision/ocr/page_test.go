package ocr

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"kycd/kyc/specimen"
	"kycd/vision"
	"kycd/vision/document"
	"kycd/vision/printed"
)

// pageOf finds the pieces of text of a page.
func pageOf(t testing.TB, p *Pool, gray []byte, w, h int) *Page {
	t.Helper()
	page, err := p.Page(gray, w, h)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestReadPageWordsAndPlaces(t *testing.T) {
	gray, w, h := drawn(t, "INVENTED PERSON", "Quillhaven 12345")
	// A pattern of the paper as dark as a guilloche.
	for i := range gray {
		if gray[i] == 255 && (i%w+i/w)%7 < 2 {
			gray[i] = 215
		}
	}
	text, words, err := pageOf(t, open(t, 1), gray, w, h).Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if text != "INVENTED PERSON\nQuillhaven 12345" || len(words) != 4 {
		t.Fatalf("read %q", text)
	}
	if words[0].Line != words[1].Line || words[1].Line == words[2].Line {
		t.Errorf("lines %d %d %d", words[0].Line, words[1].Line, words[2].Line)
	}
	b := words[0].Box
	if b.X < 25 || b.X > 60 || b.Y < 30 || b.Y+b.Height > 95 || b.Width < 150 {
		t.Errorf("first word at %+v", b)
	}
}

// Nothing to read, noise, and lines without end neither fail nor take long.
func TestReadPageBadInput(t *testing.T) {
	p := open(t, 1)
	random := rand.New(rand.NewPCG(1, 2))
	noise, bars, blank := make([]byte, 1012*638), make([]byte, 1012*638), slices.Repeat([]byte{255}, 1012*638)
	for i := range noise {
		noise[i] = byte(random.IntN(256))
		if i/1012%30 > 12 || i%1012%14 > 9 {
			bars[i] = 255
		}
	}
	for name, gray := range map[string][]byte{"noise": noise, "bars": bars, "blank": blank, "black": make([]byte, 1012*638)} {
		page := pageOf(t, p, gray, 1012, 638)
		text, _, err := page.Read(context.Background())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "blank" && text != "" {
			t.Errorf("blank: %q", text)
		}
		if _, sure, err := page.Upright(context.Background()); err != nil || sure < 0 || sure > 1 {
			t.Errorf("%s: upright %v, %v", name, sure, err)
		}
	}
	for _, c := range []struct{ w, h int }{{1, 1}, {3, 2}, {1, 500}, {500, 1}, {17, 33}} {
		if _, _, err := pageOf(t, p, make([]byte, c.w*c.h), c.w, c.h).Read(context.Background()); err != nil {
			t.Errorf("%d×%d: %v", c.w, c.h, err)
		}
	}
	if _, err := p.Page(make([]byte, 8), 3, 3); !errors.Is(err, ErrSize) {
		t.Errorf("size: %v", err)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := pageOf(t, p, noise, 1012, 638).Read(done); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := pageOf(t, p, noise, 1012, 638).Refine(done, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("refine, cancelled: %v", err)
	}
}

func TestUpright(t *testing.T) {
	p := open(t, 1)
	gray, w, h := drawn(t, "INVENTED PERSON", "Quillhaven 12345")
	if turned, sure, err := pageOf(t, p, gray, w, h).Upright(context.Background()); turned || sure < 0.1 || err != nil {
		t.Errorf("upright: %v %.2f %v", turned, sure, err)
	}
	slices.Reverse(gray)
	if turned, sure, err := pageOf(t, p, gray, w, h).Upright(context.Background()); !turned || sure < 0.1 || err != nil {
		t.Errorf("on its head: %v %.2f %v", turned, sure, err)
	}
}

// What a second reading does to a value: right stays and is surer, wrong is put right, and what cannot be confirmed is no
// longer sure.
func TestRefine(t *testing.T) {
	gray, w, h := drawn(t, "T198030315", "QUILLFEATHER", "02/29/1988")
	p := open(t, 2) // which read fields side by side
	box := func(line int) vision.Box { return vision.Box{X: 38, Y: 45 + 90*line, Width: 330, Height: 42} }
	given := map[string]vision.Field{
		printed.DocumentNumber: {Value: "198030315", Confidence: 0.9, Box: box(0)},
		printed.LastName:       {Value: "QUILLFEATHER", Confidence: 0.3, Box: box(1)},
		printed.BirthDate:      {Value: "1988-02-28", Confidence: 0.9, Box: box(2)},
		printed.FirstName:      {Value: "ROWAN", Confidence: 0.9, Box: vision.Box{X: -5, Y: 1 << 40, Width: 1 << 40, Height: 3}},
		printed.City:           {Value: "MOTH", Confidence: 0.9, Box: box(1)},
	}
	got, err := pageOf(t, p, gray, w, h).Refine(context.Background(), given)
	if err != nil {
		t.Fatal(err)
	}
	if f := got[printed.DocumentNumber]; f.Value != "T198030315" && f.Confidence >= Doubtful {
		t.Errorf("number %+v", f)
	}
	if f := got[printed.LastName]; f.Value != "QUILLFEATHER" || f.Confidence < Doubtful {
		t.Errorf("name %+v", f)
	}
	if f := got[printed.BirthDate]; f.Value != "1988-02-29" || f.Confidence > outvoted {
		t.Errorf("date %+v", f)
	}
	if got[printed.City] != given[printed.City] || got[printed.FirstName] != given[printed.FirstName] {
		t.Errorf("%+v", got)
	}
	if given[printed.BirthDate].Value != "1988-02-28" {
		t.Error("the fields given were changed")
	}
}

// A number of fewer letters than are seen is not believed, even if two readings agree.
func TestAround(t *testing.T) {
	gray, w, h := drawn(t, "AB 1234 QUILL")
	strips := newSheet(gray, w, h).strips()
	at, ok := around(strips, vision.Box{X: 30, Y: 40, Width: 330, Height: 50})
	if !ok || at.letters != 11 {
		t.Errorf("%+v %v", at, ok)
	}
	if _, ok := around(strips, vision.Box{X: 800, Y: 40, Width: 30, Height: 50}); ok {
		t.Error("letters where there are none")
	}
}

func BenchmarkReadPage(b *testing.B) {
	benchmarkPage(b, func(p *Pool, c card) error {
		_, words, err := pageOf(b, p, c.gray, c.w, c.h).Read(context.Background())
		if len(words) < 10 {
			b.Fatal("little was read")
		}
		return err
	})
}

func BenchmarkUpright(b *testing.B) {
	benchmarkPage(b, func(p *Pool, c card) error {
		_, _, err := pageOf(b, p, c.gray, c.w, c.h).Upright(context.Background())
		return err
	})
}

func BenchmarkRefine(b *testing.B) {
	var fields map[string]vision.Field
	benchmarkPage(b, func(p *Pool, c card) error {
		if fields == nil {
			_, words, err := pageOf(b, p, c.gray, c.w, c.h).Read(context.Background())
			if err != nil {
				return err
			}
			fields = printed.Fields(words, c.w, c.h)
			b.ResetTimer()
		}
		_, err := pageOf(b, p, c.gray, c.w, c.h).Refine(context.Background(), fields)
		return err
	})
}

func benchmarkPage(b *testing.B, run func(*Pool, card) error) {
	pool := open(b, 1)
	p, err := specimen.NewPress()
	if err != nil {
		b.Fatal(err)
	}
	c, ok := photographed(b, p, specimen.DriverLicense, 1, specimen.Clean(1), document.CardDPI)
	if !ok {
		b.Fatal("not found")
	}
	for b.Loop() {
		if err := run(pool, c); err != nil {
			b.Fatal(err)
		}
	}
}
