package specimen

import (
	"fmt"
	"image"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/code128"

	"kycd/kyc/aamva"
)

// The barcode on a card's back. The standard wants rows at least three modules high and recommends error correction
// level 5; a printer makes modules of whole dots.
const (
	barcodeCorrection = 5
	barcodeRow        = 3    // modules
	barcodeQuiet      = 2    // modules of margin, the symbology's least
	barcodeMostWidth  = 76.0 // mm
	barcodeMostHeight = 26.0 // mm
	aamvaVersion      = 10   // the card design standard of 2020
)

// Barcode composes the payload that tells the truth about a card. The error is an *Error.
func (d Document) Barcode() (string, error) {
	subfile := "DL"
	switch d.Type {
	case DriverLicense:
	case IdentificationCard:
		subfile = "ID"
	default:
		return "", refuse(CodeTypeUnknown, "no barcode on this type")
	}
	elements, err := aamva.Elements(d.fields())
	if err != nil {
		return "", &Error{Code: CodeEncodingFailed, Detail: "barcode", cause: err}
	}
	// The press never cuts a name, and says so.
	elements["DDE"], elements["DDF"], elements["DDG"] = "N", "N", "N"
	payload, err := aamva.Compose(aamva.Card{IIN: aamva.SpecimenIIN, Version: aamvaVersion, Subfile: subfile, Elements: elements})
	if err != nil {
		return "", &Error{Code: CodeEncodingFailed, Detail: "barcode", cause: err}
	}
	return string(payload), nil
}

// cardFront draws a licence or an identification card with the field numbers of the card design standard.
func (p *Press) cardFront(d Document, portrait image.Image) (*canvas, error) {
	seen, err := d.visible()
	if err != nil {
		return nil, err
	}
	c := newCanvas(cardWidth, cardHeight)
	colours := paletteOf(d.Type)
	c.background(colours, Point{58, 31}, 21)
	title, numberLabel := "DRIVER LICENSE", "4d DLN"
	if d.Type == IdentificationCard {
		title, numberLabel = "IDENTIFICATION CARD", "4d ID NO"
	}
	end, err := c.text(3.2, 6.6, 4.1, p.bold, colours.ink, strings.ToUpper(aamva.SpecimenName))
	if err != nil {
		return nil, err
	}
	titleSize := 3.4
	wide, err := c.width(titleSize, p.bold, title)
	if err != nil {
		return nil, err
	}
	if room := cardWidth - 3.2 - (end + 4); wide > room { // the title is set to the right, smaller if it is long
		titleSize, wide = titleSize*room/wide, room
	}
	if _, err := c.text(cardWidth-3.2-wide, 6.6, titleSize, p.bold, colours.ink, title); err != nil {
		return nil, err
	}
	c.rectangle(box{0, 8.3, cardWidth, 0.9}, colours.band)
	if err := c.printPortrait(portrait, box{3.2, 11, 25.6, 32}); err != nil {
		return nil, err
	}
	if err := c.printGhost(portrait, box{72.4, 10.6, 10, 12.5}); err != nil {
		return nil, err
	}
	c.signature(seen.Person.First+seen.Person.Last, box{5, 44.6, 21, 7})

	holder := seen.Person
	const left, edge, step, size = 30.6, 83.4, 3.9, 2.75
	row := func(n int) float64 { return 13.4 + float64(n)*step }
	list := []entry{
		{label: numberLabel, value: seen.Number, x: left, y: row(0), valueX: 40, to: 71.5, size: 3.2, highlight: true},
		{label: "3 DOB", value: dateAs(holder.BirthDate, "01/02/2006"), x: left, y: row(1), valueX: 40, to: 71.5, size: 3.0, highlight: true},
		{label: "4b EXP", value: dateAs(seen.ExpiresAt, "01/02/2006"), x: left, y: row(2), valueX: 40, to: 71.5, size: size, highlight: true},
		{label: "1 LAST NAME", value: holder.Last, x: left, y: row(3), valueX: 44.5, to: edge, size: 2.95},
		{label: "2 FIRST/MIDDLE", value: strings.TrimSpace(holder.given() + " " + holder.Suffix), x: left, y: row(4), valueX: 47.2, to: edge, size: 2.95},
		{label: "8 ADDRESS", value: holder.Street, x: left, y: row(5), valueX: 44.5, to: edge, size: size},
		{value: fmt.Sprintf("%s, %s %s", holder.City, holder.State, holder.Postal), x: left, y: row(6), valueX: 44.5, to: edge, size: size},
		{label: "15 SEX", value: holder.Sex.letter(), x: left, y: row(7), valueX: 37.5, to: 41, size: size},
		{label: "16 HGT", value: feetAndInches(holder.HeightInches), x: 46.6, y: row(7), valueX: 54, to: 63.2, size: size},
		{label: "17 WGT", value: fmt.Sprintf("%d lb", holder.WeightPounds), x: 64, y: row(7), valueX: 71.4, to: edge, size: size},
		{label: "18 EYES", value: holder.Eyes, x: left, y: row(8), valueX: 38.2, to: 46, size: size},
		{label: "19 HAIR", value: holder.Hair, x: 46.6, y: row(8), valueX: 54, to: 61, size: size},
		{label: "4a ISS", value: dateAs(seen.IssuedAt, "01/02/2006"), x: 61.6, y: row(8), valueX: 67.6, to: edge, size: size},
		{label: "5 DD", value: seen.Ref, x: left, y: row(9), valueX: 36.2, to: edge, size: 2.2},
	}
	if d.Type == DriverLicense {
		list[len(list)-1].y = row(9) + 3
		list = append(list,
			entry{label: "9 CLASS", value: d.Class, x: left, y: row(9), valueX: 38.2, to: 46, size: size},
			entry{label: "12 REST", value: orNone(d.Restrictions), x: 46.6, y: row(9), valueX: 54, to: 63.2, size: size},
			entry{label: "9a END", value: orNone(d.Endorsements), x: 64, y: row(9), valueX: 71.4, to: edge, size: size})
	}
	return c, p.entries(c, colours, list)
}

