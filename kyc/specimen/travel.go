package specimen

import (
	"image"
	"strings"

	"kycd/kyc/mrz"
)

// Places of the machine-readable zone in millimetres: the first character's cell, the middle of the lowest line above
// the lower edge, and the distance of lines (ICAO 9303-4 and -5).
const (
	td3Left, td3Bottom, td3Spacing = 6.4, 8.5, 6.35
	td1Left, td1Bottom, td1Spacing = 4.6, 6.9, 4.75
)

// MRZ composes the machine-readable zone that tells the truth about a travel document. The error is an *Error.
func (d Document) MRZ() ([]string, error) {
	zone := mrz.Document{
		Format: mrz.TD3, Type: "P", Issuer: CountryCode, Nationality: CountryCode,
		Number: d.Number, BirthDate: d.Person.BirthDate, ExpiresAt: d.ExpiresAt, Sex: d.Person.Sex.zone(),
		Surname: strings.TrimSpace(d.Person.Last + " " + d.Person.Suffix), GivenNames: d.Person.given(),
	}
	switch d.Type {
	case Passport:
	case PassportCard:
		zone.Format, zone.Type = mrz.TD1, "IP"
	default:
		return nil, refuse(CodeTypeUnknown, "no machine-readable zone on this type")
	}
	lines, err := mrz.Compose(zone)
	if err != nil {
		return nil, &Error{Code: CodeEncodingFailed, Detail: "mrz", cause: err}
	}
	return lines, nil
}

// zone is the letter of a machine-readable zone; unspecified is left open.
func (s Sex) zone() string {
	if s == Male || s == Female {
		return s.letter()
	}
	return ""
}

// given are the given names in one text.
func (p Person) given() string { return strings.TrimSpace(p.First + " " + p.Middle) }

// caption is a value under its label, as travel documents print them.
type caption struct {
	label, value string
	x, y, to     float64
}

func (p *Press) captions(c *canvas, colours palette, size float64, list []caption) error {
	for _, e := range list {
		if _, err := c.text(e.x, e.y, size*0.58, p.regular, colours.ink, e.label); err != nil {
			return err
		}
		if err := c.textWithin(e.x, e.y+size*1.06, size, e.to-e.x, p.bold, rgb(0x101418), e.value); err != nil {
			return err
		}
	}
	return nil
}

// passportPage draws the data page of a passport with its zone (ID-3, TD3).
func (p *Press) passportPage(d Document, portrait image.Image) (*canvas, error) {
	lines, err := d.MRZ()
	if err != nil {
		return nil, err
	}
	seen, err := d.visible()
	if err != nil {
		return nil, err
	}
	c := newCanvas(pageWidth, pageHeight)
	colours := paletteOf(d.Type)
	c.background(colours, Point{88, 34}, 30)
	if _, err := c.text(6, 8.6, 4.6, p.bold, colours.ink, "PASSPORT"); err != nil {
		return nil, err
	}
	if _, err := c.text(72, 8.6, 4.0, p.bold, colours.ink, "REPUBLIC OF "+CountryName); err != nil {
		return nil, err
	}
	c.rectangle(box{6, 10.4, 113, 0.5}, colours.band)
	if err := c.printPortrait(portrait, box{6, 13, 35, 45}); err != nil {
		return nil, err
	}
	if err := c.printGhost(portrait, box{103, 42, 15, 19}); err != nil {
		return nil, err
	}
	c.signature(seen.Person.First+seen.Person.Last, box{72, 57.5, 24, 6.5})
	const left, middle, right, edge = 44.0, 68.0, 91.0, 119.0
	err = p.captions(c, colours, 3.4, []caption{
		{"Type", "P", left, 14.6, 60},
		{"Code", CountryCode, 56, 14.6, 70},
		{"Passport No.", seen.Number, right, 14.6, edge},
		{"Surname", strings.TrimSpace(seen.Person.Last + " " + seen.Person.Suffix), left, 22, edge},
		{"Given names", seen.Person.given(), left, 29.4, edge},
		{"Nationality", CountryName, left, 36.8, middle - 1},
		{"Sex", seen.Person.Sex.letter(), right, 36.8, edge},
		{"Date of birth", dateAs(seen.Person.BirthDate, "02 Jan 2006"), left, 44.2, middle - 1},
		{"Place of birth", placeOfBirth(seen.Person), middle, 44.2, 102},
		{"Date of issue", dateAs(seen.IssuedAt, "02 Jan 2006"), left, 51.6, middle - 1},
		{"Authority", "PASSPORT OFFICE", middle, 51.6, 102},
		{"Date of expiry", dateAs(seen.ExpiresAt, "02 Jan 2006"), left, 59, middle - 1},
	})
	if err != nil {
		return nil, err
	}
	c.rectangle(box{0, 64.8, pageWidth, pageHeight - 64.8}, rgb(0xFBFAF6))
	return c, p.drawMRZ(c, lines, td3Left, pageHeight-td3Bottom, td3Spacing)
}

