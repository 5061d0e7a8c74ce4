package sidecar

import (
	"bytes"
	"log/slog"
)

// maxLine is the longest line of a child that is logged whole, in bytes.
const maxLine = 2000

// lines gives what a child prints to the log, line by line. It is written to by one goroutine at a time.
type lines struct {
	log    *slog.Logger
	worker string
	rest   []byte // an unfinished line, at most maxLine bytes of it
}

func (l *lines) Write(b []byte) (int, error) {
	n := len(b)
	for {
		line, after, whole := bytes.Cut(b, []byte("\n"))
		l.rest = append(l.rest, line[:min(len(line), maxLine-len(l.rest))]...)
		if !whole {
			return n, nil
		}
		l.flush()
		b = after
	}
}

// flush logs what has come of a line.
func (l *lines) flush() {
	if line := bytes.TrimRight(l.rest, "\r "); len(line) > 0 {
		l.log.Info("vision sidecar", "worker", l.worker, "line", string(line))
	}
	l.rest = l.rest[:0]
}
