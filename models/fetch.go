package models

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"kycd/models/dlib"
)

// Fetch brings the models folder in order: what is missing or damaged is obtained from the first source
// that yields exactly the pinned content. It returns an error when a required weight is still missing,
// or when ctx ends; what optional weights cost is in the report. A second run only hashes what is there.
// Two processes may call it for one folder: the second waits and then finds everything done.
func Fetch(ctx context.Context, opts Options) (Report, error) {
	return fetch(ctx, opts, Manifest())
}

func fetch(ctx context.Context, opts Options, weights []Weight) (Report, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return Report{}, err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return Report{}, &Error{Code: CodeFolder, Subject: o.Dir, Err: err}
	}
	unlock, err := lockFolder(ctx, o.Dir, o.say)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		// A folder that was filled beforehand and may not be written, as in a container image.
		report, err := inspect(ctx, o.Dir, weights)
		return report, errors.Join(err, report.Err())
	}
	if err != nil {
		return Report{}, wrapFolder(ctx, o.Dir, err)
	}
	defer unlock()
	if err := removeLeftovers(o.Dir); err != nil {
		return Report{}, wrapFolder(ctx, o.Dir, err)
	}

	if o.Mirror != "" {
		if info, err := os.Stat(o.Mirror); err != nil || !info.IsDir() {
			o.say("the mirror %s is not a folder", o.Mirror)
		}
	}
	diary := readOrigins(o.Dir)
	npm := &registry{opts: o}
	f := &fetcher{
		opts: o, diary: diary,
		registry: npm,
		archives: &archives{npm: npm, failed: map[string]error{}},
		web:      &web{client: o.HTTP, unreachable: map[string]error{}},
	}
	report := Report{Dir: o.Dir}
	for _, w := range weights {
		var files []FileStatus
		for _, file := range w.Files {
			status, err := f.ensure(ctx, w, file)
			if err != nil {
				return Report{}, errors.Join(err, f.save())
			}
			files = append(files, status)
		}
		status := w.status(files)
		report.Weights = append(report.Weights, status)
		if f.laid > 0 {
			f.opts.say("%s (%s) from %s", w.Name, status.size(), status.from())
			f.laid = 0
		}
	}
	if err := f.save(); err != nil {
		return report, wrapFolder(ctx, o.Dir, err)
	}
	return report, report.Err()
}

func wrapFolder(ctx context.Context, dir string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{Code: CodeFolder, Subject: dir, Err: err}
}

// fetcher is one run of Fetch, under the folder's lock.
type fetcher struct {
	opts     Options
	diary    origins
	changed  bool
	laid     int // files laid down since the last line of progress
	registry *registry
	archives *archives
	web      *web
}

func (f *fetcher) save() error {
	if !f.changed {
		return nil
	}
	return f.diary.write(f.opts.Dir)
}

// ensure leaves the file sound, or missing with the sources that were tried. Its error is the context's.
func (f *fetcher) ensure(ctx context.Context, w Weight, file File) (FileStatus, error) {
	sources := file.Sources
	if file.Name == FileShapePredictor {
		sources = f.predictorSources(ctx, sources)
	}
	status := look(ctx, f.opts.Dir, w, file, f.diary)
	if err := ctx.Err(); err != nil {
		return status, err
	}
	if w.InPlace || (status.State == StateOK && f.wanted(file, status)) {
		return status, nil
	}
	if status.State == StateDamaged {
		f.opts.say("%s is refused: %s; fetching it again", file.Name, status.Problem)
	}
	var tried []string
	for _, s := range sources {
		where := s.describe(f.opts)
		if reason := f.skip(s, w.Required); reason != "" {
			if reason != notConfigured {
				tried = append(tried, where+": "+reason)
			}
			continue
		}
		err := f.obtain(ctx, file.Name, s)
		if ctx.Err() != nil {
			return status, ctx.Err()
		}
		if err != nil {
			tried = append(tried, where+": "+reasonOf(err))
			if !errors.Is(err, fs.ErrNotExist) && !w.Reserved {
				f.opts.say("%s from %s: %s", file.Name, where, reasonOf(err))
			}
			f.failed(s)
			continue
		}
		f.laid++
		f.diary.Files[file.Name] = origin{Kind: s.Kind, Where: s.place(f.opts), At: f.opts.Now().UTC(), Pin: s.Result}
		for _, p := range s.Parts {
			delete(f.diary.Failed, p.Where)
		}
		f.changed = true
		status = look(ctx, f.opts.Dir, w, file, f.diary)
		return status, ctx.Err()
	}
	if status.State == StateOK {
		// Whole, but not the file that was asked for: using it in silence would be a surprise.
		status = FileStatus{Name: file.Name, State: StateMissing, Problem: "the chosen file could not be used"}
	}
	status.Tried = tried
	return status, nil
}

