package specimen

import (
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/draw"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/f64"
)

// Sizes of the documents in millimetres (ISO/IEC 7810).
const (
	cardWidth, cardHeight = 85.60, 53.98 // ID-1
	pageWidth, pageHeight = 125.0, 88.0  // ID-3
)

// Press draws documents. It is safe for use by several goroutines.
type Press struct {
	regular, bold *opentype.Font
	letters       alphabet
}

// NewPress reads the fonts it draws with.
func NewPress() (*Press, error) {
	regular, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("regular font: %w", err)
	}
	bold, err := opentype.Parse(liberationsansbold.TTF)
	if err != nil {
		return nil, fmt.Errorf("bold font: %w", err)
	}
	letters, err := newAlphabet()
	if err != nil {
		return nil, err
	}
	return &Press{regular: regular, bold: bold, letters: letters}, nil
}

// Front draws the side with the portrait at 450 dpi: 1516 × 956 pixels for a card, 2215 × 1559 for a passport's data
// page. The error is an *Error.
func (p *Press) Front(d Document, portrait image.Image) (*image.RGBA, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if portrait == nil {
		return nil, refuse(CodePortraitMissing, "portrait")
	}
	drawSide := p.cardFront
	switch d.Type {
	case Passport:
		drawSide = p.passportPage
	case PassportCard:
		drawSide = p.passportCardFront
	}
	c, err := drawSide(d, portrait)
	if err != nil {
		return nil, sorted(err)
	}
	if d.Overprint != "" {
		if err := p.overprint(c, d.Overprint); err != nil {
			return nil, sorted(err)
		}
	}
	return c.img, nil
}

// Back draws the other side at 450 dpi: the barcode of a card, or the machine-readable zone of a passport card. A
// passport's data page has none, which is an *Error with CodeNoSuchSide.
func (p *Press) Back(d Document) (*image.RGBA, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	drawSide := p.cardBack
	switch d.Type {
	case Passport:
		return nil, refuse(CodeNoSuchSide, "passport back")
	case PassportCard:
		drawSide = p.passportCardBack
	}
	c, err := drawSide(d)
	if err != nil {
		return nil, sorted(err)
	}
	return c.img, nil
}

// sorted makes an *Error of whatever a drawing routine or a library reported.
func sorted(err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return &Error{Code: CodeEncodingFailed, Detail: "drawing", cause: err}
}

// entry is one labelled value. The label stands at x, the value on the same base line at valueX or where the label
// ends, no further than to.
type entry struct {
	label     string
	value     string
	x, y      float64
	valueX    float64
	to        float64
	size      float64
	highlight bool
}

func (p *Press) entries(c *canvas, colours palette, list []entry) error {
	black, red := rgb(0x101418), rgb(0x9C1B1B)
	for _, e := range list {
		end, err := c.text(e.x, e.y, 2.05, p.regular, colours.ink, e.label)
		if err != nil {
			return err
		}
		at := e.valueX
		if e.label != "" {
			at = math.Max(at, end+0.9)
		}
		ink := black
		if e.highlight {
			ink = red
		}
		if err := c.textWithin(at, e.y, e.size, e.to-at, p.bold, ink, e.value); err != nil {
			return err
		}
	}
	return nil
}

// signature draws a scrawl that is always the same for the same name.
func (c *canvas) signature(name string, place box) {
	sum := fnv.New64a()
	sum.Write([]byte(name)) // hash.Hash never fails
	rng := rand.New(rand.NewPCG(sum.Sum64(), 7))
	const loops = 9
	curve := make([]Point, 0, loops*12)
	for i := range loops * 12 {
		t := float64(i) / 12
		height := place.h * (0.22 + 0.16*math.Sin(t*1.7+float64(len(name))))
		if i == 0 || i%24 == 0 {
			height *= 1 + rng.Float64()
		}
		curve = append(curve, Point{
			place.x + place.w*(t+0.55*math.Sin(t*2*math.Pi))/(loops+1),
			place.y + place.h*0.55 + height*math.Sin(t*2*math.Pi+rng.Float64()*0.35),
		})
	}
	curve = append(curve, Point{place.x + place.w, place.y + place.h*0.25})
	c.stroke(curve, 0.22, rgb(0x1B2A55))
}

// overprint writes a word across the whole front, turned and half transparent.
func (p *Press) overprint(c *canvas, word string) error {
	if err := (limit{field: "overprint", value: word, most: 16}).check(); err != nil {
		return err
	}
	sheet := c.img.Bounds()
	widthMM := float64(sheet.Dx()) / pixelsPerMM
	size := widthMM / 6
	wide, err := c.width(size, p.bold, word)
	if err != nil {
		return err
	}
	size *= math.Min(1, 0.78*widthMM/wide)
	if wide, err = c.width(size, p.bold, word); err != nil {
		return err
	}
	plate := newCanvas(wide, size*1.3)
	if _, err := plate.text(0, size, size, p.bold, color.NRGBA{170, 20, 30, 150}, word); err != nil {
		return err
	}
	sin, cos := math.Sincos(-18 * math.Pi / 180)
	plateX, plateY := float64(plate.img.Bounds().Dx())/2, float64(plate.img.Bounds().Dy())/2
	centreX, centreY := float64(sheet.Dx())/2, float64(sheet.Dy())/2
	turn := f64.Aff3{
		cos, -sin, centreX - cos*plateX + sin*plateY,
		sin, cos, centreY - sin*plateX - cos*plateY,
	}
	draw.BiLinear.Transform(c.img, turn, plate.img, plate.img.Bounds(), draw.Over, nil)
	return nil
}
