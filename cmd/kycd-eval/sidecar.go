package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"kycd/vision"
)

// sidecar measures images with the program kycd-vision.
type sidecar struct {
	program  string
	models   string    // folder of the weights
	progress io.Writer // how far it is
}

// analyze gives what the program measures on each file, in their order. An image that cannot be analysed has its
// Error set.
func (s sidecar) analyze(ctx context.Context, parts string, files []string) ([]vision.Analysis, error) {
	args := append([]string{"analyze", "--json", "--ask", parts, "--models", s.models, "--"}, files...)
	return stream[vision.Analysis](ctx, s, len(files), args...)
}

// pair names two images by their files.
type pair struct{ a, b string }

// stream runs the program and reads the want JSON objects that it prints.
func stream[T any](ctx context.Context, s sidecar, want int, args ...string) ([]T, error) {
	cmd := exec.CommandContext(ctx, s.program, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	results := make([]T, 0, want)
	decoder := json.NewDecoder(out)
	for {
		var one T
		if err := decoder.Decode(&one); err != nil {
			if !errors.Is(err, io.EOF) {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				return nil, fmt.Errorf("%s %s: %w", s.program, args[0], err)
			}
			break
		}
		results = append(results, one)
		if n := len(results); n%max(want/20, 1) == 0 || n == want {
			fmt.Fprintf(s.progress, "\r    %d of %d ", n, want)
		}
	}
	fmt.Fprint(s.progress, "\r")
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", s.program, args[0], err, lastLine(said.String()))
	}
	if len(results) != want {
		return nil, fmt.Errorf("%s %s: %d results for %d", s.program, args[0], len(results), want)
	}
	return results, nil
}

func lastLine(text string) string {
	lines := strings.FieldsFunc(strings.TrimSpace(text), func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

// withoutFiles makes a folder like models that lacks the named files, as on a machine that only reaches the package
// registries.
func withoutFiles(models, folder string, names ...string) error {
	entries, err := os.ReadDir(models)
	if err != nil {
		return err
	}
	models, err = filepath.Abs(models)
	if err != nil {
		return err
	}
	missing := map[string]bool{}
	for _, name := range names {
		missing[name] = true
	}
	for _, e := range entries {
		if missing[e.Name()] {
			continue
		}
		if err := os.Symlink(filepath.Join(models, e.Name()), filepath.Join(folder, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// readAnalyses reads analyses of files from JSON lines, in the order of the files.
func readAnalyses(name string, files []string) ([]vision.Analysis, error) {
	lines, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer lines.Close()
	known := map[string]vision.Analysis{}
	decoder := json.NewDecoder(lines)
	for {
		var a vision.Analysis
		err := decoder.Decode(&a)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		known[filepath.Clean(a.File)] = a
	}
	analyses := make([]vision.Analysis, len(files))
	for i, file := range files {
		a, ok := known[filepath.Clean(file)]
		if !ok {
			return nil, fmt.Errorf("%s lacks %s", name, file)
		}
		analyses[i] = a
	}
	return analyses, nil
}