// wanted says whether a sound file is the one the options ask for: choosing a predictor of one's own, or
// giving it up, replaces a file that is whole, and so does a mirror that has the true weights in place of a
// stand-in that this program wrote.
func (f *fetcher) wanted(file File, found FileStatus) bool {
	laid, known := f.diary.Files[file.Name]
	if known && laid.Kind == KindBuilt {
		return !f.mirrored(file)
	}
	if file.Name != FileShapePredictor {
		return true
	}
	own := known && laid.Kind == KindOperator && laid.SHA256 == found.SHA256
	if f.opts.Predictor == "" {
		return !own
	}
	return own && laid.Where == f.opts.Predictor
}

// mirrored says whether the mirror has a file of that name.
func (f *fetcher) mirrored(file File) bool {
	return f.opts.Mirror != "" && slices.ContainsFunc(file.Sources, func(s Source) bool {
		if s.Kind != KindMirror {
			return false
		}
		_, err := os.Stat(filepath.Join(f.opts.Mirror, s.Parts[0].Where))
		return err == nil
	})
}

// predictorSources puts the operator's own predictor, when there is one, in place of all others.
func (f *fetcher) predictorSources(ctx context.Context, pinned []Source) []Source {
	if f.opts.Predictor == "" {
		return pinned
	}
	found, err := measure(ctx, f.opts.Predictor)
	if err != nil {
		found = Pin{}
	}
	return []Source{{Kind: KindOperator, Parts: []Part{{f.opts.Predictor, found}}, Result: found}}
}

// notConfigured is a reason not to mention a source at all.
const notConfigured = "not configured"

// skip says why a source is not asked this time, or "".
func (f *fetcher) skip(s Source, required bool) string {
	switch s.Kind {
	case KindMirror:
		if f.opts.Mirror == "" {
			return notConfigured
		}
	case KindWeb:
		if f.opts.Offline {
			return "offline"
		}
	case KindArchive:
		if !f.opts.Large {
			return "large, only when allowed"
		}
	}
	if required || f.opts.Retry || !s.remembers() {
		return ""
	}
	for _, p := range s.Parts {
		if at, ok := f.diary.Failed[p.Where]; ok && f.opts.Now().Sub(at) < f.opts.RetryAfter {
			return "failed before, asked again after " + at.Add(f.opts.RetryAfter).Format(time.RFC3339)
		}
	}
	return ""
}

// remembers says whether a failure is remembered: looking at a disk again is cheap, at a network is not.
func (s Source) remembers() bool {
	return s.Kind == KindWeb || s.Kind == KindRegistry || s.Kind == KindArchive
}

func (f *fetcher) failed(s Source) {
	if !s.remembers() {
		return
	}
	for _, p := range s.Parts {
		f.diary.Failed[p.Where] = f.opts.Now().UTC()
	}
	f.changed = true
}

