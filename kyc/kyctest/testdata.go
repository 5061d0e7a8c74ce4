// Package kyctest finds the labelled data that tests of the rules read where it exists.
package kyctest

import (
	"os"
	"path/filepath"
	"testing"
)

// Testdata gives the path of a file or folder of the labelled data: below KYCD_TESTDATA, or ../shared/testdata beside
// the project. Where there is none the test is skipped; in CI it fails.
func Testdata(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("KYCD_TESTDATA")
	if root == "" {
		root = filepath.Join(module(t), "..", "shared", "testdata")
	}
	path := filepath.Join(root, name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("test data missing: %s", name)
		}
		t.Skipf("needs testdata: %s", name)
	}
	return path
}

// module is the folder of the go.mod above the test.
func module(t testing.TB) string {
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
