package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The colours can be told apart by the colour-blind (Okabe and Ito).
const (
	blue      = "#0072B2"
	vermilion = "#D55E00"
	green     = "#009E73"
	ink       = "#222222"
	grey      = "#777777"
	faint     = "#D8D8D8"
)

// figure is an SVG picture being drawn.
type figure struct {
	width, height float64
	body          strings.Builder
}

func newFigure(width, height float64) *figure { return &figure{width: width, height: height} }

func (f *figure) add(format string, values ...any) { fmt.Fprintf(&f.body, format+"\n", values...) }

// text writes text; anchor is start, middle or end.
func (f *figure) text(x, y float64, anchor string, size float64, text string) {
	f.add(`<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%g">%s</text>`, x, y, anchor, size, html.EscapeString(text))
}

func (f *figure) line(x1, y1, x2, y2 float64, colour string, width float64) {
	f.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%g"/>`, x1, y1, x2, y2, colour, width)
}

// svg is the whole picture, with a title for those who do not see it.
func (f *figure) svg(title string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img" font-family="Helvetica, Arial, sans-serif" fill="%s">
<title>%s</title>
<rect width="100%%" height="100%%" fill="#FFFFFF"/>
%s</svg>
`, f.width, f.height, f.width, f.height, ink, html.EscapeString(title), f.body.String())
}

// axis maps numbers to positions. A logarithmic axis puts everything below its least number at its end.
type axis struct {
	label    string
	min, max float64
	log      bool
	ticks    []float64
}

// share gives the place of v between the ends, 0..1.
func (a axis) share(v float64) float64 {
	low, high := a.min, a.max
	v = math.Min(math.Max(v, low), high)
	if a.log {
		low, high, v = math.Log(low), math.Log(high), math.Log(v)
	}
	return (v - low) / (high - low)
}

// chart is a frame with two axes in a figure. x and y are its upper left corner.
type chart struct {
	f                   *figure
	x, y, width, height float64
	across, up          axis
}

func (c chart) at(across, up float64) (x, y float64) {
	return c.x + c.across.share(across)*c.width, c.y + (1-c.up.share(up))*c.height
}

// frame draws axes, ticks and labels; numbers are shares, shown in percent.
func (c chart) frame() {
	for _, t := range c.across.ticks {
		x, _ := c.at(t, c.up.min)
		c.f.line(x, c.y, x, c.y+c.height, faint, 1)
		c.f.text(x, c.y+c.height+16, "middle", 11, tick(t))
	}
	for _, t := range c.up.ticks {
		_, y := c.at(c.across.min, t)
		c.f.line(c.x, y, c.x+c.width, y, faint, 1)
		c.f.text(c.x-6, y+4, "end", 11, tick(t))
	}
	c.f.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="none" stroke="%s"/>`, c.x, c.y, c.width, c.height, ink)
	c.f.text(c.x+c.width/2, c.y+c.height+36, "middle", 13, c.across.label)
	if c.up.label != "" {
		x, y := c.x-46, c.y+c.height/2
		c.f.add(`<text transform="translate(%.1f %.1f) rotate(-90)" text-anchor="middle" font-size="13">%s</text>`, x, y, html.EscapeString(c.up.label))
	}
}

func tick(share float64) string { return fmt.Sprintf("%g %%", math.Round(share*1e6)/1e4) }

// point is a position on a chart, in the numbers of its axes.
type point struct{ across, up float64 }

// stairs draws an empirical curve; steps too small to see are left out.
func (c chart) stairs(points []point, colour, dash string) {
	var path strings.Builder
	lastX, lastY := math.Inf(-1), math.Inf(-1)
	for i, p := range points {
		x, y := c.at(p.across, p.up)
		if i > 0 && i < len(points)-1 && math.Hypot(x-lastX, y-lastY) < 1 {
			continue
		}
		if i == 0 {
			fmt.Fprintf(&path, "M%.1f %.1f", x, y)
		} else {
			fmt.Fprintf(&path, "H%.1fV%.1f", x, y)
		}
		lastX, lastY = x, y
	}
	c.f.add(`<path d="%s" fill="none" stroke="%s" stroke-width="1.8" stroke-dasharray="%s"/>`, path.String(), colour, dash)
}

// dot marks one point; a hollow one is a comparison.
func (c chart) dot(p point, colour string, hollow bool) {
	x, y := c.at(p.across, p.up)
	fill := colour
	if hollow {
		fill = "#FFFFFF"
	}
	c.f.add(`<circle cx="%.1f" cy="%.1f" r="4.5" fill="%s" stroke="%s" stroke-width="1.6"/>`, x, y, fill, colour)
}

// interval draws a rate with its bounds along the horizontal axis, at a height in pixels of the figure.
func (c chart) interval(r rate, y float64, colour string, hollow bool) {
	low, high := r.bounds()
	from, _ := c.at(low, c.up.min)
	to, _ := c.at(high, c.up.min)
	c.f.line(from, y, to, y, colour, 1.6)
	x, _ := c.at(r.value(), c.up.min)
	fill := colour
	if hollow {
		fill = "#FFFFFF"
	}
	c.f.add(`<circle cx="%.1f" cy="%.1f" r="4" fill="%s" stroke="%s" stroke-width="1.6"/>`, x, y, fill, colour)
}

// key is one line of a legend.
type key struct {
	label, colour, dash string
	mark, hollow        bool // a dot instead of a line
}

// legend writes the keys below each other, from the upper left corner x, y on.
func (f *figure) legend(x, y float64, keys ...key) {
	for i, k := range keys {
		at := y + float64(i)*18
		switch {
		case k.mark && k.hollow:
			f.add(`<circle cx="%.1f" cy="%.1f" r="4.5" fill="#FFFFFF" stroke="%s" stroke-width="1.6"/>`, x+13, at, k.colour)
		case k.mark:
			f.add(`<circle cx="%.1f" cy="%.1f" r="4.5" fill="%s"/>`, x+13, at, k.colour)
		default:
			f.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="2" stroke-dasharray="%s"/>`, x, at, x+26, at, k.colour, k.dash)
		}
		f.text(x+34, at+4, "start", 12, k.label)
	}
}