// obtain lays the file down from one source, or changes nothing.
func (f *fetcher) obtain(ctx context.Context, name string, s Source) error {
	switch {
	case s.Convert != ConvertNone:
		return f.convert(ctx, name, s)
	case s.Kind == KindSystem || s.Kind == KindOperator:
		return f.link(ctx, name, s.Parts[0])
	}
	part := s.Parts[0]
	in, err := f.open(ctx, s.Kind, part)
	if err != nil {
		return err
	}
	defer in.Close()
	return place(f.opts.Dir, name, func(w io.Writer) error {
		return copyPinned(ctx, w, in, filepath.Base(part.Where), part.Pin)
	})
}

// link points the folder to a file that stays where the system's packages or the operator put it.
func (f *fetcher) link(ctx context.Context, name string, part Part) error {
	target, err := filepath.Abs(part.Where)
	if err != nil {
		return err
	}
	found, err := measure(ctx, target)
	if err != nil {
		return err
	}
	if err := part.check(filepath.Base(target), found); err != nil {
		return err
	}
	return placeLink(f.opts.Dir, name, target)
}

// convert downloads the parts, each verified, converts them, and verifies the result.
func (f *fetcher) convert(ctx context.Context, name string, s Source) error {
	var parts [][]byte
	for _, part := range s.Parts {
		in, err := f.open(ctx, s.Kind, part)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		err = copyPinned(ctx, &b, in, filepath.Base(part.Where), part.Pin)
		in.Close()
		if err != nil {
			return err
		}
		parts = append(parts, b.Bytes())
	}
	result, err := s.Convert.apply(parts)
	if err != nil {
		return &Error{Code: CodeConversion, Subject: name, Err: err}
	}
	return place(f.opts.Dir, name, func(w io.Writer) error {
		return copyPinned(ctx, w, bytes.NewReader(result), name, s.Result)
	})
}

// apply runs a conversion on its parts, in the order of the manifest.
func (c Conversion) apply(parts [][]byte) ([]byte, error) {
	switch {
	case c == ConvertFaceEncoder && len(parts) == 2:
		return convertEncoder(parts[0], parts[1])
	case c == ConvertEmptyDetector && len(parts) == 0:
		var b bytes.Buffer
		err := dlib.WriteEmptyFaceDetector(&b)
		return b.Bytes(), err
	}
	return nil, fmt.Errorf("no conversion %q of %d parts", c, len(parts))
}

// open starts reading one part.
func (f *fetcher) open(ctx context.Context, kind Kind, part Part) (io.ReadCloser, error) {
	switch kind {
	case KindMirror:
		in, err := os.Open(filepath.Join(f.opts.Mirror, part.Where))
		if err != nil {
			return nil, err
		}
		return in, nil
	case KindRegistry:
		in, err := f.registry.open(ctx, part.Where)
		if err != nil {
			return nil, err
		}
		return in, nil
	case KindWeb:
		return f.web.open(ctx, part.Where)
	case KindArchive:
		return f.archives.open(ctx, part.Where)
	}
	return nil, fmt.Errorf("a source of kind %q is not read", kind)
}

// describe names a source for people: of an address only the host, the rest is in the manifest.
func (s Source) describe(o Options) string {
	where := s.place(o)
	if u, err := url.Parse(where); s.Kind == KindWeb && err == nil {
		where = u.Host
	}
	return origin{Kind: s.Kind, Where: where}.String()
}

// place is where the source's first part is.
func (s Source) place(o Options) string {
	switch {
	case len(s.Parts) == 0:
		return ""
	case s.Kind == KindMirror:
		return o.Mirror
	case s.Convert == ConvertFaceEncoder:
		return s.Parts[1].Where // the weights, not their list
	}
	return s.Parts[0].Where
}

// reasonOf is an error without what the line already says.
func reasonOf(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "not there"
	}
	var own *Error
	if errors.As(err, &own) && own.Code == CodeSource {
		line := own.Detail
		if own.Err != nil {
			line += ": " + own.Err.Error()
		}
		return firstLine(strings.TrimPrefix(line, ": "))
	}
	return firstLine(err.Error())
}
