package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// State is what a look at the folder found.
type State string

// The states.
const (
	StateOK      State = "ok"
	StateMissing State = "missing"
	StateDamaged State = "damaged" // there, but not what was laid there
)

// Status is one line of a report.
type Status struct {
	Name     string       `json:"name"`
	Title    string       `json:"title"`
	Version  string       `json:"version"`
	Licence  string       `json:"licence"`
	Note     string       `json:"note,omitempty"`
	Checks   []string     `json:"checks"`
	Required bool         `json:"required"`
	Reserved bool         `json:"reserved,omitempty"`
	State    State        `json:"state"`
	Loss     string       `json:"loss,omitempty"`   // what its lack costs; empty when it is there
	Remedy   string       `json:"remedy,omitempty"` // how to get it; empty when it is there
	Files    []FileStatus `json:"files"`
}

// FileStatus is what is known of one file.
type FileStatus struct {
	Name    string `json:"name"`
	Path    string `json:"path,omitempty"` // where it lies; empty when it is missing
	State   State  `json:"state"`
	Size    int64  `json:"size,omitempty"`
	SHA256  string `json:"sha256,omitempty"`
	Source  string `json:"source,omitempty"`  // kind and place it came from
	Problem string `json:"problem,omitempty"` // one line, when it is not ok
	// Tried are the sources that failed in the fetch that made this report, one line each.
	Tried []string `json:"tried,omitempty"`
}

// Report is the state of a models folder.
type Report struct {
	Dir     string   `json:"dir"`
	Weights []Status `json:"weights"`
}

// Inspect looks at every file of the folder, hashing each one, and fetches nothing. A folder that does
// not exist is one in which everything is missing. The error is the context's.
func Inspect(ctx context.Context, dir string) (Report, error) {
	return inspect(ctx, dir, Manifest())
}

// Verify is Inspect with a verdict: an error that names every damaged file and every required weight
// that is missing.
func Verify(ctx context.Context, dir string) (Report, error) {
	report, err := Inspect(ctx, dir)
	if err != nil {
		return report, err
	}
	return report, report.Err()
}

func inspect(ctx context.Context, dir string, weights []Weight) (Report, error) {
	report := Report{Dir: dir}
	diary := readOrigins(dir)
	for _, w := range weights {
		var files []FileStatus
		for _, f := range w.Files {
			files = append(files, look(ctx, dir, w, f, diary))
			if err := ctx.Err(); err != nil {
				return Report{}, err
			}
		}
		report.Weights = append(report.Weights, w.status(files))
	}
	return report, nil
}

// look finds out what one file of the manifest is at the moment.
func look(ctx context.Context, dir string, w Weight, f File, diary origins) FileStatus {
	if w.InPlace {
		return lookInPlace(ctx, f)
	}
	status := FileStatus{Name: f.Name, State: StateMissing}
	path := filepath.Join(dir, f.Name)
	found, err := measure(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		if target, linked := os.Readlink(path); linked == nil {
			status.State, status.Problem = StateDamaged, "its target "+target+" is gone"
		}
		return status
	}
	if err != nil {
		status.State, status.Problem = StateDamaged, firstLine(err.Error())
		return status
	}
	status.Path, status.Size, status.SHA256 = path, found.Size, found.SHA256
	laid, known := diary.Files[f.Name]
	known = known && laid.Pin == found
	switch {
	case known && (f.accepts(found) || laid.Kind == KindOperator):
		status.State, status.Source = StateOK, laid.String()
	case f.accepts(found):
		status.State, status.Source = StateOK, "found in the folder"
	default:
		status.State, status.Problem = StateDamaged, f.difference(found)
	}
	return status
}

// difference says in one line how content differs from what the manifest accepts.
func (f File) difference(found Pin) string {
	for _, s := range f.Sources {
		if found.Size == s.Result.Size {
			return "wrong content: sha256 " + short(found.SHA256) + ", pinned " + short(s.Result.SHA256)
		}
	}
	return "wrong size: " + bytesText(found.Size) + ", pinned " + bytesText(f.Sources[0].Result.Size)
}

// lookInPlace finds a file of a system package. Its package vouches for it; here it must be there.
func lookInPlace(ctx context.Context, f File) FileStatus {
	status := FileStatus{Name: f.Name, State: StateMissing}
	for _, s := range f.Sources {
		found, err := measure(ctx, s.Parts[0].Where)
		if err != nil || found.Size == 0 {
			continue
		}
		status.State, status.Path, status.Size, status.SHA256 = StateOK, s.Parts[0].Where, found.Size, found.SHA256
		status.Source = origin{Kind: KindSystem, Where: s.Parts[0].Where}.String()
		return status
	}
	return status
}

