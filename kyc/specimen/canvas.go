package specimen

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// pixelsPerMM is the resolution of a print: 450 dpi.
const pixelsPerMM = 450 / 25.4

// Point is a position. In a photograph it is in pixels from the upper left corner; within the press it is in
// millimetres of the document.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// canvas is a sheet that is drawn on in millimetres.
type canvas struct {
	img   *image.RGBA
	faces map[faceKey]font.Face
}

type faceKey struct {
	font *opentype.Font
	size float64
}

func newCanvas(width, height float64) *canvas {
	bounds := image.Rect(0, 0, pixels(width), pixels(height))
	return &canvas{img: image.NewRGBA(bounds), faces: map[faceKey]font.Face{}}
}

func pixels(mm float64) int { return int(math.Round(mm * pixelsPerMM)) }

// box is a rectangle in millimetres.
type box struct{ x, y, w, h float64 }

func (b box) pixels() image.Rectangle {
	return image.Rect(pixels(b.x), pixels(b.y), pixels(b.x+b.w), pixels(b.y+b.h))
}

// face gives the font at an em size in millimetres.
func (c *canvas) face(typeface *opentype.Font, size float64) (font.Face, error) {
	key := faceKey{typeface, size}
	if face, ok := c.faces[key]; ok {
		return face, nil
	}
	face, err := opentype.NewFace(typeface, &opentype.FaceOptions{Size: size * pixelsPerMM, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, err
	}
	c.faces[key] = face
	return face, nil
}

// text writes s with its base line starting at (x, y) and returns where it ended, in millimetres.
func (c *canvas) text(x, y, size float64, typeface *opentype.Font, ink color.Color, s string) (float64, error) {
	face, err := c.face(typeface, size)
	if err != nil {
		return 0, err
	}
	pen := font.Drawer{Dst: c.img, Src: image.NewUniform(ink), Face: face, Dot: fixedPoint(x, y)}
	pen.DrawString(s)
	return float64(pen.Dot.X) / 64 / pixelsPerMM, nil
}

// textWithin writes s no wider than limit, smaller where it must be. Below three fifths of the wished size a
// person could not read it, so that is refused.
func (c *canvas) textWithin(x, y, size, limit float64, typeface *opentype.Font, ink color.Color, s string) error {
	width, err := c.width(size, typeface, s)
	if err != nil {
		return err
	}
	if width > limit {
		shrink := limit / width
		if shrink < 0.6 {
			return refuse(CodeFieldTooLong, "does not fit its place on the document")
		}
		size *= math.Floor(shrink*50) / 50
	}
	_, err = c.text(x, y, size, typeface, ink, s)
	return err
}

// width measures s in millimetres.
func (c *canvas) width(size float64, typeface *opentype.Font, s string) (float64, error) {
	face, err := c.face(typeface, size)
	if err != nil {
		return 0, err
	}
	return float64(font.MeasureString(face, s)) / 64 / pixelsPerMM, nil
}

func fixedPoint(x, y float64) fixed.Point26_6 {
	return fixed.Point26_6{X: fixed.Int26_6(math.Round(x * pixelsPerMM * 64)), Y: fixed.Int26_6(math.Round(y * pixelsPerMM * 64))}
}

// rectangle fills b.
func (c *canvas) rectangle(b box, ink color.Color) { c.rectangleIn(b.pixels(), ink) }

// rectangleIn fills an area given in pixels, for what must fall on whole dots.
func (c *canvas) rectangleIn(area image.Rectangle, ink color.Color) {
	draw.Draw(c.img, area, image.NewUniform(ink), image.Point{}, draw.Over)
}

// stroke draws a polyline of the given width with round ends and joints.
func (c *canvas) stroke(line []Point, width float64, ink color.Color) {
	radius := width / 2
	shapes := make([][]Point, 0, 2*len(line))
	for i, at := range line {
		shapes = append(shapes, circle(at, radius))
		if i == 0 {
			continue
		}
		from := line[i-1]
		length := math.Hypot(at.X-from.X, at.Y-from.Y)
		if length == 0 {
			continue
		}
		// The side vector turns with the direction of the stroke, so every quadrilateral winds the same way as
		// the circles; where they overlap, the rasterizer's sum is clamped and not cancelled.
		side := Point{-(at.Y - from.Y) / length * radius, (at.X - from.X) / length * radius}
		shapes = append(shapes, []Point{
			{from.X - side.X, from.Y - side.Y}, {at.X - side.X, at.Y - side.Y},
			{at.X + side.X, at.Y + side.Y}, {from.X + side.X, from.Y + side.Y},
		})
	}
	c.fill(shapes, ink)
}

// circle is a regular polygon that passes for a circle at print resolution.
func circle(centre Point, radius float64) []Point {
	corners := make([]Point, 16)
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(corners)))
		corners[i] = Point{centre.X + radius*cos, centre.Y + radius*sin}
	}
	return corners
}

// ellipse is a polygon in the same winding as circle.
func ellipse(centre Point, rx, ry float64) []Point {
	corners := make([]Point, 64)
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(corners)))
		corners[i] = Point{centre.X + rx*cos, centre.Y + ry*sin}
	}
	return corners
}

// fill paints polygons that wind the same way as one shape, with anti-aliased edges.
func (c *canvas) fill(shapes [][]Point, ink color.Color) {
	low, high := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, shape := range shapes {
		for _, at := range shape {
			low = Point{math.Min(low.X, at.X), math.Min(low.Y, at.Y)}
			high = Point{math.Max(high.X, at.X), math.Max(high.Y, at.Y)}
		}
	}
	area := image.Rect(
		int(math.Floor(low.X*pixelsPerMM)), int(math.Floor(low.Y*pixelsPerMM)),
		int(math.Ceil(high.X*pixelsPerMM))+1, int(math.Ceil(high.Y*pixelsPerMM))+1)
	area = area.Intersect(c.img.Bounds()) // the rasterizer clips paths to its area, but not its area to the picture
	if area.Empty() {
		return
	}
	raster := vector.NewRasterizer(area.Dx(), area.Dy())
	move := func(at Point) (float32, float32) {
		return float32(at.X*pixelsPerMM) - float32(area.Min.X), float32(at.Y*pixelsPerMM) - float32(area.Min.Y)
	}
	for _, shape := range shapes {
		raster.MoveTo(move(shape[0]))
		for _, at := range shape[1:] {
			raster.LineTo(move(at))
		}
		raster.ClosePath()
	}
	raster.Draw(c.img, area, image.NewUniform(ink), image.Point{})
}
