package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// parseCommand reads what is encoded on documents from text files, without a server, a picture or a database.
func parseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "parse", Short: "Read the text of a licence's barcode, or of a machine-readable zone",
		Args: wantsUsage(cobra.NoArgs),
		// Without it cobra prints the help and ends well, even for a kind that there is not.
		RunE: func(*cobra.Command, []string) error { return usageError{errors.New("parse what? aamva or mrz")} },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.AddCommand(
		parseKindCommand("aamva", "Read the payload of a driving licence's or identification card's PDF417 barcode",
			func(text []byte, _ time.Time) parsed { return parseAAMVA(text) }),
		parseKindCommand("mrz", "Read a machine-readable zone, alone or among the lines of a page", parseMRZ),
	)
	return cmd
}

// parseKindCommand is one kind of text. Each file gives one object; a file that cannot be read gives one with errors.
func parseKindCommand(kind, short string, parse func([]byte, time.Time) parsed) *cobra.Command {
	var asJSON bool
	var today string
	cmd := &cobra.Command{
		Use: kind + " FILE…", Short: short,
		Long: short + `.

FILE is a text file of at most 1 MiB; - is the standard input. What was overlooked or put right is listed under repairs,
what is missing or wrong under errors. The exit status is 0 if every file could be read as such a text, be its contents
valid or not, 1 if one could not, and 2 for a wrong command line.`,
		Example: "  kycd parse " + kind + " payload.txt --json\n  cat payload.txt | kycd parse " + kind + " -",
		Args:    wantsUsage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error {
			now := time.Now().UTC()
			if today != "" {
				date, err := time.Parse(time.DateOnly, today)
				if err != nil {
					return usageError{errors.New("--today is no date of the form YYYY-MM-DD")}
				}
				now = date
			}
			failed := 0
			for _, file := range files {
				object := parseFile(file, cmd.InOrStdin(), func(text []byte) parsed { return parse(text, now) })
				if !object.ok() {
					failed++
				}
				write := writeListing
				if asJSON {
					write = writeJSONLine
				}
				if err := write(cmd.OutOrStdout(), object); err != nil {
					return err
				}
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d files could not be parsed", failed, len(files))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per file, each on one line")
	cmd.Flags().StringVar(&today, "today", "", "the date that settles the century of two-digit years, YYYY-MM-DD (default: today)")
	return cmd
}

// usageError is a wrong command line. The program then ends with another status than for a failed command.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func wantsUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// exitStatus is the status that the program ends with after err: 0, 1, or 2 for a wrong command line.
func exitStatus(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return 2
	}
	return 1
}

// parsed is one file's object. Its lists and maps are never nil.
type parsed interface {
	ok() bool // the text could be read as what it should be
	common() *parsedText
}

// parsedText is what the objects of all kinds have.
type parsedText struct {
	File    string            `json:"file"`
	Fields  map[string]string `json:"fields"` // named as the API names the fields of documents
	Errors  []parsedError     `json:"errors"`
	Repairs []parsedRepair    `json:"repairs"`
	failed  bool
}

func (p *parsedText) ok() bool            { return !p.failed }
func (p *parsedText) common() *parsedText { return p }

func newParsedText() parsedText {
	return parsedText{Fields: map[string]string{}, Errors: []parsedError{}, Repairs: []parsedRepair{}}
}

// fail notes why nothing was read.
func (p *parsedText) fail(code string) {
	p.failed = true
	p.Errors = append(p.Errors, parsedError{Code: code})
}

// parsedError is what is missing or wrong. Element is the element's id in a barcode.
type parsedError struct {
	Code    string `json:"code"`
	Field   string `json:"field"`
	Element string `json:"element,omitempty"`
}

// parsedRepair is what was overlooked or put right. What names a place belongs to zones; rows and columns count from 0.
type parsedRepair struct {
	Code      string `json:"code"`
	Field     string `json:"field,omitempty"`
	Row       *int   `json:"row,omitempty"`
	Column    *int   `json:"column,omitempty"`
	From      string `json:"from,omitempty"`
	To        string `json:"to,omitempty"`
	Confirmed *bool  `json:"confirmed,omitempty"` // by a check digit
}

// mostParsedBytes keeps a wrong file from filling the memory; no barcode and no page of text comes near it.
const mostParsedBytes = 1 << 20

// The codes of files of which nothing was read.
const (
	codeFileMissing    = "file_missing"
	codeFileUnreadable = "file_unreadable"
	codeFileTooLarge   = "file_too_large"
)

// parseFile reads and parses one file, or the standard input for -.
func parseFile(file string, stdin io.Reader, parse func([]byte) parsed) parsed {
	text, code := readText(file, stdin)
	object := parse(text) // of no text: an empty object, whose error gives way to the reason
	if code != "" {
		object.common().Errors = []parsedError{{Code: code}}
	}
	object.common().File = file
	return object
}

// readText gives a file's text, or the code why not.
func readText(file string, stdin io.Reader) (text []byte, code string) {
	from := stdin
	if file != "-" {
		opened, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, codeFileMissing
		}
		if err != nil {
			return nil, codeFileUnreadable
		}
		defer opened.Close()
		from = opened
	}
	text, err := io.ReadAll(io.LimitReader(from, mostParsedBytes+1))
	switch {
	case err != nil: // a folder, for one
		return nil, codeFileUnreadable
	case len(text) > mostParsedBytes:
		return nil, codeFileTooLarge
	}
	return text, ""
}

func writeJSONLine(to io.Writer, object parsed) error {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false) // a zone is full of <
	return encoder.Encode(object)
}

// writeListing prints an object's names and values, one a line, in alphabetical order within each part.
func writeListing(to io.Writer, object parsed) error {
	var plain bytes.Buffer
	if err := writeJSONLine(&plain, object); err != nil {
		return err
	}
	var parts map[string]any
	if err := json.Unmarshal(plain.Bytes(), &parts); err != nil {
		return err
	}
	fmt.Fprintln(to, object.common().File)
	delete(parts, "file")
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		switch part := parts[name].(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(part)) {
				fmt.Fprintf(table, "  %s.%s\t%s\n", name, key, printable(part[key]))
			}
		case []any:
			for _, item := range part {
				fmt.Fprintf(table, "  %s\t%s\n", name, printable(item))
			}
		default:
			fmt.Fprintf(table, "  %s\t%s\n", name, printable(part))
		}
	}
	return table.Flush()
}

// printable writes a value on one line, and so that control characters in it do not reach the terminal.
func printable(value any) string {
	object, ok := value.(map[string]any)
	if !ok {
		quoted := strconv.Quote(fmt.Sprint(value))
		return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	}
	var words []string
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if object[key] != "" {
			words = append(words, key+"="+printable(object[key]))
		}
	}
	return strings.Join(words, " ")
}
