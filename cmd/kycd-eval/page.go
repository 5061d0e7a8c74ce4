package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed accuracy.md.tmpl
var accuracyText string

// page is accuracy.md. Each section stands between two markers and has its own rows in the summary at the top, so that
// one can be measured again and the others stay as they were.
type page struct {
	sections map[string]string // name → text between its markers
	rows     map[string][][]string
	order    []string // of the sections on the page
}

// readPage takes the sections of an existing page apart. A page that does not exist has none.
func readPage(file string, order []string) (*page, error) {
	p := &page{sections: map[string]string{}, rows: map[string][][]string{}, order: order}
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	for _, name := range order {
		_, rest, begun := strings.Cut(string(text), "<!-- "+name+" -->\n")
		section, _, ended := strings.Cut(rest, "<!-- /"+name+" -->\n")
		if begun && ended {
			p.sections[name] = section
		}
		top, _, _ := strings.Cut(string(text), "<!-- ") // tables of the sections may have such rows too
		for line := range strings.Lines(top) {
			if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | "); len(cells) == 3 && strings.TrimSpace(cells[0]) == name {
				p.rows[name] = append(p.rows[name], []string{name, strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])})
			}
		}
	}
	return p, nil
}

// put replaces a section by what was measured.
func (p *page) put(s section) error {
	parsed, err := template.New(s.name()).Parse(s.template())
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := parsed.Execute(&text, s); err != nil {
		return err
	}
	p.sections[s.name()] = strings.TrimSpace(text.String()) + "\n"
	rows := s.summary()
	p.rows[s.name()] = make([][]string, len(rows))
	for i, row := range rows {
		p.rows[s.name()][i] = []string{s.name(), row.what, row.value}
	}
	return nil
}

// Summary is the whole on a few lines.
func (p *page) Summary() table {
	t := table{head: []string{"part", "what", "rate with 95 % bounds"}}
	for _, name := range p.order {
		t.rows = append(t.rows, p.rows[name]...)
	}
	return t
}

// Sections are the texts of all sections between their markers.
func (p *page) Sections() string {
	var b strings.Builder
	for i, name := range p.order {
		text := p.sections[name]
		if text == "" {
			text = fmt.Sprintf("## %s%s\n\nNot measured yet: `make eval-%s`.\n", strings.ToUpper(name[:1]), name[1:], name)
		}
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "<!-- %s -->\n%s<!-- /%s -->\n", name, text, name)
	}
	return strings.TrimRight(b.String(), "\n")
}

func (p *page) String() (string, error) {
	parsed, err := template.New("accuracy.md").Parse(accuracyText)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = parsed.Execute(&text, p)
	return text.String(), err
}

// writeSection puts one section that was measured into the page of a folder, with its figures, and says so.
func writeSection(docs string, order []string, s section, out io.Writer) error {
	file := filepath.Join(docs, "accuracy.md")
	p, err := readPage(file, order)
	if err != nil {
		return err
	}
	if err := p.put(s); err != nil {
		return err
	}
	text, err := p.String()
	if err != nil {
		return err
	}
	for name, content := range s.figures() {
		if err := os.WriteFile(filepath.Join(docs, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	for _, row := range s.summary() {
		fmt.Fprintf(out, "    %s: %s\n", row.what, row.value)
	}
	fmt.Fprintf(out, "    written to %s\n", file)
	return nil
}
