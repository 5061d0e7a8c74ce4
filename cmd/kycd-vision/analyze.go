package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kycd/vision"
	"kycd/vision/engine"
)

// errFileUnreadable is the code of a file that could not be opened or read; what is wrong with an image once it is
// read is said by a vision.Code.
const errFileUnreadable = "file_unreadable"

// manyFiles is the number from which progress is shown on the terminal.
const manyFiles = 10

func newAnalyze() *cobra.Command {
	var (
		asJSON  bool
		models  string
		parts   string
		timeout time.Duration
	)
	command := &cobra.Command{
		Use:   "analyze FILE…",
		Short: "Print everything that is measured on each image",
		Long: "Prints one JSON object per image and line, in the order given. An image that cannot be analysed\n" +
			"gives an object with its error; the exit code is 0 as long as every file gave an object.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, files []string) error {
			ask, err := parseAsk(parts)
			if err != nil {
				return err
			}
			ctx := command.Context()
			measuring, err := openEngine(ctx, models, slots(len(files)), command.ErrOrStderr())
			if err != nil {
				return err
			}
			defer measuring.Close()

			out := bufio.NewWriter(command.OutOrStdout())
			pending := analyzeAll(ctx, measuring, files, ask, timeout)
			for i, result := range pending {
				analysis := <-result
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := printAnalysis(out, analysis, asJSON); err != nil {
					return err
				}
				if err := out.Flush(); err != nil {
					return err
				}
				if len(files) >= manyFiles {
					fmt.Fprintf(command.ErrOrStderr(), "\r%d of %d", i+1, len(files))
				}
			}
			if len(files) >= manyFiles {
				fmt.Fprintln(command.ErrOrStderr())
			}
			return nil
		},
	}
	flags := command.Flags()
	flags.BoolVar(&asJSON, "json", false, "one JSON object per line; without it, a short summary")
	flags.StringVar(&models, "models", defaultModels(), "folder of the weights (KYCD_MODELS); required ones that are missing are fetched")
	flags.StringVar(&parts, "ask", "all", "what to measure: all, or of faces,liveness,attributes,portrait,fingerprint,document,barcodes,mrz,text")
	flags.DurationVar(&timeout, "timeout", time.Minute, "the longest time for one image")
	return command
}

// slots is the number of engine slots for n images: none is loaded in vain.
func slots(n int) int { return max(min(n, runtime.NumCPU()), 1) }

func parseAsk(parts string) (vision.Ask, error) {
	var ask vision.Ask
	for part := range strings.SplitSeq(parts, ",") {
		switch strings.TrimSpace(part) {
		case "all":
			ask = vision.AskAll()
		case "faces":
			ask.Faces = true
		case "liveness":
			ask.Faces, ask.Liveness = true, true
		case "attributes":
			ask.Faces, ask.Attributes = true, true
		case "portrait":
			ask.Faces, ask.Document, ask.Portrait = true, true, true
		case "fingerprint":
			ask.Fingerprint = true
		case "document":
			ask.Document = true
		case "barcodes":
			ask.Barcodes = true
		case "mrz":
			ask.MRZ = true
		case "text":
			ask.Text = true
		default:
			return vision.Ask{}, fmt.Errorf("--ask: there is no part %q", part)
		}
	}
	return ask, nil
}

// analyzeAll starts as many analyses at a time as there are cores. Each result arrives on its own channel, in the
// order of the files; work runs no further ahead of the reader than the number of files.
func analyzeAll(ctx context.Context, measuring *engine.Engine, files []string, ask vision.Ask, timeout time.Duration) []chan vision.Analysis {
	results := make([]chan vision.Analysis, len(files))
	for i := range results {
		results[i] = make(chan vision.Analysis, 1)
	}
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range files {
			next <- i
		}
	}()
	for range slots(len(files)) {
		go func() {
			for i := range next {
				results[i] <- analyzeFile(ctx, measuring, files[i], ask, timeout)
			}
		}()
	}
	return results
}

func analyzeFile(ctx context.Context, measuring *engine.Engine, file string, ask vision.Ask, timeout time.Duration) vision.Analysis {
	data, err := readImage(file)
	if err != nil {
		analysis := vision.Failed(file, errFileUnreadable)
		var refused *vision.ImageError
		if errors.As(err, &refused) {
			analysis.Error = string(refused.Code)
		}
		return analysis
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	analysis := measuring.Analyze(ctx, data, ask)
	analysis.File = file
	return analysis
}

// readImage reads a file no larger than an image may be.
func readImage(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, vision.MaxImageBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > vision.MaxImageBytes {
		return nil, &vision.ImageError{Code: vision.CodeTooLarge, Detail: "more than 15 MB"}
	}
	return data, nil
}

func printAnalysis(out io.Writer, a vision.Analysis, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(a)
	}
	if a.Error != "" {
		_, err := fmt.Fprintf(out, "%s: %s\n", a.File, a.Error)
		return err
	}
	fmt.Fprintf(out, "%s: %s %d×%d, %d faces, %d barcodes", a.File, a.Format, a.Width, a.Height, len(a.Faces), len(a.Barcodes))
	if a.Liveness != nil {
		fmt.Fprintf(out, ", liveness %.2f", a.Liveness.Score)
	}
	if a.Document != nil {
		fmt.Fprintf(out, ", document %s", a.Document.Type)
	}
	if a.MRZ != nil {
		fmt.Fprintf(out, ", MRZ %s", a.MRZ.Format)
	}
	_, err := fmt.Fprintf(out, ", hints %v\n", a.Hints)
	return err
}
