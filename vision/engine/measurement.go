package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"kycd/vision"
	"kycd/vision/fingerprint"
	"kycd/vision/imaging"
	"kycd/vision/quality"
)

// measurement is the work on one image. Its parts run on two goroutines, people and papers; each writes its own
// fields of the analysis, and the shared maps through note.
type measurement struct {
	engine *Engine
	slot   *slot
	ask    vision.Ask

	pic    *imaging.Picture
	looked bool  // for the document
	seen   *page // nil if there was none

	mutex   sync.Mutex // guards the maps and lists of out that both goroutines write
	out     vision.Analysis
	general []vision.Hint // hints on the whole picture
	people  []vision.Hint // and those of each goroutine, put together at the end
	papers  []vision.Hint
}

func (m *measurement) run(ctx context.Context, image []byte) vision.Analysis {
	m.out = vision.Analysis{
		Hints:       []vision.Hint{},
		Barcodes:    []vision.Barcode{},
		Faces:       []vision.Face{},
		Models:      map[string]string{},
		Unavailable: map[string]vision.Reason{},
		Millis:      map[string]int64{},
	}
	start := time.Now()
	pic, err := imaging.Decode(image, imaging.Options{})
	m.out.Millis[vision.PartDecode] = time.Since(start).Milliseconds()
	if err != nil {
		var refused *vision.ImageError
		if errors.As(err, &refused) {
			return failed(refused.Code)
		}
		return failed(vision.CodeFailed)
	}
	m.pic = pic
	m.out.Format, m.out.Width, m.out.Height = pic.Format, pic.SourceWidth, pic.SourceHeight

	if m.ask.Document || m.ask.Portrait { // the portrait is looked for on the document
		m.lookForPage()
	}
	var both sync.WaitGroup
	both.Go(func() {
		m.measurePeople()
		m.measureWhole()
	})
	both.Go(func() { m.measurePapers(ctx) })
	both.Wait()
	m.tellSide(ctx)
	m.out.Hints = append(m.out.Hints, m.general...)
	m.out.Hints = append(append(m.out.Hints, m.people...), m.papers...)
	if ctx.Err() != nil {
		return failed(vision.CodeTimeout) // parts were cut short
	}
	return m.out
}

// measureWhole measures what copies of the picture are known by, and how good it is: where a document was seen, how good that is, for the desk
// around it does not matter.
func (m *measurement) measureWhole() {
	if m.ask.Fingerprint {
		m.part(vision.PartFingerprint, func() error {
			print := fingerprint.Of(m.pic)
			m.out.Fingerprint = &print
			return nil
		})
	}
	pic, measure, hints := m.pic, quality.Measure, quality.Hints
	if m.ask.Document && m.seen.surely() {
		pic, measure, hints = m.seen.picture, quality.MeasurePage, quality.PageHints
	}
	m.part(vision.PartQuality, func() error {
		measured, err := measure(pic)
		if err != nil {
			return err
		}
		m.out.Quality = &measured
		m.general = hints(measured)
		return nil
	})
}

// reasonError ends a part with a reason of its own.
type reasonError vision.Reason

func (r reasonError) Error() string { return string(r) }

// part runs one part and notes its time. An error, or a panic, makes the part unavailable and nothing else; ok
// is false then.
func (m *measurement) part(name string, work func() error) (ok bool) {
	start := time.Now()
	err := func() (err error) {
		defer func() {
			if recover() != nil {
				err = reasonError(vision.ReasonFailed)
			}
		}()
		return work()
	}()
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.out.Millis[name] += time.Since(start).Milliseconds()
	if err == nil {
		return true
	}
	reason := vision.ReasonFailed
	var given reasonError
	switch {
	case errors.As(err, &given):
		reason = vision.Reason(given)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		reason = vision.ReasonTimeout
	}
	m.out.Unavailable[name] = reason
	return false
}

// model notes what measured a part.
func (m *measurement) model(part, name string, degraded bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.out.Models[part] = name
	if degraded {
		m.out.Degraded = append(m.out.Degraded, part)
	}
}
