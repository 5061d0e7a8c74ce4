package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"kycd/vision"
	"kycd/vision/engine"
)

// pair names two files and the paths they are reported under.
type pair struct{ a, b string }

func newCompare() *cobra.Command {
	var (
		asJSON    bool
		models    string
		pairsFile string
		root      string
		tolerance float64
		timeout   time.Duration
	)
	command := &cobra.Command{
		Use:   "compare A B | compare --pairs FILE.csv [--root DIR]",
		Short: "Tell whether the main faces of two images are one person's",
		Long: "Prints distance, probability and verdict of each pair. --pairs takes a CSV file with a header whose\n" +
			"first two columns are paths, relative to --root; a pair that cannot be compared gives a line with its\n" +
			"error, and the rest goes on.",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case pairsFile == "" && len(args) != 2:
				return errors.New("give two images, or --pairs")
			case pairsFile != "" && len(args) != 0:
				return errors.New("give either two images or --pairs")
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			if !(tolerance > 0) {
				return errors.New("--tolerance must be above 0")
			}
			pairs := []pair{}
			if pairsFile == "" {
				pairs = append(pairs, pair{args[0], args[1]})
			} else {
				var err error
				if pairs, err = readPairs(pairsFile); err != nil {
					return err
				}
			}
			ctx := command.Context()
			files := filesOf(pairs)
			measuring, err := openEngine(ctx, models, slots(len(files)), command.ErrOrStderr())
			if err != nil {
				return err
			}
			defer measuring.Close()
			c := comparer{measuring: measuring, root: root, tolerance: tolerance, timeout: timeout}
			return c.run(ctx, command.OutOrStdout(), command.ErrOrStderr(), pairs, files, asJSON)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&asJSON, "json", false, "one JSON object per line; without it, a short summary")
	flags.StringVar(&models, "models", defaultModels(), "folder of the weights (KYCD_MODELS); required ones that are missing are fetched")
	flags.StringVar(&pairsFile, "pairs", "", "CSV file of pairs")
	flags.StringVar(&root, "root", "", "folder that the paths are relative to")
	flags.Float64Var(&tolerance, "tolerance", vision.DefaultFaceTolerance, "largest distance that counts as one person")
	flags.DurationVar(&timeout, "timeout", time.Minute, "the longest time for one image")
	return command
}

type comparer struct {
	measuring *engine.Engine
	root      string
	tolerance float64
	timeout   time.Duration
}

// run prints the pairs in their order; each file is analysed once, ahead of the pair that first needs it.
func (c comparer) run(ctx context.Context, stdout, stderr io.Writer, pairs []pair, files []string, asJSON bool) error {
	paths := make([]string, len(files))
	for i, file := range files {
		paths[i] = file
		if c.root != "" && !filepath.IsAbs(file) {
			paths[i] = filepath.Join(c.root, file)
		}
	}
	pending := analyzeAll(ctx, c.measuring, paths, vision.Ask{Faces: true}, c.timeout)
	position := make(map[string]int, len(files))
	for i, file := range files {
		position[file] = i
	}
	known := make(map[string]vision.Analysis, len(files))
	analysis := func(file string) vision.Analysis {
		a, ok := known[file]
		if !ok {
			a = <-pending[position[file]]
			a.File = file // as the pair names it, without the root
			known[file] = a
			if len(files) >= manyFiles {
				fmt.Fprintf(stderr, "\r%d of %d images", len(known), len(files))
			}
		}
		return a
	}

	out := bufio.NewWriter(stdout)
	for _, p := range pairs {
		comparison := engine.CompareAnalyses(analysis(p.a), analysis(p.b), c.tolerance)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := printComparison(out, comparison, asJSON); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	if len(files) >= manyFiles {
		fmt.Fprintln(stderr)
	}
	return nil
}

// readPairs reads the first two columns of a CSV file below its header.
func readPairs(path string) ([]pair, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) < 2 {
		return nil, fmt.Errorf("%s: no pairs below the header", path)
	}
	pairs := make([]pair, 0, len(rows)-1)
	for i, row := range rows[1:] {
		if len(row) < 2 {
			return nil, fmt.Errorf("%s: record %d has no two columns", path, i+2)
		}
		pairs = append(pairs, pair{row[0], row[1]})
	}
	return pairs, nil
}

// filesOf lists the files of all pairs once each, in the order in which they are needed.
func filesOf(pairs []pair) []string {
	var files []string
	seen := map[string]bool{}
	for _, p := range pairs {
		for _, file := range []string{p.a, p.b} {
			if !seen[file] {
				seen[file] = true
				files = append(files, file)
			}
		}
	}
	return files
}

func printComparison(out io.Writer, c vision.Comparison, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(c)
	}
	var err error
	if c.Distance == nil {
		_, err = fmt.Fprintf(out, "%s %s: unknown, %s\n", c.A, c.B, c.Error)
	} else {
		_, err = fmt.Fprintf(out, "%s %s: %s, distance %.3f, probability %.3f\n", c.A, c.B, c.Verdict, *c.Distance, *c.Probability)
	}
	return err
}
