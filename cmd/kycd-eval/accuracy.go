package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"kycd/kyc/scoring"
)

// customaryTolerance is the distance that users of dlib's encoder commonly take for one person.
const customaryTolerance = 0.6

// accuracyOptions are the flags of kycd-eval accuracy.
type accuracyOptions struct {
	data, models, registries, program, docs string
	each, limit                             int
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
	f.IntVar(&o.each, "each", 12, "drawn documents of a kind and scene")
	f.IntVar(&o.limit, "limit", 0, "at most so many pictures of each collection (0: all); figures of such a run say little")
	return cmd
}

// evaluation is what the measurements work with.
type evaluation struct {
	data       testdata
	full       sidecar // with all weights
	noDetector sidecar // with those of the package registries: dlib's detector stands in for YuNet
	noNetwork  sidecar // with all but the liveness network
	studio     *studio
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

// accuracyReport is everything that accuracy.md tells.
type accuracyReport struct {
	Weights  scoring.Weights
	Faces    facesResult
	Liveness livenessResult
	Degraded livenessResult
	Papers   papersResult
}

func (o accuracyOptions) run(ctx context.Context, out io.Writer) (err error) {
	if o.each < 1 || o.limit < 0 {
		return errors.New("--each must be at least 1 and --limit not negative")
	}
	folder, err := os.MkdirTemp("", "kycd-eval")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	noDetector, noNetwork, drawn := filepath.Join(folder, "detector"), filepath.Join(folder, "network"), filepath.Join(folder, "drawn")
	for _, dir := range []string{noDetector, noNetwork, drawn} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	// Where the fall-back is measured, what it stands in for must be missing, also if the registries were not all that was reached.
	if err := withoutFiles(cmp.Or(o.registries, o.models), noDetector, detectorFile, livenessFile); err != nil {
		return err
	}
	// Liveness differs from the full run in its network alone.
	if err := withoutFiles(o.models, noNetwork, livenessFile); err != nil {
		return err
	}
	studio, err := newStudio(drawn, out)
	if err != nil {
		return err
	}
	e := &evaluation{
		data: testdata(o.data), studio: studio, limit: o.limit, out: out, began: time.Now(),
		full:       sidecar{program: o.program, models: o.models, progress: out},
		noDetector: sidecar{program: o.program, models: noDetector, progress: out},
		noNetwork:  sidecar{program: o.program, models: noNetwork, progress: out},
	}
	report := accuracyReport{Weights: scoring.Defaults()}
	if report.Faces, err = measureFaces(ctx, e, report.Weights.OnboardingFaceEncodingTolerance); err != nil {
		return err
	}
	if err := report.measureLiveness(ctx, e); err != nil {
		return err
	}
	if report.Papers, err = measurePapers(ctx, e, o.each); err != nil {
		return err
	}
	return report.write(o.docs, out)
}

// The weights that only come from outside the package registries.
const (
	detectorFile = "face_detection_yunet_2023mar.onnx"
	livenessFile = "minifasnet_v2_se_128.onnx"
)

func (r *accuracyReport) measureLiveness(ctx context.Context, e *evaluation) error {
	captures, err := e.data.captures()
	if err != nil {
		return err
	}
	captures = limited(captures, e.limit)
	tolerance := r.Weights.MinimumLivenessTolerance
	err = e.step("liveness: the network", func() (err error) {
		r.Liveness, err = measureLiveness(ctx, e.full, captures, r.Faces.photos, tolerance)
		return err
	})
	if err != nil {
		return err
	}
	return e.step("liveness: the texture cues that stand in for it", func() (err error) {
		r.Degraded, err = measureLiveness(ctx, e.noNetwork, captures, r.Faces.photos, tolerance)
		return err
	})
}
