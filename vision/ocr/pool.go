// Package ocr reads printed text with Tesseract.
//
// A Pool holds several engines, each loaded once; a reading takes one engine and one core.
package ocr

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kycd/vision"
	"kycd/vision/ocr/glyphs"
)

var (
	// ErrLanguage is returned when the language data cannot be loaded.
	ErrLanguage = errors.New("ocr_language_missing")
	// ErrLibrary is returned when Tesseract failed on a picture.
	ErrLibrary = errors.New("ocr_library_failed")
	// ErrSize is returned when the number of bytes is not width times height, or a side is out of range.
	ErrSize = errors.New("ocr_picture_size")
	// ErrClosed is returned by a pool that has been closed.
	ErrClosed = errors.New("ocr_closed")
)

// maxSide is the longest side that Tesseract's 16-bit coordinates hold.
const maxSide = 32767

// Segmentation says what Tesseract looks for; the numbers are its own page segmentation modes.
type Segmentation int

// The segmentations that suit documents.
const (
	Columns   Segmentation = 4  // one column of text of varying size
	Block     Segmentation = 6  // one block of lines
	Line      Segmentation = 7  // a single line
	Word      Segmentation = 8  // a single word
	Character Segmentation = 10 // a single character
	Sparse    Segmentation = 11 // text anywhere, in no order
	RawLine   Segmentation = 13 // the picture is a line, edge to edge; nothing is looked for in it
)

// Mode is how a picture is read. The zero value of a field asks for the default.
type Mode struct {
	Segmentation Segmentation // default Sparse
	Whitelist    string       // the only characters that may be read; default all
	DPI          int          // resolution of the picture; default 300, that of a card of 1012×638
}

// Options says what a pool is made of.
type Options struct {
	DataDir  string // folder of the .traineddata files; empty for the library's own
	Language string // default eng
	Engines  int    // default 1
}

// Pool is a set of engines. It may be used from several goroutines.
type Pool struct {
	idle    chan engine
	closing chan struct{}
	size    int
	letters *glyphs.Network // never written
}

// Open loads the engines. It fails with ErrLanguage if the language data is not there.
func Open(opt Options) (*Pool, error) {
	if opt.Language == "" {
		opt.Language = "eng"
	}
	letters, err := glyphs.Trained()
	if err != nil {
		return nil, err
	}
	size := max(opt.Engines, 1)
	p := &Pool{idle: make(chan engine, size), closing: make(chan struct{}), size: size, letters: letters}
	for range size {
		e, err := openEngine(opt.DataDir, opt.Language)
		if err != nil {
			for range len(p.idle) {
				(<-p.idle).close()
			}
			return nil, fmt.Errorf("%w: %s", err, opt.Language)
		}
		p.idle <- e
	}
	return p, nil
}

// Close waits for the readings under way and releases the engines. It is called once.
func (p *Pool) Close() {
	close(p.closing)
	for range p.size {
		(<-p.idle).close()
	}
}

// Read reads the text of a document: sparse text, every character. See ReadAs.
func (p *Pool) Read(ctx context.Context, gray []byte, w, h int) (string, []vision.Word, error) {
	return p.ReadAs(ctx, gray, w, h, Mode{})
}

// ReadAs reads a grey picture, one byte a pixel, w·h bytes. The words come in reading order with their boxes in pixels;
// the text has one line for each line of words. ctx bounds the wait for an engine, never the reading itself.
func (p *Pool) ReadAs(ctx context.Context, gray []byte, w, h int, m Mode) (string, []vision.Word, error) {
	if err := checkSize(gray, w, h); err != nil {
		return "", nil, err
	}
	if m.Segmentation == 0 {
		m.Segmentation = Sparse
	}
	if m.DPI == 0 {
		m.DPI = 300
	}
	e, err := p.take(ctx)
	if err != nil {
		return "", nil, err
	}
	defer func() { p.idle <- e }()
	words, err := e.read(gray, w, h, m)
	if err != nil {
		return "", nil, err
	}
	return text(words), words, nil
}

func (p *Pool) take(ctx context.Context) (engine, error) {
	select {
	case <-p.closing:
		return engine{}, ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return engine{}, err
	}
	select {
	case <-p.closing:
		return engine{}, ErrClosed
	case <-ctx.Done():
		return engine{}, ctx.Err()
	case e := <-p.idle:
		return e, nil
	}
}

// Confidence is the mean confidence of the words, weighted by their length, 0..1; 0 without words. Upside
// down, the same card scores far lower.
func Confidence(words []vision.Word) float64 {
	sum, letters := 0.0, 0
	for _, w := range words {
		sum += w.Confidence * float64(len(w.Text))
		letters += len(w.Text)
	}
	if letters == 0 {
		return 0
	}
	return sum / float64(letters)
}

func text(words []vision.Word) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			if w.Line != words[i-1].Line {
				b.WriteByte('\n')
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteString(w.Text)
	}
	return b.String()
}
