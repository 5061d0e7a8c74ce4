package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// accuracyOptions are the flags of kycd-eval accuracy.
type accuracyOptions struct {
	data, models, registries, program, docs, baseline, plain string
	each, limit                                              int
	only                                                     []string
}

func accuracyCommand() *cobra.Command {
	var o accuracyOptions
	cmd := &cobra.Command{
		Use: "accuracy", Short: "Measure error rates over labelled pictures and drawn documents", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "testdata", filepath.Join("..", "shared", "testdata"), "folder of the labelled pictures")
	f.StringVar(&o.models, "models", filepath.Join("data", "models"), "folder of the weights")
	f.StringVar(&o.registries, "registries", "", "folder of the weights as a machine has them that only reaches the package registries (default: --models)")
	f.StringVar(&o.program, "sidecar", filepath.Join("bin", "kycd-vision"), "the program to be measured")
	f.StringVar(&o.docs, "docs", "docs", "folder that accuracy.md and its figures are written into")
	f.StringVar(&o.baseline, "baseline", "", "what go-face says of the pictures of faces by itself, from vision/calibrate/goface (default: not compared)")
	f.StringVar(&o.plain, "plain", "", "the program vision/barcode/plain, which reads barcodes by zxing-cpp alone (default: not compared)")
	f.IntVar(&o.each, "each", 12, "drawn documents of a kind and scene")
	f.IntVar(&o.limit, "limit", 0, "at most so many pictures of each collection (0: all); figures of such a run say little")
	f.StringSliceVar(&o.only, "only", nil, "measure only these sections and leave the others of the page as they are")
	return cmd
}

// section is a part of accuracy.md that is measured by itself.
type section interface {
	name() string                                     // one word: of --only, of the markers and of the summary's first column
	measure(ctx context.Context, e *evaluation) error // everything that the methods below speak of
	template() string                                 // Markdown with a heading of level 2; text/template over the section itself
	summary() []summaryRow                            // rows of the table at the top of the page
	figures() map[string]string                       // file name → SVG
}

// summaryRow is one line at the top of the page.
type summaryRow struct {
	what  string
	value string // with its bounds
}

// sections are all parts of the page, in its order.
func (o accuracyOptions) sections() []section {
	return []section{&facesSection{}, &livenessSection{}, &replaySection{}, &documentsSection{each: o.each}}
}

// evaluation is what the measurements work with.
type evaluation struct {
	data       testdata
	full       sidecar // with all weights
	registries string  // folder of the weights that the package registries have
	baseline   string  // file of analyses by go-face alone; may be empty
	plain      string  // program that reads barcodes by zxing-cpp alone; may be empty
	studio     *studio
	folder     string // for what a measurement writes; removed at the end
	limit      int
	out        io.Writer
	began      time.Time
}

// step runs one part and says how long it took.
func (e *evaluation) step(name string, run func() error) error {
	fmt.Fprintf(e.out, "==> %s\n", name)
	began := time.Now()
	if err := run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(e.out, "    done in %.0f s, %.0f s so far\n", time.Since(began).Seconds(), time.Since(e.began).Seconds())
	return nil
}

// without is the program with the weights of a folder but for some files. name is that of a folder that no other caller uses.
func (e *evaluation) without(name, models string, files ...string) (sidecar, error) {
	folder := filepath.Join(e.folder, name)
	if err := os.Mkdir(folder, 0o700); err != nil {
		return sidecar{}, err
	}
	weaker := e.full
	weaker.models = folder
	return weaker, withoutFiles(models, folder, files...)
}

// limited keeps at most n of a list, evenly spread over it; 0 keeps all.
func limited[T any](all []T, n int) []T {
	if n <= 0 || n >= len(all) {
		return all
	}
	kept := make([]T, n)
	for i := range kept {
		kept[i] = all[i*len(all)/n]
	}
	return kept
}

func (o accuracyOptions) run(ctx context.Context, out io.Writer) (err error) {
	if o.each < 1 || o.limit < 0 {
		return errors.New("--each must be at least 1 and --limit not negative")
	}
	var order []string
	for _, s := range o.sections() {
		order = append(order, s.name())
	}
	for _, name := range o.only {
		if !slices.Contains(order, name) {
			return fmt.Errorf("--only: there is no section %q", name)
		}
	}
	if err := os.MkdirAll(o.docs, 0o755); err != nil { // now, not when all is measured
		return err
	}
	folder, err := os.MkdirTemp("", "kycd-eval")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	drawn := filepath.Join(folder, "drawn")
	if err := os.Mkdir(drawn, 0o700); err != nil {
		return err
	}
	studio, err := newStudio(drawn, out)
	if err != nil {
		return err
	}
	e := &evaluation{
		data: testdata(o.data), full: sidecar{program: o.program, models: o.models, progress: out}, registries: cmp.Or(o.registries, o.models),
		baseline: o.baseline, plain: o.plain, studio: studio, folder: folder, limit: o.limit, out: out, began: time.Now(),
	}
	for _, s := range o.sections() {
		if len(o.only) > 0 && !slices.Contains(o.only, s.name()) {
			continue
		}
		if err := s.measure(ctx, e); err != nil {
			return err
		}
		if err := writeSection(o.docs, order, s, out); err != nil {
			return err
		}
	}
	return nil
}
