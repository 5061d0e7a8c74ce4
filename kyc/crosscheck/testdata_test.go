package crosscheck

import (
	"os"
	"path/filepath"
	"testing"
)

// testdataPath finds a file of the shared test data, or skips the test where there is none.
func testdataPath(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("KYCD_TESTDATA")
	if root == "" {
		root = siblingTestdata(t)
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

func siblingTestdata(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared", "testdata")
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		t.Fatal("no go.mod above the test")
	}
}
