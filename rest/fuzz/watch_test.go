package fuzz_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
)

// canary is in many of the texts that are sent, and in nothing that is logged.
const canary = "Zwitscherling"

// watch reads everything that is logged for what does not belong there: secrets, the inside of the program, and what
// callers sent.
type watch struct {
	mu    sync.Mutex
	data  []byte // the folder of database and images
	leaks []string
	why   map[string][]string // of errors, by request
}

// folder says where the data is, which nobody outside should learn.
func (w *watch) folder(path string) { w.data = []byte(path) }

// logger logs everything, under the eyes of the watch.
func (w *watch) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write implements io.Writer: one line of the log.
func (w *watch) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	what := w.inside(line)
	switch folded := bytes.ToLower(line); {
	case what != "":
	case bytes.Contains(line, []byte("eyJ")):
		what = "a token"
	case bytes.Contains(line, []byte("whsec_")):
		what = "a webhook's secret"
	case bytes.Contains(folded, bytes.ToLower([]byte(canary))):
		what = "what a caller sent"
	}
	if what != "" && len(w.leaks) < 20 {
		w.leaks = append(w.leaks, fmt.Sprintf("the log holds %s: %.1000s", what, line))
	}
	if request := requestID.FindSubmatch(line); request != nil && bytes.Contains(line, []byte("level=ERROR")) {
		w.why[string(request[1])] = append(w.why[string(request[1])], fmt.Sprintf("%.2000s", line))
	}
	return len(line), nil
}

// errors are what was logged about a request that failed.
func (w *watch) errors(request string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why[request]
}

var requestID = regexp.MustCompile(`request_id=(\S+)`)

// seen are the lines that should not have been.
func (w *watch) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leaks
}

// inside says what of the program's inside stands in a text that strangers may read.
func (w *watch) inside(text []byte) string {
	switch {
	case bytes.Contains(text, w.data):
		return "the path of the data"
	case bytes.Contains(text, []byte("kycs_")):
		return "a client's secret"
	case innards.Match(text):
		return "the program's inside"
	}
	return ""
}

// innards matches stacks, panics, SQL, and what databases say of it.
var innards = regexp.MustCompile(`runtime error|goroutine \d+|\.go:\d+|panic|(?i:\bsqlite\b)|SQLSTATE|constraint failed|no such (table|column)|\bSELECT .* FROM\b|\bINSERT INTO\b|\bent: `)
