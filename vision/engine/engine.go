// Package engine measures images: it owns the networks and libraries and lends them to one image at a time.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"kycd/vision"
	"kycd/vision/attribute"
	"kycd/vision/face"
	"kycd/vision/liveness"
	"kycd/vision/mrzread"
	"kycd/vision/ocr"
	"kycd/vision/quality"
)

// Config says what an engine is made of.
type Config struct {
	ModelsDir   string           // folder of the weights
	TessdataDir string           // folder of Tesseract's language data; empty for the library's own
	Slots       int              // images measured at the same time, each on its own networks; 0 means one per core
	Now         func() time.Time // settles the century of two-digit years; nil means time.Now
}

// Engine measures images. It may be used from several goroutines.
type Engine struct {
	idle chan *slot // the slots that are free; its capacity is their number
	text *ocr.Pool  // nil without language data
	mrz  *mrzread.Reader
	rate *quality.Judge
	now  func() time.Time

	models   map[string]string // part → what measures it
	degraded []string          // parts that a fall-back measures
}

// slot is what one image needs for itself: neither networks nor dlib's recognizer can be shared.
type slot struct {
	finder     *face.Finder
	encoder    *face.Encoder
	scorer     *liveness.Scorer
	attributes *attribute.Reader // nil without its weights
}

// New loads everything; the slots are loaded at the same time. It fails if weights that are required are
// missing or anything that is there is broken. Missing language data only makes the text unavailable.
func New(ctx context.Context, config Config) (*Engine, error) {
	face.UseOneThreadPerEncoder()
	slots := config.Slots
	if slots <= 0 {
		slots = runtime.NumCPU()
	}
	e := &Engine{idle: make(chan *slot, slots), now: config.Now}
	if e.now == nil {
		e.now = time.Now
	}
	var loading errgroup.Group
	made := make([]*slot, slots)
	for i := range made {
		loading.Go(func() (err error) {
			made[i], err = newSlot(config.ModelsDir)
			return err
		})
	}
	var encoders []*face.Encoder
	loading.Go(func() (err error) {
		encoders, err = face.NewEncoders(config.ModelsDir, slots)
		return err
	})
	loading.Go(func() (err error) {
		e.mrz, err = mrzread.NewReader()
		return err
	})
	loading.Go(func() (err error) {
		e.rate, err = quality.NewJudge()
		return err
	})
	loading.Go(func() error {
		pool, err := ocr.Open(ocr.Options{DataDir: config.TessdataDir, Engines: slots})
		if errors.Is(err, ocr.ErrLanguage) {
			return nil
		}
		e.text = pool
		return err
	})
	err := loading.Wait()
	if err == nil {
		err = ctx.Err()
	}
	filled := 0
	for i, s := range made {
		switch {
		case s != nil && i < len(encoders):
			s.encoder = encoders[i]
			e.idle <- s
			filled++
		case s != nil:
			err = errors.Join(err, s.close())
		case i < len(encoders):
			encoders[i].Close()
		}
	}
	if err != nil {
		e.free(filled)
		return nil, fmt.Errorf("load vision engine: %w", err)
	}
	e.introduce(made[0])
	return e, nil
}

// introduce notes what the engine measures with; every slot is made of the same weights.
func (e *Engine) introduce(s *slot) {
	e.models = map[string]string{
		vision.PartFaces: s.finder.Model(), vision.PartEncoding: s.encoder.Model(), vision.PartLiveness: s.scorer.Model(),
	}
	if e.text != nil {
		e.models[vision.PartText] = textModel
	}
	if s.attributes != nil {
		e.models[vision.PartAttributes] = attribute.Model
	}
	if s.finder.Degraded() {
		e.degraded = append(e.degraded, vision.PartFaces)
	}
	if s.scorer.Degraded() {
		e.degraded = append(e.degraded, vision.PartLiveness)
	}
}

// Models names, part by part, the weights that measure it.
func (e *Engine) Models() map[string]string { return maps.Clone(e.models) }

// Degraded names the parts that a weaker fall-back measures.
func (e *Engine) Degraded() []string { return slices.Clone(e.degraded) }