// placeOfBirth is the holder's town, or the country where no address is known.
func placeOfBirth(p Person) string {
	if p.City == "" {
		return CountryName
	}
	return p.City
}

// passportCardFront draws the portrait side of a passport card; its zone is on the back.
func (p *Press) passportCardFront(d Document, portrait image.Image) (*canvas, error) {
	seen, err := d.visible()
	if err != nil {
		return nil, err
	}
	c := newCanvas(cardWidth, cardHeight)
	colours := paletteOf(d.Type)
	c.background(colours, Point{60, 30}, 22)
	if _, err := c.text(3.2, 6.4, 3.6, p.bold, colours.ink, "REPUBLIC OF "+CountryName); err != nil {
		return nil, err
	}
	if _, err := c.text(53.8, 6.4, 3.3, p.bold, colours.ink, "PASSPORT CARD"); err != nil {
		return nil, err
	}
	c.rectangle(box{0, 8.2, cardWidth, 0.8}, colours.band)
	if err := c.printPortrait(portrait, box{3.2, 11.2, 25.6, 32}); err != nil {
		return nil, err
	}
	if err := c.printGhost(portrait, box{72.6, 38.2, 10, 12.5}); err != nil {
		return nil, err
	}
	c.signature(seen.Person.First+seen.Person.Last, box{5, 44.6, 21, 7})
	const left, middle, edge = 31.2, 58.0, 83.0
	return c, p.captions(c, colours, 2.9, []caption{
		{"Nationality", CountryCode, left, 12.4, middle - 1},
		{"Passport Card No.", seen.Number, middle, 12.4, edge},
		{"Surname", strings.TrimSpace(seen.Person.Last + " " + seen.Person.Suffix), left, 19.2, edge},
		{"Given names", seen.Person.given(), left, 26, edge},
		{"Sex", seen.Person.Sex.letter(), left, 32.8, 40},
		{"Date of birth", dateAs(seen.Person.BirthDate, "02 Jan 2006"), middle, 32.8, edge},
		{"Place of birth", placeOfBirth(seen.Person), left, 39.6, middle + 13},
		{"Issued on", dateAs(seen.IssuedAt, "02 Jan 2006"), left, 46.4, middle - 5},
		{"Expires on", dateAs(seen.ExpiresAt, "02 Jan 2006"), 54, 46.4, 72},
	})
}

// passportCardBack draws the side with the zone (TD1).
func (p *Press) passportCardBack(d Document) (*canvas, error) {
	lines, err := d.MRZ()
	if err != nil {
		return nil, err
	}
	c := newCanvas(cardWidth, cardHeight)
	colours := paletteOf(d.Type)
	c.background(colours, Point{43, 18}, 15)
	c.rectangle(box{0, 4, cardWidth, 0.6}, colours.band)
	for i, line := range []string{
		"This card is property of the Republic of Utopia.",
		"If found, please leave it with the nearest lighthouse keeper.",
		"Valid for travel by land and sea between imaginary places.",
	} {
		if _, err := c.text(4.6, 9.5+float64(i)*3.4, 2.3, p.regular, colours.ink, line); err != nil {
			return nil, err
		}
	}
	c.rectangle(box{0, 31.2, cardWidth, cardHeight - 31.2}, rgb(0xFBFAF6))
	return c, p.drawMRZ(c, lines, td1Left, cardHeight-td1Bottom, td1Spacing)
}
