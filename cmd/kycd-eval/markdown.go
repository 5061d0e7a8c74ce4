package main

import "strings"

// table is a Markdown table. Cells of the first column stand left, all others right.
type table struct {
	head []string
	rows [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t table) String() string {
	var b strings.Builder
	write := func(cells []string) {
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	write(t.head)
	rule := make([]string, len(t.head))
	for i := range rule {
		rule[i] = "---:"
		if i == 0 {
			rule[i] = "---"
		}
	}
	write(rule)
	for _, cells := range t.rows {
		write(cells)
	}
	return strings.TrimRight(b.String(), "\n")
}