// status sums up a weight from its files: the worst of them counts.
func (w Weight) status(files []FileStatus) Status {
	s := Status{
		Name: w.Name, Title: w.Title, Version: w.Version, Licence: w.Licence, Note: w.Note,
		Checks: w.Checks, Required: w.Required, Reserved: w.Reserved, State: StateOK, Files: files,
	}
	for _, f := range files {
		if f.State == StateDamaged || s.State == StateOK {
			s.State = f.State
		}
	}
	if s.State != StateOK {
		s.Loss, s.Remedy = w.Loss, w.Remedy
	}
	return s
}

// Err is nil when nothing is damaged and every required weight is there.
func (r Report) Err() error {
	var errs []error
	for _, w := range r.Weights {
		for _, f := range w.Files {
			if f.State == StateDamaged {
				errs = append(errs, &Error{Code: CodeDamaged, Subject: f.Name, Detail: f.Problem})
			}
		}
		if w.Required && w.State == StateMissing {
			errs = append(errs, &Error{Code: CodeMissing, Subject: w.Name, Detail: w.explain()})
		}
	}
	return errors.Join(errs...)
}

// explain says what a lack costs, what was tried and what to do about it, in one line.
func (s Status) explain() string {
	parts := []string{s.Loss}
	var tried []string // the files of a weight mostly fail alike
	for _, f := range s.Files {
		for _, t := range f.Tried {
			if !slices.Contains(tried, t) {
				tried = append(tried, t)
			}
		}
	}
	if len(tried) > 0 {
		parts = append(parts, "tried "+strings.Join(tried, "; "))
	}
	if s.Remedy != "" {
		parts = append(parts, s.Remedy)
	}
	return strings.Join(parts, " | ")
}

// Degraded says in one line each what is not there and what that costs. It leaves out weights that no
// check uses yet. An empty answer means that every check runs at full strength.
func (r Report) Degraded() []string {
	var lines []string
	for _, w := range r.Weights {
		if w.State != StateOK && !w.Reserved {
			lines = append(lines, fmt.Sprintf("%s %s: %s", w.Name, w.State, w.Loss))
		}
	}
	return lines
}

// Has says whether a weight is there and sound.
func (r Report) Has(name string) bool {
	for _, w := range r.Weights {
		if w.Name == name {
			return w.State == StateOK
		}
	}
	return false
}

// Path is where a file of the manifest lies, empty when it is missing or damaged.
func (r Report) Path(file string) string {
	for _, w := range r.Weights {
		for _, f := range w.Files {
			if f.Name == file && f.State == StateOK {
				return f.Path
			}
		}
	}
	return ""
}

// WriteJSON writes the report as one indented JSON object.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// WriteTable writes the report for people: a line per weight, then what the missing ones cost.
func (r Report) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WEIGHT\tSTATE\tUSE\tCHECKS\tSIZE\tLICENCE\tFROM")
	for _, s := range r.Weights {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			s.Name, s.State, s.use(), strings.Join(s.Checks, ","), s.size(), s.Licence, s.from())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var lines []string
	for _, s := range r.Weights {
		if s.State == StateOK {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s (%s): %s", s.Name, s.State, s.explain()))
		for _, f := range s.Files {
			if f.Problem != "" {
				lines = append(lines, "  "+f.Name+": "+f.Problem)
			}
		}
	}
	for _, s := range r.Weights {
		if s.Note != "" {
			lines = append(lines, fmt.Sprintf("%s: %s", s.Name, s.Note))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(lines, "\n"))
	return err
}

func (s Status) use() string {
	switch {
	case s.Required:
		return "required"
	case s.Reserved:
		return "later"
	}
	return "optional"
}

func (s Status) size() string {
	var total int64
	for _, f := range s.Files {
		total += f.Size
	}
	if total == 0 {
		return "-"
	}
	return bytesText(total)
}

// from is where the first file came from; the others of a weight come from the same place.
func (s Status) from() string {
	for _, f := range s.Files {
		if f.Source != "" {
			return f.Source
		}
	}
	return "-"
}

// bytesText is a size with its unit; sizes below 10 kB keep every byte, so that a cut-off file shows.
func bytesText(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