// newSlot loads what a slot holds but its encoder.
func newSlot(modelsDir string) (*slot, error) {
	finder, err := face.NewFinder(modelsDir)
	if err != nil {
		return nil, err
	}
	scorer, err := liveness.NewScorer(modelsDir)
	if err != nil {
		return nil, errors.Join(err, finder.Close())
	}
	s := &slot{finder: finder, scorer: scorer}
	switch s.attributes, err = attribute.NewReader(modelsDir); {
	case errors.Is(err, fs.ErrNotExist):
		s.attributes = nil
	case err != nil:
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *slot) close() error {
	if s.encoder != nil {
		s.encoder.Close()
	}
	errs := []error{s.finder.Close(), s.scorer.Close()}
	if s.attributes != nil {
		errs = append(errs, s.attributes.Close())
	}
	return errors.Join(errs...)
}

// Close waits for the images under way and frees everything. It is called once, and nothing after it.
func (e *Engine) Close() { e.free(cap(e.idle)) }

func (e *Engine) free(slots int) {
	for range slots {
		s := <-e.idle
		_ = s.close() // closing a network frees memory; it reports nothing that could be acted on
	}
	if e.text != nil {
		e.text.Close()
	}
}

// Analyze measures an image: what went wrong is in the Analysis, by code. ctx bounds how long is waited, for a slot
// and for the result; a C call under way runs on, and keeps its slot until it returns.
func (e *Engine) Analyze(ctx context.Context, image []byte, ask vision.Ask) vision.Analysis {
	var s *slot
	select {
	case s = <-e.idle:
	case <-ctx.Done():
		return failed(vision.CodeTimeout)
	}
	done := make(chan vision.Analysis, 1)
	go func() {
		defer func() { e.idle <- s }()
		defer func() {
			if recover() != nil {
				done <- failed(vision.CodeFailed)
			}
		}()
		m := measurement{engine: e, slot: s, ask: ask}
		done <- m.run(ctx, image)
	}()
	select {
	case analysis := <-done:
		return analysis
	case <-ctx.Done():
		return failed(vision.CodeTimeout)
	}
}

func failed(code vision.Code) vision.Analysis {
	return vision.Failed("", code)
}

// Compare measures the distance of the main faces of two images and judges it by a tolerance; 0 stands for
// vision.DefaultFaceTolerance. An image that cannot be compared gives the verdict unknown and the reason in Error.
func (e *Engine) Compare(ctx context.Context, a, b []byte, tolerance float64) vision.Comparison {
	first := e.Analyze(ctx, a, vision.Ask{Faces: true})
	second := e.Analyze(ctx, b, vision.Ask{Faces: true})
	return CompareAnalyses(first, second, tolerance)
}

// CompareAnalyses is Compare for images that were analysed with Ask.Faces.
func CompareAnalyses(a, b vision.Analysis, tolerance float64) vision.Comparison {
	if tolerance <= 0 {
		tolerance = vision.DefaultFaceTolerance
	}
	unknown := vision.Comparison{A: a.File, B: b.File, Tolerance: tolerance, Verdict: vision.VerdictUnknown}
	for _, analysis := range []vision.Analysis{a, b} {
		if unknown.Error = whyNotComparable(analysis); unknown.Error != "" {
			return unknown
		}
	}
	comparison, err := vision.CompareFaces(a.Faces[0].Template(), b.Faces[0].Template(), tolerance)
	if err != nil {
		unknown.Error = string(vision.ReasonFailed)
		return unknown
	}
	comparison.A, comparison.B = a.File, b.File
	return comparison
}

func whyNotComparable(a vision.Analysis) string {
	switch {
	case a.Error != "":
		return a.Error
	case a.Unavailable[vision.PartFaces] != "":
		return string(a.Unavailable[vision.PartFaces])
	case len(a.Faces) == 0:
		return string(vision.ReasonNoFace)
	case len(a.Faces[0].Encoding) == 0:
		return string(vision.ReasonFaceNotEncoded)
	}
	return ""
}
