package reference

import (
	"html"
	"html/template"
	"strings"
)

// prose makes HTML of the little Markdown that the contract's descriptions use: paragraphs, lists of "- " lines and
// `code`. Code that is the id of an operation or an error code becomes a link to it.
func (p *page) prose(text string) template.HTML {
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if block = strings.TrimSpace(block); block == "" {
			continue
		}
		items, isList := listItems(block)
		if !isList {
			out.WriteString("<p>" + p.inline(block) + "</p>")
			continue
		}
		out.WriteString("<ul>")
		for _, item := range items {
			out.WriteString("<li>" + p.inline(item) + "</li>")
		}
		out.WriteString("</ul>")
	}
	return template.HTML(out.String()) //nolint:gosec // inline escapes every text
}

// inline escapes a text and marks what stands between backticks.
func (p *page) inline(text string) string {
	var out strings.Builder
	for i, part := range strings.Split(text, "`") {
		part := html.EscapeString(part)
		if i%2 == 0 {
			out.WriteString(part)
			continue
		}
		code := "<code>" + part + "</code>"
		if p.anchors[part] {
			code = `<a href="#` + part + `">` + code + "</a>"
		}
		out.WriteString(code)
	}
	return out.String()
}

// listItems are the items of a block in which the first line, and the first line of each further item, begins with "- ".
func listItems(block string) (items []string, ok bool) {
	if !strings.HasPrefix(block, "- ") {
		return nil, false
	}
	for line := range strings.SplitSeq(block, "\n") {
		if item, begins := strings.CutPrefix(strings.TrimSpace(line), "- "); begins {
			items = append(items, item)
		} else {
			items[len(items)-1] += " " + strings.TrimSpace(line)
		}
	}
	return items, true
}