// feetAndInches writes a height as licences print it.
func feetAndInches(inches int) string { return fmt.Sprintf("%d'-%02d\"", inches/12, inches%12) }

func orNone(s string) string {
	if s == "" {
		return "NONE"
	}
	return s
}

// cardBack draws the side with the barcode.
func (p *Press) cardBack(d Document) (*canvas, error) {
	payload, err := d.Barcode()
	if err != nil {
		return nil, err
	}
	c := newCanvas(cardWidth, cardHeight)
	colours := paletteOf(d.Type)
	c.background(colours, Point{20, 46}, 14)
	for i, line := range p.smallPrint(d.Type) {
		if _, err := c.text(4.6, 3.8+float64(i)*2.6, 1.95, p.regular, colours.ink, line); err != nil {
			return nil, err
		}
	}
	lower, err := c.pdf417(payload, 11.2)
	if err != nil {
		return nil, err
	}
	if err := c.inventoryCode(d.Ref, box{47, lower + 1.2, 34, cardHeight - lower - 4.4}); err != nil {
		return nil, err
	}
	if _, err := c.text(4.6, cardHeight-3.2, 1.9, p.regular, colours.ink, "ZZ-REV 01/2020"); err != nil {
		return nil, err
	}
	_, err = c.text(47, cardHeight-1.2, 1.7, p.regular, rgb(0x101418), d.Ref)
	return c, err
}

func (p *Press) smallPrint(t Type) []string {
	if t == IdentificationCard {
		return []string{
			"This card identifies its bearer in the invented " + aamva.SpecimenName + ".",
			"It gives no right to drive, to fly or to enchant.",
		}
	}
	return []string{
		"CLASS  C passenger car   D carriage   M broom, one seat",
		"REST  A corrective lenses   B daylight only",
		"Valid on the roads of the invented " + aamva.SpecimenName + " and on no others.",
	}
}

// pdf417 prints the payload between the side margins, its upper edge at top, and returns its lower edge. Of the layouts
// that fit, it takes the one with the largest modules, and of those the lowest.
func (c *canvas) pdf417(payload string, top float64) (float64, error) {
	var best symbol
	var module int
	for columns := 1; columns <= pdf417MaxColumns; columns++ {
		code, ok := encodePDF417(payload, columns, barcodeCorrection)
		if !ok {
			continue
		}
		size := min(
			pixels(barcodeMostWidth)/(len(code[0])+2*barcodeQuiet),
			pixels(barcodeMostHeight)/(len(code)*barcodeRow+2*barcodeQuiet))
		if size >= module {
			best, module = code, size
		}
	}
	if module < 3 {
		return 0, refuse(CodeEncodingFailed, "barcode: too many modules")
	}
	plate := image.Rect(0, 0, module*(len(best[0])+2*barcodeQuiet), module*(len(best)*barcodeRow+2*barcodeQuiet))
	plate = plate.Add(image.Pt((c.img.Bounds().Dx()-plate.Dx())/2, pixels(top)))
	c.rectangleIn(plate, rgb(0xFDFDFB))
	cell := image.Rect(0, 0, module, module*barcodeRow).Add(plate.Min).Add(image.Pt(module*barcodeQuiet, module*barcodeQuiet))
	for y, row := range best {
		for x, dark := range row {
			if dark {
				c.rectangleIn(cell.Add(image.Pt(x*cell.Dx(), y*cell.Dy())), rgb(0x0C0C0E))
			}
		}
	}
	return float64(plate.Max.Y) / pixelsPerMM, nil
}

// inventoryCode prints the linear code that issuers use for their stock.
func (c *canvas) inventoryCode(text string, place box) error {
	code, err := code128.Encode(text)
	if err != nil {
		return &Error{Code: CodeEncodingFailed, Detail: "inventory code", cause: err}
	}
	area := place.pixels()
	module := area.Dx() / (code.Bounds().Dx() + 20)
	if module < 1 || area.Dy() < 8 {
		return refuse(CodeEncodingFailed, "inventory code: no room")
	}
	plate := image.Rect(0, 0, module*(code.Bounds().Dx()+20), area.Dy()).Add(area.Min)
	c.rectangleIn(plate, rgb(0xFDFDFB))
	for x := range code.Bounds().Dx() {
		if color.GrayModel.Convert(code.At(x, 0)).(color.Gray).Y < 128 {
			left := plate.Min.X + module*(x+10)
			c.rectangleIn(image.Rect(left, plate.Min.Y+4, left+module, plate.Max.Y-4), rgb(0x0C0C0E))
		}
	}
	return nil
}
