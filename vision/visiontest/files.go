// Package visiontest finds, for the tests of the vision packages, pictures and weights that are not part of the
// project, and draws small pictures that are.
package visiontest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// Testdata gives the path of a file or folder of the test data: below KYCD_TESTDATA, or below shared/testdata
// beside the repository. Without it the test is skipped, and fails under CI.
func Testdata(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("KYCD_TESTDATA")
	if dir == "" {
		dir = filepath.Join(root(t), "..", "shared", "testdata")
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	need(t, path, "needs testdata: "+name)
	return path
}

// Models gives the folder of the weights, KYCD_MODELS or data/models of the repository, if it holds the files
// named. Without them the test is skipped, and fails under CI.
func Models(t testing.TB, files ...string) string {
	t.Helper()
	dir := os.Getenv("KYCD_MODELS")
	if dir == "" {
		dir = filepath.Join(root(t), "data", "models")
	}
	for _, name := range files {
		need(t, filepath.Join(dir, name), "needs weights: "+name)
	}
	return dir
}

// Read reads a file of the test data.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(Testdata(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func need(t testing.TB, path, missing string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// root is the folder of go.mod, at or above the working directory.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}

// PNG draws a picture by a function of its pixels and encodes it without loss.
func PNG(t testing.TB, width, height int, at func(x, y int) color.RGBA) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, at(x, y))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
