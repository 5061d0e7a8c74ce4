package models

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// npmFiles pin the packages: exact versions, and integrity hashes in the lockfile.
//
//go:embed npm/package.json npm/package-lock.json
var npmFiles embed.FS

const npmDone = ".complete"

// NPMFile reads a file of a pinned npm package, installing the packages when they are not there yet. It
// serves the demo, whose photos are never part of the project: path is relative to the package, as in
// NPMFile(ctx, opts, "@vladmandic/face-api", "demo/sample1.jpg").
func NPMFile(ctx context.Context, opts Options, pkg, path string) ([]byte, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	reg := &registry{opts: o}
	f, err := reg.open(ctx, pkg+"/"+path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(reader{ctx, f})
	if err != nil {
		return nil, &Error{Code: CodeRegistry, Subject: pkg + "/" + path, Err: err}
	}
	return b, nil
}

// registry is npm with this project's lockfile. Packages are installed once into a folder of the cache
// that is named after the lockfile; nothing of them is run.
type registry struct {
	opts  Options
	tried bool
	root  string // node_modules
	err   error
}

// open gives a file below node_modules. Paths cannot leave it.
func (r *registry) open(ctx context.Context, path string) (*os.File, error) {
	if !fs.ValidPath(path) {
		return nil, &Error{Code: CodeRegistry, Subject: path, Detail: "not a path inside a package"}
	}
	root, err := r.install(ctx)
	if err != nil {
		return nil, err
	}
	packages, err := os.OpenRoot(root)
	if err != nil {
		return nil, &Error{Code: CodeRegistry, Subject: path, Err: err}
	}
	defer packages.Close()
	f, err := packages.Open(path)
	if err != nil {
		return nil, &Error{Code: CodeRegistry, Subject: path, Err: err}
	}
	return f, nil
}

// install runs npm once per registry value; a failure is remembered for its lifetime.
func (r *registry) install(ctx context.Context) (root string, err error) {
	if !r.tried {
		r.root, r.err = r.installOnce(ctx)
		r.tried = ctx.Err() == nil
	}
	return r.root, r.err
}

func (r *registry) installOnce(ctx context.Context) (string, error) {
	lockfile, err := npmFiles.ReadFile("npm/package-lock.json")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lockfile)
	folder := filepath.Join(r.opts.Cache, "npm-"+hex.EncodeToString(sum[:6]))
	root := filepath.Join(folder, "node_modules")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", &Error{Code: CodeRegistry, Subject: folder, Err: err}
	}
	unlock, err := lockFolder(ctx, folder, r.opts.say)
	if err != nil {
		return "", &Error{Code: CodeRegistry, Subject: folder, Err: err}
	}
	defer unlock()
	done := filepath.Join(folder, npmDone)
	if _, err := os.Stat(done); err == nil {
		if _, err := os.Stat(root); err == nil {
			return root, nil
		}
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := npmFiles.ReadFile("npm/" + name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o644); err != nil {
			return "", &Error{Code: CodeRegistry, Subject: folder, Err: err}
		}
	}
	r.opts.say("npm: installing %s (41 MB)", packageNames(lockfile))
	if err := r.run(ctx, folder, "ci", "--omit=dev", "--omit=peer", "--omit=optional"); err != nil {
		return "", err
	}
	if err := os.WriteFile(done, nil, 0o644); err != nil {
		return "", &Error{Code: CodeRegistry, Subject: folder, Err: err}
	}
	return root, nil
}

// run starts npm in a folder: no scripts, few and short retries.
func (r *registry) run(ctx context.Context, folder, command string, arguments ...string) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return &Error{Code: CodeRegistry, Detail: "npm is not installed (apt-get install npm)"}
	}
	args := append([]string{command, "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--no-progress",
		"--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000", "--fetch-timeout=30000"}, arguments...)
	if r.opts.Offline {
		args = append(args, "--offline")
	}
	cmd := exec.CommandContext(ctx, "npm", args...)
	cmd.Dir = folder
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	// npm starts children: a group of its own lets a cancelled fetch end all of them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 3 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return &Error{Code: CodeRegistry, Detail: "npm " + command, Err: npmReason(output.String(), err)}
	}
	return nil
}

// npmReason finds where npm says what went wrong: a code, and the line that explains it.
func npmReason(output string, err error) error {
	var reason []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		rest, ok := strings.CutPrefix(line, "npm error ")
		if !ok {
			rest, ok = strings.CutPrefix(line, "npm ERR! ")
		}
		detail := strings.HasPrefix(rest, "syscall ") || strings.HasPrefix(rest, "errno ")
		if ok && rest != "" && !detail && len(reason) < 2 {
			reason = append(reason, rest)
		}
	}
	if len(reason) == 0 {
		return err
	}
	return errors.New(strings.Join(reason, ", "))
}

// packageNames lists the packages of a lockfile, for the progress line.
func packageNames(lockfile []byte) string {
	var lock struct {
		Packages map[string]struct {
			Version string `json:"version"`
		} `json:"packages"`
	}
	if json.Unmarshal(lockfile, &lock) != nil {
		return "packages"
	}
	var names []string
	for path, p := range lock.Packages {
		if name, ok := strings.CutPrefix(path, "node_modules/"); ok {
			names = append(names, name+"@"+p.Version)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
