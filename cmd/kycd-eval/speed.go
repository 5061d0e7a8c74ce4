package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"
)

//go:embed speed.md.tmpl
var speedText string

// speedOptions are the flags of kycd-eval speed.
type speedOptions struct {
	server, models, docs, folder string
	runs, starts                 int
	writeFor, readFor            time.Duration
	benchtime                    string
	only                         []string
}

func speedCommand() *cobra.Command {
	var o speedOptions
	cmd := &cobra.Command{
		Use: "speed", Short: "Measure speed against baselines in the same run", Args: cobra.NoArgs,
		Long: `Runs in the folder of go.mod, because a part of it is the packages' own benchmarks. Wants a Redis in
KYCD_TEST_REDIS and a machine with nothing else to do. It fails if a goal is missed or could not be measured.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.server, "server", filepath.Join("bin", "kycd"), "the program to be measured")
	f.StringVar(&o.models, "models", filepath.Join("data", "models"), "folder of the weights")
	f.StringVar(&o.docs, "docs", "docs", "folder that speed.md is written into")
	f.StringVar(&o.folder, "folder", "", "folder for databases; its disk is measured (default: the system's temporary folder)")
	f.IntVar(&o.runs, "runs", 30, "verifications")
	f.IntVar(&o.starts, "starts", 5, "warm starts")
	f.DurationVar(&o.writeFor, "write-for", 10*time.Second, "how long the database is written, by each of those that are compared")
	f.DurationVar(&o.readFor, "read-for", 10*time.Second, "how long sessions are read, by each of those that are compared")
	f.StringVar(&o.benchtime, "benchtime", "2s", "how long each of the packages' benchmarks runs")
	f.StringSliceVar(&o.only, "only", nil, "measure only these: handover, start, decision, face, encode, liveness, documents, search, sqlite, read, rest")
	return cmd
}

// finding is one measured goal. The texts are for people; what is empty is not there.
type finding struct {
	What, Baseline, Ours, Ratio, Goal string
	Met                               bool
	Missing                           string // why it could not be measured
}

// noGoal is the goal of a figure that is shown for comparison.
const noGoal = "–"

// Verdict is ok, miss or not measured; nothing for a figure without a goal.
func (f finding) Verdict() string {
	switch {
	case f.Missing != "":
		return "not measured: " + f.Missing
	case f.Goal == noGoal:
		return ""
	case f.Met:
		return "ok"
	}
	return "**miss**"
}

// speedReport is everything that speed.md tells.
type speedReport struct {
	Machine  machine
	Options  speedOptions
	Findings []finding
}

// Runs and Starts are how often was measured, for the page.
func (r speedReport) Runs() int   { return r.Options.runs }
func (r speedReport) Starts() int { return r.Options.starts }

// Table is the findings.
func (r speedReport) Table() table {
	t := table{head: []string{"what", "baseline", "kycd", "ratio", "goal", ""}}
	dash := func(text string) string {
		if text == "" {
			return "–"
		}
		return text
	}
	for _, f := range r.Findings {
		t.row(f.What, dash(f.Baseline), dash(f.Ours), dash(f.Ratio), f.Goal, f.Verdict())
	}
	return t
}

// speedStep is one part of the measuring.
type speedStep struct {
	name, what string
	run        func(context.Context, speedOptions) ([]finding, error)
}

func (o speedOptions) run(ctx context.Context, out io.Writer) error {
	if o.runs < 1 || o.starts < 1 || o.writeFor <= 0 || o.readFor <= 0 {
		return errors.New("--runs, --starts, --write-for and --read-for must be above 0")
	}
	report := speedReport{Machine: thisMachine(), Options: o}
	fmt.Fprintf(out, "%s\n", report.Machine)
	steps := []speedStep{
		{"handover", "hand-over of a queued stage (a minute or two)", measureHandOver},
		{"start", "warm start of kycd serve", measureStart},
		{"decision", "last upload to decision", measureDecision},
		{"face", "finding the face in a 1080p photo", measureFaceSearch},
		{"encode", "encoding the face of a 1080p photo", measureEncoding},
		{"liveness", "passive liveness of a face", measureLivenessSpeed},
		{"documents", "decoding, barcode, machine-readable zone and a whole side of a document", measurePapersSpeed},
		{"search", "one face among a million", measureSearch},
		{"sqlite", "SQLite with sixteen writers", measureSQLite},
		{"read", "reading sessions", measureReading},
		{"rest", "REST middleware", measureREST},
	}
	for _, name := range o.only {
		if !slices.ContainsFunc(steps, func(s speedStep) bool { return s.name == name }) {
			return fmt.Errorf("--only: there is no %q", name)
		}
	}
	for _, s := range steps {
		if len(o.only) > 0 && !slices.Contains(o.only, s.name) {
			continue
		}
		began := time.Now()
		fmt.Fprintf(out, "==> %s\n", s.what)
		findings, err := s.run(ctx, o)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			findings = []finding{{What: s.what, Goal: noGoal, Missing: err.Error()}}
		}
		for _, f := range findings {
			fmt.Fprintf(out, "    %s: %s", f.What, f.Ours)
			switch {
			case f.Ratio != "":
				fmt.Fprintf(out, " (baseline %s, ratio %s)", f.Baseline, f.Ratio)
			case f.Baseline != "":
				fmt.Fprintf(out, " (baseline %s)", f.Baseline)
			}
			if f.Goal == noGoal && f.Missing == "" {
				fmt.Fprintln(out)
				continue
			}
			fmt.Fprintf(out, " | goal %s: %s\n", f.Goal, f.Verdict())
		}
		fmt.Fprintf(out, "    %.0f s\n", time.Since(began).Seconds())
		report.Findings = append(report.Findings, findings...)
	}
	if err := report.write(o.docs); err != nil {
		return err
	}
	fmt.Fprintf(out, "written to %s\n", filepath.Join(o.docs, "speed.md"))
	return report.err()
}

func (r speedReport) write(docs string) error {
	page, err := template.New("speed.md").Parse(speedText)
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := page.Execute(&text, r); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "speed.md"), []byte(text.String()), 0o644)
}

func (r speedReport) err() error {
	missed := 0
	for _, f := range r.Findings {
		if f.Missing != "" || !f.Met {
			missed++
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d of %d goals were missed or not measured", missed, len(r.Findings))
	}
	return nil
}

// machine is what the figures were measured on.
type machine struct {
	Cores int
	CPU   string
	Load  string // of the last minute, when the measuring began
}

func thisMachine() machine {
	m := machine{Cores: runtime.NumCPU(), CPU: "unknown CPU", Load: "unknown"}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(load), " ")
	}
	return m
}

func (m machine) String() string {
	return fmt.Sprintf("%d cores of %s, %s, %s; load %s when the measuring began", m.Cores, m.CPU, runtime.GOOS, runtime.Version(), m.Load)
}
