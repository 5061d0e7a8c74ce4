package kycd

import (
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The client knows the contract alone: nothing of the server is in it.
func TestImports(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("api/*.go")
	if err != nil || len(more) == 0 {
		t.Fatal(more, err)
	}
	for _, name := range append(files, more...) {
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(path, "kycd/") && !strings.HasPrefix(path, "kycd/clients/go") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
