package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// known is a section whose figures are known.
type known struct{ called, says string }

func (k *known) name() string                               { return k.called }
func (k *known) measure(context.Context, *evaluation) error { return nil }
func (k *known) template() string                           { return "## About {{.Says}}\n\n| frogs | rows of no | summary |\n" }
func (k *known) summary() []summaryRow {
	return []summaryRow{{k.says + ", first", "1 %"}, {k.says + ", second", "2 %"}}
}
func (k *known) figures() map[string]string { return map[string]string{k.called + ".svg": k.says} }
func (k *known) Says() string               { return k.says }

// One section is measured again, and the others stay to the letter as they were.
func TestSectionsAreWrittenAlone(t *testing.T) {
	docs, order := t.TempDir(), []string{"birds", "fish", "frogs"}
	write := func(name, says string) string {
		t.Helper()
		if err := writeSection(docs, order, &known{name, says}, &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(docs, "accuracy.md"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	write("fish", "carp")
	before := write("birds", "storks")
	for _, want := range []string{
		"| birds | storks, first | 1 % |\n| birds | storks, second | 2 % |\n| fish | carp, first | 1 % |",
		"<!-- birds -->\n## About storks\n\n| frogs | rows of no | summary |\n<!-- /birds -->\n\n<!-- fish -->\n## About carp\n",
		"| fish | carp, second | 2 % |\n\n", // and no row of frogs
		"<!-- frogs -->\n## Frogs\n\nNot measured yet: `make eval-frogs`.\n<!-- /frogs -->",
	} {
		if !strings.Contains(before, want) {
			t.Fatalf("the page lacks %q:\n%s", want, before)
		}
	}
	if again := write("birds", "storks"); again != before {
		t.Error("the same figures gave another page")
	}
	if after := write("fish", "eels"); after != strings.ReplaceAll(before, "carp", "eels") {
		t.Errorf("more changed than one section:\n%s", after)
	}
	if figure, err := os.ReadFile(filepath.Join(docs, "birds.svg")); err != nil || string(figure) != "storks" {
		t.Errorf("the figure is %q, %v", figure, err)
	}
}

// The page of the repository has all sections, and rows of each at its top.
func TestThePageHasAllSections(t *testing.T) {
	var order []string
	for _, s := range (accuracyOptions{}).sections() {
		order = append(order, s.name())
	}
	p, err := readPage(filepath.Join("..", "..", "docs", "accuracy.md"), order)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range order {
		if p.sections[name] == "" || len(p.rows[name]) == 0 {
			t.Errorf("docs/accuracy.md: %s has %d bytes and %d rows", name, len(p.sections[name]), len(p.rows[name]))
		}
	}
}
